"""Coins: all of them as they are now, any of them in full, two to five side by side, and what happened to them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from coinlake import schema
from coinlake.lakehouse import Lakehouse
from coinlake.reports.data import Frames, event_words, frames, freshness, universe
from coinlake.reports.page import (
    Banner,
    Card,
    Report,
    Section,
    attempt,
    charts,
    formats,
    html_tables,
    missing,
    style,
)

NAME = "coins"
TITLE = "Coins"
NOTEBOOK = "06_report_price_averages"
TABLES = (
    *("market_now", "market_events", "market_daily", "market_trends_daily"),
    *("fact_price_daily", "candle_hourly", "candle_weekly", "api_usage"),
)
LEAST_COINS = 4  # below, two halves say nothing
WEEK = 7  # days of events that are told
TOLD = 60  # events in a table, newest first
DIGITS = 5  # of a price in a chart
VOLUME_DIGITS = 3
RETURNS = {"return_1h": "1 h", "return_24h": "24 h", "return_7d": "7 d", "return_30d": "30 d"}
SHOWN = (
    "symbol",
    "name",
    "kind",
    "price",
    *RETURNS,
    "volume_24h",
    "volume_ratio",
    "market_cap",
    "market_cap_rank",
    "rank_change_24h",
    "high",
    "distance_from_high",
)


def read(lake: Lakehouse, vs_currency: str = "usd") -> Frames:
    """The gold frames of this page, by table name; market_trends_daily holds the newest day alone.

    `histories` has coin_id, date, close, total_volume of the complete days of a year, `hours` has coin_id, hour,
    close from the newest of them on.
    """
    gold = frames.Gold(lake, vs_currency)
    newest = gold.newest_day()
    return gold.origin() | {
        "market_now": gold.rows(schema.MARKET_NOW),
        "market_events": gold.rows(schema.MARKET_EVENTS, frames.since(newest, column="happened_at")),
        "market_daily": gold.rows(schema.MARKET_DAILY, frames.since(newest)),
        "market_trends_daily": gold.rows(schema.MARKET_TRENDS_DAILY, frames.since(newest, 1)),
        "histories": gold.histories(newest),
        "hours": gold.hours(newest),
        "candle_weekly": gold.rows(schema.CANDLE_WEEKLY, frames.since(newest, column="week")),
    }


def build(gold: Frames, *, built_at: datetime, vs_currency: str = "usd", run_id: str = "") -> Report:
    """The page from its frames; `built_at` is the UTC instant that it names as its making."""
    source = freshness.origin(gold["api_usage"])
    now = gold["market_now"].sort_values(
        ["market_cap", "coin_id"], ascending=[False, True], na_position="last", ignore_index=True
    )
    now["symbol"] = now["symbol"].fillna(now["coin_id"])
    happened = events(gold["market_events"], now, vs_currency)
    as_of = now["snapshot_at"].max() if len(now) else None
    report = Report(
        name=NAME,
        title=universe.page_title(TITLE, source),
        origin=source,
        kicker=_kicker(source, now, as_of),
        headline=attempt(TITLE, headline, now),
        lead=attempt("", lead, happened, as_of),
        banner=_banner(gold, source, now, as_of, built_at),
        cards=attempt([], cards, now),
        sources=universe.sources(gold, source, TABLES, run_id, NOTEBOOK),
        built_at=built_at,
        script="coins.js",
        plain=True,
        versions=freshness.versions(gold["freshness"]),
        news=[] if as_of is None else news(happened, as_of),
        as_of=as_of,
    )
    report.attempt("all_coins", "All coins", all_coins, now, happened, gold, vs_currency)
    report.attempt("happened", "What happened", what_happened, happened, as_of)
    report.attempt("market", "Whole market", whole_market, gold["market_daily"], now, vs_currency)
    report.attempt("risk", "Risk", risk, gold["market_trends_daily"], now, vs_currency)
    return report


def headline(now: pd.DataFrame) -> str:
    """How many free coins are higher or lower than a day before, and which moved most."""
    changes = _free(now).set_index("name")["return_24h"].dropna()
    if changes.empty:
        return "No coin has been seen for a day yet" if len(now) else "No coin has been seen yet"
    higher, lower = (sum(_direction(change) == word for change in changes) for word in ("up", "down"))
    number, word = (higher, "higher") if higher >= lower else (lower, "lower")
    if not number:
        return f"{formats.sentence(formats.of_all(len(changes), len(changes)))} cost what they did a day before"
    are = "is" if number == 1 else "are"
    counted = formats.sentence(formats.of_all(number, len(changes)))
    most = changes.idxmax() if word == "higher" else changes.idxmin()
    moved = formats.percent(changes[most])
    if len(changes) == 1:
        return formats.fitting(f"{most} {moved} in 24 hours", f"The only coin: {moved} in 24 hours")
    whole = f"{counted} {are} {word} than 24 hours ago"
    if moved == formats.percent(changes.min() if word == "higher" else changes.max()):
        return whole
    verb = "gained" if word == "higher" else "lost"
    return formats.fitting(f"{whole}; {most} {verb} most ({moved})", f"{whole}; most {most} ({moved})", whole)


def lead(happened: pd.DataFrame, as_of: datetime | None) -> str:
    """What happened most in the last week."""
    if as_of is None:
        return "Once gold holds a snapshot, this page fills itself."
    week = _of_a_week(happened, as_of)
    if week.empty:
        return "In the last seven days nothing happened that is told here: no record, no cross, no lost peg."
    numbers = week["what"].value_counts(sort=False)
    told = [
        formats.counted(int(numbers[what]), one, many) for what, (one, many) in WORDS.items() if what in numbers
    ]
    return f"In the last seven days: {formats.listed(told, len(told))}."


# What an event is called: one of them, and several.
WORDS = {
    "record_high": ("record high", "record highs"),
    "peg_lost": ("peg lost", "pegs lost"),
    "peg_regained": ("peg regained", "pegs regained"),
    "volume_anomaly": ("unusual volume", "unusual volumes"),
    "trend_up": ("turn upwards", "turns upwards"),
    "trend_down": ("turn downwards", "turns downwards"),
    "entered": ("entry among the largest", "entries among the largest"),
    "left": ("exit from the largest", "exits from the largest"),
}


def events(rows: pd.DataFrame, now: pd.DataFrame, vs_currency: str) -> pd.DataFrame:
    """The events, newest first: coin_id, happened_at, what (a kind of market_events), name, told (a sentence)."""
    names = dict(zip(now["coin_id"], now["name"], strict=True))
    ordered = rows.sort_values(["happened_at", "coin_id", "kind"], ascending=[False, True, True], kind="stable")
    named = [names.get(coin_id) or formats.plain(coin_id) for coin_id in ordered["coin_id"]]
    told = [
        f"{name} {event_words.told(kind, value, reference, vs_currency)}"
        for name, kind, value, reference in zip(
            named, ordered["kind"], ordered["value"], ordered["reference"], strict=True
        )
    ]
    return pd.DataFrame(
        {
            "coin_id": ordered["coin_id"],
            "happened_at": ordered["happened_at"],
            "what": ordered["kind"],
            "name": named,
            "told": told,
        }
    ).reset_index(drop=True)


def news(happened: pd.DataFrame, as_of: datetime) -> list[dict[str, str]]:
    """The events of a week, newest first, for the start page: `at` (ISO instant), `coin_id`, `told`."""
    return [
        {"at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "coin_id": coin_id, "told": told}
        for at, coin_id, told in _of_a_week(happened, as_of)[["happened_at", "coin_id", "told"]].itertuples(
            index=False
        )
    ]


def _of_a_week(happened: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    return happened[happened["happened_at"] > pd.Timestamp(as_of) - pd.Timedelta(days=WEEK)]


def cards(now: pd.DataFrame) -> list[Card]:
    """The free coins that moved most, the most unusual volume, and who is nearest to the all-time high."""
    free = _free(now).set_index("name")
    made = []
    changes = free["return_24h"].dropna()
    if changes.map(formats.percent).nunique() > 1:
        made.append(Card("Gained most in 24 hours", formats.percent(changes.max()), str(changes.idxmax())))
        made.append(Card("Gained least in 24 hours", formats.percent(changes.min()), str(changes.idxmin())))
    ratios = free["volume_ratio"].dropna()
    if len(ratios) > 1:
        made.append(Card("Highest volume, × usual", f"{_times(ratios.max())} ×", str(ratios.idxmax())))
    distances = free["distance_from_high"].dropna()
    if len(distances) > 1:
        noun = "free coin" if (now["kind"] == "free").any() else "coin"
        counted = f"of {formats.counted(len(distances), noun)}"
        made.append(Card("Nearest to its record", formats.percent(distances.max(), 0), str(distances.idxmax())))
        made.append(Card("Median from record", formats.percent(distances.median(), 0), counted))
    return made


def all_coins(now: pd.DataFrame, happened: pd.DataFrame, gold: Frames, vs_currency: str) -> Section:
    """Every coin that a snapshot has shown, largest first, and the data from which the page draws any of them."""
    if now.empty:
        return missing("all_coins", "All coins", "It needs a snapshot of the market (notebook 01).")
    pegged, copies = (int((now["kind"] == kind).sum()) for kind in universe.APART)
    told = [
        f"{formats.counted(pegged, 'is', 'are')} pegged to a currency" if pegged else "",
        f"{formats.counted(copies, 'is a copy', 'are copies')} of another" if copies else "",
    ]
    of_these = formats.listed([one for one in told if one])
    rows = [
        [
            _coin_cell(row["coin_id"], row["name"], row["symbol"]),
            html_tables.cell(formats.money(row["price"], vs_currency)),
            *(html_tables.cell(html_tables.change(row[column])) for column in RETURNS),
            html_tables.cell(formats.big_money(row["volume_24h"], vs_currency)),
            html_tables.cell(_times(row["volume_ratio"])),
            html_tables.cell(formats.big_money(row["market_cap"], vs_currency)),
            html_tables.cell(formats.count(row["market_cap_rank"])),
            html_tables.cell(_from_high(row["distance_from_high"])),
            html_tables.cell(row["kind"], "text"),
        ]
        for row in now.to_dict("records")
    ]
    unit = vs_currency.upper()
    return Section(
        key="all_coins",
        nav="All coins",
        finding=formats.sentence(f"{formats.counted(len(now), 'coin')}, largest first"),
        subtitle=f"By their newest snapshots, in {unit}; n/a where a coin is too young. Usual: the mean volume of "
        "the 30 days before. From high: below the all-time high that CoinGecko states."
        + (f" {formats.sentence(of_these)}." if of_these else ""),
        table=html_tables.table(
            f"All coins, {unit}",
            ["Coin", "Price", *RETURNS.values(), "Volume", "× usual", "Market cap", "Rank", "From high", "Kind"],
            rows,
            "coins",
        ),
        data=_data(now, happened, gold, vs_currency),
    )


def _coin_cell(coin_id: str, name: str, symbol: str) -> Markup:
    return Markup(
        '<th scope="row"><a href="#{}"><span class="name">{}</span> <span class="symbol">{}</span></a></th>'
    ).format(quote(coin_id, safe=""), name, symbol)


def _data(now: pd.DataFrame, happened: pd.DataFrame, gold: Frames, vs_currency: str) -> dict[str, Any]:
    """What the page's script draws from: unit, first (the day of place 0), the columns of market_now in
    the order of the table, and by coin its days and hours from a place on, its weeks and its events."""
    histories, weeks = gold["histories"], gold["candle_weekly"]
    first = histories["date"].min() if len(histories) else pd.Timestamp(now["snapshot_at"].min()).normalize()
    columns = {name: _values(now[name]) for name in SHOWN}
    return {
        "unit": vs_currency,
        "first": f"{first:%Y-%m-%d}",
        "id": now["coin_id"].tolist(),
        **columns,
        "snapshot_at": [formats.instant(value) for value in now["snapshot_at"]],
        "high_at": [formats.day(value) for value in now["high_at"]],
        "hours": {coin_id: _hours(own, first) for coin_id, own in gold["hours"].groupby("coin_id")},
        "days": {coin_id: _history(own, first) for coin_id, own in histories.groupby("coin_id")},
        "weeks": {
            coin_id: {
                "at": (own["week"] - first).dt.days.tolist(),
                **{column: charts.numbers(own[column], DIGITS) for column in ("open", "high", "low", "close")},
            }
            for coin_id, own in weeks[weeks["is_complete"].astype(bool)].groupby("coin_id")
        },
        "events": {
            coin_id: [
                [f"{at:%Y-%m-%dT%H:%MZ}", told]
                for at, told in own[["happened_at", "told"]].head(TOLD).itertuples(index=False)
            ]
            for coin_id, own in happened.groupby("coin_id")
        },
    }


def _values(column: pd.Series) -> list[str | float | None]:
    if column.dtype == object:
        return [value if formats.is_known(value) else None for value in column]
    return list(charts.numbers(column))


def _history(own: pd.DataFrame, first: pd.Timestamp) -> dict[str, int | list[float | None]]:
    """A coin's closes and volumes, one for each calendar day: `at` is the place of the first one."""
    daily = own.set_index("date")[["close", "total_volume"]].astype(float).asfreq("D")
    return {
        "at": (daily.index[0] - first).days,
        "close": charts.numbers(daily["close"], DIGITS),
        "volume": charts.numbers(daily["total_volume"], VOLUME_DIGITS),
    }


