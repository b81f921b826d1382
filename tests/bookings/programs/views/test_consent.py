"""Programs that act for people: an independent client, what each refusal is, and what an attacker tries."""

import base64
import secrets
import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client as OAuthClient
from allauth.idp.oidc.models import Token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.test import Client

from accounts.domain.errors import Invalid, NotPermitted
from accounts.domain.roles import PLATFORM, By
from accounts.models import Message, OutboxMessage, ServiceAccount, TrailEntry, User
from accounts.services.erasure import account_close
from accounts.services.memberships import role_grant
from bookings.operations.services.people import person_suspend, tokens_revoke
from bookings.programs.services import accounts
from tests.accounts.pages import page_of, sign_in
from tests.bookings.programs.views.test_oauth import SITE, TOKEN, Here
from tests.factories.api import Clock, Program
from tests.factories.api import clock as clock
from tests.factories.cast import NOW, PASSWORD, Cast

pytestmark = pytest.mark.django_db
BACK = "https://planner.example/back?tenant=7"
AUTHORIZE = "/oauth/authorize/"
VERIFIER = "v" * 43
ASKED = {
    "response_type": "code", "redirect_uri": BACK, "scope": "read book", "state": "s1",
    "code_challenge": create_s256_code_challenge(VERIFIER), "code_challenge_method": "S256",
}  # fmt: skip


@pytest.fixture
def by(cast: Cast) -> By:
    return By(cast.actor("zhao"), NOW)


@pytest.fixture
def account(cast: Cast, by: By) -> ServiceAccount:
    given: dict[str, Any] = {"name": "Planner", "purpose": "Plans the week", "roles": ["manager"]}
    return accounts.account_make(
        by, organisation_id=cast.ustc.pk, scopes=["read", "book", "manage", "provision"], **given
    )


def client_of(by: By, account: ServiceAccount, **given: Any) -> tuple[OAuthClient, str]:
    made: dict[str, Any] = {"label": "Planner", "scopes": ["read", "book"], "redirect_uris": [BACK]}
    return accounts.client_make(by, account_id=account.pk, **made | {"for_people": True} | given)


@pytest.fixture
def planner(by: By, account: ServiceAccount) -> tuple[OAuthClient, str]:
    return client_of(by, account)


@pytest.fixture
def phone(by: By, account: ServiceAccount) -> OAuthClient:
    """A public client, on people's phones."""
    uris = ["com.example.app:/back", "http://127.0.0.1/back", "http://[::1]/back"]
    return client_of(by, account, label="Phone", is_public=True, redirect_uris=uris)[0]


def signed_in(client: Client, user: User) -> Client:
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    assert sign_in(client, user.email).status_code == 302
    return client


@pytest.fixture
def wang(client: Client, cast: Cast) -> Client:
    """Wang Li, who has just signed in."""
    return signed_in(client, cast.wang)


def asking(client: OAuthClient, **change: Any) -> str:
    given = {**ASKED, "client_id": client.pk, **change}
    return f"{AUTHORIZE}?{urlencode({name: value for name, value in given.items() if value is not None})}"


def allow(person: Client, address: str, answer: str = "allow") -> dict[str, str]:
    """What the program is answered."""
    response = person.post(address, {"answer": answer})
    assert response.status_code == 303, response.content
    return dict(parse_qsl(urlsplit(response["Location"]).query, keep_blank_values=True))


def fetch(client: OAuthClient, secret: str = "", **given: str) -> Any:
    """The answer for a code or a refresh token."""
    body = {"client_id": client.pk, "grant_type": "authorization_code", "redirect_uri": BACK}
    body |= {"code_verifier": VERIFIER} | ({"client_secret": secret} if secret else {}) | given
    return Client().post("/oauth/token/", body)


def refresh(planner: Any, token: str, **given: str) -> Any:
    return fetch(*planner, grant_type="refresh_token", refresh_token=token, **given)


@pytest.fixture
def tokens(wang: Client, planner: Any, clock: Clock) -> Any:
    code = allow(wang, asking(planner[0]))["code"]
    return fetch(*planner, code=code).json()


def opens(tokens: Any) -> int | str:
    answer = Program(tokens["access_token"]).get("me/")
    return answer.status if answer.status == 200 else answer.code


