"""What doctor finds: nothing in a right installation, and each thing that is set wrong by its code.

What needs servers of its own (roles, guards, session settings, workers, mail) stands in
tests/flows/test_first_day.py and tests/system.
"""

import json
import ssl
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import get_resolver

from accounts import findings
from accounts.adapters.second_factor import SecondFactorAdapter
from accounts.findings import State
from accounts.models import Installation
from accounts.services.jobs import run_begin
from accounts.work import own_entries
from config.operations import checks, doctor
from config.operations.backups import PAPER, TRIED
from config.operations.forwarded import forwarded_note, forwarded_wrong
from tests.factories.tls import untrusted

HERE = (
    "versions", "clocks", "timetable", "keys", "eviction", "sender", "proxies", "encryption", "files",
    "disk", "maintenance", "backups", "installation",
)  # fmt: skip


def backup_of(folder, now, *, tried=None):
    made = folder / f"instrument-commons-{now:%Y%m%dT%H%M%SZ}"
    made.mkdir(parents=True)
    (made / PAPER).write_text("{}")
    if tried:
        (folder / TRIED).write_text(json.dumps({"at": tried.isoformat(), "backup": made.name}))


@pytest.fixture
def right(settings, db, tmp_path, cast):
    """A real installation with everything set as the documents say."""
    assert get_resolver().url_patterns  # for the whole process: as they are in local mode
    settings.LOCAL_MODE = False
    settings.SITE_URL = "https://instruments.example.org"
    settings.CSRF_TRUSTED_ORIGINS = [settings.SITE_URL]
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 31536000
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.DEFAULT_FROM_EMAIL = "Instrument Commons <no-reply@example.org>"
    settings.MEDIA_ROOT, settings.BACKUP_FOLDER = tmp_path / "media", str(tmp_path / "backups")
    settings.MAINTENANCE_FILE = str(tmp_path / "maintenance.json")
    settings.MEDIA_ROOT.mkdir()
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "staticfiles.json").write_text("{}")
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    now = datetime.now(UTC)
    backup_of(tmp_path / "backups", now - timedelta(hours=3), tried=now - timedelta(days=30))
    Installation.objects.get_or_create(defaults={"name": "Sharing", "languages": ["en"], "created_at": now})
    run_begin(sorted(own_entries())[0], now)
    secret = SecondFactorAdapter().encrypt("JBSWY3DPEHPK3PXP")
    Authenticator.objects.create(user=cast.zhao, type=Authenticator.Type.TOTP, data={"secret": secret})
    cache.delete(doctor.MARKER)
    return SimpleNamespace(settings=settings, folder=tmp_path, now=now, cast=cast, rf=RequestFactory())


def telling(monkeypatch, **told):
    """A broker that says so of itself."""
    link = SimpleNamespace(info=lambda _: told)
    monkeypatch.setattr(
        checks, "redis", SimpleNamespace(Redis=SimpleNamespace(from_url=lambda *_, **__: link))
    )


def came(right, **headers):
    request = right.rf.get("/", **headers)
    request.COOKIES[right.settings.SESSION_COOKIE_NAME] = "x"
    forwarded_note(request)


def rewritten(right, *, at, tried):
    for path in (right.folder / "backups").glob("instrument-commons-*"):
        path.rename(right.folder / path.name)
    (right.folder / "backups" / TRIED).unlink()
    backup_of(right.folder / "backups", right.now - at, tried=tried and right.now - tried)


