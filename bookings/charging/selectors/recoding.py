"""Read which funding sources pay for charges, and which charges have none."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from accounts.domain.roles import Actor
from accounts.selectors.zones import DayIn
from bookings.funding.models import FundingSource
from bookings.funding.selectors.earmarks import Subject, paid_for
from bookings.funding.selectors.funding_sources import chargeable
from bookings.pricing.domain.charges import ORIGINAL
from bookings.pricing.models import Charge
from bookings.pricing.selectors.charges import charges_for
from instruments.reading.domain.clock import local_date


def owed_of(subject: Subject) -> Decimal:
    """Return what is payable for a reservation, or a place in a course, by all its charges. One statement."""
    sums = subject.charges.aggregate(amount=Sum("payable"))
    return sums["amount"] or Decimal(0)


def day_of(charge: Charge) -> date:
    """Return the local day on which the booking of a charge begins, on which its sources must be valid."""
    return local_date(ZoneInfo(charge.time_zone), charge.start_at)


def sources_offered(charge: Charge) -> list[FundingSource]:
    """Return the payer's sources that can pay for a charge. One statement."""
    return chargeable(charge.organisation, [], day_of(charge), all_of_it=True)


def charges_without_source(actor: Actor, now: datetime) -> QuerySet[Charge]:
    """Return the charges that are not final and for which no funding source pays, of organisations whose
    books the actor keeps and which have sources that are valid on the day of the booking."""
    sources = FundingSource.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=OuterRef("on_day")),
        organisation=OuterRef("organisation"),
        suspended_at=None,
        valid_from__lte=OuterRef("on_day"),
    )
    is_open = Q(state=Charge.State.DISPUTED) | Q(state=Charge.State.OPEN, open_until__gt=now)
    booked = DayIn(F("reservation__start_at"), "reservation__instrument__facility__time_zone")
    attended = DayIn(F("enrolment__session__start_at"), "enrolment__session__facility__time_zone")
    rows = charges_for(actor).alias(on_day=Coalesce(booked, attended))
    return rows.filter(
        is_open,
        ~paid_for(),
        Exists(sources),
        organisation__in=actor.organisations_where("account"),
        kind__in=ORIGINAL,
        payable__gt=0,
    )
