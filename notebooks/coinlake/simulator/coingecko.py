"""CoinGecko's API v3 over the simulated market: routes, limits and error bodies.

Every route is a pure function of (request, moment). Amounts are in the asked currency; moments in charts are
milliseconds, elsewhere ISO 8601 or Unix seconds, as the real API has them.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from coinlake.simulator import chance, notation
from coinlake.simulator.catalogue import CATEGORIES, EMPTY_CATEGORIES
from coinlake.simulator.market import Market, Quotes
from coinlake.simulator.rates import BY_CODE, Rates
from coinlake.simulator.walks import DAY, HOUR, SLOT, ZERO_SECONDS

PRICING = "https://www.coingecko.com/en/api/pricing"
WINDOWS = {"1h": 1, "24h": 24, "7d": 7 * 24, "14d": 14 * 24, "30d": 30 * 24, "200d": 200 * 24, "1y": 365 * 24}
ORDERS = ("market_cap_desc", "market_cap_asc", "volume_desc", "volume_asc", "id_asc", "id_desc")
CATEGORY_ORDERS = (
    "market_cap_desc", "market_cap_asc", "name_desc", "name_asc", "market_cap_change_24h_desc",
    "market_cap_change_24h_asc",
)  # fmt: skip
# Categories that nobody has described.
WITHOUT_CONTENT = ("tokenized-gold", "wallets")
OHLC_DAYS = {"1": 1, "7": 7, "14": 14, "30": 30, "90": 90, "180": 180, "365": 365}
# A day's point appears ten minutes after midnight; a few only with the morning.
DAILY_AFTER, DAILY_LATE_AFTER = 600, 6 * HOUR
HOURLY_SINCE = int(datetime(2018, 1, 30, tzinfo=UTC).timestamp())
FIRST_DAY = int(datetime(2013, 4, 28, tzinfo=UTC).timestamp())
FREE_DAYS = 365
LATEST = int(datetime(2044, 1, 1, tzinfo=UTC).timestamp())
MANY_HOURS = 100 * 24


class Refused(Exception):
    """An answer other than 200: status and JSON body."""

    def __init__(self, status: int, body: object):
        super().__init__(status, body)
        self.status, self.body = status, body


def iso(moment: int | float) -> str:
    """2026-08-12T14:19:30.000Z"""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def status_error(status: int, code: int, message: str, at: datetime | None = None) -> Refused:
    """The error shape {"status": {"error_code", "error_message"}}, with a timestamp where there is one."""
    inner: dict = {"error_code": code, "error_message": message}
    if at is not None:
        inner = {"timestamp": stamp(at), **inner}
    return Refused(status, {"status": inner})


def stamp(at: datetime) -> str:
    """2026-08-12T14:22:00.000+00:00"""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def plan_of(host: str, headers: Mapping[str, str], query: Mapping[str, str], at: datetime) -> str:
    """keyless, demo or pro; raises Refused as the real gate does.

    A key is any text that begins with CG-. One that begins with CG-demo is known to be a demo key, so that
    using it on the pro host is answered as it really is; the same for CG-pro on the public host.
    """
    agent = headers.get("user-agent", "").strip()
    if not agent or re.match(r"(python-requests|python-urllib|java|go-http-client|okhttp)\b", agent, re.I):
        raise status_error(403, 403, (
            "Please add a descriptive User-Agent to your request. For higher rate limits & stable integration, "
            f"please subscribe to our API plans: {PRICING} ."
        ))  # fmt: skip
    demo = headers.get("x-cg-demo-api-key") or query.get("x_cg_demo_api_key")
    pro = headers.get("x-cg-pro-api-key") or query.get("x_cg_pro_api_key")
    on_pro_host = host == "pro-api.coingecko.com"
    if on_pro_host and (demo or (pro and pro.startswith("CG-demo"))):
        raise _wrong_root(10011, "Demo", "pro-api.coingecko.com to api.coingecko.com", at)
    if not on_pro_host and (pro or (demo and demo.startswith("CG-pro"))):
        raise _wrong_root(10010, "Pro", "api.coingecko.com to pro-api.coingecko.com", at)
    key = pro if on_pro_host else demo
    if (on_pro_host and not key) or (key and not key.startswith("CG-")):
        raise status_error(401, 10002, (
            "API Key Missing. Please make sure you're using the right authentication method. For Demo API key, "
            "please ensure you're using https://api.coingecko.com/api/v3 as your root URL."
        ), at)  # fmt: skip
    return "pro" if on_pro_host else "demo" if demo else "keyless"


def _wrong_root(code: int, kind: str, change: str, at: datetime) -> Refused:
    message = f"If you are using {kind} API key, please change your root URL from {change}."
    return Refused(400, {"timestamp": stamp(at), "error_code": code, "status": {"error_message": message}})


class CoinGecko:
    """The routes under /api/v3."""

    def __init__(self, market: Market, rates: Rates):
        self.market, self.rates = market, rates
        self.catalogue = market.catalogue
        self.codes = [currency.code for currency in rates.quoted()]
        self._routes: list[tuple[str, Callable[..., object], int]] = [
            (r"/ping", self._ping, 30),
            (r"/coins/markets", self._markets, 30),
            (r"/coins/list", self._list, 30),
            (r"/coins/categories", self._categories, 60),
            (r"/coins/([^/]+)", self._coin, 30),
            (r"/coins/([^/]+)/market_chart", self._chart, 30),
            (r"/coins/([^/]+)/market_chart/range", self._range, 30),
            (r"/coins/([^/]+)/ohlc", self._ohlc, 30),
            (r"/global", self._global, 60),
            (r"/simple/price", self._simple, 30),
            (r"/simple/supported_vs_currencies", self._currencies, 30),
            (r"/exchange_rates", self._exchange_rates, 60),
        ]

    def answer(self, path: str, query: Mapping[str, str], plan: str, at: datetime) -> tuple[object, int]:
        """The body and its max-age in seconds; raises Refused."""
        moment = int(at.timestamp())
        if not FIRST_DAY < moment < LATEST:
            raise Refused(
                400, {"error": f"the simulated market runs from 2013-04-29 to 2043, without {iso(moment)}"}
            )
        for pattern, route, max_age in self._routes:
            match = re.fullmatch(pattern, path.rstrip("/"))
            if match:
                return route(*match.groups(), query=query, plan=plan, at=at, moment=moment), max_age
        raise Refused(404, {"error": "Incorrect path. Please check https://www.coingecko.com/api/"})

    # Shared by the routes.

    def _vs_currency(self, query) -> str:
        code = _required(query, "vs_currency").lower()
        if code not in self.codes:
            raise Refused(400, {"error": "invalid vs_currency"})
        return code

    def _row(self, identity: str, moment: int) -> int:
        row = self.catalogue.number.get(identity)
        if row is None or not self.catalogue.active(self.market.refreshed_at(moment))[row]:
            raise Refused(404, {"error": "coin not found"})
        return row

    def _chosen(self, query, moment: int) -> np.ndarray | None:
        """The rows that ids, names or symbols name (in this order of precedence); None if none does."""
        active = self.catalogue.active(self.market.refreshed_at(moment))
        coins = self.catalogue.coins
        for parameter, key in (("ids", "id"), ("names", "name"), ("symbols", "symbol")):
            if query.get(parameter):
                wanted = {text.strip().lower() for text in query[parameter].split(",")}
                rows = [row for row in np.flatnonzero(active) if getattr(coins[row], key).lower() in wanted]
                if parameter == "symbols" and query.get("include_tokens", "top") != "all":
                    rows = self._largest_of_each_symbol(rows, moment)
                return np.array(rows, dtype=np.int64)
        return None

    def _largest_of_each_symbol(self, rows, moment):
        caps = self.market.caps(self.market.refreshed_at(moment))
        largest: dict[str, int] = {}
        for row in sorted(rows, key=lambda row: -caps[row]):
            largest.setdefault(self.catalogue.coins[row].symbol, row)
        return list(largest.values())

    def _in(self, code: str, moments: np.ndarray) -> np.ndarray:
        """Units of the currency per USD."""
        return self.rates.per_usd(code, moments)

    def _exactly_one(self, code: str, identity: str) -> bool:
        """A coin in its own currency is worth exactly one."""
        currency = BY_CODE[code]
        return currency.coin == identity and code not in ("bits", "sats")

    # Routes.

    def _ping(self, query, plan, at, moment):
        return {"gecko_says": "(V3) To the Moon!"}

    def _currencies(self, query, plan, at, moment):
        return self.codes

    def _list(self, query, plan, at, moment):
        if query.get("status") == "inactive" and plan != "pro":
            raise status_error(401, 10005, (
                f"This request is limited to PRO API subscribers. Please visit {PRICING} to subscribe to our "
                "API plan to access exclusive endpoints."
            ), at)  # fmt: skip
        shown = self.catalogue.active(self.market.refreshed_at(moment))
        if query.get("status") == "inactive":
            shown = self.catalogue.delisted_at <= moment
        listed = []
        for coin in sorted((self.catalogue.coins[row] for row in np.flatnonzero(shown)), key=lambda c: c.id):
            entry = {"id": coin.id, "symbol": coin.symbol, "name": coin.name}
            if _true(query, "include_platform"):
                entry["platforms"] = self._platforms(coin)
            listed.append(entry)
        return listed

    def _platforms(self, coin) -> dict:
        if coin.platform is None:
            return {}
        digits = int(chance.stream(self.market.seed, "address", coin.id))
        return {coin.platform: f"0x{digits:016x}{digits * 0x9E3779B97F4A7C15 % 2**96:024x}" if digits % 50 else ""}

    def _markets(self, query, plan, at, moment):
        code = self._vs_currency(query)
        per_page = min(max(_whole(query, "per_page", 100), 1), 250)
        page = max(_whole(query, "page", 1), 1)
        precision = _precision(query)
        windows = [w for w in (query.get("price_change_percentage") or "").split(",") if w in WINDOWS]
        rows = self._ordered(query, moment)[(page - 1) * per_page : page * per_page]
        if not len(rows):
            return []
        facts = self._facts(rows, code, moment)
        changes = {window: self._window_change(rows, facts, code, WINDOWS[window]) for window in {*windows, "24h"}}
        lines = self._sparklines(rows, facts["updated"], moment, code) if _true(query, "sparkline") else None
        answer = []
        for place in range(len(rows)):
            entry = self._market_row(int(rows[place]), {k: v[place] for k, v in facts.items()}, code, precision)
            entry["price_change_percentage_24h"] = notation.percent(changes["24h"][place], 1)
            if _true(query, "include_rehypothecated"):
                entry["market_cap_rank_with_rehypothecated"] = int(facts["wide_rank"][place]) or None
            if lines is not None:
                entry["sparkline_in_7d"] = {"price": lines[place]}
            for window in sorted(windows):
                entry[f"price_change_percentage_{window}_in_currency"] = notation.percent(
                    changes[window][place], 1
                )
            answer.append(entry)
        return answer

    def _ordered(self, query, moment: int) -> np.ndarray:
        refreshed = self.market.refreshed_at(moment)
        rows = self._chosen(query, moment)
        if query.get("category"):
            rows = self._in_category(query["category"], refreshed)
        if rows is None:
            rows = np.flatnonzero(self.catalogue.active(refreshed))
        order = query.get("order") or ORDERS[0]
        subject, direction = order.rsplit("_", 1) if order in ORDERS else ("market_cap", "desc")
        if subject == "id":
            return np.array(
                sorted(rows, key=lambda row: self.catalogue.coins[row].id, reverse=direction == "desc"),
                dtype=np.int64,
            )
        values = np.nan_to_num(self.market.caps(refreshed)[rows])
        if subject == "volume":
            values = self.market.volumes(rows, np.full(len(rows), refreshed), values)
        # What is unknown comes last, whichever way round.
        signed = np.where(values > 0, -values if direction == "desc" else values, np.inf)
        return rows[np.argsort(signed, kind="stable")]

    def _in_category(self, category: str, refreshed: int) -> np.ndarray:
        kinds = {kind for kind, (identity, _) in CATEGORIES.items() if identity == category}
        if not kinds and category not in dict(EMPTY_CATEGORIES):
            raise Refused(404, {"error": "category not found"})
        active = self.catalogue.active(refreshed)
        rows = [r for r in np.flatnonzero(active) if self.catalogue.coins[r].kind in kinds]
        return np.array(rows, dtype=np.int64)

    def _facts(self, rows: np.ndarray, code: str, moment: int) -> dict[str, np.ndarray]:
        """The columns of a markets page, each in `code` where it is money; one value for each row."""
        return self._converted(self._usd_facts(rows, moment), rows, code)

    def _usd_facts(self, rows: np.ndarray, moment: int) -> dict[str, np.ndarray]:
        market, catalogue = self.market, self.catalogue
        updated = market.updated_at(rows, moment)
        before = updated - DAY
        refreshed = market.refreshed_at(moment)
        price, price_before = market.prices_at(rows, updated), market.prices_at(rows, before)
        supply = market.supplies(rows, updated)
        cap = price * supply
        cap_before = price_before * market.supplies(rows, before)
        high, low = market.extremes(rows, refreshed)
        high = np.where(np.isnan(high), price, np.maximum(high, price))
        low = np.where(np.isnan(low), price, np.minimum(low, price))
        volume = market.volumes(rows, updated, cap)
        records = market.records(rows, refreshed)
        new_high, new_low = high > records["high"], low < records["low"]
        known = catalogue.cap_known(refreshed)[rows]
        stale = updated < refreshed - 2 * DAY
        rank, wide_rank = (ranks[rows] for ranks in market.ranks(refreshed))
        return {
            "price": price, "price_before": np.where(stale, np.nan, price_before),
            "high": np.where(stale, price, high), "low": np.where(stale, price, low),
            "cap": np.where(known, cap, 0.0), "cap_before": np.where(known & ~stale, cap_before, np.nan),
            "volume": volume, "supply": supply, "updated": updated, "rank": rank, "wide_rank": wide_rank,
            "ath": np.where(new_high, high, records["high"]),
            "ath_at": np.where(new_high, updated, records["high_at"]),
            "atl": np.where(new_low, low, records["low"]),
            "atl_at": np.where(new_low, updated, records["low_at"]),
            "stale": stale, "gain": price / catalogue.price[rows],
        }  # fmt: skip

    def _converted(self, facts: dict[str, np.ndarray], rows: np.ndarray, code: str) -> dict[str, np.ndarray]:
        """The columns in another currency, each at the rate of its own moment."""
        if code == "usd":
            return facts
        now, then = self._in(code, facts["updated"]), self._in(code, facts["updated"] - DAY)
        rates = dict.fromkeys(("price", "high", "low", "cap", "volume"), now)
        rates |= dict.fromkeys(("price_before", "cap_before"), then)
        rates |= {name: self._in(code, facts[f"{name}_at"]) for name in ("ath", "atl")}
        facts = facts | {name: facts[name] * rate for name, rate in rates.items()}
        for place, row in enumerate(rows):
            if self._exactly_one(code, self.catalogue.coins[row].id):
                for column in ("price", "price_before", "high", "low"):
                    facts[column][place] = 1.0
        return facts

    def _market_row(self, row: int, facts: dict, code: str, precision: str | None) -> dict:
        coin = self.catalogue.coins[row]
        crypto = BY_CODE[code].kind == "crypto"
        price, cap = facts["price"], facts["cap"]

        def shown(value):
            return notation.price(float(value), None, crypto)

        ceiling = coin.max_supply or coin.total_supply
        valued = coin.fdv_known and ceiling is not None and cap > 0
        roi: dict[str, object] | float | None = None
        if coin.roi:
            currency, at_anchor = coin.roi
            times = (1 + at_anchor) * float(facts["gain"]) - 1
            roi = times and {"times": times, "currency": currency, "percentage": times * 100}
        return {
            "id": coin.id, "symbol": coin.symbol, "name": coin.name, "image": image(coin),
            "current_price": notation.price(float(price), precision, crypto),
            "market_cap": notation.cap(float(cap)), "market_cap_rank": int(facts["rank"]) or None,
            "fully_diluted_valuation": notation.cap(float(price * ceiling)) if valued else None,
            "total_volume": notation.amount(float(facts["volume"])),
            "high_24h": shown(facts["high"]), "low_24h": shown(facts["low"]),
            "price_change_24h": notation.change(float(price - facts["price_before"])),
            "price_change_percentage_24h": None,
            "market_cap_change_24h": notation.change(float(cap - facts["cap_before"])),
            "market_cap_change_percentage_24h": notation.percent(_percent(cap, facts["cap_before"]), 5),
            "circulating_supply": float(facts["supply"]),
            "total_supply": self._total_supply(coin, float(facts["supply"])), "max_supply": coin.max_supply,
            "ath": shown(facts["ath"]),
            "ath_change_percentage": notation.percent(_percent(price, facts["ath"]), 5),
            "ath_date": iso(facts["ath_at"]),
            "atl": shown(facts["atl"]),
            "atl_change_percentage": notation.percent(_percent(price, facts["atl"]), 5),
            "atl_date": iso(facts["atl_at"]),
            "roi": roi,
            "last_updated": iso(facts["updated"]),
        }  # fmt: skip

    def _total_supply(self, coin, circulating: float) -> float | None:
        if coin.total_supply is None:
            return None
        return max(float(coin.total_supply), circulating)

    def _window_change(self, rows, facts, code: str, hours: int) -> np.ndarray:
        """Per cent between the quote of the last hour and that of `hours` before; NaN if there is none.

        A change of 24 hours is taken from the hourly quotes and not from the price shown, so its sign need
        not agree with that of price_change_24h; nor does it in reality.
        """
        last = (facts["updated"] - ZERO_SECONDS) // HOUR
        change = np.full(len(rows), np.nan)
        for hour in np.unique(last):
            places = np.flatnonzero((last == hour) & ~facts["stale"])
            if len(places):
                now, then = (self._hour_quote(rows[places], int(h), code) for h in (hour, hour - hours))
                change[places] = (now / then - 1) * 100
        return change

    def _hour_quote(self, rows, hour: int, code: str) -> np.ndarray:
        moment = np.array([ZERO_SECONDS + hour * HOUR])
        return self.market.quotes(rows, hour, 1).prices[:, 0] * self._in(code, moment)

    def _sparklines(self, rows, updated, moment: int, code: str) -> list[list[float]]:
        # Of a coin that still trades it ends in the hour of the answer, even if the coin was last updated a
        # minute before that hour: recorded pages of minutes past the hour show it.
        ends = np.where(moment - updated < HOUR, moment, updated)
        lines = self.market.sparklines(rows, ends)
        if code == "usd":
            return [prices.tolist() for _, prices in lines]
        last = int(np.max(ends)) // HOUR * HOUR
        oldest = min((int(hours[0]) for hours, _ in lines if len(hours)), default=last)
        rates = self._in(code, np.arange(oldest, last + HOUR, HOUR))
        return [(prices * rates[(hours - oldest) // HOUR]).tolist() for hours, prices in lines]

    def _coin(self, identity, query, plan, at, moment):
        row = self._row(identity, moment)
        coin = self.catalogue.coins[row]
        who = np.array([row])
        ranks = self.market.ranks(self.market.refreshed_at(moment))
        rank, wide_rank = (int(column[row]) or None for column in ranks)
        platforms = self._platforms(coin)
        updated = int(self.market.updated_at(who, moment)[0])
        answer = {
            "id": coin.id, "symbol": coin.symbol, "name": coin.name, "web_slug": coin.id,
            "asset_platform_id": coin.platform, "platforms": platforms or {"": ""},
            "detail_platforms": {
                chain: {"decimal_place": 18 if address else None, "contract_address": address}
                for chain, address in (platforms or {"": ""}).items()
            },
            "block_time_in_minutes": 10 if coin.id == "bitcoin" else 0,
            "hashing_algorithm": "SHA-256" if coin.id == "bitcoin" else None,
            "categories": [CATEGORIES[coin.kind][1]], "preview_listing": False, "public_notice": None,
            "additional_notices": [], "has_supply_breakdown": False,
            "description": {"en": f"{coin.name} is a coin of the simulated market."},
            "links": {"homepage": [""], "whitepaper": "", "blockchain_site": [""], "official_forum_url": [""]},
            "image": {size: image(coin).replace("/large/", f"/{size}/") for size in ("thumb", "small", "large")},
            "country_origin": "", "genesis_date": iso(coin.listed_at)[:10],
            "sentiment_votes_up_percentage": None, "sentiment_votes_down_percentage": None,
            "watchlist_portfolio_users": int(chance.stream(self.market.seed, "watch", coin.id)) % 90_000,
            "market_cap_rank": rank, "market_cap_rank_with_rehypothecated": wide_rank,
        }  # fmt: skip
        if _true(query, "localization", True):
            answer["localization"] = {"en": coin.name}
        if _true(query, "market_data", True):
            answer["market_data"] = self._market_data(row, coin, moment, query)
        if _true(query, "community_data", True):
            answer["community_data"] = {"facebook_likes": None, "telegram_channel_user_count": None}
        if _true(query, "developer_data", True):
            answer["developer_data"] = {"forks": 0, "stars": 0, "subscribers": 0}
        answer["status_updates"] = []
        answer["last_updated"] = iso(updated)
        if _true(query, "tickers", True):
            answer["tickers"] = []
        return answer

    def _market_data(self, row, coin, moment, query) -> dict:
        who = np.array([row])
        in_usd = self._usd_facts(who, moment)
        columns = {code: self._converted(in_usd, who, code) for code in self.codes}
        rows = {
            code: self._market_row(row, {name: column[0] for name, column in facts.items()}, code, None)
            for code, facts in columns.items()
        }
        usd, facts = rows["usd"], columns["usd"]

        def each(name):
            return {code: entry[name] for code, entry in rows.items() if entry[name] is not None}

        data = {
            "current_price": each("current_price"), "total_value_locked": None, "mcap_to_tvl_ratio": None,
            "fdv_to_tvl_ratio": None, "roi": usd["roi"],
        }  # fmt: skip
        for name in ("ath", "ath_change_percentage", "ath_date", "atl", "atl_change_percentage", "atl_date"):
            data[name] = each(name)
        for name in ("market_cap", "fully_diluted_valuation", "total_volume", "high_24h", "low_24h"):
            data[name] = each(name)
        data["market_cap_rank"] = usd["market_cap_rank"]
        for name in ("price_change_24h", "market_cap_change_24h", "market_cap_change_percentage_24h"):
            if usd[name] is not None:
                data[name] = usd[name]
            data[f"{name}_in_currency"] = each(name)
        for window, hours in WINDOWS.items():
            changes = self._changes_everywhere(who, facts, hours)
            data[f"price_change_percentage_{window}_in_currency"] = changes
            if window != "1h" and "usd" in changes:
                data[f"price_change_percentage_{window}"] = changes["usd"]
        for name in ("total_supply", "circulating_supply", "max_supply"):
            if usd[name] is not None or name == "max_supply":
                data[name] = usd[name]
        data["max_supply_infinite"] = coin.max_supply is None
        if _true(query, "sparkline"):
            data["sparkline_7d"] = {"price": self._sparklines(who, facts["updated"], moment, "usd")[0]}
        data["last_updated"] = usd["last_updated"]
        return data

    def _changes_everywhere(self, who, facts, hours: int) -> dict[str, float | None]:
        """The change of one coin over so many hours, per cent, by currency; none if it is unknown."""
        if facts["stale"][0]:
            return {}
        last = int(facts["updated"][0] - ZERO_SECONDS) // HOUR
        quotes = np.array([self.market.quotes(who, hour, 1).prices[0, 0] for hour in (last - hours, last)])
        moments = ZERO_SECONDS + np.array([last - hours, last]) * HOUR
        changes = {}
        for code in self.codes if not np.isnan(quotes[0]) else ():
            then, now = quotes * self._in(code, moments)
            changes[code] = notation.percent(float(now / then - 1) * 100, 5)
        return changes

    # Charts.

    def _chart(self, identity, query, plan, at, moment):
        code = self._vs_currency(query)
        text = _required(query, "days")
        row = self._row(identity, moment)
        listed = int(self.catalogue.listed_at[row])
        try:
            days = (moment - listed) / DAY + 1 if text == "max" else float(text)
        except ValueError:
            raise Refused(422, {"error": "Invalid parameter days"}) from None
        if plan != "pro" and (text == "max" or days > FREE_DAYS):
            raise self._too_far_back(at)
        interval = query.get("interval")
        if interval == "5m" or (interval == "hourly" and plan == "keyless"):
            raise status_error(401, 401, f"interval={interval} is exclusive to paid plan subscribers")
        grain = "5m" if days <= 1 else "hourly" if days <= 90 else "daily"
        if interval in ("daily", "hourly"):
            grain = interval
        updated = int(self.market.updated_at(np.array([row]), moment)[0])
        return self._series(row, code, moment - int(days * DAY), moment, grain, _precision(query), moment, updated)

    def _range(self, identity, query, plan, at, moment):
        code = self._vs_currency(query)
        start, end = (_instant(_required(query, name), name) for name in ("from", "to"))
        row = self._row(identity, moment)
        if plan != "pro" and start < moment - FREE_DAYS * DAY:
            raise self._too_far_back(at)
        if end < start:
            raise Refused(422, {"error": "Invalid parameter from: it is later than to"})
        span = (end - start) / DAY
        grain = "daily" if span > 90 else "hourly"
        if span <= 1 and start >= moment - DAY:
            grain = "5m"
        if query.get("interval") in ("daily", "hourly"):
            grain = query["interval"]
        updated = int(self.market.updated_at(np.array([row]), moment)[0])
        return self._series(row, code, start - 1, min(end, moment), grain, _precision(query), moment, updated)

    def _too_far_back(self, at: datetime) -> Refused:
        message = (
            "Your request exceeds the allowed time range. Public API users are limited to querying "
            f"historical data within the past {FREE_DAYS} days. Upgrade to a paid plan to enjoy full historical "
            f"data access: {PRICING}. "
        )
        inner = {"timestamp": stamp(at), "error_code": 10012, "error_message": message}
        return Refused(401, {"error": {"status": inner}})

    def _series(self, row, code, start, end, grain, precision, moment, updated) -> dict:
        """Points with start < moment <= end, and the point of now if the range reaches it."""
        start = max(start, int(self.catalogue.listed_at[row]) - 1)
        if grain == "hourly" and (start < HOURLY_SINCE or (end - start) > MANY_HOURS * HOUR):
            grain = "daily"
        taken_ms, prices = getattr(self, f"_points_{'looks' if grain == '5m' else grain}")(row, start, end, moment)
        if self.catalogue.trades_every[row] > 0 and len(taken_ms):
            prices = self._carried(row, taken_ms)
        if end >= updated:
            kept = taken_ms // 1000 < updated + (1 if grain != "daily" else 0)
            now = np.array([row]), np.array([updated])
            taken_ms = np.concatenate([taken_ms[kept], [updated * 1000]])
            prices = np.concatenate([prices[kept], self.market.prices_at(*now)])
        moments = taken_ms // 1000
        who = np.full(len(moments), row)
        caps = prices * self.market.supplies(who, moments)
        volumes = self.market.volumes(who, moments, caps)
        caps = np.where(self._caps_known(row, moments), caps, 0.0)
        rate = self._in(code, moments)
        own = self._exactly_one(code, self.catalogue.coins[row].id)
        prices = np.ones(len(prices)) if own else prices * rate
        shown: list[float | None] = [float(value) for value in prices]
        if precision not in (None, "full"):
            shown = [notation.price(float(value), precision) for value in prices]
        stamps = taken_ms.tolist()
        return {
            "prices": [list(pair) for pair in zip(stamps, shown, strict=True)],
            "market_caps": [[t, float(cap) if cap else 0] for t, cap in zip(stamps, caps * rate, strict=True)],
            "total_volumes": [[t, float(v)] for t, v in zip(stamps, volumes * rate, strict=True)],
        }

    def _caps_known(self, row: int, moments: np.ndarray) -> np.ndarray:
        if not self.catalogue.coins[row].cap_unknown:
            return np.ones(len(moments), dtype=bool)
        return np.array([self.catalogue.cap_known(int(moment))[row] for moment in moments])

    def _carried(self, row: int, taken_ms: np.ndarray) -> np.ndarray:
        """A coin that nobody trades keeps the price of its last trade."""
        who = np.full(len(taken_ms), row)
        traded = np.maximum(self.market.traded_at(who, taken_ms // 1000), self.catalogue.listed_at[row])
        moments, place = np.unique(traded, return_inverse=True)
        return self.market.prices_at(np.full(len(moments), row), moments)[place]

    def _points_daily(self, row, start, end, moment):
        first, last = (start - ZERO_SECONDS) // DAY + 1, (end - ZERO_SECONDS) // DAY
        if last < first:
            return np.zeros(0, np.int64), np.zeros(0)
        quotes = self.market.quotes(np.array([row]), int(first) * 24, (int(last - first) + 1) * 24)
        days = np.arange(first, last + 1)
        lot = chance.uniforms(chance.stream(self.market.seed, "daily", row), days)
        ready = ZERO_SECONDS + days * DAY + np.where(lot < 0.02, DAILY_LATE_AFTER, DAILY_AFTER)
        prices = quotes.prices[0, ::24]
        kept = (ready <= moment) & ~np.isnan(prices)
        return (ZERO_SECONDS + days[kept] * DAY) * 1000, prices[kept]

    def _points_hourly(self, row, start, end, moment):
        first, last = (start - ZERO_SECONDS) // HOUR, (end - ZERO_SECONDS) // HOUR
        count = int(last - first) + 1
        quotes: Quotes = self.market.quotes(np.array([row]), int(first), count)
        again_ms, again = self.market.second_looks(row, int(first), count)
        taken_ms = np.concatenate([quotes.taken_ms[0][quotes.seen[0]], again_ms])
        prices = np.concatenate([quotes.prices[0][quotes.seen[0]], again])
        return self._within(taken_ms, prices, start, end)

    def _points_looks(self, row, start, end, moment):
        first = (start - ZERO_SECONDS) // SLOT
        taken_ms, prices = self.market.looks(row, int(first), int((end - ZERO_SECONDS) // SLOT - first) + 1)
        return self._within(taken_ms, prices, start, end)

    def _within(self, taken_ms, prices, start, end):
        order = np.argsort(taken_ms, kind="stable")
        taken_ms, prices = taken_ms[order], prices[order]
        kept = (taken_ms > start * 1000) & (taken_ms <= end * 1000) & ~np.isnan(prices)
        return taken_ms[kept], prices[kept]

    def _ohlc(self, identity, query, plan, at, moment):
        code = self._vs_currency(query)
        text = _required(query, "days")
        row = self._row(identity, moment)
        if text not in OHLC_DAYS and not (text == "max" and plan == "pro"):
            raise self._too_far_back(at) if text == "max" else Refused(422, {"error": "Invalid parameter days"})
        listed = int(self.catalogue.listed_at[row])
        days = OHLC_DAYS.get(text) or (moment - listed) // DAY + 1
        width = 1800 if days <= 2 else 4 * HOUR if days <= 30 else 4 * DAY
        last = -(-moment // width) * width
        first = last - -(-days * DAY // width) * width
        points = self._points_looks if width < 4 * DAY else self._points_hourly
        taken_ms, prices = points(row, first, moment, moment)
        # A candle is named by its end; a look belongs to the candle in which its five minutes began.
        candle = (taken_ms // 1000 - first) // width
        prices = prices * self._in(code, taken_ms // 1000)
        rounded = [notation.price(float(p), _precision(query) or ("2" if p >= 1.1 else None)) for p in prices]
        candles: dict[int, list] = {}
        for number, value in zip(candle.tolist(), rounded, strict=True):
            candles.setdefault(number, []).append(value)
        return [
            [(first + (number + 1) * width) * 1000, values[0], max(values), min(values), values[-1]]
            for number, values in candles.items()
        ]

    # The whole market.

    def _global(self, query, plan, at, moment):
        refreshed = self.market.refreshed_at(moment)
        refreshed -= refreshed % 600 if refreshed % 600 < 420 else 0
        caps, before = self.market.caps(refreshed), self.market.caps(refreshed - DAY)
        volumes = self._volumes(refreshed, caps)
        volumes_before = self._volumes(refreshed - DAY, before)
        total, total_before = float(np.nansum(caps)), float(np.nansum(before))
        rates = {code: float(self._in(code, np.array([refreshed]))[0]) for code in self.codes}
        largest = np.argsort(-np.nan_to_num(caps), kind="stable")[:10]
        return {"data": {
            "active_cryptocurrencies": int(np.count_nonzero(~np.isnan(caps))),
            "upcoming_icos": 0, "ongoing_icos": 49, "ended_icos": 3376, "markets": 1488,
            "total_market_cap": {code: total * rate for code, rate in rates.items()},
            "total_volume": {code: volumes * rate for code, rate in rates.items()},
            "market_cap_percentage": {
                self.catalogue.coins[row].symbol: float(caps[row]) / total * 100 for row in largest
            },
            "market_cap_change_percentage_24h_usd": (total / total_before - 1) * 100,
            "volume_change_percentage_24h_usd": (volumes / volumes_before - 1) * 100,
            "updated_at": refreshed,
        }}  # fmt: skip

    def _volumes(self, moment: int, caps: np.ndarray) -> float:
        rows = self.market.everyone
        return float(np.nansum(self.market.volumes(rows, np.full(len(rows), moment), caps)))

    def _categories(self, query, plan, at, moment):
        refreshed = self.market.refreshed_at(moment)
        caps, before = self.market.caps(refreshed), self.market.caps(refreshed - DAY)
        rows = self.market.everyone
        volumes = self.market.volumes(rows, np.full(len(rows), refreshed), caps)
        found = []
        for identity, name in dict.fromkeys((*CATEGORIES.values(), *EMPTY_CATEGORIES)):
            rows = self._in_category(identity, refreshed)
            then = self._in_category(identity, refreshed - DAY)
            total, total_before = float(np.sum(caps[rows])), float(np.sum(before[then]))
            is_known = total > 0
            change = _percent(total, total_before) if total_before else 0
            largest = [self.catalogue.coins[row] for row in rows[np.argsort(-caps[rows], kind="stable")[:3]]]
            found.append({
                "id": identity, "name": name, "market_cap": total if is_known else None,
                "market_cap_change_24h": change if is_known else None,
                "content": None if identity in WITHOUT_CONTENT else f"Coins that are known as {name}.",
                "top_3_coins_id": [coin.id for coin in largest],
                "top_3_coins": [image(coin).replace("/large/", "/small/") for coin in largest],
                "volume_24h": float(np.sum(volumes[rows])) if is_known else None,
                "updated_at": iso(refreshed) if is_known else None,
            })  # fmt: skip
        order = query.get("order") or CATEGORY_ORDERS[0]
        subject, direction = (order if order in CATEGORY_ORDERS else CATEGORY_ORDERS[0]).rsplit("_", 1)
        known: list[dict[str, Any]] = [category for category in found if category[subject] is not None]
        known.sort(key=lambda category: category[subject], reverse=direction == "desc")
        # What is unknown comes last, whichever way round.
        return known + [category for category in found if category[subject] is None]

    def _simple(self, query, plan, at, moment):
        codes = [code.strip().lower() for code in _required(query, "vs_currencies").split(",")]
        chosen = self._chosen(query, moment)
        if chosen is None:
            raise Refused(422, {"error": "Missing parameter ids"})
        rows = sorted(chosen.tolist(), key=lambda row: self.catalogue.coins[row].id)
        who = np.array(rows, dtype=np.int64)
        answer: dict[str, dict] = {self.catalogue.coins[row].id: {} for row in rows}
        known = [code for code in codes if code in self.codes]
        for code in known if rows else []:
            facts = self._facts(who, code, moment)
            changes = self._window_change(who, facts, code, 24)
            for place, entry in enumerate(answer.values()):
                crypto = BY_CODE[code].kind == "crypto"
                entry[code] = notation.price(float(facts["price"][place]), _precision(query), crypto)
                if _true(query, "include_market_cap"):
                    entry[f"{code}_market_cap"] = float(facts["cap"][place])
                if _true(query, "include_24hr_vol"):
                    entry[f"{code}_24h_vol"] = float(facts["volume"][place])
                if _true(query, "include_24hr_change"):
                    change = float(changes[place])
                    entry[f"{code}_24h_change"] = None if np.isnan(change) else change
                if _true(query, "include_last_updated_at"):
                    entry["last_updated_at"] = int(facts["updated"][place])
        return answer

    def _exchange_rates(self, query, plan, at, moment):
        refreshed = np.array([self.market.refreshed_at(moment)])
        bitcoin = float(self._in("btc", refreshed)[0])
        rates = {}
        for currency in self.rates.quoted():
            value: int | float = round(float(self._in(currency.code, refreshed)[0]) / bitcoin, 3)
            if currency.coin == "bitcoin":
                value = {"btc": 1, "bits": 1_000_000, "sats": 100_000_000}[currency.code]
            rates[currency.code] = {
                "name": currency.name, "unit": currency.unit, "value": value, "type": currency.kind,
            }  # fmt: skip
        return {"rates": rates}


def image(coin) -> str:
    """The address of a coin's picture, with the number that changes when the picture does."""
    return (
        f"https://coin-images.coingecko.com/coins/images/{coin.image}/large/{coin.id[:24]}.png"
        f"?{1_696_501_400 + coin.image}"
    )


def _percent(now: float, then: float) -> float:
    return float((now / then - 1) * 100) if then else float("nan")


def _required(query: Mapping[str, str], name: str) -> str:
    if not query.get(name):
        raise Refused(422, {"error": f"Missing parameter {name}"})
    return query[name].strip()


def _true(query: Mapping[str, str], name: str, default: bool = False) -> bool:
    return query.get(name, str(default)).lower() == "true"


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name) or str(default)
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else default


def _precision(query: Mapping[str, str]) -> str | None:
    text = query.get("precision")
    if text and text != "full" and not (text.isdecimal() and int(text) <= 18):
        raise Refused(400, {"error": "invalid precision"})
    return text or None


def _instant(text: str, name: str) -> int:
    """Unix seconds, of digits or of an ISO date or time (UTC)."""
    if re.fullmatch(r"\d{1,12}(\.\d+)?", text):
        return int(float(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(422, {"error": f"Invalid parameter {name}"}) from None
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())
