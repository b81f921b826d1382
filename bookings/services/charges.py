"""Charging ended reservations."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import trail
from bookings.domain.charges import charge
from bookings.locks import lock_reservation
from bookings.models import Charge
from bookings.selectors.charges import load_ending, load_quoted
from bookings.services.occupancy import lineage_of


@transaction.atomic
def charge_make(*, reservation_id: UUID, now: datetime) -> Charge | None:
    """The charge of an ended reservation; made once. None where nothing is owed, or where the
    rate card charges by use and the times of use are not known yet."""
    _, reservation = lock_reservation(reservation_id)
    made = Charge.objects.filter(reservation=reservation).first()
    if made is not None:
        return made
    due = charge(load_quoted(reservation_id), load_ending(reservation))
    if due is None:
        return None
    row = Charge.objects.create(
        reservation=reservation,
        kind=due.kind,
        inputs=dict(due.inputs),
        result=dict(due.result),
        currency=due.currency,
        total=due.total,
        payable=due.payable,
        created_at=now,
    )
    trail.record(
        actor=None,
        action="charge.create",
        target=row,
        now=now,
        after={
            "reservation": reservation.pk,
            "kind": due.kind,
            "currency": due.currency,
            "total": due.total,
            "payable": due.payable,
        },
        organisation_ids=[reservation.organisation_id, reservation.host_id],
        region_ids=lineage_of(reservation),
    )
    return row
