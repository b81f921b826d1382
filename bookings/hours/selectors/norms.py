"""Norm hours: which are in force."""

from django.db.models import QuerySet

from bookings.hours.domain.norms import Norms, norms_of
from bookings.hours.models import NormHours


def load_norms(scheme: str) -> Norms:
    """The norms of a scheme (one of `hours/domain/norms.FIRST`) by kind. One statement."""
    rows = NormHours.objects.filter(scheme=scheme).order_by("valid_from")
    return norms_of(scheme, rows.values_list("kind", "valid_from", "hours"))


def entered_norms() -> QuerySet[NormHours]:
    """Return the norms that were entered, the newest first."""
    return NormHours.objects.order_by("-valid_from", "scheme", "kind")
