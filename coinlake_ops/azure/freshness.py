"""How old the numbers are and what that costs: `coinlake deploy cost` prints the tables of FRESHNESS.md.

Three ways, for three sizes of the market: the factory's hourly run, the job that repeats itself, and a stream that
never ends. CPU seconds were measured on 2 cores with the simulated market; everything else is an assumption or a
list price, as in cost.py.
"""

from dataclasses import dataclass

from coinlake_ops.azure import cost

COINS = (250, 5_000, 20_000)
# CPU seconds of Spark's server for one run an hour later with as many coins; 20,000 follow the line through both.
MEASURED = {250: 124.0, 5_000: 244.0}
COINS_OF_A_PAGE = 250
# Six notebooks, one after the other: each begins a session and installs its packages.
SECONDS_OF_SESSIONS = 6 * 20
# Cores that a serverless job of this size works with, and the share of them that is busy.
CORES, BUSY = 8, 0.7
# Seconds from one run of the continuous job to the next, and until its machines are there.
PAUSE = 60 + 60
MINUTES_A_MONTH = cost.HOURS * 60
# A machine D4ds v5 has four cores.
CORES_OF_A_MACHINE = 4
# Event Hubs' unit by the hour, a million events, 10,000 writes to a storage account; events a second of a unit.
UNIT_PRICE, EVENT_PRICE, WRITE_PRICE = 0.030, 0.028, 0.065
EVENTS_OF_A_UNIT = 1_000


@dataclass(frozen=True)
class Way:
    """One way for one size of the market: requests a month, age in minutes at the mean, US dollars a month."""

    name: str
    coins: int
    requests: int
    age: float
    dollars: float


def cpu(coins: int) -> float:
    """CPU seconds of a run with as many coins."""
    (few, low), (many, high) = MEASURED.items()
    return low + (high - low) * (coins - few) / (many - few)


def pages(coins: int) -> int:
    """Requests for the market of one moment."""
    return -(-coins // COINS_OF_A_PAGE)


def seconds(coins: int) -> float:
    """Seconds of a run of the job on serverless machines, once they are there."""
    return SECONDS_OF_SESSIONS + cpu(coins) / (CORES * BUSY)


def machines(coins: int) -> int:
    """Machines that take in as many coins every minute, one more to drive them where there are several."""
    workers = -(-cpu(coins) // (60 * CORES_OF_A_MACHINE * BUSY))
    return int(workers) if workers == 1 else int(workers) + 1


def ways(coins: int) -> list[Way]:
    """The three ways for as many coins."""
    hours = seconds(coins) / 3600
    runs = cost.HOURS * 3600 / (seconds(coins) + PAUSE)
    awake = cost.HOURS * 0.5 * cost.VCORE_PRICE
    hourly = cost.amount(cost.serverless(cost.HOURS, hours))
    repeated = cost.amount(cost.serverless(round(runs), hours, "PERFORMANCE_OPTIMIZED"))
    stream = machines(coins) * cost.HOURS * (cost.MACHINE_PRICE + cost.JOBS_PRICE)
    # On the mean a number is as old as the run that brought it took, and half the time until the next.
    return [
        Way("every hour", coins, cost.HOURS * pages(coins), 30 + (300 + seconds(coins)) / 60, hourly),
        Way(
            "again and again",
            coins,
            round(runs * pages(coins)),
            (seconds(coins) + (seconds(coins) + PAUSE) / 2) / 60,
            repeated + awake,
        ),
        Way(
            "a stream, every minute",
            coins,
            MINUTES_A_MONTH * pages(coins),
            0.5 + cpu(coins) / (machines(coins) * CORES_OF_A_MACHINE * BUSY) / 60,
            stream + awake,
        ),
    ]


def table() -> str:
    """All ways as a table in Markdown."""
    head = ["| coins | how often | requests a month | age, minutes | USD a month |", "|---:|---|---:|---:|---:|"]
    rows = [
        f"| {way.coins:,} | {way.name} | {way.requests:,} | {way.age:.0f} | {way.dollars:,.0f} |"
        for coins in COINS
        for way in ways(coins)
    ]
    return "\n".join([*head, *rows])


def bus() -> list[tuple[float, float, float]]:
    """Messages a second, each for itself, and US dollars of a month of them as files and through Event Hubs."""
    found = []
    for messages in (0.1, 1, 2, 10, 100, 1_000):
        a_month = messages * cost.HOURS * 3600
        units = -(-messages // EVENTS_OF_A_UNIT)
        files = a_month / 10_000 * WRITE_PRICE
        events = units * cost.HOURS * UNIT_PRICE + a_month / 1e6 * EVENT_PRICE
        found.append((messages, files, events))
    return found


def bus_rows() -> str:
    """The same as rows of a table in Markdown."""
    return "\n".join(f"| {messages:g} | {files:,.2f} | {events:,.2f} |" for messages, files, events in bus())
