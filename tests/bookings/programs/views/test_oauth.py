"""Tokens by OAuth 2.1, fetched by an independent client; and what an attacker tries."""

import io
import logging
from typing import Any

import pytest
import requests
from allauth.idp.oidc.models import Client as OAuthClient
from allauth.idp.oidc.models import Token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from django.test import Client
from requests.adapters import BaseAdapter

from accounts.api.throttling import Strangers
from accounts.domain.errors import Invalid, NotFound, NotPermitted
from accounts.domain.roles import By
from accounts.models import ServiceAccount, TrailEntry
from bookings.programs.services import accounts
from config.operations.logs import mask
from tests.factories.api import Clock, Program
from tests.factories.api import clock as clock
from tests.factories.cast import NOW, Cast

pytestmark = pytest.mark.django_db
SITE = "https://testserver"
TOKEN = f"{SITE}/oauth/token/"
HOOK = {
    "organisation": "ustc", "address": "https://lab.example/hooks", "events": ["reservation.confirmed"],
}  # fmt: skip


class Here(BaseAdapter):
    """Sends what `requests` would send to the platform in this process."""

    def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
        headers = {name: str(value) for name, value in request.headers.items()}
        answer = Client().generic(
            request.method, request.path_url, request.body or "",
            content_type=headers.pop("Content-Type", ""), headers=headers, secure=True,
        )  # fmt: skip
        response = requests.Response()
        response.status_code, response.raw = answer.status_code, io.BytesIO(answer.content)
        response.headers.update(answer.headers)
        response.url, response.request = request.url, request
        return response

    def close(self) -> None:
        pass


def session(client: OAuthClient, secret: str, **given: Any) -> OAuth2Session:
    made = OAuth2Session(client.pk, secret, **given)
    made.mount("https://", Here())
    return made


@pytest.fixture
def by(cast: Cast) -> By:
    return By(cast.actor("zhao"), NOW)


@pytest.fixture
def account(cast: Cast, by: By) -> ServiceAccount:
    given: dict[str, Any] = {"name": "LIMS", "purpose": "Reports", "roles": ["manager"]}
    return accounts.account_make(by, organisation_id=cast.ustc.pk, scopes=["read", "manage"], **given)


@pytest.fixture
def client_(by: By, account: ServiceAccount) -> tuple[OAuthClient, str]:
    return accounts.client_make(by, account_id=account.pk, label="LIMS", scopes=["read", "manage"])


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_an_independent_client(account: ServiceAccount, client_: Any, clock: Clock, method: str) -> None:
    metadata = Client().get("/.well-known/oauth-authorization-server").json()
    assert method in metadata["token_endpoint_auth_methods_supported"]
    lims = session(*client_, token_endpoint_auth_method=method)
    path = metadata["token_endpoint"].removeprefix(metadata["issuer"])
    token = lims.fetch_token(SITE + path, grant_type="client_credentials")
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert "refresh_token" not in token
    answer = lims.get(f"{SITE}/api/v1/webhooks/")
    assert (answer.status_code, answer.json()["results"]) == (200, [])
    assert lims.post(f"{SITE}/api/v1/webhooks/", json=HOOK).status_code == 201
    assert TrailEntry.objects.get(action="webhook.add").actor_id == account.user_id
    assert lims.revoke_token(f"{SITE}/oauth/revoke/", token["access_token"]).status_code == 200
    assert Program(token["access_token"]).get("regions/").code == "bad-token"


def fetched(client_: Any, **more: str) -> Program:
    token = session(*client_).fetch_token(TOKEN, grant_type="client_credentials", **more)
    return Program(token["access_token"])


def test_scopes_only_become_fewer(by: By, account: ServiceAccount, client_: Any) -> None:
    reads = fetched(client_, scope="read")
    assert reads.get("webhooks/").status == 200
    assert reads.post("webhooks/", HOOK).code == "scope-missing"
    for wide in ("read upload", "openid", "scim", "admin"):
        with pytest.raises(OAuthError, match="invalid_scope"):
            fetched(client_, scope=wide)
    with pytest.raises(Invalid):
        accounts.client_make(by, account_id=account.pk, label="wide", scopes=["upload"])
    writes = fetched(client_)
    given: dict[str, Any] = {"name": "LIMS", "purpose": "Reports", "roles": ["manager"]}
    accounts.account_change(by, account_id=account.pk, scopes=["read"], **given)
    assert writes.post("webhooks/", HOOK).code == "scope-missing", "at once"


