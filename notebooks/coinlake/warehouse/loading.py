"""One load: the same steps for every warehouse, in portable T-SQL."""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from coinlake.delta import explained
from coinlake.errors import DamagedWarehouse, WarehouseError
from coinlake.lakehouse import Lakehouse
from coinlake.schema import Table
from coinlake.warehouse.base import Change, Position, Session, Warehouse
from coinlake.warehouse.extract import gold_changes
from coinlake.warehouse.sql import portable_tsql, scripts


@dataclass(frozen=True)
class TableLoad:
    """What a load did to one table: rows sent, rows inserted or updated, rows deleted.

    `partitions` are those that the rows belong to; None where the table has none.
    """

    table: Table
    is_full: bool
    partitions: tuple[str, ...] | None
    staged: int
    merged: int
    deleted: int


@dataclass(frozen=True)
class State:
    """What a warehouse holds: its SQL files (name -> checksum) and how far each table is loaded."""

    applied: Mapping[str, str] = field(default_factory=dict)
    positions: Mapping[str, Position] = field(default_factory=dict)


def state(warehouse: Warehouse) -> State:
    """What the warehouse holds now; nothing when it does not exist yet."""
    with warehouse.reading() as session:
        if session is None:
            return State()
        applied = _applied(session)
        return State(applied, _positions(session) if "views/loaded_position" in applied else {})


def outdated(applied: Mapping[str, str], extras: Iterable[Path] = ()) -> list[Path]:
    """The SQL files that a warehouse lacks or holds with another text, in the order in which they run.

    Raises WarehouseError when a migration was edited after it ran: the warehouse would stay as it was.
    """
    migrations = {path: scripts.checksum(path) for path in scripts.migrations()}
    edited = [
        path for path, checksum in migrations.items() if applied.get(scripts.name(path), checksum) != checksum
    ]
    if edited:
        raise WarehouseError(
            f"{', '.join(map(str, edited))}: changed after this warehouse was built with it. Put the text back "
            "and add a new migration; or, for a local file, delete the warehouse: a load builds it again."
        )
    return [
        path
        for path in (*migrations, *scripts.repeatables(), *extras)
        if applied.get(scripts.name(path)) != scripts.checksum(path)
    ]


@explained()
def load(lake: Lakehouse, warehouse: Warehouse, run_id: str) -> list[TableLoad]:
    """Bring gold into the warehouse: of each table what changed since the last load, at first all of it.

    Returns what was done to each table that changed; nothing changed, nothing is touched. A warehouse whose file
    is damaged is made again, and that is said.
    Raises WarehouseError when rows get lost or break a rule of the warehouse: then it stays as it was.
    """
    done: dict[str, TableLoad] = {}

    def work() -> None:
        held = state(warehouse)
        changes = gold_changes(lake, held.positions)
        first = next(changes, None)
        if first or outdated(held.applied, warehouse.extras()):
            load_changes(warehouse, chain([first] if first else [], changes), run_id, done)

    # An attempt whose commit was not answered may have done its work: then the next one finds nothing new.
    try:
        warehouse.attempt(work)
    except DamagedWarehouse:
        print(f"{warehouse} was cut, or something else has written into it: it is made again from gold")
        warehouse.discard()
        done.clear()
        warehouse.attempt(work)
    return list(done.values())


def load_changes(
    warehouse: Warehouse,
    changes: Iterable[Change],
    run_id: str,
    done: MutableMapping[str, TableLoad] | None = None,
) -> list[TableLoad]:
    """Bring the changes into the warehouse, all of them or none, and note them in control.load_log.

    Staging, count check, then all merges and deletes in one transaction; `changes` come parents first.
    Returns what was done to each table; `done` gets it by the table's name before the commit, whose answer may
    not arrive.
    Raises WarehouseError when rows were lost on the way or break a rule of the warehouse.
    """
    with warehouse.writing() as session:
        _migrate(session, warehouse.extras())
        load_id = _begin(session, run_id)
        staged = [_stage(session, change, load_id) for change in changes]
        with session.transaction():
            merged = [session.execute(task.merge, task.where, {"load_id": load_id}) for task in staged]
            deleted = [_delete(session, task, load_id) for task in reversed(staged)]
            loads = [
                TableLoad(task.table, task.is_full, task.partitions, task.rows, *counts)
                for task, *counts in zip(staged, merged, reversed(deleted), strict=True)
            ]
            _log(session, staged, loads, load_id, run_id)
            if done is not None:
                done.update((entry.table.name, entry) for entry in loads)
        for task in staged:
            session.execute(f"TRUNCATE TABLE staging.{task.table.name}", "staging")
    return loads


def migrate(warehouse: Warehouse) -> None:
    """Bring tables, views and the rest of the SQL files into the warehouse, and no rows."""
    with warehouse.writing() as session:
        _migrate(session, warehouse.extras())


