"""Calendar feeds, and one's own calendar."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Instant, Shape, Text, asked, checked, rfc3339
from accounts.api.versions import etag, expected_version, require_version
from accounts.domain.errors import NotFound
from bookings.catalogue.models import BusyCalendar
from bookings.catalogue.selectors.busy import busy_calendar_of
from bookings.messaging.models import CalendarFeed
from bookings.messaging.selectors.feeds import feed_address, feeds_of
from bookings.messaging.services.feeds import (
    busy_calendar_remove,
    busy_calendar_set,
    feed_make,
    feed_revoke,
)

TAG = "messages"


class FeedBody(Shape):
    instrument = serializers.UUIDField(
        required=False, allow_null=True, help_text="If omitted: the caller's own bookings."
    )


class FeedShape(serializers.Serializer[Any]):
    """A feed; whoever knows its address reads it."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(allow_null=True)
    address = serializers.URLField()
    created_at = Instant()


class OwnCalendarBody(Shape):
    address = Text(1000)


class OwnCalendarProblemShape(serializers.Serializer[Any]):
    """Why the last reading failed."""

    code = serializers.CharField()


class OwnCalendarShape(serializers.Serializer[Any]):
    """One's own calendar, which is read every hour."""

    address = serializers.CharField()
    read_at = Instant(allow_null=True)
    due_at = Instant(allow_null=True, help_text="Null: not again until it is saved again.")
    problem = OwnCalendarProblemShape(allow_null=True)


class FeedEndpoint(Endpoint):
    write_scope = "book"
    needs_person = True

    @staticmethod
    def shown(row: CalendarFeed) -> dict[str, Any]:
        return {
            "id": str(row.pk),
            "instrument": str(row.instrument_id) if row.instrument_id else None,
            "address": feed_address(row),
            "created_at": rfc3339(row.created_at),
        }


class Feeds(FeedEndpoint):
    @operation("calendar_feeds", _("Calendar feeds"), tag=TAG, query=Pages, gives=page(FeedShape))
    def get(self, request: Request) -> Response:
        """One's own that stand, the newest first."""
        query = asked(Pages, request.query_params)
        return paginated(
            request,
            feeds_of(self.actor),
            query,
            ("-created_at", "-id"),
            lambda rows: [self.shown(row) for row in rows],
        )

    @operation(
        "calendar_feed_make",
        _("Create a calendar feed"),
        tag=TAG,
        takes=FeedBody,
        gives=FeedShape,
        status=201,
        refuses=[404],
    )
    def post(self, request: Request) -> Response:
        """A secret address of one's bookings, or of an instrument as one may see it; the address
        there was before stops working."""
        body = checked(FeedBody, request.data)
        made = feed_make(actor=self.actor, instrument_id=body.get("instrument"), now=self.now)
        return Response(self.shown(made), status=201)


class Feed(FeedEndpoint):
    @operation(
        "calendar_feed_revoke",
        _("Revoke a calendar feed"),
        tag=TAG,
        gives=None,
        status=204,
        refuses=[404],
        versioned=True,
    )
    def delete(self, request: Request, feed_id: UUID) -> Response:
        """The address stops working at once."""
        found = feeds_of(self.actor).filter(pk=feed_id).first()
        if found is None:
            raise NotFound
        require_version(request, found.version)
        feed_revoke(actor=self.actor, feed_id=feed_id, now=self.now)
        return Response(status=204)


class Busy(Endpoint):
    write_scope = "book"
    needs_person = True

    @operation(
        "busy_calendar", _("One's own calendar"), tag=TAG, gives=OwnCalendarShape, refuses=[404]
    )
    def get(self, request: Request) -> Response:
        """Its address, when it was read last, and why not."""
        found = busy_calendar_of(self.actor)
        if found is None:
            raise NotFound
        return self._shown(found)

    @operation(
        "busy_calendar_set",
        _("Set one's own calendar"),
        tag=TAG,
        takes=OwnCalendarBody,
        gives=OwnCalendarShape,
        refuses=[409],
        versioned=True,
        sends={"address": "https://calendar.example/secret/basic.ics"},
    )
    def put(self, request: Request) -> Response:
        """It is read soon and then every hour; when one is busy is told where one books
        (`own_busy` of availability), and refuses nothing. Five times an hour at most."""
        made = busy_calendar_set(
            actor=self.actor,
            address=checked(OwnCalendarBody, request.data)["address"],
            now=self.now,
            expected_version=expected_version(request),
        )
        return self._shown(made)

    @operation(
        "busy_calendar_remove",
        _("Remove one's own calendar"),
        tag=TAG,
        gives=None,
        status=204,
        refuses=[404],
        versioned=True,
    )
    def delete(self, request: Request) -> Response:
        """With all that was read of it."""
        found = busy_calendar_of(self.actor)
        if found is None:
            raise NotFound
        require_version(request, found.version)
        busy_calendar_remove(actor=self.actor, now=self.now)
        return Response(status=204)

    @staticmethod
    def _shown(row: BusyCalendar) -> Response:
        body = {
            "address": row.address,
            "read_at": rfc3339(row.read_at) if row.read_at else None,
            "due_at": rfc3339(row.due_at) if row.due_at else None,
            "problem": {"code": row.problem["code"]} if row.problem else None,
        }
        return Response(body, headers=etag(row.version))
