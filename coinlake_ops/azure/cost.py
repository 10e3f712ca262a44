"""What an environment costs a month: `coinlake deploy cost` prints the tables of coinlake_ops/azure/README.md.

What an environment is (which triggers run, when the database pauses, which network) comes from its file. Prices
are list prices of West Europe in US dollars, to be checked in Azure's pricing calculator before anybody relies on
them; quantities are assumptions about use, nothing here was measured in a cloud.
"""

from dataclasses import dataclass

from coinlake_ops import environment as environments
from coinlake_ops.environment import Environment

DAYS = 30
HOURS = DAYS * 24
# Runs a day of each trigger.
RUNS = {"tr_daily": 1, "tr_hourly": 23}
# Hours that the two machines of a run are up, idle minutes in the pool included.
RUN_HOURS = {"dev": 0.75, "prod": 0.30}
MACHINES = 2
# Activities that the factory counts in one run.
ACTIVITIES = 40
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
    machine_hours = runs * hours * MACHINES
    worked = f"{runs} runs × {hours:g} h × {MACHINES} machines"
    storage = 0.020 if name == "dev" else 0.025
    vcores, warehouse_hours = SQL_VCORES[name], WAREHOUSE_HOURS[name]
    awake = runs * (LOAD_MINUTES + environment.sql_pause_minutes) / 60
    slept = f"{runs} runs × {LOAD_MINUTES + environment.sql_pause_minutes} min"
    if awake >= HOURS:
        # The next run comes before it pauses.
        awake, slept = HOURS, "never pauses: always"
    found = [
        Line("machines of a run (D4ds v5)", worked, machine_hours, "machine hours", 0.27),
        Line("Databricks, jobs, premium", f"{worked} × 1 DBU", machine_hours, "DBU", 0.30),
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
        Line("NAT gateway and its address", "always", HOURS, "hours", 0.050),
        Line(
            "Azure SQL, serverless",
            f"{slept} awake × {vcores:g} vCore",
            awake * vcores,
            "vCore hours",
            0.52,
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


def total(name: str) -> float:
    """US dollars a month, all lines."""
    return sum(line.amount for line in lines(name))


def table(name: str) -> str:
    """The bill as a table in Markdown."""
    rows = [
        f"| {line.what} | {line.arithmetic} | {line.quantity:,.6g} {line.unit} | {line.price:.3g} "
        f"| {line.amount:,.2f} |"
        for line in lines(name)
    ]
    head = [f"| {name} | arithmetic | a month | USD each | USD a month |", "|---|---|---:|---:|---:|"]
    return "\n".join([*head, *rows, f"| **sum** | | | | **{total(name):,.0f}** |"])
