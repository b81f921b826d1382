"""Keeping a slot while a form is completed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import Membership, OutboxMessage, RoleGrant, TrailEntry
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Occupancy, Quote, Reservation, UnmetDemand
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.domain.holds import HOLD_LASTS
from bookings.reserving.services.holds import hold_release, hold_take
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from instruments.managing.services.publishing import instrument_publication
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.services.ratecards import rate_card_create
from tests.factories.cast import CARD, NOW, at, reserve
from tests.factories.qualifications import certify, withdraw

FRIDAY = ("2026-03-06 10:00", "2026-03-06 12:00")
LATER = ("2026-03-06 14:00", "2026-03-06 16:00")
DEADLINE = NOW + HOLD_LASTS


def asked(instrument, start, end, **values):
    return Booking(
        instrument_id=instrument.pk,
        period=Period(at(start), at(end)),
        organisation=values.pop("organisation", None),
        service_mode=values.pop("service_mode", "self"),
        **values,
    )


def take(cast, start, end, *, who="wang", instrument=None, now=NOW, replaces=False, **values):
    booking = asked(instrument or cast.microscope, start, end, **values)
    return hold_take(By(cast.actor(who), now), booking=booking, replaces=replaces)


def complete(cast, hold, *, who="wang", now=NOW, times=FRIDAY, instrument=None, **values):
    booking = asked(instrument or cast.microscope, *times, hold=hold.pk, **values)
    return reservation_request(By(cast.actor(who), now), booking=booking)


def written():
    return (
        list(Reservation.objects.order_by("id").values()),
        list(Occupancy.objects.order_by("id").values()),
        Quote.objects.count(),
        OutboxMessage.objects.count(),
        TrailEntry.objects.filter(action__startswith="reservation").count(),
    )


def refused(expected, act):
    """It is refused so, and nothing was written."""
    before = written()
    with pytest.raises(expected) as caught:
        act()
    assert written() == before
    return caught.value


def test_it_blocks_the_slot_says_nothing_and_has_no_price(cast):
    hold = take(cast, *FRIDAY)
    assert (hold.state, hold.deadline_at, hold.confirmed_at) == ("held", DEADLINE, None)
    assert Occupancy.objects.get().expires_at == DEADLINE
    assert not Quote.objects.exists()
    assert not OutboxMessage.objects.exists()
    error = refused(RulesRefuse, lambda: reserve(cast, *FRIDAY, who="sun"))
    assert [r.code for r in error.refusals] == ["slot-taken"]


def test_it_becomes_the_booking(cast):
    hold = take(cast, *FRIDAY)
    made = complete(cast, hold, now=DEADLINE - timedelta(microseconds=1))
    assert (made.pk, made.state, made.deadline_at, made.version) == (hold.pk, "confirmed", None, 2)
    assert Occupancy.objects.get().expires_at is None
    assert made.quotes.get().payable == Decimal("657.20")
    refused(WrongState, lambda: complete(cast, hold))


def test_it_becomes_a_request_where_somebody_answers(cast):
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    made = complete(cast, take(cast, *FRIDAY, instrument=asks), instrument=asks)
    assert (made.state, made.deadline_at) == ("requested", at(FRIDAY[0]))
    assert Occupancy.objects.get().expires_at == at(FRIDAY[0])


def test_from_its_deadline_on_it_is_nobodys(cast):
    """To the microsecond, whether or not a job has run."""
    hold = take(cast, *FRIDAY)
    error = refused(WrongState, lambda: complete(cast, hold, now=DEADLINE))
    assert error.code == "hold-expired"
    refused(WrongState, lambda: hold_release(By(cast.actor("wang"), DEADLINE), reservation_id=hold.pk))
    assert reserve(cast, *FRIDAY, who="sun", now=DEADLINE).state == "confirmed"
    hold.refresh_from_db()
    assert hold.state == "expired"


def test_its_verdict_stands(cast):
    """Suspended, dearer, no longer qualified: for ten minutes what was said holds."""
    guarded = cast.instrument(name="Guarded", policy={"qualification": "instrument"})
    row = certify(cast, guarded)
    hold = take(cast, *FRIDAY, instrument=guarded)
    zhao = cast.actor("zhao")
    withdraw(cast, row)
    dearer = parse_rate_card(CARD | {"rates": {"external": "999.00"}, "valid_from": "2026-03-05"})
    rate_card_create(By(zhao, NOW), instrument_id=guarded.pk, card=dearer, publish=True)
    instrument_publication(By(zhao, NOW), instrument_id=guarded.pk, act="suspend")
    made = complete(cast, hold, instrument=guarded)
    assert (made.state, made.quotes.get().payable) == ("confirmed", Decimal("657.20"))


def test_another_way_of_service_asks_for_its_certificate(cast):
    guarded = cast.instrument(name="Guarded", policy={"qualification": "instrument"})
    hold = take(cast, *FRIDAY, instrument=guarded, service_mode="assisted")
    error = refused(RulesRefuse, lambda: complete(cast, hold, instrument=guarded))
    assert [r.code for r in error.refusals] == ["qualification-missing"]
    made = complete(cast, hold, instrument=guarded, service_mode="assisted")
    assert (made.state, made.service_mode) == ("confirmed", "assisted")


def test_only_for_what_was_held(cast):
    other = cast.instrument(name="Other")
    hold = take(cast, *FRIDAY)
    assert refused(Invalid, lambda: complete(cast, hold, times=LATER)).problems[0].field == "hold"
    refused(Invalid, lambda: complete(cast, hold, instrument=other))
    refused(Invalid, lambda: complete(cast, hold, service_mode="remote"))
    refused(NotFound, lambda: complete(cast, hold, who="sun"))
    refused(NotFound, lambda: complete(cast, hold, who="hu"))
    refused(NotFound, lambda: hold_release(By(cast.actor("sun"), NOW), reservation_id=hold.pk))


def test_who_left_meanwhile_completes_nothing(cast):
    hold = take(cast, *FRIDAY)
    RoleGrant.objects.filter(user=cast.wang).update(revoked_at=NOW)
    refused(NotPermitted, lambda: complete(cast, hold, organisation="fudan"))
    Membership.objects.filter(user=cast.wang).update(ended_at=NOW)
    refused(Invalid, lambda: complete(cast, hold, organisation="fudan"))


def test_for_a_member_by_the_payers_manager(cast):
    """Either of the two completes it; somebody else's cost it never becomes."""
    hold = take(cast, *FRIDAY, who="chen", organisation="fudan", on_behalf_of="wang@fudan.example")
    assert (hold.user, hold.made_by) == (cast.wang, cast.chen)
    refused(
        (Invalid, NotFound, NotPermitted),
        lambda: complete(cast, hold, who="zhao", organisation="ustc", on_behalf_of="wang@fudan.example"),
    )
    assert complete(cast, hold).state == "confirmed"


