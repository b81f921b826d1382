"""The feed of availability for portals and search services, in the shape of RPDE."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.shapes import Query, Whole, query_values
from accounts.domain.errors import invalid
from accounts.replica import from_replica
from bookings.catalogue.selectors.feed import items_after, load_contents

KEPT_FOR = 60  # seconds for which caches may keep an answer
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class AvailabilityFeedItemShape(serializers.Serializer[Any]):
    """An instrument that changed or is gone."""

    state = serializers.ChoiceField(["updated", "deleted"])
    kind = serializers.ChoiceField(["InstrumentAvailability"])
    id = serializers.UUIDField()
    modified = serializers.IntegerField(help_text="When it changed, in microseconds since 1970.")
    data = serializers.DictField(  # type: ignore[assignment]  # a field of this name
        required=False,
        help_text="Opening hours and busy times of 90 days, policy and prices. Not with `deleted`.",
    )


class AvailabilityFeedShape(serializers.Serializer[Any]):
    """A page of the feed."""

    next = serializers.CharField(help_text="Where the feed goes on: on the last page, here.")
    items = AvailabilityFeedItemShape(many=True)
    license = serializers.URLField(
        required=False, help_text="The licence of the feed, if this installation states one."
    )


class AvailabilityFeedQuery(Query):
    afterTimestamp = Whole(  # RPDE's name
        min_value=0, max_value=2**53, required=False, help_text="`modified` of the last item seen."
    )
    afterId = serializers.UUIDField(required=False, help_text="`id` of the last item seen.")


class AvailabilityFeed(Endpoint):
    only_reads = True
    http_method_names = ["get", "head"]

    @from_replica
    @operation(
        "availability_feed",
        _("Availability of all instruments, as a feed"),
        tag="instruments",
        query=AvailabilityFeedQuery,
        gives=AvailabilityFeedShape,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Lists each published instrument once, in the order of change, the latest last. Anybody may read
        this without signing in. Follow `next` until a page has no items, and ask that one again later.
        Changes appear within about five minutes, with tens of thousands of instruments later; show when you
        read them. An instrument that is gone is
        listed as `deleted` for seven days."""
        query = query_values(AvailabilityFeedQuery, request.query_params)
        stamp, pk = query.get("afterTimestamp"), query.get("afterId")
        if (stamp is None) != (pk is None):
            raise invalid("afterId" if pk is None else "afterTimestamp", "required")
        rows = items_after(None if stamp is None else _EPOCH + stamp * _MICROSECOND, pk)
        contents = load_contents([row.pk for row in rows if not row.is_deleted], self.now)
        items = []
        for row in rows:
            content = contents.get(row.pk)
            item = {
                "state": "updated" if content else "deleted",
                "kind": "InstrumentAvailability",
                "id": str(row.pk),
                "modified": (row.modified - _EPOCH) // _MICROSECOND,
            }
            items.append(item | ({"data": content} if content else {}))
        if rows:
            stamp, pk = items[-1]["modified"], rows[-1].pk
        licensed = {"license": settings.OPEN_DATA_LICENCE} if settings.OPEN_DATA_LICENCE else {}
        answer = Response({"next": _address(stamp, pk), "items": items} | licensed)
        patch_cache_control(answer, public=True, max_age=KEPT_FOR)
        return answer


def _address(stamp: int | None, pk: UUID | None) -> str:
    query = "" if stamp is None else "?" + urlencode({"afterTimestamp": stamp, "afterId": str(pk)})
    return settings.SITE_URL + reverse("api-availability-feed") + query
