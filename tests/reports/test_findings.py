"""Headlines, verbs and adjectives follow the data: change a price, and the sentence changes."""

import pandas as pd
import pytest

from coinlake import schema
from coinlake.reports import market_trends, pipeline_health, price_averages
from coinlake.reports.data import Universe
from tests.support import gold_frames
from tests.support.built_reports import BUILT_AT, built


def listed(coin_ids, symbols, names):
    """The coins of a report, all of them free."""
    return pd.DataFrame(
        {"coin_id": list(coin_ids), "symbol": symbols, "name": names, "kind": "free", "original_id": None}
    )


def market(**closes):
    """A market of a few coins, each with the same number of daily closes."""
    days = max(len(values) for values in closes.values())
    dates = pd.date_range("2026-01-01", periods=days)
    coins = listed(closes, [c[:3].upper() for c in closes], [c.title() for c in closes])
    daily = pd.concat(
        pd.DataFrame({"coin_id": coin_id, "date": dates[-len(values) :], "close": values})
        for coin_id, values in closes.items()
    )
    return Universe(coins, daily)


@pytest.mark.parametrize(
    ("closes", "said"),
    [
        (
            {"bitcoin": [1.0, 2.0], "a": [1.0, 0.5], "b": [1.0, 0.9]},
            "Bitcoin gained most (+100%); 2 of 3 coins are lower than on 1 Jan 2026",
        ),
        (
            {"bitcoin": [1.0, 2.0], "a": [1.0, 3.0], "b": [1.0, 0.9]},
            "A gained most (+200%); 2 of 3 coins are higher than on 1 Jan 2026",
        ),
        (
            {"bitcoin": [1.0, 0.9], "a": [1.0, 0.5]},
            "Bitcoin lost least (−10%); both coins are lower than on 1 Jan 2026",
        ),
        (
            {"bitcoin": [1.0, 0.9], "a": [1.0, 1.5]},
            "A gained most (+50%); 1 of 2 coins is lower than on 1 Jan 2026",
        ),
        ({"bitcoin": [1.0]}, "No two days of prices yet: there is no trend to report"),
    ],
)
def test_the_trends_headline(closes, said):
    assert market_trends.headline(market(**closes)) == said


@pytest.mark.parametrize(
    ("bitcoin", "ethereum", "others", "said"),
    [
        (1.5, 1.4, 0.6, "Bitcoin and Ethereum did better than the median coin, which lost 40%"),
        (0.5, 0.6, 1.3, "Bitcoin and Ethereum did worse than the median coin, which gained 30%"),
        (1.5, 0.6, 1.0, "Bitcoin beat the median coin (0.0%), Ethereum did not"),
        (1.5, 1.0, 1.0, "Bitcoin did better than the median coin, which did not move"),
        (1.0, 0.7, 1.0, "Ethereum did worse than the median coin, which did not move"),
        (1.01, 1.0, 1.0, "Bitcoin and Ethereum kept within 5 points of the median coin, which did not move"),
        (0.97, 0.99, 0.998, "Bitcoin and Ethereum kept within 5 points of the median coin, which lost 0.2%"),
    ],
)
def test_the_verb_against_the_median_flips_with_the_market(bitcoin, ethereum, others, said):
    coins = market(bitcoin=[1, bitcoin], ethereum=[1, ethereum], a=[1, others], b=[1, others], c=[1, others])
    assert market_trends.against_median(coins) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([0.8, 0.7, 0.9], "No coin gained; B lost 30%"),
        ([1.2, 1.1, 1.3], "All 3 coins gained; C gained 30%"),
        ([1.2, 0.7, 0.9], "Only 1 of 3 coins gained; B lost 30%"),
        ([1.2, 0.00001, 0.9], "Only 1 of 3 coins gained; B lost over 99%"),
        ([1.2, 1.1, 0.9], "2 of 3 coins gained; A gained 20%"),
    ],
)
def test_the_ranking_counts_who_gained(changes, said):
    coins = market(**{name: [1.0, change] for name, change in zip("abc", changes, strict=True)})
    assert market_trends.ranking(coins, "usd").finding == said


def test_one_price_changes_the_named_coin_and_the_count(tables):
    before = built("market_trends", tables)
    trends = tables["market_trends_daily"].copy()
    last = (trends["coin_id"] == "dogecoin") & (trends["date"] == gold_frames.NEWEST)
    trends.loc[last, "close"] *= 1000
    after = built("market_trends", tables | {"market_trends_daily": trends})
    assert "Dogecoin" not in before.headline
    assert after.headline.startswith("Dogecoin gained most (")
    assert after.sections["ranking"].figure["data"][0]["y"][0] == "DOGE"


