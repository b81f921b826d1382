"""What the pages of failures say: what happened, why, and what to do."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core import signing
from django.db import (
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from psycopg import errors as database

from accounts.database import is_away
from accounts.domain.roles import PLATFORM, By
from accounts.forms import refusal_signed
from accounts.models import Message, OutboxMessage
from accounts.services.memberships import membership_start, role_grant
from bookings.overview.services.effects import effects_carry_out
from config.pages import errors
from tests.accounts.pages import page_of
from tests.config.test_env import said
from tests.factories.cast import NOW, Cast, reserve


def test_an_address_without_a_page_offers_to_sign_in_and_come_back(client: Client, db: None) -> None:
    html = page_of(client.get("/nowhere/?q=1"), 404)
    assert "The address may be mistyped or out of date" in html
    assert 'href="/accounts/login/?next=/nowhere/%3Fq%3D1"' in html


def test_a_page_for_other_roles_says_who_one_is_and_who_gives_roles(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["wang"])
    html = page_of(client.get("/requests/"), 403)
    assert "You are signed in as Wang Li." in html and 'href="/organisations/"' in html


def test_a_refused_page_names_whom_to_ask_and_asks_them(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["wang"])
    html = page_of(client.get("/requests/"), 403)
    assert "Chen Jing" in html and "Manager of Fudan University" in html and "Zhao Min" not in html
    [signed] = set(re.findall(r'name="refusal" value="([^"]+)"', html))
    form = {"organisation": cast.fudan.pk, "refusal": signed}
    assert f'name="organisation" value="{cast.fudan.pk}"' in html
    assert client.post("/people/access/", form).status_code == 302
    assert client.post("/people/access/", form).status_code == 409
    html = page_of(client.get("/requests/"), 403)
    assert "asked on" in html and 'action="/people/access/"' not in html
    effects_carry_out(now=timezone.now())
    (message,) = Message.objects.filter(kind="people.access-asked")
    assert message.user == cast.people["chen"] and message.link == "/home/#access"
    assert "Roles that may do this: manager" in message.text and "/requests/\n" in message.text


def test_a_refused_page_names_nobody_to_who_belongs_nowhere(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["alice"])
    html = page_of(client.get("/requests/"), 403)
    assert "/people/access/" not in html and 'href="/organisations/#find"' in html
    form = {"organisation": cast.fudan.pk, "refusal": refusal_signed("book")}
    assert client.post("/people/access/", form).status_code == 403
    assert not OutboxMessage.objects.filter(kind="people.access-asked").exists()


def test_only_what_a_page_has_signed_lately_is_asked_for(
    client: Client, cast: Cast, monkeypatch: Any
) -> None:
    client.force_login(cast.people["wang"])
    form = {"organisation": cast.fudan.pk, "capability": "account", "path": "/money/"}
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 13 * 3600)
    old = refusal_signed("account", "/money/")
    monkeypatch.undo()
    for refusal in (
        {},
        {"refusal": "x"},
        {"refusal": signing.dumps(["account", "/money/"])},
        {"refusal": old},
    ):
        assert "is out of date" in page_of(client.post("/people/access/", form | refusal), 400)
    assert not OutboxMessage.objects.filter(kind="people.access-asked").exists()


def test_a_refused_form_names_no_page_to_go_to(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["wang"])
    html = page_of(client.post("/people/roles/"), 403)
    [signed] = set(re.findall(r'name="refusal" value="([^"]+)"', html))
    assert client.post("/people/access/", {"refusal": signed}).status_code == 302
    assert OutboxMessage.objects.get(kind="people.access-asked").payload["path"] == ""


@pytest.mark.parametrize("who", ["wang", "alice"])
def test_a_refused_page_of_another_host_names_no_manager_of_the_readers_own(
    client: Client, cast: Cast, who: str
) -> None:
    client.force_login(cast.people[who])
    html = page_of(client.get(reverse("instruments:policy", args=[cast.microscope.pk])), 403)
    assert "The managers of USTC decide who may do this." in html
    assert "Chen Jing" not in html and "/people/access/" not in html and "#find" not in html
    html = page_of(client.get(f"/manage/facilities/{cast.facility.pk}/"), 403)
    assert "The managers of another organisation decide who may do this." in html
    assert "USTC" not in html and "/people/access/" not in html


def test_a_refused_page_of_one_of_several_organisations_names_only_its_managers(
    client: Client, cast: Cast
) -> None:
    client.force_login(cast.people["wang"])
    membership_start(By(PLATFORM, NOW), user=cast.wang, organisation=cast.ustc)
    html = page_of(client.get(reverse("instruments:policy", args=[cast.microscope.pk])), 403)
    assert "Zhao Min" in html and "/people/access/" in html
    assert "Chen Jing" not in html


def test_a_page_that_is_hidden_and_one_that_is_not_there_say_the_same(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["alice"])
    hidden = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    pages = [client.get(f"/bookings/{pk}/").content.decode() for pk in (hidden.pk, cast.fudan.pk)]
    found = [re.sub(r'[0-9a-f]{8}-[0-9a-f-]{27}|"\w{64}"|nonce[^>]*', "", html) for html in pages]
    assert found[0] == found[1] and "If somebody sent you this address, ask them" in found[0]


def test_a_failure_names_its_number(rf: RequestFactory, monkeypatch: Any, db: None) -> None:
    monkeypatch.setattr(errors, "get_contextvars", lambda: {"request_id": "4711"})
    request = rf.get("/")
    answer = errors.failed(request)
    assert answer.status_code == 500
    assert "<code>4711</code>" in answer.content.decode()


def test_without_a_database_there_is_still_a_page(rf: RequestFactory, monkeypatch: Any) -> None:

    def broken(*_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(errors, "page", broken)
    answer = errors.failed(rf.get("/"))
    html = answer.content.decode()
    assert answer.status_code == 500
    assert "Something went wrong on the server" in html and 'href="/"' in html


AWAY = """
import django
from django.conf import settings
PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"
settings.STORAGES["staticfiles"]["BACKEND"] = PLAIN
django.setup()
from django.test import Client
for path in ("/", "/healthz", "/readyz/web", "/readyz", "/api/v1/regions/", "/accounts/login/"):
    answer = Client(SERVER_NAME="10.0.0.7", raise_request_exception=False).get(
        path, HTTP_X_FORWARDED_PROTO="https", **HOST.get(path, {})
    )
    print(path, answer.status_code, answer.headers.get("Retry-After"), answer.content[:300])
