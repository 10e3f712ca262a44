import json

import pytest

from coinlake import api
from coinlake.api import classify, responses
from coinlake.api.responses import Classification
from coinlake.sources import endpoint_of

CHART = b'{"prices":[[1,2.5]],"market_caps":[],"total_volumes":[]}'


def body(document) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("endpoint", "data"),
    [
        ("coins_markets", b"[]"),
        ("coins_markets", b'\xef\xbb\xbf[{"id":"bitcoin"}]\n'),
        ("coins_list", b"[]"),
        ("coin_categories", b"[]"),
        ("coins_market_chart", CHART),
        ("global", b'{"data":{}}'),
        ("fear_greed", b'{"data":[],"metadata":{"error":null}}'),
        ("fx_rates", b'{"amount":1.0,"base":"USD","rates":{}}'),
        ("weather_daily", b'{"daily":{"time":[]}}'),
    ],
)
def test_a_whole_body_of_the_endpoints_shape_is_data(endpoint, data):
    assert classify(endpoint_of(endpoint), 200, data) == Classification()


@pytest.mark.parametrize(
    ("document", "status", "expected"),
    [
        # CoinGecko's shapes
        (
            {"status": {"error_code": 429, "error_message": "Slow"}},
            429,
            Classification("429 Slow", 429, retry=True),
        ),
        (
            {"status": {"error_code": 10006, "error_message": "Done"}},
            429,
            Classification("10006 Done", 10006, stop=True),
        ),
        ({"status": {"error_code": 10002, "error_message": "Key"}}, 401, Classification("10002 Key", 10002)),
        (
            {"error": {"status": {"error_code": 10012, "error_message": "Old"}}},
            401,
            Classification("10012 Old", 10012),
        ),
        ({"error_code": 10011, "status": {"error_message": "Host"}}, 400, Classification("10011 Host", 10011)),
        ({"error": "coin not found"}, 404, Classification("404 coin not found", 404)),
        ({"error": "Missing parameter ids"}, 422, Classification("422 Missing parameter ids", 422)),
        ({"status": 500, "error": "Internal"}, 500, Classification("500 Internal", 500, retry=True)),
        # the others'
        ({"error": True, "reason": "Try again."}, 429, Classification("429 Try again.", 429, retry=True)),
        ({"message": "not found"}, 404, Classification("404 not found", 404)),
        ({"data": [], "metadata": {"error": "down"}}, 500, Classification("500 down", 500, retry=True)),
        # the same, sent with HTTP 200
        (
            {"status": {"error_code": 429, "error_message": "Slow"}},
            200,
            Classification("429 Slow", 429, retry=True),
        ),
        (
            {"status": {"error_code": 10006, "error_message": "Done"}},
            200,
            Classification("10006 Done", 10006, stop=True),
        ),
        ({"status": {"error_code": 10005, "error_message": "Pro"}}, 200, Classification("10005 Pro", 10005)),
        ({"status": 500, "error": "Internal"}, 200, Classification("500 Internal", 500, retry=True)),
        ({"error": "coin not found"}, 200, Classification("200 coin not found", 200)),
        ({"error": True, "reason": "bad"}, 200, Classification("200 bad", 200)),
        ({"message": "not found"}, 200, Classification("200 not found", 200)),
    ],
)
def test_error_objects(document, status, expected):
    for endpoint in ("coins_markets", "coins_market_chart"):
        assert classify(endpoint_of(endpoint), status, body(document)) == expected


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_refusals_are_never_asked_again_whatever_the_body_says(status):
    assert (
        classify(endpoint_of("global"), status, body({"status": {"error_code": 429, "error_message": "x"}})).retry
        is False
    )
    assert classify(endpoint_of("global"), status, b"<html>502 Bad Gateway").retry is False


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 520])
def test_what_may_pass_is_asked_again(status):
    assert classify(endpoint_of("global"), status, b"").retry is True


