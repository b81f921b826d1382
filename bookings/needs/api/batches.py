"""Batches of flexible needs, and the times offered by them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import OnPage, Resource, acts, creates, lists, reads
from accounts.api.shapes import Choice, Instant, Money, Shape, Text, Whole
from bookings.needs.models import Batch, BatchPlace
from bookings.needs.selectors import batches
from bookings.needs.services.batches import batch_place_accept, batch_place_give_back, batch_start
from bookings.record.api.lists import listed
from bookings.record.models import Reservation


class BatchBody(Shape):
    region = Text(60, help_text="Code of a region that you coordinate.")
    starts_at = Instant(help_text="The earliest time that may be offered.")
    ends_at = Instant(help_text="At most sixty days from now.")


class PlaceAcceptBody(Shape):
    purpose = Choice(Reservation.Purpose.choices, default="research")
    house_rules = Whole(
        min_value=1, required=False, help_text="The version of the house rules that you accept."
    )


class ScarceShape(serializers.Serializer[Any]):
    """The value of one more place on a day, or of one more hour of an instrument in all (`day` null): 1 means
    that one more need would find room."""

    instrument = serializers.UUIDField()
    day = serializers.DateField(allow_null=True)
    needs = serializers.IntegerField(help_text="Number of needs that could use it.")
    price = serializers.FloatField()


class BatchShape(serializers.Serializer[Any]):
    """A batch of flexible needs. `percent`: at least this share of the best possible plan is reached; null
    where needs were served in the order in which they came."""

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
    """A time that was offered for one of your own needs. `reason`: why this time; `others`: how many other
    needs could use the instrument, on the same day if `day` is set."""

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
    for_persons = True
    at, key, name, many, tag = "batches/", "batch_id", "batch", "batches", "instruments"
    shape, write_scope, needs_person = BatchShape, "manage", True

    def visible(self, pk: UUID) -> Batch:
        return batches.batch_by_id(self.actor, pk)

    @listed(_("Batches"), batches.BATCHES)
    def rows(self, query: dict[str, Any]) -> QuerySet[Batch]:
        """Return the batches of regions you coordinate, the newest first."""
        return batches.batches_for(self.actor)

    @creates(_("Start a batch"), BatchBody, refuses=[403, 409])
    def make(self, data: dict[str, Any]) -> UUID:
        """Have the flexible needs of a region placed together, at most the 300 oldest. A job does so within
        minutes; each person is offered a time, which is held for at most 48 hours."""
        return batch_start(self.by, **data).pk

    @reads(_("A batch"))
    def detail(self, pk: UUID) -> None:
        """Return a batch as it is now."""


class BatchPlaces(Resource):
    at, key, name, many = "batch-places/", "place_id", "batch_place", "batch_places"
    tag, shape, write_scope, needs_person = "instruments", BatchPlaceShape, "book", True
    page_name = "batch"

    def visible(self, pk: UUID) -> BatchPlace:
        return batches.own_place(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        return batches.shown_places(rows, self.now)

    @lists(_("Times offered by batches"))
    def rows(self, query: dict[str, Any]) -> QuerySet[BatchPlace]:
        """Return the times offered for your own needs, the newest first."""
        return batches.own_places(self.actor)

    @reads(_("A time offered by a batch"))
    def detail(self, pk: UUID) -> None:
        """Return a time offered by a batch, as it is now."""

    @acts(_("Accept the time"), PlaceAcceptBody, refuses=[404, 409, 422])
    def accept(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Book the offered time like any booking; if the host's policy says so, it needs approval."""
        batch_place_accept(self.by, place_id=pk, **data)
        return pk

    @OnPage("bookings:need", done=_("The time is free again."), of="need_id")
    @acts(_("Give the time back"))
    def give_back(self, pk: UUID, data: Any = None) -> UUID:
        """Give an offered time back; it is released at once."""
        return batch_place_give_back(self.by, place_id=pk).pk
