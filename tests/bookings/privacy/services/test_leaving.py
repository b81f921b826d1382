"""Leaving an organisation with bookings ahead."""

import pytest
from django.core import mail

from accounts.domain.errors import Invalid, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import Membership
from bookings.models import Occupancy, Reservation
from bookings.overview.services.effects import effects_carry_out
from bookings.privacy.selectors.leaving import load_ahead
from bookings.privacy.services.leaving import member_leave
from tests.factories.cast import NOW, reserve


@pytest.fixture
def ahead(cast):
    return [
        reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00"),
        reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00"),
    ]


def leave(cast, who, cancel, reason="moves away"):
    row = Membership.objects.get(user=cast.wang)
    return member_leave(By(cast.actor(who), NOW), membership_id=row.pk, cancel=cancel, reason=reason)


def states():
    return list(Reservation.objects.order_by("start_at").values_list("state", flat=True))


def test_what_is_ahead_is_listed_with_its_cost(cast, ahead):
    found = load_ahead(cast.actor("chen"), Membership.objects.get(user=cast.wang), NOW)
    assert [item.reservation for item in found] == ahead
    assert found[0].cost > 0 == found[1].cost and found[0].currency == "CNY"


def test_bookings_are_kept(cast, ahead):
    assert leave(cast, "chen", cancel=False).cancelled == 0
    assert states() == ["confirmed", "confirmed"] and Occupancy.objects.count() == 2
    with pytest.raises(Invalid):
        reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00")
    # Later the manager still decides.
    with pytest.raises(WrongState):
        leave(cast, "chen", cancel=False)
    assert leave(cast, "chen", cancel=True).cancelled == 2
    assert states() == ["cancelled", "cancelled"]


@pytest.mark.parametrize("who", ["chen", "wang"])
def test_bookings_are_cancelled_with_the_membership(cast, ahead, who):
    assert leave(cast, who, cancel=True).cancelled == 2
    assert states() == ["cancelled", "cancelled"] and not Occupancy.objects.exists()
    assert Membership.objects.get(user=cast.wang).ended_at == NOW
    effects_carry_out(now=NOW)
    told = {letter.to[0] for letter in mail.outbox if "mber" in letter.subject + letter.body}
    assert ("wang@fudan.example" if who == "chen" else "chen@fudan.example") in told


def test_all_or_nothing(cast, ahead, monkeypatch):
    def refuse(by, **values):
        raise WrongState("last-manager")

    monkeypatch.setattr("bookings.privacy.services.leaving.membership_end", refuse)
    with pytest.raises(WrongState):
        leave(cast, "chen", cancel=True)
    assert states() == ["confirmed", "confirmed"]


def test_administrators_end_but_cancel_nothing(cast, ahead):
    with pytest.raises(NotPermitted):
        leave(cast, "admin", cancel=True)
    leave(cast, "admin", cancel=False)
    assert states() == ["confirmed", "confirmed"]


def test_bookings_for_others_stay(cast, ahead):
    other = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", who="sun")
    leave(cast, "chen", cancel=True)
    other.refresh_from_db()
    assert other.state == "confirmed"
