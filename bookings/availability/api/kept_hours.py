"""Guaranteed hours of an instrument, which are kept for an organisation."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, creates, lists, named, reads
from accounts.api.shapes import Instant, Money, Number, Shape, Text, Whole
from accounts.selectors.organisations import organisation_by_code
from accounts.selectors.rows import visible
from bookings.availability.models import KeptHours
from bookings.availability.selectors.kept_hours import kept_for
from bookings.availability.services import kept_hours
from instruments.register.selectors.registry import instrument_by_id


class KeptHoursShape(serializers.Serializer[Any]):
    """A holder's right to book `minutes` within a window. What is left of them is kept from others until
    `released_minutes` before a time begins. `price` is per hour; null: the rate card applies."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id")
    organisation = serializers.CharField(source="organisation.code")
    minutes = serializers.IntegerField()
    used_minutes = serializers.IntegerField(help_text="Minutes used by the holder's bookings.")
    left_minutes = serializers.IntegerField()
    start = Instant(source="start_at")
    end = Instant(source="end_at")
    price = Money(allow_null=True)
    released_minutes = serializers.IntegerField()
    reason = serializers.CharField()
    granted_at = Instant()
    ended_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class KeptHoursBody(Shape):
    instrument = serializers.UUIDField()
    organisation = Text(40, help_text="Code of the organisation that holds the hours.")
    minutes = Whole(min_value=1, max_value=kept_hours.MOST_MINUTES)
    start = Instant()
    end = Instant()
    price = Number(
        max_digits=18, decimal_places=4, required=False, allow_null=True, help_text="Price per hour."
    )
    released_minutes = Whole(min_value=0, max_value=kept_hours.MOST_RELEASED, default=2880)
    reason = Text(500)


class KeptHoursChangeBody(Shape):
    minutes = Whole(min_value=1, max_value=kept_hours.MOST_MINUTES)
    reason = Text(500)


class KeptHoursEndBody(Shape):
    reason = Text(500)


class KeptHoursQuery(Pages):
    instrument = serializers.UUIDField(required=False)


class KeptHoursResource(Resource):
    at, key, tag = "kept-hours/", "kept_id", "instruments"
    name, many, shape, order = "kept", "kept_hours", KeptHoursShape, ("-granted_at", "-id")

    def visible(self, pk: UUID) -> KeptHours:
        return visible(kept_for(self.actor, self.now), pk=pk)

    @lists(_("Guaranteed hours"), KeptHoursQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[KeptHours]:
        """List the guaranteed hours of your organisations, of instruments you manage and of regions you
        audit, newest first."""
        rows = kept_for(self.actor, self.now)
        return rows.filter(instrument=query["instrument"]) if "instrument" in query else rows

    @creates(
        _("Guarantee hours"),
        KeptHoursBody,
        refuses=[403, 404, 409],
        sends={
            "instrument": "0197a1de-0000-7000-8000-000000000002",
            "organisation": "wusong-tech",
            "minutes": 7200,
            "start": "2026-03-09T00:00:00+08:00",
            "end": "2026-09-09T00:00:00+08:00",
            "price": "300.00",
            "released_minutes": 2880,
            "reason": "Agreed in writing",
        },
    )
    def make(self, data: dict[str, Any]) -> UUID:
        """Guarantee hours of an instrument to an organisation. Only the host's managers may do this. If more
        is requested than fits beside bookings and other guaranteed hours, it is refused with the minutes that
        would fit."""
        return kept_hours.kept_hours_grant(
            self.by,
            instrument=named("instrument", instrument_by_id, self.actor, data["instrument"]),
            holder=named("organisation", organisation_by_code, data["organisation"]),
            minutes=data["minutes"],
            starts_at=data["start"],
            ends_at=data["end"],
            price=data.get("price"),
            released_minutes=data["released_minutes"],
            reason=data["reason"],
        ).pk

    @reads(_("Guaranteed hours of one holder"))
    def detail(self, pk: UUID) -> None:
        """Return guaranteed hours. The holder and the host may read them."""

    @acts(_("Guarantee more or fewer hours"), KeptHoursChangeBody, refuses=[403, 404, 409])
    def change(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Change the number of guaranteed hours. Only the host's managers may do this. The minutes cannot be
        fewer than were used, or more than fit."""
        return kept_hours.kept_hours_change(self.by, kept_id=pk, **data).pk

    @acts(_("End guaranteed hours"), KeptHoursEndBody, refuses=[403, 404, 409])
    def end(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """End guaranteed hours. Only the host's managers may do this. From now on everybody can book the
        time; bookings stay."""
        return kept_hours.kept_hours_end(self.by, kept_id=pk, **data).pk
