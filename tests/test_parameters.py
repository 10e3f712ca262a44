"""The contract of parameters: the same names and types in the package, the YAML files and the notebooks."""

import ast
import json
from pathlib import Path

import jsonschema
import nbformat
import pytest

from coinlake import parameters, runtime
from coinlake.errors import ConfigurationError
from coinlake.parameters import PARAMETERS
from coinlake_ops import cli, parameter_files, project

NOTEBOOKS = sorted((project.ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def namespace(**values):
    """A notebook's globals after a parameters cell that declares a seed and a source."""
    return {
        "__annotations__": {"seed": int, "source": str},
        "seed": 1,
        "source": "simulated",
        "In": [],
    } | values


@pytest.fixture(autouse=True)
def no_widgets(monkeypatch):
    monkeypatch.setattr(runtime, "widgets", lambda: None)


def test_declared_values_come_back():
    assert parameters.override(namespace(seed=7)) == {"seed": 7, "source": "simulated"}


def test_an_unknown_name_is_refused_with_the_name_that_was_meant():
    with pytest.raises(ConfigurationError, match=r"sorce: did you mean source\?"):
        parameters.override(namespace(sorce="live"))


@pytest.mark.parametrize("name", [name for name, rule in PARAMETERS.items() if rule.type is float])
@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity"])
def test_a_number_is_a_finite_one(name, text):
    with pytest.raises(ConfigurationError, match=rf"{name}: -?(?:nan|inf) is not a finite number"):
        parameters.check({name: parameters.from_text(name, text)})


def test_a_second_call_in_the_same_notebook_allows_the_notebooks_own_variables():
    later = namespace()
    parameters.override(later)
    later["rows"] = 3
    assert parameters.override(later) == {"seed": 1, "source": "simulated"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seed": "7"}, "seed: '7' is not a whole number"),
        ({"seed": True}, "seed: True is not a whole number"),
        ({"seed": -1}, "seed: -1 is below 0"),
        ({"source": "lives"}, r"source: 'lives' is not one of simulated, replay, live. Did you mean live\?"),
        ({"source": None}, "source: None is not a text"),
    ],
)
def test_wrong_values_are_refused(values, message):
    with pytest.raises(ConfigurationError, match=message):
        parameters.override(namespace(**values))


def test_an_as_of_that_nobody_can_read_is_refused_before_the_run():
    parameters.check({"as_of": "+1h"})
    with pytest.raises(
        ConfigurationError, match=r"as_of: '\+1q' is neither an instant, such as 2026-08-12T14:22:00Z"
    ):
        parameters.check({"as_of": "+1q"})


def test_every_fault_is_named_at_once():
    with pytest.raises(ConfigurationError) as caught:
        parameters.check({"seed": "x", "coins": 0, "colour": "red"})
    assert [line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]] == [
        "seed",
        "coins",
        "colour",
    ]


def test_widgets_override_and_are_read_by_type(monkeypatch):
    monkeypatch.setattr(runtime, "widgets", lambda: {"seed": " 42 ", "source": "live"})
    cell = namespace()
    assert parameters.override(cell) == {"seed": 42, "source": "live"}
    assert cell["seed"] == 42


def test_a_notebook_takes_of_a_jobs_parameters_those_that_it_declares(monkeypatch):
    monkeypatch.setattr(runtime, "widgets", lambda: {"seed": "42", "coins": "many", "with_reports": "false"})
    cell = namespace()
    assert parameters.override(cell) == {"seed": 42, "source": "simulated"}
    assert "coins" not in cell


def test_an_unknown_widget_is_refused(monkeypatch):
    monkeypatch.setattr(runtime, "widgets", lambda: {"sed": "42"})
    with pytest.raises(ConfigurationError, match=r"sed: did you mean seed\?"):
        parameters.override(namespace())


def test_a_widget_of_the_wrong_type_is_refused(monkeypatch):
    monkeypatch.setattr(runtime, "widgets", lambda: {"seed": "many"})
    with pytest.raises(ConfigurationError, match="Parameter seed: 'many' is not a whole number"):
        parameters.override(namespace())


@pytest.mark.parametrize("run_id", ["../../etc", "a/b", ".hidden", "x" * 101])
def test_a_run_id_cannot_leave_its_folder(run_id):
    with pytest.raises(ConfigurationError, match="run_id"):
        parameters.check({"run_id": run_id})


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_the_yaml_files_hold_every_parameter_and_no_other(environment):
    values = parameter_files.read(environment)
    assert list(values) == list(PARAMETERS)
    assert values["environment"] == environment
    jsonschema.validate(values, json.loads(parameter_files.SCHEMA.read_text()))


def test_the_schema_file_is_current():
    assert parameter_files.SCHEMA.read_text() == parameter_files.schema_text()


def test_a_source_has_a_lake_of_its_own_unless_told_otherwise():
    assert parameter_files.load(overrides=["SOURCE=live"])["lake_path"] == "lake/live"
    assert parameter_files.load(overrides=["SOURCE=live", "LAKE_PATH=lake/mine"])["lake_path"] == "lake/mine"
    assert parameter_files.load(overrides=["COINS=100"])["lake_path"] == "lake/simulated"


def test_a_mistyped_override_is_refused():
    with pytest.raises(ConfigurationError, match=r"sorce: did you mean source\?"):
        parameter_files.load(overrides=["SORCE=live"])
    with pytest.raises(ConfigurationError, match="'COINS' is not NAME=VALUE"):
        parameter_files.load(overrides=["COINS"])


def test_a_missing_environment_names_those_that_exist():
    with pytest.raises(ConfigurationError, match=r"no parameters/test.yml. Environments are: dev, local, prod"):
        parameter_files.load("test")


def declared(notebook: Path) -> dict[str, tuple[str, object]]:
    """Name -> (type, default) of a notebook's parameters cell."""
    cells = [
        cell
        for cell in nbformat.read(notebook, as_version=4).cells
        if "parameters" in cell.metadata.get("tags", [])
    ]
    assert len(cells) == 1, f"{notebook.name} has {len(cells)} cells tagged parameters"
    return {
        line.target.id: (line.annotation.id, ast.literal_eval(line.value))
        for line in ast.parse(cells[0].source).body
    }


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebooks_parameters_agree_with_the_package_and_the_local_environment(notebook):
    # Opened by hand, a notebook works on the lake of the course: that of the runs has nothing left to do.
    local = parameter_files.read("local") | {"lake_path": cli.LAB_LAKE}
    for name, (type_name, default) in declared(notebook).items():
        assert PARAMETERS[name].type.__name__ == type_name, name
        assert default == local[name], name


def test_every_parameter_is_used_by_a_notebook():
    used = {name for notebook in NOTEBOOKS for name in declared(notebook)}
    assert used == set(PARAMETERS)


def test_the_readme_lists_every_parameter_with_its_default_and_notebooks():
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in (project.ROOT / "README.md").read_text().splitlines()
        if line.startswith("| `")
    ]
    used = {name: [path.stem[:2] for path in NOTEBOOKS if name in declared(path)] for name in PARAMETERS}
    local = parameter_files.read("local")
    assert [(row[0], row[1], row[3]) for row in rows if row[0] in PARAMETERS] == [
        (name, str(local[name]) or "empty", "all" if len(used[name]) == len(NOTEBOOKS) else ", ".join(used[name]))
        for name in PARAMETERS
    ]
