"""Changing the time of a booking: moving, extending, shortening."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import Actor, By
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.prepared import insert
from accounts.selectors.memberships import place_of
from bookings.availability.domain import approvals
from bookings.availability.selectors.availability import to_period, to_range
from bookings.catalogue.services.demand import guarded
from bookings.funding.services.earmarks import earmarks_change
from bookings.pricing.models import Quote
from bookings.pricing.selectors.fees import Backing, load_backings
from bookings.record.domain import reservations as rules
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.models import Reservation
from bookings.reserving.domain import moves
from bookings.reserving.locks import lock_chain
from bookings.reserving.selectors.moves import Move, is_by_host, load_elsewhere, paid_from, weigh_move
from bookings.reserving.selectors.placing import Price, require_unblocked
from bookings.reserving.services import placing
from bookings.reserving.services.occupancy import message, reservation_move_to, reservation_touch, slot_freed
from instruments.policy.selectors.policies import load_policy
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument

MOVABLE = frozenset({"requested", "confirmed", "in_use"})


def reservation_move(
    by: By,
    *,
    reservation_id: UUID,
    period: Period,
    override: Sequence[str] = (),
    reason: str = "",
    asked_by: str = "",
) -> Reservation:
    """Give a booking another time, as its person, a manager of the payer, or a manager of the host (who must
    give a reason and may override rules). The old slot is released only when the new one is secured.

    `asked_by`: as for `weigh_move`; the caller has made sure that the other side agrees, and has checked
    everybody's permission.

    A move or an extension that needs approval becomes a request again (`load_move` tells beforehand). Raises
    `RulesRefuse` with every rule against it, and alternatives; the booking then stays as it is.
    """
    try:
        with guarded():
            return _carry_out(by, reservation_id, period, override, reason, asked_by)
    except RulesRefuse as refused:
        row = Reservation.objects.select_related("organisation__region").get(pk=reservation_id)
        raise RulesRefuse(load_elsewhere(row, period, refused.refusals, by.now)) from None


def _carry_out(
    by: By, reservation_id: UUID, period: Period, override: Sequence[str], reason: str, asked_by: str
) -> Reservation:
    instrument, reservation = placing.reservation_locked(by, reservation_id)
    if not asked_by:
        require_mover(by.actor, instrument, reservation, period, reason)
        if moves.kind_of(Period(reservation.start_at, reservation.end_at), period) != moves.SHORTEN:
            require_unblocked(by.actor, instrument, reservation.user_id, reservation.organisation_id, by.now)
    placing.require_override(by.actor, instrument, reservation.user_id, override, reason)
    require_movable(reservation, period, by.now)
    if (reservation.start_at, reservation.end_at) == (period.start, period.end):
        return reservation
    if reservation.chain_id is not None:
        lock_chain(reservation.chain_id)  # its other steps may be moving too
    placing.lapse_due(instrument, by.now)
    backing = backing_locked(instrument, reservation)
    move = weigh_move(
        by.actor,
        instrument,
        reservation,
        period,
        by.now,
        override=override,
        backing=backing,
        asked_by=asked_by,
    )
    if move.refusals:
        raise RulesRefuse(move.refusals)
    move_store(by, instrument=instrument, reservation=reservation, move=move, reason=reason.strip())
    return reservation


def backing_locked(instrument: Instrument, reservation: Reservation) -> Backing:
    """Load the payer's side of prices, and lock its grants, so that nobody else reserves money of them."""
    payer = reservation.organisation
    return load_backings([payer], instruments=[instrument], lock=True)[payer.pk]


def require_mover(
    actor: Actor, instrument: Instrument, reservation: Reservation, period: Period, reason: str
) -> None:
    """Raise `NotPermitted` if the actor may not move the booking there, `Invalid` if the host gives no
    reason."""
    if not is_by_host(actor, instrument, reservation):
        require_payers_word(actor, reservation, period)
    elif not reason.strip():
        raise invalid("reason", "required")


def require_payers_word(actor: Actor, reservation: Reservation, period: Period) -> None:
    """Raise `NotPermitted` unless the actor may change a booking's time at the payer's cost: the person of
    the booking, while they may still book for the payer, or a manager of the payer. The person may always
    shorten it."""
    place = place_of(reservation.organisation)
    is_own = actor.user_id in {reservation.user_id, reservation.made_by_id}
    old = Period(reservation.start_at, reservation.end_at)
    if is_own and moves.kind_of(old, period) == moves.SHORTEN:
        return
    is_member = reservation.organisation_id in actor.organisations
    if not (is_own and is_member and actor.may("book", place)):
        require(actor, "book-for-members", place)