def test_the_counts_of_the_headline_are_those_of_the_table(reports):
    report = reports["market_trends"]
    bars = report.sections["ranking"].figure["data"][0]["x"]
    lower, higher = (sum(round(sign * value, 3) > 0 for value in bars) for sign in (-1, 1))
    number, word = (higher, "higher") if higher > lower else (lower, "lower")
    counted = f"all {number} coins" if number == len(bars) else f"{number} of {len(bars)} coins"
    assert f"{counted} are {word}" in report.headline


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        ({30: -0.05, 200: 0.08}, "Bitcoin is 5% below its 30-day average and 8% above its 200-day average"),
        ({30: 0.05, 200: -0.08}, "Bitcoin is 5% above its 30-day average and 8% below its 200-day average"),
        ({30: 0.05, 200: 0.08}, "Bitcoin is 5% above its 30-day and 8% above its 200-day average"),
        ({30: 0.0002}, "Bitcoin is at its 30-day average"),
        ({7: -0.02}, "Bitcoin is 2% below its 7-day average"),
        ({}, "Bitcoin has no average yet"),
    ],
)
def test_where_a_price_stands(gaps, said):
    assert price_averages.against_averages("Bitcoin", gaps) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"usd": 0.167, "eur": 0.031}, "Bitcoin’s monthly average rose 16.7% in dollars and 3.1% in euros"),
        ({"usd": -0.167, "eur": -0.031}, "Bitcoin’s monthly average fell 16.7% in dollars and 3.1% in euros"),
        ({"usd": 0.01, "eur": -0.031}, "Bitcoin’s monthly average moved +1.0% in dollars and −3.1% in euros"),
        ({}, "Bitcoin: one month of averages so far"),
    ],
)
def test_currencies_share_a_verb_only_when_they_agree(changes, said):
    assert price_averages.in_currencies("Bitcoin", changes) == said


def test_the_averages_headline_flips(tables):
    averages = tables["price_averages_daily"]
    for factor, word in ((1.1, "above"), (0.9, "below")):
        newest = averages["date"] == gold_frames.NEWEST
        close = averages["close"].where(~newest, averages["average_200d"].fillna(1.0) * factor)
        moved = tables | {"price_averages_daily": averages.assign(close=close)}
        assert built("price_averages", moved).headline == f"All 8 coins trade {word} their 200-day average"


@pytest.mark.parametrize(
    ("median", "said"),
    [
        ([0.17, -0.29], "January was the best month for the median coin (+17%), February the worst (−29%)"),
        ([-0.1, -0.29], "No month was good for the median coin; the worst was February (−29%)"),
        ([0.17], "January is the only complete month: the median coin gained 17%"),
        ([], "No month is complete yet"),
    ],
)
def test_months(median, said):
    index = pd.to_datetime(["2026-01-01", "2026-02-01"][: len(median)])
    assert market_trends.best_and_worst_month(pd.Series(median, index=index, dtype=float)) == said


def health(**changes):
    frames = gold_frames.gold(coins=2, days=40)
    rows = gold_frames.operations(**changes)
    frames |= {name: gold_frames.typed(getattr(schema, name.upper()), rows[name]) for name in rows}
    return built("pipeline_health", frames)


def test_the_health_headline_follows_the_last_run():
    good, failed = health(), health(failed=True)
    assert good.headline.endswith("1 of 5 tables is older than promised")
    assert good.sections["timeline"].finding.startswith("04_build_gold takes ")
    assert failed.headline.startswith("The last run failed in 04_build_gold after ")
    assert failed.sections["timeline"].finding == "The run failed in 04_build_gold; 4 steps succeeded"
    assert failed.banner.word == "The last run failed."
    assert "11 of the 12 runs so far have succeeded." in failed.lead
    assert "The table is gone." in failed.sections["timeline"].table


@pytest.mark.parametrize(
    ("statuses", "did", "word"),
    [
        ("ssssiss", "was interrupted in 04_build_gold", "The last run was interrupted."),
        ("sssfis", "failed in 03_stream_to_silver", "The last run failed."),
        ("ssssrss", "has not ended in 04_build_gold", "The last run has not ended."),
        ("ssss", "left no record of 04_build_gold and 3 more steps", "The last run is incomplete."),
        ("sssssss", "left no record of 07_report_market_trends", "The last run is incomplete."),
    ],
)
def test_a_run_that_lacks_a_step_or_its_end_is_never_said_to_have_succeeded(statuses, did, word):
    frames = gold_frames.gold(coins=2, days=40)
    words = {"s": "succeeded", "f": "failed", "i": "interrupted", "r": "running"}
    first, last = frames["run_steps"].iloc[:-8], frames["run_steps"].iloc[-8:][: len(statuses)]
    last = last.assign(status=[words[letter] for letter in statuses])
    page = built("pipeline_health", frames | {"run_steps": pd.concat([first, last])})
    assert page.headline.startswith(f"The last run {did} after ")
    assert page.sections["timeline"].finding.startswith(f"The run {did}; ")
    assert page.banner.word == word
    assert "succeeded" not in page.cards[0].note
    assert page.sections["timeline"].table.count("It left no record.") == 8 - len(statuses)


