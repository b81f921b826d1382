"""Signing in elsewhere, against a real OpenID Connect provider and a real SAML provider."""

import base64
import copy
import html
import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal import auth as totp
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.test import Client
from lxml import etree

from accounts.adapters.federation import FederationAdapter
from accounts.models import JoinRequest, Membership, RoleGrant, TrailEntry, User
from config import sign_in as configured
from config.env import Misconfigured
from tests.accounts.pages import mails, page_of, sign_in
from tests.factories.cast import Cast
from tests.providers import running

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning"),  # python3-saml
]

OIDC = "/accounts/oidc/uni/login/"
SAML = "/accounts/saml/carsi/login/"
OIDC_BACK = "http://testserver/accounts/oidc/uni/login/callback/"
OIDC_PEOPLE = {
    "li": {
        "name": "Li Na",
        "email": "Li.Na@mail.fudan.example",
        "email_verified": True,
        "eduperson_scoped_affiliation": ["member@fudan.example", "staff@ustc.example"],
        "schac_home_organization": "fudan.example",
    },
    "far": {"name": "Far", "email": "far@elsewhere.example", "email_verified": True},
    "thief": {"name": "Thief", "email": "wang@fudan.example", "email_verified": True},
    "rogue": {"name": "Rogue", "email": "admin@x.example", "email_verified": True},
    "silent": {"name": "Silent"},
}
SAML_PEOPLE = {
    "li": {
        "pairwise-id": ["ABC123@fudan.example"],
        "displayName": ["李娜"],
        "mail": ["li@fudan.example"],
        "eduPersonScopedAffiliation": ["member@fudan.example", "member@ustc.example"],
        "schacHomeOrganization": ["fudan.example"],
    },
    "asks": {
        "pairwise-id": ["asks@optics.example"],
        "displayName": ["Asks"],
        "mail": ["asks@optics.example"],
        "eduPersonScopedAffiliation": ["employee@optics.example"],
    },
    "guest": {
        "pairwise-id": ["guest@fudan.example"],
        "displayName": ["Guest"],
        "mail": ["guest@fudan.example"],
        "eduPersonScopedAffiliation": ["library-walk-in@fudan.example", "alum@fudan.example"],
    },
    "foreign": {"pairwise-id": ["zhao@ustc.example"], "mail": ["zhao2@ustc.example"]},
    "nameless": {"displayName": ["Nobody"], "mail": ["nobody@fudan.example"]},
    "wang": {"pairwise-id": ["wang@fudan.example"], "mail": ["wang@fudan.example"]},
}
MAY_ASSERT = ["fudan.example", "optics.example"]


def browser() -> Client:
    """A browser says which host it asks."""
    return Client(headers={"host": "testserver"})


@pytest.fixture
def client() -> Client:
    return browser()


@pytest.fixture(scope="module")
def oidc() -> Iterator[str]:
    clients = [
        {"client_id": name, "client_secret": "a secret of tests", "redirect_uris": [OIDC_BACK]}
        for name in ("commons", "others")
    ]
    with running.oidc(clients, OIDC_PEOPLE) as address:
        yield address


@pytest.fixture(scope="module")
def saml_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("idp")


@pytest.fixture(scope="module")
def saml(saml_folder: Path) -> Iterator[str]:
    with running.saml(saml_folder, SAML_PEOPLE) as address:
        yield address


@pytest.fixture
def cast(shared_cast: Cast) -> Cast:
    """Fudan admits by scope, Hefei Optics has its managers asked, USTC has a scope too."""
    for organisation, admits in (("fudan", True), ("optics", False), ("ustc", True)):
        row = getattr(shared_cast, organisation)
        type(row).objects.filter(pk=row.pk).update(scopes=[f"{organisation}.example"], admits_by_scope=admits)
    return shared_cast


