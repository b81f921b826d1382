"""Codes by mail, and the second factor of those whose roles ask for one."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.domain.errors import NotPermitted
from accounts.models import ApiToken, TrailEntry, User
from accounts.permissions import needs_second_factor
from accounts.services.tokens import token_issue
from tests.accounts.pages import mails, page_of, sign_in
from tests.factories.cast import PASSWORD, Cast

SETUP = "/accounts/2fa/"
DAY = timedelta(days=1)


def code_of(secret: str) -> str:
    at = totp.yield_hotp_counters_from_time()
    return totp.format_hotp_value(totp.hotp_value(secret, next(iter(at))))


@pytest.fixture
def zhao(cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch) -> User:
    """A manager with a confirmed address, where a second factor is asked for."""
    settings.SECOND_FACTOR_REQUIRED = True
    monkeypatch.setattr("django.db.transaction.on_commit", lambda tell, **kwargs: tell())
    user = cast.people["zhao"]
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def set_up(client: Client) -> str:
    """Set up the authenticator app on the pages; its secret."""
    html = page_of(client.get("/accounts/2fa/totp/activate/"))
    secret = re.findall(r"<code>([A-Z2-7]{32})</code>", html)[0]
    client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    return str(secret)


# Codes by mail


def test_a_code_by_mail_signs_in_once(client: Client, wang: User) -> None:
    page_of(client.get("/accounts/login/code/"))
    answer = client.post("/accounts/login/code/", {"email": wang.email, "next": "/profile/"})
    page_of(client.get(answer["Location"]))
    code = re.findall(r"^\S{4,12}$", str(mails()[0].body), re.M)[0]
    assert mails()[0].subject == "Your code to sign in" and code not in answer.content.decode()
    page_of(client.post("/accounts/login/code/confirm/", {"code": "WRONG1"}))
    assert "_auth_user_id" not in client.session
    client.post("/accounts/login/code/confirm/", {"code": code})
    assert client.session["_auth_user_id"] == str(wang.pk)
    other = Client()
    other.post("/accounts/login/code/confirm/", {"code": code})
    assert "_auth_user_id" not in other.session


def test_a_code_is_guessed_three_times_and_asked_for_three_times(client: Client, wang: User) -> None:
    client.post("/accounts/login/code/", {"email": wang.email})
    code = re.findall(r"^\S{4,12}$", str(mails()[0].body), re.M)[0]
    for _ in range(3):
        client.post("/accounts/login/code/confirm/", {"code": "WRONG1"})
    client.post("/accounts/login/code/confirm/", {"code": code})
    assert "_auth_user_id" not in client.session
    for _ in range(4):
        Client().post("/accounts/login/code/", {"email": wang.email})
    assert len(mails()) == 3


def test_an_unknown_address_asks_for_a_code_like_a_known_one(client: Client, wang: User) -> None:
    known, unknown = Client(), Client()
    answers = [
        browser.post("/accounts/login/code/", {"email": email})
        for browser, email in ((known, wang.email), (unknown, "who@nowhere.example"))
    ]
    assert answers[0]["Location"] == answers[1]["Location"]
    pages = [page_of(browser.get(answers[0]["Location"])) for browser in (known, unknown)]
    assert "If who@nowhere.example has an account" in pages[1]
    assert f"If {wang.email} has an account" in pages[0]


def test_a_code_by_mail_does_not_replace_the_second_factor(client: Client, wang: User) -> None:
    totp.TOTP.activate(wang, totp.generate_totp_secret())
    client.post("/accounts/login/code/", {"email": wang.email})
    code = re.findall(r"^\S{4,12}$", str(mails()[0].body), re.M)[0]
    answer = client.post("/accounts/login/code/confirm/", {"code": code})
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert "_auth_user_id" not in client.session


def test_a_reset_while_the_code_is_asked_for_leads_back_to_the_password(client: Client, wang: User) -> None:
    totp.TOTP.activate(wang, totp.generate_totp_secret())
    assert sign_in(client, wang.email)["Location"].startswith("/accounts/2fa/authenticate/")
    assert client.get("/accounts/login/")["Location"] == "/accounts/2fa/authenticate/"
    Authenticator.objects.filter(user=wang).delete()
    answer = client.get("/accounts/2fa/authenticate/", follow=True)
    assert answer.redirect_chain == [("/accounts/login/", 302)]
    assert "Your second factor was reset meanwhile" in page_of(answer)
    assert "_auth_user_id" not in client.session and "account_login" not in client.session
    sign_in(client, wang.email)
    assert client.session["_auth_user_id"] == str(wang.pk)


# Who signed in a moment ago has shown who they are

ASKING = (
    "/profile/tokens/",
    "/profile/close/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/add/",
)


def grow_old(client: Client) -> None:
    """Let ten minutes pass since all that this browser has shown."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 600
    session.save()