def _hours(own: pd.DataFrame, first: pd.Timestamp) -> dict[str, int | list[float | None]]:
    """A coin's closes of hours, one for each: `at` is how many hours after place 0 the first one ends."""
    hourly = own.set_index("hour")["close"].astype(float).asfreq("h")
    at = int((hourly.index[0] - first) / pd.Timedelta(hours=1)) + 1
    return {"at": at, "close": charts.numbers(hourly, DIGITS)}


def what_happened(happened: pd.DataFrame, as_of: datetime | None) -> Section:
    """The events of the last seven days, newest first."""
    week = happened.iloc[:0] if as_of is None else _of_a_week(happened, as_of)
    if week.empty:
        return missing("happened", "What happened", "Nothing in the last seven days.")
    shown = week.head(TOLD)
    only = f" The newest {TOLD} are shown." if len(week) > TOLD else ""
    return Section(
        key="happened",
        nav="What happened",
        finding=f"{formats.counted(len(week), 'event')} in the last seven days",
        subtitle="Record highs, pegs lost (2% off the usual close) and regained, three times the usual volume, "
        f"closes that cross the 200-day average, entries and exits on the page of the largest coins.{only}",
        table=html_tables.table(
            f"Events up to {formats.instant(as_of)}",
            ["When", "Coin", "What"],
            [
                [
                    html_tables.name_cell(formats.instant(at)),
                    html_tables.cell(Markup('<a href="#{}">{}</a>').format(quote(coin_id, safe=""), name), "text"),
                    html_tables.cell(told, "wrap"),
                ]
                for at, coin_id, name, told in shown[["happened_at", "coin_id", "name", "told"]].itertuples(
                    index=False
                )
            ],
        ),
    )