def test_an_independent_client(cast: Cast, wang: Client, planner: Any, clock: Clock) -> None:
    told = Client().get("/.well-known/oauth-authorization-server").json()
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["response_types_supported"] == ["code"]
    assert told["authorization_response_iss_parameter_supported"] is True
    program = OAuth2Session(planner[0].pk, planner[1], redirect_uri=BACK, scope="read book",
                            code_challenge_method="S256")  # fmt: skip
    program.mount("https://", Here())
    verifier = secrets.token_urlsafe(48)
    address, state = program.create_authorization_url(told["authorization_endpoint"], code_verifier=verifier)
    path = address.removeprefix(told["issuer"])
    html = page_of(wang.get(path))
    for text in (
        "Planner",
        "USTC",
        "Plans the week",
        "planner.example",
        "See what you may see",
        "Book, move",
    ):
        assert text in html
    assert "charges and members" not in html
    response = wang.post(path, {"answer": "allow"})
    assert response.status_code == 303 and response["Location"].startswith(BACK + "&code=")
    answer = dict(parse_qsl(urlsplit(response["Location"]).query))
    assert (answer["iss"], answer["state"], answer["tenant"]) == (told["issuer"], state, "7")
    token = program.fetch_token(
        TOKEN, authorization_response=response["Location"], state=state, code_verifier=verifier
    )
    assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 3600, "read book")
    me = program.get(f"{SITE}/api/v1/me/").json()
    assert (me["id"], me["token"]["scopes"]) == (str(cast.wang.pk), ["read", "book"])
    assert program.get(f"{SITE}/api/v1/reservations/").status_code == 200
    assert program.post(f"{SITE}/api/v1/webhooks/", json={}).json()["code"] == "scope-missing"
    newer = program.refresh_token(TOKEN, token["refresh_token"])
    assert newer["access_token"] != token["access_token"] != newer["refresh_token"]
    assert program.get(f"{SITE}/api/v1/me/").status_code == 200
    entry = TrailEntry.objects.get(action="user.program-allow")
    assert entry.actor_id == cast.wang.pk and entry.after["client"] == planner[0].pk
    assert OutboxMessage.objects.filter(kind="program.allowed").count() == 1
    program.revoke_token(f"{SITE}/oauth/revoke/", newer["refresh_token"])
    assert program.get(f"{SITE}/api/v1/me/").status_code == 401


def test_people_who_are_not_signed_in_come_back(planner: Any, cast: Cast) -> None:
    address = asking(planner[0])
    answer = Client().get(address)
    assert answer.status_code == 302
    assert dict(parse_qsl(urlsplit(answer["Location"]).query))["next"] == address
    person = Client()
    person.force_login(cast.wang)
    assert "/accounts/reauthenticate/" in person.get(address)["Location"], "they confirm who they are"
    assert not Token.objects.exists()


def test_whoever_signed_in_long_ago_is_asked_again(wang: Client, planner: Any) -> None:
    session, address = wang.session, asking(planner[0])
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - 3600
    session.save()
    assert wang.post(address, {"answer": "allow"})["Location"] == address
    where = wang.get(address)["Location"]
    assert where.startswith("/accounts/reauthenticate/") and not Token.objects.exists()
    given = {"password": PASSWORD, "next": address}
    page_of(wang.post("/accounts/reauthenticate/", given, follow=True))
    assert not Token.objects.exists(), "the question stands"
    assert "code" in allow(wang, address)