@pytest.mark.parametrize(
    ("status", "came", "expected"),
    [
        (502, b"<html><head><title>502 Bad Gateway</title></head><body>\n<h1>502 Bad Gateway</h1></body>",
         Classification("502 Bad Gateway 502 Bad Gateway", 502, retry=True)),
        (403, b"<html><style>p {}</style><p>Access denied. This site used Cloudflare to restrict access</p>",
         Classification("1020 Access denied. This site used Cloudflare to restrict access", 1020)),
        (429, b"error code: 1015", Classification("1015 error code: 1015", 1015, retry=True)),
        (429, b"Throttled by the edge", Classification("1015 Throttled by the edge", 1015, retry=True)),
        (503, b"", Classification("503 Service Unavailable", 503, retry=True)),
        (599, b"", Classification("599 no message", 599, retry=True)),
        (418, b"\xff\xfe\x00", Classification("418 \ufffd\ufffd", 418)),
        (200, b"", Classification("200 empty body", 200, retry=True)),
        (200, b" \n", Classification("200 empty body", 200, retry=True)),
        (200, b'[{"id":"dai"},{"id', Classification("200 body is not one whole JSON document", 200, retry=True)),
        (200, b"[][]", Classification("200 body is not one whole JSON document", 200, retry=True)),
        (200, b"[" * 100_000, Classification("200 body is not one whole JSON document", 200, retry=True)),
        (200, b'["\xff"]', Classification("200 body is not UTF-8", 200, retry=True)),
        (200, b"<html><b>Bad Gateway</b>",
         Classification("200 body is not one whole JSON document: Bad Gateway", 200, retry=True)),
        (200, b'{"prices":[]}', Classification("200 an object came where coins_markets has an array", 200)),
        (200, b"null", Classification("200 a single value came where coins_markets has an array", 200)),
    ],
)  # fmt: skip
def test_what_is_not_json_or_of_another_shape(status, came, expected):
    assert classify(endpoint_of("coins_markets"), status, came) == expected


def test_an_object_without_its_content_is_no_data():
    assert classify(endpoint_of("coins_market_chart"), 200, b'{"prices":null}') == Classification(
        "200 the object has no 'prices', which coins_market_chart has", 200
    )


def test_an_error_text_is_one_short_line():
    error = classify(endpoint_of("global"), 404, body({"error": "a\r\nb\x1b[31m " + "c" * 500})).error
    assert error == "404 a b [31m " + "c" * 150 + "…"


def test_remedies_say_what_to_do():
    assert api.remedy("0 connection failed").startswith("Check the network")
    assert api.remedy("599 no message").startswith("Run again later")


@pytest.mark.parametrize(
    ("status", "error", "costs"),
    [
        (200, None, True),
        (204, "200 empty body", True),
        (302, "302 redirected", False),
        (404, "404 coin not found", False),
        (429, "10006 You've reached 10,000 calls limit.", False),
        (503, "503 Service Unavailable", False),
        (0, "0 connection failed", False),
        (0, responses.OUT_OF_CREDITS, False),
        (0, "0 answer timed out", True),
        (0, "0 connection lost", True),
        (0, responses.CUT_OFF, True),
    ],
)
def test_what_costs_a_credit(status, error, costs):
    assert api.costs_credit(status, error) is costs


@pytest.mark.parametrize(
    ("status", "code", "message", "is_over"),
    [
        (429, 10006, "limit", True),
        (429, 429, "You've reached 10,000 calls limit. Please subscribe.", True),
        (429, 429, "You have used up your monthly quota.", True),
        (429, 429, "You've exceeded the Rate Limit. Please visit the pricing page.", False),
        (404, 404, "There is no monthly chart.", False),
    ],
)
def test_a_month_that_is_used_up_is_told_from_a_minute(status, code, message, is_over):
    sent = body({"status": {"error_code": code, "error_message": message}})
    found = classify(endpoint_of("global"), status, sent)
    assert (found.stop, api.ends_month(found.error)) == (is_over, is_over)
    if is_over:
        assert found == Classification(f"10006 {message}", 10006, stop=True)


def test_what_ends_a_run():
    away = responses.stay_away(Classification("429 Slow", 429, retry=True), 3599)
    assert away == Classification("429 Slow (asks to wait 3,599 s)", 429, retry=False, stop=True)
    ending = [away.error, responses.OUT_OF_CREDITS, "10006 Done", "429 Slow", "404 coin not found"]
    assert [api.ends_run(error) for error in ending] == [True, True, True, False, False]