@pytest.mark.parametrize("way", ["password", "code"])
def test_a_sign_in_a_moment_ago_is_the_confirmation(client: Client, wang: User, way: str) -> None:
    if way == "password":
        sign_in(client, wang.email)
    else:
        client.post("/accounts/login/code/", {"email": wang.email})
        code = re.findall(r"^\S{4,12}$", str(mails()[0].body), re.M)[0]
        client.post("/accounts/login/code/confirm/", {"code": code})
    assert [client.get(path).status_code for path in ASKING] == [200] * len(ASKING)
    grow_old(client)
    for path in ASKING:
        assert client.get(path)["Location"].startswith("/accounts/reauthenticate/"), path


def test_the_second_factor_of_the_sign_in_is_the_confirmation(client: Client, wang: User) -> None:
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(wang, secret)
    answer = sign_in(client, wang.email)
    client.post(answer["Location"], {"code": code_of(secret)})
    asking = [*ASKING[:2], ASKING[3], "/accounts/2fa/totp/deactivate/"]
    assert [client.get(path).status_code for path in asking] == [200] * len(asking)
    grow_old(client)
    for path in asking:
        assert client.get(path)["Location"].startswith("/accounts/2fa/reauthenticate/"), path


def test_a_code_that_was_used_is_refused_with_what_to_wait_for(client: Client, wang: User) -> None:
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(wang, secret)
    code = code_of(secret)
    client.post(sign_in(client, wang.email)["Location"], {"code": code})
    other = Client()
    html = page_of(other.post(sign_in(other, wang.email)["Location"], {"code": code}))
    assert "was already used: each works only once. Wait up to half a minute for the next code" in html
    assert "_auth_user_id" not in other.session


# The second factor that roles ask for


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("wang", False),
        ("alice", False),
        ("zhao", True),
        ("lin", True),
        ("coordinator", True),
        ("auditor", True),
        ("admin", True),
    ],
)
def test_who_needs_one(shared_cast: Cast, settings: Any, name: str, needs: bool) -> None:
    assert not needs_second_factor(shared_cast.people[name]), "a demonstration asks nobody"
    settings.SECOND_FACTOR_REQUIRED = True
    assert needs_second_factor(shared_cast.people[name]) is needs