def test_the_alerts_that_are_open_stand_among_all_that_is_watched():
    def section(*kinds):
        alerts = [
            {"kind": kind, "subject": "<b>", "message": "No disk.", "fired_at": "2026-08-12T14:22:00.000Z"}
            for kind in kinds
        ]
        return pipeline_health.watched(pd.DataFrame({"step": ["00_setup"]}), alerts)

    assert section().finding == "No alert is open"
    assert section().table.count("quiet</span>") == len(schema.ALERTS)
    some = section("failed_run", "stale_table", "stale_table")
    assert some.finding == "3 alerts open: failed_run, stale_table"
    assert (some.table.count("open</span>"), some.table.count("quiet</span>")) == (3, len(schema.ALERTS) - 2)
    assert "<b>" not in some.table and "2026-08-12 14:22" in some.table


def test_a_notebook_that_ran_by_hand_lacks_no_step():
    frames = gold_frames.gold(coins=2, days=40)
    alone = frames["run_steps"].tail(1).assign(parameters='{"run_id": ""}')
    page = built("pipeline_health", frames | {"run_steps": alone})
    assert page.banner.word != "The last run is incomplete."
    assert page.sections["timeline"].finding == "07_report_market_trends takes 100% of the run’s time"


def test_the_first_run_is_not_spoken_of_as_one_of_many():
    last = pd.DataFrame(
        {
            "step": ["01_ingest_market_data", "02_ingest_context_data", "03_stream_to_silver"],
            "rows_written": [2, 1, 900],
            "rows_rejected": [0, 0, 1],
        }
    )
    usage = pd.DataFrame({"date": pd.to_datetime(["2026-08-01"]), "attempts": [10], "errors": [1]})
    runs = pd.DataFrame({"status": ["succeeded"]})
    said = "The only run so far succeeded. It landed 3 responses and rejected 1 record."
    assert pipeline_health.lead(last, runs, usage) == said
    clean, failing = last.assign(rows_rejected=0), usage.assign(errors=2)
    assert pipeline_health.lead(clean, pd.concat([runs, runs]), failing) == (
        "Both runs so far have succeeded. The last one landed 3 responses and rejected none of their records. "
        "2 of 10 requests of the month failed."
    )
    thirty = pd.concat([runs] * 29 + [runs.assign(status="failed")])
    assert pipeline_health.lead(clean, thirty, usage).startswith("29 of the 30 last runs have succeeded.")


def test_good_news_of_quarantine_is_a_finding_and_not_a_gap():
    frames = gold_frames.gold(coins=2, days=40)
    page = built("pipeline_health", frames | {"quarantine_daily": frames["quarantine_daily"].iloc[:0]})
    assert page.sections["quarantine"].finding == "No record is in quarantine"
    assert page.sections["quarantine"].missing == ""


def test_the_budget_projects_the_month_against_the_plan(gold):
    frames = gold["pipeline_health"]
    steps = frames["run_steps"]
    # Histories are asked once: 600 of the 624 credits; the rest comes with every run.
    section = pipeline_health.budget(frames["api_usage"], steps, "live")
    assert section.figure["data"][1]["y"] == [624, 662]
    assert "600 credits went to histories, which are asked once. " in section.subtitle
    assert "A run costs about 2; one every hour, 912 until 31 Aug 2026. " in section.subtitle
    usage = frames["api_usage"].replace({"endpoint": {pipeline_health.HISTORY: "exchange_rates"}})
    section = pipeline_health.budget(usage, steps, "live")
    # 12 days of 52 credits, at this pace 31 days of them.
    assert "kept" not in section.subtitle and "last until" not in section.subtitle
    assert section.finding == "August stays within the plan: 16% of 10,000 credits"
    assert section.figure["data"][1]["y"] == [624, 1612]
    tight = steps.assign(parameters='{"plan": "demo", "credits_per_month": 1000}')
    assert pipeline_health.budget(usage, tight, "live").finding == (
        "August breaks the plan: 161% of 1,000 credits"
    )
    for credits, said in (
        (1000, "At this pace they last until 19 Aug 2026."),
        (690, "The last 69 credits are kept for the present; history waits for the next month."),
        (624, "They are used up until 1 Sep 2026."),
    ):
        given = steps.assign(parameters=f'{{"plan": "demo", "credits_per_month": {credits}}}')
        assert said in pipeline_health.budget(usage, given, "live").subtitle
    keyless = steps.assign(parameters='{"plan": "keyless", "credits_per_month": 0}')
    section = pipeline_health.budget(usage, keyless, "live")
    assert section.finding == "624 credits in August, about 1,612 by its end"
    assert "The keyless plan states no monthly budget." in section.subtitle


