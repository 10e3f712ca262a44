"""Measures what the project promises about speed, as ratios within one run: `coinlake bench [NAME…]`.

work       what Spark does in a first, a repeated and an hourly run, counted, by notebook and table
batch      the batch run against one classic Spark session for each notebook
reader     the landed-file reader against Spark's plain JSON source, 100,000 coins
history    one more hourly run with a year of hourly data behind it against one with a week
warehouse  loading gold into the warehouse against a bare DuckDB insert of the same rows
factory    pl_main on this machine against the time in which any of its notebooks runs
engine     10,000 iterations of a ForEach, 20,000 expressions, in seconds
"""

import hashlib
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
from pyspark.sql import SparkSession

from adf_lab import Context, Engine, Script, VirtualClock, evaluate, monitor
from coinlake import autoloader, gold, instants, observability, runtime, silver, sources, warehouse
from coinlake.errors import CoinlakeError
from coinlake.lakehouse import Lakehouse
from coinlake.schema import COIN_PRICES, COIN_SNAPSHOTS, GOLD_PROGRESS
from coinlake.simulator import Exchange
from coinlake.warehouse import DuckDBWarehouse
from coinlake_ops import batch, notebooks, parameter_files, spark_server
from coinlake_ops.dev import work
from coinlake_ops.factory import main as run_factory

CATALOG = "spark_catalog"
MARKETS = "https://api.coingecko.com/api/v3/coins/markets?vs_currency=usd&per_page=250&page={page}"
HOURS_OF_A_YEAR = 365 * 24
ROUNDS = 3
# The runs whose work is counted, one after the other over one lake, and what each is given.
RUNS: dict[str, tuple[str, ...]] = {"first": (), "repeated": (), "an hour later": ("AS_OF=+1h",)}


def run(names: list[str]) -> None:
    """Run the benchmarks named, or all. Raises CoinlakeError when what is measured fails."""
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="coinlake-bench-") as folder:
            BENCHMARKS[name](Path(folder))


def report(name: str, what: str, ours: float, other: str, theirs: float) -> None:
    """Print two durations in seconds and their ratio."""
    print(f"{name:<10} {what} {ours:.1f} s, {other} {theirs:.1f} s: {ours / theirs:.2f}", flush=True)


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bench_batch(folder: Path) -> None:
    """Both run all notebooks of the default run on a fresh lake."""
    values = parameter_files.load(overrides=[f"LAKE_PATH={folder / 'classic'}", "RUN_ID=bench"])

    def one_session_each():
        os.environ.pop("SPARK_REMOTE", None)
        for notebook in notebooks.all_paths():
            declared = notebooks.declared_parameters(notebook)
            chosen = {name: values[name] for name in declared}
            notebooks.execute(notebook, folder / "executed" / notebook.name, chosen)

    classic = seconds(one_session_each)
    standing = seconds(lambda: _run(folder / "standing"))
    report("batch", "one server", standing, "a session each", classic)


def bench_reader(folder: Path) -> None:
    """Both stream 400 pages of 250 coins into nothing, typed, with a column for corrupt text.

    Twice: as the exchange sends the pages, and with one number of each page in quotes. Over that the plain
    source takes the whole page for corrupt, and gives its text to each of its 250 rows.
    """
    exchange = Exchange(coins=20_000)
    bodies = [
        exchange.answer("GET", MARKETS.format(page=page), {"user-agent": "bench"}, instants.DEFAULT_SIMULATED).body
        for page in range(1, 41)
    ]
    spark = runtime.spark()
    for what, sent in (
        ("clean pages", bodies),
        ("odd pages", [_with_a_number_in_quotes(body) for body in bodies]),
    ):
        pages = folder / what.replace(" ", "_")
        pages.mkdir()
        for number in range(400):
            (pages / f"p{number:04}.json").write_bytes(sent[number % len(sent)])
        ours, theirs = _readers(spark, pages, folder)
        ours(), theirs()
        pairs = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
        report("reader", f"{what}: ours", *_medians(pairs, "plain JSON source"))
    spark.stop()


def _with_a_number_in_quotes(body: bytes) -> bytes:
    coins = json.loads(body)
    coins[0]["total_volume"] = str(coins[0]["total_volume"])
    return json.dumps(coins).encode()


def _readers(spark: SparkSession, pages: Path, scratch: Path) -> tuple[Callable[[], None], Callable[[], None]]:
    """The landed-file reader and Spark's JSON source, each as a stream over all pages into nothing."""
    schema = sources.SOURCES["coins_markets"].schema

    def stream(records) -> None:
        checkpoint = tempfile.mkdtemp(dir=scratch, prefix="checkpoint-")
        query = records.writeStream.format("noop").option("checkpointLocation", checkpoint)
        query.trigger(availableNow=True).start().awaitTermination()

    def ours() -> None:
        options = {"schema": schema, "mode": "rescue", "corrupt_column": "_corrupt_record"}
        stream(autoloader.read(spark, str(pages), **options).drop("_record"))

    def theirs() -> None:
        typed = spark.readStream.schema(f"{schema}, _corrupt_record STRING").option("multiLine", True)
        stream(typed.option("pathGlobFilter", "p*.json").json(str(pages)))

    return ours, theirs


