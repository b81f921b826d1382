"""Calendars for other programs, read by one that is not ours, and a person's own calendar."""

from datetime import timedelta

import pytest
import vobject
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.adapters.calendars import READING
from accounts.domain.errors import Invalid, NotFound, WrongState
from accounts.domain.roles import Actor, By
from accounts.models import ApiToken, TrailEntry, User
from accounts.services.tokens import token_issue
from bookings.catalogue.selectors.busy import load_busy
from bookings.messaging.selectors.feeds import feed_token
from bookings.messaging.services import feeds
from bookings.models import BusyCalendar, BusyTime, CalendarFeed
from bookings.record.domain.periods import Period
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel
from bookings.usage.services.closures import Outage, closure_create
from tests.factories.cast import NOW, at, reserve
from tests.factories.web import Web

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
OWN = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//y//EN
BEGIN:VEVENT
UID:1
DTSTART;TZID=Asia/Shanghai:20260303T140000
DTEND;TZID=Asia/Shanghai:20260303T150000
RRULE:FREQ=WEEKLY;COUNT=3
SUMMARY:Secret seminar
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;TZID=Asia/Shanghai:20260310T143000
DURATION:PT1H
STATUS:CANCELLED
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTART;VALUE=DATE:20260310
SUMMARY:Birthday
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def cast(shared_cast, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    return shared_cast


@pytest.fixture(scope="module")
def web():
    with Web() as served:
        yield served


def address(cast, who, instrument=None):
    feed = feeds.feed_make(By(cast.actor(who), NOW), instrument_id=instrument.pk if instrument else None)
    return reverse("bookings:feed", kwargs={"token": feed_token(feed.pk)})


def events(path):
    """Of a feed, as vobject reads them, by summary."""
    answer = Client().get(path)
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/calendar")
    calendar = vobject.readOne(answer.content.decode())
    assert calendar.validate(raiseException=True)
    assert [zone.tzid.value for zone in calendar.vtimezone_list] == ["Asia/Shanghai"]
    return list(getattr(calendar, "vevent_list", []))


def test_a_person_reads_their_bookings_with_stable_names_and_what_was_cancelled(cast):
    path = address(cast, "wang")
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00", who="sun")
    (event,) = events(path)
    assert event.summary.value == "Transmission electron microscope"
    assert (event.dtstart.value, event.dtend.value) == (made.start_at, made.end_at)
    assert event.status.value == "CONFIRMED" and str(made.pk) in event.url.value
    first = event.uid.value, int(event.sequence.value)
    period = Period(at("2026-03-10 14:00"), at("2026-03-10 16:00"))
    reservation_move(By(cast.actor("wang"), NOW), reservation_id=made.pk, period=period)
    (event,) = events(path)
    assert event.dtstart.value == period.start
    assert event.uid.value == first[0] and int(event.sequence.value) > first[1]
    reservation_cancel(By(cast.actor("wang"), NOW - timedelta(days=29)), reservation_id=made.pk, reason="")
    (event,) = events(path)
    assert (event.uid.value, event.status.value) == (first[0], "CANCELLED")
    made.refresh_from_db()
    made.ended_at = NOW - timedelta(days=31)
    made.save()
    assert events(path) == []


def test_an_instruments_feed_names_people_to_those_alone_who_manage_it(cast):
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    closure_create(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        outage=Outage("maintenance", at("2026-03-12 09:00"), at("2026-03-12 13:00"), reason="x1"),
        displace=False,
    )

    def said(path):
        return [event.summary.value for event in events(path)]

    public = reverse("bookings:instrument-feed", args=[cast.microscope.pk])
    managers = address(cast, "zhao", cast.microscope)
    assert said(managers) == ["Wang Li (Fudan University)", "Closed: maintenance"]
    assert said(address(cast, "hu", cast.microscope)) == ["Taken", "Closed: maintenance"]
    assert said(public) == ["Taken", "Closed: maintenance"]
    for path in (public, address(cast, "hu", cast.microscope)):
        text = Client().get(path).content.decode()
        assert "Wang" not in text and "x1" not in text
    # Who no longer manages it reads no names any more.
    cast.zhao.role_grants.update(revoked_at=NOW)
    assert said(managers)[0] == "Taken"
    type(cast.microscope).objects.filter(pk=cast.microscope.pk).update(publication="draft")
    assert Client().get(public).status_code == 404


def test_a_reader_that_has_it_already_is_told_so(cast, monkeypatch):
    path = address(cast, "wang")
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    first = Client().get(path)
    since = first["Last-Modified"]
    monkeypatch.setattr(timezone, "now", lambda: NOW + HOUR)
    for known in ({"If-None-Match": first["ETag"]}, {"If-Modified-Since": since}):
        again = Client().get(path, headers=known)
        assert (again.status_code, again.content) == (304, b"")
    assert Client().get(path)["Last-Modified"] == since
    reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00")
    for known in ({"If-None-Match": first["ETag"]}, {"If-Modified-Since": since}):
        new = Client().get(path, headers=known)
        assert new.status_code == 200 and new["ETag"] != first["ETag"]
        assert new["Last-Modified"] != since


def test_an_address_is_renewed_and_revoked_and_never_stored(cast):
    old = address(cast, "wang")
    new = address(cast, "wang")
    assert Client().get(old).status_code == 404
    assert Client().get(new).status_code == 200
    row = CalendarFeed.objects.get(revoked_at=None)
    assert feed_token(row.pk) not in str(CalendarFeed.objects.values())
    with pytest.raises(NotFound):
        feeds.feed_revoke(By(cast.actor("zhao"), NOW), feed_id=row.pk)
    feeds.feed_revoke(By(cast.actor("wang"), NOW), feed_id=row.pk)
    assert Client().get(new).status_code == 404
    actions = list(TrailEntry.objects.filter(object_type="calendarfeed").values_list("action"))
    assert sorted(actions) == [("feed.make",), ("feed.renew",), ("feed.revoke",)]


def test_after_a_new_password_what_still_has_access_is_revoked_by_choice(cast, client):
    wang = cast.people["wang"]
    old, _ = token_issue(user=wang, label="Old script", lifetime=DAY, scopes=["read"], now=NOW)
    kept, _ = token_issue(user=wang, label="New script", lifetime=DAY, scopes=["read"], now=NOW)
    theirs, _ = token_issue(user=cast.people["zhao"], label="Zhao", lifetime=DAY, scopes=["read"], now=NOW)
    feed = feeds.feed_make(By(cast.actor("wang"), NOW), instrument_id=None)
    for token in (old, kept, theirs):
        ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() + DAY)
    client.force_login(wang)
    html = client.get("/profile/access/").content.decode()
    assert "Old script" in html and "My bookings" in html and "Zhao" not in html
    chosen = [str(old.pk), str(feed.pk), str(theirs.pk), "no id"]
    assert client.post("/profile/access/", {"revoke": chosen}).status_code == 302
    standing = ApiToken.objects.filter(revoked_at=None).values_list("label", flat=True)
    assert set(standing) == {"New script", "Zhao"}
    assert not CalendarFeed.objects.filter(revoked_at=None).exists()