DAY = timedelta(days=1)
# What is set wrong, in which part, the code and the state of what is found then, a word of it.
CASES = {
    "another key": (
        lambda r, _: setattr(r.settings, "SECRET_KEY", "another " * 8),
        "keys", "secret-key", State.RED, "SECRET_KEY_FALLBACKS",
    ),
    "a broker that drops": (
        lambda r, m: telling(m, maxmemory_policy="allkeys-lru", maxmemory=1_000),
        "eviction", "eviction", State.RED, "noeviction",
    ),
    "a broker that would drop": (
        lambda r, m: telling(m, maxmemory_policy="volatile-lru", maxmemory=0),
        "eviction", "eviction", State.AMBER, "volatile-lru",
    ),
    "another proxy": (
        lambda r, _: came(r, HTTP_X_FORWARDED_FOR="8.8.8.8, 10.0.0.2"),
        "proxies", "proxies", State.AMBER, "number of proxies",
    ),
    "a proxy that adds nothing": (lambda r, _: came(r), "proxies", "proxies", State.AMBER, "lower"),
    "http": (
        lambda r, _: setattr(r.settings, "SECURE_SSL_REDIRECT", False),
        "encryption", "https-only", State.AMBER, "SSL_REDIRECT",
    ),
    "cookies": (
        lambda r, _: setattr(r.settings, "SESSION_COOKIE_SECURE", False),
        "encryption", "cookies", State.RED, "https",
    ),
    "no HSTS": (
        lambda r, _: setattr(r.settings, "SECURE_HSTS_SECONDS", 0),
        "encryption", "hsts", State.AMBER, "HSTS_SECONDS",
    ),
    "other origins": (
        lambda r, _: setattr(r.settings, "CSRF_TRUSTED_ORIGINS", ["https://other.example"]),
        "encryption", "origins", State.AMBER, "https://instruments.example.org",
    ),
    "no proxy of TLS": (
        lambda r, _: setattr(r.settings, "SECURE_PROXY_SSL_HEADER", None),
        "encryption", "behind-proxy", State.NOTE, "BEHIND_TLS_PROXY",
    ),
    "mail of localhost": (
        lambda r, _: setattr(r.settings, "DEFAULT_FROM_EMAIL", "no-reply@localhost"),
        "sender", "mail-from", State.AMBER, "MAIL_FROM",
    ),
    "mail of nobody": (
        lambda r, _: setattr(r.settings, "DEFAULT_FROM_EMAIL", "A <no reply@example..org>"),
        "sender", "mail-from", State.RED, "MAIL_FROM",
    ),
    "mail of others": (
        lambda r, _: setattr(r.settings, "DEFAULT_FROM_EMAIL", "no-reply@other.example"),
        "sender", "mail-from", State.NOTE, "SPF",
    ),
    "no backup": (
        lambda r, _: setattr(r.settings, "BACKUP_FOLDER", "/nowhere"),
        "backups", "backup", State.AMBER, "/nowhere",
    ),
    "a late backup": (
        lambda r, _: rewritten(r, at=2 * DAY, tried=DAY), "backups", "backup", State.AMBER, "timer",
    ),
    "an old backup": (
        lambda r, _: rewritten(r, at=4 * DAY, tried=DAY), "backups", "backup", State.RED, "timer",
    ),
    "never restored": (
        lambda r, _: rewritten(r, at=DAY / 2, tried=None), "backups", "restore", State.AMBER, "restore one",
    ),
    "restored long ago": (
        lambda r, _: rewritten(r, at=DAY / 2, tried=200 * DAY),
        "backups", "restore", State.AMBER, "restore one",
    ),
    "an old Valkey": (
        lambda r, m: m.setattr(doctor, "VALKEY", 99), "versions", "valkey", State.RED, "oldest",
    ),
    "an old PostgreSQL": (
        lambda r, m: m.setattr(doctor, "POSTGRESQL", range(90, 95)),
        "versions", "postgresql", State.RED, "90 to 94",
    ),
    "another clock": (
        lambda r, m: m.setattr(doctor, "MOST_SKEW", timedelta(seconds=-1)),
        "clocks", "clock-cache", State.RED, "time servers",
    ),
    "a silent timetable": (
        lambda r, m: m.setattr(doctor, "SILENT", timedelta(0)), "timetable", "timetable", State.RED, "beat",
    ),
    "another folder": (
        lambda r, _: cache.set(doctor.MARKER, "of another machine"),
        "files", "uploads-place", State.RED, "MEDIA_ROOT",
    ),
    "no static files": (
        lambda r, _: setattr(r.settings, "STATIC_ROOT", "/nowhere"),
        "files", "static-files", State.RED, "collect",
    ),
    "a file that is no map": (
        lambda r, _: setattr(r.settings, "MAP_BOUNDARIES", "/nowhere"),
        "files", "boundaries", State.RED, "coasts",
    ),
    "no folder": (
        lambda r, _: setattr(r.settings, "MEDIA_ROOT", "/dev/null/media"),
        "files", "files-unchecked", State.RED, "cannot be checked",
    ),
    "a full disk": (
        lambda r, m: m.setattr(doctor, "LEAST_FREE", 2), "disk", "disk", State.RED, "MEDIA_ROOT",
    ),
    "not set up": (
        lambda r, _: Installation.objects.all().delete(), "installation", "set-up", State.RED, "setup",
    ),
}  # fmt: skip