def test_a_public_client_and_its_own_machine(wang: Client, phone: OAuthClient, clock: Clock) -> None:
    for uri in ("com.example.app:/back", "http://127.0.0.1:51234/back", "http://[::1]:9/back"):
        address = asking(phone, redirect_uri=uri)
        policy = wang.get(address)["Content-Security-Policy"]
        assert f"form-action 'self' {uri.partition(':')[0]}:" in policy
        assert "frame-ancestors 'none'" in policy and wang.get(address)["X-Frame-Options"] == "DENY"
        response = wang.post(address, {"answer": "allow"})
        assert response["Location"].startswith(f"{uri}?code=")
        code = dict(parse_qsl(urlsplit(response["Location"]).query))["code"]
        assert fetch(phone, "guess", code=code, redirect_uri=uri).json() == {"error": "invalid_client"}
        answer = fetch(phone, code=code, redirect_uri=uri).json()
        assert opens(answer) == 200
        given_back = {"client_id": phone.pk, "token": answer["access_token"]}
        assert Client().post("/oauth/revoke/", given_back).status_code == 200
        assert opens(answer) == "bad-token"
        again = fetch(phone, grant_type="refresh_token", refresh_token=answer["refresh_token"])
        assert opens(again.json()) == 200


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "nobody"},
        {"client_id": "\0"},
        {"client_id": "0197a1de-0000-7000-8000-000000000002"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": BACK + "/"},
        {"redirect_uri": BACK + "&x=1"},
        {"redirect_uri": BACK + "#x"},
        {"redirect_uri": "https://planner.example"},
        {"redirect_uri": "https://planner.example:444/back?tenant=7"},
        {"redirect_uri": "https://planner.example@evil.example/back?tenant=7"},
        {"redirect_uri": "https://PLANNER.example/back?tenant=7"},
        {"redirect_uri": "https://planner.example/../back?tenant=7"},
        {"redirect_uri": "http://127.0.0.1:1@evil.example/back"},
        {"redirect_uri": "http://localhost/back"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": BACK + "\r\nX: y"},
        {"redirect_uri": BACK + "\0"},
        {"redirect_uri": "https://规划.example/"},
        {"state": "状" * 400},
        {"state": "s" * 5000},
    ],
)
def test_nobody_is_sent_to_where_no_program_is(wang: Client, planner: Any, change: Any) -> None:
    for answer in (wang.get(asking(planner[0], **change)), wang.post(asking(planner[0], **change))):
        assert answer.status_code == 400 and "Location" not in answer
    assert not Token.objects.exists()


def test_parameters_that_are_there_twice(wang: Client, planner: Any) -> None:
    for twice in (f"&redirect_uri={BACK}", "&client_id=x"):
        assert wang.get(asking(planner[0]) + twice).status_code == 400
    for twice in ("&state=t", "&scope=read", "&code_challenge_method=plain", "&response_type=token"):
        answer = wang.post(asking(planner[0]) + twice, {"answer": "allow"})
        assert "error=invalid_request" in answer["Location"]
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "码" * 43}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"scope": "manage"}, "invalid_scope"),
        ({"scope": "provision"}, "invalid_scope"),
        ({"scope": "\0"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"prompt": "none"}, "consent_required"),
    ],
)
def test_what_the_program_is_told(wang: Client, planner: Any, change: Any, error: str) -> None:
    for answer in (wang.get(asking(planner[0], **change)), wang.post(asking(planner[0], **change))):
        assert answer["Location"].startswith(BACK + "&error=")
        told = dict(parse_qsl(urlsplit(answer["Location"]).query))
        assert (told["error"], told["state"]) == (error, "s1") and "code" not in told
    assert not Token.objects.exists()


def test_refusing(wang: Client, planner: Any) -> None:
    told = allow(wang, asking(planner[0], state="状态 \0&x=1"), "refuse")
    assert (told["error"], told["state"]) == ("access_denied", "状态 \0&x=1") and "x" not in told
    assert "state" not in allow(wang, asking(planner[0], state=None), "refuse")
    assert allow(wang, asking(planner[0], state="s" * 1000), "refuse")["state"] == "s" * 1000
    assert not Token.objects.exists() and not TrailEntry.objects.filter(action="user.program-allow")