# A person's own calendar


def own(cast, web, settings, path="/me.ics", body=OWN, status=200, now=NOW):
    settings.CALLS_LOOPBACK = True
    web.answers = {path: (status, {"ETag": '"1"'}, body)}
    return feeds.busy_calendar_set(By(cast.actor("wang"), now), address=web.at(path))


def test_when_one_is_busy_is_told_to_oneself_where_one_books_and_refuses_nothing(cast, web, settings):
    own(cast, web, settings)
    assert feeds.calendar_read(now=NOW)
    busy = Period(at("2026-03-10 14:00"), at("2026-03-10 15:00"))
    week = Period(NOW, NOW + timedelta(days=30))
    assert load_busy(cast.wang.pk, week)[0] == busy
    assert len(load_busy(cast.wang.pk, week)) == 2  # it recurs three times, once before
    assert load_busy(cast.sun.pk, week) == []
    browser = Client()
    browser.force_login(cast.wang)
    wish = "?start=2026-03-10T05:00:00Z&minutes=120"
    page = browser.get(reverse("bookings:book", args=[cast.microscope.pk]) + wish)
    assert "Your own calendar shows you as busy then" in page.content.decode()
    later = "?start=2026-03-10T07:00:00Z&minutes=60"
    page = browser.get(reverse("bookings:book", args=[cast.microscope.pk]) + later)
    assert "shows you as busy then" not in page.content.decode()
    said = f"/api/v1/instruments/{cast.microscope.pk}/availability/?from=2026-03-10T00:00:00Z"
    assert browser.get(said).json()["own_busy"] == [
        {"start": "2026-03-10T06:00:00Z", "end": "2026-03-10T07:00:00Z"}
    ]
    assert Client().get(said).json()["own_busy"] == []
    assert reserve(cast, "2026-03-10 13:00", "2026-03-10 15:00").state == "confirmed"


