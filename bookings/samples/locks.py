"""The locks of sample items, taken after those of instruments and reservations, and before those of money and
people."""

from collections.abc import Iterable
from uuid import UUID

from accounts.domain.errors import NotFound
from bookings.samples.models import SampleItem


def lock_samples(sample_ids: Iterable[UUID]) -> list[SampleItem]:
    """Lock samples in the order of their ids. Raise `NotFound` if one does not exist."""
    ids = sorted(set(sample_ids))
    rows = list(
        SampleItem.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region", "user")
        .filter(pk__in=ids)
        .order_by("pk")
    )
    if len(rows) != len(ids):
        raise NotFound
    return rows
