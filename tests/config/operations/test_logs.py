"""What logs do not say."""

import io
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import structlog
from celery import signals
from django.urls import URLPattern, URLResolver, get_resolver

from config.celery import app

SECRET = "s3cretS3cret-s3cret_s3cretS3cret"
# What addresses are made of that is no secret.
PLAIN = {"code", "size", "provider_id", "organization_slug", "section", "slug", "format"}
PLAIN |= {"kind", "moment", "decision", "name", "rest"}
CONVERTERS = {"UUIDConverter", "IntConverter"}


@pytest.fixture(params=["root", "granian.access"])
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is written by our own handler, which the server's access log shares."""
    name = "" if request.param == "root" else request.param
    (handler,) = (
        one
        for one in logging.getLogger(name).handlers
        if isinstance(one.formatter, structlog.stdlib.ProcessorFormatter)
    )
    lines = io.StringIO()
    monkeypatch.setattr(handler, "stream", lines)
    yield lines


def secret_addresses(resolver: URLResolver, before: str = "/") -> Iterator[str]:
    """Every address that has a part which may be a secret, with one in it."""
    for pattern in resolver.url_patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from secret_addresses(pattern, path)
            continue
        assert isinstance(pattern, URLPattern)
        converters = pattern.pattern.converters
        names = {n for n, one in converters.items() if type(one).__name__ not in CONVERTERS}
        if not converters:
            names = set(pattern.pattern.regex.groupindex)
        if names - PLAIN:
            plain = path.replace("^", "").replace("$", "")
            for part in ("<str:token>", r"(?P<key>[-:\w]+)", r"(?P<key>.+)"):
                plain = plain.replace(part, SECRET)
            yield plain.replace("(?P<uidb36>[0-9A-Za-z]+)", "1a")


ADDRESSES = sorted(secret_addresses(get_resolver()))


def test_the_addresses_with_a_secret_are_these() -> None:
    assert [
        f"/accounts/confirm-email/{SECRET}/",
        f"/accounts/password/reset/key/1a-{SECRET}/",
        f"/address/{SECRET}/",
        f"/calendar/{SECRET}.ics",
        f"/collect/{SECRET}/",
        f"/collect/{SECRET}/<uuid:file_id>/",
        f"/collect/{SECRET}/package/",
        f"/invitations/{SECRET}/",
        f"/kiosk/enrol/{SECRET}/",
        f"/messages/stop/{SECRET}/",
    ] == ADDRESSES


@pytest.mark.parametrize(
    "text",
    [
        *ADDRESSES,
        *(f"/accounts/login/?next={quote(address, safe='')}" for address in ADDRESSES),
        *(f"Referer: https://commons.example{address}" for address in ADDRESSES),
        f"/accounts/orcid/login/callback/?code={SECRET}&state={SECRET}",
        f"/accounts/oidc/lab/login/callback/?state={SECRET}&code={SECRET}&session_state={SECRET}",
        f"/accounts/saml/lab/sls/?SAMLRequest={SECRET}&RelayState={SECRET}&Signature={SECRET}",
        f"/accounts/saml/lab/acs/?SAMLResponse={SECRET}",
        f"Cookie: sessionid={SECRET}; known_browser={SECRET}; csrftoken={SECRET}",
        f"/oauth/token/?client_id=lims&client_secret={SECRET}",
        f"Authorization: Bearer {SECRET}",
    ],
)
def test_no_line_says_a_secret(log: io.StringIO, text: str) -> None:
    server = logging.getLogger("granian.access")
    server.info('[%(time)s] "GET %(path)s"', {"time": "now", "path": text})
    structlog.get_logger("django_structlog").warning("request_started", request=f"GET {text}")
    logging.getLogger("django.security.csrf").warning("Forbidden (%s): %s", text, text)
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger("celery.app.trace").exception("Task failed", extra={"about": text})
    written = log.getvalue()
    assert written.count("...") >= 1 and SECRET not in written


def test_what_is_no_secret_stands(log: io.StringIO) -> None:
    text = "/bookings/?state=requested"
    for name in ("granian.access", "anything"):
        logging.getLogger(name).warning("GET %s", text)
    structlog.get_logger("x").warning("request_finished", code=200, request="GET /techniques/TEM/")
    written = log.getvalue()
    assert "state=requested" in written and "..." not in written


def test_workers_log_as_the_web_does() -> None:
    handlers = list(logging.getLogger().handlers)
    assert signals.setup_logging.receivers
    app.log.setup_logging_subsystem(loglevel="INFO")
    assert logging.getLogger().handlers == handlers
