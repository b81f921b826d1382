"""Note which instruments have changed in the feed of availability."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from django.core.cache import cache
from django.db import transaction

from bookings.catalogue.models import AvailabilityItem
from bookings.catalogue.selectors.feed import load_contents
from instruments.register.selectors.registry import published

PIECE = 200
MOST_SECONDS = 60.0  # of a run: other jobs wait for the worker, too
PLACE = "availability-feed-place"  # the last instrument of a run that did not come to the end


def feed_refresh(*, now: datetime) -> int:
    """Compare what the feed says of each published instrument with what it said before; return how many have
    changed. After `MOST_SECONDS` the next run goes on from there. Whoever follows the feed meets each change:
    those of one run have one moment, later than any before, and are stored in the order of the feed."""
    last = AvailabilityItem.objects.order_by("-modified").values_list("modified", flat=True).first()
    at = max(now, last + timedelta(microseconds=1)) if last is not None else now
    began, place, changed = monotonic(), cache.get(PLACE), 0
    for ids in _pieces(place):
        changed += _piece(ids, at, now)
        place = ids[-1]
        if monotonic() - began > MOST_SECONDS:
            break
    else:
        place = None
    cache.set(PLACE, place, None)
    gone = AvailabilityItem.objects.filter(is_deleted=False).exclude(instrument__in=published())
    with transaction.atomic():
        changed += gone.update(is_deleted=True, digest="", modified=at + timedelta(microseconds=1))
    return changed


def _pieces(place: UUID | None) -> Iterator[list[UUID]]:
    """Yield the ids of published instruments in order, those after `place` if one is given."""
    rows = published().filter(policy__isnull=False).order_by("pk").values_list("pk", flat=True)
    piece = list((rows.filter(pk__gt=place) if place else rows)[:PIECE])
    while piece:
        yield piece
        piece = list(rows.filter(pk__gt=piece[-1])[:PIECE])


@transaction.atomic
def _piece(ids: list[UUID], at: datetime, now: datetime) -> int:
    contents = load_contents(ids, now)
    known = dict(
        AvailabilityItem.objects.filter(instrument__in=ids, is_deleted=False).values_list("pk", "digest")
    )
    digests = {
        pk: hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        for pk, content in contents.items()
    }
    rows = [
        AvailabilityItem(instrument_id=pk, modified=at, digest=digest)
        for pk, digest in digests.items()
        if known.get(pk) != digest
    ]
    AvailabilityItem.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["instrument"],
        update_fields=["modified", "digest", "is_deleted"],
    )
    return len(rows)