def test_a_right_installation_has_nothing_wrong(right):
    wrong = [each for each in doctor.examine(HERE) if each.state not in {State.OK, State.NOTE}]
    assert [(each.code, each.sentence) for each in wrong] == []


@pytest.mark.parametrize("name", CASES)
def test_what_is_set_wrong_is_found(right, monkeypatch, name):
    change, part, code, state, word = CASES[name]
    change(right, monkeypatch)
    found = {(each.code, each.state): each for each in doctor.examine([part])}
    assert (code, state) in found, found
    each = found[code, state]
    assert word in f"{each.sentence} {each.remedy}"
    assert each.area == part
    assert "{" not in each.sentence + each.remedy


@pytest.mark.parametrize(
    ("header", "proxies", "kind"),
    [
        ("", 0, ""),
        ("8.8.8.8", 0, "unlisted"),
        ("", 1, "missing"),
        ("8.8.8.8", 1, ""),
        ("10.1.2.3", 1, ""),  # a visitor on our own network
        ("8.8.8.8, 10.0.0.2", 1, "unlisted"),
        ("10.1.2.3, 10.0.0.2", 1, ""),
        ("1.2.3.4, 8.8.8.8", 1, ""),  # what a visitor writes before it says nothing
        ("8.8.8.8, 10.0.0.2", 2, ""),
        ("8.8.8.8", 2, "missing"),
        ("8.8.8.8, unknown", 1, ""),
    ],
)
def test_how_many_proxies_a_request_came_by(header, proxies, kind):
    assert forwarded_wrong(header, proxies) == kind


@pytest.mark.parametrize(("days", "state"), [(90, State.OK), (10, State.AMBER), (-0.5, State.RED)])
def test_how_long_the_certificate_holds(right, monkeypatch, days, state):
    with untrusted(right.folder, days) as port:
        right.settings.SITE_URL = f"https://localhost:{port}"
        (refused,) = checks.certificate()
        assert (refused.code, refused.state) == ("certificate", State.RED)  # nobody vouches for it
        trusting = ssl.create_default_context(cafile=str(right.folder / "both.pem"))
        monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
        (found,) = checks.certificate()
        assert (found.code, found.state) == ("certificate", state)
    (away,) = checks.certificate()
    assert away.state == State.NOTE


def test_a_page_reads_what_the_slow_parts_last_said(right, monkeypatch):
    """Each in its own language; a page waits for no other machine."""
    waits = [name for name in doctor.PARTS if name in doctor.SLOW]
    for name in doctor.PARTS:
        monkeypatch.setitem(doctor.PARTS, name, lambda: iter(()))
    cache.delete(findings.LAST)
    assert (doctor.findings(), findings.remembered()) == ([], (None, []))
    for name in waits:
        monkeypatch.setitem(doctor.PARTS, name, checks.encryption)
    right.settings.SECURE_HSTS_SECONDS = 0
    told = list(doctor.examine())
    monkeypatch.setattr(doctor, "_looked", lambda part: pytest.fail(part) if part in waits else iter(()))
    assert doctor.findings() == told
    assert {each.area for each in told} == set(waits)
    monkeypatch.setattr(findings, "gettext", str.upper)
    assert told[0].words == "{name} is 0: browsers may come without https the first time"
    with pytest.raises(KeyError, match="NAME"):  # it is said when it is read, in that reader's language
        _ = told[0].sentence


def test_who_has_a_second_factor_of_another_key_is_told_at_sign_in(right, client: Client):
    """In place of a failure; with the earlier key as a fallback it works again."""
    right.settings.SECRET_KEY, right.settings.SECRET_KEY_FALLBACKS = "another " * 8, []
    right.cast.zhao.set_password("mistral under the 7 bridges")
    right.cast.zhao.save()
    EmailAddress.objects.update_or_create(
        user=right.cast.zhao, email=right.cast.zhao.email, defaults={"verified": True, "primary": True}
    )
    right.settings.SECURE_SSL_REDIRECT = False
    given = {"login": right.cast.zhao.email, "password": "mistral under the 7 bridges"}
    first = client.post("/accounts/login/", given, secure=True)
    assert "/2fa/" in first["Location"], first["Location"]
    answer = client.post(first["Location"], {"code": "123456"}, secure=True)
    assert answer.status_code == 200
    assert "the key of the platform (SECRET_KEY) has changed" in answer.text
