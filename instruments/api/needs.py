"""Needs: what somebody's own words may mean, and what can be found out at all."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, lists, reads, tells
from accounts.api.shapes import Query, Text
from instruments.domain.needs import LONGEST_NEED, NeedTerm
from instruments.models import Measurand
from instruments.selectors.needs import load_need_terms, measurand_by_code, measurands


class Words(serializers.ListField):
    child = serializers.CharField()


class NeedTermShape(serializers.Serializer[Any]):
    """`techniques` are codes, the best first; `words` those of the need that speak for the term.
    `is_named`: the need names this technique itself; else `code` is that of a measurand."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    unit = serializers.CharField()
    techniques = Words()
    words = Words()
    is_named = serializers.BooleanField()


class NeedTermsShape(serializers.Serializer[Any]):
    """The likeliest term first."""

    terms = NeedTermShape(many=True)


class NeedQuery(Query):
    text = Text(LONGEST_NEED, help_text="The need in somebody's own words, English or Chinese.")


class MeasurandShape(serializers.Serializer[Any]):
    """What can be found out; `techniques` are the codes of those that answer it, the best first."""

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
        """What can be found out, and by which techniques."""
        return measurands()

    @reads(_("A measurand"))
    def detail(self, pk: str) -> None:
        """One measurand."""


class Needs(Resource):
    at, tag = "needs/", "reference"
    name, many = "need", "needs"

    @tells(
        _("The terms of a need"),
        NeedTermsShape,
        query=NeedQuery,
        below="*terms",
        address="api-need-terms",
    )
    def terms(self, query: dict[str, Any]) -> dict[str, list[NeedTerm]]:
        """Say what a need may mean: up to five measurands, or techniques that it names. Nothing of
        the text is kept."""
        return {"terms": load_need_terms(query["text"])}