def whole_market(market: pd.DataFrame, now: pd.DataFrame, vs_currency: str) -> Section:
    """What /global says of all coins that exist, and what part of it the pegged coins of this page are."""
    known = market.dropna(subset=["total_market_cap"]).set_index("date")
    if known.empty:
        return missing("market", "Whole market", "It needs an answer of /global from a day that is complete.")
    total, share = known["total_market_cap"], known["bitcoin_dominance"].iloc[-1]
    newest, worth = formats.day(total.index[-1]), formats.big_money(total.iloc[-1], vs_currency)
    pegged = now.loc[now["kind"] == "pegged", "market_cap"].sum() / total.iloc[-1] if total.iloc[-1] else None
    has = formats.percent(share, 0, sign=False)
    cells = {
        "Market value": worth,
        "Since the day before": formats.percent(total.iloc[-1] / total.iloc[-2] - 1) if len(total) > 1 else "n/a",
        "Bitcoin’s part": formats.percent(share, 1, sign=False),
        "Part of the pegged coins listed": formats.percent(pegged, 1, sign=False),
        "Traded in 24 hours, coins listed": formats.big_money(now["volume_24h"].sum(), vs_currency),
    }
    figure = None
    if len(total) > 1:
        line = charts.line(total.asfreq("D"), style.BLUE, "Market value", fill="tozeroy")
        unit = f"market value, {vs_currency.upper()}"
        figure = charts.over_time([line], [(0, worth)], y_title=unit, y_range=(0.0, float(total.max()) * 1.1))
    return Section(
        key="market",
        nav="Whole market",
        finding=f"The whole market is worth {worth}"
        + (f"; Bitcoin has {has} of it" if formats.is_known(share) else ""),
        subtitle=f"By the last answer of CoinGecko’s /global on {newest}; parts are of the whole market’s value.",
        alt=f"Line of the market’s value: {worth} on {newest}.",
        figure=figure,
        table=html_tables.table(
            f"Whole market, {vs_currency.upper()}, {newest}",
            ["What", "How much"],
            [[html_tables.name_cell(name), html_tables.cell(text)] for name, text in cells.items()],
        ),
        query="SELECT date, total_market_cap, bitcoin_dominance\nFROM aggregated_data.market_daily\n"
        f"WHERE vs_currency = {schema.quoted_text(vs_currency)} AND total_market_cap IS NOT NULL\nORDER BY date",
        tables=("market_daily",),
        wide=False,
    )


