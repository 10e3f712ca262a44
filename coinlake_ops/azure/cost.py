"""What an environment costs a month: `coinlake deploy cost` prints the tables of coinlake_ops/azure/README.md.

Prices are list prices of West Europe in US dollars, to be checked in Azure's pricing calculator before anybody
relies on them; quantities are assumptions about use, nothing here was measured in a cloud.
"""

from dataclasses import dataclass

DAYS = 30
# Runs a month: tr_daily in dev; tr_daily and tr_hourly in prod.
RUNS = {"dev": DAYS, "prod": DAYS * 24}
# Hours that the two machines of a run are up, idle minutes in the pool included.
RUN_HOURS = {"dev": 0.75, "prod": 0.30}
MACHINES = 2
# Activities that the factory counts in one run.
ACTIVITIES = 40
GIGABYTES = {"dev": 20, "prod": 200}
WAREHOUSE_HOURS = {"dev": 2, "prod": 20}
WAREHOUSE_DBU = 4
SQL_HOURS = {"dev": DAYS * 0.5, "prod": DAYS * 24 * 0.25}
SQL_VCORES = {"dev": 0.5, "prod": 1.0}
SQL_GIGABYTES = {"dev": 2, "prod": 20}
LOG_GIGABYTES = {"dev": 0.5, "prod": 4}


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


def lines(environment: str) -> list[Line]:
    """The bill of an environment, line by line."""
    runs, hours = RUNS[environment], RUN_HOURS[environment]
    machine_hours = runs * hours * MACHINES
    worked = f"{runs} runs × {hours:g} h × {MACHINES} machines"
    storage = 0.020 if environment == "dev" else 0.025
    sql_hours, vcores = SQL_HOURS[environment], SQL_VCORES[environment]
    warehouse_hours = WAREHOUSE_HOURS[environment]
    return [
        Line("machines of a run (D4ds v5)", worked, machine_hours, "machine hours", 0.27),
        Line("Databricks, jobs, premium", f"{worked} × 1 DBU", machine_hours, "DBU", 0.30),
        Line(
            "SQL warehouse, serverless, 2X-Small",
            f"{warehouse_hours} h × {WAREHOUSE_DBU} DBU",
            warehouse_hours * WAREHOUSE_DBU,
            "DBU",
            0.91,
        ),
        Line(
            "Azure SQL, serverless",
            f"{sql_hours:g} h awake × {vcores:g} vCore",
            sql_hours * vcores,
            "vCore hours",
            0.52,
        ),
        Line("Azure SQL, storage", "allocated", SQL_GIGABYTES[environment], "GB", 0.13),
        Line(
            "Data Factory, activities", f"{runs} runs × {ACTIVITIES}", runs * ACTIVITIES / 1000, "thousand", 1.00
        ),
        Line("storage account", "hot tier", GIGABYTES[environment], "GB", storage),
        Line("Log Analytics", "ingested", LOG_GIGABYTES[environment], "GB", 2.99),
        Line("alerts", "one metric, one hourly query", 1, "set", 0.60),
    ]


def total(environment: str) -> float:
    """US dollars a month, all lines."""
    return sum(line.amount for line in lines(environment))


def table(environment: str) -> str:
    """The bill as a table in Markdown."""
    rows = [
        f"| {line.what} | {line.arithmetic} | {line.quantity:,.6g} {line.unit} | {line.price:.3g} "
        f"| {line.amount:,.2f} |"
        for line in lines(environment)
    ]
    head = [f"| {environment} | arithmetic | a month | USD each | USD a month |", "|---|---|---:|---:|---:|"]
    return "\n".join([*head, *rows, f"| **sum** | | | | **{total(environment):,.0f}** |"])
