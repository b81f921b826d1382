"""Reduce late-cancellation fees by what others used of the freed time."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.roles import PLATFORM, By
from accounts.notifications import Effect, enqueue
from accounts.services.jobs import work_through
from bookings.charging.domain.melting import fee_that_melts, melt
from bookings.charging.locks import lock_charge, lock_host_books
from bookings.charging.selectors.melting import (
    fees_to_melt,
    is_waiting_for_others,
    melting_of,
    spans_charged_to_others,
)
from bookings.charging.services.charges import charge_store
from bookings.charging.services.corrections import reversal_row
from bookings.funding.services.earmarks import earmarks_respend
from bookings.pricing.domain.quotes import input_from_json
from bookings.pricing.models import Charge
from bookings.record.domain.money import format_amount
from bookings.record.locks import claim_reservation, lock_reservation
from bookings.record.models import Reservation


def fees_melt(*, now: datetime, most: int = 200) -> int:
    """Reduce each fee, once, by what others paid for of the cancelled time, after the period has passed and
    everybody who used it has been charged. Return how many."""
    due = fees_to_melt(now)
    return work_through(job="melting fees", due=due, act=lambda pk: _melt(pk, now), now=now, most=most)


def _melt(charge_id: UUID, now: datetime) -> int:
    reservation_id = Charge.objects.values_list("reservation_id", flat=True).get(pk=charge_id)
    claim_reservation(reservation_id)
    _, reservation = lock_reservation(reservation_id)
    if is_waiting_for_others(reservation):
        return 0
    lock_host_books(reservation.host_id)
    charge = lock_charge(charge_id)
    if charge.state == Charge.State.REVERSED or melting_of(charge_id) is not None:
        return 0
    row = _melting_row(charge, reservation, now)
    if row is None:
        return 0
    charge_store(By(PLATFORM, now), charge=row, places=reservation.places())
    earmarks_respend(
        subject=reservation,
        covered=charge.covered,
        payable=charge.payable + row.payable,
        currency=charge.currency,
    )
    about = {"charge": str(charge_id)}
    enqueue([Effect("event.reduced", f"event.reduced:{charge_id}", about)], now=now)
    return 1


def _melting_row(charge: Charge, reservation: Reservation, now: datetime) -> Charge | None:
    """Build the charge that records the reduction of a fee; None if nothing is taken off."""
    fee, tax = fee_that_melts(
        Decimal(charge.result["fee"]),
        tax_percent=input_from_json(charge.inputs["quote"]).card.tax_percent,
        waived_percent=Decimal(charge.inputs.get("waive_percent", "0")),
        currency=charge.currency,
    )
    spans = spans_charged_to_others(reservation)
    melted = melt(
        fee=fee,
        tax=tax,
        currency=charge.currency,
        period=(reservation.start_at, reservation.end_at),
        used=spans,
    )
    taken = melted.fee + melted.tax
    if not taken:
        return None
    return reversal_row(
        charge,
        now,
        kind="melting",
        amounts={"tax": -melted.tax, "total": -taken, "covered": Decimal(0), "payable": -taken},
        inputs={
            "fee": format_amount(fee, charge.currency),
            "tax": format_amount(tax, charge.currency),
            "period": [reservation.start_at.isoformat(), reservation.end_at.isoformat()],
            "used": [[start.isoformat(), end.isoformat()] for start, end in spans],
        },
        result={
            "minutes": melted.minutes,
            "used_minutes": melted.used,
            "fee": format_amount(-melted.fee, charge.currency),
        },
    )
