"""Changing when a booking is: moving, extending, shortening."""

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
from bookings.reserving.selectors.moves import (
    Move,
    is_by_host,
    load_elsewhere,
    paid_from,
    weigh_move,
)
from bookings.reserving.selectors.placing import Price
from bookings.reserving.services.occupancy import (
    message,
    reservation_move_to,
    reservation_touch,
    slot_freed,
)
from bookings.reserving.services.placing import (
    lapse_due,
    quote_of,
    reminder_effects,
    requested_effects,
    require_override,
    reservation_locked,
)
from instruments.domain.opening import local_date
from instruments.models import Instrument
from instruments.selectors.policies import load_policy

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
    """Give a booking another time: the person, the payer's manager, or the host's (who owes a
    reason and may set rules aside). The old slot is given back only as the new one is won.

    `asked_by`: as for `weigh_move`; the caller knows that the other side wants it, too, and has
    asked for everybody's permission.

    A move or an extension that needs approval becomes a request again (`load_move` says so
    first). `RulesRefuse` with every rule against it, and where else one could go; the booking
    then stays as it is.
    """
    try:
        with guarded():
            return _carry_out(by, reservation_id, period, override, reason, asked_by)
    except RulesRefuse as refused:
        row = Reservation.objects.select_related("organisation__region").get(pk=reservation_id)
        raise RulesRefuse(load_elsewhere(row, period, refused.refusals, by.now)) from None


def _carry_out(
    by: By,
    reservation_id: UUID,
    period: Period,
    override: Sequence[str],
    reason: str,
    asked_by: str,
) -> Reservation:
    instrument, reservation = reservation_locked(by, reservation_id)
    if not asked_by:
        require_mover(by.actor, instrument, reservation, period, reason)
    require_override(by.actor, instrument, reservation.user_id, override, reason)
    require_movable(reservation, period, by.now)
    if (reservation.start_at, reservation.end_at) == (period.start, period.end):
        return reservation
    if reservation.chain_id is not None:
        lock_chain(reservation.chain_id)  # its other steps may be moving too
    lapse_due(instrument, by.now)
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
    """What the payer brings; from here on nobody else sets money of its grants aside."""
    payer = reservation.organisation
    return load_backings([payer], instruments=[instrument], lock=True)[payer.pk]


def require_mover(
    actor: Actor, instrument: Instrument, reservation: Reservation, period: Period, reason: str
) -> None:
    """`NotPermitted` if the actor may not move it there; the host owes a reason."""
    if not is_by_host(actor, instrument, reservation):
        require_payers_word(actor, reservation, period)
    elif not reason.strip():
        raise invalid("reason", "required")


def require_payers_word(actor: Actor, reservation: Reservation, period: Period) -> None:
    """`NotPermitted` but for the person, while they may still book for the payer, and the payer's
    manager. Giving time back needs nobody's word."""
    place = place_of(reservation.organisation)
    is_own = actor.user_id in {reservation.user_id, reservation.made_by_id}
    old = Period(reservation.start_at, reservation.end_at)
    if is_own and moves.kind_of(old, period) == moves.SHORTEN:
        return
    is_member = reservation.organisation_id in actor.organisations
    if not (is_own and is_member and actor.may("book", place)):
        require(actor, "book-for-members", place)


def require_movable(reservation: Reservation, period: Period, now: datetime) -> None:
    """Until it is missed or over; what is in use keeps its start; nothing ends in the past."""
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
    """Under the locks: carry out a move that nothing refuses. One of many says nothing of its
    own to people, and its occupancy row is out of the way already: it is written anew."""
    if reservation.shortening_fee and move.given and move.given.card.currency != move.currency:
        raise invalid("start", "another-currency")  # what is owed already is in the old one
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
            by, reservation=reservation, state="requested", reason=reason, extra=changes
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
        insert([quote_of(reservation, Price(move.given, move.new), by.now)])
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
            requested_effects(reservation, by.now) if waits else [message("moved", reservation)]
        )
    if reservation.state == "confirmed":
        effects += reminder_effects(reservation, by.now)
    if move.kind != moves.EXTEND:
        effects.append(slot_freed(reservation, old))
    enqueue(effects, now=by.now)


def _changes(reservation: Reservation, move: Move) -> dict[str, Any]:
    regions = {
        "payer_region_id": move.terms.payer_region,
        "host_region_id": move.terms.host_region,
    }  # those of the new start, where payer or host move to another region
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


def _occupy(
    reservation: Reservation, move: Move, expires_at: datetime | None, is_parked: bool
) -> None:
    row = reservation.occupancy
    span = move.period.padded(move.setup_minutes, move.teardown_minutes)
    if reservation.state == "in_use":  # whoever came early keeps the time from then on
        span = Period(min(to_period(row.span).start, span.start), span.end)
    row.span = to_range(span)
    row.unit = move.unit or row.unit
    row.expires_at = expires_at
    if is_parked:
        row.save(force_insert=True)
    else:
        row.save(update_fields=["span", "unit", "expires_at"])
