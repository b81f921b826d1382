"""The last place in a course session, and the instrument that one takes up."""

from functools import partial

import pytest

from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from bookings.availability.selectors.cuts import InTheWay
from bookings.models import Closure, Occupancy
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.reservations import reservation_request
from instruments.training.domain.training import SessionTerms
from instruments.training.models import CourseSession, Enrolment
from instruments.training.selectors.training import places_in_line
from instruments.training.services.enrolments import enrolment_withdraw
from instruments.training.services.training import session_cancel, session_change, session_create
from tests.concurrency.races import HOUR, booking, consistent, time_of
from tests.factories.cast import NOW
from tests.factories.training import course, enrol, session

pytestmark = pytest.mark.concurrency
WHO = ("wang", "hu", "chen", "sun", "lin", "gao")


def asking(cast, one, who, **values):
    return partial(enrol, cast, one, who, **values)


def test_the_last_place_is_given_once(real_cast, race, rounds):
    of = course(real_cast)
    for number in range(rounds(10)):
        one = session(real_cast, of, f"2026-03-{10 + number % 18} 09:00", places=1)
        found = race([asking(real_cast, one, who) for who in WHO])
        refused = [each for each in found if isinstance(each, WrongState)]
        assert [each.code for each in refused] == ["session-full"] * (len(WHO) - 1)
        assert one.enrolments.filter(state="enrolled").count() == 1


def test_who_withdraws_makes_room_for_one(real_cast, race, rounds):
    """Somebody gives a place up while others ask for it or wait."""
    of = course(real_cast)
    for number in range(rounds(10)):
        one = session(real_cast, of, f"2026-03-{10 + number % 18} 14:00", places=1)
        held = enrol(real_cast, one, "wang")
        first = enrol(real_cast, one, "hu", waits=True)
        leaving = partial(enrolment_withdraw, By(real_cast.actor("wang"), NOW), enrolment_id=held.pk)
        race([leaving, *(asking(real_cast, one, who, waits=True) for who in WHO[2:])])
        assert list(one.enrolments.filter(state="enrolled").values_list("pk", flat=True)) == [first.pk]
        waiting = Enrolment.objects.filter(session=one, state="waiting")
        assert sorted(places_in_line(waiting).values()) == [1, 2, 3, 4]


def test_a_session_and_a_booking_do_not_both_have_the_instrument(real_cast, instrument, race, rounds):
    """Whoever is first has it; the other is refused, and nothing of it stays."""
    of = course(real_cast)
    wang = real_cast.actor("wang")
    for round_ in range(rounds(6)):
        start, now = time_of(round_)
        terms = {"start": start, "end": start + 2 * HOUR, "deadline": start, "places": 2}
        taught, booked = race(
            [
                partial(entering, real_cast, of, instrument, terms, now),
                lambda start=start, now=now: reservation_request(
                    By(wang, now), booking=booking(instrument, start)
                ),
            ]
        )
        if isinstance(taught, InTheWay):
            assert not isinstance(booked, Exception)
            assert not CourseSession.objects.filter(start_at=start).exists()
            assert not Closure.objects.filter(start_at=start).exists()
        else:
            assert isinstance(booked, RulesRefuse), booked
            assert Closure.objects.get(start_at=start).pk == taught.pk
    consistent()


def test_two_changes_of_a_session_leave_one_closure(real_cast, instrument, race, rounds):
    of = course(real_cast)
    zhao = real_cast.actor("zhao")
    for round_ in range(rounds(4)):
        start, now = time_of(round_)
        terms = {"start": start, "end": start + HOUR, "deadline": start, "places": 2}
        row = entering(real_cast, of, instrument, terms, now)

        def moved(hours, row=row, terms=terms, start=start, now=now):
            begins = start + hours * HOUR
            changed = terms | {"start": begins, "end": begins + HOUR, "deadline": begins}
            return session_change(
                By(zhao, now), session_id=row.pk, terms=SessionTerms(**changed, instrument=instrument.pk)
            )

        race(
            [
                partial(moved, 2),
                partial(moved, 3),
                lambda row=row, now=now: session_cancel(By(zhao, now), session_id=row.pk, reason="ill"),
            ]
        )
        row.refresh_from_db()
        standing = Closure.objects.filter(pk=row.pk)
        assert standing.exists() == (row.cancelled_at is None)
        for closure in standing:
            assert (closure.start_at, closure.end_at) == (row.start_at, row.end_at)
            assert Occupancy.objects.filter(closure=closure).count() == 1
    consistent()


def entering(cast, of, instrument, terms, now):
    return session_create(
        By(cast.actor("zhao"), now),
        course_id=of.pk,
        facility=cast.facility,
        terms=SessionTerms(**terms, instrument=instrument.pk),
    )