@pytest.fixture(autouse=True)
def _ways(oidc: str, saml: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both providers, configured as an operator does: by the environment."""
    cache.clear()
    ways = {
        "SIGN_IN_OIDC": [
            {
                "id": "uni",
                "name": "Uni",
                "issuer": oidc,
                "client_id": "commons",
                "secret": "a secret of tests",
                "scopes": ["fudan.example"],
                "ask_for": ["openid", "profile", "email", "affiliation"],
            }
        ],
        "SIGN_IN_SAML": [
            {
                "id": "carsi",
                "name": "CARSI",
                "entity_id": f"{saml}/metadata",
                "metadata_url": f"{saml}/metadata",
                "scopes": MAY_ASSERT,
            }
        ],
    }
    for name, entries in ways.items():
        monkeypatch.setitem(os.environ, name, json.dumps(entries))
    settings.SOCIALACCOUNT_PROVIDERS = configured.providers()


@pytest.fixture
def sp(client: Client, saml: str, saml_folder: Path) -> str:
    """What the provider knows of us."""
    metadata = client.get("/accounts/saml/carsi/metadata/")
    assert metadata.status_code == 200, metadata.content
    (saml_folder / "sp.xml").write_bytes(metadata.content)
    return "http://testserver/accounts/saml/carsi/metadata/"


def leave(client: Client, path: str, **data: str) -> str:
    """Where the button of a provider sends the reader."""
    page = page_of(client.post(path, data))
    url = re.search(r'<a class="btn btn-primary" href="([^"]+)" data-leaving', page)
    assert url, page
    return html.unescape(url.group(1))


def by_oidc(client: Client, person: str, **data: str) -> Any:
    return client.get(running.through_oidc(leave(client, OIDC, **data), person))


def answer_of(client: Client, person: str, **wishes: str) -> dict[str, str]:
    """The form by which the SAML provider answers our question."""
    action, form = running.through_saml(leave(client, SAML), person, **wishes)
    assert action == "http://testserver/accounts/saml/carsi/acs/"
    return form


def give(client: Client, form: dict[str, str]) -> Any:
    """The browser hands the form over; what comes of it."""
    step = client.post("/accounts/saml/carsi/acs/", form)
    assert step.status_code == 302
    return client.get(step["Location"])


def by_saml(client: Client, person: str, **wishes: str) -> Any:
    return give(client, answer_of(client, person, **wishes))


def is_in(client: Client) -> str:
    """Whom the client is signed in as, by mail address; empty for nobody."""
    pk = client.session.get("_auth_user_id")
    return User.objects.get(pk=pk).email if pk else ""


def changed(form: dict[str, str], old: str, new: str) -> dict[str, str]:
    text = base64.b64decode(form["SAMLResponse"]).decode()
    assert old in text
    return form | {"SAMLResponse": base64.b64encode(text.replace(old, new).encode()).decode()}


# OpenID Connect


def test_openid_connect(client: Client, cast: Cast) -> None:
    page = page_of(client.get("/accounts/login/"))
    assert "Sign in with Uni" in page and "Sign in with CARSI" in page
    answer = by_oidc(client, "li", next="/profile/")
    assert answer.status_code == 302 and answer["Location"] == "/profile/"
    user = User.objects.get(pk=client.session["_auth_user_id"])
    assert (user.name, user.email) == ("Li Na", "li.na@mail.fudan.example")
    assert not user.has_usable_password()
    assert EmailAddress.objects.get(user=user).verified, "the provider's own domain"
    way = SocialAccount.objects.get(user=user)
    assert way.uid.endswith("#li") and way.provider == "uni"
    assert way.extra_data == {"affiliations": ["member@fudan.example"], "home": "fudan.example"}
    assert [m.organisation.code for m in Membership.objects.filter(user=user)] == ["fudan"]
    assert RoleGrant.objects.get(user=user).role == "researcher"
    actions = TrailEntry.objects.filter(object_id=user.pk).order_by("at", "id")
    assert list(actions.values_list("action", flat=True)) == ["user.create", "user.way-add"]
    page_of(client.get("/accounts/3rdparty/"))

    again = browser()
    by_oidc(again, "li")
    assert again.session["_auth_user_id"] == str(user.pk)
    assert Membership.objects.filter(user=user).count() == 1


def test_an_ended_membership_stays_ended(client: Client, cast: Cast) -> None:
    by_oidc(client, "li")
    user = User.objects.get(pk=client.session["_auth_user_id"])
    Membership.objects.filter(user=user).update(ended_at=user.created_at)
    by_oidc(browser(), "li")
    assert not Membership.objects.filter(user=user, ended_at=None).exists()


def test_an_address_of_another_domain_is_confirmed_by_mail(client: Client, cast: Cast) -> None:
    answer = by_oidc(client, "far")
    assert answer["Location"] == "/accounts/confirm-email/"
    assert is_in(client) == ""
    assert mails()[0].to == ["far@elsewhere.example"]
    assert not EmailAddress.objects.get(email="far@elsewhere.example").verified


def test_without_an_address_the_person_gives_one(client: Client, cast: Cast) -> None:
    answer = by_oidc(client, "silent")
    assert answer["Location"] == "/accounts/3rdparty/signup/"
    page = page_of(client.get(answer["Location"]))
    assert 'value="Silent"' in page
    client.post(answer["Location"], {"name": "Silent", "email": "silent@x.example"})
    user = User.objects.get(email="silent@x.example")
    assert not EmailAddress.objects.get(user=user).verified and is_in(client) == ""
    assert SocialAccount.objects.get(user=user).uid.endswith("#silent")


@pytest.mark.parametrize("person", ["thief", "rogue"])
def test_an_address_that_has_an_account_opens_nothing(client: Client, cast: Cast, person: str) -> None:
    email = OIDC_PEOPLE[person]["email"]
    owner, _ = User.objects.get_or_create(email=email)
    EmailAddress.objects.create(user=owner, email=email, verified=True, primary=True)
    answer = by_oidc(client, person)
    assert is_in(client) == "" and not SocialAccount.objects.exists()
    if person == "thief":  # the provider may speak for the address: its owner is told the way
        page = page_of(answer, 409)
        assert "has an account here" in page and "Ways to sign in" in page
    else:  # it may not: only the owner of the mailbox learns that there is an account
        assert answer["Location"] == "/accounts/confirm-email/"
        assert mails()[0].to == [email]
        assert "You already have an account" in mails()[0].subject
        assert "under “Ways to sign in”" in str(mails()[0].body)


def test_connecting_to_ones_account(client: Client, cast: Cast) -> None:
    user = cast.people["alice"]
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    sign_in(client, user.email)
    session = client.session
    session["account_authentication_methods"][0]["at"] -= 600
    session.save()
    answer = by_oidc(client, "li", process="connect")
    assert answer["Location"].startswith("/accounts/reauthenticate/"), "who does so shows who it is"
    client.post(answer["Location"], {"password": "correct horse battery"})
    assert SocialAccount.objects.get().user == user
    assert TrailEntry.objects.filter(object_id=user.pk, action="user.way-add").exists()
    assert Membership.objects.filter(user=user, organisation=cast.fudan).exists()
    page = page_of(client.get("/accounts/3rdparty/"))
    assert "member@fudan.example" in page
    assert mails()[-1].subject == "A way to sign in was added"
    other = browser()
    by_oidc(other, "li")
    assert is_in(other) == user.email
    client.post("/accounts/3rdparty/", {"account": SocialAccount.objects.get().pk})
    assert not SocialAccount.objects.exists()
    assert TrailEntry.objects.filter(object_id=user.pk, action="user.way-remove").exists()


def test_a_second_factor_is_asked_for_here_too(client: Client, cast: Cast) -> None:
    by_oidc(client, "li")
    totp.TOTP.activate(User.objects.get(name="Li Na"), totp.generate_totp_secret())
    other = browser()
    answer = by_oidc(other, "li")
    assert answer["Location"].startswith("/accounts/2fa/authenticate/") and is_in(other) == ""


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_the_way_back_leads_to_no_other_site(client: Client, cast: Cast, target: str) -> None:
    assert by_oidc(client, "li", next=target)["Location"] == "/home/"


def test_an_answer_is_taken_once_and_by_who_asked(client: Client, cast: Cast) -> None:
    back = running.through_oidc(leave(client, OIDC), "li")
    stranger = browser()
    assert stranger.get(back).status_code in {401, 403} and is_in(stranger) == ""
    client.get(back)
    assert is_in(client)
    client.post("/accounts/logout/")
    assert client.get(back).status_code in {401, 403} and is_in(client) == ""


def id_token_for_others(oidc: str) -> str:
    """An ID token the same provider makes for another site."""
    import hashlib

    import requests

    verifier = "v" * 50
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode()
    query = {
        "client_id": "others",
        "redirect_uri": OIDC_BACK,
        "response_type": "code",
        "scope": "openid",
        "code_challenge": digest.rstrip("="),
        "code_challenge_method": "S256",
    }
    back = running.through_oidc(f"{oidc}/auth?{urlencode(query)}", "li")
    body = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(back).query)["code"][0],
        "redirect_uri": OIDC_BACK,
        "code_verifier": verifier,
    }
    answer = requests.post(f"{oidc}/token", body, auth=("others", "a secret of tests"), timeout=10)
    return str(answer.json()["id_token"])


@pytest.mark.parametrize("attack", ["signature", "claims", "audience", "none", "missing"])
def test_a_token_that_is_not_right(
    client: Client, cast: Cast, oidc: str, attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody between the provider and us changes the ID token."""
    others = id_token_for_others(oidc) if attack == "audience" else ""
    honest = FederationAdapter.get_requests_session

    def b64(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    def forge(token: str) -> str:
        head, body, signature = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "==="))
        match attack:
            case "signature":
                return f"{head}.{body}.{signature[:-8]}AAAAAAAA"
            case "claims":
                return f"{head}.{b64(claims | {'sub': 'admin'})}.{signature}"
            case "none":
                return f"{b64({'alg': 'none', 'kid': 'x'})}.{body}."
            case _:
                return others

    def session(self: Any) -> Any:
        found = honest(self)
        ask = found.request

        def request(*args: Any, **kwargs: Any) -> Any:
            answer = ask(*args, **kwargs)
            if answer.headers.get("content-type", "").startswith("application/json"):
                data = answer.json()
                if "id_token" in data:
                    data["id_token"] = forge(data["id_token"])
                    if attack == "missing":
                        del data["id_token"]
                    answer._content = json.dumps(data).encode()
            return answer

        found.request = request
        return found

    monkeypatch.setattr(FederationAdapter, "get_requests_session", session)
    page_of(by_oidc(client, "li"), 401)
    assert is_in(client) == "" and not SocialAccount.objects.exists()