def test_the_same_again_is_the_same_with_the_time_it_has_left(cast):
    hold = take(cast, *FRIDAY)
    again = take(cast, *FRIDAY, now=NOW + timedelta(minutes=9))
    assert (again.pk, again.deadline_at) == (hold.pk, DEADLINE)
    assert Reservation.objects.count() == 1


def test_one_form_one_slot(cast):
    first = take(cast, *FRIDAY)
    second = take(cast, *LATER, replaces=True)
    first.refresh_from_db()
    assert (first.state, second.state) == ("cancelled", "held")
    # one that overlaps its own predecessor
    third = take(cast, "2026-03-06 15:00", "2026-03-06 17:00", replaces=True)
    assert third.state == "held"
    assert Occupancy.objects.count() == 1


def test_three_and_no_more(cast):
    days = ["2026-03-06", "2026-03-09", "2026-03-10", "2026-03-11"]
    for day in days[:3]:
        take(cast, f"{day} 10:00", f"{day} 11:00")
    error = refused(WrongState, lambda: take(cast, f"{days[3]} 10:00", f"{days[3]} 11:00"))
    assert (error.code, error.numbers) == ("too-many-holds", {"most": 3})
    # of another person they are not counted, nor those that ran out
    assert take(cast, f"{days[3]} 10:00", f"{days[3]} 11:00", who="sun").state == "held"
    assert take(cast, f"{days[3]} 12:00", f"{days[3]} 13:00", now=DEADLINE).state == "held"


def test_given_back_it_is_free_at_once_and_costs_nothing(cast):
    hold = take(cast, *FRIDAY)
    hold_release(By(cast.actor("wang"), NOW), reservation_id=hold.pk)
    hold.refresh_from_db()
    assert hold.state == "cancelled"
    assert not Occupancy.objects.exists()
    assert not OutboxMessage.objects.filter(kind="charge.due").exists()
    other = take(cast, *FRIDAY)
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=other.pk, reason="")
    assert not OutboxMessage.objects.filter(kind="charge.due").exists()


def test_all_rules_are_asked(cast):
    quotas = [{"scope": "user", "unit": "bookings", "per": "upcoming", "limit": 1}]
    one = cast.instrument(name="One each", policy={"quotas": quotas})
    take(cast, *FRIDAY, instrument=one)
    error = refused(RulesRefuse, lambda: take(cast, *LATER, instrument=one))
    assert [r.code for r in error.refusals] == ["user-quota"]
    error = refused(RulesRefuse, lambda: take(cast, "2026-03-07 10:10", "2026-03-07 11:10"))
    assert [r.code for r in error.refusals] == ["outside-opening-hours"]
    assert not UnmetDemand.objects.filter(code="").exists()  # refusals by a rule are noted with its code


def test_a_manager_sets_nothing_aside_for_themselves_by_a_hold(cast):
    RoleGrant.objects.create(user=cast.zhao, role="researcher", organisation=cast.ustc, granted_at=NOW)
    for values in ({}, {"on_behalf_of": "zhao@ustc.example"}):
        refused(
            NotPermitted,
            lambda values=values: take(
                cast,
                "2026-03-07 10:00",
                "2026-03-07 11:00",
                who="zhao",
                organisation="ustc",
                override=("outside-opening-hours",),
                reason="for me",
                **values,
            ),
        )
