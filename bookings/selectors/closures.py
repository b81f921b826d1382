"""Closures of an instrument, as its managers see them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet, prefetch_related_objects

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from bookings.domain import reservations as rules
from bookings.domain.charges import ChargeMade, charge
from bookings.models import Closure, Reservation
from bookings.selectors.charges import load_ending, load_quoted
from instruments.models import Instrument
from instruments.selectors.registry import instruments_for


def closures_of(instrument: Instrument) -> QuerySet[Closure]:
    """All, the latest first."""
    return _of(instrument).order_by("-start_at", "-id")


def closure_by_id(actor: Actor, closure_id: UUID) -> Closure:
    """With its instrument; `NotFound` if there is none, or the instrument is not the actor's
    to see."""
    found = (
        Closure.objects.filter(pk=closure_id, instrument__in=instruments_for(actor).values("pk"))
        .select_related("instrument__organisation__region")
        .first()
    )
    if found is None:
        raise NotFound
    return found


def coming(instrument: Instrument, now: datetime) -> QuerySet[Closure]:
    """Not begun, the next first."""
    return _of(instrument).filter(start_at__gt=now).order_by("start_at", "id")


def running(instrument: Instrument, now: datetime) -> QuerySet[Closure]:
    """Begun and not over, the oldest first."""
    return (
        _of(instrument)
        .filter(Q(end_at=None) | Q(end_at__gt=now), start_at__lte=now)
        .order_by("start_at", "id")
    )


def past(instrument: Instrument, now: datetime) -> QuerySet[Closure]:
    """Over, the latest first."""
    return _of(instrument).filter(end_at__lte=now).order_by("-start_at", "-id")


def instrument_of(closure_id: UUID) -> UUID:
    """The instrument a closure is of; `NotFound` if there is none."""
    found = Closure.objects.filter(pk=closure_id).values_list("instrument_id", flat=True).first()
    if found is None:
        raise NotFound
    return found


def _of(instrument: Instrument) -> QuerySet[Closure]:
    return Closure.objects.filter(instrument=instrument).select_related("created_by")


def with_people(
    actor: Actor, reservations: Sequence[Reservation], now: datetime
) -> list[Reservation]:
    """Reservations in the way of a closure with whose they are, and as `owed` what the actor would
    owe for displacing their own. Two statements, and two for each of the actor's."""
    rows = list(reservations)
    prefetch_related_objects(rows, "user", "organisation")
    for row in rows:
        row.owed = displacement_now(actor, row, now)  # type: ignore[attr-defined]
    return rows


def displacement_now(actor: Actor, reservation: Reservation, now: datetime) -> ChargeMade | None:
    """What the actor, a manager of the host, would owe for displacing the booking at this moment:
    of their own, once confirmed, what cancelling it would cost, or what is owed already for one
    that was missed or is over; None where it is free. Two statements at most."""
    own = rules.is_own(actor.user_id, person=reservation.user_id, maker=reservation.made_by_id)
    if not own or reservation.confirmed_at is None or reservation.state == "in_use":
        return None
    settled = reservation.state == "confirmed" and rules.settled_state(
        reservation.start_at, reservation.end_at, reservation.check_in_minutes, now
    )
    ending = load_ending(reservation)
    ending = replace(ending, state=settled or "displaced", ended_at=now, is_ended_by_host=False)
    return charge(load_quoted(reservation.pk), ending)
