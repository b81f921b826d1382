"""Saved searches."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Choice, Flag, Instant, Number, Shape, Text, Whole, asked, checked
from accounts.api.versions import etag, require_version
from accounts.domain.currencies import MINOR_DIGITS
from accounts.selectors.organisations import payer_for
from bookings.catalogue.api.catalogue import criteria_of
from bookings.catalogue.models import SavedSearch
from bookings.catalogue.selectors.searches import own_search, own_searches
from bookings.catalogue.services.searches import search_delete, search_pause, search_save
from instruments.models import Instrument

TAG = "instruments"


class SearchBody(Shape):
    """The catalogue's criteria, and what the search is called."""

    name = Text(100)
    q = Text(200, default="", allow_blank=True)
    technique = Text(60, default="", allow_blank=True)
    region = Text(20, default="", allow_blank=True)
    host = Text(40, default="", allow_blank=True)
    facility = serializers.UUIDField(required=False)
    maker = Text(250, default="", allow_blank=True)
    service_mode = Choice(Instrument.ServiceMode.choices, required=False)
    kind = Choice(Instrument.Kind.choices, required=False)
    organisation = Text(40, required=False)
    free_from = Instant(required=False)
    free_until = Instant(required=False)
    minutes = Whole(min_value=1, max_value=44640, required=False)
    max_price = Number(12, 4, min_value=0, required=False)
    currency = Choice([(code, code) for code in sorted(MINOR_DIGITS)], required=False)


class SearchChange(Shape):
    is_paused = Flag()


class SearchShape(serializers.Serializer[Any]):
    """A saved search; `criteria` as texts, by the names of the catalogue's query (`text` is
    `q`)."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    criteria = serializers.DictField(child=serializers.CharField())
    organisation = serializers.CharField(source="organisation.code", allow_null=True, default=None)
    is_paused = serializers.BooleanField()
    created_at = Instant()


class SearchesEndpoint(Endpoint):
    write_scope = "book"
    needs_person = True

    @staticmethod
    def shown(search: SavedSearch) -> Any:
        return SearchShape(search).data

    @staticmethod
    def version(search: SavedSearch) -> int:
        """Whether it is paused is all that ever changes."""
        return 1 + search.is_paused


class Searches(SearchesEndpoint):
    @operation("searches", _("Saved searches"), tag=TAG, query=Pages, gives=page(SearchShape))
    def get(self, request: Request) -> Response:
        """One's own, the newest first."""
        query = asked(Pages, request.query_params)
        return paginated(
            request,
            own_searches(self.actor),
            query,
            ("-created_at", "-id"),
            lambda rows: [self.shown(row) for row in rows],
        )

    @operation(
        "search_save",
        _("Save a search"),
        tag=TAG,
        takes=SearchBody,
        gives=SearchShape,
        status=201,
        refuses=[409],
        sends={"name": "SEM nearby", "q": "SEM", "region": "CN-AH"},
    )
    def post(self, request: Request) -> Response:
        """Keep a search, to be told by mail once a day of what it newly finds: twenty a person,
        each of which finds at most 300 instruments now."""
        body = checked(SearchBody, request.data)
        payer = payer_for(self.actor, body.get("organisation"))
        made = search_save(
            actor=self.actor,
            name=body["name"],
            criteria=criteria_of(body, payer),
            organisation=payer,
            now=self.now,
        )
        place = reverse("api-search", kwargs={"search_id": made.pk})
        return Response(
            self.shown(made), status=201, headers={"Location": place} | etag(self.version(made))
        )


class Search(SearchesEndpoint):
    @operation(
        "search_change",
        _("Pause a search"),
        tag=TAG,
        takes=SearchChange,
        gives=SearchShape,
        refuses=[404],
        versioned=True,
    )
    def patch(self, request: Request, search_id: UUID) -> Response:
        """Be told no more, or again."""
        is_paused = checked(SearchChange, request.data)["is_paused"]
        require_version(request, self.version(own_search(self.actor, search_id)))
        made = search_pause(
            actor=self.actor, search_id=search_id, is_paused=is_paused, now=self.now
        )
        return Response(self.shown(made), headers=etag(self.version(made)))

    @operation(
        "search_delete",
        _("Delete a search"),
        tag=TAG,
        gives=None,
        status=204,
        refuses=[404],
        versioned=True,
    )
    def delete(self, request: Request, search_id: UUID) -> Response:
        """For ever."""
        require_version(request, self.version(own_search(self.actor, search_id)))
        search_delete(actor=self.actor, search_id=search_id, now=self.now)
        return Response(status=204)
