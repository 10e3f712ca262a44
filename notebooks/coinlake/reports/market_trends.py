"""Market trends: who leads, who fell how far, how calm it is, and whether the coins move together."""

import math
from datetime import datetime

import pandas as pd
from markupsafe import Markup

from coinlake import schema
from coinlake.lakehouse import Lakehouse
from coinlake.reports.data import Frames, Universe, frames, freshness, queries, universe
from coinlake.reports.page import Card, Report, Section, attempt, charts, formats, html_tables, missing, style

NAME = "market_trends"
TITLE = "Market trends"
NOTEBOOK = "07_report_market_trends"
MATRIX_COINS = 10
TABLES = (
    "market_trends_daily",
    "market_daily",
    "coin_monthly",
    "correlation_90d",
    "dim_coin",
    "market_now",
    "api_usage",
)
OF_TRENDS = ("market_trends_daily", "dim_coin")
INDEX_LIMITS = (2.0, 5000.0)  # beyond 98 % down or fifty times up, a line may leave the chart
SEASON_YEARS = 3  # below, a month is one case or two
MONTH = 31  # days that show what changed in 30
FULL_MONTH = 0.6  # a monthly change that gets the full colour
MOODS = {
    "Extreme Fear": (style.ORANGE, 1.0),
    "Fear": (style.ORANGE, 0.5),
    "Neutral": (style.MUTE, 0.8),
    "Greed": (style.BLUE, 0.5),
    "Extreme Greed": (style.BLUE, 1.0),
}


def read(lake: Lakehouse, vs_currency: str = "usd", top_coins: int = 25) -> Frames:
    """The gold frames of this report, by table name, and `coins`: the largest coins that still trade."""
    gold = frames.Gold(lake, vs_currency)
    newest = gold.newest_day()
    coins = gold.largest_coins(newest, top_coins)
    of_these = frames.among(coins["coin_id"].tolist())
    return gold.origin() | {
        "coins": coins,
        "market_trends_daily": gold.rows(schema.MARKET_TRENDS_DAILY, of_these, frames.since(newest)),
        "market_daily": gold.rows(schema.MARKET_DAILY, frames.since(newest)),
        "coin_monthly": gold.rows(schema.COIN_MONTHLY, of_these),
        "correlation_90d": gold.rows(schema.CORRELATION_90D),
    }


def build(gold: Frames, *, built_at: datetime, vs_currency: str = "usd", run_id: str = "") -> Report:
    """The report from its frames; `built_at` is the UTC instant that the page names as its making."""
    report = _over(gold, None, built_at, vs_currency, run_id)
    days = len(gold["market_trends_daily"]["date"].unique())
    report.ranges = {
        range_: _over(gold, range_, built_at, vs_currency, run_id) for range_ in universe.RANGES if range_ < days
    }
    return report


def _over(gold: Frames, days: int | None, built_at: datetime, vs_currency: str, run_id: str) -> Report:
    """The report over the last days, with the sections that look back on them; over the whole period, with all."""
    trends = gold["market_trends_daily"]
    coins = Universe(gold["coins"], trends, vs_currency, days)
    source = freshness.origin(gold["api_usage"])
    market = coins.within(gold["market_daily"]).set_index("date")
    report = Report(
        name=NAME,
        title=universe.page_title(TITLE, source),
        origin=source,
        kicker=universe.kicker(TITLE, source, coins),
        headline=attempt(TITLE, headline, coins),
        lead=attempt("", lead, coins, trends, market),
        banner=universe.banner(gold, source, coins, "market_trends_daily", built_at),
        cards=attempt([], cards, coins, trends, market, vs_currency),
        sources=universe.sources(gold, source, TABLES, run_id, NOTEBOOK),
        built_at=built_at,
        now=attempt("", universe.now_line, coins),
        versions=freshness.versions(gold["freshness"]),
    )
    mood = "" if source == "simulated" else "Index: alternative.me Crypto Fear & Greed Index."
    report.attempt("performance", "Performance", performance, coins)
    report.attempt("ranking", "Ranking", ranking, coins, vs_currency)
    report.attempt("drawdown", "Drawdown", drawdown, coins)
    report.attempt("breadth", "Breadth", breadth, coins, trends)
    report.attempt("volatility", "Volatility", volatility, coins, trends)
    report.attempt("sentiment", "Sentiment", sentiment, coins, market, vs_currency, mood)
    if days is None:
        report.attempt("months", "Months", months, coins, gold["coin_monthly"], vs_currency)
        report.attempt("correlation", "Correlation", correlation, coins, gold["correlation_90d"])
        report.attempt("movers", "Movers", movers, coins, trends, vs_currency)
        report.attempt("apart", "Pegged", apart, coins, trends, vs_currency)
    report.attempt("dominance", "Dominance", dominance, coins, trends, market)
    if days is None:
        report.attempt("seasons", "Seasons", seasons, coins, gold["coin_monthly"], vs_currency)
    return report


def headline(coins: Universe) -> str:
    """Who gained most, and how many coins are higher or lower than at the start."""
    returns = coins.returns
    if returns.empty:
        return "No two days of prices yet: there is no trend to report"
    best, start, total = returns.index[0], formats.day(coins.start), len(returns)
    if total == 1:
        return formats.fitting(*(f"{name(best)} {_moved(returns[best])} since {start}" for name in coins.calls))
    lower, higher = _lower_and_higher(returns)
    number, word = (higher, "higher") if higher > lower else (lower, "lower")
    if not number:
        return f"{formats.sentence(formats.of_all(total, total))} cost what they did on {start}"
    are = "is" if number == 1 else "are"
    rest = f"{formats.of_all(number, total)} {are} {word} than on {start}"
    return formats.fitting(*(f"{name(best)} {_most(returns[best], best=True)}; {rest}" for name in coins.calls))


