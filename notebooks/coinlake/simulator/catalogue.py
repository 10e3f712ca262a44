"""The coins of the simulated market: who they are, and what happens to them.

Three casts. The familiar ones carry real ids, symbols and names, at plausible scales of price and supply, so
that a reader knows their way about; their fortunes here are invented. The coins of the stories (a collapse,
a lost peg, a listing, a delisting, a coin nobody trades any more) bear invented names. All others are made
up by the yard: unique ids, colliding symbols, a few odd names, sizes that fall off as real ones do.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from coinlake.simulator import chance
from coinlake.simulator.walks import ZERO_SECONDS, day_number

# Prices and supplies of this module hold on this day.
ANCHOR = datetime(2026, 8, 12, tzinfo=UTC)
ANCHOR_DAY = day_number(ANCHOR.date())
NEVER = np.iinfo(np.int64).max
MOST_COINS = 20_000


@dataclass(frozen=True)
class Temper:
    """How a kind of coin behaves: its pull to the market, its own daily step, and how it trades.

    turnover: share of the market cap that is traded in a day. noise: deviation of a single quote.
    """

    beta: float
    sigma: float
    wander: float
    slow: float
    turnover: float
    noise: float
    spread: float = 0.0


TEMPERS = {
    "bitcoin": Temper(1.0, 0.009, 0.05, 0.5, 0.020, 4e-5),
    "coin": Temper(1.15, 0.026, 0.55, 0.8, 0.045, 3e-4, 0.30),
    "meme": Temper(1.25, 0.036, 0.75, 0.9, 0.110, 6e-4, 0.30),
    "exchange": Temper(0.75, 0.017, 0.35, 0.7, 0.010, 3e-4, 0.20),
    "stable": Temper(0.0, 0.0001, 0.00005, 0.02, 0.150, 8e-5, 0.40),
    "gold": Temper(0.04, 0.0075, 0.05, 0.8, 0.060, 3e-4),
    "fund": Temper(0.0, 0.00012, 0.0, 0.02, 0.002, 5e-5),
}
CATEGORIES = {
    "stable": ("stablecoins", "Stablecoins"),
    "meme": ("meme-token", "Meme"),
    "exchange": ("centralized-exchange-token-cex", "Exchange-based Tokens"),
    "gold": ("tokenized-gold", "Tokenized Gold"),
    "fund": ("real-world-assets-rwa", "Real World Assets (RWA)"),
    "coin": ("layer-1", "Layer 1 (L1)"),
    "bitcoin": ("layer-1", "Layer 1 (L1)"),
}
# Nearly every second category is a name only: none of its coins is worth counting.
EMPTY_CATEGORIES = (
    ("carbon-credits", "Carbon Credits"),
    ("masternodes", "Masternodes"),
    ("music", "Music"),
    ("reputation", "Reputation"),
    ("wallets", "Wallets"),
)


@dataclass
class Coin:
    """One coin. Prices in USD at the anchor; supplies in coins; instants in Unix seconds."""

    id: str
    symbol: str
    name: str
    price: float
    supply: float
    kind: str = "coin"
    max_supply: float | None = None
    total_supply: float | None = None
    listed_at: int = 0
    delisted_at: int = NEVER
    twin_of: str | None = None
    growth: float = 0.0
    drift: float = 0.0
    story: tuple[tuple[str, float], ...] = ()
    trades_every_days: float = 0.0
    traded_at: int = 0
    thin: float = 0.0
    ranked: bool = True
    cap_unknown: tuple[tuple[str, str], ...] = ()
    roi: tuple[str, float] | None = None
    fdv_known: bool = True
    image: int = 0
    platform: str | None = None
    beta: float = 0.0
    sigma: float = 0.0
    turnover: float = 0.0
    noise: float = field(default=0.0)


def seconds(text: str) -> int:
    """Unix seconds of an ISO date or instant, UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


