"""The API for needs: the possible meanings of somebody's own words, and the list of measurands."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, lists, reads, tells
from accounts.api.shapes import Query, Text
from instruments.vocabulary.domain.needs import LONGEST_NEED, NeedTerm
from instruments.vocabulary.models import Measurand
from instruments.vocabulary.selectors.needs import load_need_terms, measurand_by_code, measurands


class Words(serializers.ListField):
    child = serializers.CharField()


class NeedTermShape(serializers.Serializer[Any]):
    """A possible meaning of a need: a measurand or, with `is_named`, a technique that the need names.
    `techniques` are codes, the best first; `words` are those of the need that support it."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    unit = serializers.CharField()
    techniques = Words()
    words = Words()
    is_named = serializers.BooleanField()


class NeedTermsShape(serializers.Serializer[Any]):
    """The possible meanings of a need, the likeliest first."""

    terms = NeedTermShape(many=True)


class NeedQuery(Query):
    text = Text(LONGEST_NEED, help_text="The need in your own words, in English or Chinese.")


class MeasurandShape(serializers.Serializer[Any]):
    """A measurand; `techniques` are the codes of the techniques that measure it, the best first."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    unit = serializers.CharField()
    samples = Words()
    techniques = Words()
    lines = Words()
    lines_zh = Words()
    synonyms = Words()
    synonyms_zh = Words()
    source = serializers.CharField()  # type: ignore[assignment]


class Measurands(Resource):
    at, key, converter, tag = "measurands/", "code", "str", "reference"
    name, many = "measurand", "measurands"
    shape, order = MeasurandShape, ("code",)

    def visible(self, pk: Any) -> Measurand:
        return measurand_by_code(pk)

    @lists(_("Measurands"))
    def rows(self, query: dict[str, Any]) -> QuerySet[Measurand]:
        """Lists all measurands, with the techniques that measure them."""
        return measurands()

    @reads(_("A measurand"))
    def detail(self, pk: str) -> None:
        """Returns one measurand."""


class Needs(Resource):
    at, tag = "needs/", "reference"
    name, many = "need", "needs"

    @tells(
        _("The terms of a need"), NeedTermsShape, query=NeedQuery, below="*terms", address="api-need-terms"
    )
    def terms(self, query: dict[str, Any]) -> dict[str, list[NeedTerm]]:
        """Returns the possible meanings of a need: up to five measurands, or techniques that it names. The
        text is not stored."""
        return {"terms": load_need_terms(query["text"])}