# SAML


def test_saml(client: Client, cast: Cast, sp: str) -> None:
    assert by_saml(client, "li")["Location"] == "/home/"
    user = User.objects.get(pk=client.session["_auth_user_id"])
    assert (user.name, user.email) == ("李娜", "li@fudan.example")
    way = SocialAccount.objects.get(user=user)
    assert way.uid.endswith("#abc123@fudan.example") and way.provider == "carsi"
    # What it says of USTC is not believed: it is not trusted for ustc.example.
    assert way.extra_data == {"affiliations": ["member@fudan.example"], "home": "fudan.example"}
    assert [m.organisation.code for m in Membership.objects.filter(user=user)] == ["fudan"]
    other = browser()
    by_saml(other, "li")
    assert other.session["_auth_user_id"] == str(user.pk)
    page_of(other.get("/accounts/3rdparty/"))


def test_a_changed_address_is_the_same_person(
    client: Client, cast: Cast, sp: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_saml(client, "li")
    user = User.objects.get(email="li@fudan.example")
    User.objects.filter(pk=user.pk).update(email="new@fudan.example")
    other = browser()
    by_saml(other, "li")
    assert is_in(other) == "new@fudan.example"


def test_an_organisation_that_does_not_admit_is_asked(client: Client, cast: Cast, sp: str) -> None:
    by_saml(client, "asks")
    user = User.objects.get(email="asks@optics.example")
    request = JoinRequest.objects.get(user=user)
    assert (request.organisation.code, request.text) == ("optics", "employee@optics.example")
    assert not Membership.objects.filter(user=user).exists()
    JoinRequest.objects.update(state="rejected")
    by_saml(browser(), "asks")
    assert JoinRequest.objects.count() == 1, "their managers have answered"


def test_a_reader_of_the_library_belongs_nowhere(client: Client, cast: Cast, sp: str) -> None:
    by_saml(client, "guest")
    user = User.objects.get(email="guest@fudan.example")
    assert is_in(client) == user.email
    assert not Membership.objects.filter(user=user).exists()


def test_an_address_that_has_an_account_opens_nothing_by_saml(client: Client, cast: Cast, sp: str) -> None:
    page = page_of(by_saml(client, "wang"), 409)
    assert "wang@fudan.example" in page and is_in(client) == ""


@pytest.mark.parametrize(
    ("person", "wishes", "status", "says"),
    [
        ("li", {"key": "other"}, 401, "could not be trusted"),
        ("li", {"audience": "https://other.example/sp"}, 401, "could not be trusted"),
        ("li", {"unasked": "1"}, 401, "could not be trusted"),
        ("li", {"sign": "response"}, 401, "could not be trusted"),
        ("foreign", {}, 403, "is not trusted for ustc.example"),
        ("nameless", {}, 403, "did not provide a permanent user identifier"),
    ],
)
def test_what_saml_is_not_trusted_with(
    client: Client,
    cast: Cast,
    sp: str,
    saml_folder: Path,
    person: str,
    wishes: dict[str, str],
    status: int,
    says: str,
) -> None:
    page = page_of(by_saml(client, person, **wishes), status)
    assert says in page and is_in(client) == ""
    assert not SocialAccount.objects.exists() and not User.objects.filter(name="李娜").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ABC123@fudan.example", "admin1@fudan.example"),  # another person
        ("member@fudan.example", "member@optics.example"),
        ("</ns1:Assertion>", "</ns1:Assertion><ns1:Assertion/>"),
    ],
)
def test_an_answer_changed_on_its_way(client: Client, cast: Cast, sp: str, old: str, new: str) -> None:
    form = answer_of(client, "li")
    page_of(give(client, changed(form, old, new)), 401)
    assert is_in(client) == "" and not SocialAccount.objects.exists()


