"""The semantic model in Microsoft's own engine, where there is one."""

import pytest

from coinlake import schema
from coinlake_ops.bi import powerbi
from coinlake_ops.bi.views import view
from tests.support import tabular_engine

ALL_TABLES = schema.TABLES
MODEL = "coinlake.SemanticModel/definition/"

pytestmark = pytest.mark.skipif(
    not tabular_engine.PROGRAM, reason="COINLAKE_TABULAR_ENGINE does not name Microsoft's tabular engine"
)


@pytest.fixture
def folder(small_catalog, monkeypatch, tmp_path):
    """The model as files."""
    monkeypatch.setattr(schema, "TABLES", ALL_TABLES)
    for path, text in powerbi.files("sql-mine.database.windows.net", "market").items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return tmp_path / MODEL


def test_the_engine_loads_every_table_measure_and_relationship(folder):
    with tabular_engine.TabularEngine(folder) as engine:
        assert {table["name"]: table["columnCount"] for table in engine.call("table", operation="List")} == {
            name: len(view(name).columns) for name in powerbi.VIEWS
        }
        measures = {
            owner["tableName"]: [measure["name"] for measure in owner["measures"]]
            for owner in engine.call("measure", operation="List")
        }
        assert measures == {owner: [name for name, *_ in made] for owner, made in powerbi.MEASURES.items()}
        ends = ("fromTable", "fromColumn", "toTable", "toColumn")
        related = engine.call("relationship", operation="List")
        assert {tuple(one[end] for end in ends) for one in related} == set(powerbi.RELATIONSHIPS)
        assert all(one["isActive"] for one in related)
        [calendar] = engine.call("table", operation="Get", references=[{"name": "calendar"}])
        assert calendar["data"]["dataCategory"] == "Time"


def test_the_engine_refuses_a_model_that_names_what_is_not_there(folder):
    path = folder / "relationships.tmdl"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("toColumn: coin.coin_id", "toColumn: coin.nothing"), encoding="utf-8")
    with pytest.raises(AssertionError, match="refers to an object which cannot be found"):
        tabular_engine.TabularEngine(folder)
