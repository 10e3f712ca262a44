"""Quote currencies: what one US dollar is worth in each, at any moment.

Money walks on business days only. The same walk, looked at in Frankfurt at 14:00 UTC, is the fixing that
the simulated Frankfurter publishes, so both sources agree as real ones do: nearly.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from coinlake.simulator import chance
from coinlake.simulator.catalogue import ANCHOR_DAY
from coinlake.simulator.market import Market
from coinlake.simulator.walks import DAY, HOUR, ZERO_SECONDS, Clock, Walk


@dataclass(frozen=True)
class Currency:
    """code, name and unit as the exchange shows them; per_usd at the anchor; deviation of a year."""

    code: str
    name: str
    unit: str
    per_usd: float
    yearly: float
    kind: str = "fiat"
    coin: str | None = None


def _coin(code, name, coin):
    return Currency(code, name, code.upper(), 0.0, 0.0, "crypto", coin)


# In the order in which the exchange lists them.
CURRENCIES = [
    _coin("btc", "Bitcoin", "bitcoin"), _coin("eth", "Ether", "ethereum"), _coin("ltc", "Litecoin", "litecoin"),
    _coin("bch", "Bitcoin Cash", "bitcoin-cash"), _coin("bnb", "Binance Coin", "binancecoin"),
    Currency("eos", "EOS", "EOS", 2.21, 0.8, "crypto"), _coin("xrp", "XRP", "ripple"),
    _coin("xlm", "Lumens", "stellar"), _coin("link", "Chainlink", "chainlink"),
    _coin("dot", "Polkadot", "polkadot"), Currency("yfi", "Yearn.finance", "YFI", 0.000213, 0.7, "crypto"),
    _coin("sol", "Solana", "solana"),
    Currency("usd", "US Dollar", "$", 1.0, 0.0),
    Currency("aed", "United Arab Emirates Dirham", "DH", 3.6725, 0.0002),
    Currency("ars", "Argentine Peso", "$", 1492.0, 0.12),
    Currency("aud", "Australian Dollar", "A$", 1.4118, 0.09),
    Currency("bdt", "Bangladeshi Taka", "৳", 123.4, 0.03),
    Currency("bhd", "Bahraini Dinar", "BD", 0.377, 0.0003),
    Currency("bmd", "Bermudian Dollar", "$", 1.0, 0.0),
    Currency("brl", "Brazil Real", "R$", 5.184, 0.13),
    Currency("cad", "Canadian Dollar", "CA$", 1.3912, 0.06),
    Currency("chf", "Swiss Franc", "Fr.", 0.8111, 0.07),
    Currency("clp", "Chilean Peso", "CLP$", 912.0, 0.11),
    Currency("cny", "Chinese Yuan", "¥", 6.7432, 0.03),
    Currency("czk", "Czech Koruna", "Kč", 20.99, 0.07),
    Currency("dkk", "Danish Krone", "kr.", 6.4726, 0.07),
    Currency("eur", "Euro", "€", 0.8658, 0.07),
    Currency("gbp", "British Pound Sterling", "£", 0.7395, 0.07),
    Currency("gel", "Georgian Lari", "₾", 2.615, 0.04),
    Currency("hkd", "Hong Kong Dollar", "HK$", 7.8474, 0.004),
    Currency("huf", "Hungarian Forint", "Ft", 315.2, 0.10),
    Currency("idr", "Indonesian Rupiah", "Rp", 17_850.0, 0.05),
    Currency("ils", "Israeli New Shekel", "₪", 2.978, 0.08),
    Currency("inr", "Indian Rupee", "₹", 95.36, 0.04),
    Currency("jpy", "Japanese Yen", "¥", 159.1, 0.09),
    Currency("krw", "South Korean Won", "₩", 1415.0, 0.08),
    Currency("kwd", "Kuwaiti Dinar", "KD", 0.309, 0.01),
    Currency("lkr", "Sri Lankan Rupee", "Rs", 334.2, 0.04),
    Currency("mmk", "Burmese Kyat", "K", 2099.7, 0.001),
    Currency("mxn", "Mexican Peso", "MX$", 17.04, 0.10),
    Currency("myr", "Malaysian Ringgit", "RM", 4.085, 0.05),
    Currency("ngn", "Nigerian Naira", "₦", 1361.9, 0.12),
    Currency("nok", "Norwegian Krone", "kr", 9.458, 0.10),
    Currency("nzd", "New Zealand Dollar", "NZ$", 1.702, 0.09),
    Currency("php", "Philippine Peso", "₱", 61.2, 0.05),
    Currency("pkr", "Pakistani Rupee", "₨", 277.7, 0.04),
    Currency("pln", "Polish Zloty", "zł", 3.726, 0.09),
    Currency("rub", "Russian Ruble", "₽", 82.95, 0.18),
    Currency("sar", "Saudi Riyal", "SR", 3.7503, 0.0004),
    Currency("sek", "Swedish Krona", "kr", 9.521, 0.10),
    Currency("sgd", "Singapore Dollar", "S$", 1.2786, 0.04),
    Currency("thb", "Thai Baht", "฿", 33.05, 0.06),
    Currency("try", "Turkish Lira", "₺", 47.76, 0.10),
    Currency("twd", "New Taiwan Dollar", "NT$", 32.23, 0.05),
    Currency("uah", "Ukrainian hryvnia", "₴", 44.68, 0.05),
    Currency("vef", "Venezuelan bolívar fuerte", "Bs.F", 0.10013, 0.0),
    Currency("vnd", "Vietnamese đồng", "₫", 26_055.0, 0.02),
    Currency("zar", "South African Rand", "R", 16.12, 0.13),
    Currency("xdr", "IMF Special Drawing Rights", "XDR", 0.7069, 0.05),
    Currency("xag", "Silver - Troy Ounce", "XAG", 0.01509, 0.28, "commodity"),
    Currency("xau", "Gold - Troy Ounce", "XAU", 0.0002374, 0.15, "commodity"),
    Currency("bits", "Bits", "μBTC", 1e6, 0.0, "crypto", "bitcoin"),
    Currency("sats", "Satoshi", "sats", 1e8, 0.0, "crypto", "bitcoin"),
]  # fmt: skip
BY_CODE = {currency.code: currency for currency in CURRENCIES}
# What the European Central Bank fixes and the exchange does not quote.
ONLY_ECB = [
    Currency("isk", "Icelandic Króna", "kr", 124.6, 0.07),
    Currency("ron", "Romanian Leu", "lei", 4.414, 0.07),
]
_PARTS_OF_BTC = {"bits": 1e6, "sats": 1e8}


class Rates:
    """Units of a currency for one US dollar."""

    def __init__(self, market: Market):
        self.market = market
        self._walking = [c for c in [*CURRENCIES, *ONLY_ECB] if c.coin is None]
        self._row = {currency.code: row for row, currency in enumerate(self._walking)}
        yearly = np.array([currency.yearly for currency in self._walking])
        self._walk = Walk(
            market.seed, "currency", np.arange(len(self._walking)), yearly / np.sqrt(365.0),
            yearly * 0.5, 0.5, Clock.business_days(),
        )  # fmt: skip
        self._at_anchor = self._walk.days(self._walk.everyone, ANCHOR_DAY, 1)[:, 0]
        self._hourly = lru_cache(256)(self._hourly_of)

    def per_usd(self, code: str, moments: np.ndarray) -> np.ndarray:
        """Units of `code` per US dollar at each moment (Unix seconds, any order and shape)."""
        moments = np.asarray(moments)
        if code in ("usd", "bmd"):
            return np.ones(moments.shape)
        days = (moments.ravel() - ZERO_SECONDS) // DAY
        rates = np.empty(moments.size)
        # Runs of days are drawn together, lone ones alone: a year's chart is one run.
        wanted = np.unique(days)
        for run in np.split(wanted, np.flatnonzero(np.diff(wanted) > 40) + 1):
            chosen = (days >= run[0]) & (days <= run[-1])
            hourly = self._hourly(code, int(run[0]), int(run[-1] - run[0]) + 1)
            place = (moments.ravel()[chosen] - ZERO_SECONDS - run[0] * DAY) / HOUR
            left = place.astype(np.int64)
            rates[chosen] = hourly[left] + (hourly[left + 1] - hourly[left]) * (place - left)
        return rates.reshape(moments.shape)

    def _hourly_of(self, code, first_day, count):
        currency = BY_CODE.get(code)
        if currency is not None and currency.coin is not None:
            row = self.market.catalogue.number[currency.coin]
            hours = ZERO_SECONDS + (first_day * 24 + np.arange(24 * count + 1)) * HOUR
            return _PARTS_OF_BTC.get(code, 1.0) / self.market.smooth_prices(row, hours)
        row = self._row[code]
        path = self._walk.hours(np.array([row]), first_day, count)[0] - self._at_anchor[row]
        return self._walking[row].per_usd * chance.exp(path)

    def quoted(self) -> list[Currency]:
        """The quote currencies that this market has, which are all when it has the coins behind them."""
        return [c for c in CURRENCIES if c.coin is None or c.coin in self.market.catalogue.number]
