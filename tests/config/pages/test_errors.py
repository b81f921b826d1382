"""What the pages of failures say: what happened, why, and what to do."""

from typing import Any

import psycopg
import pytest
from django.db import InterfaceError, InternalError, OperationalError, ProgrammingError
from django.test import Client, RequestFactory
from psycopg import errors as database

from config.pages import errors
from config.pages.errors import is_away
from tests.accounts.pages import page_of
from tests.config.test_env import said
from tests.factories.cast import Cast


def test_an_address_without_a_page_offers_to_sign_in_and_come_back(
    client: Client, db: None
) -> None:
    html = page_of(client.get("/nowhere/?q=1"), 404)
    assert "The address may be mistyped or out of date" in html
    assert 'href="/accounts/login/?next=/nowhere/%3Fq%3D1"' in html


def test_a_page_for_other_roles_says_who_one_is_and_who_gives_roles(
    client: Client, cast: Cast
) -> None:
    client.force_login(cast.people["wang"])
    html = page_of(client.get("/requests/"), 403)
    assert "You are signed in as Wang Li." in html and 'href="/organisations/"' in html


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


def test_who_comes_without_tls_is_led_to_it(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = None
    assert client.get("/")["Location"] == "https://testserver/"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    answer = client.get("/", headers={"X-Forwarded-Proto": "http"})
    assert answer["Location"] == "https://testserver/"