def lead(coins: Universe, trends: pd.DataFrame, market: pd.DataFrame) -> str:
    """Two sentences: the first leader against the median coin, then breadth and mood."""
    if coins.returns.empty:
        return "Once gold holds two days of closes, this page fills itself."
    first, returns = coins.leaders[0], coins.returns
    sentences = []
    if first in returns:
        middle = coins.median_return
        against = "" if middle is None else f", the median coin {_is_up(middle, verb='')}"
        if against and _is_up(middle or 0.0) == _is_up(returns[first]):
            against = ", and so is the median coin"
        moved = f"{coins.name(first)} {_is_up(returns[first])} since {formats.day(coins.start)}"
        sentences.append(f"{moved}{against}.")
    above = above_average(coins, trends).dropna(how="all")
    mood = market[["fear_greed_value", "fear_greed_classification"]].dropna()
    parts = []
    if len(above) and above.iloc[-1].notna().sum() > 1:
        number, total = int(above.iloc[-1].sum()), int(above.iloc[-1].notna().sum())
        trade = "trades above its" if number <= 1 else "trade above their"
        parts.append(f"{formats.of_all(number, total)} {trade} own 50-day average")
    if len(mood):
        value, label = mood.iloc[-1]
        parts.append(f"the mood index of {formats.day(mood.index[-1])} is {value:.0f} ({str(label).lower()})")
    if parts:
        sentences.append(f"{formats.sentence(', and '.join(parts))}.")
    return " ".join(sentences)


def above_average(coins: Universe, trends: pd.DataFrame) -> pd.DataFrame:
    """Whether each coin closed above its own 50-day average: dates × coins, 1, 0, or NaN where it has none."""
    return coins.wide(trends, "above_average_50d")


def cards(coins: Universe, trends: pd.DataFrame, market: pd.DataFrame, vs_currency: str) -> list[Card]:
    """Both leaders, the median coin, breadth and mood; what is not known is left out.

    A sparkline spans what the note below it says.
    """
    if coins.returns.empty:
        return []
    month_return = coins.wide(trends, "return_30d")
    made = [
        Card(
            coins.name(coin_id),
            formats.money(coins.closes[coin_id].ffill().iloc[-1], vs_currency),
            _in_30_days(month_return[coin_id].iloc[-1]),
            html_tables.sparkline(coins.closes[coin_id].tail(MONTH)),
        )
        for coin_id in coins.leaders
    ]
    if coins.median_return is not None:
        made.append(
            Card(
                "Median coin",
                formats.percent(coins.median_return),
                f"since {formats.day(coins.start)}",
                html_tables.sparkline(coins.median(coins.index)),
            )
        )
    above = above_average(coins, trends).dropna(how="all").tail(MONTH)
    if len(above) and above.iloc[-1].notna().sum() > 1:
        shares = above.mean(axis=1)
        number, total = int(above.iloc[-1].sum()), int(above.iloc[-1].notna().sum())
        note = f"{formats.percent(shares.iloc[0], 0, sign=False)} a month before" if len(above) == MONTH else ""
        made.append(Card("Above 50-day average", f"{number} of {total}", note, html_tables.sparkline(shares)))
    mood = market[["fear_greed_value", "fear_greed_classification"]].dropna().tail(MONTH)
    if len(mood):
        value, label = mood.iloc[-1]
        values = mood["fear_greed_value"]
        note = f"{label}, {formats.day(mood.index[-1])}"
        made.append(Card("Fear & Greed", f"{value:.0f}", note, html_tables.sparkline(values, neutral=True)))
    return made


def performance(coins: Universe) -> Section:
    """Every coin from 100 on a log axis: the leaders, the median, the best and the worst in colour."""
    returns = coins.returns
    if returns.empty:
        return missing("performance", "Performance", "It needs two days of closes.")
    median = coins.median(coins.index)
    coloured = dict(coins.colours)
    for coin_id, colour in ((returns.index[0], style.GREEN), (returns.index[-1], style.PINK)):
        coloured.setdefault(coin_id, colour)
    grey = [coin_id for coin_id in coins.closes if coin_id not in coloured]
    # Every fifth day of the background, up to the last one, is enough for its shape.
    every = 5 if len(coins.index) > MONTH else 1
    traces = [charts.line(coins.index[coin_id][::-every][::-1], style.MUTE, opacity=0.4) for coin_id in grey]
    ends = []
    for coin_id, colour in coloured.items():
        ends.append((len(traces), coins.symbol(coin_id)))
        traces.append(charts.line(coins.index[coin_id], colour, coins.name(coin_id)))
    if len(median):
        ends.append((len(traces), "median"))
        traces.append(charts.line(median, style.INK, "Median coin", line={"dash": "dot"}))
    figure = charts.over_time(
        traces,
        ends,
        y_title=f"{formats.day(coins.start)} = 100, log scale",
        log=True,
        limits=INDEX_LIMITS,
        height=430,
        shapes=[charts.level(100)],
        yaxis={"hoverformat": ",.1f"},
    )
    newer = len(coins) - len(returns)
    table = html_tables.table(
        "Index at the end of each month, first day of the period = 100",
        ["Month", *(coins.symbol(coin_id) for coin_id in coloured), *(["Median"] if len(median) else [])],
        [
            [
                html_tables.name_cell(formats.month(date)),
                *(html_tables.cell(formats.ratio(value, 1)) for value in row),
            ]
            for date, row in universe.month_ends(_beside(coins.index[list(coloured)], median))
        ],
    )
    ends_at = {coin_id: coins.index[coin_id].ffill().iloc[-1] for coin_id in coloured}
    shown = [f"{coins.name(coin_id)} {formats.ratio(value, 0)}" for coin_id, value in ends_at.items()]
    if len(median):
        shown.append(f"median {formats.ratio(median.iloc[-1], 0)}")
    return Section(
        key="performance",
        nav="Performance",
        finding=against_median(coins),
        subtitle="All coins start at 100; one step up is the same percentage anywhere on the log axis. "
        + ("Grey: the other coins." if grey else "")
        + (f" {formats.counted(newer, 'newer coin')} start{'s' if newer == 1 else ''} later." if newer else ""),
        alt=f"Lines from {formats.day(coins.start)} = 100 to {formats.day(coins.newest)}: {', '.join(shown)}.",
        figure=figure,
        table=table,
        query=queries.of_coins(coins, list(coloured), queries.INDEX, median=len(median) > 0),
        tables=OF_TRENDS,
    )