# id, symbol, name, USD, million coins, most million coins (None: no limit), listed, kind
FAMILIAR = [
    ("bitcoin", "btc", "Bitcoin", 91250.0, 20.069, 21, "2013-04-28", "bitcoin"),
    ("ethereum", "eth", "Ethereum", 3180.0, 120.68, None, "2015-08-07", "coin"),
    ("tether", "usdt", "Tether", 1.0, 183180, None, "2015-02-25", "stable"),
    ("binancecoin", "bnb", "BNB", 842.0, 133.16, 200, "2017-09-16", "exchange"),
    ("ripple", "xrp", "XRP", 2.05, 60677, 100000, "2013-08-04", "coin"),
    ("usd-coin", "usdc", "USDC", 1.0, 72106, None, "2018-10-05", "stable"),
    ("solana", "sol", "Solana", 148.0, 572.5, None, "2020-04-10", "coin"),
    ("staked-ether", "steth", "Lido Staked Ether", 3178.0, 8.71, None, "2020-12-23", "coin"),
    ("tron", "trx", "TRON", 0.312, 94742, None, "2017-11-09", "coin"),
    ("dogecoin", "doge", "Dogecoin", 0.152, 155462, None, "2013-12-15", "meme"),
    ("cardano", "ada", "Cardano", 0.447, 37353, 45000, "2017-10-18", "coin"),
    ("wrapped-bitcoin", "wbtc", "Wrapped Bitcoin", 91210.0, 0.1262, None, "2019-01-30", "bitcoin"),
    ("hyperliquid", "hype", "Hyperliquid", 38.2, 333.9, 1000, "2024-11-29", "coin"),
    ("usds", "usds", "USDS", 1.0, 9799, None, "2024-09-18", "stable"),
    ("chainlink", "link", "Chainlink", 14.35, 748.1, 1000, "2017-11-09", "coin"),
    ("bitcoin-cash", "bch", "Bitcoin Cash", 468.0, 20.074, 21, "2017-08-02", "coin"),
    ("stellar", "xlm", "Stellar", 0.262, 34491, 50001, "2014-08-05", "coin"),
    ("ethena-usde", "usde", "Ethena USDe", 1.0, 7948, None, "2024-04-02", "stable"),
    ("leo-token", "leo", "LEO Token", 8.92, 920, 985.2, "2019-05-21", "exchange"),
    ("litecoin", "ltc", "Litecoin", 88.4, 77.487, 84, "2013-04-28", "coin"),
    ("zcash", "zec", "Zcash", 391.0, 16.87, 21, "2016-10-29", "coin"),
    ("monero", "xmr", "Monero", 342.0, 18.79, None, "2014-05-21", "coin"),
    ("avalanche-2", "avax", "Avalanche", 14.8, 431.8, 720, "2020-09-22", "coin"),
    ("sui", "sui", "Sui", 1.71, 3874, 10000, "2023-05-03", "coin"),
    ("hedera-hashgraph", "hbar", "Hedera", 0.134, 43791, 50000, "2019-09-17", "coin"),
    ("shiba-inu", "shib", "Shiba Inu", 9.12e-06, 589239603.55, None, "2020-08-01", "meme"),
    ("dai", "dai", "Dai", 1.0, 4574, None, "2019-11-19", "stable"),
    ("the-open-network", "ton", "Toncoin", 1.62, 2457, None, "2021-08-26", "coin"),
    ("crypto-com-chain", "cro", "Cronos", 0.0934, 38318, 100000, "2018-12-14", "exchange"),
    ("paypal-usd", "pyusd", "PayPal USD", 1.0, 3803, None, "2023-08-26", "stable"),
    ("polkadot", "dot", "Polkadot", 2.18, 1652, 2100, "2020-08-18", "coin"),
    ("uniswap", "uni", "Uniswap", 5.61, 624.2, 1000, "2020-09-17", "coin"),
    ("tether-gold", "xaut", "Tether Gold", 4212.0, 0.6128, None, "2020-02-26", "gold"),
    ("mantle", "mnt", "Mantle", 0.968, 3252, 6219.3, "2023-07-17", "coin"),
    ("bittensor", "tao", "Bittensor", 274.0, 10.29, 21, "2023-03-06", "coin"),
    ("aave", "aave", "Aave", 176.0, 15.37, 16, "2020-10-03", "coin"),
    ("okb", "okb", "OKB", 108.0, 21, 21, "2018-05-04", "exchange"),
    ("near", "near", "NEAR Protocol", 1.58, 1283, None, "2020-10-14", "coin"),
    ("pepe", "pepe", "Pepe", 4.62e-06, 420690000, 420690000, "2023-04-17", "meme"),
    ("pax-gold", "paxg", "PAX Gold", 4226.0, 0.4366, None, "2019-09-27", "gold"),
    ("internet-computer", "icp", "Internet Computer", 3.41, 545.4, None, "2021-05-10", "coin"),
    ("ethereum-classic", "etc", "Ethereum Classic", 12.9, 154.8, 210.7, "2016-07-24", "coin"),
    ("aptos", "apt", "Aptos", 1.93, 746, 2100, "2022-10-19", "coin"),
    ("ondo-finance", "ondo", "Ondo", 0.438, 3159, 10000, "2024-01-18", "coin"),
    ("worldcoin-wld", "wld", "Worldcoin", 0.582, 2393, 10000, "2023-07-24", "coin"),
    ("kaspa", "kas", "Kaspa", 0.0461, 27034, 28704, "2022-06-01", "coin"),
    ("cosmos", "atom", "Cosmos Hub", 2.24, 484.6, None, "2019-03-15", "coin"),
    ("algorand", "algo", "Algorand", 0.128, 8824, 10000, "2019-06-21", "coin"),
    ("arbitrum", "arb", "Arbitrum", 0.196, 5714, 10000, "2023-03-23", "coin"),
    ("filecoin", "fil", "Filecoin", 1.42, 739, 1957, "2019-12-15", "coin"),
    ("render-token", "render", "Render", 1.86, 518.7, 644.2, "2020-06-10", "coin"),
    ("bonk", "bonk", "Bonk", 8.35e-06, 82980000, 88000000, "2022-12-29", "meme"),
    ("curve-dao-token", "crv", "Curve DAO", 0.412, 1412, 3030, "2020-08-14", "coin"),
    ("maker", "mkr", "Maker", 1482.0, 0.8463, 1.0055, "2017-12-20", "coin"),
]

