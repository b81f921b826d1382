"""Messages of batches, to those who are offered a time and to whoever started the batch."""

from datetime import datetime
from functools import partial

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import OutboxMessage
from bookings.needs.models import Batch, BatchPlace, Need
from bookings.needs.selectors.batches import standing

_PLACES = BatchPlace.objects.select_related(
    "need__user", "organisation", "reservation__instrument__organisation",
    "reservation__instrument__facility",
).filter(need__isnull=False, reservation__isnull=False)  # fmt: skip
_BATCHES = Batch.objects.select_related("region", "made_by").annotate(
    needs=Count("batch_places"),
    offers=Count("batch_places", filter=~Q(batch_places__state=BatchPlace.State.UNPLACED)),
)


def _kept(place: BatchPlace, row: OutboxMessage, now: datetime) -> Content:
    hold = place.reservation
    assert hold is not None
    is_offered = place.state == BatchPlace.State.OFFERED
    return Content(
        place.pk,
        reverse("bookings:need", args=[place.need_id]),
        {"instrument": hold.instrument},
        {"hold": hold, "place": place if is_offered else None},
        zone=hold.instrument.facility.time_zone,
        days=[hold.start_at],
        matters_until=hold.deadline_at if is_offered else None,
    )


def _placed(batch: Batch, row: OutboxMessage, now: datetime) -> Content:
    words = {"region": batch.region, "needs": batch.needs, "offers": batch.offers}  # type: ignore[attr-defined]
    return Content(batch.pk, reverse("bookings:batch", args=[batch.pk]), words, {"batch": batch})


_kind = partial(Kind, template="bookings/needs/mail/batch")
KINDS = table(
    _kind(
        "batch.offered",
        _("A time for your need: {instrument}"),
        _("Your need was flexible, so a time is held for you. Accept it, or give it back."),
        topic="offer",
        load=row_of(_PLACES, "batchplace"),
        readers=lambda place: [place.need.user],
        content=_kept,
        is_still_true=lambda place, row, now: standing(now).filter(pk=place.pk).exists(),
    ),
    _kind(
        "batch.lapsed",
        _("No longer held for your need: {instrument}"),
        _("Nobody accepted the time, so it is free again. Your need takes part in the next batch."),
        topic="offer",
        load=row_of(_PLACES, "batchplace"),
        readers=lambda place: [place.need.user],
        content=_kept,
        is_still_true=lambda place, row, now: place.need.state == Need.State.OPEN and place.need.latest > now,
    ),
    _kind(
        "batch.placed",
        _("Batch placed: {region}"),
        _("Of {needs} flexible needs, {offers} were offered a time."),
        topic="planning",
        load=row_of(_BATCHES, "batch"),
        readers=lambda batch: [batch.made_by],
        content=_placed,
    ),
)
