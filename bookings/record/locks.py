"""Locks of people and reservations, and the order of all locks.

Each area has those of its own rows in its `locks.py`. Whoever takes several takes them in this order:
imports, the instrument (instruments/register/locks.py), series, reservations, samples, chain, sources and
programmes with their grants, the host's books, statement or settlement, charge; the person last. An
agreement's lock is taken alone.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Model, QuerySet

from accounts.domain.errors import NotFound
from accounts.domain.jobs import Busy
from accounts.models import User
from bookings.record.models import Reservation
from instruments.register.locks import claim_instrument, lock_instrument
from instruments.register.models import Instrument


def locked[Row: Model](rows: QuerySet[Row]) -> QuerySet[Row]:
    """Return the rows with a lock that lasts until the end of the transaction, for callers that will change
    them. Give the rows an order."""
    return rows.select_for_update(of=("self",), no_key=True)


def lock_reservation(reservation_id: UUID) -> tuple[Instrument, Reservation]:
    """Lock a reservation with its instrument, the instrument first. Three statements."""
    instrument_id = _instrument_of(reservation_id)
    if instrument_id is None:
        raise NotFound
    instrument = lock_instrument(instrument_id)
    (reservation,) = lock_reservations([reservation_id])
    reservation.instrument = instrument
    return instrument, reservation


def claim_reservation(reservation_id: UUID) -> None:
    """Lock a reservation's instrument for a job, without waiting; raise `Busy` while another has it."""
    instrument_id = _instrument_of(reservation_id)
    if instrument_id is None:
        raise Busy
    claim_instrument(instrument_id)


def _instrument_of(reservation_id: UUID) -> UUID | None:
    rows = Reservation.objects.filter(pk=reservation_id).values_list("instrument_id", flat=True)
    return rows.first()


def lock_reservations(reservation_ids: Iterable[UUID]) -> list[Reservation]:
    """Lock reservations in the order of their ids. The instrument must be locked already."""
    return list(
        Reservation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region", "host", "host_region", "payer_region", "occupancy", "user")
        .filter(pk__in=sorted(set(reservation_ids)))
        .order_by("pk")
    )


def lock_person(person: UUID) -> None:
    """Lock a person, so that limits per person over all instruments are counted one at a time. Take this lock
    last."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=person)


def claim_person(person: UUID) -> None:
    """Take a person's lock for a job, without waiting; raise `Busy` while another has it."""
    free = User.objects.filter(pk=person).order_by("pk")
    if not free.select_for_update(no_key=True, skip_locked=True).values_list("pk"):
        raise Busy