def risk(trends: pd.DataFrame, now: pd.DataFrame, vs_currency: str) -> Section:
    """How much the free coins moved in a year's terms, against what they gained in 90 days."""
    newest = trends.set_index("coin_id")[["volatility_30d", "return_90d"]].dropna()
    known = _free(now).set_index("coin_id")[["name", "symbol"]].join(newest, how="inner")
    if len(known) < LEAST_COINS:
        return missing("risk", "Risk", f"It needs {LEAST_COINS} free coins with 90 days of closes.")
    known = known.sort_values("volatility_30d", kind="stable")
    half = len(known) // 2
    calm, wild = (part["return_90d"].median() for part in (known.iloc[:half], known.iloc[-half:]))
    ends = [known.index[0], known.index[-1], known["return_90d"].idxmax(), known["return_90d"].idxmin()]
    wide, high = known["volatility_30d"].max() * 1.05, known["return_90d"].max()
    low = known["return_90d"].min()
    room = 0.05 * (high - low) or 0.05
    figure = {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": charts.numbers(known["volatility_30d"]),
                "y": charts.numbers(known["return_90d"]),
                "text": [charts.words(name) for name in known["name"]],
                "name": "coin",
                "marker": {"color": style.BLUE},
                "hovertemplate": "%{text} %{y:+.0%}, %{x:.0%}<extra></extra>",
            }
        ],
        "layout": style.layout(
            hovermode="closest",
            xaxis={
                "title": {"text": "volatility per year"},
                "range": [0, charts.rounded(wide)],
                "tickformat": ".0%",
            },
            yaxis={
                "title": {"text": "change in 90 days"},
                "range": charts.numbers([min(low, 0) - room, max(high, 0) + room]),
                "tickformat": ".0%",
            },
            annotations=[
                {
                    "name": "coin",
                    "text": charts.words(known.at[coin_id, "symbol"]),
                    "x": charts.rounded(known.at[coin_id, "volatility_30d"]),
                    "y": charts.rounded(known.at[coin_id, "return_90d"]),
                    "xanchor": "left",
                    "xshift": 6,
                    "showarrow": False,
                    "font": {"size": 12, "color": style.INK},
                }
                for coin_id in dict.fromkeys(ends)
            ],
        ),
    }
    calmer, wilder = formats.percent(calm, 0), formats.percent(wild, 0)
    return Section(
        key="risk",
        nav="Risk",
        finding=f"In 90 days the calmer half of {len(known)} coins moved {calmer}, the wilder {wilder}",
        subtitle="Right: the coin moves more (30 daily log returns, scaled to a year). Up: it gained more. "
        "Free coins with 90 days of closes; of each half the median is told.",
        alt="Points: "
        + ", ".join(
            f"{known.at[coin_id, 'name']} {formats.percent(known.at[coin_id, 'return_90d'], 0)} at "
            f"{formats.percent(known.at[coin_id, 'volatility_30d'], 0, sign=False)}"
            for coin_id in dict.fromkeys(ends)
        )
        + ".",
        figure=figure,
        table=html_tables.table(
            f"Calmest first, {vs_currency.upper()}",
            ["Coin", "Volatility", "90 days"],
            [
                [
                    html_tables.name_cell(row["name"], row["symbol"]),
                    html_tables.cell(formats.percent(row["volatility_30d"], 0, sign=False)),
                    html_tables.cell(html_tables.change(row["return_90d"])),
                ]
                for row in known.to_dict("records")
            ],
        ),
        query=(
            "SELECT now.name AS coin, own.volatility_30d, own.return_90d\n"
            "FROM aggregated_data.market_trends_daily AS own\n"
            "JOIN aggregated_data.market_now AS now\n"
            "  ON now.coin_id = own.coin_id AND now.vs_currency = own.vs_currency\n"
            f"WHERE own.vs_currency = {schema.quoted_text(vs_currency)}\n"
            f"  AND own.date = DATE '{trends['date'].max():%Y-%m-%d}'\n"
            "  AND own.volatility_30d IS NOT NULL AND own.return_90d IS NOT NULL"
            + ("\n  AND now.kind = 'free'" if (now["kind"] == "free").any() else "")
            + "\nORDER BY own.volatility_30d"
        ),
        tables=("market_trends_daily", "market_now"),
        wide=False,
    )


