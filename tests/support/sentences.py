"""Every sentence of the market reports over markets of all kinds: `make sentences` prints them to be read."""

import re
from functools import cache

from markupsafe import Markup

from tests.support import gold_frames
from tests.support.built_reports import ALL, BUILT_AT, lake

REPORTS = ("market_trends", "price_averages", "coins")
MARKETS = {
    f"{coins} coins, {days} days": {"coins": coins, "days": days}
    for coins in (1, 2, 3, 25, 250)
    for days in (1, 3, 8, 40, 400)
} | {
    "pegged only, 8 days": {"coins": 4, "days": 8, "pegged": True},
    "pegged only, 400 days": {"coins": 4, "pegged": True},
    "dead coins": {"coins": 5, "dead": {"bitcoin": 10, "solana": 399}},
    "all but one dead": {"coins": 3, "dead": {"bitcoin": 10, "ethereum": 30}},
    "a young leader": {"coins": 12, "young": {"bitcoin": 4}},
    "young coins": {"coins": 5, "young": {"tether": 2, "solana": 20, "ripple": 60}},
    "pegged and a copy": {"coins": 6, "copies": {"dogecoin": "bitcoin"}},
    "no rates, no mood": {"coins": 10, "quotes": {"usd": 1.0}, "fear_greed": False},
    "three years": {"coins": 3, "days": 1200},
    "empty": {"coins": 0},
}


@cache
def reports(market):
    """The market reports over one of the MARKETS."""
    given = MARKETS[market]
    opened = lake(gold_frames.gold(**given) if given["coins"] else gold_frames.empty())
    return [ALL[name].build(ALL[name].read(opened), built_at=BUILT_AT) for name in REPORTS]


def sentences(market):
    """What the reports over a market say, in order: (report, place, text)."""
    return [
        (report.name, f"{days} d {place}" if days else place, text)
        for report in reports(market)
        for days, one in ((None, report), *report.ranges.items())
        for place, text in of_report(one)
    ]


def of_report(report):
    """The sentences of one report: (place, text)."""
    told = [("headline", report.headline), ("lead", report.lead), *[("now", report.now)] * bool(report.now)]
    told += [("card", f"{card.label}: {card.value} ({Markup(card.note).striptags()})") for card in report.cards]
    for key, section in report.sections.items():
        told += [(key, section.finding), (f"{key} sub", section.missing or section.subtitle)]
        told += [(f"{key} alt", section.alt)] * bool(section.alt)
    return [(place, re.sub(r"\s+", " ", text)) for place, text in told]


def main():
    """Print one line for each sentence, the same one only once, with the first market that makes it."""
    seen = {}
    for market in MARKETS:
        for report, place, text in sentences(market):
            seen.setdefault((report, place, text), market)
    width = max(map(len, MARKETS))
    for (report, place, text), market in sorted(seen.items(), key=lambda item: item[0][:2]):
        print(f"{report[:6]} {place:20} {market:{width}}  {text}")


if __name__ == "__main__":
    main()
