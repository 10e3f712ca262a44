"""Triggers beside the vectors: daylight saving, schedules that never come, windows that wait for themselves."""

import pytest

from adf_lab import AdfLabError
from adf_lab.triggers import (
    event_parameters,
    iso,
    next_windows,
    parse_time,
    ready_windows,
    schedule_times,
)


def schedule(frequency="Day", interval=1, zone="UTC", start="2026-01-01T00:00:00", **schedule):
    recurrence = {
        "frequency": frequency,
        "interval": interval,
        "timeZone": zone,
        "startTime": start,
        "schedule": schedule,
    }
    return {"properties": {"type": "ScheduleTrigger", "typeProperties": {"recurrence": recurrence}}}


def times(trigger, begin, end):
    return [iso(time) for time in schedule_times(trigger, parse_time(begin), parse_time(end))]


def test_a_local_time_that_the_clock_skips_or_repeats_fires_once():
    trigger = schedule(zone="W. Europe Standard Time", hours=[2], minutes=[30])
    assert times(trigger, "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z") == [
        "2026-03-28T01:30:00Z",
        "2026-03-29T01:30:00Z",
        "2026-03-30T00:30:00Z",
    ]
    assert times(trigger, "2026-10-25T00:00:00Z", "2026-10-27T00:00:00Z") == [
        "2026-10-25T00:30:00Z",
        "2026-10-26T01:30:00Z",
    ]


def test_a_schedule_that_never_comes_ends():
    trigger = schedule("Month", interval=12, start="2026-02-01T00:00:00", monthDays=[31])
    assert times(trigger, "2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z") == []


def test_minutes_without_hours_mean_every_hour():
    trigger = schedule("Week", weekDays=["Monday"], minutes=[45], start="2026-01-05T22:00:00")
    assert times(trigger, "2026-01-01T00:00:00Z", "2026-01-12T01:00:00Z") == [
        "2026-01-05T22:45:00Z",
        "2026-01-05T23:45:00Z",
        "2026-01-12T00:45:00Z",
    ]


def test_a_schedule_picks_among_steps_of_minutes():
    trigger = schedule("Minute", interval=15, minutes=[0, 30], hours=[1])
    assert times(trigger, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z") == [
        "2026-01-01T01:00:00Z",
        "2026-01-01T01:30:00Z",
    ]


def test_minutes_of_an_hour_are_those_of_the_zone_s_clock():
    trigger = schedule("Hour", zone="India Standard Time", minutes=[0, 15])
    assert times(trigger, "2026-01-01T00:00:00Z", "2026-01-01T01:30:00Z") == [
        "2026-01-01T00:30:00Z",
        "2026-01-01T00:45:00Z",
    ]


def window_trigger(**properties):
    return {
        "properties": {
            "type": "TumblingWindowTrigger",
            "typeProperties": {
                "frequency": "Hour",
                "interval": 1,
                "startTime": "2026-01-01T00:00:00Z",
                "maxConcurrency": 10,
                **properties,
            },
        }
    }


def test_windows_that_wait_for_themselves_run_one_after_another():
    waiting = {"type": "SelfDependencyTumblingWindowTriggerReference", "offset": "-01:00:00", "size": "01:00:00"}
    trigger = window_trigger(dependsOn=[waiting])
    as_of = parse_time("2026-01-01T03:00:00Z")
    ready = ready_windows(trigger, as_of)
    assert next_windows(trigger, as_of) == ready[:1]
    assert next_windows(trigger, as_of, succeeded=ready[:1]) == ready[1:2]
    assert next_windows(trigger, as_of, succeeded=ready[:2], running=10) == []


def test_monthly_windows_follow_the_calendar():
    trigger = window_trigger(frequency="Month", startTime="2026-01-31T00:00:00Z")
    starts = [iso(window.start) for window in ready_windows(trigger, parse_time("2026-04-30T00:00:00Z"))]
    assert starts == ["2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"]


# --- events -----------------------------------------------------------------------------------------------


def blob_trigger(**properties):
    values = {"folder": "@triggerBody().folderPath", "file": "@trigger().outputs.body.fileName"}
    entry = {"pipelineReference": {"referenceName": "pl", "type": "PipelineReference"}, "parameters": values}
    return {"properties": {"type": "BlobEventsTrigger", "pipelines": [entry], "typeProperties": properties}}


def test_a_blob_s_path_is_handed_over_as_folder_and_file():
    assert event_parameters(blob_trigger(blobPathEndsWith=".csv"), "in/2026/08/a.csv") == [
        ("pl", {"folder": "in/2026/08", "file": "a.csv"})
    ]


# The examples of azure-docs, how-to-create-event-trigger.
@pytest.mark.parametrize(
    ("properties", "path", "hears"),
    [
        ({"blobPathBeginsWith": "/containername/"}, "containername/a/b.txt", True),
        ({"blobPathBeginsWith": "/containername/"}, "other/a/b.txt", False),
        ({"blobPathBeginsWith": "/containername/blobs/foldername/"}, "containername/foldername/b.txt", True),
        ({"blobPathBeginsWith": "/containername/blobs/foldername/"}, "containername/b.txt", False),
        (
            {"blobPathBeginsWith": "/containername/blobs/foldername/file.txt"},
            "containername/foldername/file.txt",
            True,
        ),
        ({"blobPathBeginsWith": "2018/april"}, "any/2018/april/shoes.csv", True),
        ({"blobPathBeginsWith": "2018/april"}, "any/2018/may/shoes.csv", False),
        ({"blobPathEndsWith": "file.txt"}, "any/a/file.txt", True),
        ({"blobPathEndsWith": "/containername/blobs/file.txt"}, "containername/file.txt", True),
        ({"blobPathEndsWith": "/containername/blobs/file.txt"}, "containername/a/file.txt", False),
        ({"blobPathEndsWith": "foldername/file.txt"}, "any/foldername/file.txt", True),
        ({"blobPathBeginsWith": "/in/blobs/", "blobPathEndsWith": ".csv"}, "in/a.json", False),
    ],
)
def test_a_storage_event_is_heard_by_the_beginning_and_the_end_of_its_path(properties, path, hears):
    assert bool(event_parameters(blob_trigger(**properties), path)) is hears


def custom_trigger(**properties):
    values = {"x": "@triggerBody().event.data.x", "s": "@trigger().outputs.body.event.subject"}
    entry = {"pipelineReference": {"referenceName": "pl", "type": "PipelineReference"}, "parameters": values}
    own = {"events": ["copy.Done"], **properties}
    return {"properties": {"type": "CustomEventsTrigger", "pipelines": [entry], "typeProperties": own}}


def test_a_custom_event_is_heard_by_its_type_and_subject():
    event = {"eventType": "Copy.done", "subject": "factories/a", "data": {"x": 1}}
    heard = [("pl", {"x": 1, "s": "factories/a"})]
    assert event_parameters(custom_trigger(), event) == heard
    assert event_parameters(custom_trigger(subjectBeginsWith="factories", subjectEndsWith="/a"), event) == heard
    assert event_parameters(custom_trigger(subjectEndsWith="/b"), event) == []
    assert event_parameters(custom_trigger(), event | {"eventType": "other"}) == []
    with pytest.raises(AdfLabError, match="no pipeline runs: There is no property 'x'"):
        event_parameters(custom_trigger(), event | {"data": {}})
