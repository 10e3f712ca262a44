"""Resource Manager in every form in which it answers: at once, later, busy, gone, or not at all.

Source of the forms: Azure REST API reference, "Track asynchronous Azure operations" and "Request limits".
"""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests

from coinlake.errors import CoinlakeError
from coinlake_ops.deploy.arm_client import RETRIES, ArmClient
from coinlake_ops.deploy.needed import NotAllowed
from tests.support import environment
from tests.support.internet import Answer

PATH = f"{environment.DEV.group_id}/providers/Microsoft.Storage/storageAccounts/stcoinlakedev"
STATUS = "https://management.azure.com/subscriptions/s/operations/1"
MADE = {"id": PATH, "properties": {"provisioningState": "Succeeded"}}


@pytest.fixture
def answers(net):
    """What Azure answers from now on, one after the other; an exception instead of an answer is raised."""
    waiting = []

    def next_one(request):
        if not waiting:
            raise AssertionError(f"asked once too often: {request}")
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    net.before = next_one
    return waiting


@pytest.fixture
def waited():
    return []


@pytest.fixture
def arm(waited):
    return ArmClient(environment.Credential(), waited.append)


def accepted(**headers):
    return Answer(202, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_a_resource_that_is_made_at_once(arm, answers, waited):
    answers += [Answer(200, MADE)]
    assert arm.put(PATH, "1", {}) == MADE
    assert waited == []


def test_a_resource_that_says_in_its_body_how_far_it_is(arm, answers, waited):
    under_way = {"properties": {"provisioningState": "Creating"}}
    answers += [Answer(201, under_way), Answer(200, under_way), Answer(200, MADE)]
    assert arm.put(PATH, "1", {}) == MADE
    assert waited == [5]


def test_an_operation_with_an_address_of_its_own_and_the_resource_at_its_end(arm, answers, net):
    answers += [
        Answer(201, {"properties": {}}, {"Azure-AsyncOperation": STATUS}),
        Answer(200, {"status": "InProgress"}, {"Retry-After": "9"}),
        Answer(200, {"status": "Succeeded"}),
        Answer(200, MADE),
    ]
    assert arm.put(PATH, "1", {}) == MADE
    assert [call.path for call in net.calls] == [PATH, *["/subscriptions/s/operations/1"] * 2, PATH]


@pytest.mark.parametrize("header", ["Azure-AsyncOperation", "Location"])
def test_a_removal_that_takes_its_time(arm, answers, waited, header):
    done = Answer(200, {"status": "Succeeded"}) if header != "Location" else Answer(204)
    busy = Answer(200, {"status": "InProgress"}) if header != "Location" else Answer(202, headers={header: STATUS})
    answers += [Answer(202, headers={header: STATUS, "Retry-After": "3"}), busy, done]
    arm.delete(PATH, "1")
    assert answers == []
    assert waited == [5]


def test_a_time_to_wait_may_be_a_date(arm, answers, waited):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    answers += [Answer(429, {}, {"Retry-After": later}), Answer(200, MADE)]
    assert arm.get(PATH, "1") == MADE
    assert 90 < waited[0] <= 100


@pytest.mark.parametrize("status", [409, 412, 429, 500, 503])
@pytest.mark.parametrize("call", ["get", "put", "delete"])
def test_a_service_that_is_busy_is_asked_again(arm, answers, status, call):
    answers += [Answer(status, {"error": {"code": "Busy"}}), Answer(200, MADE)]
    arguments = ({},) if call == "put" else ()
    getattr(arm, call)(PATH, "1", *arguments)
    assert answers == []


@pytest.mark.parametrize("problem", [requests.ConnectionError("reset"), requests.ReadTimeout("slow")])
def test_a_connection_that_breaks_is_made_again_and_one_that_stays_broken_is_named(arm, answers, problem):
    answers += [problem, Answer(200, MADE)]
    assert arm.get(PATH, "1") == MADE
    answers += [problem] * (RETRIES + 1)
    with pytest.raises(CoinlakeError, match=r"GET https://\S+stcoinlakedev: .*apply again"):
        arm.get(PATH, "1")


def test_a_service_that_stays_broken_is_named(arm, answers):
    answers += [Answer(500, {"error": {"code": "InternalServerError", "message": "Sorry."}})] * (RETRIES + 1)
    with pytest.raises(CoinlakeError, match=r"GET https://\S+: 500 InternalServerError: Sorry\."):
        arm.get(PATH, "1")
    answers += [Answer(502, content=b"<html>")] * (RETRIES + 1)
    with pytest.raises(CoinlakeError, match="502 without a reason"):
        arm.get(PATH, "1")


def test_what_is_not_there_is_none_when_read_fine_when_removed_and_an_error_when_written(arm, answers):
    gone = Answer(404, {"error": {"code": "ParentResourceNotFound", "message": "no parent"}})
    answers += [gone] * 4
    assert arm.get(PATH, "1") is None
    assert arm.values(PATH, "1") == []
    arm.delete(PATH, "1")
    with pytest.raises(CoinlakeError, match=r"PUT .*: 404 ParentResourceNotFound: no parent"):
        arm.put(PATH, "1", {})


ERROR = {"code": "A", "message": "outer", "details": [{"code": "B", "message": "the real reason"}]}


@pytest.mark.parametrize(
    "forms",
    [
        [Answer(200, {"properties": {"provisioningState": "Failed", "error": ERROR}})],
        [
            Answer(201, {"properties": {"provisioningState": "Accepted"}}),
            Answer(200, {"properties": {"provisioningState": "Failed", "error": ERROR}}),
        ],
        [
            Answer(201, {"properties": {}}, {"Azure-AsyncOperation": STATUS}),
            Answer(200, {"status": "Failed", "error": ERROR}),
        ],
    ],
)
def test_a_failed_operation_says_why(arm, answers, forms):
    answers += forms
    with pytest.raises(CoinlakeError, match=r"stcoinlakedev: Failed\. A: outer B: the real reason"):
        arm.put(PATH, "1", {})


def test_an_operation_that_never_ends_is_left_after_an_hour(arm, net, waited):
    net.before = lambda _request: Answer(200, {"properties": {"provisioningState": "Creating"}})
    with pytest.raises(CoinlakeError, match=r"not done after an hour\. Look at it in the portal"):
        arm.put(PATH, "1", {})
    assert sum(waited) == 3600


def test_a_right_that_is_missing_is_named(arm, answers):
    message = "The client 'x' does not have authorization to perform action 'a/write' over scope '/s'."
    answers += [Answer(403, {"error": {"code": "AuthorizationFailed", "message": message}})]
    with pytest.raises(NotAllowed, match=r"A right is missing: a/write on /s\."):
        arm.put(PATH, "1", {})


def test_a_list_is_read_page_by_page(arm, answers, net):
    answers += [
        Answer(200, {"value": [{"id": 1}], "nextLink": f"{STATUS}?skip=1"}),
        Answer(200, {"value": [{"id": 2}]}),
    ]
    assert arm.values(PATH, "1", **{"$filter": "atScope()"}) == [{"id": 1}, {"id": 2}]
    assert net.calls[0].query == {"api-version": "1", "$filter": "atScope()"}
    assert net.calls[1].query == {"skip": "1"}