# Logarithms are relative to the price without the story, at dates of UTC: -3.4 is a fall to 3.3 %.
STORIES = [
    Coin(  # the collapse: a top-twenty coin that loses nearly everything within four days
        "aurelion", "aure", "Aurelion", 31.4, 412.6e6, max_supply=1e9, listed_at=seconds("2022-02-17"),
        story=(
            ("2025-08-12", -0.25), ("2026-01-14", 0.30), ("2026-05-06", 0.12), ("2026-05-07", -0.35),
            ("2026-05-08", -1.10), ("2026-05-10", -3.15), ("2026-05-21", -3.30), ("2026-08-12", -3.62),
        ),
        cap_unknown=(("2026-05-09", "2026-05-24"),),
    ),
    Coin(  # the lost peg
        "meridian-usd", "mrusd", "Meridian USD", 1.0, 3122.4e6, kind="stable",
        listed_at=seconds("2023-11-02"),
        story=(
            ("2026-03-18T09:00", 0.0), ("2026-03-18T18:00", -0.06), ("2026-03-19T06:00", -0.21),
            ("2026-03-20T03:00", -0.52), ("2026-03-21T12:00", -0.17), ("2026-04-09", -0.36),
            ("2026-06-20", -0.71), ("2026-08-12", -0.79),
        ),
    ),
    Coin(  # a listing within the last months: up on the first day, then back to earth
        "helionet", "helio", "Helionet", 0.872, 940e6, max_supply=4e9, listed_at=seconds("2026-06-18T13:00"),
        story=(
            ("2026-06-18T13:00", 0.0), ("2026-06-19T04:00", 0.75), ("2026-06-24", 0.40), ("2026-07-20", -0.10),
            ("2026-08-12", 0.0),
        ),
    ),
    Coin(  # a listing of tomorrow
        "kestrel-chain", "kest", "Kestrel Chain", 1.46, 512e6, max_supply=1e9,
        listed_at=seconds("2026-08-13T08:00"),
    ),
    Coin(  # a delisting: gone from pages and list, not found from then on
        "cobalt-exchange", "cbx", "Cobalt Exchange Token", 3.27, 118e6, kind="exchange", max_supply=2e8,
        listed_at=seconds("2019-07-09"), delisted_at=seconds("2026-08-14T09:00"),
        story=(("2026-07-28", 0.0), ("2026-08-14", -0.9)),
    ),
    Coin(  # stale: nobody has traded it for days
        "northwind-treasury-fund", "nwtf", "Northwind Treasury Fund", 1.134, 742318446.218, kind="fund",
        listed_at=seconds("2024-05-06"), trades_every_days=17.0, traded_at=seconds("2026-08-05T11:32:10"),
        drift=0.041,
    ),
    Coin(  # the winner of the year
        "quokka-games", "quok", "Quokka Games", 0.0468, 21.4e9, kind="meme", max_supply=2.5e10,
        listed_at=seconds("2024-02-21"),
        story=(("2025-08-12", -2.1), ("2026-02-10", -1.5), ("2026-04-02", -1.3), ("2026-08-12", 0.0)),
    ),
    Coin(  # the slow loser of the year
        "veridia", "vrd", "Veridia", 0.211, 2.9e9, max_supply=5e9, listed_at=seconds("2021-06-11"),
        story=(("2025-08-12", 1.45), ("2026-08-12", 0.0)),
    ),
    Coin(  # market cap unknown: 0, and no rank
        "pulsegrid", "plsg", "PulseGrid", 4.07e-05, 1.35e14, listed_at=seconds("2023-05-17"),
        cap_unknown=(("2013-01-01", "2045-01-01"),), ranked=False,
    ),
    Coin(  # a tiny price
        "grain-of-sand", "grain", "Grain of Sand", 5.6366e-11, 9.9999e17, kind="meme",
        listed_at=seconds("2023-09-01"),
    ),
    Coin(  # a huge one
        "one-of-nine", "nine", "One of Nine", 1482600.0, 98.5, listed_at=seconds("2022-04-01"), thin=0.35,
        fdv_known=False,
    ),
]  # fmt: skip

