"""Batches: started, placed, accepted, given back, lapsed."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import Message, OutboxMessage, TrailEntry
from bookings.board.services.enquiries import EnquiryValues, enquiry_make
from bookings.models import Occupancy, Reservation
from bookings.needs.models import Batch, BatchPlace
from bookings.needs.selectors.batches import own_offers
from bookings.needs.services import batches
from bookings.needs.services import batches as services
from bookings.needs.services.needs import need_withdraw
from bookings.overview.services.effects import effects_carry_out
from bookings.record.selectors.reservations import reservations_for
from bookings.reserving.services.reservations import reservations_lapse
from tests.factories.batches import SINCE, UNTIL, batch_of, flexible, place_of
from tests.factories.cast import NOW, at, reserve
from tests.factories.needs import need_of

pytestmark = pytest.mark.django_db


def by(cast, who, now=NOW):
    return By(cast.actor(who), now)


def held():
    return Reservation.objects.filter(state="held", held_for="batch")


def test_a_flexible_need_is_offered_a_time_that_is_kept_for_two_days(cast):
    need, other = flexible(cast), need_of(cast, "sun")
    batch = batch_of(cast)
    place = place_of(need)
    hold = held().get()
    assert (place.batch, place.reservation, place.state) == (batch, hold, "offered")
    assert (hold.user, hold.organisation) == (cast.sun, cast.ustc)
    assert hold.deadline_at == NOW + timedelta(hours=48)
    assert hold.start_at >= SINCE and hold.end_at <= UNTIL
    assert (place.payable, place.currency, place.reason) == (place.payable, "CNY", "free")
    assert not BatchPlace.objects.filter(need=other).exists()
    assert (batch.state, batch.placed_at) == ("placed", NOW)
    kinds = set(OutboxMessage.objects.values_list("kind", flat=True))
    assert {"batch.offered", "batch.placed"} <= kinds
    assert not reservations_for(cast.actor("zhao")).exists()


def test_a_need_that_is_booked_is_offered_nothing(cast):
    need = flexible(cast)
    reserve(
        cast, "2026-03-06 09:00", "2026-03-06 11:00", who="sun", organisation=cast.ustc.code, need=need.pk
    )
    batch_of(cast)
    assert not BatchPlace.objects.exists()


def test_a_batch_that_runs_twice_changes_nothing(cast):
    flexible(cast)
    batch_of(cast)
    before = list(Reservation.objects.values())
    batches.batches_place(now=NOW)
    assert list(Reservation.objects.values()) == before


def test_one_that_was_interrupted_goes_on_with_the_rest(cast, monkeypatch):
    first, second = flexible(cast), flexible(cast, "hu")
    batch = batch_of(cast, place=False)
    offer = services._offer

    def dies(batch, need, placed, mode, now):
        if BatchPlace.objects.exists():
            raise RuntimeError("the worker is gone")
        offer(batch, need, placed, mode, now)

    monkeypatch.setattr(services, "_offer", dies)
    batches.batches_place(now=NOW)
    assert BatchPlace.objects.count() == 1
    monkeypatch.setattr(services, "_offer", offer)
    batches.batches_place(now=NOW + timedelta(minutes=10))
    batch.refresh_from_db()
    assert batch.state == "placed"
    assert {place_of(need).state for need in (first, second)} == {"offered"}


def test_at_most_a_fifth_of_the_open_hours_is_kept(cast):
    """From Monday to Wednesday 36 hours are open: seven of them may be kept, three times two."""
    for _ in range(5):
        flexible(cast)
    window = {"starts_at": at("2026-03-09 00:00"), "ends_at": at("2026-03-12 00:00")}
    batch_of(cast, **window)
    assert held().count() == 3
    left = BatchPlace.objects.filter(state="unplaced")
    assert {(place.reason, place.others) for place in left} == {("share", 4)}
    # Another batch of the same days finds nothing left to keep.
    batch_of(cast, now=NOW + timedelta(hours=1), **window)
    assert held().count() == 3
    # What lapses frees it again.
    batch_of(cast, now=NOW + timedelta(hours=50), **window)
    assert held().filter(deadline_at__gt=NOW + timedelta(hours=50)).count() == 3


def test_who_loses_the_time_meanwhile_gets_another(cast, monkeypatch):
    need = flexible(cast)
    decided = services._decided

    def taken_meanwhile(market):
        decision = decided(market)
        if not Reservation.objects.exists():
            (placed,) = decision.placed
            period = placed.option.period
            start, end = (
                moment.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d %H:%M")
                for moment in (period.start, period.end)
            )
            reserve(cast, start, end, who="hu")
        return decision

    monkeypatch.setattr(services, "_decided", taken_meanwhile)
    batch_of(cast)
    place = place_of(need)
    assert place.state == "offered"
    taken = Reservation.objects.get(user=cast.hu)
    assert place.reservation.start_at != taken.start_at


def test_who_loses_it_twice_is_named(cast, monkeypatch):
    need = flexible(cast)

    def refused(*rest):
        raise services._Lost

    monkeypatch.setattr(services, "_offer", refused)
    batch_of(cast)
    place = place_of(need)
    assert (place.state, place.reason) == ("unplaced", "meanwhile")
    assert not Reservation.objects.exists()


def test_a_need_nothing_answers_has_no_place(cast):
    need = flexible(cast, budget=0)
    batch_of(cast)
    assert (place_of(need).state, place_of(need).reason) == ("unplaced", "no-match")


def test_without_the_solver_they_are_served_in_their_order_and_it_says_so(cast, monkeypatch):
    monkeypatch.setattr(services, "solver", lambda: None)
    flexible(cast)
    batch = batch_of(cast)
    assert held().count() == 1
    assert (batch.figures["is_first_come"], batch.figures["bound"]) == (True, None)


def test_accepting_books_it_at_the_price_that_was_offered(cast):
    need = flexible(cast)
    batch_of(cast)
    place = place_of(need)
    made = batches.batch_place_accept(by(cast, "sun"), place_id=place.pk)
    made.refresh_from_db()
    assert (made.pk, made.state, made.held_for) == (place.reservation_id, "confirmed", "")
    assert made.quotes.get().payable == place.payable
    assert place_of(need).state == "accepted"
    assert Occupancy.objects.get(reservation=made).expires_at is None
    with pytest.raises(WrongState, match="place-gone"):
        batches.batch_place_give_back(by(cast, "sun"), place_id=place.pk)
    # It has what it needs: the next batch leaves it out.
    batch_of(cast, now=NOW + timedelta(hours=1))
    assert BatchPlace.objects.count() == 1


@pytest.mark.parametrize(("state", "is_left_out"), [("awarded", True), ("unmet", False)])
def test_a_need_that_an_enquiry_found_an_instrument_for_is_left_out(cast, state, is_left_out):
    need = flexible(cast)
    enquiry = enquiry_make(by(cast, "sun"), need_id=need.pk, values=EnquiryValues())
    enquiry.state = state
    enquiry.reservation = reserve(cast, "2026-03-12 10:00", "2026-03-12 12:00", who="sun")
    enquiry.save()
    batch_of(cast)
    assert BatchPlace.objects.exists() is not is_left_out


def test_where_the_host_approves_accepting_asks_for_it(cast):
    cast.microscope.policy.approval = "manual"
    cast.microscope.policy.save()
    need = flexible(cast)
    batch_of(cast)
    made = batches.batch_place_accept(by(cast, "sun"), place_id=place_of(need).pk)
    assert made.state == "requested"


def test_giving_it_back_frees_it_at_once(cast):
    need = flexible(cast)
    batch_of(cast)
    place = place_of(need)
    for nobody in ("hu", "zhao", "coordinator"):
        with pytest.raises(NotFound):
            batches.batch_place_give_back(by(cast, nobody), place_id=place.pk)
    batches.batch_place_give_back(by(cast, "sun"), place_id=place.pk)
    assert place_of(need).state == "given_back"
    assert not Occupancy.objects.exists()
    with pytest.raises(WrongState, match="place-gone"):
        batches.batch_place_accept(by(cast, "sun"), place_id=place.pk)


def test_what_nobody_accepts_in_time_lapses_and_comes_free(cast):
    need = flexible(cast)
    batch_of(cast)
    late = NOW + timedelta(hours=48)
    assert own_offers(cast.actor("sun"), NOW).exists()
    assert not own_offers(cast.actor("sun"), late).exists()
    with pytest.raises(WrongState, match="place-gone"):
        batches.batch_place_accept(by(cast, "sun", late), place_id=place_of(need).pk)
    reservations_lapse(now=late)
    assert not Occupancy.objects.exists()
    assert batches.batch_places_settle(now=late) == 1
    assert place_of(need).state == "lapsed"
    assert batches.batch_places_settle(now=late) == 0
    assert OutboxMessage.objects.filter(kind="batch.lapsed").count() == 1


@pytest.mark.parametrize("after", ["nothing", "the need is withdrawn"])
def test_who_let_it_lapse_is_told_while_the_need_stands(cast, after):
    need = flexible(cast)
    batch_of(cast)
    late = NOW + timedelta(hours=48)
    reservations_lapse(now=late)
    batches.batch_places_settle(now=late)
    if after != "nothing":
        need_withdraw(by(cast, "sun", late), need_id=need.pk)
    effects_carry_out(now=late)
    told = Message.objects.filter(user=cast.sun, kind="batch.lapsed")
    assert told.count() == (1 if after == "nothing" else 0)


def test_who_withdraws_the_need_gives_the_time_back(cast):
    need = flexible(cast)
    batch_of(cast)
    need_withdraw(by(cast, "sun"), need_id=need.pk)
    assert place_of(need).state == "given_back"
    assert not Occupancy.objects.exists()


def test_only_its_coordinator_starts_a_batch(cast):
    for nobody in ("sun", "zhao", "xu", "auditor", "alice"):
        with pytest.raises(NotPermitted):
            batches.batch_start(by(cast, nobody), region="CN-AH", starts_at=SINCE, ends_at=UNTIL)
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"region": "XX"}, "region"),
        ({"ends_at": NOW}, "ends_at"),
        ({"ends_at": NOW + timedelta(days=61)}, "ends_at"),
        ({"starts_at": UNTIL}, "ends_at"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(cast, changed, field):
    with pytest.raises(Invalid) as refused:
        batch_of(cast, **changed)
    assert refused.value.problems[0].field == field
    assert not Batch.objects.exists()


def test_a_region_has_one_batch_under_way(cast):
    batch_of(cast, place=False)
    with pytest.raises(WrongState, match="batch-waiting"):
        batch_of(cast)


def test_the_trail_has_each_step(cast):
    first, second = flexible(cast), flexible(cast, "hu")
    batch_of(cast)
    batches.batch_place_accept(by(cast, "sun"), place_id=place_of(first).pk)
    batches.batch_place_give_back(by(cast, "hu"), place_id=place_of(second).pk)
    acts = TrailEntry.objects.filter(action__startswith="batch.").values_list("action", flat=True)
    assert sorted(acts) == [
        "batch.accept", "batch.give-back", "batch.offer", "batch.offer", "batch.place",
        "batch.start",
    ]  # fmt: skip
