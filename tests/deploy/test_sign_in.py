"""Who signs in, with which tokens, and how often a token is asked for."""

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from coinlake.errors import CoinlakeError
from coinlake_ops.deploy import deployment
from coinlake_ops.deploy.clients import SCOPES
from coinlake_ops.deploy.tokens import MARGIN_SECONDS, KeptTokens
from tests.support import environment


def apply(root, credential, *only):
    return deployment.apply(
        deployment.parts(environment.clients(root, credential=credential), only), lambda _line: None
    )


def test_a_first_apply_asks_once_for_the_token_of_each_service(net, root):
    credential = environment.Credential()
    assert apply(root, credential) > 60
    assert sorted(credential.asked) == sorted(SCOPES)


def test_all_tokens_are_there_before_the_long_deployment_begins(net, root):
    credential, at_the_deployment = environment.Credential(), []

    def look(request):
        if request.path.endswith("/validate"):
            at_the_deployment.extend(credential.asked)

    net.before = look
    apply(root, credential, "resources")
    assert sorted(at_the_deployment) == sorted(SCOPES)


def test_a_service_that_gives_no_token_is_named_before_anything_is_made(net, root):
    class WithoutDatabase(environment.Credential):
        def get_token(self, *scopes, **options):
            if "database" in scopes[0]:
                raise ClientAuthenticationError(
                    "AADSTS700024: Client assertion is not within its valid time range."
                )
            return super().get_token(*scopes, **options)

    with pytest.raises(CoinlakeError, match=r"no token for https://database\S+ \(AADSTS700024.*az login"):
        apply(root, WithoutDatabase())
    assert net.changing == []


@pytest.mark.parametrize("person", ["", "anna@example.org"])
def test_a_new_workspace_lets_in_a_service_principal_and_a_person(net, root, person):
    apply(root, environment.Credential(person), "resources", "compute")
    sent = [call.headers for call in net.calls if call.host.startswith("adb-") and "/api/" in call.path]
    for headers in sent:
        assert headers["X-Databricks-Azure-Workspace-Resource-Id"] == (
            f"{environment.DEV.group_id}/providers/Microsoft.Databricks/workspaces/dbw-coinlake-dev"
        )
        assert ("X-Databricks-Azure-SP-Management-Token" in headers) == (not person)


class Clock:
    """A credential whose tokens last an hour, and the time."""

    def __init__(self):
        self.now, self.asked = 1_000.0, 0

    def get_token(self, *scopes, **_):
        self.asked += 1
        return AccessToken(f"{scopes[0]} {self.asked}", int(self.now) + 3600)


def test_a_token_is_kept_until_shortly_before_its_end():
    clock = Clock()
    kept = KeptTokens(clock, lambda: clock.now)
    first = kept.get_token("a/.default")
    clock.now += 3600 - MARGIN_SECONDS - 1
    assert kept.get_token("a/.default", tenant_id="t", enable_cae=True) is first
    assert kept.get_token("b/.default").token == "b/.default 2"
    clock.now += 1
    assert kept.get_token("a/.default").token == "a/.default 3"


def test_a_service_that_asks_for_more_gets_a_new_token():
    clock = Clock()
    kept = KeptTokens(clock, lambda: clock.now)
    kept.get_token("a/.default")
    assert kept.get_token("a/.default", claims="{}").token == "a/.default 2"
    assert kept.get_token("a/.default").token == "a/.default 2"
