"""Price averages: where prices stand against their own 7, 30, 90 and 200 days, in several currencies."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from markupsafe import Markup

from coinlake import schema
from coinlake.lakehouse import Lakehouse
from coinlake.reports.data import Frames, Universe, frames, freshness, queries, universe
from coinlake.reports.page import Card, Report, Section, attempt, charts, formats, html_tables, missing, style

NAME = "price_averages"
TITLE = "Price averages"
NOTEBOOK = "06_report_price_averages"
TABLES = ("price_averages_daily", "coin_monthly", "candle_weekly", "dim_coin", "market_now", "api_usage")
OF_AVERAGES = ("price_averages_daily", "dim_coin")
WINDOWS = (7, 30, 90, 200)
COLOURS = {7: style.BLUE, 30: style.ORANGE, 90: style.GREEN, 200: style.INK}
PANELS = 6
TABLE_COINS = 10
TABLE_MONTHS = 9
CURRENCY_WORDS = {"usd": "dollars", "eur": "euros", "chf": "francs", "gbp": "pounds", "jpy": "yen"}


def read(lake: Lakehouse, vs_currency: str = "usd", top_coins: int = 25) -> Frames:
    """The gold frames of this report, by table name, and `coins`: the largest coins that still trade."""
    gold = frames.Gold(lake, vs_currency)
    newest = gold.newest_day()
    coins = gold.largest_coins(newest, top_coins)
    of_these = frames.among(coins["coin_id"].tolist())
    return gold.origin() | {
        "coins": coins,
        "price_averages_daily": gold.rows(schema.PRICE_AVERAGES_DAILY, of_these, frames.since(newest)),
        "coin_monthly": gold.rows(schema.COIN_MONTHLY, of_these, "vs_currency IS NOT NULL"),
        "candle_weekly": gold.rows(schema.CANDLE_WEEKLY, of_these, frames.since(newest, column="week")),
    }


def build(gold: Frames, *, built_at: datetime, vs_currency: str = "usd", run_id: str = "") -> Report:
    """The report from its frames; `built_at` is the UTC instant that the page names as its making."""
    report = _over(gold, None, built_at, vs_currency, run_id)
    days = len(gold["price_averages_daily"]["date"].unique())
    report.ranges = {
        range_: _over(gold, range_, built_at, vs_currency, run_id) for range_ in universe.RANGES if range_ < days
    }
    return report


def _over(gold: Frames, days: int | None, built_at: datetime, vs_currency: str, run_id: str) -> Report:
    """The report over the last days, with the sections that look back on them; over the whole period, with all."""
    averages = gold["price_averages_daily"]
    coins = Universe(gold["coins"], averages, vs_currency, days)
    source = freshness.origin(gold["api_usage"])
    report = Report(
        name=NAME,
        title=universe.page_title(TITLE, source),
        origin=source,
        kicker=universe.kicker(TITLE, source, coins),
        headline=attempt(TITLE, headline, coins, averages),
        lead=attempt("", lead, coins, averages, vs_currency),
        banner=universe.banner(gold, source, coins, "price_averages_daily", built_at),
        cards=attempt([], cards, coins, averages, gold["coin_monthly"], vs_currency),
        sources=universe.sources(gold, source, TABLES, run_id, NOTEBOOK),
        built_at=built_at,
        now=attempt("", universe.now_line, coins),
        versions=freshness.versions(gold["freshness"]),
    )
    simulated = source == "simulated"
    report.attempt("bitcoin", "Averages", bitcoin, coins, averages, vs_currency)
    if days is None:
        report.attempt("distance", "Distance", distance, coins, averages)
    report.attempt("coins", "Coins", panels, coins, averages, vs_currency)
    if days is None:
        report.attempt("table", "Table", four_averages, coins, averages, vs_currency)
        months = gold["coin_monthly"]
        report.attempt("currencies", "Currencies", currencies, coins, months, vs_currency, simulated)
    # One coin's weeks do not wait for others: only a chosen range cuts them off.
    since = None if days is None else coins.start
    report.attempt("weeks", "Weeks", weeks, coins, gold["candle_weekly"], vs_currency, since)
    return report


def newest_rows(coins: Universe, averages: pd.DataFrame) -> pd.DataFrame:
    """The newest row of each coin's averages, by coin_id, largest coin first."""
    rows = averages.sort_values("date").groupby("coin_id").tail(1).set_index("coin_id")
    return rows.reindex([coin_id for coin_id in coins.ids if coin_id in rows.index])