@pytest.mark.parametrize("where", ["before", "object", "extensions", "advice", "response"])
def test_a_signature_that_is_about_something_else(client: Client, cast: Cast, sp: str, where: str) -> None:
    """What was signed is still there, untouched, and beside or around it what was not."""
    form = answer_of(client, "li")
    response = etree.fromstring(base64.b64decode(form["SAMLResponse"]))
    saml, ds = "{urn:oasis:names:tc:SAML:2.0:assertion}", "{http://www.w3.org/2000/09/xmldsig#}"
    honest = response.find(f"{saml}Assertion")
    forged = copy.deepcopy(honest)
    forged.set("ID", "forged")
    for value in forged.iter(f"{saml}AttributeValue"):
        value.text = (value.text or "").replace("ABC123@", "admin1@")
    signature = forged.find(f"{ds}Signature")
    at = response.index(honest)
    response.remove(honest)
    match where:
        case "before":
            forged.remove(signature)
            response.insert(at, forged)
            response.append(honest)
        case "object":  # the signature keeps what it is about inside itself
            etree.SubElement(signature, f"{ds}Object").append(honest)
            response.insert(at, forged)
        case "extensions":
            inside = etree.Element("{urn:oasis:names:tc:SAML:2.0:protocol}Extensions")
            inside.append(honest)
            response.insert(1, inside)
            response.append(forged)
        case "advice":
            etree.SubElement(forged, f"{saml}Advice").append(honest)
            response.append(forged)
        case "response":  # the same id twice
            forged.set("ID", honest.get("ID"))
            forged.remove(signature)
            response.append(forged)
            response.append(honest)
    text = base64.b64encode(etree.tostring(response)).decode()
    page_of(give(client, form | {"SAMLResponse": text}), 401)
    assert is_in(client) == "" and not SocialAccount.objects.exists()


