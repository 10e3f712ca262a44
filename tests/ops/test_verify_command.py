"""The commands verify and rebuild as they are typed: what they print, how they end, when they refuse."""

import json

import pytest

from coinlake import runtime
from coinlake.findings import Check, counted
from coinlake_ops import cli, rebuild, verification
from coinlake_ops.lake_lock import only_worker

FINE = Check("landing", "bodies against the response log, by SHA-256", 1234)
WRONG = Check(
    "silver",
    "coin_list against landing",
    5,
    ("1 rows are missing: a\u202e", "b", "c", "d"),
    "coinlake rebuild silver",
)


@pytest.fixture
def lake(tmp_path, monkeypatch):
    """A lake whose checks are found without Spark."""
    (tmp_path / "landing_meta").mkdir()
    monkeypatch.setattr(verification, "_checks", lambda lake, session: iter([FINE, WRONG]))
    return tmp_path


def test_a_check_is_a_line_and_a_difference_ends_it_with_1(lake, capsys, monkeypatch):
    assert cli.main(["verify", "--lake", str(lake)]) == cli.FAILED
    assert capsys.readouterr().out == (
        "ok      landing   bodies against the response log, by SHA-256                      1,234\n"
        "DIFFERS silver    coin_list against landing                                            5\n"
        "        1 rows are missing: a\\u202e\n"
        "        b\n"
        "        c\n"
        "        and 1 more\n"
        "        mend it: coinlake rebuild silver\n"
    )
    monkeypatch.setattr(verification, "_checks", lambda lake, session: iter([FINE]))
    assert cli.main(["verify", "--lake", str(lake)]) == cli.DONE


def test_a_check_is_a_json_object(lake, capsys):
    assert cli.main(["verify", "--lake", str(lake), "--json"]) == cli.FAILED
    fine, wrong = map(json.loads, capsys.readouterr().out.splitlines())
    assert fine == {
        "layer": "landing",
        "what": "bodies against the response log, by SHA-256",
        "compared": 1234,
        "problems": [],
        "mend": "",
        "is_ok": True,
    }
    assert (wrong["is_ok"], wrong["problems"]) == (False, list(WRONG.problems))


@pytest.mark.parametrize("command", [["verify"], ["rebuild", "silver"]])
def test_both_refuse_while_a_run_is_at_work_and_where_nothing_was_landed(
    lake, capsys, command, tmp_path, monkeypatch
):
    monkeypatch.setattr(runtime, "spark", lambda: pytest.fail("no session is needed to refuse"))
    with only_worker(lake):
        assert cli.main([*command, "--lake", str(lake)]) == cli.FAILED
    said = capsys.readouterr().err
    assert said.startswith(f"Another run is working on {lake} (process ")
    assert said.endswith("Let it end, and try again.\n")
    assert cli.main([*command, "--lake", str(tmp_path / "nothing")]) == cli.FAILED
    assert capsys.readouterr().err == (
        f"Nothing was landed in {tmp_path / 'nothing'}: there is nothing to compare with. Try coinlake run.\n"
    )
    monkeypatch.setenv("COINLAKE_VOLUMES", str(tmp_path))
    assert cli.main([*command, "--lake", str(tmp_path / "c" / "s" / "v")]) == cli.FAILED
    assert "is a volume, whose tables the catalog keeps" in capsys.readouterr().err


def test_a_layer_that_there_is_not_is_a_wrong_call(lake, capsys):
    assert cli.main(["rebuild", "bronze", "--lake", str(lake)]) == cli.WRONG_CALL
    assert "'bronze' is not one of" in capsys.readouterr().err
    assert [layer.value for layer in cli.Layer] == list(rebuild.LAYERS)


def test_of_many_examples_the_first_three_are_shown():
    assert counted(2, "files", ["b", "a"]) == "2 files: a, b"
    assert counted(1234, "rows", ["d", "c", "b", "a"]) == "1,234 rows: a, b, c, …"
    assert counted(9, "rows", ["a", "b"]) == "9 rows: a, b, …"
