"""Batches of flexible needs, and the times they offer."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, acts, creates, lists, reads
from accounts.api.shapes import Choice, Instant, Money, Shape, Text, Whole
from bookings.needs.models import Batch, BatchPlace
from bookings.needs.selectors.batches import (
    batch_by_id,
    batches_for,
    own_place,
    own_places,
    shown_places,
)
from bookings.needs.services.batches import (
    batch_place_accept,
    batch_place_give_back,
    batch_start,
)
from bookings.record.models import Reservation


class BatchBody(Shape):
    region = Text(60, help_text="A code; of a region one coordinates.")
    starts_at = Instant(help_text="Times are offered from then on.")
    ends_at = Instant(help_text="In sixty days at most.")


class PlaceAcceptBody(Shape):
    purpose = Choice(Reservation.Purpose.choices, default="research")
    house_rules = Whole(min_value=1, required=False, help_text="The version that is accepted.")


class ScarceShape(serializers.Serializer[Any]):
    """What one more place on a day, or hour of an instrument in all (`day` null), would be worth:
    1 is a need that finds room."""

    instrument = serializers.UUIDField()
    day = serializers.DateField(allow_null=True)
    needs = serializers.IntegerField(help_text="That could use it.")
    price = serializers.FloatField()


class BatchShape(serializers.Serializer[Any]):
    """`percent`: how much of the best plan is reached at least; null where needs were served in the
    order in which they came."""

    id = serializers.UUIDField()
    region = serializers.CharField(source="region.code")
    starts_at = Instant()
    ends_at = Instant()
    state = serializers.ChoiceField(Batch.State.choices)
    needs = serializers.IntegerField()
    offered = serializers.IntegerField(source="times")
    accepted = serializers.IntegerField(source="number_accepted")
    percent = serializers.IntegerField(allow_null=True)
    scarce = ScarceShape(many=True, source="figures.scarce", default=list)
    created_at = Instant()
    placed_at = Instant(allow_null=True)


class BatchPlaceShape(serializers.Serializer[Any]):
    """A time that was offered for one's own need. `reason`: why this one; `others`: needs that
    could use the instrument, on that day where it is `day`."""

    id = serializers.UUIDField()
    batch = serializers.UUIDField(source="batch_id")
    need = serializers.UUIDField(source="need_id")
    reservation = serializers.UUIDField(source="reservation_id")
    instrument = serializers.UUIDField(source="instrument_id")
    start = Instant(source="reservation.start_at")
    end = Instant(source="reservation.end_at")
    kept_until = Instant(source="reservation.deadline_at", allow_null=True)
    service_mode = serializers.CharField(source="reservation.service_mode")
    currency = serializers.CharField()
    payable = Money()
    reason = serializers.ChoiceField(BatchPlace.Reason.choices)
    others = serializers.IntegerField()
    state = serializers.ChoiceField(BatchPlace.State.choices, source="shown_state")
    created_at = Instant()
    version = serializers.IntegerField()


class Batches(Resource):
    at, key, name, many, tag = "batches/", "batch_id", "batch", "batches", "instruments"
    shape, write_scope, needs_person = BatchShape, "manage", True

    def visible(self, pk: UUID) -> Batch:
        return batch_by_id(self.actor, pk)

    @lists(_("Batches"))
    def rows(self, query: dict[str, Any]) -> QuerySet[Batch]:
        """Those of regions one coordinates; the newest first."""
        return batches_for(self.actor)

    @creates(_("Start a batch"), BatchBody, refuses=[403, 409])
    def make(self, data: dict[str, Any]) -> UUID:
        """Have the flexible needs of a region placed together, the 300 oldest. A job does it within
        minutes; each person is offered a time, which is kept for 48 hours at most."""
        return batch_start(self.by, **data).pk

    @reads(_("A batch"))
    def detail(self, pk: UUID) -> None:
        """As it is now."""


class BatchPlaces(Resource):
    at, key, name, many = "batch-places/", "place_id", "batch_place", "batch_places"
    tag, shape, write_scope, needs_person = "instruments", BatchPlaceShape, "book", True

    def visible(self, pk: UUID) -> BatchPlace:
        return own_place(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        return shown_places(rows, self.now)

    @lists(_("Times offered by batches"))
    def rows(self, query: dict[str, Any]) -> QuerySet[BatchPlace]:
        """For one's own needs; the newest first."""
        return own_places(self.actor)

    @reads(_("A time offered by a batch"))
    def detail(self, pk: UUID) -> None:
        """As it is now."""

    @acts(_("Accept the time"), PlaceAcceptBody, refuses=[404, 409, 422])
    def accept(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Book it, as any booking: the host's approval is asked for where its policy says so."""
        batch_place_accept(self.by, place_id=pk, **data)
        return pk

    @acts(_("Give the time back"))
    def give_back(self, pk: UUID, data: Any = None) -> UUID:
        """It comes free at once."""
        return batch_place_give_back(self.by, place_id=pk).pk
