"""Moving, extending, shortening: which rules run, what it costs, what is kept."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.conversation.services.proposals import proposal_accept, proposal_make
from bookings.models import Occupancy, Quote, Reservation
from bookings.pricing.domain.charges import charge
from bookings.pricing.selectors.charges import cancellation_now, load_ending, load_quoted
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.selectors.moves import load_move
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel, reservation_decide
from bookings.usage.services.usage import reservation_check_in
from tests.factories.cast import NOW, at, reserve

EARLIER = NOW - timedelta(minutes=11)  # second thoughts are over

# Cancellation of the cast's card: free from three days before, 50 % from one day, else 100 %.


def move(cast, row, start, end, *, who="wang", now=NOW, **values):
    return reservation_move(
        By(cast.actor(who), now, values.pop("expected_version", None)),
        reservation_id=row.pk,
        period=Period(at(start), at(end)),
        **values,
    )


def state_of_things():
    return (
        list(Reservation.objects.order_by("pk").values()),
        list(Occupancy.objects.order_by("pk").values()),
        Quote.objects.count(),
        TrailEntry.objects.count(),
        OutboxMessage.objects.count(),
    )


def refused(cast, row, start, end, **values):
    before = state_of_things()
    with pytest.raises(RulesRefuse) as caught:
        move(cast, row, start, end, **values)
    assert state_of_things() == before
    return caught.value.refusals


def test_a_move_gives_back_the_old_slot_as_it_wins_the_new(cast):
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    moved = move(cast, row, "2026-03-11 14:00", "2026-03-11 17:00")
    assert (moved.state, moved.version, moved.unit) == ("confirmed", 2, 1)
    (block,) = Occupancy.objects.all()
    assert (block.span.lower, block.span.upper) == (at("2026-03-11 14:00"), at("2026-03-11 17:00"))
    assert reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", who="sun").state == "confirmed"
    old, new = Quote.objects.filter(reservation=row).order_by("created_at", "id")
    assert (old.is_current, new.is_current) == (False, True)
    assert (old.total, new.total) == (Decimal("657.20"), Decimal("932.80"))
    freed = OutboxMessage.objects.get(kind="slot.freed")
    assert freed.payload["start"] == at("2026-03-10 10:00").isoformat()
    assert OutboxMessage.objects.filter(kind="mail.moved").count() == 1


def test_into_its_own_old_time(cast):
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    assert move(cast, row, "2026-03-10 11:00", "2026-03-10 13:00").start_at == at("2026-03-10 11:00")


def test_a_move_asks_all_rules(cast):
    tight = cast.instrument(name="Tight", policy={"notice_minutes": 1440, "horizon_days": {"external": 10}})
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=tight)
    (soon,) = refused(cast, row, "2026-03-06 10:00", "2026-03-06 11:00")
    assert (soon.code, soon.nearest.start) == ("too-soon", at("2026-03-06 12:00"))
    (far,) = refused(cast, row, "2026-03-17 10:00", "2026-03-17 11:00")
    assert far.code == "too-far"


def test_a_change_of_length_is_not_bound_by_notice_and_horizon(cast):
    tight = cast.instrument(name="Tight", policy={"notice_minutes": 1440})
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=tight)
    late = at("2026-03-10 09:30")
    assert move(cast, row, "2026-03-10 10:00", "2026-03-10 14:00", now=late).state == "confirmed"
    assert move(cast, row, "2026-03-10 10:00", "2026-03-10 11:00", now=late).state == "confirmed"


def test_an_extension_into_a_neighbour_names_the_longest_that_passes(cast):
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    reserve(cast, "2026-03-10 13:00", "2026-03-10 14:00", who="sun")
    (taken,) = refused(cast, row, "2026-03-10 10:00", "2026-03-10 14:00")
    assert taken.code == "slot-taken"
    assert taken.nearest == Period(at("2026-03-10 10:00"), at("2026-03-10 13:00"))


def test_a_taken_slot_says_where_else_one_could_go(cast):
    """Before the move and when it is refused; of a longer time on the same instrument nothing
    elsewhere is a part."""
    other = cast.instrument(name="Second microscope")
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00", who="sun")
    taken = Period(at("2026-03-11 10:00"), at("2026-03-11 12:00"))
    (said,) = load_move(cast.actor("wang"), row, taken, NOW).refusals
    (refusal,) = refused(cast, row, "2026-03-11 10:00", "2026-03-11 12:00")
    assert said == refusal
    (equivalent,) = refusal.equivalents
    assert (equivalent.instrument, equivalent.period) == (other.pk, taken)
    # Of the external group: 2 h at 260 and 100 to set up, 6 % tax.
    assert equivalent.payable == Decimal("657.20")
    reserve(cast, "2026-03-10 12:00", "2026-03-10 13:00", who="sun")
    (longer,) = refused(cast, row, "2026-03-10 10:00", "2026-03-10 12:30")
    assert (longer.code, longer.equivalents) == ("slot-taken", ())


def test_shortening_needs_no_approval_but_a_move_and_an_extension_do(cast):
    asks = cast.instrument(name="Asks", policy={"approval": "manual"})
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=asks)
    reservation_decide(By(cast.actor("zhao"), NOW), reservation_id=row.pk, approve=True, reason="")
    shorter = move(cast, row, "2026-03-10 10:00", "2026-03-10 11:00")
    assert (shorter.state, shorter.deadline_at) == ("confirmed", None)
    period = Period(at("2026-03-10 10:00"), at("2026-03-10 13:00"))
    shorter.refresh_from_db()
    assert load_move(cast.actor("wang"), shorter, period, NOW).needs_approval
    longer = move(cast, row, "2026-03-10 10:00", "2026-03-10 13:00")
    assert (longer.state, longer.deadline_at) == ("requested", NOW + timedelta(days=2))
    assert Occupancy.objects.get().expires_at == longer.deadline_at
    assert OutboxMessage.objects.filter(kind="mail.to-decide").count() == 1
    told = OutboxMessage.objects.filter(kind__startswith="mail.move-")
    assert {row.kind: row.payload["was_end"] for row in told} == dict.fromkeys(
        ["mail.move-requested", "mail.move-to-decide"], at("2026-03-10 11:00").isoformat()
    )


def test_the_hosts_manager_moves_with_a_reason_and_without_approval(cast):
    asks = cast.instrument(name="Asks", policy={"approval": "manual"})
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=asks)
    reservation_decide(By(cast.actor("zhao"), NOW), reservation_id=row.pk, approve=True, reason="")
    with pytest.raises(Invalid):
        move(cast, row, "2026-03-11 10:00", "2026-03-11 12:00", who="zhao")
    moved = move(cast, row, "2026-03-11 10:00", "2026-03-11 12:00", who="zhao", reason="Service.")
    assert moved.state == "confirmed"
    entry = TrailEntry.objects.filter(action="reservation.move").get()
    assert entry.actor_id == cast.zhao.pk


def test_a_manager_sets_rules_aside_in_a_move(cast):
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    values = {"who": "zhao", "reason": "Guests."}
    codes = [r.code for r in refused(cast, row, "2026-03-14 10:00", "2026-03-14 11:00", **values)]
    assert codes == ["outside-opening-hours"]
    moved = move(cast, row, "2026-03-14 10:00", "2026-03-14 11:00", override=codes, **values)
    assert moved.overrides == codes
    with pytest.raises(NotPermitted):
        move(cast, row, "2026-03-15 10:00", "2026-03-15 11:00", override=codes, reason="x")


def test_who_may_move(cast):
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    with pytest.raises(NotFound):
        move(cast, row, "2026-03-11 10:00", "2026-03-11 12:00", who="sun")
    with pytest.raises(NotPermitted):
        move(cast, row, "2026-03-11 10:00", "2026-03-11 12:00", who="auditor")
    assert move(cast, row, "2026-03-11 10:00", "2026-03-11 12:00", who="chen").version == 2
    with pytest.raises(WrongVersion):
        move(cast, row, "2026-03-12 10:00", "2026-03-12 12:00", expected_version=1)


def test_what_is_over_missed_or_cancelled_stays(cast):
    row = reserve(cast, "2026-03-05 13:00", "2026-03-05 15:00")
    with pytest.raises(WrongState):
        move(cast, row, "2026-03-06 13:00", "2026-03-06 15:00", now=at("2026-03-05 15:00"))
    with pytest.raises(Invalid):  # into the past
        move(cast, row, "2026-03-05 13:00", "2026-03-05 14:00", now=at("2026-03-05 14:30"))
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=row.pk, reason="")
    with pytest.raises(WrongState):
        move(cast, row, "2026-03-06 13:00", "2026-03-06 15:00")


def test_whoever_is_at_the_instrument_may_stay_longer(cast):
    row = reserve(cast, "2026-03-05 13:00", "2026-03-05 15:00")
    begun = at("2026-03-05 12:50")
    reservation_check_in(By(cast.actor("wang"), begun), reservation_id=row.pk)
    with pytest.raises(Invalid):
        move(cast, row, "2026-03-05 14:00", "2026-03-05 15:00", now=begun)
    longer = move(cast, row, "2026-03-05 13:00", "2026-03-05 16:00", now=at("2026-03-05 14:50"))
    assert (longer.state, longer.end_at) == ("in_use", at("2026-03-05 16:00"))
    block = Occupancy.objects.get()
    assert (block.span.lower, block.span.upper) == (begun, at("2026-03-05 16:00"))


def test_nobody_escapes_a_late_fee_by_moving(cast):
    """Half a day before, cancelling costs all; moved a month ahead it still does."""
    row = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", now=EARLIER)
    later = Period(at("2026-04-03 10:00"), at("2026-04-03 12:00"))
    said = load_move(cast.actor("wang"), row, later, NOW)
    assert (said.least_percent, said.sticks, said.fee.under_minutes) == (100, True, 1440)
    moved = move(cast, row, "2026-04-03 10:00", "2026-04-03 12:00")
    assert moved.least_percent == 100
    fee = cancellation_now(moved, NOW)
    assert (fee.percent, fee.fee, fee.tax) == (100, Decimal("620.00"), Decimal("37.20"))
    assert fee.reason == "moved"
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=row.pk, reason="")
    row.refresh_from_db()
    assert charge(load_quoted(row.pk), load_ending(row)).payable == Decimal("657.20")


def test_nor_by_shortening(cast):
    """Two of four hours given back a day and a half before: half of what falls away is due."""
    row = reserve(cast, "2026-03-06 14:00", "2026-03-06 18:00")
    now = at("2026-03-05 13:59")
    period = Period(at("2026-03-06 14:00"), at("2026-03-06 16:00"))
    said = load_move(cast.actor("wang"), row, period, now)
    assert (said.fee.percent, said.fee.fee) == (50, Decimal("260.00"))
    shorter = move(cast, row, "2026-03-06 14:00", "2026-03-06 16:00", now=now)
    assert shorter.shortening_fee == Decimal("260.00")
    reservation_cancel(By(cast.actor("wang"), at("2026-03-05 13:59")), reservation_id=row.pk, reason="")
    row.refresh_from_db()
    made = charge(load_quoted(row.pk), load_ending(row))
    # 50 % of 620.00, and the 260.00, each with 6 % of tax.
    assert made.payable == Decimal("328.60") + Decimal("275.60")
    assert made.result["shortening"] == {"fee": "260.00", "tax": "15.60"}


def test_the_tier_that_was_reached_is_the_one_that_sticks(cast):
    """A day and two hours before, cancelling costs half; free are three days."""
    row = reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00", now=EARLIER)
    later = Period(at("2026-04-03 10:00"), at("2026-04-03 12:00"))
    said = load_move(cast.actor("wang"), row, later, NOW)
    assert (said.least_percent, said.sticks, said.fee.under_minutes) == (50, True, 4320)


def test_nothing_sticks_to_an_earlier_start(cast):
    """The notice only shrinks: what it costs to cancel is more by itself."""
    row = reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00", now=EARLIER)
    moved = move(cast, row, "2026-03-06 10:00", "2026-03-06 12:00")
    assert moved.least_percent == 0
    assert cancellation_now(moved, NOW).percent == 100


def test_nothing_sticks_within_ten_minutes_and_they_go_on(cast):
    """Moved away just after making it: it uses the day's second thoughts, and cancelling it stays
    free; so would it after moves that cost nothing, or that the host makes."""
    row = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    other = reserve(cast, "2026-03-06 08:00", "2026-03-06 10:00")
    later = NOW + timedelta(minutes=5)
    moved = move(cast, row, "2026-04-03 10:00", "2026-04-03 12:00", now=later)
    assert (moved.least_percent, moved.second_thought_on) == (0, date(2026, 3, 5))
    near = move(cast, row, "2026-03-06 10:00", "2026-03-06 12:00", now=later)
    wang = cast.actor("wang")
    assert cancellation_now(near, later, actor=wang).reason == "second-thoughts"
    over = NOW + timedelta(minutes=11)
    assert cancellation_now(near, over, actor=wang).percent == 100
    # The day's are used: of another booking the tier sticks.
    assert move(cast, other, "2026-04-02 10:00", "2026-04-02 12:00", now=later).least_percent == 100
    reservation_cancel(By(wang, later), reservation_id=row.pk, reason="")
    row.refresh_from_db()
    assert row.is_second_thought
    assert charge(load_quoted(row.pk), load_ending(row)) is None


def test_the_hosts_move_does_not_end_the_ten_minutes(cast):
    row = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    moved = move(cast, row, "2026-03-06 14:00", "2026-03-06 16:00", who="zhao", reason="Repair.")
    assert cancellation_now(moved, NOW, actor=cast.actor("wang")).reason == "second-thoughts"


def test_no_minutes_are_won_by_moving_away_what_starts_at_once(cast):
    """Less than an hour ahead there were none left: the tier sticks, and cancelling costs it."""
    now = at("2026-03-06 13:15")
    row = reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00", now=now)
    moved = move(cast, row, "2026-04-03 10:00", "2026-04-03 11:00", now=now)
    assert moved.least_percent == 100
    fee = cancellation_now(moved, now, actor=cast.actor("wang"))
    assert (fee.percent, fee.reason) == (100, "moved")


def test_nothing_sticks_where_the_host_asks_for_another_time(cast):
    """The person goes to a third time while the host's is open; once it has lapsed, it sticks."""
    zhao, wang = (By(cast.actor(who), NOW) for who in ("zhao", "wang"))
    row = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", now=EARLIER)
    proposed = Period(at("2026-04-02 10:00"), at("2026-04-02 12:00"))
    proposal_make(zhao, reservation_id=row.pk, period=proposed, text="We need that day.")
    assert move(cast, row, "2026-04-03 10:00", "2026-04-03 12:00").least_percent == 0
    own = reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00", now=EARLIER)
    wished = Period(at("2026-04-02 14:00"), at("2026-04-02 16:00"))
    proposal_make(wang, reservation_id=own.pk, period=wished)
    assert move(cast, own, "2026-04-03 14:00", "2026-04-03 16:00").least_percent == 50


def test_what_the_person_proposes_within_the_ten_minutes_does_not_stick(cast):
    row = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    wished = Period(at("2026-04-02 10:00"), at("2026-04-02 12:00"))
    proposal = proposal_make(By(cast.actor("wang"), NOW), reservation_id=row.pk, period=wished)
    proposal_accept(By(cast.actor("zhao"), NOW), proposal_id=proposal.pk)
    row.refresh_from_db()
    assert (row.start_at, row.least_percent) == (wished.start, 0)
    assert row.second_thought_on == date(2026, 3, 5)


def test_what_the_host_moves_costs_nothing(cast):
    row = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", now=EARLIER)
    moved = move(cast, row, "2026-04-03 10:00", "2026-04-03 12:00", who="zhao", reason="Repair.")
    assert moved.least_percent == 0