def distances(coins: Universe, averages: pd.DataFrame) -> pd.DataFrame:
    """Newest close of each coin against its averages: coin_id × (close, 7, 30, 90, 200), fractions or NaN."""
    rows = newest_rows(coins, averages)
    above_0 = {window: rows[f"average_{window}d"].where(rows[f"average_{window}d"] > 0) for window in WINDOWS}
    gaps: dict[str | int, pd.Series] = {"close": rows["close"]}
    gaps |= {window: rows["close"] / average - 1 for window, average in above_0.items()}
    return pd.DataFrame(gaps, columns=["close", *WINDOWS])


def longest_window(gaps: pd.DataFrame) -> int | None:
    """The longest window for which three coins, or half of them, have enough days; None when there is none."""
    enough = min(universe.MIDDLE, len(gaps) / 2)
    fitting = [window for window in WINDOWS if len(gaps) and gaps[window].notna().sum() >= enough]
    return max(fitting, default=None)


def headline(coins: Universe, averages: pd.DataFrame) -> str:
    """How many coins trade above their longest average."""
    gaps = distances(coins, averages)
    window = longest_window(gaps)
    if window is None:
        return "No prices to average yet" if gaps.empty else "No coin has seven days of prices yet"
    sides = [_side(gap) for gap in gaps[window].dropna()]
    word = max(("above", "below", "at"), key=sides.count)
    number, total = sides.count(word), len(sides)
    if total == 1:
        return f"{coins.name(str(gaps[window].first_valid_index()))} trades {word} its {window}-day average"
    trade = "trades" if number == 1 else "trade"
    whole = formats.of_all(number, total)
    return f"{formats.sentence(whole)} {trade} {word} {'its' if number == 1 else 'their'} {window}-day average"


def lead(coins: Universe, averages: pd.DataFrame, vs_currency: str) -> str:
    """The first leader's averages, and the coins farthest from theirs."""
    gaps = distances(coins, averages)
    window = longest_window(gaps)
    if window is None:
        return "Averages start on the seventh day of a coin’s history."
    first = coins.leaders[0]
    newest = newest_rows(coins, averages).T[first]
    known = [days for days in (30, window) if formats.is_known(newest[f"average_{days}d"])]
    told = [
        f"{formats.money(newest[f'average_{days}d'], vs_currency)} over {days}" for days in dict.fromkeys(known)
    ]
    order = gaps[window].dropna().sort_values()
    sentences = []
    if told:
        sentences.append(f"{coins.name(first)} averaged {formats.listed(told)} days.")
    high, low = order.index[-1], order.index[0]
    if formats.about(order[high]) != formats.about(order[low]):
        sentences.append(
            f"Against the {window}-day average, {coins.name(high)} stands highest "
            f"({formats.about(order[high])}) and {coins.name(low)} lowest ({formats.about(order[low])})."
        )
    return " ".join(sentences)


def cards(coins: Universe, averages: pd.DataFrame, monthly: pd.DataFrame, vs_currency: str) -> list[Card]:
    """Both leaders' 30-day averages, the coins above their averages, and the first leader in another currency."""
    gaps = distances(coins, averages)
    made = []
    for coin_id in coins.leaders:
        average = coins.wide(averages, "average_30d")[coin_id].dropna()
        if len(average):
            before = average[average.index <= average.index[-1] - pd.Timedelta(days=30)]
            change = average.iloc[-1] / before.iloc[-1] - 1 if len(before) else None
            made.append(
                Card(
                    f"{coins.name(coin_id)}, 30-day average",
                    formats.money(average.iloc[-1], vs_currency),
                    html_tables.change(change) + " in 30 days" if formats.is_known(change) else "",
                    html_tables.sparkline(average.tail(31)),
                )
            )
    for window in (200, 30):
        known = gaps[window].dropna()
        if len(known) > 1:
            lines = coins.wide(averages, f"average_{window}d")
            above = coins.closes.div(lines.where(lines > 0)).sub(1).map(_side).eq("above")
            share = (above.sum(axis=1) / lines.notna().sum(axis=1)).dropna().tail(31)
            made.append(
                Card(
                    f"Above {window}-day average",
                    f"{list(known.map(_side)).count('above')} of {len(known)}",
                    f"{formats.percent(share.iloc[0], 0, sign=False)} a month before" if len(share) == 31 else "",
                    html_tables.sparkline(share),
                )
            )
    for currency in _currencies(monthly, vs_currency)[1:2]:
        own = monthly[(monthly["coin_id"] == coins.leaders[0]) & (monthly["vs_currency"] == currency)]
        if len(own):
            made.append(
                Card(
                    f"{coins.name(coins.leaders[0])} in {currency.upper()}",
                    formats.money(own["average"].iloc[-1], currency),
                    f"average of {_so_far(own.iloc[-1])}",
                    html_tables.sparkline(own["average"].tail(12)),
                )
            )
    return made


