"""Closures: periods in which instruments are out of service."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, acts, creates, lists, reads, removes
from accounts.api.shapes import Choice, Flag, Instant, ListOf, Shape, Text, Whole
from accounts.selectors.memberships import place_of
from bookings.availability.models import Closure
from bookings.usage.selectors.closures import closure_by_id, closures_of
from bookings.usage.services.closures import Outage, closure_create, closure_delete, closure_end
from instruments.register.selectors.registry import instrument_by_id


class ClosureShape(serializers.Serializer[Any]):
    """A closure of all units, or of the listed ones. `end` null: not known yet. `reason` is null for those
    who may not read it."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id")
    kind = serializers.ChoiceField(Closure.Kind.choices)
    start = Instant(source="start_at")
    end = Instant(allow_null=True, source="end_at")
    units = serializers.ListField(child=serializers.IntegerField())
    reason = serializers.CharField(allow_null=True, source="told")
    created_at = Instant()
    version = serializers.IntegerField()


class ClosureBody(Shape):
    start = Instant()
    end = Instant(allow_null=True, required=False, help_text="Null if the end is not known yet.")
    kind = Choice(Closure.Kind.choices)
    units = ListOf(
        child=Whole(min_value=1, max_value=500),
        max_length=500,
        required=False,
        help_text="Numbers of the closed units; default: all.",
    )
    reason = Text(500, default="", allow_blank=True)
    displace = Flag(
        default=False,
        help_text="Displace existing bookings instead of refusing the closure. Displaced bookings are "
        "free of charge, except your own, which cost as much as cancelling them.",
    )


class EndBody(Shape):
    end = Instant(required=False, allow_null=True, help_text="Default: now.")


class Closures(Resource):
    at, key, name, many, tag = "closures/", "closure_id", "closure", "closures", "closures"
    shape, order = ClosureShape, ("-start_at", "-id")

    def visible(self, pk: UUID) -> Closure:
        return closure_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            place = place_of(row.instrument.organisation, row.instrument)
            may_read = any(self.actor.may(one, place) for one in ("read-bookings", "operate-instruments"))
            row.told = row.reason if may_read else None
        return rows

    @reads(_("A closure"))
    def detail(self, pk: UUID) -> None:
        """Return a closure. Everybody who may see the instrument may read it."""

    @removes(_("Withdraw a closure"), refuses=[404, 409])
    def remove(self, pk: UUID) -> None:
        """Withdraw a closure before it begins; later it can only be ended. Only the host's managers may do
        this."""
        closure_delete(self.by, closure_id=pk)

    @acts(_("End a closure"), EndBody)
    def end(self, pk: UUID, data: dict[str, Any]) -> None:
        """End a closure now, or at a moment before its planned end. Only the host's managers may do this."""
        closure_end(self.by, closure_id=pk, **{"end": None} | data)


class InstrumentClosures(Closures):
    at = "instruments/<uuid:instrument_id>/closures/"

    @lists(_("Closures"), refuses=[404])
    def rows(self, instrument_id: UUID, query: dict[str, Any]) -> QuerySet[Closure]:
        """Return the closures of one instrument, the latest start first."""
        rows = closures_of(instrument_by_id(self.actor, instrument_id))
        return rows.select_related("instrument__organisation__region")

    @creates(
        _("Close"),
        ClosureBody,
        refuses=[404, 409],
        sends={
            "start": "2026-03-09T08:00:00+08:00",
            "end": "2026-03-10T18:00:00+08:00",
            "kind": "maintenance",
            "reason": "Yearly service",
            "displace": False,
        },
    )
    def create(self, instrument_id: UUID, data: dict[str, Any]) -> UUID:
        """Close an instrument. Only the host's managers may do this. If live reservations are in the way: 409
        with a list of them; with `displace` they are displaced free of charge, and their people are told. The
        manager's own bookings cost what cancelling them would (`owed` in the list), unless another manager
        closes."""
        displace, units = data.pop("displace"), tuple(sorted(set(data.pop("units", []))))
        outage = Outage(units=units, **{"end": None} | data)
        return closure_create(self.by, instrument_id=instrument_id, outage=outage, displace=displace).pk
