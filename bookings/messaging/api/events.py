"""Events: what webhooks report, to be read in order."""

import json
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts.api.pagination import MOST, USUAL
from accounts.api.resource import LIST, Resource, reads, rendered
from accounts.api.shapes import Query, Text, Whole
from accounts.domain.errors import invalid
from bookings.messaging.domain.events import parse_position, position_of
from bookings.messaging.models import Event
from bookings.messaging.selectors.events import events_for, load_events


class EventsQuery(Query):
    """The choice of events, and where to begin."""

    after = Text(
        40, required=False, help_text="Where to go on: `cursor` of the last answer. Default: the oldest kept."
    )
    limit = Whole(min_value=1, max_value=MOST, default=USUAL, help_text="Maximum number of events.")
    organisation = Text(
        40, required=False, help_text="Code of an organisation. Default: all whose webhooks you manage."
    )


class EventShape(serializers.Serializer[Any]):
    """An event: what webhooks send (`type`, `timestamp`, `data`), and the position behind it. Which fields
    `data` has depends on the type."""

    cursor = serializers.CharField()
    type = serializers.CharField()
    timestamp = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]  # a field of this name


class EventsShape(serializers.Serializer[Any]):
    """Events in the order in which they were stored. `next` is always there: ask it again later, or at once
    if `has_more`."""

    next = serializers.URLField()
    cursor = serializers.CharField(help_text="The position behind the events read so far, to be kept.")
    has_more = serializers.BooleanField()
    results = EventShape(many=True)


def _told(row: Event) -> dict[str, Any]:
    return {"cursor": str(position_of(row.number, row.cause)), **json.loads(row.body)}


class Events(Resource):
    at, name, many, tag = "events/", "event", "events", "webhooks"
    shape, needs_person, only_reads = EventsShape, True, True

    @reads(_("Events"), LIST, query=EventsQuery, named="events_list", refuses=[404, 410])
    def rows(self, query: dict[str, Any]) -> Response:
        """Return what webhooks report, oldest first, also without a webhook: the events of organisations
        whose webhooks you may manage. Whoever keeps `cursor` and asks again misses none and reads none
        twice. Events are kept for thirty days: with an older cursor the answer is 410 (`no-longer-kept`);
        then read the lists anew, and start again without `after`."""
        after = None
        if "after" in query and (after := parse_position(query["after"])) is None:
            raise invalid("after", "unknown-cursor")
        page = load_events(events_for(self.actor, query.get("organisation", "")), after, query["limit"])
        here = self.request.build_absolute_uri()
        answer = {
            "next": replace_query_param(here, "after", str(page.position)),
            "cursor": str(page.position),
            "has_more": page.has_more,
            "results": [_told(row) for row in page.rows],
        }
        return Response(rendered(EventsShape, answer))