def against_median(coins: Universe) -> str:
    """How the leaders did against the median coin; five points apart count as a difference."""
    middle = coins.median_return
    known = [coin_id for coin_id in coins.leaders if coin_id in coins.returns]
    if middle is None or not known:
        told = known or list(coins.returns.index[:1])
        return formats.listed([f"{coins.name(coin_id)} {_moved(coins.returns[coin_id])}" for coin_id in told])
    gaps = {coin_id: coins.returns[coin_id] - middle for coin_id in known}
    ahead = [coins.name(coin_id) for coin_id, gap in gaps.items() if gap > 0.05]
    behind = [coins.name(coin_id) for coin_id, gap in gaps.items() if gap < -0.05]
    median = f"the median coin, which {_moved(middle)}"
    if ahead and behind:
        return f"{ahead[0]} beat the median coin ({formats.about(middle)}), {behind[0]} did not"
    if ahead or behind:
        return f"{formats.listed(ahead or behind)} did {'better' if ahead else 'worse'} than {median}"
    return f"{formats.listed([coins.name(coin_id) for coin_id in known])} kept within 5 points of {median}"


def ranking(coins: Universe, vs_currency: str) -> Section:
    """Each coin's change over the period, highest first."""
    returns = coins.returns
    if len(returns) < 2:
        return missing("ranking", "Ranking", "It needs two coins with two days of closes.")
    lost, gained = _lower_and_higher(returns)
    total = len(returns)
    best, worst = returns.index[0], returns.index[-1]
    lost_most = f"{coins.name(worst)} {_moved(returns.iloc[-1])}"
    led = f"{coins.name(best)} {_moved(returns.iloc[0])}"
    if gained == 0:
        finding = f"No coin gained; {lost_most if lost else 'none lost'}"
    elif gained == total:
        finding = f"{formats.sentence(formats.of_all(gained, total))} gained; {led}"
    elif gained * 3 <= total:
        told = lost_most if lost else led
        finding = f"Only {gained} of {total} coins gained; {told}"
    else:
        finding = f"{gained} of {total} coins gained; {lost_most if lost and gained * 2 <= total else led}"
    figure = charts.diverging_bars(
        [coins.symbol(coin_id) for coin_id in returns.index],
        returns.tolist(),
        name="change",
        x_title="change since the start",
        texts=[formats.percent(value, 0) for value in returns],
    )
    table = html_tables.table(
        f"Change in {vs_currency.upper()}, {coins.period}",
        ["Coin", "First close", "Last close", "Change"],
        [
            [
                html_tables.name_cell(coins.name(coin_id), coins.symbol(coin_id)),
                html_tables.cell(formats.money(coins.closes[coin_id].iloc[0], vs_currency)),
                html_tables.cell(formats.money(coins.closes[coin_id].ffill().iloc[-1], vs_currency)),
                html_tables.cell(html_tables.change(value)),
            ]
            for coin_id, value in zip(returns.index, returns, strict=True)
        ],
    )
    return Section(
        key="ranking",
        nav="Ranking",
        finding=finding,
        subtitle=f"Change in {vs_currency.upper()}, {coins.period}.",
        alt=f"Bars from {coins.name(best)} {formats.percent(returns.iloc[0], 0)} "
        f"to {coins.name(worst)} {formats.percent(returns.iloc[-1], 0)}.",
        figure=figure,
        table=table,
        query=ranking_query(coins),
        tables=OF_TRENDS,
        wide=False,
    )


def ranking_query(coins: Universe) -> str:
    """The SQL of the ranking: series, coin (a symbol), value."""
    return (
        "SELECT 'change' AS series, coin.symbol AS coin,\n"
        "  max_by(own.close, own.date) / min_by(own.close, own.date) - 1 AS value\n"
        "FROM aggregated_data.market_trends_daily AS own\n"
        "JOIN aggregated_data.dim_coin AS coin ON coin.coin_id = own.coin_id AND coin.is_current\n"
        f"WHERE own.vs_currency = '{coins.unit}' AND {queries.period(coins, 'own.date')}\n"
        f"  AND {frames.among(coins.ids, 'own.coin_id')}\n"
        f"GROUP BY coin.symbol, own.coin_id HAVING min(own.date) = DATE '{coins.start:%Y-%m-%d}'\nORDER BY 1, 2"
    )


def drawdown(coins: Universe) -> Section:
    """How far the leaders and the median coin stand below their highest close of the period."""
    if len(coins.closes) < 2:
        return missing("drawdown", "Drawdown", "It needs two days of closes.")
    peaks = coins.closes.cummax()
    values = coins.closes / peaks.where(peaks > 0) - 1
    median = coins.median(values)
    leaders = [coin_id for coin_id in coins.leaders if values[coin_id].notna().any()]
    traces = [charts.line(values[coin_id], coins.colours[coin_id], coins.name(coin_id)) for coin_id in leaders]
    ends = [(i, coins.symbol(coin_id)) for i, coin_id in enumerate(leaders)]
    if len(median):
        ends.append((len(traces), "median"))
        traces.append(charts.line(median, style.INK, "Median coin", line={"dash": "dot"}))
    deepest = min(leaders, key=lambda coin_id: (values[coin_id].min(), coin_id), default="")
    lowest = values[deepest].min() if deepest else 0.0
    notes = []
    if lowest < -0.05:
        when = pd.Timestamp(values[deepest].idxmin())
        text = f"{coins.symbol(deepest)} {formats.percent(lowest, 0)}<br>{formats.day(when)}"
        colour = coins.colours[deepest]
        notes = [charts.note(text, when, lowest, above=False, until=values.index[-1], colour=colour)]
    floor = min([0.0, *(float(values[coin_id].min()) for coin_id in leaders), *median.dropna().tail(365)])
    figure = charts.over_time(
        traces,
        ends,
        y_title=f"below the highest close since {formats.day(coins.start)}",
        y_range=(min(floor * 1.3, -0.05), 0.0),
        height=charts.bars_height(len(coins.returns)),
        notes=notes,
        shapes=[charts.level(0)],
        yaxis={"tickformat": ".0%", "hoverformat": ".1%"},
    )
    now = values.ffill().iloc[-1]
    table = html_tables.table(
        f"Distance from the highest close since {formats.day(coins.start)}",
        ["Coin", "Now", "Deepest", "On"],
        [
            [
                html_tables.name_cell(coins.name(coin_id), coins.symbol(coin_id)),
                html_tables.cell(formats.percent(now[coin_id])),
                html_tables.cell(formats.percent(values[coin_id].min())),
                html_tables.cell(formats.day(pd.Timestamp(values[coin_id].idxmin()))),
            ]
            for coin_id in values.columns
            if values[coin_id].notna().any()
        ],
    )
    named = {coins.name(coin_id): now[coin_id] for coin_id in leaders[:1]}
    if len(median):
        named = {"the median coin": median.iloc[-1], **named}
    return Section(
        key="drawdown",
        nav="Drawdown",
        finding=formats.sentence(below_high(named, formats.day(coins.start))),
        subtitle="Distance from the highest close since that day, or since a coin’s first one.",
        alt="Lines at or below zero: "
        + ", ".join(f"{name} {formats.percent(value, 0)}" for name, value in named.items())
        + f" on {formats.day(coins.newest)}.",
        figure=figure,
        table=table,
        query=queries.of_coins(coins, leaders, queries.DRAWDOWN, median=len(median) > 0),
        tables=OF_TRENDS,
        wide=False,
    )


