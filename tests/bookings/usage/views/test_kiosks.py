"""The page of a tablet, and what its token does not open."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import By
from bookings.models import Kiosk, UsageSession
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
