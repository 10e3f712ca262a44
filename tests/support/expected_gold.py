"""What gold must hold, computed from silver's rows in plain Python and numpy: every definition written afresh.

Rows are dicts, instants aware in UTC. A series is a coin's closes on every calendar day from its first to its
last, with NaN where a day is missing.
"""

import calendar
import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, pairwise
from statistics import mean, median

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def day_of(moment: datetime) -> date:
    """The day D whose interval (D 00:00, D+1 00:00] holds the instant."""
    return (moment - timedelta(microseconds=1)).date()


def end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + DAY


def date_key(day: date) -> int:
    return int(f"{day:%Y%m%d}")


def grouped(rows: Iterable[dict], *names: str) -> dict[tuple, list[dict]]:
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return groups


def ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def sum_in_order(values: Iterable[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


# The star


def dim_coin(snapshots, prices, listed, kinds) -> list[dict]:
    """Versions of each coin, without their keys: a new one where a snapshot differs from the one before."""
    rows: list[dict] = []
    for (coin_id,), its in grouped(snapshots, "coin_id").items():
        versions: list[dict] = []
        seen = set()
        for row in sorted(its, key=lambda row: (row["snapshot_at"], row["vs_currency"])):
            if row["snapshot_at"] in seen:
                continue
            seen.add(row["snapshot_at"])
            what = {
                "symbol": row["symbol"] and row["symbol"].upper(),
                "name": row["name"] or coin_id,
                "max_supply": row["max_supply"],
            }
            if versions and what.items() <= versions[-1].items():
                continue
            if versions:
                versions[-1] |= {"valid_to": row["snapshot_at"], "is_current": False}
            began = row["snapshot_at"] if versions else FIRST
            version = {"coin_id": coin_id, **what, "valid_from": began, "valid_to": LAST, "is_current": True}
            versions.append(version | {"first_seen_at": row["snapshot_at"]})
        rows += versions
    entries = {entry["coin_id"]: entry for entry in listed}
    for coin_id in {row["coin_id"] for row in prices} - {row["coin_id"] for row in snapshots}:
        entry = entries.get(coin_id, {})
        rows.append(
            {
                "coin_id": coin_id,
                "symbol": entry["symbol"].upper() if entry.get("symbol") is not None else None,
                "name": entry.get("name") or coin_id,
                "max_supply": None,
                "valid_from": FIRST,
                "valid_to": LAST,
                "is_current": True,
                "first_seen_at": None,
            }
        )
    for row in rows:
        row["kind"], row["original_id"] = kinds.get(row["coin_id"], ("free", None))
    return rows


def kinds(days) -> dict[str, tuple[str, str | None]]:
    """The coins that are not free, by their closes of 90 days: coin_id -> (kind, id of the original)."""
    complete = [day for day in days if day["is_complete"]]
    if not complete:
        return {}
    newest: dict[str, date] = {}
    for day in complete:
        newest[day["vs_currency"]] = max(newest.get(day["vs_currency"], date.min), day["date"])
    recent = [day for day in complete if day["date"] >= newest[day["vs_currency"]] - 90 * DAY]
    by_currency = grouped(recent, "vs_currency")
    judged = min(by_currency.values(), key=lambda its: (-len(its), its[0]["vs_currency"]))
    moves: dict[str, dict[date, float]] = {}
    size: dict[str, float] = {}
    for (coin_id,), its in grouped(judged, "coin_id").items():
        closes = {day["date"]: day["close"] for day in its if day["close"] > 0}
        moves[coin_id] = {
            day: math.log(close) - math.log(closes[day - DAY])
            for day, close in closes.items()
            if day - DAY in closes
        }
        caps = [
            day["market_cap"] for day in sorted(its, key=lambda day: day["date"]) if day["market_cap"] is not None
        ]
        size[coin_id] = caps[-1] if caps else 0.0
    found: dict[str, tuple[str, str | None]] = {}
    free: list[str] = []
    for coin_id in sorted(moves, key=lambda coin_id: (-size[coin_id], coin_id)):
        own = moves[coin_id]
        if len(own) < 30:
            continue
        usual = median(map(abs, own.values()))
        if usual < 0.004:
            found[coin_id] = ("pegged", None)
            continue
        for larger in free:
            apart = [abs(own[day] - moves[larger][day]) for day in own.keys() & moves[larger].keys()]
            if len(apart) >= 30 and median(apart) < 0.15 * usual:
                found[coin_id] = ("copy", larger)
                break
        else:
            free.append(coin_id)
    return found


def dim_date(snapshots, prices) -> list[dict]:
    days = {day_of(row["observed_at"]) for row in prices} | {day_of(row["snapshot_at"]) for row in snapshots}
    first = min(days)
    return [
        {
            "date_key": date_key(day),
            "date": day,
            "year": day.year,
            "quarter": (day.month + 2) // 3,
            "month": day.month,
            "month_name": calendar.month_name[day.month],
            "iso_week": day.isocalendar().week,
            "day_of_week": day.isoweekday(),
            "day_name": calendar.day_name[day.weekday()],
            "is_weekend": day.isoweekday() >= 6,
        }
        for day in (first + timedelta(days=place) for place in range((max(days) - first).days + 1))
    ]


def fact_market_snapshot(snapshots, keys) -> list[dict]:
    """`keys` gives the keys of the star for a row: keys(coin_id, instant, vs_currency)."""
    same = ("coin_id", "vs_currency", "snapshot_at", "period", "price", "market_cap", "market_cap_rank")
    same += ("total_volume", "high_24h", "low_24h", "circulating_supply", "file")
    rows = []
    for row in snapshots:
        returns = {span: row[f"price_change_percentage_{span}"] for span in ("1h", "24h", "7d", "30d")}
        rows.append(
            {name: row[name] for name in same}
            | {f"return_{span}": None if value is None else value / 100 for span, value in returns.items()}
            | {"date_key": date_key(day_of(row["snapshot_at"]))}
            | keys(row["coin_id"], row["snapshot_at"], row["vs_currency"])
        )
    return rows


def fact_price_daily(prices, keys) -> list[dict]:
    days = defaultdict(list)
    for row in prices:
        days[row["coin_id"], row["vs_currency"], day_of(row["observed_at"])].append(row)
    rows = []
    for (coin_id, vs_currency, day), points in days.items():
        # Sorted so, a daily price takes the place of the hourly one of its instant.
        points.sort(key=lambda row: (row["observed_at"], row["granularity"] == "daily"))
        kept = list({row["observed_at"]: row for row in points}.values())
        values = [row["price"] for row in kept]
        # The price at the start, the daily one if there is one, closes the day before and opens this one.
        at_start = days.get((coin_id, vs_currency, day - DAY), [])
        at_start = [row for row in at_start if row["observed_at"] == end_of(day - DAY)]
        at_start.sort(key=lambda row: row["granularity"] == "daily")
        with_opening = [row["price"] for row in at_start[-1:]] + values
        newest = {
            name: next((row[name] for row in reversed(points) if row[name] is not None), None)
            for name in ("market_cap", "total_volume")
        }
        rows.append(
            {
                "coin_id": coin_id,
                "vs_currency": vs_currency,
                "date": day,
                "period": f"{day:%Y-%m}",
                "date_key": date_key(day),
                "open": with_opening[0],
                "high": max(with_opening),
                "low": min(with_opening),
                "close": values[-1],
                "average": sum_in_order(values) / len(values),
                "samples": len(values),
                **newest,
                "is_complete": kept[-1]["observed_at"] == end_of(day),
                "file": kept[-1]["file"],
                **keys(coin_id, end_of(day), vs_currency),
            }
        )
    return rows


# Aggregates of closes


class Series:
    """The closes of one coin and currency on every calendar day, NaN where there is none."""

    def __init__(self, days: list[dict]):
        self.days = sorted(days, key=lambda day: day["date"])
        self.first = self.days[0]["date"]
        self.close = np.full((self.days[-1]["date"] - self.first).days + 1, np.nan)
        for day in self.days:
            self.close[self.place(day["date"])] = day["close"]

    def place(self, day: date) -> int:
        return (day - self.first).days

    def last(self, values: np.ndarray, days: int) -> np.ndarray:
        """For each day the values of the last so many days; NaN before the first."""
        return sliding_window_view(np.concatenate([np.full(days - 1, np.nan), values]), days)

    def before(self, values: np.ndarray, days: int) -> np.ndarray:
        """For each day the value so many days before."""
        return np.concatenate([np.full(days, np.nan), values])[: len(values)]

    def average(self, days: int) -> np.ndarray:
        """The mean of the last so many closes, added in order of time; NaN unless all exist."""
        total = np.zeros(len(self.close))
        for column in self.last(self.close, days).T:
            total = total + column
        return total / days

    def count(self, days: int) -> np.ndarray:
        return np.sum(~np.isnan(self.last(self.close, days)), axis=1)

    def change(self, days: int) -> np.ndarray:
        earlier = self.before(self.close, days)
        return np.divide(self.close, np.where(earlier == 0, np.nan, earlier)) - 1

    def volatility(self) -> np.ndarray:
        """Sample standard deviation of 30 daily log returns, times the root of 365."""
        earlier = self.before(self.close, 1)
        quotient = self.close / np.where(earlier == 0, np.nan, earlier)
        returns = np.log(np.where(quotient > 0, quotient, np.nan))
        return np.std(self.last(returns, 30), axis=1, ddof=1) * math.sqrt(365)


def crossing(series: Series, fast: int, slow: int, up: str, down: str) -> list[str | None]:
    distance = series.average(fast) - series.average(slow)
    labels: list[str | None] = []
    for before, now in zip(series.before(distance, 1), distance, strict=True):
        labels.append(up if now > 0 >= before else down if now < 0 <= before else None)
    return labels


def all_series(days) -> dict[tuple, Series]:
    complete = [day for day in days if day["is_complete"]]
    return {key: Series(its) for key, its in grouped(complete, "coin_id", "vs_currency").items()}


def price_averages_daily(days) -> list[dict]:
    rows = []
    for series in all_series(days).values():
        averages = {f"average_{n}d": series.average(n) for n in (7, 30, 90, 200)}
        counts = {f"days_{n}d": series.count(n) for n in (7, 30, 90, 200)}
        crosses = crossing(series, 30, 90, "up", "down")
        for day in series.days:
            at = series.place(day["date"])
            rows.append(
                {name: day[name] for name in ("coin_id", "vs_currency", "date", "close")}
                | {name: known(values[at]) for name, values in averages.items()}
                | {name: int(values[at]) for name, values in counts.items()}
                | {"cross_30d_90d": crosses[at]}
            )
    return rows


def market_trends_daily(days) -> list[dict]:
    rows = []
    for series in all_series(days).values():
        returns = {f"return_{n}d": series.change(n) for n in (1, 7, 30, 90)}
        averages = {n: series.average(n) for n in (30, 50, 90)}
        volatility = series.volatility()
        crosses = crossing(series, 50, 200, "golden", "death")
        first = peak = 0.0
        for day in series.days:
            at, close = series.place(day["date"]), day["close"]
            first, peak = first or close, max(peak, close)
            short, middle, long = (averages[n][at] for n in (30, 50, 90))
            trend = "up" if close > short > long else "down" if close < short < long else "sideways"
            rows.append(
                {name: day[name] for name in ("coin_id", "vs_currency", "date", "close", "market_cap")}
                | {name: known(values[at]) for name, values in returns.items()}
                | {
                    "index_100": 100 * close / first if first else None,
                    "average_50d": known(middle),
                    "above_average_50d": None if math.isnan(middle) else bool(close > middle),
                    "volatility_30d": known(volatility[at]),
                    "drawdown": close / peak - 1 if peak else 0.0,
                    "cross": crosses[at],
                    "trend": None if math.isnan(long) else trend,
                }
            )
    return rows


def market_daily(trends, totals, moods, kinds) -> list[dict]:
    whole = {}
    for row in sorted(totals, key=lambda row: row["snapshot_at"]):
        whole[day_of(row["snapshot_at"])] = row
    mood = {row["date"]: row for row in moods}
    rows = []
    index: dict[str, float] = {}
    for (day, vs_currency), coins in sorted(grouped(trends, "date", "vs_currency").items()):
        coins.sort(key=lambda row: row["coin_id"])
        free = [row for row in coins if row["coin_id"] not in kinds]

        def values(name, coins=free):
            return [row[name] for row in coins if row[name] is not None]

        def middle(name, values=values):
            return median(values(name)) if values(name) else None

        both = [
            (row["index_100"], row["index_100"] / (1 + row["return_1d"]))
            for row in free
            if row["index_100"] and row["return_1d"] is not None
        ]
        link = ratio(*(median(values) for values in zip(*both, strict=True))) if both else None
        index[vs_currency] = index.get(vs_currency, 100.0) * (1.0 if link is None else link)
        originals = [row for row in coins if kinds.get(row["coin_id"], ("free",))[0] != "copy"]
        caps = values("market_cap", originals)
        tracked = sum_in_order(caps) if caps else None
        bitcoin = next((row["market_cap"] for row in originals if row["coin_id"] == "bitcoin"), None)
        market = whole.get(day, {"total_market_cap": {}, "market_cap_percentage": {}})
        dominance = market["market_cap_percentage"].get("btc")
        with_average = values("above_average_50d")
        old = [row["drawdown"] for row in free if row["average_50d"] is not None]
        rows.append(
            {
                "date": day,
                "vs_currency": vs_currency,
                "coins": len(free),
                "advancers": sum(value > 0 for value in values("return_1d")),
                "decliners": sum(value < 0 for value in values("return_1d")),
                "coins_with_average_50d": len(with_average),
                "share_above_average_50d": ratio(sum(with_average), len(with_average)),
                "median_return_1d": middle("return_1d"),
                "median_index": index[vs_currency],
                "median_drawdown": median(old) if old else None,
                "median_volatility_30d": middle("volatility_30d"),
                "tracked_market_cap": tracked,
                "bitcoin_share": ratio(bitcoin, tracked),
                "total_market_cap": market["total_market_cap"].get(vs_currency),
                "bitcoin_dominance": None if dominance is None else dominance / 100,
                "fear_greed_value": mood[day]["value"] if day in mood else None,
                "fear_greed_classification": mood[day]["classification"] if day in mood else None,
                "coins_with_return_1d": len(values("return_1d")),
                "coins_with_volatility_30d": len(values("volatility_30d")),
                "coins_with_market_cap": len(caps),
            }
        )
    return rows


def rates_by_day(rates) -> dict[str, dict[date, dict[str, float]]]:
    """base -> day -> currency -> rate; a rate holds until the next one, at most 14 days."""
    by_day: dict = defaultdict(lambda: defaultdict(dict))
    for (base, code), its in grouped(rates, "base_currency", "currency").items():
        its.sort(key=lambda row: row["date"])
        ends = [row["date"] for row in its[1:]] + [date.max]
        for row, end in zip(its, ends, strict=True):
            for carried in range(15):
                day = row["date"] + timedelta(days=carried)
                if day < end:
                    by_day[base][day][code] = row["rate"]
    return by_day


def coin_monthly(days, rates) -> list[dict]:
    by_day = rates_by_day(rates)
    priced = {}
    for day in (day for day in days if day["is_complete"]):
        prices = {name: day[name] for name in ("high", "low", "close")}
        priced[day["coin_id"], day["vs_currency"], day["date"]] = prices
        for code, rate in by_day[day["vs_currency"]][day["date"]].items():
            exchanged = {name: price * rate for name, price in prices.items()}
            priced.setdefault((day["coin_id"], code, day["date"]), exchanged)
    months = defaultdict(list)
    for (coin_id, vs_currency, day), prices in sorted(priced.items()):
        months[coin_id, vs_currency, day.replace(day=1)].append(prices)
    rows = []
    for (coin_id, vs_currency, month), its in months.items():
        before = months.get((coin_id, vs_currency, (month - DAY).replace(day=1)))
        closes = [prices["close"] for prices in its]
        change = ratio(closes[-1], before[-1]["close"]) if before else None
        rows.append(
            {
                "coin_id": coin_id,
                "vs_currency": vs_currency,
                "month": month,
                "average": sum_in_order(closes) / len(closes),
                "close": closes[-1],
                "high": max(prices["high"] for prices in its),
                "low": min(prices["low"] for prices in its),
                "return_1m": None if change is None else change - 1,
                "days": len(its),
                "is_complete": len(its) == calendar.monthrange(month.year, month.month)[1],
            }
        )
    return rows


def correlation_90d(trends, kinds) -> list[dict]:
    rows = []
    free = [row for row in trends if row["coin_id"] not in kinds]
    for (vs_currency,), its in grouped(free, "vs_currency").items():
        newest = max(row["date"] for row in its)
        window = sorted((row for row in its if row["date"] > newest - 90 * DAY), key=lambda row: row["date"])
        size = {row["coin_id"]: row["market_cap"] for row in window if row["market_cap"] is not None}
        largest = sorted(size, key=lambda coin: (-size[coin], coin))[:15]
        returns: dict[str, dict[date, float]] = {coin: {} for coin in largest}
        for row in window:
            if row["coin_id"] in returns and row["return_1d"] is not None and row["return_1d"] > -1:
                returns[row["coin_id"]][row["date"]] = math.log1p(row["return_1d"])
        for coin_a, coin_b in combinations(sorted(largest), 2):
            days = sorted(returns[coin_a].keys() & returns[coin_b].keys())
            x, y = ([returns[coin][day] for day in days] for coin in (coin_a, coin_b))
            if len(days) >= 60 and len(set(x)) > 1 and len(set(y)) > 1:
                rows.append(
                    {
                        "coin_a": coin_a,
                        "coin_b": coin_b,
                        "vs_currency": vs_currency,
                        "date": newest,
                        "correlation": pearson(x, y),
                        "days": len(days),
                    }
                )
    return rows


def pearson(x: list[float], y: list[float]) -> float:
    dx, dy = ([value - mean(values) for value in values] for values in (x, y))
    product = math.fsum(a * b for a, b in zip(dx, dy, strict=True))
    return product / math.sqrt(math.fsum(a * a for a in dx) * math.fsum(b * b for b in dy))


# Candles


def candle_hourly(prices, snapshots) -> list[dict]:
    """The hour (H, H + 1 h]: it opens with the price of H, closes with that of H + 1 h, snapshots lie between."""
    hourly = [row for row in prices if row["granularity"] == "hourly"]
    at_hour = {(row["coin_id"], row["vs_currency"], row["observed_at"]): row["price"] for row in hourly}
    inside = defaultdict(list)
    for row in sorted(snapshots, key=lambda row: row["snapshot_at"]):
        before = row["snapshot_at"] - timedelta(microseconds=1)
        start = before.replace(minute=0, second=0, microsecond=0)
        inside[row["coin_id"], row["vs_currency"], start].append(row["price"])
    rows = []
    for key in inside.keys() | {(coin_id, vs_currency, at - HOUR) for coin_id, vs_currency, at in at_hour}:
        coin_id, vs_currency, start = key
        opening = [at_hour[key]] if key in at_hour else []
        closing = [at_hour[end] for end in [(coin_id, vs_currency, start + HOUR)] if end in at_hour]
        values = opening + inside.get(key, []) + closing
        rows.append(
            {
                "coin_id": coin_id,
                "vs_currency": vs_currency,
                "hour": start,
                "period": f"{start:%Y-%m}",
                "open": values[0],
                "high": max(values),
                "low": min(values),
                "close": values[-1],
                "samples": len(values) - len(opening),
            }
        )
    return rows


def candle_weekly(days) -> list[dict]:
    weeks = defaultdict(list)
    for day in sorted((day for day in days if day["is_complete"]), key=lambda day: day["date"]):
        weeks[day["coin_id"], day["vs_currency"], day["date"] - timedelta(days=day["date"].weekday())].append(day)
    return [
        {
            "coin_id": coin_id,
            "vs_currency": vs_currency,
            "week": monday,
            "open": its[0]["open"],
            "high": max(day["high"] for day in its),
            "low": min(day["low"] for day in its),
            "close": its[-1]["close"],
            "samples": sum(day["samples"] for day in its),
            "days": len(its),
            "is_complete": len(its) == 7,
        }
        for (coin_id, vs_currency, monday), its in weeks.items()
    ]


# What is now, and what happened


def market_now(snapshots, days, kinds) -> list[dict]:
    volumes = defaultdict(dict)
    for day in days:
        if day["is_complete"] and day["total_volume"] is not None:
            volumes[day["coin_id"], day["vs_currency"]][day["date"]] = day["total_volume"]
    rows = []
    for (coin_id, vs_currency), its in grouped(snapshots, "coin_id", "vs_currency").items():
        its.sort(key=lambda row: row["snapshot_at"])
        newest, at, rank = its[-1], its[-1]["snapshot_at"], its[-1]["market_cap_rank"]
        ranks = [
            row["market_cap_rank"]
            for row in its
            if row["market_cap_rank"] is not None and at - 48 * HOUR <= row["snapshot_at"] <= at - 24 * HOUR
        ]
        before = [day_of(at) - place * DAY for place in range(30, 0, -1)]
        usual = [volumes[coin_id, vs_currency][day] for day in before if day in volumes[coin_id, vs_currency]]
        mean_volume = sum_in_order(usual) / len(usual) if len(usual) >= 20 else None
        returns = {span: newest[f"price_change_percentage_{span}"] for span in ("1h", "24h", "7d", "30d")}
        distance = ratio(newest["price"], newest["ath"])
        rows.append(
            {
                "vs_currency": vs_currency,
                "coin_id": coin_id,
                "snapshot_at": at,
                "symbol": newest["symbol"] and newest["symbol"].upper(),
                "name": newest["name"] or coin_id,
                "price": newest["price"],
                "market_cap": newest["market_cap"],
                "market_cap_rank": rank,
                "rank_change_24h": ranks[-1] - rank if ranks and rank is not None else None,
                **{f"return_{span}": None if value is None else value / 100 for span, value in returns.items()},
                "volume_24h": newest["total_volume"],
                "volume_ratio": ratio(newest["total_volume"], mean_volume),
                "high": newest["ath"],
                "high_at": newest["ath_date"],
                "distance_from_high": None if distance is None else min(distance - 1, 0.0),
                "kind": kinds.get(coin_id, ("free",))[0],
            }
        )
    return rows


def market_events(snapshots, days, kinds) -> list[dict]:
    names = ("vs_currency", "coin_id", "kind", "happened_at", "value", "reference")
    events = [*events_of_closes(days, kinds), *events_of_pages(snapshots)]
    return [dict(zip(names, event, strict=True)) for event in events]


def events_of_closes(days, kinds) -> Iterable[tuple]:
    for (coin_id, vs_currency), series in all_series(days).items():
        kind = kinds.get(coin_id, ("free",))[0]
        volume = np.full(len(series.close), np.nan)
        for day in series.days:
            volume[series.place(day["date"])] = math.nan if day["total_volume"] is None else day["total_volume"]
        usual_volume, usual_close = (usual(series, values) for values in (volume, series.close))
        average = series.average(200)
        was_unusual = was_off = False
        for place, (close, traded) in enumerate(zip(series.close, volume, strict=True)):
            told = []
            before = series.close[place - 1] - average[place - 1] if place else math.nan
            if kind == "free" and close - average[place] > 0 >= before:
                told.append(("trend_up", close, average[place]))
            if kind == "free" and close - average[place] < 0 <= before:
                told.append(("trend_down", close, average[place]))
            is_unusual = usual_volume[place] > 0 and traded >= 3 * usual_volume[place]
            if is_unusual and not was_unusual:
                told.append(("volume_anomaly", traded, usual_volume[place]))
            expected = usual_close[place]
            is_known = kind == "pegged" and expected > 0 and not math.isnan(close)
            is_off = is_known and abs(close / expected - 1) > 0.02
            if is_off and not was_off:
                told.append(("peg_lost", close, expected))
            if is_known and was_off and not is_off:
                told.append(("peg_regained", close, expected))
            was_unusual, was_off = is_unusual, is_off
            for what, value, reference in told:
                yield (
                    vs_currency,
                    coin_id,
                    what,
                    end_of(series.first + place * DAY),
                    float(value),
                    float(reference),
                )


def usual(series: Series, values: np.ndarray) -> np.ndarray:
    """For each day the mean of the 30 days before, added in order of time; NaN unless all are known."""
    total = np.zeros(len(values))
    for column in series.last(series.before(values, 1), 30).T:
        total = total + column
    return total / 30


def events_of_pages(snapshots) -> Iterable[tuple]:
    for (vs_currency,), its in grouped(snapshots, "vs_currency").items():
        pages: dict[date, dict[str, list[dict]]] = defaultdict(lambda: defaultdict(list))
        for row in sorted(its, key=lambda row: row["snapshot_at"]):
            pages[day_of(row["snapshot_at"])][row["coin_id"]].append(row)
        in_order = sorted(pages)
        for day_before, day in pairwise(in_order):
            if (day - day_before).days > 7:
                continue
            page, before = pages[day], pages[day_before]
            compared = min(len(page), len(before))
            now, then = largest(page, compared), largest(before, compared)
            first = min(rows[0]["snapshot_at"] for rows in page.values())
            for coin_id in now - then:
                yield rank_event(vs_currency, coin_id, "entered", page[coin_id][0]["snapshot_at"], page, compared)
            for coin_id in then - now:
                yield rank_event(vs_currency, coin_id, "left", first, before, compared)
            for coin_id, rows in page.items():
                high, high_at = rows[-1]["ath"], rows[-1]["ath_date"]
                old = before[coin_id][-1] if coin_id in before else None
                if old is None or None in (high, high_at, old["ath"], old["ath_date"]):
                    continue
                if high > old["ath"] and high_at > old["ath_date"]:
                    at = min(max(high_at, rows[0]["snapshot_at"]), rows[-1]["snapshot_at"])
                    yield (vs_currency, coin_id, "record_high", at, high, old["ath"])


def largest(page, count: int) -> set[str]:
    def order(coin_id):
        rank = page[coin_id][-1]["market_cap_rank"]
        return (math.inf if rank is None else rank, coin_id)

    return set(sorted(page, key=order)[:count])


def rank_event(vs_currency, coin_id, kind, at, page, compared) -> tuple:
    rank = page[coin_id][-1]["market_cap_rank"]
    return (vs_currency, coin_id, kind, at, None if rank is None else float(rank), float(compared))
