"""Locks below the instrument's own (instruments/locks.py): take them after it, in this order."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.db.models import Model, QuerySet

from accounts.domain.errors import NotFound
from accounts.domain.jobs import Busy
from accounts.models import Organisation, User
from bookings.models import (
    Agreement,
    Chain,
    Charge,
    Reservation,
    Series,
    Settlement,
    Statement,
    VoucherGrant,
    VoucherProgramme,
)
from instruments.locks import claim_instrument, lock_instrument
from instruments.models import Instrument


def locked[Row: Model](rows: QuerySet[Row]) -> QuerySet[Row]:
    """Rows that a selector reads for whoever will change them: sources, programmes, grants. Say
    an order."""
    return rows.select_for_update(of=("self",), no_key=True)


def lock_series(series_id: UUID) -> Series:
    """Before its reservations."""
    return Series.objects.select_for_update(no_key=True).get(pk=series_id)


def lock_reservation(reservation_id: UUID) -> tuple[Instrument, Reservation]:
    """A reservation with its instrument, both locked, the instrument first. Three statements."""
    instrument_id = (
        Reservation.objects.filter(pk=reservation_id)
        .values_list("instrument_id", flat=True)
        .first()
    )
    if instrument_id is None:
        raise NotFound
    instrument = lock_instrument(instrument_id)
    (reservation,) = lock_reservations([reservation_id])
    return instrument, reservation


def claim_reservation(reservation_id: UUID) -> None:
    """For jobs: its instrument, without waiting. `Busy` while another has it."""
    instrument_id = (
        Reservation.objects.filter(pk=reservation_id)
        .values_list("instrument_id", flat=True)
        .first()
    )
    if instrument_id is None:
        raise Busy
    claim_instrument(instrument_id)


def lock_reservations(reservation_ids: Iterable[UUID]) -> list[Reservation]:
    """In the order of their ids. The instrument must be locked already."""
    return list(
        Reservation.objects.select_for_update(of=("self",), no_key=True)
        .select_related(
            "organisation__region", "host", "host_region", "payer_region", "occupancy", "user"
        )
        .filter(pk__in=sorted(set(reservation_ids)))
        .order_by("pk")
    )


def lock_imports(organisation_id: UUID) -> None:
    """Files of bookings of one payer follow one another: each sees what those before it brought.
    The first lock to take, before the instruments; nobody else takes it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"bookings-import:{organisation_id}"],
        )


def lock_chain(chain_id: UUID) -> Chain:
    """What ties steps on different instruments together; after their reservations."""
    return Chain.objects.select_for_update(no_key=True).get(pk=chain_id)


def lock_person(person: UUID) -> None:
    """What is counted per person over all instruments is counted one at a time. The last lock
    to take."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=person)


def claim_person(person: UUID) -> None:
    """For jobs: a person's lock, without waiting. `Busy` while another has it."""
    free = User.objects.filter(pk=person).order_by("pk")
    if not free.select_for_update(no_key=True, skip_locked=True).values_list("pk"):
        raise Busy


def lock_host_books(host_id: UUID) -> Organisation:
    """What a host's month holds is decided one at a time: charges that become final, and drawing
    up or voiding its statements. After instruments, reservations, sources and grants; several
    hosts in the order of their ids."""
    return (
        Organisation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("region")
        .get(pk=host_id)
    )


def claim_host_books(host_id: UUID) -> None:
    """For jobs: the books of a host, without waiting. `Busy` while another has them."""
    free = Organisation.objects.filter(pk=host_id).order_by("pk")
    if not free.select_for_update(no_key=True, skip_locked=True).values_list("pk"):
        raise Busy


def lock_statement(statement_id: UUID) -> Statement:
    """After the books of its host, where those are needed. `NotFound` if there is none."""
    found = (
        Statement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("host", "payer", "host_region", "payer_region")
        .filter(pk=statement_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def lock_settlement(settlement_id: UUID) -> Settlement:
    """`NotFound` if there is none."""
    found = (
        Settlement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("first", "second")
        .filter(pk=settlement_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def lock_charge(charge_id: UUID) -> Charge:
    """After the host's books, where both are wanted."""
    return Charge.objects.select_for_update(of=("self",), no_key=True).get(pk=charge_id)


def lock_agreement(agreement_id: UUID) -> Agreement | None:
    """While it is changed, signed or ended. It is taken alone."""
    return Agreement.objects.select_for_update(no_key=True).filter(pk=agreement_id).first()


def lock_programme(programme_id: UUID) -> VoucherProgramme | None:
    """Before its grants, by whoever makes or changes one: its budget is shared out by one at a
    time."""
    return (
        VoucherProgramme.objects.select_for_update(of=("self",), no_key=True)
        .select_related("region")
        .filter(pk=programme_id)
        .first()
    )


def lock_grant(grant_id: UUID) -> tuple[VoucherProgramme, VoucherGrant]:
    """A grant after its programme, both locked. `NotFound` if there is none."""
    programme_id = (
        VoucherGrant.objects.filter(pk=grant_id).values_list("programme_id", flat=True).first()
    )
    programme = lock_programme(programme_id) if programme_id else None
    if programme is None:
        raise NotFound
    (grant,) = locked(
        VoucherGrant.objects.filter(pk=grant_id).select_related("organisation__region")
    )
    return programme, grant