"""


def test_without_a_database_it_says_so_and_when_to_try_again():
    """Probes need no host name; nothing is a failure of ours."""
    site = {"HTTP_HOST": "x.example"}
    hosts = {"/": site, "/api/v1/regions/": site, "/accounts/login/": site}
    nowhere = {"DATABASE_URL": "postgresql://web:x@127.0.0.1:1/x", "BEHIND_TLS_PROXY": "1"}
    done = said("-c", f"HOST = {hosts!r}{AWAY}", **nowhere)
    told = [line.split(" ", 3) for line in done.stdout.splitlines()]
    assert [(path, status, retry) for path, status, retry, _ in told] == [
        ("/", "503", "5"),
        ("/healthz", "200", "None"),
        ("/readyz/web", "503", "None"),
        ("/readyz", "503", "None"),
        ("/api/v1/regions/", "503", "5"),
        ("/accounts/login/", "503", "5"),
    ], done.stdout + done.stderr[-3000:]
    answers = {path: text for path, _, _, text in told}
    assert '"code":"database-away"' in answers["/api/v1/regions/"]
    assert '"database": "unreachable"' in answers["/readyz/web"]


@pytest.mark.parametrize(
    ("kind", "cause", "is_so"),
    [
        (OperationalError, database.AdminShutdown(), True),
        (OperationalError, database.CannotConnectNow(), True),
        (OperationalError, database.TooManyConnections(), True),
        (OperationalError, database.DiskFull(), True),  # until somebody makes room
        (OperationalError, psycopg.OperationalError("the connection is closed"), True),
        (InternalError, database.ReadOnlySqlTransaction(), True),  # a primary that is none any more
        (InterfaceError, psycopg.InterfaceError(), True),
        (OperationalError, database.LockNotAvailable(), False),
        (InternalError, database.InFailedSqlTransaction(), False),
        (ProgrammingError, database.UndefinedTable(), False),
    ],
)
def test_what_counts_as_a_database_that_is_away(kind, cause, is_so):
    problem = kind("x")
    problem.__cause__ = cause
    assert is_away(problem) is is_so


def answering(state: str) -> Any:
    """The database answers with an error whatever it is asked."""
    error = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"

    def ask(execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
        if " FROM " not in statement:
            return execute(statement, params, many, context)
        with transaction.atomic():
            return execute(error, None, False, context)

    return connection.execute_wrapper(ask)


TOO_BUSY = ["55P03", "40P01", "40001", "57014"]
NOT_THERE = ["08006", "53300", "53400", "57P01", "57P02", "57P03", "57P05", "25P03"]


@pytest.mark.parametrize("state", TOO_BUSY + NOT_THERE)
def test_what_the_database_cannot_do_just_now_can_be_tried_again(
    client: Client, db: None, state: str
) -> None:
    """On pages, in both languages, and in the API: 503, and when to come again."""
    again, words, zh = {
        True: ("1", "Too many people are doing this at once", "同时操作的人过多"),
        False: ("5", "The platform cannot reach its database", "数据库"),
    }[state in TOO_BUSY]
    client.raise_request_exception = False
    with answering(state):
        page = client.get("/?q=x", headers={"Accept-Language": "en"})
        chinese = client.get("/?q=x", headers={"Accept-Language": "zh-hans"})
        problem = client.get("/api/v1/instruments/")
    for answer in (page, chinese, problem):
        assert (answer.status_code, answer["Retry-After"]) == (503, again)
    assert words in page.content.decode() and 'href="/?q=x"' in page.content.decode()
    assert zh in chinese.content.decode() and "重试" in chinese.content.decode()
    assert problem.json()["code"] == ("busy" if state in TOO_BUSY else "database-away")


# How a session is set so that it fails for a lock that another holds, as it would in the end anyway.
PROVOKED = {
    "55P03": "SET LOCAL lock_timeout = '50ms'",
    "57014": "SET LOCAL statement_timeout = '50ms'",
    "40P01": "SET LOCAL deadlock_timeout = '1s'",
}
BLOCKED = "SELECT %s = ANY(pg_blocking_pids(pid)) FROM pg_stat_activity WHERE pid = %s"


@contextmanager
def failing(state: str) -> Iterator[list[str]]:
    """Another session keeps instruments locked until this one fails so; yields the states of the database's
    errors."""
    at, states = connection.get_connection_params(), list[str]()
    plain = {name: at[name] for name in ("host", "port", "user", "password", "dbname")}

    def note(execute: Any, *words: Any) -> Any:
        try:
            return execute(*words)
        except OperationalError as error:
            states.append(error.__cause__.sqlstate)
            raise

    def cross(ours: int) -> None:
        """Ask for what the session holds as soon as it waits for us."""
        with psycopg.connect(**plain, autocommit=True) as watch:
            while watch.execute(BLOCKED, [other.info.backend_pid, ours]).fetchone() != (True,):
                time.sleep(0.02)
        other.execute("LOCK TABLE accounts_region")

    with psycopg.connect(**plain) as other, ThreadPoolExecutor(1) as pool, transaction.atomic():
        other.execute("SET LOCAL deadlock_timeout = '1min'")
        other.execute("LOCK TABLE instruments_instrument")
        with connection.cursor() as cursor:
            cursor.execute(PROVOKED[state])
            cursor.execute("LOCK TABLE accounts_region IN ROW EXCLUSIVE MODE")
        if state == "40P01":
            pool.submit(cross, connection.connection.info.backend_pid)
        with connection.execute_wrapper(note):
            yield states
        transaction.set_rollback(True)


@pytest.mark.parametrize("state", PROVOKED)
def test_who_finds_a_table_locked_is_told_to_try_again(client: Client, real_db: None, state: str) -> None:
    """With real sessions: a lock not had in time, a statement cut short, a deadlock."""
    client.raise_request_exception = False
    wrong = {}
    for path, words in (("/?q=x", "同时操作的人过多"), ("/api/v1/instruments/", "busy")):
        with failing(state) as states:
            answer = client.get(path, headers={"Accept-Language": "zh-hans"})
        told = (answer.status_code, answer.get("Retry-After"), words in answer.content.decode(), states[:1])
        if told != (503, "1", True, [state]):
            wrong[path] = told
    assert wrong == {}


@pytest.mark.parametrize(
    ("header", "proto", "words"),
    [
        (None, "https", "BEHIND_TLS_PROXY is not set"),
        (("HTTP_X_FORWARDED_PROTO", "https"), None, "does not send X-Forwarded-Proto"),
    ],
)
def test_a_proxy_that_disagrees_about_tls_is_told_instead_of_led_round(
    client, settings, header, proto, words
):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_PROXY_SSL_HEADER = True, header
    answer = client.get("/", headers={"X-Forwarded-Proto": proto} if proto else {})
    assert (answer.status_code, words in answer.content.decode()) == (500, True)


def test_who_comes_by_another_address_reads_which_is_the_platforms(settings, db):
    """A form sent from another origin, and a host that is not named, on pages and by the API."""
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://x.example", ["x.example"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://x.example", "https://*.x.example"]
    client = Client(enforce_csrf_checks=True, headers={"host": "x.example"})
    words = "You came by {}, but the address of this platform is https://x.example."

    def sent(origin: str, path: str = "/accounts/login/") -> Any:
        return client.post(path, headers={"origin": origin})

    foreign = sent("https://y.example")
    assert foreign.status_code == 403
    assert words.format("https://y.example") in foreign.text
    assert "SITE_URL" in foreign.text
    # By its own address, or one that says nothing, it is the form that is too old.
    for ours in ("https://x.example", "https://a.x.example", "null"):
        assert "The page was open too long" in sent(ours).text
    assert "&lt;b&gt;" in sent("https://<b>").text

    client = Client(headers={"host": "10.0.0.7:8000"})
    page, api = client.get("/"), client.get("/api/v1/instruments/")
    assert (page.status_code, api.status_code) == (400, 400)
    assert words.format("10.0.0.7:8000") in page.text
    assert (api.json()["code"], api.json()["detail"]) == ("other-address", words.format("10.0.0.7:8000"))


def test_who_comes_without_tls_is_led_to_it(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = None
    assert client.get("/")["Location"] == "https://testserver/"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    answer = client.get("/", headers={"X-Forwarded-Proto": "http"})
    assert answer["Location"] == "https://testserver/"


def test_who_manages_a_part_is_told_that_the_whole_is_needed(client: Client, cast: Cast) -> None:
    by = By(PLATFORM, timezone.now())
    role_grant(
        by, user=cast.people["wang"], role="manager", organisation=cast.ustc, instrument=cast.microscope.pk
    )
    client.force_login(cast.people["wang"])
    html = page_of(client.get("/manage/imports/capabilities/"), 403)
    assert "manager (of the whole organisation)" in " ".join(html.split())