def bench_history(folder: Path) -> None:
    """Both take in one more hour of the market: its page, silver, gold and the warehouse."""
    _run(folder / "week")
    shutil.copytree(folder / "week", folder / "year")
    with _session(folder / "year") as lake:
        _add_a_year(lake)
    pairs = [(_one_more_hour(folder / "year"), _one_more_hour(folder / "week")) for _ in range(ROUNDS)]
    report("history", "after a year", *_medians(pairs, "after a week"))


def bench_warehouse(folder: Path) -> None:
    """Both read all of gold from Delta as Arrow; ours stages, counts, merges and publishes, the other inserts."""
    _run(folder / "lake")
    with _session(folder / "lake") as lake:

        def ours(number: int) -> None:
            warehouse.load(lake, DuckDBWarehouse(folder / f"{number}.duckdb"), "bench")

        def bare(number: int) -> None:
            with duckdb.connect(str(folder / f"bare{number}.duckdb")) as database:
                for table in warehouse.LOADED:
                    rows = lake.table(table).read().toArrow()
                    database.register("incoming", rows)
                    database.execute(f"CREATE TABLE {table.name} AS SELECT * FROM incoming")

        ours(0)
        bare(0)
        pairs = [(seconds(partial(ours, n)), seconds(partial(bare, n))) for n in range(1, ROUNDS + 1)]
    report("warehouse", "load", *_medians(pairs, "bare insert"))


def bench_factory(folder: Path) -> None:
    """The whole of pl_main on a fresh lake; a notebook's time ends when the next one's begins, if they overlap."""
    record = folder / "record.json"
    code = run_factory(["run", "pl_main", "--set", f"lake_path={folder / 'lake'}", "--record", str(record)])
    if code:
        raise CoinlakeError(f"pl_main failed with exit code {code}; see why with: coinlake factory run pl_main")
    run = json.loads(record.read_text())
    notebooks_alone, end = timedelta(), instants.parse(run["runStart"])
    steps = observability.read_records(str(folder / "lake"), date.min)
    for step in sorted(steps, key=lambda step: step["started_at"]):
        started, ended = (instants.parse(step[name]) for name in ("started_at", "ended_at"))
        notebooks_alone += max(ended - max(started, end), timedelta())
        end = max(end, ended)
    whole = monitor.seconds(run)
    added = whole / notebooks_alone.total_seconds() - 1
    print(f"factory    pl_main {whole:.1f} s: {added:.2%} more than its notebooks", flush=True)


def bench_engine(folder: Path) -> None:
    """The items are scripted, the expressions those of a real pipeline: dates, texts and lookups."""
    copy = {"name": "copy", "type": "Copy", "typeProperties": {"source": "@item()"}}
    each = {"items": "@range(0, 10000)", "activities": [copy], "batchCount": 50}
    loop = {"name": "loop", "type": "ForEach", "typeProperties": each}
    engine = Engine({"pl": {"properties": {"activities": [loop]}}}, Script({}).executors(["Copy"]), VirtualClock())
    iterations = seconds(lambda: engine.run("pl"))
    context = Context(parameters={"day": "2026-08-12T14:22:00Z", "page": 7})
    texts = [
        "@concat('date=', formatDateTime(pipeline().parameters.day, 'yyyy-MM-dd'))",
        "p@{substring(concat('000', string(pipeline().parameters.page)), 0, 4)}.json",
        "@if(greater(pipeline().parameters.page, 5), addDays(pipeline().parameters.day, -1), 'none')",
        "@json('{\"rows\": 5}').rows",
    ]
    expressions = seconds(lambda: [evaluate(text, context) for _ in range(5_000) for text in texts])
    print(f"engine     10,000 iterations {iterations:.2f} s; {20_000 / expressions:,.0f} expressions a second")


def bench_work(folder: Path) -> None:
    """Counts do not depend on the machine."""
    for name, overrides in RUNS.items():
        works = count_work(folder / "lake", folder / name.replace(" ", "_"), *overrides)
        print(f"work       {name}:", *work.lines([*works, work.total(works)]), sep="\n", flush=True)


def count_work(lake: Path, events: Path, *overrides: str) -> list[work.Work]:
    """Runs the pipeline over the lake, and counts what Spark does; its events go to the folder `events`."""
    events.mkdir()
    with spark_server.start(lake, java_options=work.java_options(events)) as server:
        _run(lake, *overrides, server=server)
    return work.read(events)