def below_high(now: dict[str, float], since: str) -> str:
    """Where one coin or two stand against their highest close since a day: name -> fraction, 0 or less."""
    low = {name: value for name, value in now.items() if value <= -0.0005}
    if not low:
        closes = "its highest close" if len(now) == 1 else "their highest closes"
        return f"{formats.listed(list(now))} {'is' if len(now) == 1 else 'are'} at {closes} since {since}"
    (first, deep), *others = [(name, formats.about(-value, sign=False)) for name, value in low.items()]
    also = [*(f", {name} {text}" for name, text in others), *(f", {name} at its own" for name in now.keys() - low)]
    return f"{first} is {deep} below its highest close since {since}" + "".join(also)


def breadth(coins: Universe, trends: pd.DataFrame) -> Section:
    """The share of coins above their own 50-day average."""
    above = above_average(coins, trends)
    share, total = above.mean(axis=1), above.notna().sum(axis=1)
    known = share[total > 1].dropna()
    if len(known) < 2:
        return missing("breadth", "Breadth", "It needs two coins with more than 50 days of history.")
    share = known.asfreq("D")
    last = known.iloc[-1]
    # The turning point is the last day at the extreme that lies farther from today's value.
    extreme = known.max() if known.max() - last >= last - known.min() else known.min()
    turned = known[known == extreme].index[-1]
    then, now = (formats.percent(value, 0, sign=False) for value in (extreme, last))
    if then == now:
        finding = f"Breadth stayed at {now}"
    else:
        finding = f"Breadth {'fell' if last < extreme else 'rose'} from {then} on {formats.day(turned)} to {now}"
    trace = charts.line(share, style.BLUE, "Share of coins", fill="tozeroy", fillcolor="rgba(0,114,178,0.15)")
    figure = charts.over_time(
        [trace],
        [(0, formats.percent(last, 0, sign=False))],
        y_title="share of coins",
        y_range=(0.0, 1.0),
        height=330,
        shapes=[charts.level(0.5, dash="dash")],
        yaxis={"tickformat": ".0%", "hoverformat": ".0%"},
    )
    table = html_tables.table(
        "At the end of each month",
        ["Month", "Coins", "Above their 50-day average"],
        [
            [
                html_tables.name_cell(formats.month(date)),
                html_tables.cell(formats.count(row[0])),
                html_tables.cell(formats.percent(row[1], 0, sign=False)),
            ]
            for date, row in universe.month_ends(pd.concat([total[known.index], known], axis=1))
        ],
    )
    return Section(
        key="breadth",
        nav="Breadth",
        finding=finding,
        subtitle="Share of coins above their own 50-day average price, among the "
        f"{formats.count(total[known.index[-1]])} with 50 days of history. Above half: a broad rise.",
        alt=f"Area between 0% and 100%: {formats.percent(known.iloc[0], 0, sign=False)} on "
        f"{formats.day(known.index[0])}, {formats.percent(last, 0, sign=False)} at the end.",
        figure=figure,
        table=table,
        query="SELECT 'Share of coins' AS series, date,\n"
        "  avg(CASE WHEN above_average_50d THEN 1 ELSE 0 END) AS value\n"
        "FROM aggregated_data.market_trends_daily\n"
        f"WHERE above_average_50d IS NOT NULL AND {queries.within(coins)}\n"
        "GROUP BY date HAVING count(*) > 1\nORDER BY 1, 2",
        tables=("market_trends_daily",),
        wide=False,
    )


def volatility(coins: Universe, trends: pd.DataFrame) -> Section:
    """How much the leaders and the median coin move in a year, at the pace of the last 30 days."""
    values = coins.wide(trends, "volatility_30d").dropna(how="all")
    if len(values) < 2:
        return missing("volatility", "Volatility", "It needs coins with more than 30 days of history.")
    values = values.asfreq("D")
    median = coins.median(values).dropna()
    leaders = [coin_id for coin_id in coins.leaders if values[coin_id].notna().any()]
    if not leaders and median.empty:
        return missing("volatility", "Volatility", "It needs a leader, or three coins, with 30 days of history.")
    traces = [charts.line(values[coin_id], coins.colours[coin_id], coins.name(coin_id)) for coin_id in leaders]
    ends = [(i, coins.symbol(coin_id)) for i, coin_id in enumerate(leaders)]
    if len(median):
        ends.append((len(traces), "median"))
        traces.append(charts.line(median.asfreq("D"), style.INK, "Median coin", line={"dash": "dot"}))
    figure = charts.over_time(
        traces,
        ends,
        y_title="volatility, per year",
        from_zero=True,
        height=330,
        yaxis={"tickformat": ".0%", "hoverformat": ".0%"},
    )
    middle = median.iloc[-1] if len(median) else None
    told = {coins.name(coin_id): values[coin_id].dropna().iloc[-1] for coin_id in leaders[:1]}
    finding = " and ".join(f"{name} {_temper(value)}" for name, value in told.items())
    if middle is not None:
        compared = [_times(middle, value) for value in told.values()]
        finding = "; ".join([finding, *compared]) if told else f"The median coin {_temper(middle)}"
    table = html_tables.table(
        "Volatility per year at the end of each month",
        ["Month", *(coins.symbol(coin_id) for coin_id in leaders), *(["Median"] if len(median) else [])],
        [
            [
                html_tables.name_cell(formats.month(date)),
                *(html_tables.cell(formats.percent(value, 0, sign=False)) for value in row),
            ]
            for date, row in universe.month_ends(_beside(values[leaders], median))
        ],
    )
    return Section(
        key="volatility",
        nav="Volatility",
        finding=finding,
        subtitle="Standard deviation of 30 daily log returns, scaled to one year (√365).",
        alt="Lines of volatility per year, now: "
        + ", ".join(
            f"{coins.name(coin_id)} {formats.percent(values[coin_id].dropna().iloc[-1], 0, sign=False)}"
            for coin_id in leaders
        )
        + (f", median {formats.percent(middle, 0, sign=False)}." if middle is not None else "."),
        figure=figure,
        table=table,
        query=queries.of_coins(coins, leaders, "volatility_30d", median=len(median) > 0, above_0=False),
        tables=OF_TRENDS,
        wide=False,
    )