@dataclass(frozen=True)
class _Staged:
    """A change that stands in its staging table, and what is left to do with it."""

    table: Table
    position: Position
    is_full: bool
    partitions: tuple[str, ...] | None
    rows: int
    has_deletes: bool
    where: str
    merge: str
    delete: str


def _begin(session: Session, run_id: str) -> int:
    """A number for this load that no other has, noted before its first row is sent."""
    (newest,) = session.query(
        "SELECT (SELECT COALESCE(MAX(load_id), 0) FROM control.load_started) AS started, "
        "(SELECT COALESCE(MAX(load_id), 0) FROM control.load_log) AS logged",
        "control.load_started",
    ).to_pylist()
    load_id = 1 + max(newest.values())
    session.execute(
        "INSERT INTO control.load_started (load_id, run_id) VALUES (?, ?)",
        "control.load_started",
        (load_id, run_id),
    )
    return load_id


def _stage(session: Session, change: Change, load_id: int) -> _Staged:
    name = change.table.name
    path = scripts.merge_file(name)
    where = scripts.name(path)
    mark_missing, merge, delete = portable_tsql.read(path)
    session.execute(f"TRUNCATE TABLE staging.{name}", where)
    session.stage(change, load_id)
    own = f"SELECT COUNT(*) AS answer FROM staging.{name} WHERE load_id = @load_id"
    arrived = _count(session, own, load_id=load_id)
    if arrived != change.rows.num_rows:
        raise WarehouseError(
            f"staging.{name} has {arrived:,} rows of {change.rows.num_rows:,} that were sent: nothing is "
            "loaded. Load again; if it happens twice, look for another writer of the staging tables."
        )
    if change.is_full:
        session.execute(mark_missing, where, {"load_id": load_id})
    to_delete = _count(session, f"{own} AND is_deleted = 1", load_id=load_id)
    return _Staged(
        change.table,
        change.position,
        change.is_full,
        _partitions(change),
        arrived,
        to_delete > 0,
        where,
        merge,
        delete,
    )


def _partitions(change: Change) -> tuple[str, ...] | None:
    if change.table.partition is None:
        return None
    return tuple(sorted(change.rows[change.table.partition].unique().drop_null().to_pylist()))


def _delete(session: Session, task: _Staged, load_id: int) -> int:
    if not task.has_deletes:
        return 0
    session.settle_keys()
    return session.execute(task.delete, task.where, {"load_id": load_id})


def _log(session: Session, staged: list[_Staged], loads: list[TableLoad], load_id: int, run_id: str) -> None:
    for task, done in zip(staged, loads, strict=True):
        session.execute(
            "INSERT INTO control.load_log (load_id, table_name, delta_table_id, delta_version, "
            "delta_committed_at, is_full, rows_staged, rows_merged, rows_deleted, run_id) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            "control.load_log",
            (load_id, task.table.name, *task.position, task.is_full, task.rows, done.merged, done.deleted, run_id),
        )


def _migrate(session: Session, extras: Iterable[Path]) -> None:
    with session.transaction():
        paths = outdated(_applied(session), extras)
        for path in paths:
            for batch in portable_tsql.read(path):
                session.execute(batch, scripts.name(path))
        for path in paths:
            _remember(session, path)


def _remember(session: Session, path: Path) -> None:
    name, checksum = scripts.name(path), scripts.checksum(path)
    where = "control.schema_version"
    updated = session.execute(
        "UPDATE control.schema_version SET checksum = ?, applied_at = SYSUTCDATETIME() WHERE name = ?",
        where,
        (checksum, name),
    )
    if not updated:
        session.execute(
            "INSERT INTO control.schema_version (name, checksum) VALUES (?, ?)", where, (name, checksum)
        )


def _applied(session: Session) -> dict[str, str]:
    known = _count(
        session,
        "SELECT COUNT(*) AS answer FROM INFORMATION_SCHEMA.TABLES "
        "WHERE TABLE_SCHEMA = 'control' AND TABLE_NAME = 'schema_version'",
    )
    if not known:
        return {}
    rows = session.query("SELECT name, checksum FROM control.schema_version", "control.schema_version")
    return {row["name"]: row["checksum"] for row in rows.to_pylist()}


def _positions(session: Session) -> dict[str, Position]:
    rows = session.query(
        "SELECT table_name, delta_table_id, delta_version, delta_committed_at FROM control.loaded_position",
        "control.loaded_position",
    )
    return {
        row["table_name"]: Position(row["delta_table_id"], row["delta_version"], row["delta_committed_at"])
        for row in rows.to_pylist()
    }


def _count(session: Session, select: str, **variables: int) -> int:
    return session.query(select, parameters=variables).column("answer")[0].as_py()
