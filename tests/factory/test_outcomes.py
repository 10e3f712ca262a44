"""Every activity of adf/ in every outcome that it can have: done, failed, skipped, tried again."""

import pytest

from adf_lab import CONTROL_ACTIVITIES, inner_activities, load_factory, parents
from coinlake_ops.factory import FACTORY
from tests.support.played import ANSWERS, Played, activities, failed, notebook

COPY = {"ingest_with": "copy", "load_with": "copy", "with_reports": False}
WINDOW = {"window_start": "2026-08-05T00:00:00Z", "window_end": "2026-08-06T00:00:00Z"}
# Pipeline, its parameters, global parameters, answers, and the status that this comes to.
SCENES = {
    "by notebooks": ("pl_main", {}, [], {}, "Succeeded"),
    "by copies": ("pl_main", COPY, ["plan=demo"], {}, "Succeeded"),
    "too many rejected": ("pl_main", {}, [], {"silver": notebook(5, 50, 50)}, "Failed"),
    "no api": ("pl_main", {}, [], {"ping": failed()}, "Failed"),
    "a window of the past": ("pl_backfill", WINDOW, [], {}, "Succeeded"),
    "a window of a live market": ("pl_backfill", WINDOW, ["source=live", "lake_path=lake/live"], {}, "Succeeded"),
}
ALERTING = {"get_alert_url", "alert"}
FACTORY_IN_GIT = load_factory(FACTORY)
RETRIES = {
    activity["name"]: activity.get("policy", {}).get("retry", 0) for _, activity in activities(FACTORY_IN_GIT)
}


def play(scene, answers=None):
    pipeline, given, overrides, own, _ = SCENES[scene]
    return Played(pipeline, given, own | (answers or {}), overrides)


def cases():
    """Every scene with each of its working activities, once for each way in which that can go wrong."""
    for scene in SCENES:
        for name in play(scene).ran:
            if name in SCENES[scene][3]:
                continue
            yield scene, name, "fails"
            if RETRIES[name]:
                yield scene, name, "fails but for the last attempt"


CASES = list(cases())


def answers_of(name, way):
    if way == "fails":
        return {name: failed(f"{name} is broken")}
    good = ANSWERS.get(name, [{"status": "Succeeded"}])
    return {name: failed() * RETRIES[name] + good}


@pytest.fixture(scope="module")
def played():
    """Every scene as it is, and every case."""
    runs = {(scene, "", ""): play(scene) for scene in SCENES}
    return runs | {case: play(case[0], answers_of(*case[1:])) for case in CASES}


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_ends_as_it_should(played, scene):
    run = played[scene, "", ""]
    assert run.run.status == SCENES[scene][4]
    assert len(run.called("alert")) == (0 if SCENES[scene][4] == "Succeeded" else 1)


@pytest.mark.parametrize(("scene", "name"), [case[:2] for case in CASES if case[2] == "fails"])
def test_a_failure_is_red_and_alerted_once(played, scene, name):
    run = played[scene, name, "fails"]
    assert run.run.status == "Failed"
    assert run.attempts(name) == (1 + RETRIES[name]) * len(run.statuses(name))
    alerts = run.statuses("alert")
    assert alerts.count("Succeeded") == (0 if name in ALERTING else 1)
    assert run.statuses("stop").count("Failed") == 1
    if name not in ALERTING:
        [alert] = run.called("alert")
        assert f"{name} is broken" in alert.type_properties["body"]["message"]


@pytest.mark.parametrize(("scene", "name"), [case[:2] for case in CASES if case[2] != "fails"])
def test_a_retry_that_helps_changes_nothing_but_the_attempts(played, scene, name):
    run, undisturbed = played[scene, name, "fails but for the last attempt"], played[scene, "", ""]
    assert run.run.status == undisturbed.run.status
    assert run.run.return_value.keys() == undisturbed.run.return_value.keys()
    assert run.attempts(name) == undisturbed.attempts(name) + RETRIES[name]
    assert len(run.called("alert")) == len(undisturbed.called("alert")) + (RETRIES[name] if name == "alert" else 0)


def test_every_activity_was_seen_in_every_outcome(played):
    seen = {
        (activity.pipeline, activity.name, outcome)
        for run in played.values()
        for activity in run.runs
        for outcome in outcomes_of(activity)
    }
    listing = {
        (pipeline, activity["name"]): possible_outcomes(activity, group)
        for pipeline, document in FACTORY_IN_GIT.pipelines.items()
        for activity, group in with_group(document["properties"]["activities"])
    }
    untested = [
        f"{pipeline}: {name} was never {outcome}"
        for (pipeline, name), outcomes in listing.items()
        for outcome in outcomes
        if (pipeline, name, outcome) not in seen
    ]
    assert untested == []
    assert len(listing) == sum(1 for _ in activities(FACTORY_IN_GIT))


def outcomes_of(activity):
    yield activity.status
    if len(activity.attempts) > 1:
        yield f"{activity.status} after a retry"


def with_group(group):
    for activity in group:
        yield activity, group
        for _, inner in inner_activities(activity):
            yield from with_group(inner)


def possible_outcomes(activity, group):
    """The outcomes that an activity can have, by its place and its policy."""
    outcomes = [] if activity["type"] == "Fail" else ["Succeeded"]
    if can_fail(activity):
        outcomes.append("Failed")
    if activity.get("policy", {}).get("retry"):
        outcomes += ["Succeeded after a retry", "Failed after a retry"]
    by_name = {other["name"]: other for other in group}
    if any(can_fail(by_name[name]) for name in ancestors(activity, by_name)):
        outcomes.append("Skipped")
    return outcomes


def can_fail(activity):
    """Work and containers of work can fail; variables are set by expressions that the checker has checked."""
    if activity["type"] in ("Fail", "ExecutePipeline") or activity["type"] not in CONTROL_ACTIVITIES:
        return True
    return any(can_fail(inner) for _, group in inner_activities(activity) for inner in group)


def ancestors(activity, by_name):
    for name in parents(activity):
        yield name
        yield from ancestors(by_name[name], by_name)