def sentiment(coins: Universe, market: pd.DataFrame, vs_currency: str, source: str) -> Section:
    """The first leader's price over the days' Fear & Greed Index, coloured by the label that was sent."""
    mood = market[["fear_greed_value", "fear_greed_classification"]].dropna()
    first = coins.leaders[0] if coins.leaders else ""
    if len(mood) < 2 or not first:
        return missing("sentiment", "Sentiment", "It needs days of the Fear & Greed Index (notebook 02).")
    price = coins.closes[first]
    later = price.shift(-30) / price - 1
    label, days = "Extreme Fear", mood[mood["fear_greed_classification"] == "Extreme Fear"]
    if days.empty:
        label, days = "Extreme Greed", mood[mood["fear_greed_classification"] == "Extreme Greed"]
    outcome = later.reindex(days.index).dropna()
    said = f"{formats.counted(len(days), 'day')} of {label.lower()}"
    if days.empty:
        now = mood.iloc[-1]
        finding = f"No extreme mood: the index stands at {now.iloc[0]:.0f} ({now.iloc[1].lower()})"
    elif outcome.empty:
        finding = f"{said}, the last on {formats.day(days.index[-1])}"
    else:
        moved = f"{coins.name(first)} moved {formats.percent(outcome.median())} in 30 days"
        finding = f"After {formats.counted(len(outcome), 'day')} of {label.lower()}, {moved}"
        finding += " (median)" if len(outcome) > 1 else ""
    colours = [MOODS.get(word, (style.MUTE, 0.8)) for word in mood["fear_greed_classification"]]
    line = charts.line(price, coins.colours[first], coins.name(first), yaxis="y2")
    bars = {
        "type": "bar",
        "x": charts.days(mood.index),
        "y": charts.numbers(mood["fear_greed_value"].astype(int)),
        "name": "Fear & Greed",
        "width": 86_400_000,
        "marker": {
            "color": [colour for colour, _ in colours],
            "opacity": [strength for _, strength in colours],
            "line": {"width": 0},
        },
        "customdata": mood["fear_greed_classification"].tolist(),
        "hovertemplate": "%{y} %{customdata}<extra></extra>",
    }
    known = price.dropna()
    room = 0.06 * (known.max() - known.min()) or known.max() * 0.05
    figure = charts.over_time(
        [bars, line],
        y_title="index",
        y_range=(0.0, 100.0),
        height=430,
        bargap=0,
        yaxis={"domain": [0, 0.36], "tickvals": [0, 25, 50, 75, 100]},
        yaxis2={
            "domain": [0.44, 1],
            "title": {"text": vs_currency.upper()},
            "range": charts.numbers([known.min() - room, known.max() + room]),
            **charts.money_axis(vs_currency, known.min() - room, known.max() + room, 4),
        },
        xaxis={"anchor": "y"},
        margin={"r": 16},
    )
    counts = mood["fear_greed_classification"].value_counts()
    rows = []
    for word in [*MOODS, *sorted(set(counts.index) - set(MOODS))]:
        after = later.reindex(mood.index[mood["fear_greed_classification"] == word]).dropna()
        cells = (
            formats.count(counts.get(word, 0)),
            formats.count(len(after)),
            html_tables.change(after.median() if len(after) else None),
        )
        rows.append([html_tables.name_cell(word), *(html_tables.cell(text) for text in cells)])
    table = html_tables.table(
        f"Days by mood, and {coins.name(first)} 30 days later (median)",
        ["Mood", "Days", "Of these 30 days ago or more", "Change 30 days later"],
        rows,
    )
    return Section(
        key="sentiment",
        nav="Sentiment",
        finding=finding,
        subtitle=f"Top: {coins.name(first)}, {vs_currency.upper()}. Bottom: Fear & Greed Index, "
        "0 (orange) to 100 (blue)."
        + (" Nearby days overlap, so these are few independent cases." if len(outcome) > 1 else ""),
        source=source,
        alt=f"{coins.name(first)} from {formats.money(known.iloc[0], vs_currency)} to "
        f"{formats.money(known.iloc[-1], vs_currency)} over daily bars of the index, the last one "
        f"{mood.iloc[-1, 0]:.0f} ({mood.iloc[-1, 1]}).",
        figure=figure,
        table=table,
        query=queries.together(
            queries.of_coins(coins, [first], queries.CLOSE, median=False, above_0=False).removesuffix(
                "\nORDER BY 1, 2"
            ),
            "SELECT 'Fear & Greed', date, fear_greed_value\nFROM aggregated_data.market_daily\n"
            f"WHERE fear_greed_value IS NOT NULL AND vs_currency = '{coins.unit}' AND {queries.period(coins)}",
        ),
        tables=(*OF_TRENDS, "market_daily"),
    )


def months(coins: Universe, monthly: pd.DataFrame, vs_currency: str) -> Section:
    """Each coin's last twelve months as a heat table."""
    monthly = monthly[monthly["coin_id"].isin(coins.ids) & monthly["return_1m"].notna()]
    if monthly.empty:
        return missing("months", "Months", "It needs closes in two calendar months.")
    columns = sorted(monthly["month"].unique())[-12:]
    monthly = monthly[monthly["month"].isin(columns)]
    changes = monthly.pivot(index="coin_id", columns="month", values="return_1m")
    total = (1 + changes).prod(axis=1, min_count=1) - 1
    order = total.sort_values(ascending=False, kind="stable").index
    # Of one coin or two, the first is spoken of: there is no median.
    several = len(changes) >= universe.MIDDLE
    spoken_of = next(coin_id for coin_id in (*coins.leaders, *order) if coin_id in changes.index)
    median = changes.median() if several else changes.loc[spoken_of]
    whose = "the median coin" if several else coins.name(spoken_of)
    # A month counts as complete when it is for most coins; the running one never is.
    whole = monthly.groupby("month")["is_complete"].mean() > 0.5
    running = [month for month in columns if not whole[month]]
    judged = median[[month for month in columns if whole[month]]]
    rows = [
        _heat_row(coins.name(coin_id), coins.symbol(coin_id), changes.loc[coin_id], total[coin_id])
        for coin_id in order
    ]
    if several:
        rows.append(_heat_row("Median", "", median, total.median()))
    newest = monthly[monthly["month"] == columns[-1]]
    partial = (
        f" {pd.Timestamp(columns[-1]):%B} covers {formats.counted(int(newest['days'].max()), 'day')} so far."
        if columns[-1] in running
        else ""
    )
    # The newest month stands first: a narrow screen shows the beginning of a row.
    headers = ["Coin", "Total", *universe.month_headers(columns[::-1])]
    return Section(
        key="months",
        nav="Months",
        finding=best_and_worst_month(judged.dropna(), whose),
        subtitle=f"Change in {vs_currency.upper()} per month; blue up, orange down. Total: all of them together. "
        f"Only complete months are best or worst.{partial}",
        table=html_tables.table("Monthly change, ordered by total change", headers, rows, "heat"),
    )