def bitcoin(coins: Universe, averages: pd.DataFrame, vs_currency: str) -> Section:
    """The first leader's close and its four averages, with the last crossing of 30 and 90 days."""
    if len(coins.closes) < 2:
        return missing("bitcoin", "Averages", "It needs two days of closes.")
    first = coins.leaders[0]
    lines = {window: coins.wide(averages, f"average_{window}d")[first] for window in WINDOWS}
    lines = {window: values for window, values in lines.items() if values.notna().any()}
    traces = [charts.line(coins.closes[first], style.SOFT, "Close", line={"width": 1.3})]
    ends = [(0, "close")]
    for window, values in lines.items():
        ends.append((len(traces), f"{window} d"))
        width = 1.5 if window == 7 else 2
        traces.append(charts.line(values, COLOURS[window], f"{window} days", line={"width": width}))
    own = coins.within(averages[averages["coin_id"] == first]).set_index("date")
    crossings = own["cross_30d_90d"].dropna()
    notes = []
    if len(crossings):
        when, over = crossings.index[-1], crossings.iloc[-1] == "up"
        text = f"30 {'over' if over else 'under'} 90<br>{formats.day(when)}"
        notes = [
            charts.note(text, when, own.loc[when, "average_90d"], above=not over, until=coins.closes.index[-1])
        ]
    figure = charts.over_time(
        traces,
        ends,
        y_title=vs_currency.upper(),
        height=430,
        notes=notes,
        currency=vs_currency,
    )
    close = coins.closes[first].dropna().iloc[-1]
    gaps = {window: close / values.iloc[-1] - 1 for window, values in lines.items() if pd.notna(values.iloc[-1])}
    table = html_tables.table(
        f"{coins.name(first)}, {vs_currency.upper()}, at the end of each month",
        ["Month", "Close", *(f"{window} d" for window in lines)],
        [
            [
                html_tables.name_cell(formats.month(date)),
                *(html_tables.cell(formats.money(value, vs_currency)) for value in row),
            ]
            for date, row in universe.month_ends(pd.concat([coins.closes[first], *lines.values()], axis=1))
        ],
    )
    return Section(
        key="bitcoin",
        nav=coins.name(first),
        finding=against_averages(coins.name(first), gaps),
        subtitle="Daily close (grey) and simple averages of the last 7, 30, 90 and 200 days. "
        "An average starts on the first day with enough history.",
        alt=f"Lines: close {formats.money(close, vs_currency)}, "
        + ", ".join(
            f"{window}-day average {formats.money(values.iloc[-1], vs_currency)}"
            for window, values in lines.items()
        )
        + f" on {formats.day(coins.newest)}.",
        figure=figure,
        table=table,
        query=queries.columns(
            coins,
            "price_averages_daily",
            [first],
            {"Close": "close"} | {f"{window} days": f"average_{window}d" for window in lines},
        ),
        tables=OF_AVERAGES,
    )


def against_averages(name: str, gaps: dict[int, float]) -> str:
    """Where a price stands against a short and a long average of its own."""
    shown = [window for window in (30, 200) if window in gaps] or list(gaps)[-1:]
    if not shown:
        return f"{name} has no average yet"
    where = [_where(gaps[window]) for window in shown]
    if len(shown) == 2 and where[0].split()[-1] == where[1].split()[-1] != "at":
        amounts = [word.rsplit(" ", 1)[0] for word in where]
        word = where[0].split()[-1]
        return f"{name} is {amounts[0]} {word} its 30-day and {amounts[1]} {word} its 200-day average"
    told = [f"{word} its {window}-day average" for word, window in zip(where, shown, strict=True)]
    return f"{name} is {formats.listed(told)}"


