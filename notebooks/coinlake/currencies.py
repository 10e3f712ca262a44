"""The currencies that prices can be quoted in, with the keys that the star schema gives them."""

from typing import NamedTuple


class Currency(NamedTuple):
    """One currency: its key in the star schema, its code, its English name and its kind."""

    key: int
    code: str
    name: str
    kind: str


# A key never changes its meaning: new currencies are added at the end.
CURRENCIES = (
    Currency(1, "usd", "US dollar", "fiat"),
    Currency(2, "eur", "Euro", "fiat"),
    Currency(3, "chf", "Swiss franc", "fiat"),
    Currency(4, "gbp", "Pound sterling", "fiat"),
    Currency(5, "jpy", "Japanese yen", "fiat"),
    Currency(6, "aed", "UAE dirham", "fiat"),
    Currency(7, "ars", "Argentine peso", "fiat"),
    Currency(8, "aud", "Australian dollar", "fiat"),
    Currency(9, "bdt", "Bangladeshi taka", "fiat"),
    Currency(10, "bhd", "Bahraini dinar", "fiat"),
    Currency(11, "bmd", "Bermudian dollar", "fiat"),
    Currency(12, "brl", "Brazilian real", "fiat"),
    Currency(13, "cad", "Canadian dollar", "fiat"),
    Currency(14, "clp", "Chilean peso", "fiat"),
    Currency(15, "cny", "Chinese yuan", "fiat"),
    Currency(16, "czk", "Czech koruna", "fiat"),
    Currency(17, "dkk", "Danish krone", "fiat"),
    Currency(18, "gel", "Georgian lari", "fiat"),
    Currency(19, "hkd", "Hong Kong dollar", "fiat"),
    Currency(20, "huf", "Hungarian forint", "fiat"),
    Currency(21, "idr", "Indonesian rupiah", "fiat"),
    Currency(22, "ils", "Israeli new shekel", "fiat"),
    Currency(23, "inr", "Indian rupee", "fiat"),
    Currency(24, "krw", "South Korean won", "fiat"),
    Currency(25, "kwd", "Kuwaiti dinar", "fiat"),
    Currency(26, "lkr", "Sri Lankan rupee", "fiat"),
    Currency(27, "mmk", "Myanmar kyat", "fiat"),
    Currency(28, "mxn", "Mexican peso", "fiat"),
    Currency(29, "myr", "Malaysian ringgit", "fiat"),
    Currency(30, "ngn", "Nigerian naira", "fiat"),
    Currency(31, "nok", "Norwegian krone", "fiat"),
    Currency(32, "nzd", "New Zealand dollar", "fiat"),
    Currency(33, "php", "Philippine peso", "fiat"),
    Currency(34, "pkr", "Pakistani rupee", "fiat"),
    Currency(35, "pln", "Polish zloty", "fiat"),
    Currency(36, "rub", "Russian rouble", "fiat"),
    Currency(37, "sar", "Saudi riyal", "fiat"),
    Currency(38, "sek", "Swedish krona", "fiat"),
    Currency(39, "sgd", "Singapore dollar", "fiat"),
    Currency(40, "thb", "Thai baht", "fiat"),
    Currency(41, "try", "Turkish lira", "fiat"),
    Currency(42, "twd", "New Taiwan dollar", "fiat"),
    Currency(43, "uah", "Ukrainian hryvnia", "fiat"),
    Currency(44, "vef", "Venezuelan bolivar", "fiat"),
    Currency(45, "vnd", "Vietnamese dong", "fiat"),
    Currency(46, "xdr", "Special drawing right", "fiat"),
    Currency(47, "zar", "South African rand", "fiat"),
    Currency(48, "xag", "Silver, troy ounce", "commodity"),
    Currency(49, "xau", "Gold, troy ounce", "commodity"),
    Currency(50, "bch", "Bitcoin Cash", "crypto"),
    Currency(51, "bits", "Bits, millionths of a bitcoin", "crypto"),
    Currency(52, "bnb", "BNB", "crypto"),
    Currency(53, "btc", "Bitcoin", "crypto"),
    Currency(54, "dot", "Polkadot", "crypto"),
    Currency(55, "eos", "EOS", "crypto"),
    Currency(56, "eth", "Ether", "crypto"),
    Currency(57, "link", "Chainlink", "crypto"),
    Currency(58, "ltc", "Litecoin", "crypto"),
    Currency(59, "sats", "Satoshi", "crypto"),
    Currency(60, "sol", "Solana", "crypto"),
    Currency(61, "xlm", "Stellar", "crypto"),
    Currency(62, "xrp", "XRP", "crypto"),
    Currency(63, "yfi", "yearn.finance", "crypto"),
)

CODES = frozenset(currency.code for currency in CURRENCIES)
