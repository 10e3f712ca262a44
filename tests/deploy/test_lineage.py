import json
import re

import pytest

from coinlake import observability
from coinlake.errors import CoinlakeError
from coinlake_ops import cli
from coinlake_ops.governance import lineage


def record(lake, run_id, name, reads, writes):
    parameters = {"run_id": run_id, "lake_path": str(lake)}
    step = observability.Step(name, run_id, str(lake), parameters)
    step.end(rows_read=1, rows_written=1, reads=reads, writes=dict.fromkeys(writes))


@pytest.fixture
def lake(tmp_path):
    record(tmp_path, "r1", "01_ingest", ["<api>"], ["landing"])
    record(tmp_path, "r1", "03_silver", ["landing", "cleaned_data.coin_prices"], ["cleaned_data.coin_prices"])
    record(tmp_path, "r1", "04_gold", ["cleaned_data.coin_prices"], ["aggregated_data.fact_price_daily"])
    return tmp_path


def test_the_events_of_a_run_in_order(lake):
    run_id, events = lineage.events(lake)
    assert run_id == "r1"
    assert [(event.step, event.inputs, event.outputs) for event in events] == [
        ("01_ingest", ("<api>",), ("landing",)),
        ("03_silver", ("landing", "cleaned_data.coin_prices"), ("cleaned_data.coin_prices",)),
        ("04_gold", ("cleaned_data.coin_prices",), ("aggregated_data.fact_price_daily",)),
    ]


def test_data_stands_right_of_what_writes_it_and_a_step_right_of_what_it_reads(lake):
    assert lineage.columns(lineage.events(lake)[1]) == {
        "data <api>": 0,
        "step 01_ingest": 1,
        "data landing": 2,
        "step 03_silver": 3,
        "data cleaned_data.coin_prices": 4,
        "step 04_gold": 5,
        "data aggregated_data.fact_price_daily": 6,
    }


def test_data_that_an_earlier_run_wrote_stands_beside_its_reader(lake):
    record(lake, "r1", "08_report", ["aggregated_data.fact_price_daily", "aggregated_data.run_steps"], ["reports"])
    place = lineage.columns(lineage.events(lake)[1])
    assert (place["step 08_report"], place["data aggregated_data.run_steps"]) == (7, 6)


def test_the_page_stands_alone(lake, capsys):
    assert cli.main(["governance", "lineage", "--lake", str(lake)]) == 0
    page = (lake / "lineage" / "r1.html").read_text(encoding="utf-8")
    assert capsys.readouterr().out == f"{lake}/lineage/r1.html: 3 notebooks of run r1\n"
    outside = [url for url in re.findall(r"https?://[^\"'\s<]+", page) if url != "http://www.w3.org/2000/svg"]
    assert outside == []
    assert not re.search(r"<script|<link|<img|@import|url\(|src=", page)
    assert page.count("<rect") == 7
    assert page.count("<path") == 6
    assert "&lt;api&gt;" in page
    assert "<api>" not in page
    assert "One row per coin, currency and UTC day." in page or "aggregated_data.fact_price_daily" in page


def test_a_lake_without_lineage_says_what_to_do(tmp_path, capsys):
    assert cli.main(["governance", "lineage", "--lake", str(tmp_path)]) == 1
    assert (
        capsys.readouterr().err
        == f"There is no lineage in {tmp_path}/lineage. Run the pipeline first: coinlake run\n"
    )


def test_a_run_that_is_not_there_is_refused_with_the_newest_one(lake):
    with pytest.raises(CoinlakeError, match=r"has no run r2\. The newest is r1"):
        lineage.events(lake, "r2")


def test_the_newest_run_is_the_one_whose_events_are_newest(lake):
    record(lake, "r0", "01_ingest", [], ["landing"])
    path = lake / "lineage" / "r0" / "01_ingest.json"
    event = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(event | {"eventTime": "2999-01-01T00:00:00.000Z"}), encoding="utf-8")
    assert lineage.events(lake)[0] == "r0"
