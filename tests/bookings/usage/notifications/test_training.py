"""What people are told by mail of courses and of certificates that run out."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.overview.services.effects import effects_carry_out
from instruments.training.services.enrolments import enrolment_withdraw, enrolments_end
from instruments.training.services.training import certificates_remind, session_cancel
from tests.factories.cast import NOW, at, reserve
from tests.factories.qualifications import certify
from tests.factories.training import course, enrol, session

pytestmark = pytest.mark.django_db


def letters(now=NOW):
    """What goes out, by whom it goes to and its subject without the day."""
    mail.outbox.clear()
    effects_carry_out(now=now)
    return {(to, letter.subject.partition(",")[0]): letter.body for letter in mail.outbox for to in letter.to}


def test_who_moves_up_is_told(cast):
    one = session(cast, course(cast), places=1)
    first = enrol(cast, one)
    enrol(cast, one, "hu", waits=True)
    enrolment_withdraw(By(cast.actor("wang"), NOW), enrolment_id=first.pk)
    found = letters()
    # The place that was given up again is confirmed to nobody.
    assert [key for key in found if key[0] == "wang@fudan.example"] == []
    text = found["hu@optics.example", "You have a place now: Using the microscope"]
    assert "10 March 2026" in text.replace("10 Mar 2026", "10 March 2026")
    assert "Room 301" in text
    session_cancel(By(cast.actor("zhao"), NOW), session_id=one.pk, reason="Ill today")
    text = letters()["hu@optics.example", "Cancelled: Using the microscope"]
    assert "Ill today" in text


def test_the_bookings_after_a_certificate_are_named(cast):
    asks = cast.instrument(name="Asks", policy={"qualification": "instrument"})
    certify(cast, asks, until="2026-03-31")
    certify(cast, asks, since="2026-03-11", until="2026-03-12")
    late = certify(cast, asks, since="2026-03-13", until="2026-12-31")
    booked = reserve(cast, "2026-04-01 10:00", "2026-04-01 11:00", instrument=asks)
    before = reserve(cast, "2026-03-30 10:00", "2026-03-30 11:00", instrument=asks)
    type(late).objects.filter(pk=late.pk).update(revoked_at=NOW, revoked_by=cast.zhao)
    cast.wang.language = "zh-hans"
    cast.wang.save()
    one = session(cast, course(cast, asks), "2026-03-20 09:00")
    letters()
    certificates_remind(now=NOW)
    (text,) = letters().values()
    assert str(booked.pk) in text and str(before.pk) not in text
    assert f"training/courses/{one.course_id}/" in text
    certify(cast, asks, since="2026-03-14", until="2027-12-31")  # renewed in time
    certificates_remind(now=at("2026-03-26 10:00"))
    assert letters(at("2026-03-26 10:00")) == {}


def test_waiting_ends_with_the_session(cast):
    one = session(cast, course(cast, cast.microscope, places=1), places=1)
    seated, waiting = enrol(cast, one, "hu"), enrol(cast, one, "wang", waits=True)
    assert waiting.state == "waiting"
    assert enrolments_end(now=one.end_at - timedelta(minutes=1)) == 0
    assert (enrolments_end(now=one.end_at), enrolments_end(now=one.end_at)) == (1, 0)
    seated.refresh_from_db()
    waiting.refresh_from_db()
    assert (seated.state, waiting.state) == ("enrolled", "withdrawn")
    entry = TrailEntry.objects.get(action="enrolment.withdraw")
    assert (entry.object_id, entry.actor_id, entry.at) == (waiting.pk, None, one.end_at)


def test_the_page_of_a_refused_booking_shows_the_way(cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    asks = cast.instrument(name="Asks", policy={"qualification": "instrument"})
    of = course(cast, asks)
    session(cast, of)
    browser = Client()
    browser.force_login(cast.wang)
    asked = {"start": "2026-03-06T06:00:00Z", "minutes": "60"}
    page = browser.get(reverse("bookings:book", args=[asks.pk]), asked).content.decode()
    assert reverse("instruments:course", args=[of.pk]) in page
    assert "2 places free" in page
