"""Propose another time for a booking to the other side, and accept or decline it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, WrongState
from accounts.domain.roles import Actor, By
from accounts.notifications import Effect, enqueue
from accounts.permissions import actor_of, require, require_person
from accounts.selectors.memberships import place_of
from bookings.conversation.domain.threads import HOST, answer_until, check_text
from bookings.conversation.locks import lock_proposal
from bookings.conversation.models import ProposedTime
from bookings.conversation.selectors.subjects import subject_of
from bookings.conversation.selectors.threads import asked_by, proposal_by_id, proposal_state
from bookings.conversation.services.comments import comment_store, thread_touch
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.models import Reservation
from bookings.reserving.selectors.moves import load_move
from bookings.reserving.services.moves import require_movable, require_payers_word, reservation_move
from bookings.reserving.services.placing import reservation_locked
from bookings.reserving.services.reservations import request_confirm


@transaction.atomic
def proposal_make(by: By, *, reservation_id: UUID, period: Period, text: str = "") -> ProposedTime:
    """Propose another time for a booking to the other side, with an optional comment; it replaces an open
    proposal. It holds nothing, so the slot may be taken before it is accepted.

    Raise `RulesRefuse` with every rule that refuses it now, `NotPermitted` if the actor may not move the
    booking, `WrongState` if nobody may or the booking has this time already.
    """
    reservation, side = subject_of(by.actor, "reservation", reservation_id)
    by.require_version(reservation.version)
    require_word(by.actor, side, reservation, period)
    require_movable(reservation, period, by.now)
    if (reservation.start_at, reservation.end_at) == (period.start, period.end):
        raise WrongState("same-time")
    move = load_move(by.actor, reservation, period, by.now, asked_by=asked_by(side))
    if move.refusals:
        raise RulesRefuse(move.refusals)
    comment = comment_store(by, "reservation", reservation_id, check_text(text, is_needed=False))
    thread = comment.thread
    thread.proposals.filter(state="open").update(
        state=ProposedTime.State.REPLACED, decided_at=by.now, decided_by=by.actor.user_id
    )
    proposal = ProposedTime.objects.create(
        thread=thread,
        comment=comment,
        start_at=period.start,
        end_at=period.end,
        until=answer_until(
            by.now,
            [
                *(reservation.start_at, reservation.end_at, reservation.deadline_at),
                *(period.start, period.end),
            ],
        ),
        booking_version=reservation.version,
    )
    trail.record(
        by,
        "conversation.propose",
        thread,
        after={
            "proposal": proposal.pk,
            "side": side,
            "start": period.start,
            "end": period.end,
            "until": proposal.until,
        },
    )
    enqueue([_effect("proposed", proposal)], now=by.now)
    return proposal


@transaction.atomic
def proposal_accept(by: By, *, proposal_id: UUID) -> ProposedTime:
    """Accept the time that the other side proposes. The booking is moved at the cost that it would have if
    the proposing side moved it. A request is also confirmed, because the host has agreed to this time, by
    proposing it or now. Both the proposer and the actor must still be allowed to move the booking.

    Raise `RulesRefuse`, with the nearest period that would be accepted, if the slot is taken or a rule
    refuses by now; `WrongState` if the proposal was decided or has lapsed. Nothing is changed then.
    """
    _, booking, side = proposal_by_id(by.actor, proposal_id, by.now)
    instrument, reservation = reservation_locked(by, booking.pk)
    proposal = lock_proposal(proposal_id)
    _require_open(proposal, reservation, side, by.now)
    period = Period(proposal.start_at, proposal.end_at)
    comment = proposal.comment
    require_word(by.actor, side, reservation, period)
    try:
        require_word(actor_of(comment.author), comment.side, reservation, period)
    except NotPermitted:  # they have left since, say
        raise WrongState("proposer-gone") from None
    moved = reservation_move(by, reservation_id=booking.pk, period=period, asked_by=asked_by(comment.side))
    if moved.state == "requested":
        request_confirm(
            by,
            instrument=instrument,
            reservation=moved,
            decided_by_id=comment.author_id if comment.side == HOST else by.actor.person,
        )
    _decide(by, proposal, ProposedTime.State.ACCEPTED)
    thread_touch(proposal.thread, waits_for="", resolved_at=by.now, resolved_by_id=by.actor.person)
    trail.record(
        by, "conversation.accept", proposal.thread, after={"proposal": proposal.pk, "version": moved.version}
    )
    enqueue([_effect("accepted", proposal)], now=by.now)
    return proposal


@transaction.atomic
def proposal_decline(by: By, *, proposal_id: UUID) -> ProposedTime:
    """Decline the time that the other side proposes; the booking stays as it is."""
    _, reservation, side = proposal_by_id(by.actor, proposal_id, by.now)
    proposal = lock_proposal(proposal_id)
    _require_open(proposal, reservation, side, by.now)
    require_word(by.actor, side, reservation, Period(proposal.start_at, proposal.end_at))
    _decide(by, proposal, ProposedTime.State.DECLINED)
    thread_touch(proposal.thread, waits_for=proposal.comment.side)
    trail.record(by, "conversation.decline", proposal.thread, after={"proposal": proposal.pk})
    enqueue([_effect("declined", proposal)], now=by.now)
    return proposal


def require_word(actor: Actor, side: str, reservation: Reservation, period: Period) -> None:
    """Raise `NotPermitted` unless the actor may move a booking on behalf of a side: the host's managers for
    the host, except for bookings of their own, and as persons, since their word also approves a request; the
    people of `require_payers_word` for the other side."""
    if side != HOST:
        require_payers_word(actor, reservation, period)
        return
    require(actor, "manage-instruments", place_of(reservation.host, reservation.instrument))
    require_person(actor)
    if actor.user_id in {reservation.user_id, reservation.made_by_id}:
        raise NotPermitted


def _require_open(proposal: ProposedTime, reservation: Reservation, side: str, now: datetime) -> None:
    """Raise `NotPermitted` if the actor is on the side that proposed, `WrongState` unless the proposal is
    open."""
    if side == proposal.comment.side:
        raise NotPermitted
    state = proposal_state(proposal, reservation, now)
    if state == "lapsed":
        raise WrongState("proposal-lapsed")
    if state != "open":
        raise WrongState("proposal-decided")


def _decide(by: By, proposal: ProposedTime, state: str) -> None:
    proposal.state, proposal.decided_at = state, by.now
    proposal.decided_by_id = by.actor.person
    proposal.save(update_fields=["state", "decided_at", "decided_by"])


def _effect(what: str, proposal: ProposedTime) -> Effect:
    return Effect(
        kind=f"conversation.{what}",
        key=f"conversation.{what}:{proposal.pk}",
        payload={"proposal": str(proposal.pk)},
    )
