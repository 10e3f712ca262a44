"""Gold tables as Spark would hand them over, made by a seeded random walk: exactly the columns of coinlake.schema.

`gold(...)` computes what the pipeline computes, in plain pandas; `catalog(frames)` puts the frames into DuckDB
behind Spark's `sql(text).toPandas()`, so that the reports' queries run without Spark.
"""

from datetime import date, datetime, timedelta
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd

from coinlake import schema
from coinlake.gold.kinds import kinds_of

NEWEST = date(2026, 8, 11)
NAMES = {
    "bitcoin": ("BTC", "Bitcoin", 64_000.0, 1.2e12),
    "ethereum": ("ETH", "Ethereum", 3_100.0, 3.7e11),
    "tether": ("USDT", "Tether", 1.0, 1.8e11),
    "solana": ("SOL", "Solana", 150.0, 7.0e10),
    "ripple": ("XRP", "XRP", 0.52, 5.8e10),
    "dogecoin": ("DOGE", "Dogecoin", 0.12, 1.7e10),
    "chainlink": ("LINK", "Chainlink", 14.0, 8.6e9),
    "shiba-inu": ("SHIB", "Shiba Inu", 0.0000187, 8.0e9),
    "litecoin": ("LTC", "Litecoin", 71.0, 5.3e9),
    "pepe": ("PEPE", "Pepe", 0.0000079, 3.3e9),
}
QUOTES = {"usd": 1.0, "eur": 0.86, "chf": 0.8}


def typed(table, rows):
    """Rows as the frame that Spark's toPandas gives for this table: its columns, in order, in its types."""
    kinds = {
        "INT": "int32",
        "BIGINT": "int64",
        "DOUBLE": "float64",
        "BOOLEAN": "bool",
        "TIMESTAMP": "datetime64[ns]",
    }
    frame = pd.DataFrame(rows, columns=table.column_names).reset_index(drop=True)
    for column in table.columns:
        values = frame[column.name]
        assert not (column.required and values.isna().any()), f"{table.name}.{column.name} has a NULL"
        if column.type == "DATE":
            frame[column.name] = pd.Series([_day(value) for value in values], dtype=object)
        elif column.type in {"STRING", "BOOLEAN"} and not column.required:
            frame[column.name] = values.astype(object).where(values.notna(), None)
        elif column.type in kinds:
            has_null = values.isna().any() and column.type in {"INT", "BIGINT"}
            frame[column.name] = values.astype("float64" if has_null else kinds[column.type])
    return frame


def gold(
    *,
    coins=10,
    days=400,
    newest=NEWEST,
    seed=7,
    young=None,
    source="simulated",
    fear_greed=True,
    pegged=False,
    dead=None,
    copies=None,
    quotes=QUOTES,
):
    """All gold tables that reports read, by name.

    `young` maps coin ids to their few days of history, `dead` to the days since their last close; `pegged` lets
    all coins stand still, `copies` lets coins move as another does; `quotes` are the currencies of the months.
    """
    walk = _walk(coins, days, newest, seed, young or {}, {"tether"} if not pegged else None)
    paths = {coin["coin_id"].iloc[0]: coin["close"] for coin in walk}
    walk = [_copied(coin, paths, (copies or {}).get(coin["coin_id"].iloc[0])) for coin in walk]
    walk = [coin.head(len(coin) - (dead or {}).get(coin["coin_id"].iloc[0], 0)) for coin in walk]
    walk = [coin for coin in walk if len(coin)]
    trends = pd.concat([_trend(coin) for coin in walk])
    kinds = kinds_of(pd.concat(walk).assign(vs_currency="usd"))
    frames = {
        "dim_coin": _dim_coin(walk, kinds),
        "market_now": _now(walk, kinds),
        "market_events": _events(walk),
        "fact_price_daily": _facts(walk),
        "price_averages_daily": pd.concat([_averages(coin) for coin in walk]),
        "market_trends_daily": trends,
        "market_daily": _market(trends, seed, fear_greed),
        "coin_monthly": pd.concat([_monthly(coin, code, rate) for coin in walk for code, rate in quotes.items()]),
        "correlation_90d": _correlation(trends),
        "candle_hourly": pd.concat([_hourly(coin) for coin in walk]),
        "candle_weekly": pd.concat([_weekly(coin) for coin in walk]),
        "api_usage": _usage(newest, source),
    }
    frames |= operations(newest=newest, seed=seed)
    return {name: typed(getattr(schema, name.upper()), rows) for name, rows in frames.items()}