def best_and_worst_month(changes: pd.Series, whose: str = "the median coin") -> str:
    """The months with the highest and the lowest change, among the complete ones."""
    if changes.empty:
        return "No month is complete yet"
    best, worst = changes.idxmax(), changes.idxmin()
    high, low = formats.percent(changes[best], 0), formats.percent(changes[worst], 0)
    if best == worst:
        return f"{best:%B} is the only complete month: {whose} {_moved(changes[best])}"
    if high == low:
        return f"All months were alike for {whose} ({high})"
    if changes[best] <= 0:
        return f"No month was good for {whose}; the worst was {worst:%B} ({low})"
    return f"{best:%B} was the best month for {whose} ({high}), {worst:%B} the worst ({low})"


def correlation(coins: Universe, pairs: pd.DataFrame) -> Section:
    """How closely the largest coins move together, as a matrix."""
    known = set(pairs["coin_a"]) | set(pairs["coin_b"])
    chosen = [coin_id for coin_id in coins.ids if coin_id in known][:MATRIX_COINS]
    pairs = pairs[pairs["coin_a"].isin(chosen) & pairs["coin_b"].isin(chosen)]
    if pairs.empty:
        return missing("correlation", "Correlation", "It needs two coins with days of returns.")
    both: dict[tuple[str, str], float] = {}
    for coin_a, coin_b, value in zip(pairs["coin_a"], pairs["coin_b"], pairs["correlation"], strict=True):
        both[coin_a, coin_b] = both[coin_b, coin_a] = value
    rows = []
    for one in chosen:
        cells = [
            html_tables.cell("·", "none")
            if one == other
            else html_tables.heat(both.get((one, other)), formats.ratio(both.get((one, other))), 1.0)
            for other in chosen
        ]
        rows.append([html_tables.name_cell(coins.name(one), coins.symbol(one)), *cells])
    average = pairs["correlation"].mean()
    closest, loosest = pairs["correlation"].argmax(), pairs["correlation"].argmin()
    ends = f" Closest: {_pair(coins, pairs.iloc[closest])}; loosest: {_pair(coins, pairs.iloc[loosest])}."
    finding = f"{_togetherness(average)}: the average pair has a correlation of {formats.ratio(average)}"
    if len(pairs) == 1:
        names = formats.listed([coins.name(coin_id) for coin_id in chosen])
        finding, ends = f"{names} have a correlation of {formats.ratio(average)}", ""
    return Section(
        key="correlation",
        nav="Correlation",
        finding=finding,
        subtitle=f"Pearson correlation of the last {int(pairs['days'].max())} daily log returns.{ends}",
        table=html_tables.table(
            f"Correlation of daily returns up to {formats.day(pairs['date'].max())}",
            ["Coin", *(coins.symbol(coin_id) for coin_id in chosen)],
            rows,
            "heat",
        ),
    )


def movers(coins: Universe, trends: pd.DataFrame, vs_currency: str) -> Section:
    """Each coin's newest numbers, ordered by its change in 30 days."""
    newest = trends.sort_values("date").groupby("coin_id").tail(1).set_index("coin_id")
    newest = newest.reindex([coin_id for coin_id in coins.ids if coin_id in newest.index])
    if newest.empty:
        return missing("movers", "Movers", "It needs a day of closes.")
    newest = newest.sort_values("return_30d", ascending=False, kind="stable", na_position="last")
    known = newest["return_30d"].dropna()
    if known.empty:
        finding = "No coin has 30 days of history yet"
    elif len(known) == 1:
        finding = f"{coins.name(known.index[0])} {_moved(known.iloc[0])} in 30 days"
    elif not any(_lower_and_higher(known)):
        finding = f"{formats.sentence(formats.of_all(len(known), len(known)))} cost what they did 30 days before"
    else:
        finding = formats.fitting(
            *(
                f"{name(known.index[0])} {_most(known.iloc[0], best=True)} in 30 days, "
                f"{name(known.index[-1])} {_most(known.iloc[-1], best=False)}"
                for name in coins.calls
            )
        )
    changes = ("return_1d", "return_7d", "return_30d", "return_90d")
    now, below = coins.now["price"], coins.now["distance_from_high"].reindex(newest.index)
    high = "all-time high, from now"
    if below.isna().any():
        below = coins.closes.ffill().iloc[-1] / coins.closes.max().where(coins.closes.max() > 0) - 1
        high = f"highest close since {formats.day(coins.start)}"
    rows = [
        [
            html_tables.name_cell(coins.name(str(coin_id)), coins.symbol(str(coin_id))),
            html_tables.cell(formats.money(row["close"], vs_currency)),
            html_tables.cell(formats.money(now.get(coin_id), vs_currency)),
            *(html_tables.cell(html_tables.change(row[column])) for column in changes),
            html_tables.cell(formats.percent(below[str(coin_id)], 0)),
            html_tables.cell(formats.percent(row["volatility_30d"], 0, sign=False)),
            html_tables.cell(html_tables.sparkline(coins.closes[coin_id].tail(90)[::-4][::-1]), "spark-cell"),
        ]
        for coin_id, row in newest.iterrows()
    ]
    return Section(
        key="movers",
        nav="Movers",
        finding=finding,
        subtitle=f"Ordered by {'30-day change' if len(known) else 'size'}; n/a where a coin is too young. "
        "Changes are those of the last close; now is the newest snapshot.",
        table=html_tables.table(
            f"{formats.counted(len(newest), 'coin')}, {vs_currency.upper()}, {formats.day(coins.newest)}; "
            f"high: {high}",
            [
                "Coin",
                "Close",
                "Now",
                "1 day",
                "7 days",
                "30 days",
                "90 days",
                "From high",
                "Volatility",
                "Last 90 days",
            ],
            rows,
        ),
    )