def test_an_answer_is_given_once_and_by_who_asked(client: Client, cast: Cast, sp: str) -> None:
    form = answer_of(client, "li")
    stranger = browser()
    assert "was used before" in page_of(give(stranger, form), 403) and is_in(stranger) == ""
    give(client, form)
    assert is_in(client)
    client.post("/accounts/logout/")
    assert "was used before" in page_of(give(client, form), 403) and is_in(client) == ""
    # Nor as the answer to a question asked since: the question stands in what is signed.
    asked = re.search(r'InResponseTo="([^"]+)"', base64.b64decode(form["SAMLResponse"]).decode())
    fresh = answer_of(client, "li")
    anew = re.search(r'InResponseTo="([^"]+)"', base64.b64decode(fresh["SAMLResponse"]).decode())
    assert asked and anew
    text = base64.b64decode(form["SAMLResponse"]).decode().replace(asked[1], anew[1], 1)
    page_of(give(client, {"SAMLResponse": base64.b64encode(text.encode()).decode()}), 401)
    assert is_in(client) == ""


def test_a_link_signs_nobody_out(client: Client, cast: Cast, sp: str, saml: str) -> None:
    by_saml(client, "li")
    text = (
        '<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
        'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="x" Version="2.0" '
        'IssueInstant="2026-01-01T00:00:00Z" '
        'Destination="http://testserver/accounts/saml/carsi/sls/">'
        f"<saml:Issuer>{saml}/metadata</saml:Issuer><saml:NameID>x</saml:NameID>"
        "</samlp:LogoutRequest>"
    )
    packed = zlib.compress(text.encode())[2:-4]
    query = {"SAMLRequest": base64.b64encode(packed).decode()}
    assert client.get("/accounts/saml/carsi/sls/", query).status_code == 404
    forged = query | {"Signature": "AAAA", "SigAlg": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"}
    assert client.get("/accounts/saml/carsi/sls/", forged).status_code == 400
    large = {**forged, "SAMLRequest": "A" * 10_001}  # it might unpack to a thousand times as much
    assert client.get("/accounts/saml/carsi/sls/", large).status_code == 404
    assert is_in(client)


def test_rubbish_is_no_answer(client: Client, cast: Cast, sp: str) -> None:
    for value in ("", "x", "PGE+", base64.b64encode(b"\x00\xff").decode()):
        assert give(browser(), {"SAMLResponse": value}).status_code in {401, 403}
    assert client.get("/accounts/saml/nobody/login/").status_code == 404
    assert client.get("/accounts/oidc/nobody/login/callback/").status_code == 404


# Administrators' pages


def test_a_provider_that_an_administrator_has_entered(
    client: Client, cast: Cast, oidc: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(os.environ, "SIGN_IN_OIDC")
    settings.SOCIALACCOUNT_PROVIDERS = configured.providers()
    admin = browser()
    admin.force_login(cast.people["admin"])
    entry = {
        "kind": "openid_connect",
        "id": "uni",
        "name": "Uni",
        "entity": oidc,
        "client_id": "commons",
        "secret": "a secret of tests",
        "scopes": "Fudan.example",
    }
    page = page_of(admin.post("/people/sign-in/", entry | {"scopes": "not a scope"}), 400)
    assert "is not a scope" in page
    page = page_of(admin.post("/people/sign-in/", entry | {"client_id": ""}), 400)
    assert "This is required for the kind you chose." in page
    settings.LOCAL_MODE = False
    assert "begins with https://" in page_of(admin.post("/people/sign-in/", entry), 400)
    settings.LOCAL_MODE = True
    assert admin.post("/people/sign-in/", entry)["Location"] == "/people/sign-in/"
    page = page_of(admin.get("/people/sign-in/?id=uni"))
    assert "fudan.example" in page and "a secret of tests" not in page
    admin.post("/people/sign-in/", entry | {"name": "University", "secret": ""})
    assert "Sign in with University" in page_of(client.get("/accounts/login/"))
    by_oidc(client, "li")
    assert is_in(client) == "li.na@mail.fudan.example"
    page_of(client.get("/accounts/3rdparty/"))
    told = TrailEntry.objects.filter(action__startswith="provider.").order_by("at", "id")
    assert [entry.action for entry in told] == ["provider.create", "provider.update"]
    assert "a secret" not in str([entry.after for entry in told])
    admin.post("/people/sign-in/uni/remove/")
    assert browser().post(OIDC).status_code == 404
    assert "uni" in page_of(client.get("/accounts/3rdparty/")), "a way that is gone has its id"


def test_a_scope_belongs_to_one_organisation(cast: Cast) -> None:
    admin = browser()
    admin.force_login(cast.people["admin"])
    path = f"/organisations/{cast.ustc.pk}/members/scopes/"
    page = page_of(admin.post(path, {"scopes": "new.example\nFUDAN.example"}), 400)
    assert "fudan.example already belongs to fudan." in page
    cast.ustc.refresh_from_db()
    assert cast.ustc.scopes == ["ustc.example"]
    admin.post(path, {"scopes": "mail.ustc.example, ustc.example"})
    cast.ustc.refresh_from_db()
    assert cast.ustc.scopes == ["mail.ustc.example", "ustc.example"]
    assert not cast.ustc.admits_by_scope
    entry = TrailEntry.objects.filter(action="organisation.scopes").latest("id")
    assert entry.before["scopes"] == ["ustc.example"] and entry.object_id == cast.ustc.pk
    page_of(admin.get(path))
    assert "mail.ustc.example" in page_of(admin.get(f"/organisations/{cast.ustc.pk}/members/"))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SIGN_IN_OIDC", "{", "is no JSON"),
        ("SIGN_IN_OIDC", "{}", "must be a JSON list"),
        ("SIGN_IN_OIDC", '[{"id": "a"}]', "lacks client_id, issuer, name, secret"),
        ("SIGN_IN_SAML", '[{"id": "a", "name": "A", "entity_id": "x"}]', "give metadata_url"),
        (
            "SIGN_IN_SAML",
            '[{"id": "a", "name": "A", "entity_id": "x", "metadata_url": "y", "scope": "z"}]',
            "scope means nothing here",
        ),
        (
            "SIGN_IN_SAML",
            '[{"id": "a", "name": "A", "entity_id": "x", "metadata_url": "y", "identifier": "mail"}]',
            "must be one of pairwise-id",
        ),
    ],
)
def test_what_is_wrong_in_the_environment_is_said(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setitem(os.environ, name, value)
    with pytest.raises(Misconfigured, match=re.escape(says)):
        configured.providers()


def test_providers_are_asked_in_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "LOCAL_MODE", "0")
    with pytest.raises(Misconfigured, match="issuer must begin with https://"):
        configured.providers()


def test_orcid_by_the_environment(client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "ORCID_CLIENT_ID", "APP-1")
    monkeypatch.setitem(os.environ, "ORCID_SECRET", "x")
    settings.SOCIALACCOUNT_PROVIDERS = configured.providers()
    assert "Sign in with ORCID" in page_of(client.get("/accounts/login/"))
    url = leave(client, "/accounts/orcid/login/")
    assert url.startswith("https://orcid.org/oauth/authorize?client_id=APP-1&")
