"""Calendar feeds, and the user's own calendar that the platform reads."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import LIST, OnPage, Resource, acts, creates, lists, reads, removes
from accounts.api.shapes import Instant, Shape, Text
from accounts.domain.errors import NotFound
from accounts.selectors.rows import visible
from bookings.catalogue.models import BusyCalendar
from bookings.catalogue.selectors.busy import busy_calendar_of
from bookings.messaging.models import CalendarFeed
from bookings.messaging.selectors.feeds import feed_address, feeds_of
from bookings.messaging.services.feeds import busy_calendar_remove, busy_calendar_set, feed_make, feed_revoke

TAG = "messages"


class FeedBody(Shape):
    instrument = serializers.UUIDField(
        required=False, allow_null=True, help_text="Default: your own bookings."
    )


class AddressField(serializers.URLField):
    def get_attribute(self, row: CalendarFeed) -> str:
        return feed_address(row)


class FeedShape(serializers.Serializer[Any]):
    """A feed. Anyone who knows its address can read it."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id", allow_null=True)
    address = AddressField()
    created_at = Instant()


class OwnCalendarBody(Shape):
    address = Text(1000)


class OwnCalendarProblemShape(serializers.Serializer[Any]):
    """The reason why the last reading failed."""

    code = serializers.CharField()

    def get_attribute(self, row: BusyCalendar) -> Any:
        return row.problem or None


class OwnCalendarShape(serializers.Serializer[Any]):
    """Your own calendar, which is read every hour."""

    address = serializers.CharField()
    read_at = Instant(allow_null=True)
    due_at = Instant(
        allow_null=True, help_text="When the calendar is read next. Null: not until it is saved again."
    )
    problem = OwnCalendarProblemShape(allow_null=True)


class Feeds(Resource):
    for_persons = True
    at, key, name, many, tag = "calendar-feeds/", "feed_id", "calendar_feed", "calendar_feeds", TAG
    shape, write_scope, needs_person = FeedShape, "book", True
    page_at, page_name = "bookings/calendars/", "feed"

    def visible(self, pk: UUID) -> CalendarFeed:
        return visible(feeds_of(self.actor), pk=pk)

    @lists(_("Calendar feeds"), address="api-feeds")
    def rows(self, query: dict[str, Any]) -> QuerySet[CalendarFeed]:
        """Return your own feeds that are not revoked, the newest first."""
        return feeds_of(self.actor)

    @creates(_("Create a calendar feed"), FeedBody, named="_make", gives=FeedShape, refuses=[404], once=False)
    def make(self, data: dict[str, Any]) -> CalendarFeed:
        """Create a secret address that gives your bookings, or the calendar of an instrument as you may see
        it. The previous address stops working."""
        return feed_make(self.by, instrument_id=data.get("instrument"))

    @OnPage(
        "bookings:feeds",
        _("Switch off"),
        _("The address no longer works."),
        _("Continue? The current address stops working at once in every calendar that reads it."),
        of="",
    )
    @removes(_("Revoke a calendar feed"), named="_revoke", address="api-feed")
    def revoke(self, pk: UUID) -> None:
        """Revoke a feed: its address stops working at once."""
        feed_revoke(self.by, feed_id=pk)


class Busy(Resource):
    for_persons = True
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

    @reads(_("Your own calendar"), LIST)
    def own(self) -> BusyCalendar:
        """Return the address of your own calendar, when it was last read, and why that failed if it did."""
        return self.visible()

    @acts(
        _("Set your own calendar"),
        OwnCalendarBody,
        "put",
        LIST,
        named="_set",
        refuses=[409],
        once=False,
        sends={"address": "https://calendar.example/secret/basic.ics"},
    )
    def set(self, data: dict[str, Any]) -> BusyCalendar:
        """Set the address of your own calendar, at most five times an hour. It is read soon and then every
        hour; your busy times are shown when you book (`own_busy` of availability), and never prevent a
        booking."""
        return busy_calendar_set(self.by, **data)

    @removes(_("Remove your own calendar"), LIST, named="_remove")
    def remove(self) -> None:
        """Remove your own calendar with everything that was read from it."""
        busy_calendar_remove(self.by)
