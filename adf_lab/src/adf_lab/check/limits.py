"""Limits of the service. Source: azure-docs, includes/azure-data-factory-limits, and the activities' articles."""

import json
from datetime import timedelta

from adf_lab.check.finding import finding
from adf_lab.errors import AdfLabError
from adf_lab.expressions import is_expression
from adf_lab.structure import all_activities, is_active
from adf_lab.timespans import parse_timespan

MOST_ACTIVITIES = 80
MOST_PARAMETERS = 50
LARGEST_PIPELINE_BYTES = 200 * 1024
LARGEST_BATCH_COUNT = 50
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = timedelta(minutes=10), timedelta(days=7)
LONGEST_UNTIL = timedelta(days=90)
LONGEST_WEB_REQUEST = timedelta(minutes=10)
RETRY_INTERVAL = (30, 86_400)
MOST_CASES = 25
# The documented ranges of these are not enforced: published factories go below them.
RULE_OF = {
    "typeProperties.cases": "limit",
    "policy.timeout": "policy-range",
    "policy.retryIntervalInSeconds": "policy-range",
}


def broken_limits(factory):
    """Pipelines and activities beyond the limits of the service."""
    for resource in factory.resources["pipeline"].values():
        yield from _pipeline(resource)
        for path, activity in all_activities(resource.properties.get("activities") or []):
            for where, message in _activity(activity) if is_active(activity) else ():
                rule = RULE_OF.get(where, "out-of-range")
                yield finding(rule, resource.file, f"{path}.{where}", message)


def _pipeline(resource):
    properties = resource.properties
    count = sum(1 for _ in all_activities(properties.get("activities") or []))
    if count > MOST_ACTIVITIES:
        message = f"{count} activities: the limit is {MOST_ACTIVITIES}. Split the pipeline."
        yield finding("limit", resource.file, "properties.activities", message)
    count = len(properties.get("parameters") or {})
    if count > MOST_PARAMETERS:
        message = f"{count} parameters: the limit is {MOST_PARAMETERS}. Pass an object."
        yield finding("limit", resource.file, "properties.parameters", message)
    size = len(json.dumps(resource.document).encode("utf-8"))
    if size > LARGEST_PIPELINE_BYTES:
        message = f"{size} bytes: the limit is {LARGEST_PIPELINE_BYTES}. Split the pipeline."
        yield finding("limit", resource.file, "", message)
    for _, message in number("concurrency", properties.get("concurrency", 1), 1, None):
        yield finding("out-of-range", resource.file, "properties.concurrency", message)


def _activity(activity):
    properties, policy = activity.get("typeProperties") or {}, activity.get("policy") or {}
    kind = activity.get("type")
    yield from span("policy.timeout", policy.get("timeout"), SHORTEST_TIMEOUT, LONGEST_TIMEOUT)
    yield from number("policy.retry", policy.get("retry"), 0, None)
    yield from number("policy.retryIntervalInSeconds", policy.get("retryIntervalInSeconds"), *RETRY_INTERVAL)
    if kind == "ForEach":
        yield from number("typeProperties.batchCount", properties.get("batchCount"), 1, LARGEST_BATCH_COUNT)
    if kind == "Until":
        yield from span("typeProperties.timeout", properties.get("timeout"), timedelta(0), LONGEST_UNTIL)
    if kind == "Wait":
        yield from number("typeProperties.waitTimeInSeconds", properties.get("waitTimeInSeconds"), 0, None)
    if kind == "WebActivity":
        timeout = properties.get("httpRequestTimeout")
        yield from span("typeProperties.httpRequestTimeout", timeout, timedelta(0), LONGEST_WEB_REQUEST)
    if kind == "Switch" and len(properties.get("cases") or []) > MOST_CASES:
        count = len(properties["cases"])
        yield "typeProperties.cases", f"{count} cases: the limit is {MOST_CASES}. Split the choice."


def span(where, text, least, most):
    """Where and why a text is no time span from `least` to `most` (None: no end); expressions may be any."""
    if not text or not isinstance(text, str) or "@" in text:
        return
    try:
        found = parse_timespan(text)
    except AdfLabError as error:
        yield where, str(error)
        return
    if found < least or (most is not None and found > most):
        allowed = f"between {least} and {most}" if most is not None else f"{least} or more"
        yield where, f"{text} must be {allowed}."


def number(where, value, least, most):
    """Where and why a value is no whole number from `least` to `most` (None: no end); expressions may be any."""
    if value is None or is_expression(value) or (isinstance(value, str) and "@" in value):
        return
    allowed = f"between {least} and {most}" if most is not None else f"{least} or more"
    try:
        found = int(value) if isinstance(value, int | str) and not isinstance(value, bool) else None
    except ValueError:
        found = None
    if found is None:
        yield where, f"{str(value)[:60]!r} is not a whole number: it must be {allowed}."
    elif found < least or (most is not None and found > most):
        yield where, f"{found} must be {allowed}."