def distance(coins: Universe, averages: pd.DataFrame) -> Section:
    """Bars to the longest average that most coins have, diamonds to the 30-day one."""
    gaps = distances(coins, averages)
    window = longest_window(gaps)
    if window is None or gaps[window].notna().sum() < 2:
        return missing("distance", "Distance", "It needs two coins with seven days of closes.")
    order = gaps.reindex(gaps[window].dropna().sort_values(ascending=False, kind="stable").index)
    labels = [coins.symbol(coin_id) for coin_id in order.index]
    figure = charts.diverging_bars(
        labels, order[window].tolist(), name=f"{window} days", x_title="price against its average"
    )
    short = order[30].dropna()
    if window > 30 and len(short):
        figure["data"].append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": charts.numbers(short),
                "y": [charts.words(coins.symbol(coin_id)) for coin_id in short.index],
                "marker": {
                    "symbol": "diamond",
                    "size": 8,
                    "color": style.INK,
                    "line": {"color": style.PAPER, "width": 1},
                },
                "hovertemplate": "%{y} %{x:+.1%} to 30 days<extra></extra>",
                "name": "30 days",
                "orientation": "h",
            }
        )
        ends = [0, *figure["data"][0]["x"], *short]
        low, high = min(ends), max(ends)
        room = 0.04 * (high - low)
        span = charts.numbers([low - room, high + room])
        figure["layout"]["xaxis"]["range"] = span
        figure["layout"]["meta"]["small"] = {"xaxis": {"range": span}}
    top, bottom = order.index[0], order.index[-1]
    farthest = top if abs(order[window].iloc[0]) >= abs(order[window].iloc[-1]) else bottom
    gap = order.loc[farthest, window]
    told = f"{coins.name(farthest)} {_stance(gap)}: {formats.about(gap)} from its {window}-day average"
    if _side(gap) == "at":
        told = f"{formats.sentence(formats.of_all(len(order), len(order)))} are at their {window}-day average"
    return Section(
        key="distance",
        nav="Distance",
        finding=told,
        subtitle=f"Bar: distance of the last close from the {window}-day average."
        + (" Diamond: from the 30-day average." if window > 30 else ""),
        alt=f"Bars from {coins.name(top)} {formats.percent(order[window].iloc[0], 0)} "
        f"to {coins.name(bottom)} {formats.percent(order[window].iloc[-1], 0)}.",
        figure=figure,
        table=html_tables.table(
            "Last close against its averages",
            ["Coin", *(f"{days} days" for days in WINDOWS)],
            [
                [
                    html_tables.name_cell(coins.name(str(coin_id)), coins.symbol(str(coin_id))),
                    *(html_tables.cell(html_tables.change(row[days])) for days in WINDOWS),
                ]
                for coin_id, row in order.iterrows()
            ],
        ),
        wide=False,
        query=distance_query(coins, window),
        tables=OF_AVERAGES,
    )


def distance_query(coins: Universe, window: int) -> str:
    """The SQL of the distances: series, coin (a symbol), value, for coins that have the longest average."""
    newest = (
        "WITH newest AS (\n  SELECT coin_id, max(date) AS date FROM aggregated_data.price_averages_daily\n"
        f"  WHERE vs_currency = '{coins.unit}' GROUP BY coin_id\n)\n"
    )
    parts = [
        f"SELECT '{days} days' AS series, coin.symbol AS coin, own.close / own.average_{days}d - 1 AS value\n"
        "FROM newest JOIN aggregated_data.price_averages_daily AS own\n"
        f"  ON own.coin_id = newest.coin_id AND own.date = newest.date AND own.vs_currency = '{coins.unit}'\n"
        "JOIN aggregated_data.dim_coin AS coin ON coin.coin_id = own.coin_id AND coin.is_current\n"
        f"WHERE own.average_{days}d > 0 AND own.average_{window}d > 0\n"
        f"  AND {frames.among(coins.ids, 'own.coin_id')}"
        for days in dict.fromkeys((window, min(30, window)))
    ]
    return newest + queries.together(*parts)


