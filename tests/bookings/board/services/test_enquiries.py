"""Enquiries, bids with held slots, and the award."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotFound, WrongState
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.board.models import Bid, Enquiry
from bookings.board.selectors.enquiries import enquiries_to
from bookings.board.services import enquiries
from bookings.board.services.bids import BidValues, bid_amend, bid_withdraw
from bookings.models import Occupancy, Reservation, UnmetDemand
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.selectors.reservations import reservations_for
from bookings.reserving.services.holds import hold_release
from bookings.reserving.services.reservations import reservation_cancel, reservations_lapse
from tests.factories.board import FIRST, TEXT, bid_of, enquiry_of, unchanged
from tests.factories.cast import NOW, reserve
from tests.factories.kept_hours import grant

pytestmark = pytest.mark.django_db


def by(cast, who, now=NOW):
    return By(cast.actor(who), now)


def held():
    return Reservation.objects.filter(state="held", held_for="bid").order_by("start_at")


def test_a_firms_enquiry_is_confidential_and_goes_to_who_can_answer(cast):
    enquiry = enquiry_of(cast)
    assert enquiry.is_confidential
    assert list(enquiries_to(cast.actor("zhao"), NOW)) == [enquiry]
    for nobody in ("chen", "hu", "alice", "auditor"):
        assert not enquiries_to(cast.actor(nobody), NOW)
    assert not enquiry_of(cast, "wang").is_confidential


@pytest.mark.parametrize(
    ("audience", "is_told"),
    [
        ({"regions": ["CN-AH"]}, True),
        ({"regions": ["CN-SH"]}, False),
        ({"hosts": ["ustc"]}, True),
        ({"hosts": ["fudan"]}, False),
    ],
)
def test_it_goes_to_those_it_names_alone(cast, audience, is_told):
    enquiry_of(cast, **audience)
    assert enquiries_to(cast.actor("zhao"), NOW).exists() == is_told


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"regions": ["XX"]}, "regions[0]"),
        ({"hosts": ["nobody", "ustc"]}, "hosts[0]"),
        ({"hosts": ["x"] * 21}, "hosts"),
        ({"closes_at": NOW}, "closes_at"),
        ({"closes_at": NOW + timedelta(days=61)}, "closes_at"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(cast, values, field):
    with pytest.raises(Invalid) as refused:
        enquiry_of(cast, **values)
    assert refused.value.problems[0].field == field
    assert not Enquiry.objects.exists()


def test_a_need_is_asked_for_once_at_a_time_and_by_its_author(cast):
    enquiry = enquiry_of(cast)
    with pytest.raises(WrongState, match="already-an-enquiry"):
        enquiries.enquiry_make(by(cast, "hu"), need_id=enquiry.need_id, values=enquiries.EnquiryValues())
    with pytest.raises(NotFound):
        enquiries.enquiry_make(by(cast, "zhao"), need_id=enquiry.need_id, values=enquiries.EnquiryValues())
    enquiries.enquiry_withdraw(by(cast, "hu"), enquiry_id=enquiry.pk)
    again = enquiries.enquiry_make(by(cast, "hu"), need_id=enquiry.need_id, values=enquiries.EnquiryValues())
    assert again.pk != enquiry.pk


def test_a_bid_keeps_its_times_for_who_asked_whom_the_host_does_not_see(cast):
    bid = bid_of(cast, enquiry_of(cast))
    first, second = held()
    assert (first.start_at, first.user, first.made_by) == (FIRST, cast.hu, cast.hu)
    assert first.deadline_at == NOW + timedelta(hours=48)
    assert first.price_group == "industry"
    assert [slot.reservation for slot in bid.slots.order_by("pk")] == [first, second]
    assert all(slot.total > 0 for slot in bid.slots.all())
    assert Enquiry.objects.get().state == "answered"
    for host in ("zhao", "gao", "auditor"):
        assert not reservations_for(cast.actor(host)).exists()
    assert reservations_for(cast.actor("hu")).count() == 2


def test_a_slot_taken_meanwhile_is_refused_and_nothing_is_kept(cast):
    enquiry = enquiry_of(cast)
    reserve(cast, "2026-03-09 09:00", "2026-03-09 11:00", who="sun")
    with unchanged(Bid, Reservation, Occupancy, TrailEntry), pytest.raises(RulesRefuse) as refused:
        bid_of(cast, enquiry)
    assert [(each.code, each.booking) for each in refused.value.refusals] == [("slot-taken", 0)]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"starts": []}, "starts"),
        ({"starts": [FIRST + timedelta(days=n) for n in range(3)]}, "starts"),
        ({"starts": [FIRST - timedelta(days=30)]}, "starts"),
        ({"conditions": ["bribe"]}, "conditions"),
        ({"valid_until": NOW}, "valid_until"),
        ({"service_mode": "remote"}, "service_mode"),
    ],
)
def test_a_bid_that_cannot_be_is_refused_and_nothing_is_written(cast, changed, field):
    enquiry = enquiry_of(cast)
    with unchanged(Bid, Reservation, TrailEntry), pytest.raises(Invalid) as refused:
        bid_of(cast, enquiry, **changed)
    assert refused.value.problems[0].field == field


def test_accepting_books_the_slot_at_the_price_and_frees_the_others(cast):
    other = cast.instrument(name="Second microscope")
    enquiry = enquiry_of(cast)
    bid, rival = bid_of(cast, enquiry), bid_of(cast, enquiry, instrument=other)
    slot = bid.slots.order_by("pk")[0]
    made = enquiries.enquiry_accept(by(cast, "hu"), enquiry_id=enquiry.pk, slot_id=slot.pk)
    made.refresh_from_db()
    assert (made.pk, made.state, made.held_for) == (slot.reservation_id, "confirmed", "")
    assert made.quotes.get().total == slot.total
    assert not held()
    bid.refresh_from_db()
    rival.refresh_from_db()
    enquiry.refresh_from_db()
    assert (bid.state, rival.state) == ("accepted", "declined")
    assert (enquiry.state, enquiry.reservation) == ("awarded", made)
    assert Occupancy.objects.count() == 1
    assert list(reservations_for(cast.actor("zhao"))) == [made]
    with pytest.raises(WrongState):
        enquiries.enquiry_accept(by(cast, "hu"), enquiry_id=enquiry.pk, slot_id=slot.pk)


@pytest.mark.parametrize("position", [0, 1])
def test_each_slot_is_booked_at_the_price_that_was_bid(cast, position):
    """The first of two times burns what is kept for who asked, and the second costs as the card
    says: neither changes by which is accepted."""
    grant(cast, minutes=120, price=Decimal(30), starts_at=FIRST, ends_at=FIRST + timedelta(days=3))
    enquiry = enquiry_of(cast, "wang")
    slots = bid_of(cast, enquiry).slots.order_by("reservation__start_at")
    assert len({slot.total for slot in slots}) == 2
    slot = slots[position]
    made = enquiries.enquiry_accept(by(cast, "wang"), enquiry_id=enquiry.pk, slot_id=slot.pk)
    assert made.quotes.get().total == slot.total


def test_nobody_else_accepts_and_a_slot_given_back_cannot_be_accepted(cast):
    enquiry = enquiry_of(cast)
    bid = bid_of(cast, enquiry)
    slot = bid.slots.order_by("pk")[0]
    for who in ("zhao", "wang", "chen"):
        with pytest.raises(NotFound):
            enquiries.enquiry_accept(by(cast, who), enquiry_id=enquiry.pk, slot_id=slot.pk)
    with pytest.raises(NotFound):
        hold_release(by(cast, "zhao"), reservation_id=slot.reservation_id)
    with pytest.raises(NotFound):
        reservation_cancel(by(cast, "zhao"), reservation_id=slot.reservation_id, reason="x")
    hold_release(by(cast, "hu"), reservation_id=slot.reservation_id)
    with unchanged(Bid, TrailEntry), pytest.raises(WrongState):
        enquiries.enquiry_accept(by(cast, "hu"), enquiry_id=enquiry.pk, slot_id=slot.pk)


def test_a_bid_lapses_by_its_deadline_whatever_the_job_does(cast):
    enquiry = enquiry_of(cast)
    bid = bid_of(cast, enquiry, valid_until=NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=1)
    with pytest.raises(WrongState):
        enquiries.enquiry_accept(by(cast, "hu", later), enquiry_id=enquiry.pk, slot_id=bid.slots.first().pk)
    reserve(cast, "2026-03-09 09:00", "2026-03-09 11:00", who="sun", now=later)
    reservations_lapse(now=later)
    enquiries.enquiries_settle(now=later)
    bid.refresh_from_db()
    assert bid.state == "lapsed"
    assert not held()
    assert enquiries.enquiries_settle(now=later) == 0


def test_a_bid_is_amended_and_withdrawn_by_its_host(cast):
    enquiry = enquiry_of(cast)
    bid = bid_of(cast, enquiry)
    values = BidValues([FIRST + timedelta(days=2)], "assisted", ["training"])
    bid_amend(by(cast, "zhao"), bid_id=bid.pk, values=values)
    assert [row.start_at for row in held()] == [FIRST + timedelta(days=2)]
    with pytest.raises(WrongState, match="already-bid"):
        bid_of(cast, enquiry)
    with pytest.raises(NotFound):
        bid_withdraw(by(cast, "sun"), bid_id=bid.pk)
    bid_withdraw(by(cast, "zhao"), bid_id=bid.pk)
    assert not held()
    assert bid_of(cast, enquiry).pk != bid.pk


def test_an_enquiry_that_closes_unmet_is_unmet_demand_with_its_reason(cast):
    enquiry = enquiry_of(cast)
    bid_of(cast, enquiry)
    enquiries.enquiry_close(by(cast, "hu"), enquiry_id=enquiry.pk, reason="price")
    demand = UnmetDemand.objects.get()
    assert (demand.technique, demand.minutes) == (cast.technique, 120)
    assert demand.query == "enquiry=price technique=PaNET01198"
    assert not held()
    assert Bid.objects.get().state == "declined"


def test_one_that_nobody_answered_is_unmet_when_it_closes(cast):
    enquiry = enquiry_of(cast, closes_at=NOW + timedelta(days=1))
    later = NOW + timedelta(days=1)
    assert not enquiries_to(cast.actor("zhao"), later)
    with pytest.raises(NotFound):
        bid_of(cast, enquiry, now=later)
    assert enquiries.enquiries_settle(now=later) == 1
    assert enquiries.enquiries_settle(now=later) == 0
    enquiry.refresh_from_db()
    assert (enquiry.state, enquiry.reason) == ("unmet", "no-bid")
    assert UnmetDemand.objects.count() == 1


def test_the_trail_of_the_host_never_names_who_asked(cast):
    enquiry = enquiry_of(cast)
    bid_of(cast, enquiry)
    enquiries.enquiry_withdraw(by(cast, "hu"), enquiry_id=enquiry.pk)
    told = ("Hefei", str(cast.optics.pk), str(cast.hu.pk), TEXT, "4321")
    for entry in TrailEntry.objects.filter(organisation_ids__contains=[cast.ustc.pk], at=NOW):
        said = f"{entry.actor_id} {entry.before} {entry.after} {entry.organisation_ids}"
        if entry.object_type in ("bid", "enquiry", "reservation"):
            assert not [word for word in told if word in said]
    kept = TrailEntry.objects.filter(object_type="reservation")
    assert all(entry.organisation_ids == [cast.optics.pk] for entry in kept)
    assert not [e for e in TrailEntry.objects.all() if TEXT in f"{e.before} {e.after}"]
