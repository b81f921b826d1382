"""Closures of an instrument, as its managers see them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet, prefetch_related_objects

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from bookings.models import Closure, Reservation
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


def with_people(reservations: Sequence[Reservation]) -> list[Reservation]:
    """Reservations with whose they are. Two statements."""
    rows = list(reservations)
    prefetch_related_objects(rows, "user", "organisation")
    return rows
