"""Locks of series."""

from uuid import UUID

from bookings.series.models import Series


def lock_series(series_id: UUID) -> Series:
    """Lock a series, before its reservations."""
    return Series.objects.select_for_update(no_key=True).get(pk=series_id)