def test_headlines_fit_on_a_line(reports):
    for report in reports.values():
        assert len(report.headline) <= 75
        for section in report.sections.values():
            assert len(section.finding) <= 90, section.finding
            assert not section.finding.endswith((".", "?"))


def test_building_does_not_change_the_frames(gold):
    before = {name: frame.copy() for name, frame in gold["market_trends"].items()}
    market_trends.build(gold["market_trends"], built_at=BUILT_AT)
    for name, frame in gold["market_trends"].items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_the_page_says_what_is_known_since_the_last_close(tables):
    report = built("market_trends", tables)
    snapshots = tables["market_now"]
    caps = snapshots[~snapshots["coin_id"].isin(["tether"])]["market_cap"]
    share = caps.iloc[0] / caps.sum()
    assert report.now == (
        "12 Aug 2026 14:00 UTC: Bitcoin $64,640 (+1.2% in 24 hours) and Ethereum $3,131 (+1.2% in 24 hours). "
        f"The 9 coins are worth ${caps.sum() / 1e12:.2f}\u00a0T, Bitcoin {share:.0%} of it."
    )
    assert f'<p class="now"><strong>Now</strong> {report.now}</p>' in report.html()
    assert built("price_averages", tables).now == report.now
    assert "<td>$64,640</td>" in report.sections["movers"].table
    # A snapshot of the day that has closed is no news.
    old = snapshots.assign(snapshot_at=snapshots["snapshot_at"] - pd.Timedelta(hours=15))
    assert built("market_trends", tables | {"market_now": old}).now == ""


def test_high_is_the_all_time_one_where_it_is_known_of_all_coins(tables):
    since, row = "high: highest close since 12 Aug 2025", "<td>{}</td>"
    known = built("market_trends", tables | {"market_now": tables["market_now"].assign(distance_from_high=-0.431)})
    table = known.sections["movers"].table
    assert "high: all-time high, from now" in table
    assert table.count(row.format("−43%")) == 9
    partly = tables["market_now"].assign(distance_from_high=[-0.431] * 9 + [None])
    for unknown in (tables, tables | {"market_now": partly}):
        assert since in built("market_trends", unknown).sections["movers"].table


def test_a_period_reaches_back_as_far_as_three_coins_do():
    rhythms = {"bitcoin": 2, "ethereum": 3, "ripple": 5}
    old = {coin: [1.0 + 0.1 * (day % every) for day in range(40)] for coin, every in rhythms.items()}
    young = {f"young-{place}": [1.0] * 7 for place in range(9)}
    assert len(market(**old, **young).closes) == 40
    assert len(market(bitcoin=old["bitcoin"], ethereum=old["ethereum"], **young).closes) == 7


def test_the_longest_average_is_one_that_three_coins_have():
    frame = pd.DataFrame({window: [0.1] * 3 + [None] * 9 for window in price_averages.WINDOWS}, dtype=float)
    frame[7] = 0.1
    assert price_averages.longest_window(frame) == 200
    assert price_averages.longest_window(frame.iloc[1:]) == 7
    assert price_averages.longest_window(frame.iloc[2:4]) == 200
    assert price_averages.longest_window(frame.iloc[:0]) is None


def test_neither_the_unit_nor_a_coin_that_came_later_leads():
    rhythms = {"bitcoin": 2, "ethereum": 3, "ripple": 5, "cardano": 7}
    closes = {coin: [1.0 + 0.1 * (day % every) for day in range(9)] for coin, every in rhythms.items()}
    assert market(**closes).leaders == ["bitcoin", "ethereum"]
    assert market(**closes | {"bitcoin": closes["bitcoin"][:3]}).leaders == ["ethereum", "ripple"]
    daily = pd.concat(
        pd.DataFrame({"coin_id": coin, "date": pd.date_range("2026-01-01", periods=9), "close": its})
        for coin, its in closes.items()
    )
    coins = listed(closes, ["BTC", "ETH", "XRP", "ADA"], list(closes))
    assert Universe(coins, daily, unit="btc").leaders == ["ethereum", "ripple"]
    assert Universe(coins.head(1), daily, unit="btc").leaders == ["bitcoin"]
