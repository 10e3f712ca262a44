"""The market: prices, volumes and market caps of all coins at any moment.

log price = its size at the anchor + beta * market factor + its own walk + its story + the noise of a quote

The market factor is a long tale (cycles of four years; in the last twelve months a high, a correction and a
recovery) with a random walk about it. Each coin follows it by its beta, which makes returns correlate, and
has a walk of its own.

The exchange looks at a coin every five minutes. The first look of an hour is the quote of that hour: it is
what the sparkline shows, what an hourly chart shows (with the second at which it was taken) and, at 00:00,
what a daily chart shows. One rule, so that all endpoints agree. At times a look comes late, and a thin coin
has hours without any.

Moments are Unix seconds; hours and days are counted from walks.DAY_ZERO. Prices are USD.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from coinlake.simulator import chance
from coinlake.simulator.catalogue import ANCHOR, ANCHOR_DAY, Catalogue
from coinlake.simulator.walks import (
    DAY,
    DAYS,
    HOUR,
    MONTH,
    SLOT,
    SLOTS_IN_HOUR,
    ZERO_SECONDS,
    Clock,
    Walk,
    day_number,
)

# The market's tale: logarithms relative to the anchor.
TALE = [
    ("2013-04-28", -6.50), ("2013-12-04", -4.40), ("2015-01-14", -6.10), ("2016-06-01", -5.10),
    ("2017-12-16", -1.60), ("2018-12-15", -3.30), ("2019-06-26", -2.00), ("2020-03-13", -2.90),
    ("2021-04-14", -0.35), ("2021-07-20", -1.10), ("2021-11-09", -0.30), ("2022-06-18", -1.55),
    ("2022-11-20", -1.75), ("2023-07-01", -1.10), ("2024-03-13", -0.25), ("2024-08-06", -0.52),
    ("2024-12-16", 0.12), ("2025-04-08", -0.18), ("2025-08-12", 0.10), ("2025-10-08", 0.29),
    ("2025-11-22", 0.04), ("2026-01-10", 0.12), ("2026-02-07", -0.22), ("2026-04-02", -0.36),
    ("2026-06-15", -0.06), ("2026-07-05", -0.12), ("2026-08-12", 0.00), ("2026-12-31", 0.20),
    ("2027-10-15", 0.45), ("2028-11-20", -0.30), ("2030-06-01", 0.50), ("2045-01-01", 1.20),
]  # fmt: skip
YEAR = 365.25
LATE = 0.03
SPARKLINE_HOURS = 168
# The newest quotes of a sparkline are provisional.
PROVISIONAL_HOURS = 4
REFRESH = 60


@dataclass(frozen=True)
class Quotes:
    """Hourly quotes: USD prices (NaN before the listing), the moments in ms, and where there is one."""

    prices: np.ndarray
    taken_ms: np.ndarray
    seen: np.ndarray


class Market:
    """Every number of the simulated market; a pure function of (seed, coin, time)."""

    def __init__(self, seed: int, coins: int = 1000):
        self.seed = seed
        self.catalogue = catalogue = Catalogue(seed, coins)
        self.everyone = np.arange(len(catalogue))
        self.clock = Clock.market(seed)
        self._factor = Walk(seed, "factor", np.zeros(1, np.int64), 0.0245, 0.03, 0.5, self.clock)
        self._own = Walk(
            seed, "coin", catalogue.walks_as, catalogue.sigma, catalogue.wander, catalogue.slow, self.clock
        )
        self._keys = {
            what: chance.bits(chance.stream(seed, what), self.everyone)
            for what in ("noise", "late", "jitter", "double", "thin", "volume", "refresh", "trade", "provisional")
        }
        self._tale = (
            np.array([day_number(ANCHOR.date().fromisoformat(day)) for day, _ in TALE], dtype=np.float64),
            np.array([level for _, level in TALE]),
        )
        at_anchor = np.full(1, ANCHOR_DAY)
        self._factor_at_anchor = self._factor.days(np.zeros(1, np.int64), at_anchor[0], 1)
        self._own_at_anchor = self._own.days(self.everyone, ANCHOR_DAY, 1)[:, 0]
        # Bounded by bytes: 20,000 coins take 4 MB a day, 250 take 50 kB.
        days_kept = max(20, min(800, int(1.2e8 / (len(catalogue) * 25 * 8))))
        self._log_table = lru_cache(days_kept)(self._log_table_of)
        self._quote_table = lru_cache(days_kept)(self._quote_table_of)
        self._levels = lru_cache(max(2, days_kept // MONTH))(self._levels_of)
        self._snapshot = lru_cache(8)(self._snapshot_of)
        self._records = lru_cache(max(2, int(2e7 / (len(catalogue) * 32))))(self._records_of)

    # Logarithms of price, without the noise of a quote.

    def _common(self, first_day, count: int) -> np.ndarray:
        """The market factor at each hour: (1 or rows, 24 * count + 1)."""
        nobody = np.zeros(np.size(first_day), np.int64)
        walk = self._factor.hours(nobody, first_day, count) - self._factor_at_anchor
        day = np.reshape(first_day, (-1, 1)) + np.arange(24 * count + 1) / 24
        return walk + chance.between(day, *self._tale)

    def _log_hours(self, who: np.ndarray, first_day, count: int, edges=None) -> np.ndarray:
        """Logarithms relative to the anchor's price at each full hour: (who, 24 * count + 1)."""
        catalogue = self.catalogue
        day = np.reshape(first_day, (-1, 1)) + np.arange(24 * count + 1) / 24
        path = self._own.hours(who, first_day, count, edges) - self._own_at_anchor[who][:, None]
        path = path + catalogue.beta[who][:, None] * self._common(first_day, count)
        path = path + catalogue.drift[who][:, None] * ((day - ANCHOR_DAY) / YEAR)
        for row, (knots, levels) in catalogue.stories.items():
            for place in np.flatnonzero(who == row):
                path[place] += chance.between(day[place if len(day) > 1 else 0], knots, levels)
        return path

    def _levels_of(self, block: int) -> np.ndarray:
        return self._own.days(self.everyone, block * MONTH, MONTH + 1)

    def _log_table_of(self, day: int) -> np.ndarray:
        block, place = divmod(day, MONTH)
        edges = self._levels(block)[:, place : place + 2]
        return self._log_hours(self.everyone, day, 1, edges)

    def _log_slots(self, who: np.ndarray, first_hour, log_hours: np.ndarray) -> np.ndarray:
        """Logarithms at every five minutes between the hours: (who, 12 * hours + 1)."""
        rows = np.zeros(np.size(first_hour), np.int64)
        flat = np.zeros((len(rows), log_hours.shape[1]))
        common = self._factor.slots(rows, first_hour, flat)
        return self._own.slots(who, first_hour, log_hours) + self.catalogue.beta[who][:, None] * common

    def _noise(self, who: np.ndarray, slot: np.ndarray) -> np.ndarray:
        noise = self.catalogue.noise[who]
        keys = self._keys["noise"][who]
        if np.ndim(slot) > 1 or np.shape(slot) != np.shape(who):
            noise, keys = noise[:, None], keys[:, None]
        return noise * chance.normals(keys, slot)

    def _listed(self, who: np.ndarray, moments: np.ndarray, prices: np.ndarray) -> np.ndarray:
        listed = self.catalogue.listed_at[who]
        if np.ndim(prices) > 1:
            listed = listed[:, None]
        return np.where(moments >= listed, prices, np.nan)

    # Quotes of the hour.

    def _quotes_from(self, who: np.ndarray, first_day: int, log_hours: np.ndarray) -> Quotes:
        catalogue = self.catalogue
        hours = first_day * 24 + np.arange(log_hours.shape[1] - 1)
        lot = chance.uniforms(self._keys["late"][who][:, None], hours)
        late = np.where(lot < LATE, 1 + np.floor(lot / LATE * 5), 0).astype(np.int64)
        log_price = log_hours[:, :-1].copy()
        rows, columns = np.nonzero(late)
        if len(rows):
            pair = np.stack([log_hours[rows, columns], log_hours[rows, columns + 1]], axis=1)
            looks = self._log_slots(who[rows], hours[columns], pair)
            log_price[rows, columns] = looks[np.arange(len(rows)), late[rows, columns]]
        slot = hours * SLOTS_IN_HOUR + late
        prices = catalogue.price[who][:, None] * chance.exp(log_price + self._noise(who, slot))
        taken_ms = self._taken_ms(who, slot)
        seen = chance.uniforms(self._keys["thin"][who][:, None], hours) >= catalogue.thin[who][:, None]
        prices = self._listed(who, taken_ms // 1000, prices)
        return Quotes(prices, taken_ms, seen & ~np.isnan(prices))

    def _taken_ms(self, who: np.ndarray, slot: np.ndarray) -> np.ndarray:
        """The millisecond at which a slot is looked at: mostly within half a minute, at most 150 s late."""
        lot = chance.uniforms(self._keys["jitter"][who][:, None], slot)
        return (ZERO_SECONDS + slot * SLOT) * 1000 + (200 + 150_000 * lot * lot * lot).astype(np.int64)

    def _quote_table_of(self, day: int) -> Quotes:
        return self._quotes_from(self.everyone, day, self._log_table(day))

    def quotes(self, who: np.ndarray, first_hour: int, count: int) -> Quotes:
        """Hourly quotes of a few coins, or of a page of them: arrays of (who, count)."""
        first_day, last_day = first_hour // 24, (first_hour + count - 1) // 24
        place = slice(first_hour - first_day * 24, first_hour - first_day * 24 + count)
        days = last_day - first_day + 1
        if len(who) > 8 and days < 30:
            tables = [self._quote_table(day) for day in range(first_day, last_day + 1)]
            parts = [
                np.concatenate([getattr(table, name)[who] for table in tables], axis=1)
                for name in ("prices", "taken_ms", "seen")
            ]
        else:
            quotes = self._quotes_from(who, first_day, self._log_hours(who, first_day, days))
            parts = [quotes.prices, quotes.taken_ms, quotes.seen]
        return Quotes(*(part[:, place] for part in parts))

    def second_looks(self, row: int, first_hour: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The few hours of which a chart has two points: moments in ms and prices of the second ones."""
        who = np.array([row])
        hours = first_hour + np.arange(count)
        chosen = hours[chance.uniforms(self._keys["double"][who], hours) < 1 / 500]
        if not len(chosen):
            return np.zeros(0, np.int64), np.zeros(0)
        slot = chosen * SLOTS_IN_HOUR + SLOTS_IN_HOUR - 1
        taken = self._taken_ms(who, slot)[0]
        return taken, self.prices_at(np.full(len(slot), row), ZERO_SECONDS + slot * SLOT)

    def looks(self, row: int, first_slot: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Every look at one coin, five minutes apart, from a slot on: moments in ms and prices."""
        who = np.array([row])
        first_hour = first_slot // SLOTS_IN_HOUR
        hours = (first_slot + count - 1) // SLOTS_IN_HOUR - first_hour + 1
        prices = self._slot_prices(who, first_hour, hours)[0]
        slots = first_hour * SLOTS_IN_HOUR + np.arange(hours * SLOTS_IN_HOUR)
        lot = chance.uniforms(self._keys["late"][who], slots // SLOTS_IN_HOUR)
        missed = (lot < LATE) & (slots % SLOTS_IN_HOUR < 1 + np.floor(lot / LATE * 5))
        kept = (slots >= first_slot) & (slots < first_slot + count) & ~missed & ~np.isnan(prices)
        return self._taken_ms(who, slots)[0][kept], prices[kept]

    def _slot_prices(self, who: np.ndarray, first_hour: int, hours: int) -> np.ndarray:
        slot = first_hour * SLOTS_IN_HOUR + np.arange(hours * SLOTS_IN_HOUR)
        log_price = self._log_slots(who, first_hour, self._hour_edges(who, first_hour, hours))[:, :-1]
        prices = self.catalogue.price[who][:, None] * chance.exp(log_price + self._noise(who, slot))
        return self._listed(who, ZERO_SECONDS + slot * SLOT, prices)

    def _hour_edges(self, who: np.ndarray, first_hour: int, hours: int) -> np.ndarray:
        first_day, last_day = first_hour // 24, (first_hour + hours - 1) // 24
        if len(who) > 8:
            tables = [self._log_table(day)[who] for day in range(first_day, last_day + 1)]
            path = np.concatenate([*(table[:, :-1] for table in tables), tables[-1][:, -1:]], axis=1)
        else:
            path = self._log_hours(who, first_day, last_day - first_day + 1)
        start = first_hour - first_day * 24
        return path[:, start : start + hours + 1]

    # Prices of a moment.

    def prices_at(self, who: np.ndarray, moments: np.ndarray) -> np.ndarray:
        """The price of each coin at a moment of its own: USD, NaN before the listing."""
        who, moments = np.broadcast_arrays(np.atleast_1d(who), np.atleast_1d(moments))
        prices = np.empty(len(who))
        hours = (moments - ZERO_SECONDS) // HOUR
        for hour in np.unique(hours):
            rows = np.flatnonzero(hours == hour)
            log_price = self._log_slots(who[rows], hour, self._hour_edges(who[rows], int(hour), 1))
            place = (moments[rows] - ZERO_SECONDS - hour * HOUR) / SLOT
            left = place.astype(np.int64)
            here, there = (log_price[np.arange(len(rows)), left + step] for step in (0, 1))
            path = here + (there - here) * (place - left) + self._noise(who[rows], hour * SLOTS_IN_HOUR + left)
            prices[rows] = self.catalogue.price[who[rows]] * chance.exp(path)
        return self._listed(who, moments, prices)

    def smooth_prices(self, row: int, hours: np.ndarray) -> np.ndarray:
        """Prices at consecutive full hours without the noise of single quotes: a coin as a currency."""
        first_day = int((hours[0] - ZERO_SECONDS) // DAY)
        path = self._log_hours(np.array([row]), first_day, -(-len(hours) // 24))[0, : len(hours)]
        return self.catalogue.price[row] * chance.exp(path)

    def supplies(self, who: np.ndarray, moments: np.ndarray) -> np.ndarray:
        """Coins in circulation, which change once a day."""
        years = ((moments - ZERO_SECONDS) // DAY - ANCHOR_DAY) / YEAR
        return self.catalogue.supply[who] * chance.exp(self.catalogue.growth[who] * years)

    def volumes(self, who: np.ndarray, moments: np.ndarray, caps: np.ndarray) -> np.ndarray:
        """Trade of the last 24 hours, USD: busy when the market's clock runs fast."""
        day = (moments - ZERO_SECONDS) / DAY
        floor = np.clip(np.floor(day - 0.5).astype(np.int64), 0, DAYS - 2)
        share = day - 0.5 - floor
        variance = self.clock.variance
        pace = np.sqrt(variance[floor] + (variance[floor + 1] - variance[floor]) * share)
        turn = chance.exp(0.28 * chance.waves(self._keys["volume"][who], (moments - ZERO_SECONDS) / HOUR, 9))
        return self.catalogue.turnover[who] * caps * pace * turn

    # What the exchange knows at a moment.

    def refreshed_at(self, moment: int) -> int:
        """The moment of the data that is shown at `moment`: 95 to 154 seconds before."""
        return (moment - 95 - 30) // REFRESH * REFRESH + 30

    def updated_at(self, who: np.ndarray, moment: int) -> np.ndarray:
        """last_updated of each coin: some missed a refresh, and coins nobody trades wait for a trade."""
        refreshed = self.refreshed_at(moment)
        missed = chance.uniforms(self._keys["refresh"][who], refreshed // REFRESH) < 0.04
        updated = refreshed - np.where(missed, REFRESH, 0)
        idle = self.catalogue.trades_every[who] > 0
        updated = np.where(idle, self.traded_at(who, updated), updated)
        return np.maximum(updated, self.catalogue.listed_at[who])

    def traded_at(self, who: np.ndarray, moments: np.ndarray) -> np.ndarray:
        """The last trade, of coins that trade every so many days."""
        every = np.maximum(self.catalogue.trades_every[who] * DAY, 1).astype(np.int64)
        first = self.catalogue.traded_at[who] % every
        return (moments - first) // every * every + first

    def _snapshot_of(self, moment: int) -> tuple[np.ndarray, np.ndarray]:
        prices = self.prices_at(self.everyone, np.full(len(self.everyone), moment))
        caps = prices * self.supplies(self.everyone, np.full(len(self.everyone), moment))
        caps = np.where(self.catalogue.cap_known(moment), caps, 0.0)
        return prices, np.where(self.catalogue.active(moment), caps, np.nan)

    def caps(self, moment: int) -> np.ndarray:
        """Market caps of all coins: USD, 0 where unknown, NaN where not listed."""
        return self._snapshot(moment)[1]

    def prices(self, moment: int) -> np.ndarray:
        """Prices of all coins: USD, NaN before their listing."""
        return self._snapshot(moment)[0]

    def ranks(self, moment: int) -> tuple[np.ndarray, np.ndarray]:
        """Ranks by market cap, 0 where there is none: without and with wrapped and staked coins.

        The ranks of some rows are refreshed later than the others: theirs are of yesterday. So a page has
        a rank twice and another not at all.
        """
        return self._ranks(moment, ranked_only=True), self._ranks(moment, ranked_only=False)

    def _ranks(self, moment: int, ranked_only: bool) -> np.ndarray:
        def places(caps):
            counted = (caps > 0) & (self.catalogue.ranked | (not ranked_only))
            order = np.argsort(np.where(counted, -caps, np.inf), kind="stable")
            ranks = np.zeros(len(caps), np.int64)
            ranks[order] = np.arange(1, len(caps) + 1)
            return np.where(counted, ranks, 0)

        today, yesterday = places(self.caps(moment)), places(self.caps(moment // HOUR * HOUR - DAY))
        late = chance.uniforms(self._keys["refresh"], np.full(1, moment // DAY)) < 0.08
        return np.where(late & (yesterday > 0) & (today > 0), yesterday, today)

    def records(self, who: np.ndarray, moment: int) -> dict[str, np.ndarray]:
        """All-time high and low with their moments, from daily prices since the listing."""
        day = (moment - ZERO_SECONDS) // DAY
        table = self._records(day)
        new = who[np.isnan(table["high"][who])]
        for part in np.array_split(new, max(1, len(new) // 64)):
            self._find_records(table, part, day)
        return {name: column[who] for name, column in table.items()}

    def _records_of(self, day: int) -> dict[str, np.ndarray]:
        count = len(self.everyone)
        return {
            "high": np.full(count, np.nan), "high_at": np.zeros(count, np.int64),
            "low": np.full(count, np.nan), "low_at": np.zeros(count, np.int64),
        }  # fmt: skip

    def _find_records(self, table, who, day):
        if not len(who):
            return
        catalogue = self.catalogue
        listed = (catalogue.listed_at[who] - ZERO_SECONDS) / DAY
        first = int(np.min(listed)) + 1
        count = max(day - first + 1, 1)
        days = first + np.arange(count)
        path = self._own.days(who, first, count) - self._own_at_anchor[who][:, None]
        common = self._factor.days(np.zeros(1, np.int64), first, count) - self._factor_at_anchor
        path = path + catalogue.beta[who][:, None] * (common + chance.between(days, *self._tale))
        path = path + catalogue.drift[who][:, None] * ((days - ANCHOR_DAY) / YEAR)
        for place, row in enumerate(who):
            if row in catalogue.stories:
                path[place] += chance.between(days, *catalogue.stories[row])
        known = days >= np.ceil(listed)[:, None]
        for name, extreme, empty in (("high", np.argmax, -np.inf), ("low", np.argmin, np.inf)):
            place = extreme(np.where(known, path, empty), axis=1)
            hours = self._log_hours(who, days[place] - 1, 2)
            hour = (days[place] - 1)[:, None] * 24 + np.arange(hours.shape[1])
            lived = (hour / 24 >= listed[:, None]) & (hour <= day * 24)
            best = extreme(np.where(lived, hours, empty), axis=1)
            found = hours[np.arange(len(who)), best]
            spike = 1.0015 if name == "high" else 0.9985
            table[name][who] = catalogue.price[who] * chance.exp(found) * spike
            jitter = chance.bits(self._keys["jitter"][who], hour[np.arange(len(who)), best]) % np.uint64(HOUR)
            moments = ZERO_SECONDS + hour[np.arange(len(who)), best] * HOUR + jitter.astype(np.int64)
            table[f"{name}_at"][who] = np.maximum(moments, catalogue.listed_at[who])

    def extremes(self, who: np.ndarray, moment: int) -> tuple[np.ndarray, np.ndarray]:
        """The highest and the lowest look of the 24 hours before `moment` (NaN: none yet)."""
        first_hour = (moment - DAY - ZERO_SECONDS) // HOUR
        prices = self._slot_prices(who, int(first_hour), 25)
        slot = first_hour * SLOTS_IN_HOUR + np.arange(prices.shape[1])
        lived = (ZERO_SECONDS + slot * SLOT > moment - DAY) & (ZERO_SECONDS + slot * SLOT <= moment)
        lived = lived & ~np.isnan(prices)
        high = np.max(np.where(lived, prices, -np.inf), axis=1, initial=-np.inf)
        low = np.min(np.where(lived, prices, np.inf), axis=1, initial=np.inf)
        return np.where(np.isinf(high), np.nan, high), np.where(np.isinf(low), np.nan, low)

    def sparklines(self, who: np.ndarray, ends: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of each coin the hours (their Unix seconds) and prices of its last 168 hours.

        The last belongs to the hour in which the coin's moment of `ends` lies. The newest four are provisional:
        a later sparkline shows them a little different, and from then on always the same.
        """
        last_hours = (ends - ZERO_SECONDS) // HOUR
        lines: list = [None] * len(who)
        for last in np.unique(last_hours):
            places = np.flatnonzero(last_hours == last)
            rows = who[places]
            quotes = self.quotes(rows, int(last) - SPARKLINE_HOURS + 1, SPARKLINE_HOURS)
            hours = last - SPARKLINE_HOURS + 1 + np.arange(SPARKLINE_HOURS)
            newest = hours[-PROVISIONAL_HOURS:]
            prices, seen = quotes.prices.copy(), quotes.seen.copy()
            shift = (
                2.5
                * self.catalogue.noise[rows][:, None]
                * chance.normals(self._keys["provisional"][rows][:, None], newest)
            )
            prices[:, -PROVISIONAL_HOURS:] *= 1 + shift
            seen[self.catalogue.trades_every[rows] > 0, :-2] = False
            moments = ZERO_SECONDS + hours * HOUR
            for place, line, there in zip(places, prices, seen, strict=True):
                lines[place] = (moments[there], line[there])
        return lines
