"""Sum up what a person's bookings and courses will cost and have cost, by month and source."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import DecimalField, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, TruncMonth

from bookings.funding.models import Earmark
from bookings.funding.selectors.funding_sources import STARTS
from bookings.pricing.models import Charge, Quote
from bookings.record.domain.months import month_before
from bookings.record.models import Reservation
from instruments.training.domain.training import CHARGED_WITHIN
from instruments.training.models import Enrolment

# Requests past their deadline no longer count; bookings that are over but not yet charged still do.
_COMING = Q(reservation__state__in=["confirmed", "in_use", "completed", "no_show"])
MONTHS = 12  # months shown before the present one


@dataclass(frozen=True)
class Spent:
    """Costs of bookings and courses that start in a month (identified by its first day), in one currency: the
    amounts reserved or quoted, and charged. `source` None: no funding source pays."""

    month: date
    source: UUID | None
    code: str
    name: str
    currency: str
    will_cost: Decimal
    has_cost: Decimal


def load_spending(user_id: UUID, zone: ZoneInfo, now: datetime) -> list[Spent]:
    """Return what a person's bookings and courses cost by month (in a time zone), the latest first, then by
    source; what a source pays is in its currency. Four statements."""
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
            Q(reservation__user_id=user_id, reservation__start_at__gte=since)
            | Q(enrolment__user_id=user_id, enrolment__session__start_at__gte=since),
            source__isnull=False,
        )
        .annotate(starts_in=TruncMonth(STARTS, tzinfo=zone))
        .order_by()
        .values("starts_in", "source_id", "source__code", "source__name", "source__currency")
        .annotate(held=Sum("held"), spent=Sum("redeemed"))
        if row["held"] or row["spent"]
    ]
    spent += _unfunded(user_id, zone, now, since)
    return sorted(spent, key=lambda each: (-each.month.toordinal(), not each.code, each.code))


@dataclass(frozen=True)
class SpentOn:
    """Costs of bookings of one instrument, or of places in one course, that start in a year, in one currency,
    tax included: quoted and not yet charged, charged, and the part that vouchers paid or will pay."""

    instrument: UUID | None
    course: UUID | None
    name: str
    name_zh: str
    currency: str
    will_cost: Decimal
    has_cost: Decimal
    covered: Decimal


def load_spending_on(user_id: UUID, year: int, zone: ZoneInfo, now: datetime) -> tuple[SpentOn, ...]:
    """Return what a person's bookings and courses of a year cost by instrument or course, the most expensive
    first. Four statements."""
    charged = Charge.objects.filter(reservation_id=OuterRef("reservation_id"))
    first, until = datetime(year, 1, 1, tzinfo=zone), datetime(year + 1, 1, 1, tzinfo=zone)
    within = Q(
        reservation__user_id=user_id, reservation__start_at__gte=first, reservation__start_at__lt=until
    )
    coming = Quote.objects.filter(_COMING | _waiting(now), ~Exists(charged), is_current=True)
    sums: dict[tuple[UUID | None, UUID | None, str, str, str], list[Decimal]] = {}
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
            key = (row["pk"], None, row["name"], row["name_zh"], row["currency"])
            one = sums.setdefault(key, [Decimal(0), Decimal(0), Decimal(0)])
            one[index] += row["to_pay"]
            one[2] += row["total_cost"] - row["to_pay"]
    course = "session__course"
    for index, places in enumerate((_places_ahead(user_id, now), _places_charged(user_id))):
        of_year = places.filter(session__start_at__gte=first, session__start_at__lt=until).order_by()
        names = of_year.values_list(course, f"{course}__name", f"{course}__name_zh", "in_currency")
        for pk, name, name_zh, currency, amount in names.annotate(sum=Sum("cost")):
            key = (None, pk, name, name_zh, currency)
            sums.setdefault(key, [Decimal(0), Decimal(0), Decimal(0)])[index] += amount
    spent = [SpentOn(*key, *amounts) for key, amounts in sums.items() if any(amounts)]
    return tuple(sorted(spent, key=lambda each: (each.currency, -each.has_cost - each.will_cost, each.name)))


# As amounts of charges are stored: some currencies have three decimals.
_COST = DecimalField(max_digits=18, decimal_places=3)


def _places_ahead(user_id: UUID, now: datetime) -> QuerySet[Enrolment]:
    """Return the places with a price that a person has in courses and that may still be charged."""
    rows = Enrolment.objects.filter(
        user_id=user_id,
        state=Enrolment.State.ENROLLED,
        price__isnull=False,
        session__cancelled_at=None,
        session__end_at__gte=now - CHARGED_WITHIN,
    )
    cost = Cast(KT("price__result__payable"), _COST)
    return rows.annotate(in_currency=KT("price__result__currency"), cost=cost)


def _places_charged(user_id: UUID) -> QuerySet[Enrolment]:
    """Return the charges for places of a person in courses, each as a row of its place."""
    rows = Enrolment.objects.filter(user_id=user_id, charges__isnull=False)
    return rows.annotate(in_currency=F("charges__currency"), cost=F("charges__payable"))


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
    place_funded = Earmark.objects.filter(enrolment_id=OuterRef("pk"), source__isnull=False)
    for index, places in enumerate((_places_ahead(user_id, now), _places_charged(user_id))):
        by_month = places.filter(~Exists(place_funded), session__start_at__gte=since).order_by()
        by_month = by_month.annotate(starts_in=TruncMonth("session__start_at", tzinfo=zone))
        for starts_in, currency, amount in by_month.values_list("starts_in", "in_currency").annotate(
            sum=Sum("cost")
        ):
            sums.setdefault((starts_in.date(), currency), [Decimal(0), Decimal(0)])[index] += amount
    return [
        Spent(month, None, "", "", currency, will_cost, has_cost)
        for (month, currency), (will_cost, has_cost) in sums.items()
        if will_cost or has_cost
    ]
