import pytest

from coinlake import api
from coinlake.api import endpoints
from coinlake.errors import CoinlakeError
from coinlake.sources import endpoint_of


def test_addresses_of_all_endpoints():
    assert {
        "coins_markets": api.request_url(endpoint_of("coins_markets"), vs_currency="usd", per_page=250, page=2),
        "global": api.request_url(endpoint_of("global")),
        "coins_list": api.request_url(endpoint_of("coins_list")),
        "coin_categories": api.request_url(endpoint_of("coin_categories")),
        "coins_market_chart": api.request_url(
            endpoint_of("coins_market_chart"),
            root=endpoints.COINGECKO_PRO,
            coin_id="staked ether/é",
            vs_currency="eur",
            days=365,
        ),
        "fear_greed": api.request_url(endpoint_of("fear_greed"), limit=366),
        "fx_rates": api.request_url(
            endpoint_of("fx_rates"), start="2026-08-01", end="2026-08-12", symbols="EUR,CHF"
        ),
        "weather_daily": api.request_url(
            endpoint_of("weather_daily"), latitude=47.37, longitude=-8.5, start="2026-08-01", end="2026-08-11"
        ),
    } == {
        "coins_markets": "https://api.coingecko.com/api/v3/coins/markets?vs_currency=usd&order=market_cap_desc"
        "&per_page=250&page=2&sparkline=true&price_change_percentage=1h,24h,7d,30d",
        "global": "https://api.coingecko.com/api/v3/global",
        "coins_list": "https://api.coingecko.com/api/v3/coins/list",
        "coin_categories": "https://api.coingecko.com/api/v3/coins/categories",
        "coins_market_chart": "https://pro-api.coingecko.com/api/v3/coins/staked%20ether%2F%C3%A9/market_chart"
        "?vs_currency=eur&days=365",
        "fear_greed": "https://api.alternative.me/fng/?limit=366",
        "fx_rates": "https://api.frankfurter.dev/v1/2026-08-01..2026-08-12?base=USD&symbols=EUR,CHF",
        "weather_daily": "https://archive-api.open-meteo.com/v1/archive?latitude=47.37&longitude=-8.5"
        "&start_date=2026-08-01&end_date=2026-08-11&daily=weather_code,temperature_2m_max,temperature_2m_min,"
        "precipitation_sum,wind_speed_10m_max&timezone=GMT",
    }


def test_an_unknown_endpoint_is_an_error_that_lists_them():
    with pytest.raises(CoinlakeError, match=r"no endpoint 'coin_market'.*coins_markets, global"):
        endpoint_of("coin_market")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://h/p?x_cg_demo_api_key=CG-1&page=1", "https://h/p?page=1"),
        ("https://h/p?page=1&X_CG_PRO_API_KEY=CG-1#key=CG-1", "https://h/p?page=1"),
        ("https://h/p?x%5Fcg%5Fdemo_api_key=CG-1", "https://h/p"),
        ("https://me:CG-1@h/p?apikey=CG-1&access_token=CG-1&key=CG-1&a=b,c", "https://h/p?a=b,c"),
    ],
)
def test_an_address_is_kept_without_its_key(address, expected):
    assert api.without_key(address) == expected


@pytest.mark.parametrize(
    ("name", "address", "expected"),
    [
        ("global", "/global", "https://api.coingecko.com/api/v3/global"),
        ("global", "/api/v3/global", "https://api.coingecko.com/api/v3/global"),
        ("fear_greed", "/fng/?limit=0", "https://api.alternative.me/fng/?limit=0"),
        ("global", "https://pro-api.coingecko.com/x", "https://pro-api.coingecko.com/x"),
    ],
)
def test_an_address_without_its_host_gets_the_endpoints(name, address, expected):
    assert api.absolute_url(endpoint_of(name), address) == expected


def test_one_question_in_two_spellings():
    one = "https://API.coingecko.com/api/v3/coins/a%20b/?page=1&order=x%2Cy&x_cg_demo_api_key=CG-1"
    other = "https://api.coingecko.com/api/v3/coins/a b?order=x,y&page=1"
    assert api.same_question(one) == api.same_question(other)
    assert api.same_question(other) != api.same_question(other.replace("page=1", "page=2"))