def require_movable(reservation: Reservation, period: Period, now: datetime) -> None:
    """Raise `WrongState` or `Invalid` unless the booking can move there: it is neither missed nor over, keeps
    its start if in use, and does not end in the past."""
    state = rules.effective_state(reservation.state, reservation.deadline_at, now)
    if state not in MOVABLE or (
        state == "confirmed"
        and not rules.may_still_cancel(
            reservation.start_at, reservation.end_at, reservation.check_in_minutes, now
        )
    ):
        raise WrongState(state=state, wanted="moved")
    if state == "in_use" and period.start != reservation.start_at:
        raise invalid("start", "in-use")
    if period.end <= now:
        raise invalid("end", "in-the-past")


def move_store(
    by: By,
    *,
    instrument: Instrument,
    reservation: Reservation,
    move: Move,
    reason: str,
    is_one_of_many: bool = False,
) -> None:
    """Carry out a move that nothing refuses; the caller holds the locks. With `is_one_of_many` it sends no
    message of its own, and stores the occupancy row again, which the caller has removed."""
    if reservation.shortening_fee and move.given and move.given.card.currency != move.currency:
        raise invalid("start", "another-currency")  # the amount that is owed already is in the old currency
    old = Period(reservation.start_at, reservation.end_at)
    was = reservation.state
    policy = load_policy(instrument.policy)
    waits = move.needs_approval
    deadline = reservation.deadline_at
    if waits:
        deadline = approvals.answer_deadline(by.now, policy.approval_minutes, move.period.start)
    elif deadline is not None:
        deadline = min(deadline, move.period.start)
    changes = _changes(reservation, move) | {
        "deadline_at": deadline,
        "policy_version": instrument.policy.version,
    }
    _occupy(reservation, move, deadline, is_one_of_many)
    recorded = {
        "start": move.period.start,
        "end": move.period.end,
        "unit": move.unit,
        "kind": move.kind,
        "policy_version": instrument.policy.version,
        "shortening_fee": move.fee.fee,
        "overrides": list(move.broken),
    }
    if move.new is not None and (move.new.voucher or move.old.voucher):
        recorded |= {"voucher": move.new.voucher, "covered": move.new.covered}
    if move.new is not None and move.earmarked.sources:
        recorded |= {"payable": move.new.payable}
    if waits and was == "confirmed":
        reservation_move_to(
            by,
            reservation=reservation,
            state="requested",
            reason=reason,
            extra=changes,
            recorded={"was_start": old.start, "was_end": old.end},
        )
    else:
        reservation_touch(
            by,
            reservation=reservation,
            action=f"reservation.{move.kind}",
            changes=changes,
            recorded=recorded,
            reason=reason,
        )
    if move.given is not None and move.new is not None:
        Quote.objects.filter(reservation=reservation, is_current=True).update(is_current=False)
        insert([placing.quote_of(reservation, Price(move.given, move.new), by.now)])
        earmarks_change(
            earmarked=move.earmarked,
            reservation=reservation,
            quote=move.new,
            was=move.currency,
            grant_id=move.grant_id,
            day=paid_from(instrument, move.kind, move.period),
            today=local_date(ZoneInfo(instrument.facility.time_zone), by.now),
            now=by.now,
            by_host=is_by_host(by.actor, instrument, reservation),
        )
    effects: list[Effect] = []
    if not is_one_of_many:
        effects += (
            placing.requested_effects(reservation, by.now, old) if waits else [message("moved", reservation)]
        )
    if reservation.state == "confirmed":
        effects += placing.reminder_effects(reservation, by.now)
    if move.kind != moves.EXTEND:
        effects.append(slot_freed(reservation, old))
    enqueue(effects, now=by.now)


def _changes(reservation: Reservation, move: Move) -> dict[str, Any]:
    regions = {
        "payer_region_id": move.terms.payer_region,
        "host_region_id": move.terms.host_region,
    }  # those of the new start, if payer or host move to another region
    return {
        name: region.pk
        for name, region in regions.items()
        if region is not None and region.pk != getattr(reservation, name)
    } | {
        "start_at": move.period.start,
        "end_at": move.period.end,
        "unit": move.unit,
        "setup_minutes": move.setup_minutes,
        "teardown_minutes": move.teardown_minutes,
        "price_group": move.terms.price_group,
        "agreement_id": move.agreement_id(reservation),
        "rate_card_id": move.terms.card.id if move.terms.card else reservation.rate_card_id,
        "least_percent": move.least_percent,
        "shortening_fee": reservation.shortening_fee + move.fee.fee,
        "overrides": sorted({*reservation.overrides, *move.broken}),
        **({"second_thought_on": move.second_thought_on} if move.second_thought_on else {}),
    }


def _occupy(reservation: Reservation, move: Move, expires_at: datetime | None, is_parked: bool) -> None:
    row = reservation.occupancy
    span = move.period.padded(move.setup_minutes, move.teardown_minutes)
    if reservation.state == "in_use":  # somebody who came early keeps the time from then on
        span = Period(min(to_period(row.span).start, span.start), span.end)
    row.span = to_range(span)
    row.unit = move.unit or row.unit
    row.expires_at = expires_at
    if is_parked:
        row.save(force_insert=True)
    else:
        row.save(update_fields=["span", "unit", "expires_at"])