def apart(coins: Universe, trends: pd.DataFrame, vs_currency: str) -> Section:
    """The coins that the page does not count: pegged to a currency, or copies of another coin."""
    if not coins.apart:
        return missing("apart", "Pegged", "No coin of the largest is pegged to a currency or a copy of another.")
    pegged = [coin_id for coin_id, (kind, _) in coins.apart.items() if kind == "pegged"]
    copies = [coin_id for coin_id, (kind, _) in coins.apart.items() if kind == "copy"]
    told = [
        f"{formats.listed([coins.name(coin_id) for coin_id in ids], 2)} {one if len(ids) == 1 else many}"
        for ids, one, many in ((pegged, "is pegged", "are pegged"), (copies, "is a copy", "are copies"))
        if ids
    ]
    rows = []
    for coin_id, (kind, original) in coins.apart.items():
        own = trends[trends["coin_id"] == coin_id].sort_values("date").tail(MONTH)
        low, high = own["close"].min(), own["close"].max()
        rows.append(
            [
                html_tables.name_cell(coins.name(coin_id), coins.symbol(coin_id)),
                html_tables.cell(f"copy of {coins.name(original)}" if original else kind, "text"),
                html_tables.cell(formats.money(own["close"].iloc[-1], vs_currency)),
                html_tables.cell(html_tables.change(own["return_30d"].iloc[-1])),
                html_tables.cell(formats.money(low, vs_currency)),
                html_tables.cell(formats.money(high, vs_currency)),
            ]
        )
    return Section(
        key="apart",
        nav="Pegged",
        finding=" and ".join(told),
        subtitle="Not counted on this page. Pegged: moves less than 0.4% on most days; copy: moves as a larger "
        "coin does. By the closes of the last 90 days; a coin with fewer than 30 counts as free.",
        table=html_tables.table(
            f"Coins apart, prices in {vs_currency.upper()} on {formats.day(coins.newest)}",
            ["Coin", "Kind", "Close", "30 days", "Lowest of 30 days", "Highest"],
            rows,
        ),
    )


def dominance(coins: Universe, trends: pd.DataFrame, market: pd.DataFrame) -> Section:
    """How the market value of these coins divides between the leaders and the others."""
    caps = coins.wide(trends, "market_cap")
    known = caps.notna().sum(axis=1)
    # A day on which many caps are unknown would show the others' share too small.
    caps = caps[(known >= 0.8 * known.max()) & (known > 1)] if len(caps) else caps
    total = caps.sum(axis=1, min_count=1)
    shares = caps[coins.leaders].div(total.where(total > 0), axis=0).dropna()
    if len(coins) < 3:
        return missing("dominance", "Dominance", "It needs three coins: of fewer, shares say little.")
    if len(shares) < 2:
        whose = formats.listed([coins.name(coin_id) for coin_id in coins.leaders]) or "two coins"
        return missing("dominance", "Dominance", f"It needs two days with market caps of {whose}.")
    shares = shares.asfreq("D")
    others = 1 - shares.sum(axis=1, min_count=len(coins.leaders))
    layers = [*((coins.symbol(coin_id), shares[coin_id]) for coin_id in coins.leaders), ("Others", others)]
    fills = ("rgba(213,94,0,0.55)", "rgba(0,114,178,0.5)", "rgba(127,140,155,0.28)")
    colours = (style.ORANGE, style.BLUE, style.SOFT)
    names = [*(coins.name(coin_id) for coin_id in coins.leaders), "Others"]
    traces, annotations, below = [], [], 0.0
    for (symbol, share), name, fill, colour in zip(
        layers, names, fills[3 - len(layers) :], colours[3 - len(layers) :], strict=True
    ):
        traces.append(charts.line(share, colour, name, stackgroup="all", fillcolor=fill, line={"width": 1}))
        last = share.dropna().iloc[-1]
        annotations.append(
            {
                "name": "layer",
                "text": f"<b>{charts.words(symbol)}</b>",
                "x": 1,
                "xref": "paper",
                "y": charts.rounded(below + last / 2),
                "xanchor": "left",
                "xshift": 6,
                "showarrow": False,
                "font": {"size": 12, "color": style.WORDS.get(colour, colour)},
            }
        )
        below += last
    figure = charts.over_time(
        traces,
        y_title="share of market value",
        y_range=(0.0, 1.0),
        height=340,
        notes=annotations,
        margin={"r": 22 + 8 * max(len(symbol) for symbol, _ in layers)},
        yaxis={"tickformat": ".0%", "hoverformat": ".1%"},
    )
    first = shares[coins.leaders[0]].dropna()
    name = coins.name(coins.leaders[0])
    now = formats.percent(first.iloc[-1], 0, sign=False)
    low, high = (formats.percent(value, 0, sign=False) for value in (first.min(), first.max()))
    since = formats.day(first.index[0])
    finding = (
        f"{name}’s share stayed at {now} since {since}"
        if low == high
        else f"{name}’s share is {now}; since {since} it was between {low} and {high}"
    )
    whole = market["bitcoin_dominance"].dropna()
    told = (
        f" Of the whole market, Bitcoin has {formats.percent(whole.iloc[-1], 1, sign=False)} "
        f"({formats.day(whole.index[-1])})."
        if len(whole)
        else ""
    )
    table = html_tables.table(
        "Share of market value at the end of each month",
        ["Month", *(symbol for symbol, _ in layers)],
        [
            [
                html_tables.name_cell(formats.month(date)),
                *(html_tables.cell(formats.percent(value, 1, sign=False)) for value in row),
            ]
            for date, row in universe.month_ends(pd.concat([share for _, share in layers], axis=1))
        ],
    )
    return Section(
        key="dominance",
        nav="Dominance",
        finding=finding,
        subtitle=f"Share of the market value of the {len(coins)} coins of this page. "
        f"They are today’s largest: coins that fell out are not counted.{told}",
        alt=f"Stacked areas: {name} {formats.percent(first.iloc[0], 0, sign=False)} on "
        f"{formats.day(first.index[0])}, {now} on {formats.day(first.index[-1])}.",
        figure=figure,
        table=table,
        query=dominance_query(coins, names),
        tables=("market_trends_daily",),
    )