_HEADS = ("al", "ar", "bel", "bri", "ca", "cor", "da", "dex", "el", "fa", "fi", "gal", "hel", "il", "jo", "ka",
          "la", "lu", "ma", "mi", "mo", "na", "neo", "no", "o", "or", "pa", "pra", "qua", "ri", "ro", "sa",
          "sol", "su", "ta", "tri", "u", "va", "vo", "xe", "yo", "za", "zen")  # fmt: skip
_TAILS = ("ba", "bit", "cen", "cha", "da", "dex", "do", "ga", "ka", "la", "lix", "lo", "ma", "mint", "na",
          "net", "ni", "nix", "pay", "ra", "ri", "ro", "sa", "ta", "ti", "to", "tor", "va", "via", "vo", "xa",
          "za")  # fmt: skip
_ENDS = ("", "", "", " Protocol", " Network", " Finance", " AI", " DAO", " Swap", " Chain", " Token", " Labs",
         " Coin", " Games", " Cloud", " Inu", " Doge", " Cat")  # fmt: skip
_MEMES = (" Inu", " Doge", " Cat")
_ODD_NAMES = ("ʕ •ᴥ• ʔ", "熊猫币", "Ĉielo", "ねこコイン", "​​Hush", "Żubr", "100x Wen?", "_")
_CHAINS = ("ethereum", "binance-smart-chain", "solana", "base", "polygon-pos", "arbitrum-one", "tron")


class Catalogue:
    """All coins of a market, columns ready for arithmetic. `coins` is how many, at most 20,000."""

    def __init__(self, seed: int, coins: int):
        if not 1 <= coins <= MOST_COINS:
            raise ValueError(f"coins: {coins} is not between 1 and {MOST_COINS:,}; ask for fewer or more")
        cast = _familiar() + [Coin(**vars(coin)) for coin in STORIES]
        cast += _by_the_yard(seed, max(coins - len(cast), 0))
        self.coins = cast[:coins]
        self.number = {coin.id: row for row, coin in enumerate(self.coins)}
        _temper(seed, self.coins)
        self._columns()

    def __len__(self) -> int:
        return len(self.coins)

    def _columns(self):
        def column(name, kind=np.float64):
            return np.array([getattr(coin, name) for coin in self.coins], dtype=kind)

        self.price, self.supply, self.growth, self.drift = map(column, ("price", "supply", "growth", "drift"))
        self.beta, self.sigma, self.turnover, self.noise = map(column, ("beta", "sigma", "turnover", "noise"))
        self.trades_every, self.thin = column("trades_every_days"), column("thin")
        self.listed_at, self.delisted_at = column("listed_at", np.int64), column("delisted_at", np.int64)
        self.traded_at = column("traded_at", np.int64)
        self.ranked = column("ranked", bool)
        self.wander = np.array([TEMPERS[coin.kind].wander for coin in self.coins])
        self.slow = np.array([TEMPERS[coin.kind].slow for coin in self.coins])
        # A wrapped coin walks as the coin that it wraps.
        self.walks_as = np.array(
            [self.number.get(coin.twin_of, row) if coin.twin_of else row for row, coin in enumerate(self.coins)],
            dtype=np.int64,
        )
        # Rows with a story: knots in days since DAY_ZERO, and logarithms.
        self.stories = {
            row: (
                np.array([(seconds(when) - ZERO_SECONDS) / 86_400 for when, _ in coin.story]),
                np.array([level for _, level in coin.story]),
            )
            for row, coin in enumerate(self.coins)
            if coin.story
        }

    def cap_known(self, moment: int) -> np.ndarray:
        """False for the coins whose market cap is unknown at that Unix second."""
        known = np.ones(len(self), dtype=bool)
        for row, coin in enumerate(self.coins):
            if coin.cap_unknown:
                known[row] = not any(seconds(start) <= moment < seconds(end) for start, end in coin.cap_unknown)
        return known

    def active(self, moment: int) -> np.ndarray:
        """True for the coins that are listed at that Unix second."""
        return (self.listed_at <= moment) & (moment < self.delisted_at)