def panels(coins: Universe, averages: pd.DataFrame, vs_currency: str) -> Section:
    """Small charts of the next largest coins that move: close, 30-day and 200-day average."""
    moving = [
        coin_id for coin_id in coins.ids if coin_id != coins.leaders[0] and coins.closes[coin_id].notna().sum() > 1
    ][:PANELS]
    if len(moving) < 2:
        return missing("coins", "Coins", "It needs two more coins with days of closes.")
    gaps = distances(coins, averages)
    own = newest_rows(coins, averages)
    window = max((days for days in (30, 200) if gaps.loc[moving, days].notna().any()), default=None)
    traces: list[charts.Trace] = []
    axes: dict[str, Any] = {}
    titles = []
    rows = (len(moving) + 1) // 2
    for place, coin_id in enumerate(moving):
        row, column = divmod(place, 2)
        number = "" if place == 0 else str(place + 1)
        lines = [charts.line(coins.closes[coin_id], style.SOFT, "Close", line={"width": 1.2})]
        for days, colour in ((30, style.ORANGE), (200, style.INK)):
            values = coins.wide(averages, f"average_{days}d")[coin_id]
            if values.notna().any():
                lines.append(charts.line(values, colour, f"{days} days", line={"width": 1.8}))
        place_of = {"xaxis": f"x{number}", "yaxis": f"y{number}", "meta": charts.words(coins.name(coin_id))}
        traces += [line | place_of for line in lines]
        known = [value for line in lines for value in line["y"] if value is not None]
        room = 0.06 * (max(known) - min(known))
        top = 1 - row / rows
        left = 0.61 * column
        axes[f"xaxis{number}"] = style.DAY_AXIS | {
            "domain": charts.numbers([left, left + 0.39]),
            "anchor": f"y{number}",
            "nticks": 4,
            "range": charts.days([coins.start, coins.newest]),
            "tickformatstops": [
                {"dtickrange": [None, "M1"], "value": "%-d %b"},
                {"dtickrange": ["M1", None], "value": "%b"},
            ],
        }
        axes[f"yaxis{number}"] = {
            "domain": charts.numbers([top - 0.88 / rows, top - 0.12 / rows]),
            "anchor": f"x{number}",
            "range": charts.numbers([min(known) - room, max(known) + room]),
            **charts.money_axis(vs_currency, min(known) - room, max(known) + room, 3),
        }
        titles.append(
            {
                "name": "title",
                "text": charts.words(coins.name(coin_id)),
                "x": charts.rounded(left + 0.195),
                "xref": "paper",
                "xanchor": "center",
                "y": charts.rounded(top - 0.1 / rows),
                "yref": "paper",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 12.5, "color": style.INK},
            }
        )
    figure = {
        "data": traces,
        "layout": style.layout(
            **axes,
            height=max(charts.bars_height(len(gaps)), 170 * rows),
            margin={"l": 50, "r": 10, "t": 0, "b": 4},
            annotations=titles,
            meta={"phone_rows": True},
        ),
    }
    return Section(
        key="coins",
        nav="Coins",
        finding=_above(coins, gaps, moving, window),
        subtitle="Close (grey), 30-day (orange) and 200-day average (strong). Each panel has its own scale.",
        alt="Small charts: "
        + ", ".join(
            f"{coins.name(coin_id)} {formats.money(gaps['close'][coin_id], vs_currency)}" for coin_id in moving
        )
        + ".",
        figure=figure,
        table=html_tables.table(
            f"Last close and averages, {vs_currency.upper()}",
            ["Coin", "Close", "30 d", "200 d"],
            [
                [
                    html_tables.name_cell(coins.name(coin_id), coins.symbol(coin_id)),
                    *(
                        html_tables.cell(formats.money(own[column][coin_id], vs_currency))
                        for column in ("close", "average_30d", "average_200d")
                    ),
                ]
                for coin_id in moving
            ],
        ),
        wide=False,
        query=queries.columns(
            coins,
            "price_averages_daily",
            moving,
            {"Close": "close", "30 days": "average_30d", "200 days": "average_200d"},
        ),
        tables=OF_AVERAGES,
    )


