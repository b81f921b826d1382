"""While there is maintenance nothing can be changed at any address but those that sign in and end it."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from accounts.domain.errors import Invalid
from accounts.domain.maintenance import UNSTATED, Spell
from accounts.selectors.installation import KEPT, Site, maintenance_file
from bookings.operations.services.maintenance import maintenance_file_write
from config.operations import checks
from config.web.middleware import MaintenanceMiddleware
from tests.architecture.permission_table import API, NOT_OURS, PAGES
from tests.conftest import as_served

VALUES = {
    "UUIDConverter": "0197a1de-0000-7000-8000-000000000001", "IntConverter": "1", "SlugConverter": "x",
    "StringConverter": "x", "PathConverter": "x",
}  # fmt: skip
REASON = "New disks are built in."


def addresses(resolver, names=()):
    """Yield each named address with values for its arguments."""
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from addresses(each, (*names, each.namespace) if each.namespace else names)
        elif isinstance(each, URLPattern) and each.name and each.pattern.converters is not None:
            yield (
                ":".join((*names, each.name)),
                {key: VALUES.get(type(one).__name__, "1") for key, one in each.pattern.converters.items()},
            )


@pytest.fixture
def until():
    """Maintenance for the next hour, as every process knows of it."""
    now = datetime.now(UTC)
    ends_at = now + timedelta(hours=1)
    spell = Spell(now - timedelta(minutes=1), ends_at, REASON, "正在更换硬盘。")
    cache.set(KEPT, Site(maintenance=(spell,)))
    return ends_at


@pytest.mark.django_db
def test_nothing_can_be_changed_at_any_address(until, monkeypatch):
    monkeypatch.setattr(Client, "request", as_served)
    values = dict(addresses(get_resolver()))
    rows = {tuple(line.split()[:2]) for line in (PAGES + "\n" + API).splitlines() if line.strip()}
    theirs = {("POST", name) for name in values if name.startswith(NOT_OURS)}
    asked = sorted((method, name) for method, name in rows | theirs if method not in ("GET", "HEAD"))
    client, wrong, opened = Client(), [], set()
    for method, name in asked:
        if name in MaintenanceMiddleware.OPEN:
            opened.add(name)
            continue
        try:
            address = reverse(name, kwargs=values.get(name))
        except NoReverseMatch:
            if not name.startswith(NOT_OURS):  # an argument of a form that others have
                wrong.append((method, name, "no address"))
            continue
        answer = client.generic(method, address)
        if answer.status_code != 503 or not 0 < int(answer["Retry-After"]) <= 3600:
            wrong.append((method, name, answer.status_code))
    assert wrong == []
    assert len(asked) > 300
    assert opened == MaintenanceMiddleware.OPEN  # each of which is an address


@pytest.mark.django_db
def test_it_says_until_when_and_why_in_both_languages(client, until, settings):
    page = client.post("/language/", {"language": "en"})
    assert page.status_code == 302  # the language can be chosen
    page = client.post("/profile/tokens/", headers={"accept-language": "en"})
    html = page.content.decode()
    assert page.status_code == 503
    assert REASON in html
    assert "Nothing was changed" in html
    chinese = client.post("/profile/tokens/?lang=zh-hans").content.decode()
    assert "正在更换硬盘。" in chinese
    assert "维护" in chinese
    problem = client.post("/api/v1/holds/", {}, content_type="application/json")
    assert problem["Content-Type"] == "application/problem+json"
    body = problem.json()
    assert (body["status"], body["code"]) == (503, "maintenance")
    assert body["until"] == f"{until:%Y-%m-%dT%H:%M:%SZ}"
    assert body["reason"] == REASON
    answer = client.post("/api/v1/holds/?lang=zh-hans")
    assert answer.json()["reason"] == "正在更换硬盘。"
    # Where uploads have an address of their own, pages of the site may read it, too.
    assert "Access-Control-Allow-Origin" not in client.patch("/api/v1/uploads/")
    settings.UPLOADS_URL, settings.SITE_URL = "https://up.example.org", "https://example.org"
    told = client.patch("/api/v1/uploads/", headers={"origin": settings.SITE_URL})
    assert (told.status_code, told["Access-Control-Allow-Origin"]) == (503, settings.SITE_URL)
    # Reading goes on, says so, and probes notice nothing.
    assert REASON in client.get("/catalogue/", headers={"accept-language": "en"}).content.decode()
    told = client.get("/api/v1/installation/announcements/").json()
    assert told["maintenance"]["reason"] == REASON
    assert client.get("/healthz").status_code == client.get("/readyz/web").status_code == 200


@pytest.mark.django_db
def test_a_file_turns_it_on_without_the_database(client, settings, tmp_path, django_assert_num_queries):
    settings.MAINTENANCE_FILE = str(tmp_path / "below" / "maintenance.json")
    from django.core.management import call_command

    with django_assert_num_queries(0):
        call_command("maintenance", "on", "--file", "--minutes", "30", "--reason", REASON)
    assert client.post("/api/v1/holds/").status_code == 503
    with django_assert_num_queries(0):
        call_command("maintenance", "off", "--file")
    assert client.post("/api/v1/holds/").status_code != 503
    (tmp_path / "below" / "maintenance.json").write_text("damaged")
    assert client.post("/api/v1/holds/").status_code == 503


def test_the_file_is_read_and_written_with_care(settings, tmp_path, monkeypatch):
    path, now = tmp_path / "maintenance.json", datetime.now(UTC)
    settings.MAINTENANCE_FILE = str(path)
    assert [each.state.name for each in checks.maintenance_file()] == ["OK"]
    with pytest.raises(Invalid):
        maintenance_file_write(Spell(now, now + timedelta(hours=8), "r" * 6000, "z"))
    assert list(tmp_path.iterdir()) == []
    other = tmp_path / "other"
    other.write_text("untouched")
    (tmp_path / "maintenance.json.part").symlink_to(other)
    path.symlink_to(other)
    maintenance_file_write(Spell(now, now + timedelta(hours=8), "r", "z"))
    assert other.read_text() == "untouched"
    assert not path.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o644
    assert maintenance_file(now).ends_at == now + timedelta(hours=8)
    path.write_bytes(b"x" * 10_000)
    assert maintenance_file(now).ends_at - maintenance_file(now).starts_at == UNSTATED
    path.unlink()
    os.mkfifo(path)
    assert maintenance_file(now) is None  # and it waits for nobody
    path.unlink()
    path.mkdir()
    assert maintenance_file(now) is None
    monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(PermissionError()))
    assert maintenance_file(now) == Spell(now, now + UNSTATED)
    settings.MAINTENANCE_FILE = str(tmp_path / "none" / "maintenance.json")
    settings.LOCAL_MODE = False
    assert [each.state.name for each in checks.maintenance_file()] == ["RED"]


@pytest.mark.django_db
def test_workers_wait(until):
    from celery.exceptions import Ignore

    from accounts.work import Job
    from config.tasks import run

    ran = []
    job = Job("x", "x", "x", 60, lambda *, now: ran.append(now))
    with pytest.raises(Ignore):
        run(job)
    cache.set(KEPT, Site())
    run(job)
    assert len(ran) == 1