def test_staff_need_one_without_any_role(db: None, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    assert needs_second_factor(User.objects.create_superuser("root@x.example", "x"))


def test_a_manager_sets_one_up_before_anything_else(client: Client, zhao: User) -> None:
    sign_in(client, zhao.email)
    for path in ("/", "/profile/", "/profile/tokens/", "/admin/", reverse("instruments:manage")):
        assert client.get(path)["Location"] == SETUP, path
    assert client.post("/profile/", {"name": "X"})["Location"] == SETUP
    assert "Your role needs a second factor." in page_of(client.get(SETUP))
    refused = client.get("/api/v1/reservations/")
    assert (refused.status_code, refused.json()["code"]) == (403, "second-factor-missing")
    assert client.post("/language/", {"language": "en", "next": SETUP})["Location"] == SETUP

    set_up(client)
    assert client.get("/profile/").status_code == 200, "what was set up was shown at once"
    assert client.get("/api/v1/reservations/").status_code == 200
    actions = TrailEntry.objects.filter(object_id=zhao.pk).order_by("at", "id")
    kinds = [(e.action, e.after["type"]) for e in actions if e.action == "user.factor-add"]
    assert sorted(kinds) == [("user.factor-add", "recovery_codes"), ("user.factor-add", "totp")]
    assert client.post("/accounts/logout/").status_code == 302


def test_a_session_of_before_gains_nothing(client: Client, zhao: User) -> None:
    early = Client()
    sign_in(early, zhao.email)
    sign_in(client, zhao.email)
    set_up(client)
    answer = early.get("/profile/?x=1")
    assert answer["Location"] == "/accounts/2fa/reauthenticate/?next=%2Fprofile%2F%3Fx%3D1"
    refused = early.get("/api/v1/reservations/")
    assert (refused.status_code, refused.json()["code"]) == (403, "second-factor-unconfirmed")
    page_of(early.get(answer["Location"]))
    codes = Authenticator.objects.get(user=zhao, type="recovery_codes").wrap().get_unused_codes()
    assert early.post(answer["Location"], {"code": codes[0], "next": "/profile/"}).status_code == 302
    assert early.get("/profile/").status_code == 200


def test_the_last_one_stays(client: Client, zhao: User) -> None:
    sign_in(client, zhao.email)
    set_up(client)
    html = page_of(client.post("/accounts/2fa/totp/deactivate/"))
    assert "Add another one before you remove this." in html
    assert Authenticator.objects.filter(user=zhao, type="totp").exists()


def test_tokens_of_a_manager_need_one(client: Client, zhao: User, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False  # made as a researcher, say
    _, old = token_issue(user=zhao, label="old", lifetime=DAY, now=timezone.now())
    settings.SECOND_FACTOR_REQUIRED = True
    with pytest.raises(NotPermitted, match="second-factor-missing"):
        token_issue(user=zhao, label="new", lifetime=DAY, now=timezone.now())
    with pytest.raises(CommandError, match="second factor"):
        call_command("issue_token", zhao.email)
    assert ApiToken.objects.count() == 1
    head = {"authorization": f"Bearer {old}"}
    refused = client.get("/api/v1/reservations/", headers=head)
    assert (refused.status_code, refused.json()["code"]) == (403, "second-factor-missing")
    totp.TOTP.activate(zhao, totp.generate_totp_secret())
    # Whoever made it knew the password alone: it does not gain from what was set up since.
    refused = client.get("/api/v1/reservations/", headers=head)
    assert (refused.status_code, refused.json()["code"]) == (403, "second-factor-unconfirmed")
    _, new = token_issue(user=zhao, label="new", lifetime=DAY, now=timezone.now())
    head = {"authorization": f"Bearer {new}"}
    assert client.get("/api/v1/reservations/", headers=head).status_code == 200


def test_secrets_are_kept_encrypted(db: None, cast: Cast, settings: Any) -> None:
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(cast.people["wang"], secret)
    row = Authenticator.objects.get()
    assert secret not in str(row.data)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert row.wrap().validate_code(code_of(secret)), "also after the key was changed"


# Sessions


def test_a_changed_password_signs_out_everywhere_else(client: Client, wang: User) -> None:
    other = Client()
    for browser in (client, other):
        sign_in(browser, wang.email)
    new = {"password1": "new battery 55", "password2": "new battery 55"}
    client.post("/accounts/password/change/", new | {"oldpassword": PASSWORD})
    assert client.get("/profile/").status_code == 200
    assert other.get("/profile/").status_code == 302
    assert other.get("/api/v1/reservations/").status_code == 401


def test_signing_out_elsewhere(client: Client, wang: User) -> None:
    other = Client()
    for browser in (client, other):
        sign_in(browser, wang.email)
        browser.get("/profile/")
    page_of(client.get("/accounts/sessions/"))
    client.post("/accounts/sessions/")
    assert client.get("/profile/").status_code == 200
    assert other.get("/profile/").status_code == 302
