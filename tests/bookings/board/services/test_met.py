"""A need that was booked directly: its enquiry closes with a word to the hosts, and nobody bids any more."""

import pytest

from accounts.domain.errors import NotFound, WrongState
from accounts.domain.roles import By
from accounts.letters.kinds import letters_of
from accounts.models import OutboxMessage
from accounts.work import effects
from bookings.board.models import Bid, Enquiry
from bookings.board.notifications.enquiries import KINDS
from bookings.board.selectors.enquiries import enquiries_to, load_clusters
from bookings.board.services.bids import BidValues, bid_amend
from bookings.board.services.enquiries import booked_for, enquiries_forget, enquiries_settle, enquiry_accept
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Reservation
from bookings.record.domain.periods import Period
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from tests.factories.board import FIRST, bid_of, enquiry_of, unchanged
from tests.factories.cast import NOW, at

pytestmark = pytest.mark.django_db


def book_for(cast, need_id, instrument, who="hu"):
    period = Period(at("2026-03-16 09:00"), at("2026-03-16 11:00"))
    payer = "optics" if who == "hu" else "ustc"
    booking = Booking(instrument.pk, period, payer, "assisted", need=need_id)
    return reservation_request(By(cast.actor(who), NOW), booking=booking)


@pytest.fixture
def bid(cast):
    return bid_of(cast, enquiry_of(cast), starts=[FIRST])


@pytest.mark.parametrize("how", ["effect", "job"])
def test_a_direct_booking_closes_the_enquiry(cast, bid, how):
    other = cast.instrument(name="Another")
    booked = book_for(cast, bid.enquiry.need_id, other)
    if how == "effect":
        (row,) = OutboxMessage.objects.filter(kind="need.booked")
        assert [effects()["need"](row, NOW) for _ in range(2)] == ["done", "skipped"]
    else:
        assert (enquiries_settle(now=NOW), enquiries_settle(now=NOW)) == (1, 0)
    enquiry = Enquiry.objects.get()
    assert (enquiry.state, enquiry.reservation) == ("withdrawn", booked)
    bid.refresh_from_db()
    assert (bid.state, bid.reason) == ("declined", "withdrawn")
    assert bid.slots.get().reservation.state == "cancelled"
    (told,) = OutboxMessage.objects.filter(kind="bid.declined")
    assert [
        letter.person for letter in letters_of(told, NOW, {name: [kind] for name, kind in KINDS.items()})
    ] == [cast.zhao]


def test_nobody_bids_or_accepts_once_it_is_booked(cast, bid):
    actor = cast.actor("zhao")
    assert enquiries_to(actor, NOW).exists()
    other = cast.instrument(name="Another")
    book_for(cast, bid.enquiry.need_id, other)
    assert not enquiries_to(actor, NOW).exists()
    with unchanged(Enquiry, Bid, Reservation):
        with pytest.raises(NotFound):
            bid_of(cast, bid.enquiry, instrument=other)
        values = BidValues([FIRST], "assisted")
        with pytest.raises(WrongState):
            bid_amend(By(actor, NOW), bid_id=bid.pk, values=values)
        with pytest.raises(WrongState):
            enquiry_accept(By(cast.actor("hu"), NOW), enquiry_id=bid.enquiry_id, slot_id=bid.slots.get().pk)


def test_a_booking_of_somebody_else_for_the_need_or_one_that_fell_through_closes_nothing(cast, bid):
    other = cast.instrument(name="Another")
    theirs = book_for(cast, bid.enquiry.need_id, other, who="sun")
    assert enquiries_settle(now=NOW) == 0
    reservation_cancel(By(cast.actor("sun"), NOW), reservation_id=theirs.pk, reason="")
    mine = book_for(cast, bid.enquiry.need_id, other)
    reservation_cancel(By(cast.actor("hu"), NOW), reservation_id=mine.pk, reason="")
    (row,) = OutboxMessage.objects.filter(kind="need.booked", key__endswith=str(mine.pk))
    effects()["need"](row, NOW)
    assert Enquiry.objects.get().state == "answered"
    bid.refresh_from_db()
    assert bid.state == "made"


def test_who_leaves_takes_the_enquiry_along_even_in_between(cast, bid):
    book_for(cast, bid.enquiry.need_id, cast.instrument(name="Another"))
    enquiries_forget(By(cast.actor("hu"), NOW), user=cast.hu)
    assert Enquiry.objects.get().state == "withdrawn"


def test_what_was_booked_directly_still_counts_as_asked_for(cast, bid):
    first = bid.enquiry
    Enquiry.objects.filter(pk=first.pk).update(state="withdrawn")
    for organisation in (cast.fudan, cast.ustc):
        Enquiry.objects.create(**_values(first), organisation=organisation)
    assert load_clusters(cast.actor("admin")) == []
    Enquiry.objects.filter(pk=first.pk).update(state="answered")
    book_for(cast, first.need_id, cast.instrument(name="Another"))
    enquiries_settle(now=NOW)
    assert Enquiry.objects.get(pk=first.pk).state == "withdrawn"
    ((cluster, _, _),) = load_clusters(cast.actor("admin"))
    assert cluster.organisations == 3


def _values(enquiry):
    names = ("user", "region", "is_confidential", "terms", "techniques", "earliest", "latest", "minutes")
    own = {name: getattr(enquiry, name) for name in (*names, "closes_at", "created_at", "changed_at")}
    return own | {"state": "unmet", "reason": "no-bid"}


def test_an_enquiry_without_its_need_is_met_by_no_other_booking(cast, bid):
    book_for(cast, None, cast.instrument(name="Another"))
    enquiry = Enquiry.objects.get(pk=bid.enquiry_id)
    enquiry.need = None
    assert booked_for(enquiry) is None