def four_averages(coins: Universe, averages: pd.DataFrame, vs_currency: str) -> Section:
    """Every coin's four averages, and a mark for each: above or below."""
    gaps = distances(coins, averages)
    if gaps.empty:
        return missing("table", "Table", "It needs a day of closes.")
    own, lines = newest_rows(coins, averages), coins.wide(averages, "average_30d")
    rows = []
    for coin_id, row in gaps.iterrows():
        rows.append(
            [
                html_tables.name_cell(coins.name(str(coin_id)), coins.symbol(str(coin_id))),
                html_tables.cell(_marks(row), "marks"),
                html_tables.cell(html_tables.change(row[200])),
                html_tables.cell(formats.money(row["close"], vs_currency)),
                *(
                    html_tables.cell(formats.money(own[f"average_{days}d"][str(coin_id)], vs_currency))
                    for days in reversed(WINDOWS)
                ),
                html_tables.cell(html_tables.sparkline(lines[coin_id].tail(90)), "spark-cell"),
            ]
        )
    complete = gaps.dropna()
    sides = complete[list(WINDOWS)].map(_side)
    over = [coins.name(coin_id) for coin_id in complete.index[(sides == "above").all(axis=1)]]
    under, at = int((sides == "below").all(axis=1).sum()), int((sides == "at").all(axis=1).sum())
    if complete.empty:
        finding = "No coin has 200 days of history yet"
    elif len(complete) == 1:
        where = (
            "above all four"
            if over
            else "below all four"
            if under
            else "at all four"
            if at
            else "between the four"
        )
        finding = f"{coins.name(str(complete.index[0]))} stands {where} averages"
    elif at == len(complete):
        finding = f"{formats.sentence(formats.of_all(at, at))} are at their averages"
    elif over:
        finding = formats.fitting(
            f"{formats.counted(len(over), 'coin')} above all four averages: {formats.listed(over, 3)}",
            f"{formats.counted(len(over), 'coin')} above all four averages, {under} below",
        )
    else:
        are = "is" if under == 1 else "are"
        below = f"; {formats.of_all(under, len(complete))} {are} below" if under else ", and none below"
        finding = f"No coin is above all four averages{below}"
    return Section(
        key="table",
        nav="Table",
        finding=finding,
        subtitle="▲ close above, ▽ below, = at the 7, 30, 90 and 200-day average, in this order; "
        "· where a coin is too young.",
        table=html_tables.table(
            f"Average prices in {vs_currency.upper()}, {formats.day(coins.newest)}",
            ["Coin", "7 30 90 200", "to 200 d", "Close", "200 d", "90 d", "30 d", "7 d", "30 d average"],
            rows,
        ),
    )


def currencies(coins: Universe, monthly: pd.DataFrame, vs_currency: str, simulated: bool = False) -> Section:
    """Average price per month in each currency that gold has, one tab each."""
    monthly = monthly[monthly["coin_id"].isin(coins.ids[:TABLE_COINS])]
    codes = _currencies(monthly, vs_currency)[:4]
    if not codes:
        return missing("currencies", "Currencies", "It needs a month of closes.")
    columns = sorted(monthly["month"].unique())[-TABLE_MONTHS:]
    monthly = monthly[monthly["month"].isin(columns)]
    first = coins.leaders[0]
    changes = {}
    for code in codes:
        own = monthly[(monthly["coin_id"] == first) & (monthly["vs_currency"] == code)]
        if len(own) > 1:
            changes[code] = own["average"].iloc[-1] / own["average"].iloc[0] - 1
    tabs = Markup("").join(
        Markup(
            '<input type="radio" name="currency" id="currency-{0}"{1}><label for="currency-{0}">{2}</label>'
        ).format(code, Markup(" checked") if code == codes[0] else "", code.upper())
        for code in codes
    )
    pages = Markup("").join(_month_table(coins, monthly, code, columns[::-1]) for code in codes)
    newest = monthly[monthly["month"] == columns[-1]]
    covered = int(newest["days"].max())
    partial = (
        ""
        if newest["is_complete"].any()
        else f" {pd.Timestamp(columns[-1]):%B} covers {formats.counted(covered, 'day')}."
    )
    bank = "simulated reference rates" if simulated else "the reference rates of the European Central Bank"
    choice = f" Choose the currency; the others are through {bank}." if len(codes) > 1 else ""
    months = " to ".join(f"{pd.Timestamp(month):%B %Y}" for month in (columns[0], columns[-1]))
    since = f", in the headline from {months}" if changes else ""
    return Section(
        key="currencies",
        nav="Currencies",
        finding=in_currencies(coins.name(first), changes),
        subtitle=f"Average price per month{since}.{choice}{partial}",
        table=Markup('<div class="tabs">{}{}</div>').format(tabs, pages),
    )


