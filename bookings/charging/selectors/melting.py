"""Load late-cancellation fees, and the use that others made of the freed time."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from bookings.charging.domain.melting import Span
from bookings.pricing.models import Charge
from bookings.record.domain.reservations import CHECK_IN_BEFORE, SESSION_LEFT_OPEN
from bookings.record.models import Reservation

# How long after its period a fee is examined: everybody who used the time is charged by then.
LOOK_BACK = timedelta(days=92)
# How far use may lie from what was reserved: checking in early, a session left open.
BEFORE, AFTER = SESSION_LEFT_OPEN, CHECK_IN_BEFORE


def fees_to_melt(now: datetime) -> QuerySet[Charge]:
    """Return late-cancellation fees that can be reduced now: the period has passed, others used some of it
    and have been charged, and the fee has not been reduced before."""
    used = (
        Charge.objects.filter(
            reservation__instrument_id=OuterRef("reservation__instrument_id"),
            reservation__unit=OuterRef("reservation__unit"),
            reservation__start_at__lt=OuterRef("reservation__end_at") + AFTER,
            reservation__end_at__gt=OuterRef("reservation__start_at") - BEFORE,
            kind="use",
        )
        .exclude(state="reversed")
        .exclude(reservation__user_id=OuterRef("reservation__user_id"))
        .alias(used_from=_moment("start"), used_until=_moment("end"))
        .filter(
            used_from__lt=OuterRef("reservation__end_at"), used_until__gt=OuterRef("reservation__start_at")
        )
    )
    return (
        Charge.objects.filter(
            ~Q(state="reversed"),
            Exists(used),
            kind="cancellation",
            reservation__end_at__lte=now,
            reservation__end_at__gt=now - LOOK_BACK,
        )
        .exclude(reversals__kind="melting")
        .order_by("reservation__end_at", "id")
    )


def _moment(name: str) -> Cast:
    """Return an expression for the start or the end of the period that a charge of use is for."""
    return Cast(KeyTextTransform(name, "inputs"), DateTimeField())


def is_waiting_for_others(reservation: Reservation) -> bool:
    """Return whether another person's booking of the unit, near the period, is not charged yet because it is
    not over or its times of use are missing."""
    return (
        _others(reservation)
        .filter(
            Q(state__in=["confirmed", "in_use"])
            | (Q(state="completed", struck="") & ~Exists(Charge.objects.filter(reservation=OuterRef("pk"))))
        )
        .exists()
    )


def spans_charged_to_others(reservation: Reservation) -> list[Span]:
    """Return the spans near a reservation's period for which other people were charged on its unit."""
    charges = Charge.objects.filter(reservation__in=_others(reservation).values("pk"), kind="use").exclude(
        state="reversed"
    )
    return [
        (datetime.fromisoformat(inputs["start"]), datetime.fromisoformat(inputs["end"]))
        for inputs in charges.order_by("pk").values_list("inputs", flat=True)
    ]


def _others(reservation: Reservation) -> QuerySet[Reservation]:
    """Return bookings by others, on the unit of a reservation, whose use may extend into its period."""
    return Reservation.objects.filter(
        instrument_id=reservation.instrument_id,
        unit=reservation.unit,
        start_at__lt=reservation.end_at + AFTER,
        end_at__gt=reservation.start_at - BEFORE,
    ).exclude(user_id=reservation.user_id)


def melting_of(charge_id: UUID) -> Charge | None:
    """Return the charge that records the reduction of a fee, or None."""
    rows = Charge.objects.filter(reverses_id=charge_id, kind="melting").exclude(state="reversed")
    return rows.select_related("host_region", "payer_region").first()
