"""Closures: periods out of service."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import (
    Choice,
    Flag,
    Instant,
    ListOf,
    Shape,
    Text,
    Whole,
    asked,
    checked,
    rfc3339,
)
from accounts.api.versions import etag, expected_version
from accounts.selectors.memberships import place_of
from bookings.availability.models import Closure
from bookings.usage.selectors.closures import closure_by_id, closures_of
from bookings.usage.services.closures import Outage, closure_create, closure_delete, closure_end
from instruments.models import Instrument
from instruments.selectors.registry import instrument_by_id


class ClosureShape(serializers.Serializer[Any]):
    """Of all units, or of those named. `end` null: not known yet. `reason` is null for those
    who may not read it."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField()
    kind = serializers.ChoiceField(Closure.Kind.choices)
    start = Instant()
    end = Instant(allow_null=True)
    units = serializers.ListField(child=serializers.IntegerField())
    reason = serializers.CharField(allow_null=True)
    created_at = Instant()
    version = serializers.IntegerField()


class ClosureBody(Shape):
    start = Instant()
    end = Instant(allow_null=True, required=False, help_text="Null while it is not known.")
    kind = Choice(Closure.Kind.choices)
    units = ListOf(
        child=Whole(min_value=1, max_value=500),
        max_length=500,
        required=False,
        help_text="Default: all.",
    )
    reason = Text(500, default="", allow_blank=True)
    displace = Flag(
        default=False,
        help_text="Displace live reservations instead of refusing: at no charge, but your own cost"
        " what cancelling them would.",
    )


class EndBody(Shape):
    end = Instant(required=False, allow_null=True, help_text="Now, unless named.")


def closure_json(closure: Closure, may_read_reason: bool) -> dict[str, Any]:
    return {
        "id": str(closure.pk),
        "instrument": str(closure.instrument_id),
        "kind": closure.kind,
        "start": rfc3339(closure.start_at),
        "end": rfc3339(closure.end_at) if closure.end_at else None,
        "units": list(closure.units),
        "reason": closure.reason if may_read_reason else None,
        "created_at": rfc3339(closure.created_at),
        "version": closure.version,
    }


class ClosureEndpoint(Endpoint):
    """What the addresses of closures share."""

    def may_read_reason(self, instrument: Instrument) -> bool:
        return self.actor.may("read-bookings", place_of(instrument.organisation))

    def one(self, closure_id: UUID, status: int = 200) -> Response:
        closure = closure_by_id(self.actor, closure_id)
        headers = etag(closure.version)
        if status == 201:
            headers["Location"] = reverse("api-closure", kwargs={"closure_id": closure.pk})
        shown = closure_json(closure, self.may_read_reason(closure.instrument))
        return Response(shown, status=status, headers=headers)


class InstrumentClosures(ClosureEndpoint):
    @operation(
        "closures",
        _("Closures"),
        tag="closures",
        query=Pages,
        gives=page(ClosureShape),
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Of one instrument, the latest start first."""
        query = asked(Pages, request.query_params)
        found = instrument_by_id(self.actor, instrument_id)
        may_read = self.may_read_reason(found)
        return paginated(
            request,
            closures_of(found),
            query,
            ("-start_at", "-id"),
            lambda rows: [closure_json(row, may_read) for row in rows],
        )

    @operation(
        "closure_create",
        _("Close"),
        tag="closures",
        takes=ClosureBody,
        gives=ClosureShape,
        status=201,
        refuses=[404, 409],
        once=True,
        sends={
            "start": "2026-03-09T08:00:00+08:00",
            "end": "2026-03-10T18:00:00+08:00",
            "kind": "maintenance",
            "reason": "Yearly service",
            "displace": False,
        },
    )
    def post(self, request: Request, instrument_id: UUID) -> HttpResponseBase:
        """For the host's managers. Live reservations in the way: 409 with the list of them, or
        with `displace` they give way, at no charge, and their people are told. What the manager
        booked, or is booked for them, costs what cancelling it would (`owed` in the list), unless
        another manager closes."""
        data = checked(ClosureBody, request.data)
        outage = Outage(
            kind=data["kind"],
            start=data["start"],
            end=data.get("end"),
            units=tuple(sorted(set(data.get("units", [])))),
            reason=data["reason"],
        )

        def close() -> Response:
            instrument_by_id(self.actor, instrument_id)
            made = closure_create(
                actor=self.actor,
                instrument_id=instrument_id,
                outage=outage,
                displace=data["displace"],
                now=self.now,
            )
            return self.one(made.pk, status=201)

        return self.once(close)


class ClosureDetail(ClosureEndpoint):
    @operation("closure", _("One closure"), tag="closures", gives=ClosureShape, refuses=[404])
    def get(self, request: Request, closure_id: UUID) -> Response:
        """For whoever may see the instrument."""
        return self.one(closure_id)

    @operation(
        "closure_delete",
        _("Withdraw a closure"),
        tag="closures",
        gives=None,
        status=204,
        refuses=[404, 409],
        versioned=True,
    )
    def delete(self, request: Request, closure_id: UUID) -> Response:
        """For the host's managers, before it begins; later it is ended."""
        expected = expected_version(request)
        closure_by_id(self.actor, closure_id)
        closure_delete(
            actor=self.actor, closure_id=closure_id, expected_version=expected, now=self.now
        )
        return Response(status=204)


class ClosureEnd(ClosureEndpoint):
    @operation(
        "closure_end",
        _("End a closure"),
        tag="closures",
        takes=EndBody,
        gives=ClosureShape,
        refuses=[404, 409],
        versioned=True,
        once=True,
    )
    def post(self, request: Request, closure_id: UUID) -> HttpResponseBase:
        """For the host's managers: now, or at a moment before its planned end."""
        expected, data = expected_version(request), checked(EndBody, request.data)

        def end() -> Response:
            closure_by_id(self.actor, closure_id)
            closure_end(
                actor=self.actor,
                closure_id=closure_id,
                end=data.get("end"),
                expected_version=expected,
                now=self.now,
            )
            return self.one(closure_id)

        return self.once(end)
