"""Read how long records are kept."""

from dataclasses import replace
from datetime import date, timedelta

from django.db.models import QuerySet

from accounts.work import Kept, kept
from bookings.privacy.domain.periods import days_on
from bookings.privacy.models import HoldingPeriod


def entered_periods() -> QuerySet[HoldingPeriod]:
    """Return the periods that were entered, the newest first."""
    return HoldingPeriod.objects.select_related("entered_by").order_by("-valid_from", "kind")


def load_kept(day: date) -> list[Kept]:
    """Return the kinds of records that are removed, each with the period that holds on a day. One
    statement."""
    rows = HoldingPeriod.objects.values_list("kind", "valid_from", "days")
    days = days_on(rows, day)
    return [
        replace(each, span=timedelta(days=days[each.kind])) if each.kind in days and each.least else each
        for each in kept()
    ]


def least_days() -> dict[str, int]:
    """Return the fewest days of each kind whose period administrators may change."""
    return {each.kind: each.least for each in kept() if each.least}
