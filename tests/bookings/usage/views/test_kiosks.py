"""The page of a tablet, and what its token does not open."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import By
from accounts.models import Message
from bookings.models import FaultNote, FaultReport, Kiosk, UsageSession
from bookings.overview.services.effects import effects_carry_out
from bookings.record.adapters.labels import qr_path
from bookings.usage.services.kiosks import kiosk_create, kiosk_enrol
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, reserve


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def made(cast):
    return kiosk_create(By(cast.actor("zhao"), NOW), name="Room 214", instrument_ids=[cast.microscope.pk])


@pytest.fixture
def tablet(made):
    """A browser that has enrolled by the address of the kiosk."""
    client = Client()
    link = reverse("bookings:kiosk-enrol-link", args=[made[1]])
    assert made[1] in page_of(client.get(link))
    assert Kiosk.objects.get().enrolled_at is None  # a preview of the link uses nothing up
    answer = client.post(reverse("bookings:kiosk-enrol"), {"code": made[1]})
    assert answer.url == "/kiosk/"
    cookie = answer.cookies["kiosk"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/kiosk/", True, "Lax")
    assert client.get(link).status_code == 404
    return client


def somebody(cast, name):
    client = Client()
    client.force_login(cast.people[name])
    return client


def test_it_shows_times_and_initials(cast, tablet):
    booked = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    reserve(cast, "2026-03-05 14:00", "2026-03-05 15:00", who="sun")
    html = page_of(tablet.get("/kiosk/"))
    assert "Room 214" in html
    assert "until 13:00" in html
    assert "WL" in html
    assert "ST" in html
    for secret in ("Wang", "Sun Tao", "fudan", str(booked.pk), "/accounts/login/"):
        assert secret not in html


def test_checking_in_there_with_a_code_from_the_booking(cast, tablet):
    booked = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    wang = somebody(cast, "wang")
    code_page = reverse("bookings:check-in-code", args=[booked.pk])
    assert code_page in page_of(wang.get(reverse("bookings:reservation", args=[booked.pk])))
    digits = re.search(r">(\d{6})<", page_of(wang.post(code_page)))[1]
    there = reverse("bookings:kiosk-check-in", args=[cast.microscope.pk])
    page_of(tablet.get(there))
    page_of(tablet.post(there, {"code": "12"}), 400)
    wrong = f"{(int(digits) + 1) % 1_000_000:06}"
    assert "wrong, already used, or expired" in page_of(tablet.post(there, {"code": wrong}), 422)
    assert tablet.post(there, {"code": digits}).url == "/kiosk/"
    assert UsageSession.objects.get().reservation == booked


def test_the_token_opens_nothing_else(cast, tablet):
    """Neither as its cookie, nor as a token of the API, nor as a session, on any other address; and
    no instrument that it does not name."""
    booked = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    token = tablet.cookies["kiosk"].value
    signed_out = "/accounts/login/"
    for path in ("/home/", "/bookings/", f"/bookings/{booked.pk}/", "/faults/", "/manage/kiosks/"):
        assert tablet.get(path).url.startswith(signed_out)
    assert tablet.post(f"/bookings/{booked.pk}/check-in/").url.startswith(signed_out)
    assert tablet.post(f"/bookings/{booked.pk}/code/").url.startswith(signed_out)
    for authorization in (f"Bearer {token}", f"Bearer ic_{token}", f"Basic {token}"):
        answer = tablet.get("/api/v1/reservations/", headers={"authorization": authorization})
        assert answer.status_code == 401
    assert "Wang" not in tablet.get(f"/at/{cast.microscope.short_code}/").content.decode()
    other = Client()
    other.cookies["sessionid"] = token
    assert other.get("/home/").url.startswith(signed_out)
    another = cast.instrument(name="Another")
    there = reverse("bookings:kiosk-check-in", args=[another.pk])
    assert tablet.get(there).status_code == tablet.post(there, {"code": "1"}).status_code == 404
    assert not UsageSession.objects.exists()


def test_revoked_within_one_request_and_gone_when_it_ends(cast, tablet, monkeypatch):
    row = Kiosk.objects.get()
    assert somebody(cast, "chen").post(reverse("bookings:kiosk-revoke", args=[row.pk])).status_code == 404
    assert "Room 214" in page_of(tablet.get("/kiosk/"))
    zhao = somebody(cast, "zhao")
    assert zhao.post(reverse("bookings:kiosk-revoke", args=[row.pk])).url == "/manage/kiosks/"
    html = page_of(tablet.get("/kiosk/"))
    assert "Room 214" not in html
    assert "Use this device as a kiosk" in html
    there = reverse("bookings:kiosk-check-in", args=[cast.microscope.pk])
    assert tablet.get(there).status_code == 404
    Kiosk.objects.update(revoked_at=None)
    monkeypatch.setattr("django.utils.timezone.now", lambda: row.expires_at)
    assert "Room 214" not in page_of(tablet.get("/kiosk/"))


def test_a_wrong_enrolment_code(cast, made):
    client = Client()
    assert client.get("/kiosk/enrol/NOSUCH/").status_code == 404
    answer = client.post("/kiosk/enrol/", {"code": "nonsense"})
    assert "wrong, already used, or expired" in page_of(answer, 422)
    assert "kiosk" not in client.cookies


def test_a_manager_makes_one(cast):
    zhao = somebody(cast, "zhao")
    here = reverse("bookings:kiosks")
    assert "Instruments Centre" not in page_of(zhao.get(here))  # the only one: not asked for
    page_of(zhao.post(here, {"name": "Foyer"}), 400)
    assert not Kiosk.objects.exists()
    html = page_of(zhao.post(here, {"name": "Foyer", "instrument": [str(cast.microscope.pk)]}))
    code = re.search(r"/kiosk/enrol/(\w+)/", html)[1]
    row, _ = kiosk_enrol(code=code, now=NOW)
    assert (row.name, row.organisation) == ("Foyer", cast.ustc)
    assert code not in page_of(zhao.get(here))
    assert somebody(cast, "wang").get(here).status_code == 403


def test_no_link_leads_out_of_it(cast, tablet):
    there = reverse("bookings:kiosk-check-in", args=[cast.microscope.pk])
    fault = reverse("bookings:kiosk-fault", args=[cast.microscope.pk])
    for page in ("/kiosk/", there, fault):
        html = page_of(tablet.get(page))
        links = set(re.findall(r'<a\b[^>]*\bhref="([^"]*)"', html))
        assert links <= {"/kiosk/", there, fault}, (page, links)
        assert not re.search(r'action="(?!/kiosk/)[^"]', html)


def test_a_fault_is_reported_there_without_a_name(cast, tablet):
    fault = reverse("bookings:kiosk-fault", args=[cast.microscope.pk])
    sent = {"severity": "usable", "text": "The stage drifts."}
    assert Client().get(fault).status_code == Client().post(fault, sent).status_code == 404
    page_of(tablet.post(fault, sent | {"text": ""}), 400)
    assert not FaultReport.objects.exists()
    assert tablet.post(fault, sent).url == "/kiosk/"
    note = FaultNote.objects.get()
    assert (note.user, note.kiosk, note.text) == (None, Kiosk.objects.get(), "The stage drifts.")
    html = page_of(tablet.get(fault))  # managers read first what nobody put a name to
    assert "A fault is reported" in html and "The stage drifts." not in html
    at = reverse("bookings:at", args=[cast.microscope.short_code])
    assert "The stage drifts." in page_of(somebody(cast, "zhao").get(at))
    assert "The stage drifts." not in page_of(somebody(cast, "wang").get(at))
    effects_carry_out(now=NOW)
    assert Message.objects.filter(kind="fault.reported", user=cast.zhao).exists()
    zhao = somebody(cast, "zhao")
    page = reverse("bookings:fault", args=[FaultReport.objects.get().pk])
    assert "at the kiosk Room 214" in page_of(zhao.get(page))
    another = cast.instrument(name="Another")
    assert tablet.post(reverse("bookings:kiosk-fault", args=[another.pk]), sent).status_code == 404
    for _ in range(9):
        tablet.post(fault, sent)
    assert FaultNote.objects.count() == 10
    assert "reached the limit" in page_of(tablet.post(fault, sent), 422)
    assert FaultNote.objects.count() == 10
    Kiosk.objects.get().instruments.add(another)  # it may still be reported
    assert tablet.post(reverse("bookings:kiosk-fault", args=[another.pk]), sent).url == "/kiosk/"


def test_a_tablet_is_paired_again_by_a_code_to_scan(cast, tablet, monkeypatch):
    row = Kiosk.objects.get()
    here = reverse("bookings:kiosks")
    later = NOW + timedelta(days=88)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    zhao = somebody(cast, "zhao")
    assert "pair the tablet again" in page_of(tablet.get("/kiosk/"))
    html = page_of(zhao.post(here, {"pair": str(row.pk)}))
    link = re.search(r"(http\S+/kiosk/enrol/\w+/)", html)[1]
    side, path = qr_path(link)
    assert f'viewBox="0 0 {side} {side}"' in html and path in html
    assert "Room 214" in page_of(tablet.get("/kiosk/"))  # until the other one has the code
    other = Client()
    assert other.post("/kiosk/enrol/", {"code": link}).url == "/kiosk/"  # as the camera reads it
    row.refresh_from_db()
    assert row.expires_at == later + timedelta(days=90)
    assert "Room 214" in page_of(other.get("/kiosk/"))
    assert "Room 214" not in page_of(tablet.get("/kiosk/"))
    assert somebody(cast, "chen").post(here, {"pair": str(row.pk)}).status_code in {403, 404}
    page_of(zhao.post(reverse("bookings:kiosk-revoke", args=[row.pk]), follow=True))
    assert "is revoked" in page_of(zhao.post(here, {"pair": str(row.pk)}), 409)


def test_the_screen_refreshes_itself_and_shows_when_its_token_has_ended(cast, tablet):
    assert 'hx-trigger="every 60s"' in page_of(tablet.get("/kiosk/"))
    Kiosk.objects.update(revoked_at=NOW)
    answer = tablet.get("/kiosk/", headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"
    assert "Use this device as a kiosk" in page_of(tablet.get("/kiosk/"))
