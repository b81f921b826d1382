"""Calendar feeds, and one's own calendar."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import LIST, Resource, acts, creates, lists, reads, removes
from accounts.api.shapes import Instant, Shape, Text
from accounts.domain.errors import NotFound
from accounts.selectors.rows import visible
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


class AddressField(serializers.URLField):
    def get_attribute(self, row: CalendarFeed) -> str:
        return feed_address(row)


class FeedShape(serializers.Serializer[Any]):
    """A feed; whoever knows its address reads it."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id", allow_null=True)
    address = AddressField()
    created_at = Instant()


class OwnCalendarBody(Shape):
    address = Text(1000)


class OwnCalendarProblemShape(serializers.Serializer[Any]):
    """Why the last reading failed."""

    code = serializers.CharField()

    def get_attribute(self, row: BusyCalendar) -> Any:
        return row.problem or None


class OwnCalendarShape(serializers.Serializer[Any]):
    """One's own calendar, which is read every hour."""

    address = serializers.CharField()
    read_at = Instant(allow_null=True)
    due_at = Instant(allow_null=True, help_text="Null: not again until it is saved again.")
    problem = OwnCalendarProblemShape(allow_null=True)


class Feeds(Resource):
    at, key, name, many, tag = "calendar-feeds/", "feed_id", "calendar_feed", "calendar_feeds", TAG
    shape = FeedShape
    write_scope = "book"
    needs_person = True

    def visible(self, pk: UUID) -> CalendarFeed:
        return visible(feeds_of(self.actor), pk=pk)

    @lists(_("Calendar feeds"), address="api-feeds")
    def rows(self, query: dict[str, Any]) -> QuerySet[CalendarFeed]:
        """One's own that stand, the newest first."""
        return feeds_of(self.actor)

    @creates(
        _("Create a calendar feed"),
        FeedBody,
        named="_make",
        gives=FeedShape,
        refuses=[404],
        once=False,
    )
    def make(self, data: dict[str, Any]) -> CalendarFeed:
        """A secret address of one's bookings, or of an instrument as one may see it; the address
        there was before stops working."""
        return feed_make(self.by, instrument_id=data.get("instrument"))

    @removes(_("Revoke a calendar feed"), named="_revoke", address="api-feed")
    def revoke(self, pk: UUID) -> None:
        """The address stops working at once."""
        self.meant(pk)
        feed_revoke(self.by, feed_id=pk)


class Busy(Resource):
    at, tag = "busy-calendar/", TAG
    name = many = "busy_calendar"
    shape = OwnCalendarShape
    write_scope = "book"
    needs_person = True

    def visible(self, pk: None = None) -> BusyCalendar:
        row = busy_calendar_of(self.actor)
        if row is None:
            raise NotFound
        return row

    @reads(_("One's own calendar"), LIST)
    def own(self) -> BusyCalendar:
        """Its address, when it was read last, and why not."""
        return self.visible()

    @acts(
        _("Set one's own calendar"),
        OwnCalendarBody,
        "put",
        LIST,
        named="_set",
        refuses=[409],
        once=False,
        sends={"address": "https://calendar.example/secret/basic.ics"},
    )
    def set(self, data: dict[str, Any]) -> BusyCalendar:
        """It is read soon and then every hour; when one is busy is told where one books
        (`own_busy` of availability), and refuses nothing. Five times an hour at most."""
        return busy_calendar_set(self.by, **data)

    @removes(_("Remove one's own calendar"), LIST, named="_remove")
    def remove(self) -> None:
        """With all that was read of it."""
        self.meant(None)
        busy_calendar_remove(self.by)
