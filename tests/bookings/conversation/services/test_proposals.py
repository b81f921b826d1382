"""Another time: proposed, taken, declined, lapsed; what it costs and who may."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import Message, OutboxMessage, TrailEntry
from bookings.conversation.models import Comment, ProposedTime, Thread
from bookings.conversation.selectors.threads import conversation_by_id, threads_waiting
from bookings.conversation.services.comments import comment_withdraw
from bookings.conversation.services.proposals import proposal_accept, proposal_decline, proposal_make
from bookings.models import Occupancy, Quote, Reservation
from bookings.overview.services.effects import effects_carry_out
from bookings.pricing.selectors.charges import cancellation_now
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel, reservation_decide
from bookings.usage.services.usage import reservation_check_in
from tests.factories.cast import NOW, at, reserve
from tests.factories.conversations import leave, propose

pytestmark = pytest.mark.django_db
# Cancelling by the cast's card: free from three days before, 50 % from one day, else 100 %.
LATE = at("2026-03-10 08:00")


@pytest.fixture
def booked(cast):
    return reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")


def accept(cast, proposal, who="wang", now=NOW):
    return proposal_accept(By(cast.actor(who), now), proposal_id=proposal.pk)


def state_of_things():
    return (
        list(Reservation.objects.order_by("pk").values()),
        list(Occupancy.objects.order_by("pk").values()),
        list(ProposedTime.objects.order_by("pk").values()),
        list(Thread.objects.order_by("pk").values()),
        [m.objects.count() for m in (Quote, Comment, TrailEntry, OutboxMessage)],
    )


def refused(kind, act):
    before = state_of_things()
    with pytest.raises(kind) as caught:
        act()
    assert state_of_things() == before
    return caught.value


def test_taken_by_one_click(cast, booked):
    proposal = propose(cast, booked, "2026-03-11 14:00", "2026-03-11 17:00", text="Better?")
    assert (proposal.state, proposal.until) == ("open", NOW + timedelta(days=3))
    assert Thread.objects.get().waits_for == "requester"
    assert Occupancy.objects.get().span.lower == at("2026-03-10 10:00")  # nothing is held
    accept(cast, proposal)
    booked.refresh_from_db()
    assert (booked.state, booked.start_at, booked.version) == (
        "confirmed", at("2026-03-11 14:00"), 2,
    )  # fmt: skip
    proposal.refresh_from_db()
    assert (proposal.state, proposal.decided_by_id) == ("accepted", cast.wang.pk)
    assert Occupancy.objects.get().span.upper == at("2026-03-11 17:00")
    assert Thread.objects.get().resolved_at == NOW
    assert Quote.objects.get(is_current=True).total == Decimal("932.80")
    entry = TrailEntry.objects.get(action="conversation.accept")
    assert (entry.actor_id, entry.after) == (
        cast.wang.pk, {"proposal": str(proposal.pk), "version": 2},
    )  # fmt: skip
    effects_carry_out(now=NOW)
    told = {(m.kind, m.user_id) for m in Message.objects.all()}
    assert ("mail.moved", cast.wang.pk) in told
    assert ("conversation.accepted", cast.zhao.pk) in told


def test_a_time_that_the_host_proposes_never_costs_a_late_fee(cast, booked):
    """Two hours before its start, from two hours to one and to another day: neither costs."""
    proposal = propose(cast, booked, "2026-03-16 10:00", "2026-03-16 11:00", now=LATE)
    found = conversation_by_id(cast.actor("wang"), "reservation", booked.pk, LATE)
    assert (found.offer.fee.fee, found.offer.fee.reason) == (Decimal(0), "by-host")
    assert not found.offer.needs_approval
    accept(cast, proposal, now=LATE)
    booked.refresh_from_db()
    assert (booked.shortening_fee, booked.least_percent) == (Decimal(0), Decimal(0))
    assert booked.second_thought_on is None
    assert cancellation_now(booked, LATE).fee == Decimal(0)
    shorter = propose(cast, booked, "2026-03-16 10:00", "2026-03-16 10:30",
                      now=at("2026-03-16 09:00"))  # fmt: skip
    accept(cast, shorter, now=at("2026-03-16 09:01"))
    booked.refresh_from_db()
    assert (booked.shortening_fee, booked.end_at) == (Decimal(0), at("2026-03-16 10:30"))


def test_a_time_that_the_person_proposes_costs_what_moving_there_costs(cast, booked):
    """That the host takes it frees nobody of a late fee, but it approves the move."""
    proposal = propose(cast, booked, "2026-03-10 10:00", "2026-03-10 11:00", "wang", now=LATE)
    accept(cast, proposal, "zhao", now=LATE)
    booked.refresh_from_db()
    # 100 % of one hour at 260.
    assert (booked.shortening_fee, booked.state) == (Decimal("260.00"), "confirmed")
    later = propose(cast, booked, "2026-03-16 10:00", "2026-03-16 11:00", "wang", now=LATE)
    accept(cast, later, "zhao", now=LATE)
    booked.refresh_from_db()
    assert booked.least_percent == Decimal(100)


@pytest.mark.parametrize(("proposer", "taker"), [("zhao", "wang"), ("wang", "zhao")])
def test_what_both_want_waits_for_nobody_again(cast, proposer, taker):
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})

    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=asks)
    assert row.state == "requested"
    proposal = propose(cast, row, "2026-03-11 10:00", "2026-03-11 12:00", proposer)
    later = NOW + timedelta(hours=1)
    accept(cast, proposal, taker, later)
    row.refresh_from_db()
    assert (row.state, row.start_at) == ("confirmed", at("2026-03-11 10:00"))
    assert (row.decided_by_id, row.confirmed_at) == (cast.zhao.pk, later)
    assert (row.shortening_fee, row.least_percent) == (0, 0)
    occupancy = Occupancy.objects.get()
    assert (occupancy.span.lower, occupancy.expires_at) == (row.start_at, None)
    assert Quote.objects.get(is_current=True).total == Decimal("657.20")
    told = OutboxMessage.objects.filter(kind__in=["mail.confirmed", "mail.moved"])
    assert sorted(told.values_list("kind", flat=True)) == ["mail.confirmed", "mail.moved"]
    with pytest.raises(WrongState):  # nothing is left to decide
        reservation_decide(By(cast.actor("zhao"), NOW), reservation_id=row.pk, approve=True, reason="")


def test_a_request_that_the_rules_refuse_by_now_stays_one(cast):
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=asks)
    proposal = propose(cast, row, "2026-03-11 10:00", "2026-03-11 12:00")
    reserve(cast, "2026-03-11 11:00", "2026-03-11 13:00", who="sun", instrument=asks)
    assert refused(RulesRefuse, lambda: accept(cast, proposal)).refusals[0].code == "slot-taken"
    row.refresh_from_db()
    assert (row.state, row.start_at) == ("requested", at("2026-03-10 10:00"))


def test_what_was_confirmed_and_moves_stays_confirmed(cast):
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=asks)
    reservation_decide(By(cast.actor("zhao"), NOW), reservation_id=row.pk, approve=True, reason="")
    confirmed = propose(cast, row, "2026-03-12 10:00", "2026-03-12 12:00", "wang")
    accept(cast, confirmed, "zhao")
    row.refresh_from_db()
    assert (row.state, row.start_at) == ("confirmed", at("2026-03-12 10:00"))


def test_refused_at_once_with_the_bookings_own_refusals(cast, booked):
    reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00", who="sun")
    taken = refused(RulesRefuse, lambda: propose(cast, booked, "2026-03-11 11:00", "2026-03-11 13:00"))
    (refusal,) = taken.refusals
    assert (refusal.code, refusal.nearest.start) == ("slot-taken", at("2026-03-11 12:00"))
    closed = refused(RulesRefuse, lambda: propose(cast, booked, "2026-03-14 11:00", "2026-03-14 13:00"))
    assert closed.refusals[0].code == "outside-opening-hours"
    same = refused(WrongState, lambda: propose(cast, booked, "2026-03-10 10:00", "2026-03-10 12:00"))
    assert same.code == "same-time"
    refused(Invalid, lambda: propose(cast, booked, "2026-03-04 10:00", "2026-03-04 12:00"))


def test_a_slot_that_is_gone_meanwhile_changes_nothing_and_names_the_nearest(cast, booked):
    proposal = propose(cast, booked, "2026-03-11 10:00", "2026-03-11 12:00")
    reserve(cast, "2026-03-11 10:00", "2026-03-11 12:00", who="sun")
    (refusal,) = refused(RulesRefuse, lambda: accept(cast, proposal)).refusals
    assert (refusal.code, refusal.nearest.start) == ("slot-taken", at("2026-03-11 08:00"))
    assert proposal.state == "open"


@pytest.mark.parametrize("who", ["alice", "sun", "hu", "auditor", "admin"])
def test_strangers_find_none(cast, booked, who):
    proposal = propose(cast, booked, "2026-03-11 10:00", "2026-03-11 12:00")
    refused(NotFound, lambda: accept(cast, proposal, who))
    refused(NotFound, lambda: proposal_decline(By(cast.actor(who), NOW), proposal_id=proposal.pk))
    refused(NotFound, lambda: propose(cast, booked, "2026-03-12 10:00", "2026-03-12 12:00", who))


@pytest.mark.parametrize("who", ["zhao", "gao", "lin"])
def test_not_taken_by_who_proposed_nor_by_who_may_not_move_it(cast, booked, who):
    proposal = propose(cast, booked, "2026-03-11 10:00", "2026-03-11 12:00")
    refused(NotPermitted, lambda: accept(cast, proposal, who))
    refused(NotPermitted, lambda: proposal_decline(By(cast.actor(who), NOW), proposal_id=proposal.pk))


@pytest.mark.parametrize("who", ["gao", "lin"])
def test_finance_proposes_nothing(cast, booked, who):
    refused(NotPermitted, lambda: propose(cast, booked, "2026-03-11 10:00", "2026-03-11 12:00", who))


def test_the_payers_manager_may_take_it(cast, booked):
    proposal = propose(cast, booked, "2026-03-11 10:00", "2026-03-11 12:00")
    assert accept(cast, proposal, "chen").state == "accepted"


def test_whoever_left_the_payer_takes_no_new_time(cast, booked):
    proposal = propose(cast, booked, "2026-03-11 10:00", "2026-03-11 12:00")
    leave(cast, "wang")
    refused(NotPermitted, lambda: accept(cast, proposal))


def test_the_word_of_who_left_since_counts_no_more(cast, booked):
    proposal = propose(cast, booked, "2026-03-11 10:00", "2026-03-11 12:00")
    leave(cast, "zhao")
    assert refused(WrongState, lambda: accept(cast, proposal)).code == "proposer-gone"


@pytest.mark.parametrize("end", ["moved", "over", "begun", "withdrawn", "replaced", "declined"])
def test_it_lapses(cast, booked, end):

    proposal = propose(cast, booked, "2026-03-12 10:00", "2026-03-12 12:00")
    now, code = NOW, "proposal-decided"
    match end:
        case "moved":
            code = "proposal-lapsed"
            reservation_move(
                By(cast.actor("wang"), NOW), reservation_id=booked.pk,
                period=Period(at("2026-03-13 10:00"), at("2026-03-13 12:00")),
            )  # fmt: skip
        case "over":
            now, code = NOW + timedelta(days=3), "proposal-lapsed"
        case "begun":
            proposal = propose(cast, booked, "2026-03-12 10:00", "2026-03-12 12:00", now=LATE)
            assert proposal.until == booked.start_at
            now, code = booked.start_at, "proposal-lapsed"
        case "withdrawn":
            comment_withdraw(By(cast.actor("zhao"), NOW), comment_id=proposal.comment_id)
        case "replaced":
            propose(cast, booked, "2026-03-13 10:00", "2026-03-13 12:00")
        case "declined":
            proposal_decline(By(cast.actor("wang"), NOW), proposal_id=proposal.pk)
    assert refused(WrongState, lambda: accept(cast, proposal, now=now)).code == code


def test_taken_twice_is_once(cast, booked):
    proposal = propose(cast, booked, "2026-03-12 10:00", "2026-03-12 12:00")
    accept(cast, proposal)
    assert refused(WrongState, lambda: accept(cast, proposal)).code == "proposal-decided"
    assert Reservation.objects.get(pk=booked.pk).version == 2


def test_after_a_cancellation_nothing_is_taken(cast, booked):
    proposal = propose(cast, booked, "2026-03-12 10:00", "2026-03-12 12:00")
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=booked.pk, reason="")
    assert refused(WrongState, lambda: accept(cast, proposal)).code == "proposal-lapsed"
    refused(WrongState, lambda: propose(cast, booked, "2026-03-13 10:00", "2026-03-13 12:00"))


def test_declined_the_ball_is_with_who_proposed(cast, booked):
    proposal = propose(cast, booked, "2026-03-12 10:00", "2026-03-12 12:00")
    proposal_decline(By(cast.actor("wang"), NOW), proposal_id=proposal.pk)
    assert threads_waiting(cast.actor("zhao")).count() == 1
    effects_carry_out(now=NOW)
    assert Message.objects.filter(kind="conversation.declined", user=cast.zhao).count() == 1
    booked.refresh_from_db()
    assert booked.start_at == at("2026-03-10 10:00")


def test_of_another_version_of_the_booking(cast, booked):
    from bookings.record.domain.periods import Period

    refused(
        WrongVersion,
        lambda: proposal_make(
            By(cast.actor("zhao"), NOW, 7), reservation_id=booked.pk,
            period=Period(at("2026-03-12 10:00"), at("2026-03-12 12:00")),
        ),
    )  # fmt: skip


def test_an_extension_of_what_is_in_use(cast, booked):

    reservation_check_in(By(cast.actor("wang"), at("2026-03-10 10:00")), reservation_id=booked.pk)
    now = at("2026-03-10 11:00")
    proposal = propose(cast, booked, "2026-03-10 10:00", "2026-03-10 13:00", "wang", now=now)
    assert proposal.until == booked.end_at
    accept(cast, proposal, "zhao", now=now)
    booked.refresh_from_db()
    assert (booked.state, booked.end_at) == ("in_use", at("2026-03-10 13:00"))
