"""Administrators announce, plan maintenance, and end it: on pages and over the API, with their trail."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.domain.errors import WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import Announcement, Installation, Maintenance, TrailEntry
from accounts.permissions import actor_of
from accounts.selectors import installation as settings_of
from bookings.operations.services.announcements import announcement_make
from bookings.operations.services.maintenance import maintenance_plan
from tests.accounts.pages import page_of
from tests.bookings.operations.addresses import REASONS, TEXTS
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db
BAR = "The loading bay is closed."


@pytest.fixture
def admin(cast, client):
    client.force_login(cast.people["admin"])
    return cast.people["admin"]


@pytest.fixture
def at_once(monkeypatch):
    """Nothing is remembered from one request to the next: no test commits what would clear it."""
    monkeypatch.setattr(settings_of, "KEPT_FOR", 0)
    settings_of.installation_forget()


def acts():
    return list(TrailEntry.objects.order_by("at", "id").values_list("action", flat=True))


def shown_to(client, user=None):
    client.force_login(user) if user else client.logout()
    return BAR in client.get("/catalogue/").content.decode()


def wall(moment):
    return f"{moment:%Y-%m-%dT%H:%M}"


def test_an_announcement_is_made_shown_closed_changed_and_withdrawn(cast, client, admin, at_once):
    admin.time_zone = "UTC"
    admin.save(update_fields=["time_zone"])
    start, wang = NOW, cast.people["wang"]
    sent = TEXTS | {"ends_at": wall(start + timedelta(hours=2)), "audience": "everyone"}
    before = acts()
    html = page_of(client.post("/operations/announcements/", sent | {"text": "See http://x.example"}), 400)
    assert "https://" in html
    assert not Announcement.objects.exists()
    assert client.post("/operations/announcements/", sent).status_code == 302
    row = Announcement.objects.get()
    page = f"/operations/announcements/{row.pk}/"
    html = page_of(client.get("/operations/announcements/"))
    assert html.count(BAR) >= 2  # in the list, and above the page
    assert shown_to(client)
    told = client.get("/api/v1/installation/announcements/").json()["announcements"]
    assert [one["text"] for one in told] == [BAR]
    # Closed by one reader in this browser: not by another.
    client.cookies["closed"] = f"x.{row.pk.hex[-12:]}-1-{wang.pk.hex[-8:]}"
    assert not shown_to(client, wang)
    assert shown_to(client, cast.people["sun"])
    # Changed to another audience, and seen again by those who had closed it.
    client.force_login(admin)
    changed = sent | {"audience": "region", "version": 1}
    assert "This field is required." in page_of(client.post(page, changed), 400)
    changed["region"] = wang.memberships.get().organisation.region.code
    assert client.post(page, changed).status_code == 302
    assert client.post(page, changed).status_code == 412  # read before the change
    assert shown_to(client, wang)
    assert not shown_to(client, cast.people["zhao"])
    assert not shown_to(client)
    client.force_login(admin)
    assert client.post(f"{page}withdraw/", {"version": 2}).status_code == 302
    assert client.post(f"{page}withdraw/").status_code == 409
    assert not shown_to(client, wang)
    client.force_login(admin)
    assert BAR in page_of(client.get("/operations/announcements/?state=withdrawn"))
    assert BAR not in page_of(client.get("/operations/announcements/?state=current"))
    assert acts()[len(before) :] == ["announcement.make", "announcement.change", "announcement.withdraw"]


def test_bars_take_no_statement(cast, client, django_assert_num_queries):
    by = By(actor_of(cast.people["admin"]), NOW)
    with django_assert_num_queries(0):
        client.get("/api/v1/installation/announcements/")
    ends_at = by.now + timedelta(hours=1)
    announcement_make(by, **TEXTS, starts_at=None, ends_at=ends_at, audience="everyone")
    settings_of.installation_forget()
    client.get("/api/v1/installation/announcements/")  # read once, by one statement
    with django_assert_num_queries(0):
        assert client.get("/api/v1/installation/announcements/").json()["announcements"]


def test_maintenance_is_planned_announced_prolonged_and_ended(cast, client, admin, at_once):
    now = NOW
    start, end = now + timedelta(hours=1), now + timedelta(hours=2)
    api, before = "/api/v1/maintenance/", acts()
    sent = REASONS | {"starts_at": start.isoformat(), "ends_at": end.isoformat(), "announce": True}
    planned = client.post(api, sent, content_type="application/json")
    assert planned.status_code == 201, planned.content
    row = Maintenance.objects.get()
    assert REASONS["reason"] in row.announcement.text
    assert REASONS["reason_zh"] in row.announcement.text_zh
    assert (row.announcement.ends_at, row.announcement.kind) == (start, "warning")
    again = client.post(api, sent, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "maintenance-overlaps")
    assert client.post("/operations/announcements/", {}).status_code == 400  # it is not yet
    # It begins; its administrators may still end it, in a session of before.
    Maintenance.objects.update(starts_at=now - timedelta(minutes=1))
    Announcement.objects.update(starts_at=now - timedelta(hours=2), ends_at=now - timedelta(minutes=1))
    assert client.post("/operations/announcements/", {}).status_code == 503
    html = page_of(client.get("/operations/maintenance/"))
    assert REASONS["reason"] in html
    assert "Change the end" in html
    address = f"/operations/maintenance/{row.pk}/"
    refused = client.post(f"{address}prolong/", {"ends_at": "2020-01-01T10:00", "version": 1})
    page_of(refused, 400)
    later = wall((now + timedelta(hours=3)).astimezone(ZoneInfo(admin.time_zone)))
    assert client.post(f"{address}prolong/", {"ends_at": later, "version": 1}).status_code == 302
    client.force_login(cast.people["wang"])
    assert client.post(f"{address}end/").status_code == 404
    assert client.get("/bookings/").status_code == 200
    client.force_login(admin)
    assert client.post(f"{address}end/").status_code == 302
    assert client.post("/operations/announcements/", {}).status_code == 400
    row.refresh_from_db()
    assert row.ended_at is not None
    assert Announcement.objects.get().withdrawn_at is None  # it was over when the maintenance began
    assert acts()[len(before) :] == [
        "announcement.make",
        "maintenance.plan",
        "maintenance.prolong",
        "maintenance.end",
    ]
    assert Installation.objects.count() == 1


def test_it_is_turned_on_and_off_by_command(cast, client, capsys, at_once):
    from django.core.management import CommandError, call_command

    with pytest.raises(CommandError, match="Say when"):
        call_command("maintenance", "on")
    call_command("maintenance", "on", "--minutes", "20")
    assert client.post("/api/v1/holds/").status_code == 503
    call_command("maintenance", "status")
    assert "The platform is being maintained." in capsys.readouterr().out
    call_command("maintenance", "off")
    assert client.post("/api/v1/holds/").status_code != 503
    assert acts()[-2:] == ["maintenance.plan", "maintenance.end"]


def test_what_holds_is_not_crowded_out_by_what_is_planned(cast, at_once):
    by, hour = By(PLATFORM, NOW), timedelta(hours=1)
    maintenance_plan(by, starts_at=None, ends_at=NOW + hour, **REASONS)
    for day in range(1, settings_of.MOST_AHEAD):
        start = NOW + timedelta(days=day)
        maintenance_plan(by, starts_at=start, ends_at=start + hour, **REASONS)
    assert settings_of.maintenance_now(NOW) is not None
    with pytest.raises(WrongState, match="maintenance-many"):
        maintenance_plan(by, starts_at=start + 2 * hour, ends_at=start + 3 * hour, **REASONS)
    # Those of an earlier release, of which there may be more.
    row = Maintenance.objects.first()
    later = NOW + timedelta(days=99)
    Maintenance.objects.bulk_create(
        Maintenance(starts_at=later, ends_at=later + n * hour, reason="x", reason_zh="x",
                    entered_by_id=row.entered_by_id, entered_at=NOW)
        for n in range(1, 25)
    )  # fmt: skip
    settings_of.installation_forget()
    assert settings_of.maintenance_now(NOW) is not None