def test_an_own_calendar_is_asked_whether_it_changed_and_read_in_full_each_week(cast, web, settings):
    own(cast, web, settings)
    feeds.calendar_read(now=NOW)
    assert not feeds.calendar_read(now=NOW + HOUR - timedelta(seconds=1))
    web.asked.clear()
    feeds.calendar_read(now=NOW + HOUR)
    assert web.asked[0]["If-None-Match"] == '"1"'
    row = BusyCalendar.objects.get()
    assert (row.read_at, row.problem, row.times.count()) == (NOW + HOUR, {}, 2)
    feeds.calendar_read(now=NOW + timedelta(days=8))
    assert web.asked[1]["If-None-Match"] is None
    assert row.times.count() == 1


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, b"", "answer-status"),
        (200, b"<html>", "not-a-calendar"),
        (200, OWN.replace(b"WEEKLY;COUNT=3", b"SECONDLY"), "calendar-too-costly"),
        (200, OWN + b"x" * (5 * 1024 * 1024), "answer-too-large"),
    ],
)
def test_what_cannot_be_read_is_said_to_the_person(cast, web, settings, status, body, code):
    own(cast, web, settings)
    feeds.calendar_read(now=NOW)
    web.answers = {"/me.ics": (status, {}, body)}
    moment = NOW + HOUR
    feeds.calendar_read(now=moment)
    row = BusyCalendar.objects.get()
    assert (row.problem["code"], row.due_at) == (code, moment + HOUR / 4)
    assert row.times.count() == 2  # an hour without an answer makes nobody free
    browser = Client()
    browser.force_login(cast.wang)
    assert "It could not be read" in browser.get(reverse("bookings:feeds")).content.decode()
    while row.due_at:
        feeds.calendar_read(now=row.due_at)
        row.refresh_from_db()
    assert row.failures == 12 and not row.times.exists()


def test_a_calendar_that_ends_its_worker_waits_longer_each_time_and_is_given_up(
    cast, web, settings, monkeypatch
):
    class Killed(BaseException):
        """No `except` of ours sees it, as none sees the end of a process."""

    def killed(*args):
        raise Killed

    own(cast, web, settings)
    monkeypatch.setattr("bookings.messaging.services.feeds.busy_times", killed)
    moment, waits = NOW, []
    while moment is not None:
        with pytest.raises(Killed):
            feeds.calendar_read(now=moment)
        row = BusyCalendar.objects.get()
        assert row.claimed_until - moment > timedelta(seconds=20 + READING)  # LIMITS, and ours
        assert not feeds.calendar_read(now=moment + timedelta(minutes=14))
        waits.append(row.due_at and row.due_at - moment)
        moment = row.due_at
    assert waits[:4] == [HOUR / 4, HOUR / 2, HOUR, 2 * HOUR] and len(waits) == 12
    assert row.problem["code"] == "reading-stopped"
    browser = Client()
    browser.force_login(cast.wang)
    page = browser.get(reverse("bookings:feeds")).content.decode()
    assert "Reading it stopped before its end." in page and "until you save it" in page
    monkeypatch.undo()
    feeds.busy_calendar_set(By(cast.actor("wang"), row.claimed_until), address=row.address)
    assert feeds.calendar_read(now=row.claimed_until)
    row.refresh_from_db()
    assert (row.failures, row.problem, row.claim) == (0, {}, None)


