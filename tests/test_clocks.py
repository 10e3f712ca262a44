from datetime import UTC, datetime, timedelta

from coinlake.clocks import VirtualClock

NOON = datetime(2026, 8, 12, 12, tzinfo=UTC)


def test_only_sleeping_and_setting_move_a_virtual_clock():
    clock = VirtualClock(NOON)
    clock.sleep(90)
    assert (clock.now(), clock.monotonic()) == (NOON + timedelta(seconds=90), 90.0)
    clock.set(NOON - timedelta(days=1))
    assert (clock.now(), clock.monotonic()) == (NOON - timedelta(days=1), 90.0)
