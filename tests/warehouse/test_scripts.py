"""The files of sql/warehouse agree with coinlake.schema, with one another, and with the limits of a server."""

import re

import pytest

from coinlake import schema
from coinlake.warehouse import LOADED
from coinlake.warehouse.sql import generate, portable_tsql, scripts

TARGETS = generate.target_tables()
# A server's clustered index takes keys up to 900 bytes; NVARCHAR takes two for each letter.
LONGEST_KEY = 900
BYTES = {"INT": 4, "BIGINT": 8, "DATE": 3, "DATETIME2(6)": 8}
TYPES = {
    "STRING": rf"NVARCHAR\((\d+|MAX)\) COLLATE {portable_tsql.COLLATION}",
    "DOUBLE": r"FLOAT\(53\)",
    "INT": r"INT",
    "BIGINT": r"BIGINT",
    "DATE": r"DATE",
    "TIMESTAMP": r"DATETIME2\(6\)",
    "BOOLEAN": r"BIT",
}


def test_every_gold_table_has_a_place_and_nothing_else_has():
    assert list(TARGETS) == [table.name for table in LOADED]
    gold = {table.name for table in schema.TABLES if table.schema == schema.AGGREGATED}
    assert gold - set(TARGETS) == {"gold_progress"}


@pytest.mark.parametrize("table", LOADED, ids=lambda table: table.name)
def test_columns_types_and_keys_are_those_of_gold(table):
    target = TARGETS[table.name]
    assert list(target.columns) == table.column_names
    wrong = {
        column.name: target.columns[column.name]
        for column in table.columns
        if not re.fullmatch(TYPES[column.type], target.columns[column.name])
    }
    assert wrong == {}
    assert target.required == {c.name for c in table.columns if c.required or c.name in table.key}
    assert target.key == table.key


@pytest.mark.parametrize("table", LOADED, ids=lambda table: table.name)
def test_every_rule_of_gold_is_a_named_constraint(table):
    rules = TARGETS[table.name].rules
    assert rules[0] == f"pk_{table.name}"
    assert {f"ck_{table.name}_{name}" for name in table.checks} <= set(rules)
    assert all(re.match(rf"(pk|fk|ck)_{table.name}(_|$)", rule) for rule in rules)


def test_names_of_constraints_are_used_once():
    rules = [rule for target in TARGETS.values() for rule in target.rules]
    assert sorted(rules) == sorted(set(rules))


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_keys_fit_a_servers_index(target):
    def size(kind: str) -> int:
        length = re.match(r"NVARCHAR\((\d+)\)", kind)
        return 2 * int(length[1]) if length else BYTES[kind]

    assert sum(size(target.columns[name]) for name in target.key) <= LONGEST_KEY


def test_parents_are_loaded_before_their_children():
    order = [table.name for table in LOADED]
    assert any(target.references for target in TARGETS.values())
    for target in TARGETS.values():
        assert all(order.index(parent) < order.index(target.name) for parent in target.references)


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_generated_files_are_current(target):
    remedy = "run coinlake sql generate"
    assert (scripts.FOLDER / "staging" / f"{target.name}.sql").read_text() == generate.staging_sql(target), remedy
    assert scripts.merge_file(target.name).read_text() == generate.merge_sql(target), remedy


def test_generating_leaves_no_file_of_a_table_that_is_gone(tmp_path):
    (tmp_path / "merge").mkdir()
    (tmp_path / "merge" / "gone.sql").write_text("SELECT 1")
    generate.write(tmp_path)
    for kind in ("staging", "merge"):
        assert {path.stem for path in (tmp_path / kind).iterdir()} == set(TARGETS)


def test_a_later_migration_reaches_staging_and_merge(monkeypatch, tmp_path):
    first, later = tmp_path / "001_t.sql", tmp_path / "002_t_note.sql"
    first.write_text("CREATE TABLE s.t (x INT NOT NULL, CONSTRAINT pk_t PRIMARY KEY (x))")
    later.write_text("ALTER TABLE s.t ADD y BIT NULL")
    monkeypatch.setattr(generate, "migrations", lambda: [first, later])
    assert generate.target_tables("s")["t"].columns == {"x": "INT", "y": "BIT"}


def test_migrations_are_numbered_without_gaps_and_named_after_their_object():
    for number, path in enumerate(scripts.migrations(), 1):
        found, name = path.stem.split("_", 1)
        assert int(found) == number
        assert re.search(rf"(CREATE|ALTER) (SCHEMA|TABLE) (\w+\.)?{name}\b", path.read_text())


def test_views_are_named_after_their_file():
    for path in (scripts.FOLDER / "views").glob("*.sql"):
        assert re.search(rf"CREATE OR ALTER VIEW \w+\.{path.stem}\b", path.read_text())
