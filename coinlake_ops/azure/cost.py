"""What an environment costs a month: `coinlake deploy cost` prints the tables of coinlake_ops/azure/README.md.

What an environment is (which triggers run, when the database pauses, which network) comes from its file. Prices
are list prices of West Europe in US dollars, to be checked in Azure's pricing calculator before anybody relies on
them; quantities are assumptions about use, nothing here was measured in a cloud. What fresher data costs stands in
freshness.py.
"""

from dataclasses import dataclass

from coinlake_ops import environment as environments
from coinlake_ops.environment import Environment

DAYS = 30
HOURS = DAYS * 24
# Runs a day of each trigger.
RUNS = {"tr_daily": 1, "tr_hourly": 23}
# Hours that machines work in a run: nine notebooks once a day in dev, six every hour in prod.
RUN_HOURS = {"dev": 0.15, "prod": 0.10}
# Units that serverless machines of a small job use in an hour, which nobody publishes: the first bill tells.
SERVERLESS_DBU = {"STANDARD": 3, "PERFORMANCE_OPTIMIZED": 6}
SERVERLESS_PRICE, JOBS_PRICE, INTERACTIVE_PRICE = 0.45, 0.30, 0.95
# A machine D4ds v5 uses one unit in an hour; it is paid for while it starts, and while it idles in the pool.
MACHINE_PRICE = 0.27
HOURS_OF_A_START = 0.25
# Activities that the factory counts in one run.
ACTIVITIES = 23
GIGABYTES = {"dev": 20, "prod": 200}
WAREHOUSE_HOURS = {"dev": 2, "prod": 20}
WAREHOUSE_DBU = 4
# Minutes that a load keeps the database awake; then it waits `sql_pause_minutes` before it pauses.
LOAD_MINUTES = 5
SQL_VCORES = {"dev": 0.5, "prod": 1.0}
SQL_GIGABYTES = {"dev": 2, "prod": 20}
LOG_GIGABYTES = {"dev": 0.5, "prod": 4}
# Hours that the SQL warehouse is up for the alerts of one morning: it pauses ten minutes after them.
ALERT_HOURS = 0.2
NAT_PRICE, VCORE_PRICE = 0.050, 0.52
MODES = {"STANDARD": "standard", "PERFORMANCE_OPTIMIZED": "performance"}
# Private endpoints of a private network, and of the factory's own.
ENDPOINTS = 6 + 4


@dataclass(frozen=True)
class Line:
    """One line of the bill: quantity in its unit, price of one unit in US dollars."""

    what: str
    arithmetic: str
    quantity: float
    unit: str
    price: float

    @property
    def amount(self) -> float:
        """US dollars a month."""
        return self.quantity * self.price


def lines(name: str) -> list[Line]:
    """The bill of an environment, line by line."""
    return of(environments.read(name, placeholders=True))


def of(environment: Environment) -> list[Line]:
    """The bill of an environment as its file describes it."""
    name = environment.name
    runs, hours = DAYS * sum(RUNS.get(trigger, 0) for trigger in environment.running_triggers), RUN_HOURS[name]
    storage = 0.020 if name == "dev" else 0.025
    vcores, warehouse_hours = SQL_VCORES[name], WAREHOUSE_HOURS[name]
    awake = runs * (LOAD_MINUTES + environment.sql_pause_minutes) / 60
    slept = f"{runs} runs × {LOAD_MINUTES + environment.sql_pause_minutes} min"
    if awake >= HOURS:
        # The next run comes before it pauses.
        awake, slept = HOURS, "never pauses: always"
    found = [
        *_of_the_job(environment, runs, hours),
        Line(
            "SQL warehouse, 2X-Small, people",
            f"{warehouse_hours} h × {WAREHOUSE_DBU} DBU",
            warehouse_hours * WAREHOUSE_DBU,
            "DBU",
            0.91,
        ),
        Line(
            "SQL warehouse, 2X-Small, alerts",
            f"{DAYS} mornings × {ALERT_HOURS:g} h × {WAREHOUSE_DBU} DBU",
            DAYS * ALERT_HOURS * WAREHOUSE_DBU,
            "DBU",
            0.91,
        ),
        Line("NAT gateway and its address", "always", HOURS, "hours", NAT_PRICE),
        Line(
            "Azure SQL, serverless",
            f"{slept} awake × {vcores:g} vCore",
            awake * vcores,
            "vCore hours",
            VCORE_PRICE,
        ),
        Line("Azure SQL, storage", "allocated", SQL_GIGABYTES[name], "GB", 0.13),
        Line(
            "Data Factory, activities", f"{runs} runs × {ACTIVITIES}", runs * ACTIVITIES / 1000, "thousand", 1.00
        ),
        Line("storage account", "hot tier", GIGABYTES[name], "GB", storage),
        Line("Log Analytics", "ingested", LOG_GIGABYTES[name], "GB", 2.99),
        Line("alerts", "one metric, one hourly query", 1, "set", 0.60),
    ]
    if environment.is_private:
        worked = f"{ENDPOINTS} × always"
        found.append(Line("private endpoints", worked, ENDPOINTS * HOURS, "endpoint hours", 0.010))
    return found


