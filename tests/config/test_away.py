"""Without a database, and behind a proxy that disagrees about TLS."""

import psycopg
import pytest
from django.db import InterfaceError, InternalError, OperationalError, ProgrammingError
from psycopg import errors

from config.pages.errors import is_away
from tests.config.test_env import said

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
        (OperationalError, errors.AdminShutdown(), True),
        (OperationalError, errors.CannotConnectNow(), True),
        (OperationalError, errors.TooManyConnections(), True),
        (OperationalError, psycopg.OperationalError("the connection is closed"), True),
        (InternalError, errors.ReadOnlySqlTransaction(), True),  # a primary that is none any more
        (InterfaceError, psycopg.InterfaceError(), True),
        (OperationalError, errors.LockNotAvailable(), False),
        (OperationalError, errors.DiskFull(), False),
        (InternalError, errors.InFailedSqlTransaction(), False),
        (ProgrammingError, errors.UndefinedTable(), False),
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
