"""Passwords that are guessed, and people who sign in meanwhile (docs/decisions/0008)."""

import itertools

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.domain.roles import PLATFORM, By
from accounts.models import TrailEntry, User
from bookings.operations.services.people import sign_in_unlock
from tests.accounts.pages import mails, sign_in
from tests.conftest import DEEP
from tests.factories.cast import PASSWORD

LIMITED = "Too many attempts."
OFFICE, HOME, ABROAD = "198.51.100.1", "198.51.100.2", "203.0.113.9"
_addresses = (f"10.0.{n // 250}.{n % 250 + 1}" for n in itertools.count())


def at(address: str, browser: Client | None = None) -> Client:
    """A browser, new if none is given, behind a network address."""
    browser = browser or Client()
    browser.defaults["REMOTE_ADDR"] = address
    return browser


def enters(browser: Client, email: str, password: str = PASSWORD) -> bool | None:
    """Whether the password opened; None where it was not even looked at."""
    answer = sign_in(browser, email, password)
    if answer.status_code == 302:
        browser.post("/accounts/logout/")
        return True
    return None if LIMITED in answer.content.decode() else False


def guess(email: str, times: int, address: str | None = None) -> list[bool | None]:
    """Each from an address of its own, or all from one."""
    return [enters(at(address or next(_addresses)), email, "wrong") for _ in range(times)]


def people(number: int) -> list[str]:
    """Accounts of a campus, with confirmed addresses."""
    hashed = User.objects.get(email="wang@fudan.example").password
    users = User.objects.bulk_create(
        User(email=f"p{n}@campus.example", name=f"P {n}", password=hashed) for n in range(number)
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users
    )
    return [user.email for user in users]


def test_guessing_from_one_address_ends_after_five_and_shuts_out_nobody_elsewhere(wang: User) -> None:
    assert guess(wang.email, 7, ABROAD) == [False] * 5 + [None] * 2
    assert enters(at(ABROAD), wang.email) is None
    assert enters(at(OFFICE), wang.email) is True


def test_one_account_is_guessed_from_many_addresses_fifty_times_an_hour(wang: User) -> None:
    known = at(OFFICE)
    assert enters(known, wang.email) is True
    assert guess(wang.email, 60) == [False] * 50 + [None] * 10
    # The right person goes on in the browser they know, wherever it is.
    assert enters(at(HOME, known), wang.email) is True
    # A new one has a code sent, and is known from then on.
    new = at(HOME)
    assert enters(new, wang.email) is None
    answer = new.post("/accounts/login/code/", {"email": wang.email})
    code = mails()[-1].body.split("requested it:")[1].split()[0]
    assert new.post(answer["Location"], {"code": code}).status_code == 302
    new.post("/accounts/logout/")
    assert enters(new, wang.email) is True


def test_a_known_browser_is_slowed_down_by_itself(wang: User) -> None:
    known = at(OFFICE)
    enters(known, wang.email)
    assert [enters(known, wang.email, "wrong") for _ in range(12)] == [False] * 10 + [None] * 2
    assert enters(at(OFFICE), wang.email) is True, "others are as they were"


def test_a_browser_is_known_for_its_own_people_only(wang: User) -> None:
    (other,) = people(1)
    known = at(ABROAD)
    assert enters(known, other) is True
    assert [enters(known, wang.email, "wrong") for _ in range(6)] == [False] * 5 + [None]
    known.cookies["known_browser"] = known.cookies["known_browser"].value[:-2] + "xx"
    assert enters(known, wang.email) is None


def test_many_accounts_are_guessed_from_one_address_thirty_times_a_minute(wang: User) -> None:
    victims = people(35)
    known = at(ABROAD)
    assert enters(known, wang.email) is True
    guesses = [enters(at(ABROAD), email, "wrong") for email in victims]
    assert guesses == [False] * 30 + [None] * 5
    assert enters(known, wang.email) is True, "in a known browser, behind the same address"
    assert enters(at(HOME), victims[0]) is True


def test_a_campus_signs_in_at_nine_behind_one_address(wang: User) -> None:
    campus = people(200 if DEEP else 50)  # more than the guesses of a minute
    came = [enters(at(OFFICE), email) for email in campus]
    # One in ten mistypes first.
    some = campus[: len(campus) // 10]
    again = [(enters(at(OFFICE), e, "wrong"), enters(at(OFFICE), e)) for e in some]
    assert came == [True] * len(campus) and again == [(False, True)] * len(some)


def test_a_new_password_by_mail_begins_anew(wang: User) -> None:
    assert guess(wang.email, 6, HOME)[-1] is None
    browser = at(HOME)
    browser.post("/accounts/password/reset/", {"email": wang.email})
    link = "/accounts/password" + mails()[-1].body.split("/accounts/password")[1].split()[0]
    form = browser.get(link)["Location"]
    new = {"password1": "another battery 5", "password2": "another battery 5"}
    assert browser.post(form, new).status_code == 302
    assert enters(browser, wang.email, "another battery 5") is True


def test_asking_for_anothers_codes_keeps_nobody_from_theirs(wang: User) -> None:
    asked = [at(ABROAD).post("/accounts/login/code/", {"email": wang.email}).status_code for _ in range(4)]
    assert asked == [302, 302, 302, 200]
    assert at(HOME).post("/accounts/login/code/", {"email": wang.email}).status_code == 302


def test_who_is_signed_in_confirms_that_it_is_they_during_an_attack(signed_in: Client, wang: User) -> None:
    signed_in.cookies.pop("known_browser")
    guess(wang.email, 55)
    answer = signed_in.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert answer.status_code == 302


def test_each_limit_that_is_reached_is_one_line_of_the_trail(wang: User) -> None:
    guess(wang.email, 9, ABROAD)
    guess(wang.email, 9, HOME)
    assert TrailEntry.objects.filter(action="user.sign-in-block").count() == 2


@pytest.mark.parametrize("email", ["nobody@nowhere.example", "a\0b@c.example"])
def test_an_unknown_address_is_limited_as_a_known_one(wang: User, email: str) -> None:
    cache.clear()
    known = guess(wang.email, 6, HOME)
    assert known == guess(email, 6, ABROAD) or "\0" in email


def test_an_administrator_unlocks_sign_in(wang: User, django_capture_on_commit_callbacks) -> None:
    guess(wang.email, 6, ABROAD)
    assert enters(at(ABROAD), wang.email) is None
    with django_capture_on_commit_callbacks(execute=True):
        sign_in_unlock(By(PLATFORM, timezone.now()), user_id=wang.pk, reason="Called back.")
    assert enters(at(ABROAD), wang.email) is True
