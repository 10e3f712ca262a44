"""Compares every layer of a lake with the one below it, reads only, and says what differs and what mends it."""

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from pyspark.sql import SparkSession

from coinlake import bronze, files, gold, observability, silver, warehouse
from coinlake.errors import CoinlakeError, WarehouseError
from coinlake.findings import Check, seen
from coinlake.lakehouse import Lakehouse
from coinlake_ops.lake_lock import only_worker, shown

CATALOG = "spark_catalog"
MOST_PROBLEMS = 3


def verify(lake: Path, session: Callable[[], SparkSession], emit: Callable[[Check], None]) -> bool:
    """Whether all layers are what the ones below make of them; `emit` gets every check as it ends.

    The landing zone is checked before a session is asked for. Raises CoinlakeError where there is no lake, or a
    run is at work on it.
    """
    require_folder(lake)
    with only_worker(lake, waits=False):
        found = []
        for check in _checks(lake, session):
            emit(check)
            found.append(check)
    return all(check.is_ok for check in found)


def require_folder(lake: Path) -> None:
    """Raises CoinlakeError where a lake is no folder of this machine, or nothing was landed in it."""
    if files.is_volume(lake):
        raise CoinlakeError(
            f"{lake} is a volume, whose tables the catalog keeps. To make a layer anew there, drop its tables (of "
            "gold, gold_progress too), then run the notebooks from 03 on: they take in everything again."
        )
    if not (lake / "landing_meta").is_dir():
        raise CoinlakeError(
            f"Nothing was landed in {shown(lake)}: there is nothing to compare with. Try coinlake run."
        )


def as_line(check: Check) -> None:
    """Prints a check on one line, or, where something differs, that and what mends it below."""
    print(
        f"{'ok' if check.is_ok else 'DIFFERS':<8}{check.layer:<10}{check.what:<58}{check.compared:>12,}",
        flush=True,
    )
    for problem in check.problems[:MOST_PROBLEMS]:
        print(f"        {seen(problem)}")
    if len(check.problems) > MOST_PROBLEMS:
        print(f"        and {len(check.problems) - MOST_PROBLEMS} more")
    if not check.is_ok:
        print(f"        mend it: {check.mend}", flush=True)


def as_json(check: Check) -> None:
    """Prints a check as one JSON object on a line."""
    print(json.dumps(asdict(check) | {"is_ok": check.is_ok}), flush=True)


def _checks(lake: Path, session: Callable[[], SparkSession]) -> Iterator[Check]:
    yield from bronze.verify(str(lake))
    # Only looked at: no table is made and none is named in the catalog.
    lakehouse = Lakehouse(session(), CATALOG, str(lake))
    yield from silver.verify(lakehouse)
    yield from gold.verify(lakehouse)
    yield from observability.verify(lakehouse)
    yield _of_warehouse(lakehouse)


def _of_warehouse(lakehouse: Lakehouse) -> Check:
    what = "every table against gold as it was loaded"
    mend = f"coinlake rebuild warehouse --lake {shlex.quote(lakehouse.path)}"
    try:
        proof = warehouse.verify(lakehouse, warehouse.choose(lakehouse.path), as_loaded=True)
    except WarehouseError as problem:
        first, *differences = str(problem).splitlines()
        problems = tuple(line.strip() for line in differences if line.startswith("  ")) or (first,)
        return Check("warehouse", what, 0, problems, mend)
    except CoinlakeError as problem:
        return Check("warehouse", what, 0, (str(problem),), mend)
    return Check("warehouse", what, int(proof["rows"].sum()))
