"""Rows that block units, and releasing them.

All services that take or release a slot share these functions; call them under the instrument's lock.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts import trail
from accounts.domain.errors import WrongVersion
from accounts.domain.roles import PLATFORM, By
from accounts.notifications import Effect, enqueue
from bookings.availability.models import Occupancy
from bookings.availability.selectors.availability import to_range
from bookings.funding.services.earmarks import earmarks_release, purses_lock
from bookings.record.domain import reservations as rules
from bookings.record.domain.periods import Period
from bookings.record.locks import lock_reservations
from bookings.record.models import Reservation
from instruments.register.models import Instrument


def occupancy_of(reservation: Reservation, blocked: Period, *, expires_at: datetime | None) -> Occupancy:
    """Return the row that blocks the reservation's unit for a span, buffers included; not yet stored."""
    return Occupancy(
        instrument_id=reservation.instrument_id,
        unit=reservation.unit,
        span=to_range(blocked),
        reservation=reservation,
        expires_at=expires_at,
    )


def reservation_move_to(
    by: By,
    *,
    reservation: Reservation,
    state: str,
    reason: str = "",
    by_host: bool = False,
    extra: Mapping[str, Any] | None = None,
    recorded: Mapping[str, Any] | None = None,
    effects: Iterable[Effect] = (),
) -> None:
    """Move a reservation to another state, unless its state has changed meanwhile (`WrongVersion`). Release
    slot and reserved money if the new state does so, and write the trail and the outbox. `extra` are further
    fields to set, `recorded` is added to the trail."""
    old = reservation.state
    rules.require_transition(old, state)
    changes: dict[str, Any] = {"state": state, "version": reservation.version + 1} | dict(extra or {})
    if state in rules.RELEASED or state in {"completed", "no_show"}:
        changes |= {"ended_at": by.now, "is_ended_by_host": by_host}
    if state not in {"held", "requested"}:
        changes["deadline_at"] = None
    if reason:
        changes["reason"] = reason[:500]
    swapped = Reservation.objects.filter(pk=reservation.pk, state=old).update(**changes)
    if not swapped:
        raise WrongVersion
    for name, value in changes.items():
        setattr(reservation, name, value)
    effects = list(effects)
    if state in rules.RELEASED:
        Occupancy.objects.filter(reservation_id=reservation.pk).delete()
        if old != "held":  # no money is reserved for holds
            earmarks_release(reservation=reservation, now=by.now)
        period = Period(reservation.start_at, reservation.end_at)
        if period.end > by.now:
            effects.append(slot_freed(reservation, period))
    trail.record(
        by,
        f"reservation.{state}",
        reservation,
        before={"state": old},
        after={name: value for name, value in changes.items() if name != "reason"} | dict(recorded or {}),
        reason=reason,
    )
    enqueue(effects, now=by.now)


def reservation_touch(
    by: By,
    *,
    reservation: Reservation,
    action: str,
    changes: Mapping[str, Any],
    recorded: Mapping[str, Any],
    reason: str = "",
) -> None:
    """Change a reservation without changing its state: raise its version and write the trail."""
    before = {name: getattr(reservation, name) for name in changes}
    for name, value in changes.items():
        setattr(reservation, name, value)
    reservation.version += 1
    reservation.save(update_fields=[*changes, "version"])
    after = dict(recorded) | {"version": reservation.version}
    trail.record(by, action, reservation, before=before, after=after, reason=reason)


def lineage_of(reservation: Reservation) -> list[Any]:
    """Return the regions of a reservation's host and payer, with all regions above them."""
    return [*reservation.host_region.lineage, *reservation.payer_region.lineage]


def message(kind: str, reservation: Reservation, **more: str) -> Effect:
    """Return a message about a reservation as it is now. Its key contains the version, so that each change
    gives a message of its own."""
    return Effect(
        kind=f"mail.{kind}",
        key=f"mail.{kind}:{reservation.pk}:{reservation.version}",
        payload={"reservation": str(reservation.pk)} | more,
    )


def ended(reservation: Reservation) -> Effect:
    """Return the effect that tells programs of a session whose end tells no person."""
    key = f"event.ended:{reservation.pk}:{reservation.version}"
    return Effect("event.ended", key, {"reservation": str(reservation.pk)})


def charge_due(reservation: Reservation) -> Effect:
    """Return the effect that makes the charge of an ended reservation."""
    return Effect(
        kind="charge.due",
        key=f"charge.due:{reservation.pk}:{reservation.version}",
        payload={"reservation": str(reservation.pk)},
    )


def slot_freed(reservation: Reservation, period: Period) -> Effect:
    """Return the effect that offers the freed time of a reservation to people on the waiting list."""
    cause = f"{reservation.pk}:{reservation.version}"
    return time_freed(reservation.instrument_id, period, cause)


def time_freed(instrument_id: UUID, period: Period, cause: str) -> Effect:
    """Return the effect that offers a freed time of an instrument to people on the waiting list; effects with
    the same `cause` are one."""
    return Effect(
        kind="slot.freed",
        key=f"slot.freed:{cause}",
        payload={
            "instrument": str(instrument_id),
            "start": period.start.isoformat(),
            "end": period.end.isoformat(),
        },
    )


def hours_dirty(reservation: Reservation, start: datetime, end: datetime) -> Effect:
    """Return the effect that computes the hours of the days of a span of a reservation again."""
    return days_dirty(reservation.instrument_id, start, end, f"{reservation.pk}:{reservation.version}")


def days_dirty(instrument_id: UUID, start: datetime, end: datetime, cause: str) -> Effect:
    """Return the effect that computes the hours of the days of a span again; effects with the same `cause`
    are one."""
    return Effect(
        kind="hours.dirty",
        key=f"hours.dirty:{cause}",
        payload={"instrument": str(instrument_id), "start": start.isoformat(), "end": end.isoformat()},
    )


def lapse(*, instrument: Instrument, now: datetime) -> int:
    """Expire the instrument's holds and requests whose deadline has passed; return how many."""
    due = Occupancy.objects.filter(instrument=instrument, expires_at__lte=now).values_list(
        "reservation_id", flat=True
    )
    lapsed = 0
    reservations = lock_reservations(pk for pk in due if pk)
    purses_lock(reservations)
    for reservation in reservations:
        if rules.effective_state(reservation.state, reservation.deadline_at, now) != "expired":
            continue
        was_request = reservation.state == "requested"
        reservation_move_to(By(PLATFORM, now), reservation=reservation, state="expired")
        effects = [message("expired", reservation)] if was_request else []
        if reservation.confirmed_at:
            effects.append(charge_due(reservation))
        enqueue(effects, now=now)
        lapsed += 1
    return lapsed