BENCHMARKS: dict[str, Callable[[Path], None]] = {
    "work": bench_work,
    "batch": bench_batch,
    "reader": bench_reader,
    "history": bench_history,
    "warehouse": bench_warehouse,
    "factory": bench_factory,
    "engine": bench_engine,
}


def _medians(pairs: list[tuple[float, float]], other: str) -> tuple[float, str, float]:
    """Of several (ours, theirs): the median of ours, the other's name, the median of the other's."""
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    return ours, other, theirs


def _run(lake: Path, *overrides: str, server: spark_server.Server | None = None) -> None:
    values = parameter_files.load(overrides=[f"LAKE_PATH={lake}", *overrides])
    batch.execute(batch.Run(values, observability.new_run_id(), batch.silent), server)


@contextmanager
def _session(lake: Path) -> Iterator[Lakehouse]:
    """The lake on a server of its own; both end with the block, and nothing of them stays behind."""
    with spark_server.start(lake) as server:
        os.environ.update(server.environment)
        spark = runtime.spark()
        try:
            yield Lakehouse.create(CATALOG, str(lake), spark)
        finally:
            spark.stop()
            for name in server.environment:
                del os.environ[name]


def _one_more_hour(lake: Path) -> float:
    """Run the next hour; returns the seconds from ingestion to the warehouse, without the reports."""
    before = set(lake.glob("steps/*/*"))
    _run(lake, "AS_OF=+1h")
    [run] = set(lake.glob("steps/*/*")) - before
    records = {path.stem: json.loads(path.read_text()) for path in run.glob("*.json")}
    return sum(record["seconds"] for name, record in records.items() if name[:2] in {"01", "03", "04", "05"})


def _add_a_year(lake: Lakehouse) -> None:
    """Put a year of hourly snapshots and prices before what the lake holds, and as many answered pages.

    The pages are empty, because only their number matters to the file source; the rows go to silver directly.
    """
    for hour in range(1, HOURS_OF_A_YEAR + 1):
        _land_an_empty_page(Path(lake.path), instants.DEFAULT_SIMULATED - timedelta(hours=hour))
    silver.load_responses(lake)
    silver.stream_all(lake)
    # Millions of rows at once are for compiled queries, and gold is built whole: no hourly run has to do this.
    with runtime.compiled(lake.spark):
        _repeat_hours_before(lake)
        lake.spark.sql(f"DELETE FROM {lake.table(GOLD_PROGRESS).name}")
        gold.build(lake)
        warehouse.load(lake, DuckDBWarehouse(Path(lake.folder("warehouse.duckdb"))), "bench")


def _repeat_hours_before(lake: Lakehouse) -> None:
    """Put each snapshot, and each coin's first hourly price, into every hour of the year before it."""
    snapshots, prices = lake.table(COIN_SNAPSHOTS).name, lake.table(COIN_PRICES).name
    first_hour = (
        "SELECT *, MIN(observed_at) OVER (PARTITION BY coin_id) AS first "
        f"FROM {prices} WHERE granularity = 'hourly'"
    )
    for table, target, instant, rows in (
        (COIN_SNAPSHOTS, snapshots, "snapshot_at", snapshots),
        (COIN_PRICES, prices, "observed_at", f"({first_hour}) WHERE observed_at = first"),
    ):
        earlier = f"{instant} - MAKE_INTERVAL(0, 0, 0, 0, hour)"
        computed = {instant: earlier, "period": f"DATE_FORMAT({earlier}, 'yyyy-MM')"}
        columns = ", ".join(f"{computed.get(name, name)} AS {name}" for name in table.column_names)
        lake.spark.sql(
            f"INSERT INTO {target} SELECT {columns} "
            f"FROM (SELECT *, EXPLODE(SEQUENCE(1, {HOURS_OF_A_YEAR})) AS hour FROM {rows})"
        )


def _land_an_empty_page(lake: Path, moment: datetime) -> None:
    run = f"{instants.to_stamp(moment)}-{0:08x}"
    day = f"date={moment:%Y-%m-%d}"
    file = f"endpoint=coins_markets/{day}/run={run}/p0001.json"
    line = {"run": run, "endpoint": "coins_markets", "page": 1, "attempt": 1, "method": "GET"}
    line |= {"url": MARKETS.format(page=1), "status": 200, "fetched_at": instants.to_text(moment)}
    line |= {"elapsed_ms": 0, "headers": {}, "file": file, "bytes": 2, "sha256": hashlib.sha256(b"[]").hexdigest()}
    line |= {"content_encoding": "identity", "outcome": "landed", "error": None, "source": "simulated"}
    for path, text in {
        lake / "landing" / file: "[]",
        lake / "landing_meta" / day / f"run={run}.jsonl": json.dumps(line) + "\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
