"""Batches of Anhui: its coordinator starts them, Sun Tao and Hu Bo are offered times."""

from datetime import datetime
from typing import Any

from accounts.domain.roles import By
from bookings.needs.models import Batch, BatchPlace
from bookings.needs.services.batches import batch_start, batches_place
from tests.factories.cast import NOW, Cast, at
from tests.factories.needs import need_of

SINCE, UNTIL = at("2026-03-06 08:00"), at("2026-03-23 20:00")


def flexible(cast: Cast, who: str = "sun", **changed: Any) -> Any:
    """A need that any two hours suit."""
    return need_of(cast, who, is_flexible=True, **changed)


def batch_of(cast: Cast, *, now: datetime = NOW, place: bool = True, **changed: Any) -> Batch:
    """A batch of two and a half weeks of Anhui, by its coordinator; placed."""
    usual: dict[str, Any] = {"region": "CN-AH", "starts_at": SINCE, "ends_at": UNTIL}
    who = changed.pop("who", "coordinator")
    batch = batch_start(By(cast.actor(who), now), **usual | changed)
    if place:
        batches_place(now=now)
        batch.refresh_from_db()
    return batch


def place_of(need: Any) -> BatchPlace:
    """What became of a need in its batch."""
    return BatchPlace.objects.select_related("reservation").get(need=need)


def batch_things(cast: Cast) -> dict[str, str]:
    """A batch of Shanghai with a time for Wang Li: their ids."""
    need = flexible(cast, "wang")
    batch = batch_of(cast, who="xu", region="CN-SH")
    return {"batch": str(batch.pk), "batch-place": str(place_of(need).pk)}
