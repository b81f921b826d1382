"""The last place in a course session."""

from functools import partial

import pytest

from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from instruments.models import Enrolment
from instruments.selectors.training import places_in_line
from instruments.services.enrolments import enrolment_withdraw
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
        leaving = partial(
            enrolment_withdraw, By(real_cast.actor("wang"), NOW), enrolment_id=held.pk
        )
        race([leaving, *(asking(real_cast, one, who, waits=True) for who in WHO[2:])])
        assert list(one.enrolments.filter(state="enrolled").values_list("pk", flat=True)) == [
            first.pk
        ]
        waiting = Enrolment.objects.filter(session=one, state="waiting")
        assert sorted(places_in_line(waiting).values()) == [1, 2, 3, 4]