def operations(*, newest=NEWEST, runs=12, seed=7, failed=False):
    """The operations tables of some runs, the newest one on the day after `newest`."""
    random = np.random.default_rng(seed)
    steps, per_run = [], []
    names = (
        "00_setup",
        "01_ingest_market_data",
        "02_ingest_context_data",
        "03_stream_to_silver",
        "04_build_gold",
        "05_load_sql",
        "06_report_price_averages",
        "07_report_market_trends",
    )
    usual = (3.1, 4.8, 2.2, 9.5, 13.0, 4.1, 5.2, 5.9)
    read = (0, 302, 3, 96_000, 96_000, 48_000, 21_000, 23_000)
    written = (27, 302, 3, 95_210, 61_000, 48_000, 0, 0)
    for number in range(runs):
        start = datetime.combine(newest, datetime.min.time()) + timedelta(days=1, hours=14.4 - (runs - 1 - number))
        run_id, clock, mine = f"20260812T{14 - (runs - 1 - number) % 14:02d}2200Z-{number:08x}", start, []
        for place, name in enumerate(names):
            seconds = float(usual[place] * random.uniform(0.85, 1.25))
            breaks = failed and number == runs - 1 and name == "04_build_gold"
            mine.append(
                {
                    "run_id": run_id,
                    "step": name,
                    "status": "failed" if breaks else "succeeded",
                    "started_at": clock,
                    "ended_at": clock + timedelta(seconds=seconds),
                    "seconds": seconds,
                    "rows_read": None if breaks else read[place],
                    "rows_written": None if breaks else written[place],
                    "rows_rejected": None if breaks else (790 if place == 3 else 0),
                    "table_versions": "{}",
                    "parameters": '{"plan": "demo", "credits_per_month": 0, "source": "simulated"}',
                    "code_hash": "0123456789ab",
                    "message": "The table is gone." if breaks else None,
                }
            )
            clock += timedelta(seconds=seconds + 0.3)
            if breaks:
                break
        steps += mine
        frame = pd.DataFrame(mine)
        per_run.append(
            {
                "run_id": run_id,
                "started_at": start,
                "ended_at": frame["ended_at"].max(),
                "steps": len(frame),
                "status": "succeeded" if (frame["status"] == "succeeded").all() else "failed",
                "seconds": (frame["ended_at"].max() - start).total_seconds(),
                **{name: frame[name].sum() for name in ("rows_read", "rows_written", "rows_rejected")},
            }
        )
    noon = datetime.combine(newest, datetime.min.time()) + timedelta(days=1, hours=14.4)
    ages = {
        "cleaned_data.coin_snapshots": 0.1,
        "cleaned_data.coin_prices": 0.4,
        "cleaned_data.fx_rates": 62.0,
        "aggregated_data.market_trends_daily": 14.4,
        "aggregated_data.price_averages_daily": 14.4,
    }
    freshness = [
        {
            "table_name": name,
            "as_of": noon - timedelta(hours=hours),
            "rows": 1000 * (i + 1),
            "sla_hours": 26.0,
            "version": i,
        }
        for i, (name, hours) in enumerate(ages.items())
    ]
    freshness.append(
        {"table_name": "cleaned_data.weather_daily", "as_of": None, "rows": 0, "sla_hours": 26.0, "version": 0}
    )
    quarantine = [
        {
            "date": newest - timedelta(days=back),
            "table_name": table,
            "reason": reason,
            "records": records,
            "replayed": again,
        }
        for back, table, reason, records, again in (
            (0, "coin_snapshots", "price_missing", 12, 0),
            (0, "coin_prices", "timestamp_out_of_range", 30, 30),
            (1, "coin_snapshots", "price_missing", 9, 4),
            (2, "coin_prices", "not_json", 2, 0),
        )
    ]
    return {"run_steps": steps, "pipeline_runs": per_run, "freshness": freshness, "quarantine_daily": quarantine}


def empty():
    """All gold tables without a row."""
    return {table.name: typed(table, []) for table in schema.TABLES if table.schema == schema.AGGREGATED}


