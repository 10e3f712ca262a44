"""Limits of the service. Source: azure-docs, includes/azure-data-factory-limits, and the activities' articles."""

import json
from datetime import timedelta

from adf_lab.check.finding import Finding
from adf_lab.errors import AdfLabError
from adf_lab.structure import all_activities
from adf_lab.timespans import parse_timespan

MOST_ACTIVITIES = 80
MOST_PARAMETERS = 50
LARGEST_PIPELINE_BYTES = 200 * 1024
LARGEST_BATCH_COUNT = 50
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = timedelta(minutes=10), timedelta(days=7)
LONGEST_UNTIL = timedelta(days=90)
LONGEST_WEB_REQUEST = timedelta(minutes=10)
RETRY_INTERVAL = (30, 86_400)
WINDOW_CONCURRENCY = (1, 50)
SHORTEST_WINDOW_MINUTES = 5
MOST_TRIGGER_DEPENDENCIES = 5


def broken_limits(factory):
    """Pipelines, activities and triggers beyond the limits of the service."""
    for resource in factory.resources["pipeline"].values():
        yield from _pipeline(resource)
        for path, activity in all_activities(resource.properties.get("activities") or []):
            for where, message in _activity(activity):
                yield Finding(resource.file, f"{path}.{where}", message)
    for resource in factory.resources["trigger"].values():
        for where, message in _trigger(resource.properties):
            yield Finding(resource.file, f"properties.typeProperties.{where}", message)


def _pipeline(resource):
    count = sum(1 for _ in all_activities(resource.properties.get("activities") or []))
    if count > MOST_ACTIVITIES:
        message = f"{count} activities: the limit is {MOST_ACTIVITIES}. Split the pipeline."
        yield Finding(resource.file, "properties.activities", message)
    count = len(resource.properties.get("parameters") or {})
    if count > MOST_PARAMETERS:
        message = f"{count} parameters: the limit is {MOST_PARAMETERS}. Pass an object."
        yield Finding(resource.file, "properties.parameters", message)
    size = len(json.dumps(resource.document).encode("utf-8"))
    if size > LARGEST_PIPELINE_BYTES:
        yield Finding(
            resource.file, "", f"{size} bytes: the limit is {LARGEST_PIPELINE_BYTES}. Split the pipeline."
        )


def _activity(activity):
    properties, policy = activity.get("typeProperties") or {}, activity.get("policy") or {}
    if "timeout" in policy:
        yield from _span("policy.timeout", policy["timeout"], SHORTEST_TIMEOUT, LONGEST_TIMEOUT)
    interval = policy.get("retryIntervalInSeconds", RETRY_INTERVAL[0])
    if isinstance(interval, int):
        yield from _number("policy.retryIntervalInSeconds", interval, *RETRY_INTERVAL)
    if activity.get("type") == "ForEach" and isinstance(properties.get("batchCount"), int):
        yield from _number("typeProperties.batchCount", properties["batchCount"], 1, LARGEST_BATCH_COUNT)
    if activity.get("type") == "Until" and "timeout" in properties:
        yield from _span("typeProperties.timeout", properties["timeout"], timedelta(0), LONGEST_UNTIL)
    if activity.get("type") == "WebActivity" and "httpRequestTimeout" in properties:
        timeout = properties["httpRequestTimeout"]
        yield from _span("typeProperties.httpRequestTimeout", timeout, timedelta(0), LONGEST_WEB_REQUEST)


def _trigger(trigger):
    properties = trigger.get("typeProperties") or {}
    if trigger.get("type") == "TumblingWindowTrigger":
        if (
            properties.get("frequency") == "Minute"
            and int(properties.get("interval", 0)) < SHORTEST_WINDOW_MINUTES
        ):
            yield "interval", f"a window has at least {SHORTEST_WINDOW_MINUTES} minutes."
        if isinstance(properties.get("maxConcurrency"), int):
            yield from _number("maxConcurrency", properties["maxConcurrency"], *WINDOW_CONCURRENCY)
        dependencies = properties.get("dependsOn") or []
        if len(dependencies) > MOST_TRIGGER_DEPENDENCIES:
            yield "dependsOn", f"{len(dependencies)} dependencies: the limit is {MOST_TRIGGER_DEPENDENCIES}."
        for index, entry in enumerate(dependencies):
            is_self = entry.get("type") == "SelfDependencyTumblingWindowTriggerReference"
            if is_self and not str(entry.get("offset", "")).startswith("-"):
                yield f"dependsOn[{index}].offset", "a trigger can only wait for its own past: make it negative."
    if trigger.get("type") == "ScheduleTrigger":
        recurrence = properties.get("recurrence") or {}
        if recurrence.get("timeZone", "UTC") != "UTC":
            for name in ("startTime", "endTime"):
                if str(recurrence.get(name, "")).endswith("Z"):
                    yield f"recurrence.{name}", f"a time in '{recurrence['timeZone']}' carries no Z: leave it out."


def _span(where, text, least, most):
    if not isinstance(text, str) or text.startswith("@"):
        return
    try:
        span = parse_timespan(text)
    except AdfLabError as error:
        yield where, str(error)
        return
    if not least <= span <= most:
        yield where, f"{text} must be between {least} and {most}."


def _number(where, number, least, most):
    if not least <= number <= most:
        yield where, f"{number} must be between {least} and {most}."