def dominance_query(coins: Universe, names: list[str]) -> str:
    """The SQL of the shares of market value; days on which a fifth of the caps is unknown are left out."""
    caps = [
        f"max(CASE WHEN coin_id = {schema.quoted_text(coin_id)} THEN market_cap END) AS cap_{place}"
        for place, coin_id in enumerate(coins.leaders)
    ]
    leaders = [f"cap_{place}" for place in range(len(caps))]
    shares = [f"{cap} / total" for cap in leaders] + [f"1 - ({' + '.join(leaders)}) / total"]
    known = " AND ".join(f"{cap} IS NOT NULL" for cap in leaders)
    enough = f"known > 1 AND known >= 0.8 * (SELECT max(known) FROM caps) AND total > 0 AND {known}"
    parts = [
        f"SELECT {schema.quoted_text(name)} AS series, date, {share} AS value FROM caps\nWHERE {enough}"
        for name, share in zip(names, shares, strict=True)
    ]
    return (
        "WITH caps AS (\n  SELECT date, sum(market_cap) AS total, count(market_cap) AS known,\n"
        f"    {', '.join(caps)}\n"
        f"  FROM aggregated_data.market_trends_daily\n  WHERE {queries.within(coins)}\n  GROUP BY date\n)\n"
        + queries.together(*parts)
    )


def seasons(coins: Universe, monthly: pd.DataFrame, vs_currency: str) -> Section:
    """The first leader's calendar months, year by year."""
    first = coins.leaders[0] if coins.leaders else ""
    own = monthly[(monthly["coin_id"] == first) & monthly["return_1m"].notna()]
    years = own["month"].dt.year
    if years.nunique() < SEASON_YEARS:
        return missing("seasons", "Seasons", "It needs months in three calendar years; fewer prove nothing.")
    table = (
        own.assign(year=years, number=own["month"].dt.month)
        .pivot(index="year", columns="number", values="return_1m")
        .reindex(columns=range(1, 13))
    )
    whole = own[own["is_complete"].astype(bool)]
    by_month = whole.groupby(whole["month"].dt.month)["return_1m"].agg(["median", "count"])
    best = int(by_month["median"].idxmax())
    number = int(by_month["count"][best])
    name = f"{datetime(2000, best, 1):%B}"
    proof = f"{formats.counted(number, 'year')} {'proves' if number == 1 else 'prove'} little"
    rows = [
        [
            html_tables.name_cell(str(year)),
            *(
                html_tables.heat(value, formats.percent(value, 0) if formats.is_known(value) else "", FULL_MONTH)
                for value in row
            ),
        ]
        for year, row in zip(table.index, table.to_numpy(), strict=True)
    ]
    medians = by_month["median"].reindex(range(1, 13))
    rows.append(
        [
            html_tables.name_cell("Median"),
            *(html_tables.heat(value, formats.percent(value, 0), FULL_MONTH) for value in medians),
        ]
    )
    return Section(
        key="seasons",
        nav="Seasons",
        finding=f"{name} has been {coins.name(first)}’s best month "
        f"({'median ' if number > 1 else ''}{formats.percent(by_month['median'][best], 0)}), but {proof}",
        subtitle=f"{coins.name(first)}, change in {vs_currency.upper()} per calendar month. "
        "Only complete months count for the headline.",
        table=html_tables.table(
            f"{coins.name(first)} by month",
            ["Year", *(f"{datetime(2000, month, 1):%b}" for month in range(1, 13))],
            rows,
            "heat",
        ),
    )


def _in_30_days(change: float) -> Markup | str:
    return html_tables.change(change) + " in 30 days" if formats.is_known(change) else ""


def _beside(lines: pd.DataFrame, median: pd.Series) -> pd.DataFrame:
    """Lines, and the median as a last column where there is one."""
    return pd.concat([lines, median], axis=1) if len(median) else lines


def _is_up(change: float, verb: str = "is ") -> str:
    word = formats.direction(change, "up", "down", "unchanged")
    return f"{verb}{word}" if word == "unchanged" else f"{verb}{word} {formats.percent(abs(change), sign=False)}"


def _lower_and_higher(returns: pd.Series) -> tuple[int, int]:
    """How many fell and how many rose; what is shown as 0.0% did neither."""
    words = [formats.direction(change, "up", "down", "flat") for change in returns]
    return words.count("down"), words.count("up")


def _moved(change: float) -> str:
    word = formats.direction(change, "gained", "lost", "did not move")
    amount = formats.about(abs(change), sign=False)
    if amount == "100%" and -1 < change < 0:
        amount = "over 99%"
    return word if word == "did not move" else f"{word} {amount}"


def _most(change: float, *, best: bool) -> str:
    most = ("gained most", "lost least") if best else ("gained least", "lost most")
    word = formats.direction(change, *most, "did not move")
    return word if word == "did not move" else f"{word} ({formats.about(change)})"


def _temper(volatility: float) -> str:
    """The word for a yearly volatility, with its number: below 20 % a large share index moves as little."""
    word = next(
        word
        for limit, word in ((0.2, "still"), (0.5, "calm"), (0.9, "lively"), (math.inf, "wild"))
        if volatility < limit
    )
    return f"is {word}: it moves {formats.about(volatility, sign=False)} a year"


def _times(other: float, first: float) -> str:
    if first and 0.95 <= other / first <= 1.05:
        return "the median coin as much"
    return f"the median coin {formats.percent(other, 0, sign=False)}"


def _togetherness(average: float) -> str:
    if average >= 0.6:
        return "Coins move together"
    return "Coins move partly together" if average >= 0.3 else "Coins go their own ways"


def _pair(coins: Universe, row: pd.Series) -> str:
    names = sorted((row["coin_a"], row["coin_b"]), key=coins.ids.index)
    return f"{coins.name(names[0])} and {coins.name(names[1])} ({formats.ratio(row['correlation'])})"


def _heat_row(name: str, symbol: str, changes: pd.Series, total: float) -> list[Markup]:
    cells = [html_tables.heat(value, formats.percent(value, 0), FULL_MONTH) for value in changes[::-1]]
    return [html_tables.name_cell(name, symbol), html_tables.cell(formats.percent(total, 0), "strong"), *cells]
