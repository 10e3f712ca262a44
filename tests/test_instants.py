import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from coinlake import instants
from coinlake.errors import ConfigurationError

NOON = datetime(2026, 8, 12, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-08-12T12:00:00Z", NOON),
        ("2026-08-12T14:00:00+02:00", NOON),
        ("2026-08-12T12:00:00.0000000Z", NOON),
        ("2026-08-12T12:00", NOON),
        (" 2026-08-12 12:00:00.000Z ", NOON),
        ("2026-08-12", datetime(2026, 8, 12, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_as_utc(text, expected):
    assert instants.parse(text) == expected


def test_what_is_no_instant_is_named_in_the_error():
    with pytest.raises(ConfigurationError, match=r"'yesterday' is not an instant. Write it like 2026-"):
        instants.parse("yesterday")


def test_an_instant_is_written_with_milliseconds_and_as_a_stamp():
    instant = datetime(2026, 8, 12, 14, 0, 1, 234_567, tzinfo=timezone(timedelta(hours=2)))
    assert instants.to_text(instant) == "2026-08-12T12:00:01.234Z"
    assert instants.to_stamp(instant) == "20260812T120001Z"
    assert instants.from_stamp("20260812T120001Z-0123abcd") == datetime(2026, 8, 12, 12, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+1h", timedelta(hours=1)),
        (" +30m ", timedelta(minutes=30)),
        ("+2d", timedelta(days=2)),
        ("2026-09-01", datetime(2026, 9, 1, tzinfo=UTC)),
        (" ", None),
    ],
)
def test_an_as_of_is_an_instant_or_a_step_or_empty(text, expected):
    assert instants.as_of(text) == expected


@pytest.mark.parametrize("text", ["1h", "+1w", "yesterday"])
def test_an_as_of_that_is_neither_is_refused(text):
    with pytest.raises(
        ConfigurationError, match=re.escape(f"{text!r} is neither an instant, such as 2026-08-12T")
    ):
        instants.as_of(text)


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [
        (0, 0, date(2026, 8, 11)),
        (0, 44, date(2026, 8, 11)),
        (0, 45, date(2026, 8, 12)),
        (23, 59, date(2026, 8, 12)),
    ],
)
def test_a_data_day_begins_when_the_answers_of_the_day_before_are_settled(hour, minute, expected):
    assert instants.data_day(datetime(2026, 8, 12, hour, minute, tzinfo=UTC)) == expected


@pytest.mark.parametrize(
    ("instant", "turn"),
    [
        (NOON, datetime(2026, 9, 1, tzinfo=UTC)),
        (datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        (datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)),
        # Still January in UTC.
        (datetime(2028, 2, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), datetime(2028, 2, 1, tzinfo=UTC)),
    ],
)
def test_a_month_turns_at_midnight_utc(instant, turn):
    assert instants.next_month(instant) == turn


def test_the_last_day_of_a_month():
    days = [date(2026, 8, 1), date(2028, 2, 29), date(2026, 12, 31)]
    assert [instants.last_day(day) for day in days] == [date(2026, 8, 31), date(2028, 2, 29), date(2026, 12, 31)]