def in_currencies(name: str, changes: dict[str, float]) -> str:
    """How a price moved in each currency: one verb when all agree, signs when they do not."""
    if not changes:
        return f"{name}: one month of averages so far"
    words = [CURRENCY_WORDS.get(code, code.upper()) for code in changes]
    verbs = {formats.direction(change, "rose", "fell", "did not move") for change in changes.values()}
    agree = len(verbs) == 1 and verbs != {"did not move"}
    told = [
        f"{formats.percent(abs(change) if agree else change, 1, sign=not agree)} in {word}"
        for word, change in zip(words, changes.values(), strict=True)
    ]
    if verbs == {"did not move"}:
        return f"{name}’s monthly average did not move"
    verb = verbs.pop() if agree else "moved"
    return formats.fitting(
        *(f"{name}’s monthly average {verb} {formats.listed(told, most)}" for most in (4, 2)), most=90
    )


def weeks(coins: Universe, candles: pd.DataFrame, vs_currency: str, since: pd.Timestamp | None) -> Section:
    """The first leader's weeks as candles, those that begin `since` a day or all."""
    first = coins.leaders[0] if coins.leaders else ""
    own = candles[candles["coin_id"] == first]
    if since is not None:
        own = own[own["week"] >= since]
    if len(own) < 2:
        return missing("weeks", "Weeks", "It needs two weeks of closes.")
    # A week that lacks a day is drawn, but not judged.
    judged = own[own["is_complete"].astype(bool)]
    sides = [
        _side(close / open_ - 1 if open_ else 0.0)
        for open_, close in zip(judged["open"], judged["close"], strict=True)
    ]
    higher, lower = sides.count("above"), sides.count("below")
    return Section(
        key="weeks",
        nav="Weeks",
        finding=weeks_closed(coins.name(first), len(judged), higher, lower),
        subtitle="One candle per ISO week, from the close of the week before: blue closed higher, orange lower. "
        "Only complete weeks are counted; pale: a week that lacks days.",
        alt=f"Candles from {formats.day(own['week'].iloc[0])} to {formats.day(own['week'].iloc[-1])}, last close "
        f"{formats.money(own['close'].iloc[-1], vs_currency)}.",
        figure=_candle_figure(own, "week", coins.name(first), vs_currency),
        table=_candle_table(own.tail(12), "week", "The last 12 weeks", vs_currency),
        query=queries.weeks(coins, first, own),
        tables=("candle_weekly", "dim_coin"),
    )


def weeks_closed(name: str, total: int, higher: int, lower: int) -> str:
    """How many of the complete weeks closed higher or lower."""
    if not total:
        return f"No week of {name} is complete yet"
    number, word = (higher, "higher") if higher >= lower else (lower, "lower")
    if not number:
        return f"{formats.sentence(formats.of_all(total, total, 'complete week'))} closed unchanged for {name}"
    return f"{formats.sentence(formats.of_all(number, total, 'complete week'))} closed {word} for {name}"


def _candle_figure(frame: pd.DataFrame, dates: str, name: str, vs_currency: str) -> charts.Figure:
    low, high = frame["low"].min(), frame["high"].max()
    room = 0.06 * (high - low) or high * 0.02
    step = frame[dates].diff().median()
    is_whole = frame["is_complete"].astype(bool)
    edges = [frame[dates].iloc[0] - step, frame[dates].iloc[-1] + step]
    axis: dict[str, Any] = {"range": charts.days(edges), "rangeslider": {"visible": False}}
    if (edges[1] - edges[0]).days <= 8:
        axis["dtick"] = 86_400_000
    return {
        "data": [
            charts.candles(part, dates, name if whole else f"{name}, not complete", 1.0 if whole else 0.45)
            for whole, part in ((True, frame[is_whole]), (False, frame[~is_whole]))
            if len(part)
        ],
        "layout": style.layout(
            height=360,
            margin={"l": 56, "r": 14, "t": 8, "b": 44},
            xaxis=style.DAY_AXIS | axis,
            yaxis={
                "title": {"text": vs_currency.upper()},
                "range": charts.numbers([low - room, high + room]),
                **charts.money_axis(vs_currency, low - room, high + room),
            },
        ),
    }


