"""The API for saved searches."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, changes, creates, lists, removes
from accounts.api.shapes import Choice, Flag, Instant, ListOf, Number, Shape, Text, Whole
from accounts.domain.currencies import MINOR_DIGITS
from accounts.selectors.organisations import payer_for
from bookings.browsing.api.catalogue import criteria_of
from bookings.browsing.models import SavedSearch
from bookings.browsing.selectors.searches import own_searches
from bookings.browsing.services.searches import search_delete, search_pause, search_save
from instruments.register.models import Instrument
from instruments.vocabulary.domain.needs import LONGEST_NEED
from instruments.vocabulary.domain.parameters import LONGEST_SPEC


class SearchBody(Shape):
    """The criteria of the catalogue, and a name for the search."""

    name = Text(100)
    q = Text(LONGEST_NEED, default="", allow_blank=True)
    term = Text(60, default="", allow_blank=True)
    without = Text(600, default="", allow_blank=True, help_text="Codes of terms that `q` does not mean.")
    technique = Text(60, default="", allow_blank=True)
    region = Text(20, default="", allow_blank=True)
    host = Text(40, default="", allow_blank=True)
    facility = serializers.UUIDField(required=False)
    maker = Text(250, default="", allow_blank=True)
    service_mode = Choice(Instrument.ServiceMode.choices, required=False)
    kind = Choice(Instrument.Kind.choices, required=False)
    spec = ListOf(
        child=Text(LONGEST_SPEC),
        default=list,
        help_text="Ranges of parameters, as in the query of the catalogue.",
    )
    organisation = Text(40, required=False)
    free_from = Instant(required=False)
    free_until = Instant(required=False)
    minutes = Whole(min_value=1, max_value=44640, required=False)
    max_price = Number(12, 4, min_value=0, required=False)
    max_payable = Number(14, 4, min_value=0, required=False)
    currency = Choice([(code, code) for code in sorted(MINOR_DIGITS)], required=False)


class SearchChange(Shape):
    is_paused = Flag()


class SearchShape(serializers.Serializer[Any]):
    """A saved search. `criteria` are texts by the names of the catalogue's query parameters, except that
    `text` stands for `q`, and `specs` for all values of `spec`, separated by spaces."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    criteria = serializers.DictField(child=serializers.CharField())
    organisation = serializers.CharField(source="organisation.code", allow_null=True, default=None)
    is_paused = serializers.BooleanField()
    created_at = Instant()


class Searches(Resource):
    for_persons = True
    at, key, name, many, tag = "searches/", "search_id", "search", "searches", "instruments"
    shape, write_scope, needs_person = SearchShape, "book", True

    @lists(_("Saved searches"))
    def rows(self, query: dict[str, Any]) -> QuerySet[SavedSearch]:
        """List your own saved searches, newest first."""
        return own_searches(self.actor)

    @creates(
        _("Save a search"),
        SearchBody,
        named="_save",
        refuses=[409],
        sends={"name": "SEM nearby", "q": "SEM", "region": "CN-AH"},
    )
    def save(self, data: dict[str, Any]) -> SavedSearch:
        """Save a search. A daily mail tells you which instruments newly match it. A person can save twenty
        searches, each of which may match at most 300 instruments when it is saved."""
        payer = payer_for(self.actor, data.get("organisation"))
        criteria = criteria_of(data, payer)
        return search_save(self.by, name=data["name"], criteria=criteria, organisation=payer)

    @changes(_("Pause a search"), SearchChange)
    def pause(self, pk: UUID, data: dict[str, Any]) -> SavedSearch:
        """Pause a saved search, so that no mail is sent for it, or resume it."""
        return search_pause(self.by, search_id=pk, **data)

    @removes(_("Delete a search"))
    def remove(self, pk: UUID) -> None:
        """Delete a saved search for good."""
        search_delete(self.by, search_id=pk)
