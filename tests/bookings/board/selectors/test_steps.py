"""What has come of a need: its state in the list, its steps, and the way back."""

from datetime import timedelta

import pytest

from accounts.domain.errors import Invalid, WrongState
from accounts.domain.roles import By
from bookings.board.models import Enquiry
from bookings.board.selectors.steps import load_steps, need_behind
from bookings.board.services import enquiries
from bookings.models import Need, Reservation
from bookings.needs.domain.needs import STATES
from bookings.needs.selectors.needs import needs_for, needs_in, shown_need
from bookings.needs.services.batches import batch_place_accept
from bookings.needs.services.needs import need_change, need_share, need_withdraw
from bookings.reserving.services.reservations import reservation_cancel
from tests.factories.batches import batch_of, flexible, place_of
from tests.factories.board import bid_of, enquiry_of
from tests.factories.cast import NOW, reserve
from tests.factories.needs import need_of, need_values

pytestmark = pytest.mark.django_db


def by(cast, who, now=NOW):
    return By(cast.actor(who), now)


def state(cast, who="hu", now=NOW):
    """The state of the one need of a person, after the filter of the list has found it under this state and
    no other."""
    rows = needs_for(cast.actor(who))
    (need,) = rows
    shown = shown_need(need, now).shown_state
    assert {each for each in STATES if needs_in(rows, each, now).exists()} == {shown}
    return shown


def award(cast, enquiry):
    slot = enquiry.bids.get().slots.first()
    return enquiries.enquiry_accept(by(cast, "hu"), enquiry_id=enquiry.pk, slot_id=slot.pk)


def test_a_need_from_enquiry_to_use(cast):
    enquiry = enquiry_of(cast)
    assert state(cast) == "asked"
    assert state(cast, now=enquiry.closes_at) == "open"
    bid = bid_of(cast, enquiry)
    assert state(cast) == "offered"
    assert state(cast, now=bid.valid_until) == "asked"
    booked = award(cast, enquiry)
    assert state(cast) == "booked"
    Reservation.objects.filter(pk=booked.pk).update(state="completed")
    assert state(cast) == "done"
    Enquiry.objects.update(state="fulfilled")
    assert state(cast, now=enquiry.latest + timedelta(days=1)) == "done"


def test_an_award_closes_what_it_replaces_until_the_booking_falls_through(cast):
    enquiry = enquiry_of(cast)
    bid_of(cast, enquiry)
    booked = award(cast, enquiry)
    for refused in (
        lambda: need_change(by(cast, "hu"), need_id=enquiry.need_id, values=need_values()),
        lambda: need_withdraw(by(cast, "hu"), need_id=enquiry.need_id),
    ):
        with pytest.raises(WrongState, match="need-met"):
            refused()
    reservation_cancel(by(cast, "hu"), reservation_id=booked.pk, reason="")
    assert state(cast) == "open"
    need_withdraw(by(cast, "hu"), need_id=enquiry.need_id)
    assert state(cast) == "withdrawn"


def test_a_time_of_a_batch_is_a_step_too(cast):
    need = flexible(cast)
    batch_of(cast)
    assert state(cast, "sun") == "offered"
    place = place_of(need)
    assert state(cast, "sun", now=place.reservation.deadline_at) == "open"
    booked = batch_place_accept(by(cast, "sun"), place_id=place.pk)
    assert state(cast, "sun") == "booked"
    assert load_steps(cast.actor("sun"), need, NOW).bookings == [booked]
    assert need_behind(cast.actor("sun"), booked) == need
    with pytest.raises(WrongState, match="need-met"):
        enquiries.enquiry_make(by(cast, "sun"), need_id=need.pk, values=enquiries.EnquiryValues())


def test_a_booking_of_ones_own_counts_for_ones_own_need_alone(cast):
    need = need_of(cast, "wang")
    day = "2026-03-09"
    theirs = reserve(cast, f"{day} 09:00", f"{day} 10:00", who="sun", need=need.pk)
    assert state(cast, "wang") == "open"
    assert need_behind(cast.actor("sun"), theirs) is None
    mine = reserve(cast, f"{day} 10:00", f"{day} 11:00", who="wang", need=need.pk)
    assert state(cast, "wang") == "booked"
    assert load_steps(cast.actor("wang"), need, NOW).bookings == [mine]
    assert need_behind(cast.actor("wang"), mine) == need
    reservation_cancel(by(cast, "wang"), reservation_id=mine.pk, reason="")
    assert state(cast, "wang") == "open"
    assert load_steps(cast.actor("wang"), need, NOW).bookings == [mine]  # cancelled, and said so


def test_the_enquiry_of_a_withdrawn_need_ends_with_its_bids(cast):
    enquiry = enquiry_of(cast)
    bid = bid_of(cast, enquiry)
    need_withdraw(by(cast, "hu"), need_id=enquiry.need_id)
    assert state(cast) == "withdrawn"
    assert enquiries.enquiries_settle(now=NOW) == 1
    enquiry.refresh_from_db()
    bid.refresh_from_db()
    assert (enquiry.state, bid.state) == ("withdrawn", "declined")
    assert not Reservation.objects.filter(state="held").exists()
    assert enquiries.enquiries_settle(now=NOW) == 0


def test_steps_are_seen_by_those_who_may_see_each(cast):
    enquiry = enquiry_of(cast)
    bid = bid_of(cast, enquiry)
    held = bid.slots.first().reservation
    need = Need.objects.get()
    need_share(by(cast, "hu"), need_id=need.pk, person=str(cast.sun.pk))
    mine = load_steps(cast.actor("hu"), need, NOW)
    assert mine.enquiries == [enquiry] and mine.enquiries[0].all_bids == [bid]
    assert not load_steps(cast.actor("sun"), need, NOW)  # a named reader reads the need alone
    assert need_behind(cast.actor("hu"), held) == need
    for who in ("zhao", "sun", "auditor", "wang"):
        assert need_behind(cast.actor(who), held) is None
    booked = award(cast, enquiry)
    assert load_steps(cast.actor("hu"), need, NOW).bookings == [booked]
    assert not load_steps(cast.actor("sun"), need, NOW)
    for who in ("zhao", "sun", "auditor"):
        assert need_behind(cast.actor(who), booked) is None


def test_hosts_can_only_be_asked_about_what_they_may_read(cast):
    need = need_of(cast, "hu", text="qwertyuiop")
    values = enquiries.EnquiryValues
    for given, field in (({}, "hosts"), ({"hosts": ["ustc"]}, "is_confidential")):
        with pytest.raises(Invalid) as refused:
            enquiries.enquiry_make(by(cast, "hu"), need_id=need.pk, values=values(**given))
        assert [(p.field, p.code) for p in refused.value.problems] == [(field, "no-terms")]
    assert not Enquiry.objects.exists()
    given = values(hosts=["ustc"], is_confidential=False)
    enquiries.enquiry_make(by(cast, "hu"), need_id=need.pk, values=given)
    assert state(cast) == "asked"


def test_the_list_takes_as_many_statements_however_much_has_come(cast, django_assert_num_queries):
    enquiry = enquiry_of(cast)
    bid_of(cast, enquiry)
    actor = cast.actor("hu")
    with django_assert_num_queries(3):  # with regions and readers
        for need in needs_for(actor):
            shown_need(need, NOW)
