"""No sentence stumbles, whatever the market: few coins, few days, pegged, dead, young."""

import re

import pytest

from tests.support import sentences

pytestmark = pytest.mark.slow

STUMBLES = {
    "a number that is not known": r"\bn/a\b(?! where)|\bnan\b|\bNone\b(?! of)",
    "shares of one or of none": r"\b[01] of 1\b|\bof 0\b(?!\.)|[Aa]ll [012]\b",
    "plural of one": r"\b1 (coins|days|weeks|months|years)\b",
    "a change that is none": r"(?:from|between) (\S+%) (?:to|and) \1(?!\d)",
    "one coin as both ends": r"(\w[\w ]*) stands highest \(\S+\) and \1 lowest",
    "best and worst of one": r"(\w[\w ]*) (?:gained|lost) \w+ \(\S+\) in 30 days, \1 ",
    "two times not moved": r"did not move in 30 days, .* did not move",
    "a sentence cut off": r"\b(its|their|the|at|of|in|and|from|with)$",
    "a sign where a verb stands": r"\bwas [−+]",
}
SLOW = ("250 coins", "25 coins, 1 days", "25 coins, 3 days", "25 coins, 40 days")
SAMPLED = [market for market in sentences.MARKETS if not market.startswith(SLOW)]


@pytest.mark.parametrize("market", SAMPLED)
def test_no_sentence_stumbles(market):
    told = sentences.sentences(market)
    assert len(told) > 20
    stumbling = [
        (why, *line) for line in told for why, pattern in STUMBLES.items() if re.search(pattern, line[-1])
    ]
    assert stumbling == []


EXAMPLES = (
    "the median coin moves n/a times as much",
    "0 of 0 weeks closed higher for Bitcoin",
    "1 coins, none with 30 days of history",
    "Bitcoin’s share fell from 60% to 60%",
    "Bitcoin stands highest (+33%) and Bitcoin lowest (+33%)",
    "Bitcoin gained most (+3%) in 30 days, Bitcoin gained least (+3%)",
    "Solana did not move in 30 days, Bitcoin did not move",
    "The median coin is at its high, Bitcoin at",
    "30 days later Bitcoin was −8.3% in the median",
)


@pytest.mark.parametrize(("why", "text"), list(zip(STUMBLES, EXAMPLES, strict=True)))
def test_what_stumbles_is_found(why, text):
    assert re.search(STUMBLES[why], text)


def test_one_coin_is_not_compared_with_itself():
    told = {(report, place): text for report, place, text in sentences.sentences("1 coins, 400 days")}
    assert told["market_trends", "headline"] == "Bitcoin lost 55% since 12 Aug 2025"
    assert told["market_trends", "performance"] == "Bitcoin lost 55%"
    assert told["market_trends", "drawdown"] == "Bitcoin is 57% below its highest close since 12 Aug 2025"
    assert told["market_trends", "movers"] == "Bitcoin lost 14% in 30 days"
    assert told["price_averages", "headline"] == "Bitcoin trades below its 200-day average"
    assert told["price_averages", "lead"] == "Bitcoin averaged $70,271 over 30 and $71,318 over 200 days."
    assert told["price_averages", "table"] == "Bitcoin stands below all four averages"
    missing = {
        key for report, key in told if told[report, key].endswith("nothing to draw yet") and " d " not in key
    }
    assert missing == {
        "apart",
        "ranking",
        "breadth",
        "correlation",
        "dominance",
        "seasons",
        "distance",
        "coins",
        "risk",
    }


def test_the_table_of_sentences_is_printed(capsys, monkeypatch):
    monkeypatch.setattr(sentences, "MARKETS", {"empty": sentences.MARKETS["empty"]})
    sentences.main()
    lines = capsys.readouterr().out.splitlines()
    assert "market apart                empty  Pegged: nothing to draw yet" in lines
    assert len(lines) == len(set(sentences.sentences("empty")))


def test_a_range_is_told_by_the_same_code_as_the_whole_period():
    trends, averages, _ = sentences.reports("pegged and a copy")
    month, quarter = (trends.ranges[days] for days in (30, 90))
    assert (trends.headline, quarter.headline, month.headline) == (
        "XRP lost least (−39%); all 4 coins are lower than on 12 Aug 2025",
        "Solana gained most (+7%); 3 of 4 coins are lower than on 13 May 2026",
        "Solana lost least (−3%); all 4 coins are lower than on 12 Jul 2026",
    )
    assert (quarter.sections["performance"].finding, month.sections["performance"].finding) == (
        "Ethereum did worse than the median coin, which lost 17%",
        "Bitcoin and Ethereum kept within 5 points of the median coin, which lost 15%",
    )
    figure = month.sections["performance"].figure
    assert figure["layout"]["yaxis"]["title"]["text"] == "12 Jul 2026 = 100, log scale"
    assert [trace["y"][0] for trace in figure["data"]] == [100] * 5
    looking_back = ["performance", "ranking", "drawdown", "breadth", "volatility", "sentiment", "dominance"]
    assert list(month.sections) == looking_back
    assert list(averages.ranges[30].sections) == ["bitcoin", "coins", "weeks"]
    assert averages.ranges[30].sections["weeks"].finding == "3 of 4 complete weeks closed lower for Bitcoin"
    assert sentences.reports("3 coins, 8 days")[0].ranges == {}
