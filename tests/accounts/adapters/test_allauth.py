"""Sign-in, sign-up, passwords and the second factor, through allauth's views in our look."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import get_hasher
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory

from accounts.adapters.allauth import Backend, may_sign_in
from accounts.domain.roles import PLATFORM, By
from accounts.models import TrailEntry, User
from accounts.services.memberships import role_grant
from tests.accounts.pages import mails, page_of, sign_in
from tests.factories.cast import NOW, PASSWORD, Cast

NEW = {
    "name": "Nora New",
    "email": "Nora@New.example",
    "password1": "horse battery 77",
    "password2": "horse battery 77",
}


@pytest.fixture
def demo(cast: Cast) -> User:
    """A demonstration account as the demonstration makes it, without a confirmed address."""
    user = User.objects.create_user("demo@demo.example", "demo", name="Demo", is_demo=True)
    role_grant(By(PLATFORM, NOW), user=user, role="researcher", organisation=cast.fudan)
    return user


def actions_of(user: User) -> list[str]:
    found = TrailEntry.objects.filter(object_id=user.pk).order_by("at", "id")
    return list(found.values_list("action", flat=True))


@pytest.mark.parametrize("email", ["wang@fudan.example", "WANG@fudan.EXAMPLE", " wang@fudan.example "])
def test_the_address_opens_in_any_case(client: Client, wang: User, email: str) -> None:
    response = sign_in(client, email, next="/profile/")
    assert response.status_code == 302 and response["Location"] == "/profile/"
    assert client.session["_auth_user_id"] == str(wang.pk)


def test_a_wrong_password_says_what_to_do_and_keeps_the_address(client: Client, wang: User) -> None:
    html = page_of(sign_in(client, wang.email, "wrong"))
    assert "The e-mail address or the password is wrong." in html
    assert f'value="{wang.email}"' in html and 'value="wrong"' not in html
    assert "Remember Me" not in html and "Stay signed in on this device" in html
    assert "_auth_user_id" not in client.session


def test_an_unknown_address_is_answered_like_a_wrong_password(client: Client, wang: User) -> None:
    known = page_of(sign_in(client, wang.email, "wrong"))
    unknown = page_of(sign_in(client, "nobody@nowhere.example", "wrong"))
    error = re.compile(r'<div class="alert alert-danger".*?</div>\s*</div>', re.S)
    assert error.search(known).group() == error.search(unknown).group()  # type: ignore[union-attr]


def test_sign_in_goes_to_no_other_site(client: Client, wang: User) -> None:
    response = sign_in(client, wang.email, next="https://evil.example/")
    assert response["Location"] == "/home/"


def test_a_sixth_attempt_on_one_account_waits(client: Client, wang: User) -> None:
    for _ in range(5):
        sign_in(client, wang.email, "wrong")
    html = page_of(sign_in(client, wang.email, PASSWORD))
    assert "Too many attempts." in html
    assert "_auth_user_id" not in client.session
    # One line in the trail, however often it is tried after that.
    assert actions_of(wang) == ["user.sign-in-block"]


def test_an_address_that_asks_too_often_is_told_to_wait(client: Client, wang: User, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"reset_password": "1/m/ip"}
    asked = [client.post("/accounts/password/reset/", {"email": wang.email}) for _ in range(2)]
    assert [response.status_code for response in asked] == [302, 429]
    assert asked[1]["Retry-After"] == "60" and "Too many requests." in page_of(asked[1], 429)


def test_a_browser_without_a_language_learns_the_persons(client: Client, wang: User) -> None:
    User.objects.filter(pk=wang.pk).update(language="zh-hans")
    assert sign_in(client, wang.email).cookies["django_language"].value == "zh-hans"


def test_a_browser_that_was_told_its_language_keeps_it(client: Client, wang: User) -> None:
    User.objects.filter(pk=wang.pk).update(language="zh-hans")
    client.cookies["django_language"] = "en"
    assert "django_language" not in sign_in(client, wang.email).cookies


# Demonstration accounts


def test_a_demonstration_account_leaves_the_visitors_language(client: Client, demo: User) -> None:
    assert "django_language" not in sign_in(client, demo.email, "demo").cookies


def test_demonstration_accounts_are_one_click_away(client: Client, demo: User) -> None:
    html = page_of(client.get("/accounts/login/?next=/bookings/"))
    assert 'name="login" value="demo@demo.example"' in html
    assert "finds instruments and books them" in html and "Fudan University" in html
    response = sign_in(client, demo.email, "demo", next="/bookings/")
    assert response.status_code == 302 and response["Location"] == "/bookings/"
    assert client.session["_auth_user_id"] == str(demo.pk)


def test_every_button_signs_in(client: Client, cast: Cast) -> None:
    for role in ("researcher", "manager", "operator", "finance", "coordinator", "auditor", "administrator"):
        user = User.objects.create_user(f"{role}@demo.example", "demo", name=role, is_demo=True)
        place: dict[str, Any] = {"organisation": cast.fudan}
        if role in {"coordinator", "auditor"}:
            place = {"region": cast.shanghai}
        elif role == "administrator":
            place = {}
        role_grant(By(PLATFORM, NOW), user=user, role=role, **place)
    card = page_of(client.get("/accounts/login/")).partition("Try it as")[2]
    form = card[: card.index("</form>")]
    address = re.search(r'action="([^"]+)"', form)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    buttons = re.findall(r'<button [^>]*name="login" value="([^"]+)"', form)
    assert address and len(buttons) == 7
    for email in buttons:
        browser = Client(enforce_csrf_checks=True)
        browser.cookies["csrftoken"] = client.cookies["csrftoken"].value
        response = browser.post(address.group(1), hidden | {"login": email})
        assert response.status_code == 302, email
        assert browser.session["_auth_user_id"] == str(User.objects.get(email=email).pk)


def test_everybody_is_offered_once_and_by_their_job(client: Client, cast: Cast, demo: User) -> None:
    """Who manages also books, and is shown as a manager; a second one stands beside the first."""
    for name, roles in (("first", ["researcher", "manager"]), ("second", ["manager"])):
        user = User.objects.create_user(f"{name}@demo.example", "demo", name=name, is_demo=True)
        for role in roles:
            role_grant(By(PLATFORM, NOW), user=user, role=role, organisation=cast.fudan)
    card = page_of(client.get("/accounts/login/")).partition("Try it as")[2]
    shown = re.findall(r'value="(\w+)@demo.example"\s+data-role="(\w+)"', card)
    assert shown == [("demo", "researcher"), ("first", "manager"), ("second", "manager")]
    assert card.count('role="group"') == 2


def test_only_who_can_sign_in_is_offered(client: Client, cast: Cast, demo: User) -> None:
    extra = User.objects.create_user("a.extra@demo.example", None, name="Extra", is_demo=True)
    User.objects.filter(pk=extra.pk).update(created_at=NOW)
    role_grant(By(PLATFORM, NOW), user=extra, role="researcher", organisation=cast.fudan)
    html = page_of(client.get("/accounts/login/"))
    assert html.count('name="login" value=') == 1 and f'value="{demo.email}"' in html


def test_the_card_is_absent_without_demonstration_accounts(client: Client, cast: Cast) -> None:
    assert "Try it as" not in page_of(client.get("/accounts/login/"))


def test_demonstration_accounts_open_nothing_elsewhere(client: Client, demo: User, settings: Any) -> None:
    sign_in(client, demo.email, "demo")
    assert client.get("/profile/").status_code == 200
    settings.LOCAL_MODE = False
    assert client.get("/profile/").status_code == 302, "an open session ends as well"
    other = Client()
    html = page_of(other.get("/accounts/login/"))
    assert "Try it as" not in html and demo.email not in html
    html = page_of(sign_in(other, demo.email, "demo"))
    assert "The e-mail address or the password is wrong." in html
    assert "_auth_user_id" not in other.session


def test_a_closed_account_is_told_so(client: Client, wang: User) -> None:
    User.objects.filter(pk=wang.pk).update(is_active=False)
    assert sign_in(client, wang.email)["Location"] == "/accounts/inactive/"
    assert "This account is suspended or closed" in page_of(client.get("/accounts/inactive/"))


# Sign-up


def test_who_signs_up_by_the_clock_of_an_offset_keeps_it(client: Client, db: None) -> None:
    """What such a zone calls itself, `-03`, is no name that finds it again."""
    client.cookies["time_zone"] = "Etc/GMT+3"
    client.post("/accounts/signup/", NEW)
    assert User.objects.get(email=NEW["email"].lower()).time_zone == "Etc/GMT+3"


def test_signing_up_confirming_and_signing_in(client: Client, db: None) -> None:
    page_of(client.get("/accounts/signup/"))
    client.cookies["django_language"] = "zh-hans"
    client.cookies["time_zone"] = "Asia/Urumqi"
    response = client.post("/accounts/signup/", NEW)
    assert response.status_code == 302
    page_of(client.get(response["Location"]))
    user = User.objects.get(email="nora@new.example")
    assert (user.email, user.name, user.language, user.time_zone) == (
        "nora@new.example",
        "Nora New",
        "zh-hans",
        "Asia/Urumqi",
    )
    assert actions_of(user) == ["user.create"]
    refused = sign_in(client, user.email, NEW["password1"])
    assert refused["Location"] == "/accounts/confirm-email/", "not before the address is confirmed"
    link = re.search(r"//[^/\s]+(/\S+)", str(mails()[0].body))
    assert link and mails()[0].to == ["nora@new.example"]
    page_of(client.get(link.group(1)))
    client.post(link.group(1))
    assert actions_of(user) == ["user.create", "user.email-verify"]
    assert sign_in(client, user.email, NEW["password1"]).status_code == 302
    assert client.get("/profile/").status_code == 200


def test_signing_up_keeps_what_was_typed(client: Client, db: None) -> None:
    before = User.objects.count(), TrailEntry.objects.count()
    html = page_of(client.post("/accounts/signup/", NEW | {"password1": "123"}))
    assert 'value="Nora New"' in html and 'value="Nora@New.example"' in html
    assert "This password is too short" in html
    assert (User.objects.count(), TrailEntry.objects.count()) == before and not mails()


def test_signing_up_with_a_taken_address_tells_only_its_owner(client: Client, wang: User) -> None:
    entries = TrailEntry.objects.count()
    response = client.post("/accounts/signup/", NEW | {"email": wang.email.upper()})
    assert response["Location"] == "/accounts/confirm-email/"
    assert User.objects.filter(email__iexact=wang.email).count() == 1
    assert mails()[0].subject == "You already have an account"
    assert TrailEntry.objects.count() == entries


# Passwords and addresses


def test_a_forgotten_password_is_set_anew(client: Client, wang: User) -> None:
    elsewhere = Client()
    sign_in(elsewhere, wang.email)
    page_of(client.get("/accounts/password/reset/"))
    response = client.post("/accounts/password/reset/", {"email": wang.email})
    page_of(client.get(response["Location"]))
    link = re.search(r"//[^/\s]+(/\S+)", str(mails()[0].body))
    assert link
    response = client.get(link.group(1))
    page_of(client.get(response["Location"]))
    new = {"password1": "another battery 5", "password2": "another battery 5"}
    response = client.post(response["Location"], new)
    page_of(client.get(response["Location"]))
    assert actions_of(wang)[-1] == "user.password-reset"
    assert elsewhere.get("/profile/").status_code == 302
    assert not UserSession.objects.filter(user=wang).exists()
    assert sign_in(client, wang.email).status_code == 200
    assert sign_in(client, wang.email, "another battery 5").status_code == 302
    used = client.get(client.get(link.group(1)).headers.get("Location", link.group(1)))
    assert "too old or was used before" in page_of(used)


def test_an_unknown_address_gets_a_mail_that_says_so(client: Client, db: None) -> None:
    response = client.post("/accounts/password/reset/", {"email": "who@nowhere.example"})
    assert response["Location"] == "/accounts/password/reset/done/"
    assert mails()[0].subject == "There is no account for this address"


def test_changing_the_password(signed_in: Client, wang: User) -> None:
    page_of(signed_in.get("/accounts/password/change/"))
    data = {"oldpassword": "wrong", "password1": "new battery 55", "password2": "new battery 55"}
    assert "is-invalid" in page_of(signed_in.post("/accounts/password/change/", data))
    assert "user.password-change" not in actions_of(wang)
    elsewhere = Client()
    sign_in(elsewhere, wang.email)
    assert UserSession.objects.filter(user=wang).count() == 2
    response = signed_in.post("/accounts/password/change/", data | {"oldpassword": PASSWORD})
    assert response["Location"] == "/profile/access/"
    assert elsewhere.get("/profile/").status_code == 302, "other browsers are signed out"
    (session,) = UserSession.objects.filter(user=wang)
    assert session.session_key == signed_in.session.session_key
    assert Session.objects.count() == 1
    assert actions_of(wang)[-1] == "user.password-change"
    assert mails()[-1].subject == "Your password was changed"
    assert "/profile/access/" in mails()[-1].body
    assert signed_in.get("/profile/").status_code == 200


def test_changing_to_a_taken_address_is_answered_as_to_a_free_one(signed_in: Client, cast: Cast) -> None:
    chen = cast.people["chen"]
    EmailAddress.objects.create(user=chen, email=chen.email, verified=True, primary=True)
    for email in (chen.email, "free@fudan.example"):
        answer = signed_in.post("/accounts/email/", {"email": email, "action_add": ""})
        html = page_of(signed_in.get("/accounts/email/"))
        assert answer.status_code == 302 and email in html and "It changes to" in html
        assert mails()[-1].to == [email]


def test_changing_the_address(signed_in: Client, wang: User) -> None:
    page_of(signed_in.get("/accounts/email/"))
    signed_in.post("/accounts/email/", {"email": "li@fudan.example", "action_add": ""})
    html = page_of(signed_in.get("/accounts/email/"))
    assert "li@fudan.example" in html and "It changes to" in html
    link = re.search(r"//[^/\s]+(/\S+)", str(mails()[-1].body))
    assert link
    signed_in.post(link.group(1))
    wang.refresh_from_db()
    assert wang.email == "li@fudan.example"
    assert EmailAddress.objects.get(user=wang).email == "li@fudan.example"
    assert "user.email-change" in actions_of(wang)


def test_signing_out_asks_when_it_is_only_an_address(signed_in: Client) -> None:
    page_of(signed_in.get("/accounts/logout/"))
    assert "_auth_user_id" in signed_in.session
    assert signed_in.post("/accounts/logout/")["Location"] == "/"
    assert "_auth_user_id" not in signed_in.session


def test_sessions_are_listed_in_words(client: Client, wang: User) -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    client.post(
        "/accounts/login/", {"login": wang.email, "password": PASSWORD}, headers={"user-agent": agent}
    )
    assert "Firefox · Windows" in page_of(client.get("/accounts/sessions/"))


# Second factor


def code_of(secret: str) -> str:
    at = totp.yield_hotp_counters_from_time()
    return totp.format_hotp_value(totp.hotp_value(secret, next(iter(at))))


def test_the_second_factor_on_asked_for_and_off(
    signed_in: Client, wang: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # allauth tells of it on commit, and needs the request then: a test never commits.
    monkeypatch.setattr("django.db.transaction.on_commit", lambda tell, **kwargs: tell())
    page_of(signed_in.get("/accounts/2fa/"))
    html = page_of(signed_in.get("/accounts/2fa/totp/activate/"))
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", html)
    assert secret
    page_of(signed_in.post("/accounts/2fa/totp/activate/", {"code": "000000"}))
    code = code_of(secret.group(1))
    response = signed_in.post("/accounts/2fa/totp/activate/", {"code": code})
    html = page_of(signed_in.get(response["Location"]))
    codes = re.findall(r"<code>(\d{8})</code>", html)
    assert len(codes) == 10
    page_of(signed_in.get("/accounts/2fa/"))
    page_of(signed_in.get("/accounts/2fa/recovery-codes/generate/"))
    page_of(signed_in.get("/accounts/2fa/totp/deactivate/"))
    assert set(actions_of(wang)) == {"user.factor-add"}

    other = Client()
    response = sign_in(other, wang.email)
    assert response["Location"].startswith("/accounts/2fa/authenticate/")
    page_of(other.get(response["Location"]))
    assert other.get("/profile/").status_code == 302, "half signed in is not signed in"
    other.post(response["Location"], {"code": codes[0]})
    assert other.get("/profile/").status_code == 200

    signed_in.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=wang).exists()
    assert "user.factor-remove" in actions_of(wang)


def test_with_a_second_factor_the_password_alone_confirms_nothing(signed_in: Client, wang: User) -> None:
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(wang, secret)
    response = signed_in.get("/profile/tokens/")
    assert response["Location"].startswith("/accounts/2fa/reauthenticate/")
    page_of(signed_in.get(response["Location"]))
    answer = signed_in.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert answer["Location"].startswith("/accounts/2fa/reauthenticate/")
    assert signed_in.get("/profile/tokens/").status_code == 302
    signed_in.post(response["Location"], {"code": code_of(secret)})
    assert signed_in.get("/profile/tokens/").status_code == 200


@pytest.mark.parametrize(
    ("is_active", "is_demo", "local", "may"),
    [
        (True, False, False, True),
        (True, False, True, True),
        (True, True, True, True),
        (True, True, False, False),
        (False, False, True, False),
        (False, True, True, False),
    ],
)
def test_who_may_sign_in(settings: Any, is_active: bool, is_demo: bool, local: bool, may: bool) -> None:
    settings.LOCAL_MODE = local
    assert may_sign_in(User(is_active=is_active, is_demo=is_demo)) is may


def test_the_backend_knows_no_demonstration_account_elsewhere(db: None, settings: Any) -> None:
    user = User.objects.create_user("demo@demo.example", "demo", is_demo=True)
    request = RequestFactory().post("/")
    assert Backend().authenticate(request, email=user.email, password="demo") == user
    assert Backend().get_user(user.pk) == user
    settings.LOCAL_MODE = False
    assert Backend().authenticate(request, email=user.email, password="demo") is None
    assert Backend().get_user(user.pk) is None


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/accounts/signup/", NEW),
        ("/accounts/login/", {"login": NEW["email"], "password": "wrong"}),
        ("/accounts/password/reset/", {"email": NEW["email"]}),
        ("/accounts/login/code/", {"email": NEW["email"]}),
    ],
)
def test_who_has_an_account_costs_as_much_as_who_has_none(
    client: Client, wang: User, path: str, fields: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is the same, and so is the number of passwords worked on, which is what takes
    time."""
    hasher = type(get_hasher())
    encode, worked = hasher.encode, []

    def counting(self: Any, password: str, *args: Any, **kwargs: Any) -> str:
        worked.append(password)
        return str(encode(self, password, *args, **kwargs))

    monkeypatch.setattr(hasher, "encode", counting)
    answers = []
    for email in (wang.email, NEW["email"]):
        worked.clear()
        name = "login" if "login" in fields else "email"
        answer = Client().post(path, fields | {name: email})
        answers.append((answer.status_code, answer.headers.get("Location"), len(worked)))
    assert answers[0] == answers[1]