def _of_the_job(environment: Environment, runs: int, hours: float) -> list[Line]:
    if environment.machines == "single":
        return on_machines(runs, hours, 1)
    return on_machines(runs, hours, 2) if environment.is_private else serverless(runs, hours)


def serverless(runs: int, hours: float, mode: str = "STANDARD") -> list[Line]:
    """Runs of the job on serverless machines: paid while they work."""
    units = SERVERLESS_DBU[mode]
    worked = f"{runs} runs × {hours:g} h × {units} DBU"
    return [Line(f"Databricks, serverless, {MODES[mode]}", worked, runs * hours * units, "DBU", SERVERLESS_PRICE)]


def on_machines(runs: int, hours: float, machines: int) -> list[Line]:
    """Runs of the job on machines of the pool, which start once in a run."""
    up = hours + HOURS_OF_A_START
    counted = "1 machine" if machines == 1 else f"{machines} machines"
    worked, machine_hours = f"{runs} runs × {up:g} h × {counted}", runs * up * machines
    return [
        Line("machines of a run (D4ds v5)", worked, machine_hours, "machine hours", MACHINE_PRICE),
        Line("Databricks, jobs, premium", f"{worked} × 1 DBU", machine_hours, "DBU", JOBS_PRICE),
    ]


def variants() -> list[tuple[str, list[Line]]]:
    """What 720 runs of prod cost on other machines, all else being the same."""
    runs, hours = DAYS * (RUNS["tr_daily"] + RUNS["tr_hourly"]), RUN_HOURS["prod"]
    return [
        ("serverless, standard: starts in 4 to 6 minutes", serverless(runs, hours)),
        ("serverless, performance: starts within one", serverless(runs, hours, "PERFORMANCE_OPTIMIZED")),
        ("one machine of the pool: `machines: single`", on_machines(runs, hours, 1)),
        ("two machines of the pool, as in a private network", on_machines(runs, hours, 2)),
    ]


def course(people: int = 30) -> list[Line]:
    """A day of a course in the cloud: everyone works, nothing runs by the clock, all is gone at night."""
    day, worked = 8, 4
    return [
        Line(
            "serverless notebooks",
            f"{people} people × {worked} h × 1 DBU",
            people * worked,
            "DBU",
            INTERACTIVE_PRICE,
        ),
        *serverless(people, RUN_HOURS["dev"]),
        Line("SQL warehouse, 2X-Small", f"{day} h × {WAREHOUSE_DBU} DBU", day * WAREHOUSE_DBU, "DBU", 0.91),
        Line("NAT gateway and its address", f"{day} h, then destroyed", day, "hours", NAT_PRICE),
        Line("Azure SQL, serverless", f"{day} h awake × 0.5 vCore", day * 0.5, "vCore hours", VCORE_PRICE),
    ]


def total(name: str) -> float:
    """US dollars a month, all lines."""
    return amount(lines(name))


def amount(found: list[Line]) -> float:
    """US dollars of some lines."""
    return sum(line.amount for line in found)


def table(name: str) -> str:
    """The bill of an environment as a table in Markdown."""
    return _table(name, "a month", lines(name))


def tables() -> str:
    """Everything that the README shows."""
    rows = [
        f"| {what} | {'; '.join(line.arithmetic for line in found[:1])} | {amount(found):,.0f} |"
        for what, found in variants()
    ]
    head = ["| prod's 720 runs on | arithmetic | USD a month |", "|---|---|---:|"]
    others = "\n".join([*head, *rows])
    return "\n\n".join([table("dev"), table("prod"), others, _table("course of 30", "a day", course())])


def _table(name: str, period: str, found: list[Line]) -> str:
    rows = [
        f"| {line.what} | {line.arithmetic} | {line.quantity:,.6g} {line.unit} | {line.price:.3g} "
        f"| {line.amount:,.2f} |"
        for line in found
    ]
    head = [f"| {name} | arithmetic | {period} | USD each | USD {period} |", "|---|---|---:|---:|---:|"]
    return "\n".join([*head, *rows, f"| **sum** | | | | **{amount(found):,.0f}** |"])