def test_a_token_works_for_an_hour(client_: Any, clock: Clock) -> None:
    lims = fetched(client_)
    row = Token.objects.get()
    assert row.user is None and row.expires_at is not None
    clock.now = row.expires_at
    assert lims.get("regions/").code == "bad-token"


def test_what_ends_takes_its_tokens_along(by: By, account: ServiceAccount, client_: Any) -> None:
    lims = fetched(client_)
    ServiceAccount.objects.update(stopped_at=NOW)
    assert lims.get("regions/").code == "bad-token"
    ServiceAccount.objects.update(stopped_at=None)
    assert lims.get("regions/").status == 200
    accounts.account_end(by, account_id=account.pk)
    assert lims.get("regions/").code == "bad-token"
    with pytest.raises(OAuthError, match="invalid_client"):
        fetched(client_)


def test_a_stopped_account_fetches_what_opens_nothing(client_: Any) -> None:
    ServiceAccount.objects.update(stopped_at=NOW)
    assert fetched(client_).get("regions/").code == "bad-token"


def test_a_deleted_client(by: By, client_: Any) -> None:
    lims = fetched(client_)
    accounts.client_end(by, client_id=client_[0].pk)
    assert lims.get("regions/").code == "bad-token"
    assert not Token.objects.exists()


def test_the_wrong_secret_and_another_clients(by: By, account: ServiceAccount, client_: Any) -> None:
    other = accounts.client_make(by, account_id=account.pk, label="other", scopes=["read"])
    for given in ((client_[0], "wrong"), (client_[0], other[1]), (OAuthClient(pk="nobody"), client_[1])):
        with pytest.raises(OAuthError, match="invalid_client"):
            fetched(given)
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    "given",
    [
        {"grant_type": "password", "username": "zhao@ustc.example", "password": "x"},
        {"grant_type": "authorization_code", "code": "x", "redirect_uri": "https://evil.example/"},
        {"grant_type": "refresh_token", "refresh_token": "x"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
        {"grant_type": "client_credentials", "resource": "https://elsewhere.example/"},
        {"grant_type": "client_credentials", "resource": "no address"},
        {},
    ],
)
def test_no_other_way_is_open(client_: Any, given: dict[str, str]) -> None:
    proof = {"client_id": client_[0].pk, "client_secret": client_[1]}
    answer = Client().post("/oauth/token/", given | proof)
    assert answer.status_code == 400, answer.content
    assert not Token.objects.exists()
    for path in ("identity/o/authorize", "identity/o/api/token", ".well-known/openid-configuration"):
        assert Client().get(f"/{path}").status_code == 404


def test_the_secret_is_not_taken_from_an_address(client_: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    query = f"client_id={client_[0].pk}&client_secret={client_[1]}"
    answer = Client().post(f"/oauth/token/?{query}", {"grant_type": "client_credentials"})
    assert answer.status_code in (400, 401)
    assert client_[1] not in mask(f"POST /oauth/token/?{query}")
    token = fetched(client_).token
    assert token and token not in caplog.text and client_[1] not in mask(caplog.text)


def test_only_digests_are_stored(client_: Any) -> None:
    token = fetched(client_).token
    row = Token.objects.get()
    assert token and token not in row.hash and client_[1] not in OAuthClient.objects.get().secret


def test_the_other_organisations_manager(cast: Cast, account: ServiceAccount, client_: Any) -> None:
    by = By(cast.actor("chen"), NOW)
    with pytest.raises(NotFound):
        accounts.client_make(by, account_id=account.pk, label="mine", scopes=["read"])
    with pytest.raises(NotFound):
        accounts.client_end(by, client_id=client_[0].pk)
    admin = By(cast.actor("admin"), NOW)
    rich = accounts.account_change(
        admin, account_id=account.pk, name="ERP", purpose="Pays", roles=["finance"], scopes=["read"]
    )
    with pytest.raises(NotPermitted, match="own-role"):
        accounts.client_make(By(cast.actor("zhao"), NOW), account_id=rich.pk, label="x", scopes=["read"])


def test_who_tries_many_secrets_waits(client_: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Strangers, "THROTTLE_RATES", {"anon": "2/min", "address": None})
    given = {"grant_type": "client_credentials", "client_id": client_[0].pk, "client_secret": "wrong"}
    answers = [Client().post("/oauth/token/", given) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert int(answers[2]["Retry-After"]) > 0
