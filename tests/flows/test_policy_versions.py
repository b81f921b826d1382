"""A booking keeps the version of the policy that judged it."""

from datetime import timedelta

import pytest

from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Reservation
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.selectors.reservations import rules_behind
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from tests.factories.api import clock  # noqa: F401
from tests.factories.cast import NOW, at, reserve

FRIDAY = ("2026-03-06 10:00", "2026-03-06 12:00")


def change(cast, **values):
    policy_set(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        policy=parse_policy({"slot_minutes": 30, "max_minutes": 480} | values),
    )


def version_of(made):
    return Reservation.objects.get(pk=made.pk).policy_version


def test_it_stays_when_the_policy_changes(cast):
    made = reserve(cast, *FRIDAY)
    change(cast, notice_minutes=60)
    assert version_of(made) == 1
    assert rules_behind(made).policy["notice_minutes"] == 0
    entry = TrailEntry.objects.get(action="reservation.confirmed")
    assert entry.after["policy_version"] == 1
    later = reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00")
    assert version_of(later) == 2


@pytest.mark.parametrize(
    ("start", "end", "kind"),
    [
        ("2026-03-06 14:00", "2026-03-06 16:00", "move"),
        ("2026-03-06 10:00", "2026-03-06 13:00", "extend"),
        ("2026-03-06 10:00", "2026-03-06 11:00", "shorten"),
    ],
)
def test_a_move_is_judged_by_what_is_in_force_then(cast, start, end, kind):
    made = reserve(cast, *FRIDAY)
    change(cast, notice_minutes=60)
    reservation_move(By(cast.actor("wang"), NOW), reservation_id=made.pk, period=Period(at(start), at(end)))
    assert version_of(made) == 2
    entry = TrailEntry.objects.get(action=f"reservation.{kind}")
    assert entry.after["policy_version"] == 2


def test_a_move_that_is_refused_leaves_it(cast):
    made = reserve(cast, *FRIDAY)
    change(cast, max_minutes=120)
    with pytest.raises(RulesRefuse):
        reservation_move(
            By(cast.actor("wang"), NOW),
            reservation_id=made.pk,
            period=Period(at(FRIDAY[0]), at("2026-03-06 13:00")),
        )
    assert version_of(made) == 1


def test_cancelling_is_not_judged_by_rules(cast):
    made = reserve(cast, *FRIDAY)
    change(cast, notice_minutes=60)
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=made.pk, reason="")
    assert version_of(made) == 1


def test_a_hold_carries_its_verdict(cast):
    booking = {
        "instrument_id": cast.microscope.pk,
        "period": Period(at(FRIDAY[0]), at(FRIDAY[1])),
        "organisation": None,
        "service_mode": "self",
    }
    wang = cast.actor("wang")
    hold = hold_take(By(wang, NOW), booking=Booking(**booking))
    change(cast, notice_minutes=60)
    made = reservation_request(By(wang, NOW + timedelta(minutes=1)), booking=Booking(**booking, hold=hold.pk))
    assert version_of(made) == 1


def test_one_made_before_versions_were_kept_has_none(cast):
    made = reserve(cast, *FRIDAY)
    made.policy_version = None
    assert rules_behind(made) is None
