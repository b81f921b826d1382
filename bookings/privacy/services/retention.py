"""Removing records that have been kept for their full time (`keeps` in the tasks of each area)."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.services.file_jobs import files_clear
from bookings.privacy.selectors.periods import load_kept

AT_ONCE = 5000  # rows in a transaction


def records_remove(*, now: datetime) -> dict[str, int]:
    """Remove records that have been kept long enough; return the count of each kind. Running it twice, partly
    or on several workers gives the same result."""
    removed = {}
    # Kinds with files last: if their storage cannot be reached, everything else is still removed.
    for each in sorted(load_kept(now.date()), key=lambda each: each.files is not None):
        if each.files:
            count = files_clear(model=each.files, before=now - each.span)
        else:
            count = sum(_remove(rows) for rows in each.past(now))
        if count:
            removed[each.kind] = count
    return removed


def _remove(rows: QuerySet[Any]) -> int:
    """Delete rows in batches, so that nobody waits for many locks; rows that others have locked are left.
    Return how many were deleted."""
    removed = 0
    while True:
        with transaction.atomic():
            locked = rows.select_for_update(of=("self",), skip_locked=True)
            ids = list(locked.values_list("pk", flat=True)[:AT_ONCE])
            if not ids:
                return removed
            rows.model._default_manager.filter(pk__in=ids).delete()
            removed += len(ids)
