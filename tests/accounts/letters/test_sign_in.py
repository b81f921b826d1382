"""Mails of signing in: no page waits for the mail server, and what they hold stands no longer than
they wait."""

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.letters.sign_in import KINDS
from accounts.models import OutboxMessage, User
from accounts.notifications import Effect, enqueue
from accounts.services.messages import mail_may_leave
from accounts.work import jobs
from bookings.overview.services.effects import effects_carry_out
from config.tasks import run
from tests.accounts.pages import mails
from tests.factories.cast import PASSWORD

MINUTE = timedelta(minutes=1)
NEW = {
    "name": "Nora New",
    "email": "nora@new.example",
    "password1": "horse battery 77",
    "password2": "horse battery 77",
}


@pytest.fixture(params=["silent", "refusing"])
def broken_mail(request: pytest.FixtureRequest, settings: Any) -> Iterator[None]:
    """A mail server that takes the connection and says nothing, or that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if request.param == "refusing":
            server.close()
        settings.MAILERS = {
            "default": {
                "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
                "OPTIONS": {"host": "127.0.0.1", "port": port, "timeout": 0.2},
            }
        }
        yield


def waiting() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(kind="people.sign-in", done_at=None))


def test_without_a_mail_server_pages_answer_and_mails_leave_later(
    client: Client, wang: User, settings: Any, broken_mail: None
) -> None:
    assert client.post("/accounts/signup/", NEW).status_code == 302
    assert Client().post("/accounts/signup/", NEW | {"email": wang.email}).status_code == 302
    assert Client().post("/accounts/password/reset/", {"email": wang.email}).status_code == 302
    assert Client().post("/accounts/password/reset/", {"email": "w@ho.example"}).status_code == 302
    assert Client().post("/accounts/login/code/", {"email": wang.email}).status_code == 302
    rows, now = waiting(), timezone.now()
    assert [row.attempts for row in rows] == [0] * 5
    assert effects_carry_out(now=now) == 0
    assert {row.attempts for row in waiting()} == {1}
    # One worker looks whether it is back, the others do other work.
    assert [mail_may_leave() for _ in range(3)] == [True, False, False]

    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    assert effects_carry_out(now=now + 4 * MINUTE) == 5
    assert sorted(message.subject for message in mail.outbox) == [
        "Confirm your e-mail address",
        "Set a new password",
        "There is no account for this address",
        "You already have an account",
        "Your code to sign in",
    ]
    assert not waiting() and mail_may_leave() and mail_may_leave()


def test_a_code_goes_before_letters_that_have_waited_longer(client: Client, wang: User) -> None:
    with transaction.atomic():
        payload = {"user": str(wang.pk)}
        enqueue([Effect("people.closed", "closed", payload)], now=timezone.now() - MINUTE)
    client.post("/accounts/login/code/", {"email": wang.email})
    run(jobs()["deliver messages"])
    subjects = [message.subject for message in mail.outbox]
    assert subjects == ["Your code to sign in", "Your account is closed"]


def test_a_code_is_erased_once_it_is_sent(client: Client, wang: User) -> None:
    client.post("/accounts/login/code/", {"email": wang.email})
    (row,) = waiting()
    code = row.payload["private"]["code"]
    assert code in mails()[-1].body
    row.refresh_from_db()
    assert (row.outcome, row.payload) == ("sent", {})


def test_a_code_that_has_expired_is_not_sent_and_erased(client: Client, wang: User) -> None:
    client.post("/accounts/login/code/", {"email": wang.email})
    (row,) = waiting()
    effects_carry_out(now=row.created_at + 10 * MINUTE)
    row.refresh_from_db()
    assert (row.outcome, row.payload, mail.outbox) == ("skipped", {}, [])


def test_a_code_of_a_worker_that_dies_each_time_is_erased(client: Client, wang: User) -> None:
    client.post("/accounts/login/code/", {"email": wang.email})
    (row,) = waiting()
    OutboxMessage.objects.update(attempts=12)
    effects_carry_out(now=row.created_at)
    row.refresh_from_db()
    assert (row.outcome, row.payload) == ("failed", {})


def test_keys_stand_in_no_table(client: Client, wang: User) -> None:
    client.post("/accounts/password/reset/", {"email": wang.email})
    client.post("/accounts/signup/", NEW)
    rows = str(list(OutboxMessage.objects.values()))
    links = [re.search(r"/accounts/(?:password/reset/key/|confirm-email/)(\S+)/", m.body) for m in mails()]
    assert all(link and link[1] not in rows for link in links) and len(links) == 2
    assert not re.search("reset/key|confirm-email", rows)


def test_what_was_confirmed_meanwhile_is_not_asked_again(client: Client, db: None) -> None:
    client.post("/accounts/signup/", NEW)
    EmailAddress.objects.update(verified=True)
    assert not mails() and not waiting()


def test_whose_account_is_gone_gets_no_mail(client: Client, wang: User) -> None:
    client.post("/accounts/password/reset/", {"email": wang.email})
    User.objects.filter(pk=wang.pk).update(is_active=False)
    assert not mails() and not waiting()


@pytest.mark.parametrize(("page", "data"), [("/accounts/password/reset/", {}), ("/accounts/login/code/", {})])
def test_the_mail_is_in_the_language_of_the_person_and_has_html(
    client: Client, wang: User, page: str, data: dict[str, str]
) -> None:
    User.objects.filter(pk=wang.pk).update(language="zh-hans", name="<Ann & Bob>")
    client.post(page, {"email": wang.email, **data})
    (message,) = mails()
    assert re.search("[一-龥]", message.subject) and "<Ann & Bob>，您好" in message.body
    html = message.alternatives[0].content
    assert "&lt;Ann &amp; Bob&gt;" in html and 'lang="zh-hans"' in html


def test_what_a_browser_says_of_itself_is_no_html(client: Client, wang: User) -> None:
    client.post("/accounts/login/", {"login": wang.email, "password": PASSWORD})
    data = {"oldpassword": PASSWORD, "password1": "new battery 55", "password2": "new battery 55"}
    client.post("/accounts/password/change/", data, headers={"user-agent": "Firefox <b>3"})
    (message,) = mails()
    assert "Firefox <b>3" in message.body
    assert "Firefox &lt;b&gt;3" in message.alternatives[0].content


def test_every_mail_that_allauth_sends_has_words_of_ours() -> None:
    sent = set()
    for source in files("allauth").rglob("*.py"):  # type: ignore[attr-defined]
        if "tests" not in source.parts and source.parts[-3:-1] != ("idp", "oidc"):
            sent |= set(re.findall(r'"\w+/email/(\w+)"', source.read_text()))
    assert sent - {"password_reset_code"} <= set(KINDS)