class Catalog:
    """DuckDB behind the calls of a Spark session that the reports make: what is read is the table's name."""

    def __init__(self, frames):
        self._connection = duckdb.connect()
        self._connection.execute("ATTACH ':memory:' AS spark_catalog")
        self._connection.execute("CREATE SCHEMA spark_catalog.aggregated_data")
        for table in schema.TABLES:
            if table.schema != schema.AGGREGATED:
                continue
            types = {"STRING": "VARCHAR", "MAP<STRING, DOUBLE>": "MAP(VARCHAR, DOUBLE)"}
            columns = ", ".join(f'"{c.name}" {types.get(c.type, c.type)}' for c in table.columns)
            name = table.full_name("spark_catalog")
            self._connection.execute(f"CREATE TABLE {name} ({columns})")
            if table.name in frames and len(frames[table.name]):
                self._connection.register("given", frames[table.name])
                self._connection.execute(f"INSERT INTO {name} SELECT * FROM given")
                self._connection.unregister("given")

    @property
    def read(self):
        return SimpleNamespace(table=str)

    def sql(self, text, **tables):
        self._answer = self._connection.execute(text.format(**tables))
        return self

    def toPandas(self):
        frame = self._answer.df()
        for name, kind in zip(frame.columns, self._answer.description, strict=True):
            if str(kind[1]) == "DATE":
                frame[name] = pd.Series([_day(value) for value in frame[name]], dtype=object)
        return frame


def _walk(coins, days, newest, seed, young, still):
    """One frame per coin: coin_id, date, close, market_cap; a market factor, and each coin's own moves."""
    random = np.random.default_rng(seed)
    calendar = pd.date_range(end=pd.Timestamp(newest), periods=days)
    market = random.normal(0.0002, 0.022, days)
    catalogue = list(NAMES.items()) + [
        (f"coin-{i}", (f"C{i}", f"Coin {i}", 10.0 / i, 1e9 / i)) for i in range(1, max(0, coins - len(NAMES)) + 1)
    ]
    result = []
    for coin_id, (_, _, price, cap) in catalogue[:coins]:
        own = random.normal(0.0, 0.03, days)
        moves = (
            0.0005 * own
            if still is None or coin_id in still
            else 0.9 * market + (0.3 if coin_id == "bitcoin" else 1) * own
        )
        path = np.exp(np.cumsum(moves[::-1]))[::-1]
        closes = price * path[-1] / path
        frame = pd.DataFrame(
            {"coin_id": coin_id, "date": calendar, "close": closes, "market_cap": cap * closes / price}
        )
        result.append(frame.tail(young.get(coin_id, days)).reset_index(drop=True))
    return result


def _copied(coin, paths, original):
    """The coin with the moves of the original, if it has one; its last close stays."""
    if original is None:
        return coin
    return coin.assign(close=paths[original] * (coin["close"].iloc[-1] / paths[original].iloc[-1]))


def _named(coin_id):
    """Symbol and name of a coin."""
    other = (coin_id.upper().replace("OIN-", ""), coin_id.replace("-", " ").title())
    return NAMES.get(coin_id, other)[:2]


def _dim_coin(walk, kinds):
    rows = []
    for key, coin in enumerate(walk, 1):
        coin_id = coin["coin_id"].iloc[0]
        symbol, name = _named(coin_id)
        rows.append(
            {
                "coin_key": key,
                "coin_id": coin_id,
                "symbol": symbol,
                "name": name,
                "max_supply": None,
                "valid_from": datetime(1900, 1, 1),
                "valid_to": datetime(2200, 1, 1),
                "is_current": True,
                "kind": kinds[coin_id].kind if coin_id in kinds else "free",
                "original_id": kinds[coin_id].original_id if coin_id in kinds else None,
            }
        )
    return rows


def _hourly(coin):
    """The hours of the last complete day and of the morning after, each a thousandth above the one before."""
    hours = pd.date_range(coin["date"].iloc[-1], periods=36, freq="h")
    close = coin["close"].iloc[-1] * (1 + np.arange(36) / 1000)
    prices = dict.fromkeys(("open", "high", "low", "close"), close)
    period = hours.strftime("%Y-%m")
    return pd.DataFrame(
        {"coin_id": coin["coin_id"].iloc[0], "vs_currency": "usd", "hour": hours, "period": period, "samples": 1}
        | prices
    )