def _familiar() -> list[Coin]:
    twins = {"staked-ether": "ethereum", "wrapped-bitcoin": "bitcoin"}
    coins = []
    for number, (identity, symbol, name, price, millions, most, listed, kind) in enumerate(FAMILIAR):
        coins.append(
            Coin(
                identity,
                symbol,
                name,
                price,
                millions * 1e6,
                kind,
                most and most * 1e6,
                listed_at=seconds(listed),
                twin_of=twins.get(identity),
                ranked=identity not in twins,
                image=number * 37 + 1,
            )
        )
    by_id = {coin.id: coin for coin in coins}
    by_id["bitcoin"].growth = 0.011
    by_id["tether"].growth = by_id["usd-coin"].growth = 0.18
    for identity, (currency, times) in {
        "ethereum": ("btc", 41.2), "tron": ("usd", 163.2), "chainlink": ("usd", 89.4), "cosmos": ("usd", 21.1),
        "algorand": ("usd", -0.947), "zcash": ("btc", -0.62), "ethereum-classic": ("usd", 27.7),
    }.items():  # fmt: skip
        by_id[identity].roi = (currency, times)
    return coins


def _by_the_yard(seed: int, count: int) -> list[Coin]:
    """Made-up coins, in falling order of size: the cap of rank r is about 480 million * (100 / r)^1.65."""
    if not count:
        return []
    row = np.arange(count)

    def lot(what):
        return chance.uniforms(chance.stream(seed, "catalogue", what), row)

    def bell(what):
        return chance.normals(chance.stream(seed, "catalogue", what), row)

    rank = row + 62.0
    # (100 / rank)^1.65, by our own exponential.
    cap = 4.8e8 * chance.exp(1.65 * _ln(100.0 / rank)) * chance.exp(0.22 * bell("cap"))
    price = chance.exp(-2.4 + 2.5 * bell("price"))
    meme_price = chance.exp(-10.5 + 2.6 * bell("meme price"))
    stable = lot("kind") < 0.05
    exchange = (lot("kind") >= 0.05) & (lot("kind") < 0.08)
    listed = _listing_days(lot("listed"))
    lifetime_ends = lot("end")
    coins: list[Coin] = []
    taken: set[str] = set()
    names = chance.bits(chance.stream(seed, "catalogue", "name"), row)
    for number in row.tolist():
        digits = int(names[number])
        name, symbol = _name(digits, number)
        kind = "stable" if stable[number] else "exchange" if exchange[number] else "coin"
        if name.endswith(_MEMES) and kind == "coin":
            kind = "meme"
        if kind == "stable":
            name, symbol = f"{name.split()[0]} USD", f"{symbol[:2]}usd"
        identity = _unique(_slug(name) or f"coin-{number}", taken)
        unit = 1.0 if kind == "stable" else float(meme_price[number] if kind == "meme" else price[number])
        supply = float(cap[number]) / unit
        if digits % 5 < 2:
            supply = float(f"{supply:.2g}")
        limited = kind not in ("stable",) and digits // 7 % 20 < 11
        listed_at = ZERO_SECONDS + int(listed[number]) * 86_400 + digits % 24 * 3_600
        coin = Coin(
            identity, symbol, name, float(f"{unit:.7g}"), supply, kind,
            max_supply=float(f"{supply * (1 + digits // 11 % 8 / 4) * 1.005:.2g}") if limited else None,
            listed_at=listed_at, growth=digits // 13 % 10 / 100 if digits % 3 == 0 else 0.0,
            thin=(digits // 17 % 70 + 3) / 100 if digits // 19 % 100 < 2 + number // 300 else 0.0,
            ranked=digits // 23 % 100 >= 2, fdv_known=digits // 29 % 100 >= 5,
            trades_every_days=9.0 + digits // 37 % 30 if digits // 31 % 1000 < 4 + number // 100 else 0.0,
            traded_at=listed_at,
            roi=(("usd", "btc", "eth")[digits // 41 % 3], digits // 43 % 4000 / 37.0 - 0.98)
            if digits // 47 % 100 < 9 else None,
            image=2_000 + number, platform=_CHAINS[digits // 53 % 7] if digits // 59 % 4 else None,
        )  # fmt: skip
        if coin.max_supply is not None and coin.max_supply < supply:
            coin.supply = coin.max_supply
        if lifetime_ends[number] < 0.04:
            # Within five years about the anchor, but never on the day of listing.
            end = ANCHOR_DAY - 300 + int(lifetime_ends[number] / 0.04 * 1_800)
            if end > listed[number] + 30:
                coin.delisted_at = ZERO_SECONDS + end * 86_400 + 9 * 3_600
        if digits // 61 % 100 < 3 and number > 400:
            coin.cap_unknown, coin.ranked = (("2013-01-01", "2045-01-01"),), False
        coins.append(coin)
    return coins


def _ln(value: np.ndarray) -> np.ndarray:
    """Natural logarithm by Newton's method on our own exp (the same bits everywhere)."""
    guess = np.zeros_like(value)
    for _ in range(60):
        raised = chance.exp(guess)
        guess = guess + 2 * (value - raised) / (value + raised)
    return guess


def _listing_days(lots: np.ndarray) -> np.ndarray:
    """More are listed every year; the last ones within five months after the anchor."""
    first, last = 3_400, ANCHOR_DAY + 150
    return (first + (last - first) * np.sqrt(lots)).astype(np.int64)


def _name(digits: int, number: int) -> tuple[str, str]:
    if digits // 67 % 150 == 0:
        odd = _ODD_NAMES[number % len(_ODD_NAMES)]
        return odd, "" if digits % 3 == 0 else odd.lower().replace(" ", "")[:4]
    word = _HEADS[digits % len(_HEADS)] + _TAILS[digits // 43 % len(_TAILS)]
    if digits // 1_376 % 3 == 0:
        word += _TAILS[digits // 4_128 % len(_TAILS)]
    end = _ENDS[digits // 132_096 % len(_ENDS)]
    letters = word[: 3 + digits // 2_377_728 % 3]
    return word.capitalize() + end, letters


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split())


def _unique(identity: str, taken: set[str]) -> str:
    if not taken:
        taken.update(coin[0] for coin in FAMILIAR)
        taken.update(coin.id for coin in STORIES)
    candidate, copy = identity, 2
    while candidate in taken:
        candidate, copy = f"{identity}-{copy}", copy + 1
    taken.add(candidate)
    return candidate


def _temper(seed: int, coins: list[Coin]) -> None:
    """Give each coin the temper of its kind, with a spread of its own."""
    row = np.arange(len(coins))
    pull, step, trade, odd = (
        chance.normals(chance.stream(seed, "temper", what), row) for what in ("pull", "step", "trade", "odd")
    )
    scale, trades = chance.exp(0.25 * step), chance.exp(np.where(row < len(FAMILIAR), 0.3, 0.7) * trade)
    for number, coin in enumerate(coins):
        temper = TEMPERS[coin.kind]
        coin.beta = max(temper.beta + 0.5 * temper.spread * float(pull[number]), 0.0) if temper.beta else 0.0
        coin.sigma, coin.turnover = temper.sigma, temper.turnover
        if coin.kind != "bitcoin":
            coin.sigma *= float(scale[number])
            coin.turnover *= float(trades[number])
        if coin.trades_every_days:
            coin.turnover = 7e-6
        coin.noise = temper.noise * (1 + number / 400)
        coin.image = coin.image or 90_000 + number
        if coin.id == "ethereum":
            coin.beta, coin.sigma, coin.noise = 1.2, 0.017, 6e-5
        if coin.max_supply is None or coin.supply < coin.max_supply * 0.999:
            # Few supplies are round: coins are burnt, minted and lost.
            coin.supply = round(coin.supply * (1 + 2e-4 * float(odd[number])), 6 if coin.supply < 1e10 else 4)
        if coin.max_supply is not None:
            coin.total_supply = coin.max_supply if number % 3 else max(coin.supply, coin.max_supply * 0.62)
        else:
            coin.total_supply = coin.supply if number % 4 else coin.supply * 1.031
        if number % 25 == 24 and coin.max_supply is None:
            coin.total_supply = None
    by_id = {coin.id: coin for coin in coins}
    for coin in coins:
        if coin.twin_of in by_id:
            original = by_id[coin.twin_of]
            coin.beta, coin.sigma = original.beta, original.sigma