def test_only_our_own_form_allows_it(cast: Cast, planner: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.get("/accounts/login/")
    token = strict.cookies["csrftoken"].value
    EmailAddress.objects.create(user=cast.wang, email=cast.wang.email, verified=True, primary=True)
    given = {"login": cast.wang.email, "password": PASSWORD, "csrfmiddlewaretoken": token}
    strict.post("/accounts/login/", given)
    for body in ({"answer": "allow"}, {"answer": "allow", "csrfmiddlewaretoken": "x"}):
        assert strict.post(asking(planner[0]), body).status_code == 403
    assert not Token.objects.exists()


@pytest.mark.parametrize("body", [{}, {"answer": "x"}, {"answer": ""}])
def test_only_the_button_allows_it(wang: Client, planner: Any, body: Any) -> None:
    assert wang.post(asking(planner[0]), body).status_code == 400
    assert wang.post(asking(planner[0], answer="allow")).status_code == 400
    as_json = wang.post(asking(planner[0]), {"answer": "allow"}, content_type="application/json")
    assert as_json.status_code == 400
    assert not Token.objects.exists()


def test_a_code_works_once_and_what_it_gave_ends(wang: Client, planner: Any, clock: Clock) -> None:
    code = allow(wang, asking(planner[0]))["code"]
    tokens = fetch(*planner, code=code).json()
    newer = refresh(planner, tokens["refresh_token"]).json()
    assert opens(tokens) == opens(newer) == 200
    assert fetch(*planner, code=code).json() == {"error": "invalid_grant"}
    assert opens(tokens) == opens(newer) == "bad-token"
    assert refresh(planner, newer["refresh_token"]).json() == {"error": "invalid_grant"}
    assert TrailEntry.objects.get(action="user.program-end").after == {"reused": True}


def test_a_code_works_for_a_minute(wang: Client, planner: Any, clock: Clock) -> None:
    code = allow(wang, asking(planner[0]))["code"]
    clock.now += timedelta(seconds=60)
    assert fetch(*planner, code=code).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code": "x"}, "invalid_grant"),
        ({"code": "码.\0"}, "invalid_grant"),
        ({"code": ""}, "invalid_request"),
        ({"redirect_uri": "https://planner.example/"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": "v"}, "invalid_grant"),
        ({"code_verifier": create_s256_code_challenge(VERIFIER)}, "invalid_grant"),
        ({"code_verifier": "码" * 43}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_secret": ""}, "invalid_client"),
        ({"client_id": "\0"}, "invalid_client"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
    ],
)
def test_a_code_is_bound(wang: Client, planner: Any, clock: Clock, change: Any, error: str) -> None:
    code = allow(wang, asking(planner[0]))["code"]
    assert fetch(*planner, **{"code": code} | change).json()["error"] == error
    assert not Token.objects.filter(type=Token.Type.ACCESS_TOKEN).exists()
    assert fetch(*planner, code=code).status_code == 200, "it was not used up"


def test_proof_is_given_one_way_and_once(wang: Client, planner: Any, clock: Clock) -> None:
    client, secret = planner
    code = allow(wang, asking(client))["code"]
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    basic = "Basic " + base64.b64encode(f"{client.pk}:{secret}".encode()).decode()

    def sent(given: Any, proof: str = basic, **more: Any) -> Any:
        return Client().post("/oauth/token/", given, headers={"Authorization": proof}, **more)

    assert sent(body | {"client_secret": secret}).status_code == 401
    assert sent(body | {"client_id": "other"}).status_code == 401
    assert sent(body, "Basic !").status_code == sent(body, "Basic /w==").status_code == 401
    assert sent(body | {"code": [code, code]}).json() == {"error": "invalid_request"}
    assert sent(body, content_type="application/json").status_code == 400
    assert sent(body).status_code == 200


def test_another_clients_code_and_tokens(
    wang: Client, by: By, account: ServiceAccount, planner: Any, tokens: Any
) -> None:
    other = client_of(by, account, label="Other")
    code = allow(wang, asking(planner[0]))["code"]
    assert fetch(*other, code=code).json() == {"error": "invalid_grant"}
    assert refresh(other, tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    for value in (tokens["refresh_token"], tokens["access_token"]):
        body = {"client_id": other[0].pk, "client_secret": other[1], "token": value}
        assert Client().post("/oauth/revoke/", body).status_code == 200
    body = {"client_id": planner[0].pk, "token": tokens["access_token"]}
    assert Client().post("/oauth/revoke/", body).status_code == 401
    assert opens(tokens) == 200
    assert fetch(*planner, code=code).status_code == 200


def test_a_code_is_no_refresh_token(wang: Client, planner: Any, tokens: Any) -> None:
    code = allow(wang, asking(planner[0]))["code"]
    assert refresh(planner, code).json() == {"error": "invalid_grant"}
    assert fetch(*planner, code=tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    assert refresh(planner, tokens["access_token"]).json() == {"error": "invalid_grant"}
    assert Program(tokens["refresh_token"]).get("me/").code == "bad-token"
    assert Program(code).get("me/").code == "bad-token"
    assert refresh(planner, tokens["refresh_token"]).status_code == 200


def test_a_refresh_token_works_once(planner: Any, tokens: Any) -> None:
    newer = refresh(planner, tokens["refresh_token"]).json()
    assert opens(newer) == 200
    assert refresh(planner, tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    assert opens(newer) == opens(tokens) == "bad-token"
    assert refresh(planner, newer["refresh_token"]).json() == {"error": "invalid_grant"}
    assert not Token.objects.exists()


def test_how_long_they_work(planner: Any, tokens: Any, clock: Clock) -> None:
    clock.now += timedelta(hours=1)
    assert opens(tokens) == "bad-token"
    clock.now += timedelta(days=89)
    newer = refresh(planner, tokens["refresh_token"]).json()
    assert opens(newer) == 200
    clock.now += timedelta(days=90)
    assert refresh(planner, newer["refresh_token"]).json() == {"error": "invalid_grant"}


def test_scopes_never_grow(by: By, account: ServiceAccount, planner: Any, tokens: Any) -> None:
    for wide in ("read book manage", "manage", "provision"):
        assert refresh(planner, tokens["refresh_token"], scope=wide).json() == {"error": "invalid_scope"}
    narrow = refresh(planner, tokens["refresh_token"], scope="read").json()
    assert narrow["scope"] == "read"
    assert Program(narrow["access_token"]).get("me/").body["token"]["scopes"] == ["read"]
    again = refresh(planner, narrow["refresh_token"]).json()
    assert again["scope"] == "read book"
    given: dict[str, Any] = {"name": "Planner", "purpose": "Plans", "roles": []}
    accounts.account_change(by, account_id=account.pk, scopes=["read"], **given)
    assert Program(again["access_token"]).get("me/").body["token"]["scopes"] == ["read"], "at once"
    assert refresh(planner, again["refresh_token"]).json()["scope"] == "read"


def test_what_ends_takes_it_along(
    cast: Cast, by: By, account: ServiceAccount, planner: Any, tokens: Any
) -> None:
    admin = By(cast.actor("admin"), NOW)
    ServiceAccount.objects.update(stopped_at=NOW)
    assert opens(tokens) == "bad-token"
    assert refresh(planner, tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    ServiceAccount.objects.update(stopped_at=None)
    person_suspend(admin, user_id=cast.wang.pk, reason="lost laptop")
    assert opens(tokens) == "bad-token"
    assert refresh(planner, tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    type(cast.wang).objects.filter(pk=cast.wang.pk).update(is_active=True, suspended_at=None)
    assert opens(tokens) == 200
    accounts.account_end(by, account_id=account.pk)
    assert opens(tokens) == "bad-token" and not Token.objects.exists()


def test_an_administrator_ends_it(cast: Cast, planner: Any, tokens: Any) -> None:
    admin = By(cast.actor("admin"), NOW)
    assert tokens_revoke(admin, user_id=cast.wang.pk, reason="lost laptop") == 1
    assert opens(tokens) == "bad-token" and not Token.objects.exists()


def test_after_a_new_password_it_is_among_what_still_has_access(
    wang: Client, planner: Any, tokens: Any
) -> None:
    assert "Planner" in page_of(wang.get("/profile/access/"))
    assert wang.post("/profile/access/", {"revoke": ["x"]}).status_code == 302
    assert opens(tokens) == 200
    assert wang.post("/profile/access/", {"revoke": [planner[0].pk]}).status_code == 302
    assert opens(tokens) == "bad-token"


def test_a_role_that_asks_for_a_second_factor(cast: Cast, tokens: Any, settings: Any) -> None:
    """It was allowed without one: it opens nothing of a role that was given since."""
    settings.SECOND_FACTOR_REQUIRED = True
    role_grant(By(PLATFORM, NOW), user=cast.wang, role="administrator")
    assert opens(tokens) == "second-factor-missing"


def test_a_deleted_client(by: By, wang: Client, planner: Any, tokens: Any) -> None:
    accounts.client_end(by, client_id=planner[0].pk)
    assert opens(tokens) == "bad-token"
    assert refresh(planner, tokens["refresh_token"]).json() == {"error": "invalid_client"}
    assert wang.get(asking(planner[0])).status_code == 400


def test_the_person_sees_and_removes_it(cast: Cast, wang: Client, planner: Any, tokens: Any) -> None:
    html = page_of(wang.get("/profile/"))
    assert "Programs that act for you" in html and "Planner" in html
    rows = Program(tokens["access_token"]).get("me/programs/").body["results"]
    assert [(row["id"], row["name"], row["organisation"], row["scopes"]) for row in rows] == [
        (planner[0].pk, "Planner", "ustc", ["book", "read"])
    ]
    other = Client()
    other.force_login(cast.people["sun"])
    assert other.post(f"/profile/programs/{planner[0].pk}/remove/").status_code == 404
    assert opens(tokens) == 200
    answer = wang.post(f"/profile/programs/{planner[0].pk}/remove/")
    assert answer["Location"] == "/profile/"
    assert opens(tokens) == "bad-token" and not Token.objects.exists()
    assert refresh(planner, tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    entry = TrailEntry.objects.get(action="user.program-end")
    assert entry.actor_id == cast.wang.pk and entry.before["client"] == planner[0].pk
    assert wang.post(f"/profile/programs/{planner[0].pk}/remove/").status_code == 404
    assert "Programs that act for you" not in page_of(wang.get("/profile/"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"redirect_uris": []}, "required"),
        ({"redirect_uris": [f"https://a.example/{n}" for n in range(11)]}, "too-many-addresses"),
        ({"scopes": ["read", "provision"]}, "scope-not-of-people"),
        ({"for_people": False}, "only-for-people"),
        ({"for_people": False, "redirect_uris": [], "is_public": True}, "only-for-people"),
        *[
            ({"redirect_uris": [uri]}, "not-a-redirect")
            for uri in (
                "http://planner.example/", "https://a.example/#x", "https://a.example/ b", "https:///x",
                "https://u:p@a.example/", "javascript:alert(1)", "data:text/html,x", "app:/back", "x",
                "com.example.app://back#x", "http://127.0.0.1.evil.example/", "https://a.example/?code=1",
                "http://localhost@evil.example/", "//a.example/", "https://规划.example/", "https://a.example/\n",
                "https://a.example/" + "x" * 500, "https://a.example\\@b.example/", "https://*.example/",
                "http://127.0.0.1:x/", "HTTPS://a.example/",
            )
        ],
    ],
)  # fmt: skip
def test_clients_that_are_refused(by: By, account: ServiceAccount, change: Any, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        client_of(by, account, **change)
    assert refused.value.problems[0].code == code
    assert not OAuthClient.objects.exists()


def test_a_client_made_on_the_page(cast: Cast, account: ServiceAccount) -> None:
    zhao = Client()
    signed_in(zhao, cast.people["zhao"])
    path = f"/service-accounts/{account.pk}/client/"
    given = {"label": "Planner", "scopes": ["read"], "acts_for": "people", "redirect_uris": "x\n"}
    assert "No program can be answered at x" in page_of(zhao.post(path, given), 400)
    given |= {"redirect_uris": f" {BACK}\r\n\r\nhttp://[::1]/x\r\n", "is_public": "on"}
    made = zhao.post(path, given)
    html = page_of(zhao.get(made["Location"]))
    assert "/oauth/authorize/" in html and "It has no secret" in html
    row = OAuthClient.objects.get()
    assert row.get_redirect_uris() == [BACK, "http://[::1]/x"] and row.type == "public"
    assert BACK.replace("&", "&amp;") in page_of(zhao.get(f"/service-accounts/{account.pk}/"))


def test_a_client_of_the_account_asks_nobody(wang: Client, by: By, account: ServiceAccount) -> None:
    client, secret = client_of(by, account, for_people=False, redirect_uris=[])
    assert wang.get(asking(client)).status_code == 400
    assert fetch(client, secret, code="x").json() == {"error": "unauthorized_client"}


def test_a_service_account_allows_nothing(planner: Any, account: ServiceAccount) -> None:
    from accounts.permissions import actor_of
    from bookings.programs.selectors.consent import Asked
    from bookings.programs.services.consent import program_allow

    asked = Asked(planner[0], account, BACK, ["read"], ASKED["code_challenge"])
    with pytest.raises(NotPermitted):
        program_allow(By(actor_of(account.user), NOW), asked=asked)
    with pytest.raises(NotPermitted):
        program_allow(By(PLATFORM, NOW), asked=asked)


def test_the_account_is_closed(cast: Cast, tokens: Any) -> None:
    account_close(actor=cast.actor("wang"), by=None, reason="", now=NOW)
    assert opens(tokens) == "bad-token" and not Token.objects.exists()
    assert not Message.objects.filter(kind="program.allowed").exists()