def _now(walk, kinds):
    """A snapshot of each coin in the afternoon after its last close; smaller coins have more unusual volumes."""
    rows = []
    for rank, coin in enumerate(walk, 1):
        last, closes = coin.iloc[-1], coin["close"].to_numpy()
        price = last["close"] * 1.01
        symbol, name = _named(last["coin_id"])
        rows.append(
            {
                "vs_currency": "usd",
                "coin_id": last["coin_id"],
                "snapshot_at": last["date"] + pd.Timedelta(days=1, hours=14),
                "symbol": symbol,
                "name": name,
                "price": price,
                "return_1h": 0.001,
                "return_24h": 0.0125,
                "return_7d": price / closes[-8] - 1 if len(coin) > 7 else None,
                "return_30d": price / closes[-31] - 1 if len(coin) > 30 else None,
                "market_cap": last["market_cap"],
                "market_cap_rank": rank,
                "volume_24h": 0.05 * last["market_cap"],
                "volume_ratio": 0.5 + 0.25 * rank if len(coin) >= 20 else None,
                "kind": kinds[last["coin_id"]].kind if last["coin_id"] in kinds else "free",
            }
        )
    return pd.DataFrame(rows)


def _events(walk):
    """A record, a turn and an unusual volume of the first coins, in the last days."""
    kinds = (("record_high", 2, 101.0, 100.0), ("trend_up", 1, 51.0, 50.0), ("volume_anomaly", 12, 4e9, 1e9))
    return [
        {
            "vs_currency": "usd",
            "coin_id": coin["coin_id"].iloc[0],
            "kind": kind,
            "happened_at": coin["date"].iloc[-1] + pd.Timedelta(days=1 - back),
            "value": value,
            "reference": reference,
        }
        for coin, (kind, back, value, reference) in zip(walk, kinds, strict=False)
    ]


def _facts(walk):
    """Daily candles, which open with the close before: the last ten from hours, others from one price."""
    parts = []
    for key, coin in enumerate(walk, 1):
        random = np.random.default_rng(key)
        open_ = _opens(coin)
        fine = np.arange(len(coin)) >= len(coin) - 10
        swing = np.where(fine, random.uniform(0.002, 0.03, len(coin)), 0.0)
        parts.append(
            coin.assign(
                vs_currency="usd",
                period=coin["date"].dt.strftime("%Y-%m"),
                coin_key=key,
                currency_key=1,
                date_key=coin["date"].dt.strftime("%Y%m%d").astype(int),
                open=open_,
                high=np.maximum(open_, coin["close"]) * (1 + swing),
                low=np.minimum(open_, coin["close"]) * (1 - swing),
                average=(open_ + coin["close"]) / 2,
                samples=np.where(fine, 24, 1),
                total_volume=0.05 * coin["market_cap"],
                is_complete=True,
            )
        )
    return pd.concat(parts)


def _opens(coin):
    """The close of the day before; of the first day its own."""
    return coin["close"].shift().fillna(coin["close"])


def _averages(coin):
    frame = coin.assign(vs_currency="usd")
    for days in (7, 30, 90, 200):
        frame[f"average_{days}d"] = coin["close"].rolling(days).mean()
        frame[f"days_{days}d"] = coin["close"].rolling(days, min_periods=1).count().astype(int)
    above = (frame["average_30d"] > frame["average_90d"]).where(frame["average_90d"].notna())
    before = above.shift()
    known = above.notna() & before.notna()
    frame["cross_30d_90d"] = np.where(
        known & (above == 1) & (before == 0), "up", np.where(known & (above == 0) & (before == 1), "down", None)
    )
    return frame


def _trend(coin):
    close = coin["close"]
    frame = coin.assign(vs_currency="usd")
    for days in (1, 7, 30, 90):
        frame[f"return_{days}d"] = close / close.shift(days) - 1
    frame["index_100"] = close / close.iloc[0] * 100
    frame["average_50d"] = close.rolling(50).mean()
    frame["above_average_50d"] = (close > frame["average_50d"]).astype(object).where(frame["average_50d"].notna())
    frame["volatility_30d"] = np.log(close).diff().rolling(30).std() * np.sqrt(365)
    frame["drawdown"] = close / close.cummax() - 1
    frame["trend"] = "sideways"
    return frame


