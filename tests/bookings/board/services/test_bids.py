"""Bids below the rate card, and why bids were declined or lapsed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotFound
from accounts.domain.roles import By
from bookings.board.models import Bid, BidSlot, Enquiry
from bookings.board.selectors.enquiries import reason_of
from bookings.board.services.enquiries import (
    bid_decline,
    enquiries_settle,
    enquiry_accept,
    enquiry_close,
    enquiry_withdraw,
)
from bookings.charging.domain.replay import StoredQuote, quote_differences
from bookings.models import Quote, Reservation
from bookings.record.domain.periods import Period
from bookings.record.messages import sentence
from bookings.reserving.services.moves import reservation_move
from tests.factories.board import FIRST, bid_of, enquiry_of, unchanged
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db
D = Decimal
LOWER = {"discount_percent": D("12.5"), "discount_reason": "A quiet week."}


@pytest.fixture
def enquiry(cast):
    return enquiry_of(cast)


def differences(quote: Quote) -> list[object]:
    stored = StoredQuote(quote.inputs, quote.result, quote.currency, quote.total, quote.payable)
    return list(quote_differences(stored))


def test_a_price_below_the_card_stays_with_the_booking_and_when_it_moves(cast, enquiry):
    by_card = bid_of(cast, enquiry, instrument=cast.instrument(name="Another"), starts=[FIRST]).slots.get()
    bid = bid_of(cast, enquiry, starts=[FIRST], **LOWER)
    slot = bid.slots.get()
    (line,) = [line for line in slot.quote["lines"] if line["kind"] == "bid"]
    assert line["percent"] == "12.5" and D(line["amount"]) < 0
    assert slot.total < by_card.total
    by = By(cast.actor("hu"), NOW)
    most = (slot.payable, slot.currency)
    made = enquiry_accept(by, enquiry_id=enquiry.pk, slot_id=slot.pk, at_most=most)
    quote = made.quotes.get()
    assert (quote.total, quote.payable, quote.result) == (slot.total, slot.payable, slot.quote)
    assert differences(quote) == []
    later = Period(FIRST + timedelta(days=2), FIRST + timedelta(days=2, hours=2))
    reservation_move(by, reservation_id=made.pk, period=later)
    moved = Quote.objects.get(reservation=made, is_current=True)
    assert moved.pk != quote.pk and moved.total == slot.total
    assert differences(moved) == []
    # More than was bid is the host's to approve.
    reservation_move(by, reservation_id=made.pk, period=Period(later.start, later.end + timedelta(hours=1)))
    made.refresh_from_db()
    assert made.state == "requested"


@pytest.mark.parametrize(
    ("percent", "reason", "field"),
    [
        ("-0.01", "Dearer.", "discount_percent"),
        ("100.01", "More than all.", "discount_percent"),
        ("1.005", "Too fine.", "discount_percent"),
        ("NaN", "No number.", "discount_percent"),
        ("5", "  ", "discount_reason"),
        ("5", "x" * 201, "discount_reason"),
    ],
)
def test_a_bid_is_never_above_the_card_nor_below_it_without_a_reason(cast, enquiry, percent, reason, field):
    with unchanged(Enquiry, Bid, BidSlot, Reservation), pytest.raises(Invalid) as refused:
        bid_of(cast, enquiry, discount_percent=D(percent), discount_reason=reason)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_hosts_read_why_a_bid_was_not_chosen(cast, enquiry):
    other = cast.instrument(name="Another microscope")
    by = By(cast.actor("hu"), NOW)

    def reasons():
        return sorted(Bid.objects.exclude(state="made").values_list("state", "reason"))

    bid = bid_of(cast, enquiry)
    with unchanged(Bid), pytest.raises(Invalid):
        bid_decline(by, bid_id=bid.pk, reason="whim")
    with unchanged(Bid), pytest.raises(NotFound):
        bid_decline(By(cast.actor("wang"), NOW), bid_id=bid.pk, reason="price")
    bid_decline(by, bid_id=bid.pk, reason="price")
    assert reasons() == [("declined", "price")]
    chosen, rival = bid_of(cast, enquiry), bid_of(cast, enquiry, instrument=other)
    slot = chosen.slots.order_by("pk").first()
    enquiry_accept(by, enquiry_id=enquiry.pk, slot_id=slot.pk)
    rival.refresh_from_db()
    assert (rival.state, rival.reason) == ("declined", "other-chosen")


@pytest.mark.parametrize(
    ("end", "state", "reason"),
    [
        (lambda by, pk: enquiry_withdraw(by, enquiry_id=pk), "declined", "withdrawn"),
        (lambda by, pk: enquiry_close(by, enquiry_id=pk, reason="time"), "declined", "time"),
        (lambda by, pk: enquiry_close(by, enquiry_id=pk, reason="no-bid"), "declined", "closed"),
        (lambda by, pk: enquiries_settle(now=NOW + timedelta(days=3)), "lapsed", "unanswered"),
        (lambda by, pk: enquiries_settle(now=NOW + timedelta(days=30)), "lapsed", "closed"),
    ],
)
def test_the_end_of_an_enquiry_is_the_reason_of_its_bids(cast, enquiry, end, state, reason):
    bid = bid_of(cast, enquiry)
    end(By(cast.actor("hu"), NOW), enquiry.pk)
    bid.refresh_from_db()
    assert (bid.state, bid.reason) == (state, reason)
    assert reason_of(bid, NOW + timedelta(days=30)) == reason


def test_a_bid_lapses_at_its_hour_for_a_reason(cast, enquiry):
    """No job has settled it yet."""
    bid = bid_of(cast, enquiry)
    assert [reason_of(bid, at) for at in (NOW, bid.valid_until)] == ["", "unanswered"]


@pytest.mark.parametrize(
    ("hours", "said"), [((0, 1), "The two times overlap."), ((0, 24, 48), "Choose one or two.")]
)
def test_times_that_overlap_or_are_too_many_are_refused_in_words(cast, enquiry, hours, said):
    starts = [FIRST + timedelta(hours=after) for after in hours]
    with pytest.raises(Invalid) as refused:
        bid_of(cast, enquiry, starts=starts)
    assert [sentence(p.code, p.numbers) for p in refused.value.problems] == [said]
