"""What a course session takes up is closed for it: with it, moved with it, free again without."""

from datetime import date, timedelta

import pytest

from accounts.domain.errors import Invalid, WrongState
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.availability.selectors.availability import to_period
from bookings.availability.selectors.cuts import InTheWay
from bookings.catalogue.selectors.calendars import load_board
from bookings.hours.services.hours import hours_roll_up
from bookings.models import Closure, InstrumentDay, Occupancy
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.reservations import reservation_cancel
from bookings.usage.services.closures import closure_delete, closure_end
from bookings.usage.services.training import trainings_close
from instruments.training.domain.training import SessionTerms
from instruments.training.models import CourseSession
from instruments.training.services.training import session_cancel, session_change
from tests.factories.cast import NOW, at, reserve
from tests.factories.training import course, session

START, END = at("2026-03-10 09:00"), at("2026-03-10 12:00")


def taught(cast, **values):
    """From nine to twelve at the microscope."""
    return session(cast, course(cast), **{"instrument": cast.microscope.pk} | values)


def change(cast, row, **values):
    row.refresh_from_db()
    terms = {
        "start": row.start_at, "end": row.end_at, "deadline": row.deadline_at,
        "places": row.places, "location": row.location, "instrument": row.instrument_id,
    }  # fmt: skip
    by, displace = By(cast.actor("zhao"), NOW), values.pop("displace", False)
    return session_change(by, session_id=row.pk, terms=SessionTerms(**terms | values), displace=displace)


def closed():
    return {(row.instrument_id, to_period(row.span)) for row in Occupancy.objects.all()}


def everything():
    return (
        list(CourseSession.objects.order_by("pk").values()),
        list(Closure.objects.order_by("pk").values()),
        list(Occupancy.objects.order_by("pk").values()),
        TrailEntry.objects.count(),
    )


def test_a_session_closes_its_instrument(cast):
    row = taught(cast)
    closure = Closure.objects.get()
    assert (closure.pk, closure.kind, closure.units) == (row.pk, "training", [])
    assert (closure.start_at, closure.end_at, closure.reason) == (START, END, row.course.name)
    with pytest.raises(RulesRefuse) as refused:
        reserve(cast, "2026-03-10 11:00", "2026-03-10 13:00")
    assert refused.value.refusals[0].code == "instrument-closed"
    reserve(cast, "2026-03-10 12:00", "2026-03-10 13:00")
    day = Period(at("2026-03-10 00:00"), at("2026-03-11 00:00"))
    (shown,) = load_board(cast.actor("zhao"), [cast.microscope], day, NOW)
    assert [(e.closure_kind, e.period) for e in shown.entries if e.kind == "closure"] == [
        ("training", Period(START, END))
    ]


def test_one_that_takes_up_nothing_closes_nothing(cast):
    session(cast, course(cast))
    session(cast, course(cast, cast.technique, name="Theory"))
    assert not Closure.objects.exists()


def test_a_course_of_a_technique_names_what_it_takes_up(cast):
    session(cast, course(cast, cast.technique), instrument=cast.microscope.pk)
    assert closed() == {(cast.microscope.pk, Period(START, END))}
    of, nobodys = course(cast, name="B"), cast.wang.pk
    before = everything()
    with pytest.raises(Invalid):
        session(cast, of, instrument=nobodys)
    assert everything() == before


def test_bookings_in_the_way_are_named_and_nothing_is_entered(cast):
    booked = reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00")
    of = course(cast)
    before = everything()
    with pytest.raises(InTheWay) as refused:
        session(cast, of, instrument=cast.microscope.pk)
    (in_the_way,) = refused.value.reservations
    assert (in_the_way.pk, in_the_way.user) == (booked.pk, cast.wang)
    assert everything() == before


def test_bookings_give_way_when_the_manager_says_so(cast):
    booked = reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00")
    row = taught(cast, displace=True)
    booked.refresh_from_db()
    assert (booked.state, booked.is_ended_by_host) == ("displaced", True)
    assert OutboxMessage.objects.filter(kind="mail.displaced").count() == 1
    assert closed() == {(cast.microscope.pk, Period(START, END))}
    with pytest.raises(RulesRefuse):
        reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00")
    later = START + timedelta(days=1)
    booked = reserve(cast, "2026-03-11 10:00", "2026-03-11 11:00")
    change(cast, row, start=later, end=later + timedelta(hours=2), displace=True)
    booked.refresh_from_db()
    assert booked.state == "displaced"


def test_it_moves_with_its_session(cast):
    row = taught(cast)
    later = START + timedelta(days=1)
    change(cast, row, start=later, end=later + timedelta(hours=2))
    assert closed() == {(cast.microscope.pk, Period(later, later + timedelta(hours=2)))}
    other = cast.instrument(name="Other")
    change(cast, row, instrument=other.pk)
    assert closed() == {(other.pk, Period(later, later + timedelta(hours=2)))}
    change(cast, row, places=3)  # nothing of that
    assert Closure.objects.get().version == 1
    change(cast, row, instrument=None)
    assert not Closure.objects.exists()


def test_it_does_not_move_onto_bookings(cast):
    row = taught(cast)
    reserve(cast, "2026-03-11 10:00", "2026-03-11 11:00")
    before = everything()
    later = START + timedelta(days=1)
    with pytest.raises(InTheWay):
        change(cast, row, start=later, end=later + timedelta(hours=2))
    assert everything() == before


def test_called_off_the_time_is_free(cast):
    row = taught(cast)
    session_cancel(By(cast.actor("zhao"), NOW), session_id=row.pk, reason="The trainer is ill")
    assert not Closure.objects.exists() and not Occupancy.objects.exists()
    reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00")


def test_by_hand_it_is_opened_only_once_it_has_begun(cast):
    row = taught(cast)
    ahead, begun = By(cast.actor("zhao"), NOW), By(cast.actor("zhao"), START + timedelta(hours=1))
    for act in (
        lambda: closure_delete(ahead, closure_id=row.pk),
        lambda: closure_end(ahead, closure_id=row.pk, end=START + timedelta(hours=1)),
    ):
        before = everything()
        with pytest.raises(WrongState, match="closed-for-session"):
            act()
        assert everything() == before
    assert closure_end(begun, closure_id=row.pk, end=None).end_at == begun.now


def test_its_hours_are_engineering(cast):
    taught(cast)
    now = at("2026-03-12 01:00")
    hours_roll_up(since=date(2026, 3, 10), until=date(2026, 3, 11), now=now)
    day = InstrumentDay.objects.get(instrument=cast.microscope, date=date(2026, 3, 10))
    assert day.engineering_minutes == 180


def test_sessions_from_before_are_closed_for_as_bookings_allow(cast):
    rows = [session(cast, course(cast, name=n), start) for n, start in (
        ("A", "2026-03-10 09:00"), ("B", "2026-03-11 09:00"), ("C", "2026-03-12 09:00"),
    )]  # fmt: skip
    CourseSession.objects.update(instrument=cast.microscope)
    CourseSession.objects.filter(pk=rows[2].pk).update(cancelled_at=NOW)
    booked = reserve(cast, "2026-03-11 10:00", "2026-03-11 11:00")
    assert trainings_close(now=NOW) == 1
    assert [row.pk for row in Closure.objects.all()] == [rows[0].pk]
    assert trainings_close(now=NOW) == 0
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=booked.pk, reason="")
    assert trainings_close(now=NOW) == 1
    assert Closure.objects.filter(pk=rows[1].pk).exists()
