"""Every activity of the factory in every outcome that it can have: done, failed, skipped, tried again."""

import json
from pathlib import Path

import pytest

from adf_lab.testing import FactoryUnderTest, failed, succeeded

TESTS = Path(__file__).parent
COPY = {"ingest_with": "copy", "load_with": "copy", "with_reports": False}
WINDOW = {"window_start": "2026-08-05T00:00:00Z", "window_end": "2026-08-06T00:00:00Z"}
KEYLESS = {"plan": "keyless", "source": "simulated"}
# Pipeline, its parameters, global parameters, answers, and the status that this comes to.
SCENES = {
    "by notebooks": ("pl_main", {}, KEYLESS, {}, "Succeeded"),
    "by copies": ("pl_main", COPY, {}, {}, "Succeeded"),
    "no api": ("pl_main", {}, {}, {"ping": failed()}, "Failed"),
    "a window of the past": ("pl_backfill", WINDOW, KEYLESS, {}, "Succeeded"),
    "a window of a live market": ("pl_backfill", WINDOW, {}, {}, "Succeeded"),
}
ALERTING = {"get_alert_url", "alert"}
GOOD = json.loads((TESTS / "answers.json").read_text(encoding="utf-8"))


def play(adf, scene, answers=None):
    pipeline, given, global_parameters, own, _ = SCENES[scene]
    adf.script = GOOD | own
    return adf.run(pipeline, given, answers=answers, global_parameters=global_parameters)


def loaded(load):
    adf = load(TESTS.parent, TESTS)
    adf.now = "2026-08-12T14:22:00Z"
    return adf


def cases():
    """Every scene with each of its working activities, once for each way in which that can go wrong."""
    adf = loaded(FactoryUnderTest)
    for scene in SCENES:
        calls = {call.name: call for call in play(adf, scene).calls}
        for name, call in calls.items():
            if name in SCENES[scene][3]:
                continue
            retries = call.definition.get("policy", {}).get("retry", 0)
            yield scene, name, "fails", retries
            if retries:
                yield scene, name, "fails but for the last attempt", retries


CASES = list(cases())


def answers_of(name, way, retries):
    if way == "fails":
        return {name: failed(f"{name} is broken")}
    return {name: [failed()] * retries + GOOD.get(name, [succeeded()])}


@pytest.fixture(scope="module")
def adf(load_adf):
    """The factory, which counts what the runs of this file have seen."""
    return loaded(load_adf)


@pytest.fixture(scope="module")
def played(adf):
    """Every scene as it is, and every case."""
    runs = {(scene, "", ""): play(adf, scene) for scene in SCENES}
    return runs | {(scene, name, way): play(adf, scene, answers_of(name, way, n)) for scene, name, way, n in CASES}


def attempts(run, name):
    return len(run.called(name))


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_ends_as_it_should(played, scene):
    run = played[scene, "", ""]
    assert run.status == SCENES[scene][4]
    assert attempts(run, "alert") == (0 if SCENES[scene][4] == "Succeeded" else 1)


@pytest.mark.parametrize(
    ("scene", "name", "retries"), [(scene, name, n) for scene, name, way, n in CASES if way == "fails"]
)
def test_a_failure_is_red_and_alerted_once(played, scene, name, retries):
    run = played[scene, name, "fails"]
    assert run.status == "Failed"
    assert attempts(run, name) == (1 + retries) * len(run.statuses(name))
    assert run.statuses("alert").count("Succeeded") == (0 if name in ALERTING else 1)
    assert run.statuses("stop").count("Failed") == 1
    if name not in ALERTING:
        [alert] = run.called("alert")
        assert f"{name} is broken" in alert.type_properties["body"]["message"]


@pytest.mark.parametrize(
    ("scene", "name", "retries"), [(scene, name, n) for scene, name, way, n in CASES if way != "fails"]
)
def test_a_retry_that_helps_changes_nothing_but_the_attempts(played, scene, name, retries):
    run, undisturbed = played[scene, name, "fails but for the last attempt"], played[scene, "", ""]
    assert run.status == undisturbed.status
    assert run.return_value == undisturbed.return_value
    assert attempts(run, name) == attempts(undisturbed, name) + retries
    assert attempts(run, "alert") == attempts(undisturbed, "alert") + (retries if name == "alert" else 0)


def test_every_activity_was_seen_in_every_outcome(adf, played):
    assert [str(point) for point in adf.coverage.missing()] == []
