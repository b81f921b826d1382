"""Charging ended reservations."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import trail
from bookings.domain.charges import DISPUTABLE, ChargeMade, charge
from bookings.locks import lock_reservation
from bookings.models import Charge, Reservation
from bookings.selectors.charges import load_ending, load_quoted
from bookings.selectors.earmarks import kept_grants, load_earmarked
from bookings.services.earmarks import earmarks_release, earmarks_spend
from bookings.services.ledger import charge_post
from bookings.services.occupancy import lineage_of


@transaction.atomic
def charge_make(*, reservation_id: UUID, now: datetime) -> Charge | None:
    """The charge of an ended reservation; made once. None where nothing is owed, or where the
    rate card charges by use and the times of use are not known yet."""
    _, reservation = lock_reservation(reservation_id)
    made = Charge.objects.filter(reservation=reservation, kind__in=Charge.ORIGINAL).first()
    if made is not None:
        return made
    # The voucher chosen at booking stays, with what it has left by now.
    quoted = load_quoted(reservation_id)
    grants = kept_grants(quoted, load_earmarked(reservation_id, lock=True))
    due = charge(replace(quoted, grants=grants), load_ending(reservation))
    if due is None:
        if reservation.state != Reservation.State.COMPLETED:  # else its times are yet to come
            earmarks_release(reservation=reservation, now=now)
        return None
    grant_id = earmarks_spend(
        reservation=reservation,
        covered=due.covered,
        payable=due.payable,
        currency=due.currency,
        now=now,
    )
    row = charge_row(reservation=reservation, due=due, grant_id=grant_id, now=now)
    Charge.objects.bulk_create([row])
    charge_post(charge=row, now=now)
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


def charge_row(
    *, reservation: Reservation, due: ChargeMade, grant_id: UUID | None, now: datetime
) -> Charge:
    """An open charge, not yet stored."""
    return Charge(
        reservation=reservation,
        kind=due.kind,
        organisation_id=reservation.organisation_id,
        host_id=reservation.host_id,
        payer_region_id=reservation.payer_region_id,
        host_region_id=reservation.host_region_id,
        inputs=dict(due.inputs),
        result=dict(due.result),
        currency=due.currency,
        tax=due.tax,
        total=due.total,
        covered=due.covered,
        payable=due.payable,
        grant_id=grant_id,
        created_at=now,
        open_until=now + DISPUTABLE,
    )
