"""Taking an instrument, or some of its units, out of service."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Greatest

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import Actor, By
from accounts.models.keys import new_id
from accounts.notifications import Effect, enqueue
from accounts.selectors.rows import visible
from bookings.availability.models import Closure, Occupancy
from bookings.availability.selectors.availability import FOREVER, live, load_promises, to_period, to_range
from bookings.availability.selectors.cuts import InTheWay
from bookings.availability.selectors.misfits import less_kept
from bookings.catalogue.selectors.units import units_of
from bookings.funding.services.earmarks import purses_lock
from bookings.pricing.selectors.charges import second_thought_of
from bookings.record.domain.periods import Period, coming, subtract
from bookings.record.domain.reservations import OCCUPYING
from bookings.record.locks import lock_reservations
from bookings.record.models import Reservation, UsageSession
from bookings.reserving.services import occupancy
from bookings.usage.selectors.closures import instrument_of, owes_for, with_people
from bookings.usage.services.usage import confirmed_settle, session_finish
from instruments.register.locks import lock_managed
from instruments.register.models import Instrument
from instruments.training.models import CourseSession

MANAGE = "manage-instruments"


@dataclass(frozen=True)
class Outage:
    """A closure to be made: empty `units` mean all; `end` None is not known yet."""

    kind: str
    start: datetime
    end: datetime | None
    units: tuple[int, ...] = ()
    reason: str = ""


@transaction.atomic
def closure_create(
    by: By,
    *,
    instrument_id: UUID,
    outage: Outage,
    displace: bool,
    pk: UUID | None = None,
    capability: str = MANAGE,
) -> Closure:
    """Close an instrument. The closure blocks time only from now on; its past part only counts for the hours.

    Live reservations in its way raise `InTheWay`; with `displace` those that fit another unit are moved to it
    and the others displaced, and their people are told. This is free for everybody but the actor: their own
    bookings cost what cancelling them would, and one that was missed or is over is charged as such. `pk`: the
    id of the course session that the closure is for; `capability`: what it takes, less for a fault.
    """
    instrument = lock_managed(by, instrument_id, capability)
    _check(instrument, outage, is_new=pk is None)
    occupancy.lapse(instrument=instrument, now=by.now)
    closure = Closure.objects.create(
        pk=pk or new_id(),
        instrument=instrument,
        units=list(outage.units),
        kind=outage.kind,
        start_at=outage.start,
        end_at=outage.end,
        reason=outage.reason,
        created_by_id=by.actor.user_id,
        created_at=by.now,
    )
    end = outage.end or FOREVER
    promised = load_promises([instrument], by.now).get(instrument.pk)
    moved: list[Reservation] = []
    if end > by.now:
        span = Period(max(outage.start, by.now), end)
        units = outage.units or tuple(range(1, units_of(instrument) + 1))
        moved = _clear(by, instrument, units, span, outage, displace)
        _occupy(instrument, closure, units, span)
        _cut_uses(by.actor, instrument, units, outage.start)
        if promised:
            left = load_promises([instrument], by.now)[instrument.pk]
            for pk in less_kept(promised, left, by.now):
                key = f"kept-hours.short:{pk}:{closure.pk}"
                enqueue([Effect("kept-hours.short", key, {"kept": str(pk)})], now=by.now)
    trail.record(
        by,
        "closure.create",
        closure,
        after={
            "instrument": instrument.pk,
            "kind": outage.kind,
            "start": outage.start,
            "end": outage.end,
            "units": list(outage.units),
            "displaced": [reservation.pk for reservation in moved],
        },
        reason=outage.reason,
        places=instrument.places(),
    )
    if outage.start < by.now:
        enqueue(
            [occupancy.days_dirty(instrument.pk, outage.start, min(end, by.now), str(closure.pk))], now=by.now
        )
    return closure


def _check(instrument: Instrument, outage: Outage, *, is_new: bool) -> None:
    if outage.kind not in Closure.Kind.values:
        raise invalid("kind", "unknown-value")
    if outage.end is not None and outage.end <= outage.start:
        raise invalid("end", "not-after-start")
    if any(not 1 <= unit <= units_of(instrument) for unit in outage.units):
        raise invalid("units", "out-of-range", least=1, most=units_of(instrument))
    if len(outage.reason) > 500:
        raise invalid("reason", "too-long", most=500)
    same = Closure.objects.filter(
        instrument=instrument,
        kind=outage.kind,
        start_at=outage.start,
        end_at=outage.end,
        units=list(outage.units),
    )
    if is_new and same.exists():  # the form was sent twice
        raise invalid("start", "closed-already")


def _clear(
    by: By, instrument: Instrument, units: Sequence[int], span: Period, outage: Outage, displace: bool
) -> list[Reservation]:
    """Make room on the units for a span; return the reservations displaced."""
    met = Occupancy.objects.filter(
        live(by.now), instrument=instrument, unit__in=units, span__overlap=to_range(span)
    )
    held = lock_reservations(pk for pk in met.values_list("reservation_id", flat=True) if pk)
    for reservation in held:
        if reservation.state not in OCCUPYING:  # only its teardown is left, which the closure replaces
            _cut(reservation.occupancy, span.start)
    in_the_way = sorted((r for r in held if r.state in OCCUPYING), key=lambda r: r.start_at)
    if in_the_way and not displace:
        raise InTheWay(with_people(by.actor, in_the_way, by.now))
    purses_lock(in_the_way)
    displaced = []
    for reservation in in_the_way:
        if reservation.state == "in_use":
            _cut_short(by, instrument, reservation, outage.start)
            continue
        if _reseat(by, instrument, reservation, set(units)):
            continue
        if reservation.held_for:
            occupancy.reservation_move_to(by, reservation=reservation, state="displaced", by_host=True)
            continue
        own = owes_for(by.actor, reservation)
        if own and confirmed_settle(reservation, now=by.now):
            for teardown in Occupancy.objects.filter(reservation=reservation):
                _cut(teardown, span.start)
            continue
        occupancy.reservation_move_to(
            by,
            reservation=reservation,
            state="displaced",
            reason=outage.reason,
            by_host=not own,
            extra=second_thought_of(by.actor, instrument, reservation, by.now) if own else {},
        )
        effects = [occupancy.message("displaced", reservation)]
        if own and reservation.confirmed_at:
            effects.append(occupancy.charge_due(reservation))
        enqueue(effects, now=by.now)
        displaced.append(reservation)
    return displaced


def _cut_short(by: By, instrument: Instrument, reservation: Reservation, closed_from: datetime) -> None:
    """End the use of the person at the instrument where the closure begins, and tell them."""
    if closed_from <= by.now:
        session = UsageSession.objects.get(reservation=reservation)
        session_finish(by, session, instrument, reservation, check_out=closed_from, assumed=False)
        # The closure takes the unit from now on, teardown and all.
        _cut(Occupancy.objects.get(reservation=reservation), by.now)
    else:
        # The session continues until the closure begins; checking out later changes nothing.
        _cut(reservation.occupancy, closed_from)
        occupancy.reservation_touch(
            by,
            reservation=reservation,
            action="reservation.cut_short",
            changes={},
            recorded={"until": closed_from},
        )
    enqueue([occupancy.message("cut-short", reservation)], now=by.now)


def _cut_uses(actor: Actor, instrument: Instrument, units: Sequence[int], closed_from: datetime) -> None:
    """Have uses that a closure cuts short charged at most until it begins: those still at the instrument, and
    those who checked out after that moment, before the closure was entered. Charges that exist already are
    corrected on the charge. Somebody who closes over their own use has ended it themselves, so it is charged
    as usual."""
    UsageSession.objects.exclude(Q(reservation__user_id=actor.user_id)).filter(
        Q(cut_at=None) | Q(cut_at__gt=closed_from),
        Q(checked_out_at=None) | Q(checked_out_at__gte=closed_from),
        instrument=instrument,
        unit__in=units,
        reservation__end_at__gt=closed_from,
    ).update(cut_at=Greatest("checked_in_at", Value(closed_from)))


def _cut(row: Occupancy, end: datetime) -> None:
    """End an occupancy at a moment; delete it if it would not have begun by then."""
    span = to_period(row.span)
    if end <= span.start:
        row.delete()
    elif end < span.end:
        row.span = to_range(Period(span.start, end))
        row.save(update_fields=["span"])


def _reseat(by: By, instrument: Instrument, reservation: Reservation, closed: set[int]) -> bool:
    """Move a reservation to the lowest other unit that is free for it; return whether there is one."""
    row = reservation.occupancy
    taken = set(
        Occupancy.objects.filter(live(by.now), instrument=instrument, span__overlap=row.span)
        .exclude(pk=row.pk)
        .values_list("unit", flat=True)
    )
    free = set(range(1, units_of(instrument) + 1)) - taken - closed
    if not free:
        return False
    row.unit = min(free)
    row.save(update_fields=["unit"])
    occupancy.reservation_touch(
        by,
        reservation=reservation,
        action="reservation.reseat",
        changes={"unit": row.unit},
        recorded={"unit": row.unit},
    )
    return True


def _occupy(instrument: Instrument, closure: Closure, units: Sequence[int], span: Period) -> None:
    """Block the part of the span that no other closure blocks already; when the other ends, the rest is
    filled in (`closures_fill`)."""
    closed: dict[int, list[Period]] = {unit: [] for unit in units}
    for unit, taken in Occupancy.objects.filter(
        instrument=instrument, unit__in=units, closure__isnull=False, span__overlap=to_range(span)
    ).values_list("unit", "span"):
        closed[unit].append(to_period(taken))
    Occupancy.objects.bulk_create(
        [
            Occupancy(instrument=instrument, unit=unit, span=to_range(gap), closure=closure)
            for unit in units
            for gap in subtract([span], closed[unit])
        ]
    )


def closures_fill(instrument: Instrument, now: datetime) -> None:
    """Let closures block time that another closure has released, or units that were added, if they cover
    it."""
    for other in Closure.objects.filter(Q(end_at=None) | Q(end_at__gt=now), instrument=instrument).order_by(
        "start_at", "pk"
    ):
        units = other.units or range(1, units_of(instrument) + 1)
        span = Period(max(other.start_at, now), other.end_at or FOREVER)
        _occupy(instrument, other, list(units), span)


@transaction.atomic
def closure_end(by: By, *, closure_id: UUID, end: datetime | None, capability: str = MANAGE) -> Closure:
    """End a closure, now or at a moment not before its start; it can only become shorter. `capability`: what
    it takes, less for a fault."""
    instrument, closure = _lock(by, closure_id, capability)
    moment = end or by.now
    if closure.end_at is not None and closure.end_at <= by.now:
        raise WrongState(state="ended", wanted="ended")
    if moment <= closure.start_at:
        raise invalid("end", "not-after-start")
    if closure.start_at > by.now:
        _refuse_of_session(closure)
    if closure.end_at is not None and moment > closure.end_at:
        raise invalid("end", "later-than-before")
    before = closure.end_at
    closure.end_at = moment
    closure.version += 1
    closure.save(update_fields=["end_at", "version"])
    for row in Occupancy.objects.filter(closure=closure):
        _cut(row, moment)
    closures_fill(instrument, by.now)
    trail.record(
        by, "closure.end", closure, before={"end": before}, after={"end": moment}, places=instrument.places()
    )
    cause = f"{closure.pk}:{closure.version}"
    # If it ended in the past, the days that it was expected to last are computed again as well.
    until = max(moment, min(before or by.now, by.now))
    effects = [occupancy.days_dirty(instrument.pk, closure.start_at, until, cause)]
    freed = coming(moment, before or FOREVER, by.now)
    if freed is not None:
        effects.append(occupancy.time_freed(instrument.pk, freed, cause))
    enqueue(effects, now=by.now)
    return closure


@transaction.atomic
def closure_delete(
    by: By, *, closure_id: UUID, with_session: bool = False, capability: str = MANAGE
) -> Instrument:
    """Withdraw a closure that has not begun, and return its instrument; one that has begun can only be ended.
    The closure for a course session is deleted only `with_session`. `capability`: what it takes, less for a
    fault."""
    instrument, closure = _lock(by, closure_id, capability)
    if closure.start_at <= by.now:
        raise WrongState(state="begun", wanted="deleted")
    if not with_session:
        _refuse_of_session(closure)
    trail.record(
        by,
        "closure.delete",
        closure,
        before={"kind": closure.kind, "start": closure.start_at, "end": closure.end_at},
        places=instrument.places(),
    )
    freed = Period(closure.start_at, closure.end_at or FOREVER)
    enqueue([occupancy.time_freed(instrument.pk, freed, f"{closure.pk}:deleted")], now=by.now)
    closure.delete()
    closures_fill(instrument, by.now)
    return instrument


def _refuse_of_session(closure: Closure) -> None:
    is_of_one = closure.kind == Closure.Kind.TRAINING and CourseSession.objects.filter(
        pk=closure.pk, cancelled_at=None
    )
    if is_of_one and is_of_one.exists():
        raise WrongState("closed-for-session")


def _lock(by: By, closure_id: UUID, capability: str) -> tuple[Instrument, Closure]:
    instrument = lock_managed(by, instrument_of(closure_id), capability)
    closure = visible(Closure.objects.select_for_update(no_key=True), pk=closure_id)
    by.require_version(closure.version)
    return instrument, closure