def _market(trends, seed, fear_greed):
    random = np.random.default_rng(seed)
    rows, mood = [], 50.0
    for day, one in trends.groupby("date"):
        with_average = one[one["average_50d"].notna()]
        mood = float(np.clip(mood + random.normal(0, 5) + 0.04 * (50 - mood), 3, 97))
        labels = ((25, "Extreme Fear"), (46, "Fear"), (55, "Neutral"), (75, "Greed"), (101, "Extreme Greed"))
        caps = one["market_cap"].sum()
        rows.append(
            {
                "date": day,
                "vs_currency": "usd",
                "coins": len(one),
                "advancers": (one["return_1d"] > 0).sum(),
                "decliners": (one["return_1d"] < 0).sum(),
                "coins_with_average_50d": len(with_average),
                "share_above_average_50d": with_average["above_average_50d"].astype(float).mean()
                if len(with_average)
                else None,
                "median_return_1d": _median(one["return_1d"]),
                "median_index": _median(one["index_100"]),
                "median_drawdown": _median(one["drawdown"]),
                "median_volatility_30d": _median(one["volatility_30d"]),
                "tracked_market_cap": caps,
                "bitcoin_share": one.loc[one["coin_id"] == "bitcoin", "market_cap"].sum() / caps,
                "total_market_cap": None,
                "bitcoin_dominance": None,
                "fear_greed_value": int(mood) if fear_greed else None,
                "fear_greed_classification": next(word for limit, word in labels if int(mood) < limit)
                if fear_greed
                else None,
                "coins_with_return_1d": one["return_1d"].count(),
                "coins_with_volatility_30d": one["volatility_30d"].count(),
                "coins_with_market_cap": one["market_cap"].count(),
            }
        )
    if rows:
        rows[-1] |= {"total_market_cap": 2.4e12, "bitcoin_dominance": 0.561}
    return rows


def _monthly(coin, code, rate):
    closes = coin.set_index("date")["close"] * rate
    groups = closes.groupby(closes.index.to_period("M"))
    frame = groups.agg(["mean", "last", "max", "min", "count"])
    return pd.DataFrame(
        {
            "coin_id": coin["coin_id"].iloc[0],
            "vs_currency": code,
            "month": frame.index.to_timestamp(),
            "average": frame["mean"].to_numpy(),
            "close": frame["last"].to_numpy(),
            "high": frame["max"].to_numpy(),
            "low": frame["min"].to_numpy(),
            "return_1m": (frame["last"] / frame["last"].shift() - 1).to_numpy(),
            "days": frame["count"].to_numpy(),
            "is_complete": (frame["count"] == frame.index.days_in_month).to_numpy(),
        }
    )


def _weekly(coin):
    frame = coin.assign(week=coin["date"].dt.to_period("W").dt.start_time, open=_opens(coin))
    frame["high"], frame["low"] = frame[["open", "close"]].max(axis=1), frame[["open", "close"]].min(axis=1)
    weeks = frame.groupby("week").agg(
        first=("open", "first"),
        max=("high", "max"),
        min=("low", "min"),
        last=("close", "last"),
        count=("close", "count"),
    )
    weeks = weeks.reset_index()
    return pd.DataFrame(
        {
            "coin_id": coin["coin_id"].iloc[0],
            "vs_currency": "usd",
            "week": weeks["week"],
            "open": weeks["first"],
            "high": weeks["max"],
            "low": weeks["min"],
            "close": weeks["last"],
            "samples": weeks["count"],
            "days": weeks["count"],
            "is_complete": weeks["count"] == 7,
        }
    )


def _correlation(trends):
    closes = trends.pivot(index="date", columns="coin_id", values="close")
    largest = trends.groupby("coin_id")["market_cap"].last().nlargest(15).index
    moves = np.log(closes[largest]).diff().tail(90)
    rows = []
    for one in sorted(moves):
        for other in sorted(moves):
            both = moves[[one, other]].dropna() if one < other else []
            if len(both) > 2:
                rows.append(
                    {
                        "coin_a": one,
                        "coin_b": other,
                        "vs_currency": "usd",
                        "date": closes.index[-1],
                        "correlation": both[one].corr(both[other]),
                        "days": len(both),
                    }
                )
    return rows


def _usage(newest, source):
    rows = []
    for back in range(12):
        for endpoint, calls in (
            ("coins_markets", 1),
            ("coins_market_chart", 50),
            ("global", 1),
            ("fear_greed", 1),
        ):
            rows.append(
                {
                    "date": newest + timedelta(days=1 - back),
                    "endpoint": endpoint,
                    "source": source,
                    "attempts": calls + (back % 3 == 0),
                    "landed": calls,
                    "errors": int(back % 3 == 0),
                    "rate_limited": int(back % 3 == 0),
                    "credits": 0 if endpoint == "fear_greed" else calls,
                    "bytes": 90_000 * calls,
                }
            )
    return rows


def _median(values):
    known = values.dropna()
    return known.median() if len(known) else None


def _day(value):
    return None if pd.isna(value) else pd.Timestamp(value).date()
