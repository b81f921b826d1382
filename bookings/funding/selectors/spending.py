"""Sum up what a person's bookings will cost and have cost, by month and source."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.functions import TruncMonth

from bookings.funding.models import Earmark
from bookings.pricing.models import Charge, Quote
from bookings.record.domain.months import month_before
from bookings.record.models import Reservation

# Requests past their deadline no longer count; bookings that are over but not yet charged still do.
_COMING = Q(reservation__state__in=["confirmed", "in_use", "completed", "no_show"])
MONTHS = 12  # months shown before the present one


@dataclass(frozen=True)
class Spent:
    """Costs of bookings that start in a month (identified by its first day), in one currency: the amounts
    reserved or quoted, and charged. `source` None: no funding source pays."""

    month: date
    source: UUID | None
    code: str
    name: str
    currency: str
    will_cost: Decimal
    has_cost: Decimal


def load_spending(user_id: UUID, zone: ZoneInfo, now: datetime) -> list[Spent]:
    """Return what a person's bookings cost by month (in a time zone), the latest first, then by source; what
    a source pays is in its currency. Three statements."""
    first = month_before(now.astimezone(zone).date(), MONTHS)
    since = datetime(first.year, first.month, 1, tzinfo=zone)
    spent = [
        Spent(
            row["starts_in"].date(),
            row["source_id"],
            row["source__code"],
            row["source__name"],
            row["source__currency"],
            row["held"],
            row["spent"],
        )
        for row in Earmark.objects.filter(
            source__isnull=False, reservation__user_id=user_id, reservation__start_at__gte=since
        )
        .annotate(starts_in=TruncMonth("reservation__start_at", tzinfo=zone))
        .order_by()
        .values("starts_in", "source_id", "source__code", "source__name", "source__currency")
        .annotate(held=Sum("held"), spent=Sum("redeemed"))
        if row["held"] or row["spent"]
    ]
    spent += _unfunded(user_id, zone, now, since)
    return sorted(spent, key=lambda each: (-each.month.toordinal(), not each.code, each.code))


@dataclass(frozen=True)
class SpentOn:
    """Costs of bookings of one instrument that start in a year, in one currency, tax included: quoted and not
    yet charged, charged, and the part that vouchers paid or will pay."""

    instrument: UUID
    name: str
    name_zh: str
    currency: str
    will_cost: Decimal
    has_cost: Decimal
    covered: Decimal


def load_spending_on(user_id: UUID, year: int, zone: ZoneInfo, now: datetime) -> tuple[SpentOn, ...]:
    """Return what a person's bookings of a year cost by instrument, the most expensive first. Two
    statements."""
    charged = Charge.objects.filter(reservation_id=OuterRef("reservation_id"))
    within = Q(
        reservation__user_id=user_id,
        reservation__start_at__gte=datetime(year, 1, 1, tzinfo=zone),
        reservation__start_at__lt=datetime(year + 1, 1, 1, tzinfo=zone),
    )
    coming = Quote.objects.filter(_COMING | _waiting(now), ~Exists(charged), is_current=True)
    sums: dict[tuple[UUID, str, str, str], list[Decimal]] = {}
    for index, rows in enumerate((coming, Charge.objects.all())):
        for row in (
            rows.filter(within)
            .order_by()
            .values(
                "currency",
                pk=F("reservation__instrument_id"),
                name=F("reservation__instrument__name"),
                name_zh=F("reservation__instrument__name_zh"),
            )
            .annotate(to_pay=Sum("payable"), total_cost=Sum("total"))
        ):
            key = (row["pk"], row["name"], row["name_zh"], row["currency"])
            one = sums.setdefault(key, [Decimal(0), Decimal(0), Decimal(0)])
            one[index] += row["to_pay"]
            one[2] += row["total_cost"] - row["to_pay"]
    spent = [SpentOn(*key, *amounts) for key, amounts in sums.items() if any(amounts)]
    return tuple(sorted(spent, key=lambda each: (each.currency, -each.has_cost - each.will_cost, each.name)))


def _waiting(now: datetime) -> Q:
    """Return a condition for requests to book that may still be answered."""
    return Q(reservation__state=Reservation.State.REQUESTED, reservation__deadline_at__gt=now)


def _unfunded(user_id: UUID, zone: ZoneInfo, now: datetime, since: datetime) -> Iterable[Spent]:
    funded = Earmark.objects.filter(reservation_id=OuterRef("reservation_id"), source__isnull=False)
    charged = Charge.objects.filter(reservation_id=OuterRef("reservation_id"))
    coming = Quote.objects.filter(_COMING | _waiting(now), ~Exists(charged), is_current=True)
    sums: dict[tuple[date, str], list[Decimal]] = {}
    for index, rows in enumerate((coming, Charge.objects.all())):
        months = (
            rows.filter(~Exists(funded), reservation__user_id=user_id, reservation__start_at__gte=since)
            .annotate(starts_in=TruncMonth("reservation__start_at", tzinfo=zone))
            .order_by()
            .values("starts_in", "currency")
            .annotate(amount=Sum("payable"))
        )
        for row in months:
            key = (row["starts_in"].date(), row["currency"])
            sums.setdefault(key, [Decimal(0), Decimal(0)])[index] += row["amount"]
    return [
        Spent(month, None, "", "", currency, will_cost, has_cost)
        for (month, currency), (will_cost, has_cost) in sums.items()
        if will_cost or has_cost
    ]