def _candle_table(frame: pd.DataFrame, dates: str, caption: str, vs_currency: str) -> Markup:
    return html_tables.table(
        f"{caption}, {vs_currency.upper()}",
        ["From" if dates == "week" else "Day", "Open", "High", "Low", "Close", "Prices"],
        [
            [
                html_tables.name_cell(formats.day(row[dates])),
                *(
                    html_tables.cell(formats.money(row[name], vs_currency))
                    for name in ("open", "high", "low", "close")
                ),
                html_tables.cell(formats.count(row["samples"])),
            ]
            for _, row in frame.iterrows()
        ],
    )


def _month_table(coins: Universe, monthly: pd.DataFrame, code: str, columns: Sequence[pd.Timestamp]) -> Markup:
    own = monthly[monthly["vs_currency"] == code].pivot(index="coin_id", columns="month", values="average")
    own = own.reindex(columns=list(columns))
    return html_tables.table(
        f"Mean of the month’s closes in {code.upper()}",
        ["Coin", *universe.month_headers(columns)],
        [
            [
                html_tables.name_cell(coins.name(coin_id), coins.symbol(coin_id)),
                *(
                    html_tables.cell(formats.money(value, code).replace("CHF\u00a0", ""))
                    for value in own.T[coin_id]
                ),
            ]
            for coin_id in coins.ids
            if coin_id in own.index
        ],
    )


def _currencies(monthly: pd.DataFrame, vs_currency: str) -> list[str]:
    """The report's currency first, then the others in the order of the alphabet, euro first."""
    known = sorted(set(monthly["vs_currency"]), key=lambda code: (code != vs_currency, code != "eur", code))
    return known if vs_currency in known else []


def _above(coins: Universe, gaps: pd.DataFrame, moving: Sequence[str], window: int | None) -> str:
    if window is None:
        return f"{formats.listed([coins.symbol(coin_id) for coin_id in moving], 6)}: too young for an average"
    known = gaps.loc[list(moving), window].dropna()
    above = [coins.symbol(coin_id) for coin_id in known.index if _side(known[coin_id]) == "above"]
    number = formats.sentence(formats.of_all(len(above), len(known), "large coin"))
    verb = "stands" if len(above) <= 1 else "stand"
    names = f": {formats.listed(above, 6)}" if 0 < len(above) < len(known) else ""
    return f"{number} {verb} above the {window}-day line{names}"


def _marks(row: pd.Series) -> Markup:
    words = {"▲": "above", "▽": "below", "=": "at", "·": "unknown"}
    signs = {word: mark for mark, word in words.items()}
    marks = ["·" if pd.isna(row[window]) else signs[_side(row[window])] for window in WINDOWS]
    spoken = ", ".join(f"{window} days: {words[mark]}" for window, mark in zip(WINDOWS, marks, strict=True))
    return Markup('<span role="img" aria-label="{}">{}</span>').format(spoken, "".join(marks))


def _side(gap: float) -> str:
    """above, below, or at where the distance is shown as 0.0%."""
    return formats.direction(gap, "above", "below", "at")


def _where(gap: float) -> str:
    word = _side(gap)
    return word if word == "at" else f"{formats.about(abs(gap), sign=False)} {word}"


def _stance(gap: float) -> str:
    """What a distance from an average is called: beyond a quarter it is much."""
    if gap >= 0:
        return "is stretched" if gap > 0.25 else "stands out"
    return "has sunk" if gap < -0.25 else "lags"


def _so_far(month: pd.Series) -> str:
    """A month, and how many of its days there are when it lacks some."""
    whole = "" if month["is_complete"] else f", {formats.counted(int(month['days']), 'day')}"
    return f"{month['month']:%B}{whole}"