def test_what_is_set_anew_while_it_is_read_is_not_read_by_two_at_once(cast, web, settings, monkeypatch):
    row = own(cast, web, settings)

    def set_meanwhile(*args):
        feeds.busy_calendar_set(By(cast.actor("wang"), NOW), address=row.address)
        assert not feeds.calendar_read(now=NOW)
        return [(NOW, NOW + HOUR)]

    with monkeypatch.context() as patched:
        patched.setattr("bookings.messaging.services.feeds.busy_times", set_meanwhile)
        assert feeds.calendar_read(now=NOW)
    row.refresh_from_db()
    assert (row.failures, row.due_at, row.times.count()) == (0, NOW, 0)
    assert feeds.calendar_read(now=NOW)
    assert row.times.count() == 2


def test_a_person_has_their_calendars_read_out_of_turn_five_times_an_hour(cast, web, settings):
    costly = OWN.replace(b"WEEKLY;COUNT=3", b"SECONDLY")
    for number in range(5):
        moment = NOW + timedelta(minutes=number)
        row = own(cast, web, settings, path=f"/{number}.ics", body=costly, now=moment)
        assert feeds.calendar_read(now=moment)
        if number == 2:
            feeds.busy_calendar_remove(By(cast.actor("wang"), moment))
    kept = BusyCalendar.objects.values().get()
    entries = TrailEntry.objects.count()
    with pytest.raises(WrongState, match="calendar-set-too-often"):
        own(cast, web, settings, path="/more.ics", now=NOW + timedelta(minutes=59))
    assert BusyCalendar.objects.values().get() == kept and TrailEntry.objects.count() == entries
    assert not feeds.calendar_read(now=moment + timedelta(minutes=14))
    browser = Client()
    browser.force_login(cast.wang)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(timezone, "now", lambda: NOW + timedelta(minutes=59))
        page = browser.post("/bookings/calendars/own/", {"act": "set", "address": row.address})
        assert page.status_code == 409 and "at most 5 times an hour" in page.content.decode()
    # Others are not affected, and an hour after the first there is room again.
    feeds.busy_calendar_set(By(cast.actor("sun"), NOW), address=row.address)
    own(cast, web, settings, now=NOW + HOUR)
    assert feeds.calendar_read(now=NOW + HOUR)


def test_no_address_of_a_private_network_is_read(cast, settings):
    settings.CALLS_LOOPBACK = False
    feeds.busy_calendar_set(By(cast.actor("wang"), NOW), address="webcal://calendar.example/x")
    feeds.calendar_read(now=NOW, resolve=lambda host, port: ["10.0.0.1"])
    assert BusyCalendar.objects.get().problem["code"] == "address-not-public"
    with pytest.raises(Invalid):
        feeds.busy_calendar_set(By(cast.actor("wang"), NOW), address="http://calendar.example/")


def test_it_is_forgotten_with_all_that_was_read(cast, web, settings):
    own(cast, web, settings)
    feeds.calendar_read(now=NOW)
    feeds.busy_calendar_remove(By(cast.actor("wang"), NOW))
    assert not BusyTime.objects.exists()
    # The trail knows that there was one, not where.
    entry = TrailEntry.objects.get(action="busycalendar.set")
    assert "ics" not in str(entry.after)
    with pytest.raises(NotFound):
        feeds.busy_calendar_remove(By(Actor(user_id=User.objects.first().pk), NOW))