def _free(now: pd.DataFrame) -> pd.DataFrame:
    """The coins that are counted: free ones, or all where none is."""
    free = now[now["kind"] == "free"]
    return free if len(free) else now


def _direction(change: float) -> str:
    return formats.direction(change, "up", "down", "flat")


def _times(ratio: float | None) -> str:
    return f"{ratio:.1f}" if formats.is_known(ratio) else formats.NOT_KNOWN


def _from_high(distance: float | None) -> str:
    return formats.percent(distance, 0) if formats.is_known(distance) else formats.NOT_KNOWN


def _kicker(source: str, now: pd.DataFrame, as_of: datetime | None) -> Sequence[str]:
    words = [TITLE, freshness.ORIGINS[source][1]]
    if as_of is not None:
        words += [formats.instant(as_of), formats.counted(len(now), "coin")]
    return [word for word in words if word]


def _banner(gold: Frames, source: str, now: pd.DataFrame, as_of: datetime | None, built_at: datetime) -> Banner:
    sla = freshness.sla_hours(gold["freshness"], "aggregated_data.market_now")
    built = f"built {formats.instant(built_at)}"
    if as_of is None:
        return Banner("empty", "No data yet.", f"Run notebooks 01 to 04 first · {built}", sla_hours=sla)
    text = f"Newest snapshot {formats.instant(as_of)} · {formats.counted(len(now), 'coin')} · {built}"
    if source != "live":
        return Banner("sample", freshness.ORIGINS[source][0], text, sla_hours=sla)
    taken_at = pd.Timestamp(as_of).to_pydatetime().replace(tzinfo=UTC)
    hours = freshness.hours_between(taken_at, built_at)
    state, taken = freshness.state_of(hours, sla), "the newest snapshot was taken"
    word = f"{state.capitalize()}: {taken} {formats.age(hours)} ago, promised are {sla:g} h."
    return Banner(state, word, text, taken_at, sla, taken)
