"""Needs, and the instruments that answer them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, acts, changes, creates, lists, reads, tells
from accounts.api.shapes import (
    Choice,
    Flag,
    Instant,
    ListOf,
    Money,
    Number,
    Query,
    ReasonBody,
    Shape,
    Text,
    Whole,
)
from bookings.needs.domain.matching import GATES, LABELS, PARTS
from bookings.needs.messages import GATES as GATE_TEXTS
from bookings.needs.messages import reasons_of
from bookings.needs.models import Need
from bookings.needs.selectors.matches import Answer, Wanted, load_answer, load_matches, wanted_of
from bookings.needs.selectors.needs import load_chosen, need_by_id, needs_for, written
from bookings.needs.services.needs import (
    NeedValues,
    need_change,
    need_make,
    need_open,
    need_share,
    need_unshare,
    need_withdraw,
)
from bookings.pricing.domain.quotes import quote_to_json
from instruments.api.needs import NeedTermShape
from instruments.domain.needs import LONGEST_NEED
from instruments.models import Instrument
from instruments.selectors.needs import load_parameters
from instruments.selectors.registry import instrument_by_id


class RequirementBody(Shape):
    """An instrument must reach down to `low` and up to `high`, in the unit of the parameter."""

    parameter = Text(60, help_text="A code.")
    low = Number(30, 15, required=False, allow_null=True)
    high = Number(30, 15, required=False, allow_null=True)


class WeightsBody(Shape):
    """How much each part of a match counts, from 0 to 1; those not named count nothing."""

    fit = Number(4, 3, min_value=0, max_value=1, required=False)
    time = Number(4, 3, min_value=0, max_value=1, required=False)
    cost = Number(4, 3, min_value=0, max_value=1, required=False)
    effort = Number(4, 3, min_value=0, max_value=1, required=False)
    trust = Number(4, 3, min_value=0, max_value=1, required=False)


class NeedBody(Shape):
    text = Text(LONGEST_NEED, help_text="What is to be found out, in one's own words.")
    organisation = Text(
        40, required=False, help_text="Who pays: a code. Your only one, unless named."
    )
    terms = ListOf(
        child=Text(60),
        required=False,
        help_text="Codes of measurands and techniques; unless named, the likeliest of the text.",
    )
    requirements = ListOf(
        child=RequirementBody(), required=False, help_text="Unless named, those of the text."
    )
    sample = Text(200, default="", allow_blank=True, help_text="Its form.")
    quantity = Whole(min_value=1, max_value=100_000, required=False, help_text="Of samples.")
    modes = ListOf(child=Choice(Instrument.ServiceMode.choices), default=list)
    regions = ListOf(child=Text(60), default=list, help_text="Codes; with those below them.")
    earliest = Instant(help_text="It begins no sooner.")
    latest = Instant(help_text="Latest end.")
    minutes = Whole(min_value=1, max_value=44640)
    budget = Number(
        16,
        2,
        min_value=0,
        required=False,
        allow_null=True,
        help_text="In all, in the currency of the payer's region.",
    )
    weights = WeightsBody(required=False)
    is_flexible = Flag(
        default=False, help_text="Any time in the window suits: a batch may have one kept."
    )


class PersonBody(Shape):
    person = Text(254, help_text="An id, or a mail address.")


class ReaderShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class NeedShape(serializers.Serializer[Any]):
    """A need. `requirements` and `budget` are as they were entered."""

    id = serializers.UUIDField()
    user = serializers.CharField(source="user.name")
    organisation = serializers.CharField(source="organisation.code", help_text="The payer.")
    readers = ReaderShape(many=True, source="readers.all")
    text = serializers.CharField()
    terms = NeedTermShape(many=True, source="chosen")
    requirements = serializers.ListField(child=serializers.DictField())
    sample = serializers.CharField()
    quantity = serializers.IntegerField(allow_null=True)
    modes = serializers.ListField(child=serializers.CharField())
    regions = serializers.ListField(child=serializers.CharField(), source="region_codes")
    earliest = Instant()
    latest = Instant()
    minutes = serializers.IntegerField()
    budget = Money(allow_null=True)
    weights = serializers.DictField(child=serializers.FloatField())
    is_flexible = serializers.BooleanField()
    state = serializers.ChoiceField(Need.State.choices)
    created_at = Instant()
    changed_at = Instant()
    version = serializers.IntegerField()


class FitShape(serializers.Serializer[Any]):
    """A requirement, and whether an instrument meets it."""

    parameter = serializers.CharField()
    low = serializers.CharField(allow_null=True)
    high = serializers.CharField(allow_null=True)
    fit = serializers.ChoiceField(["meets", "fails", "unknown"])


class ReasonShape(serializers.Serializer[Any]):
    """A part of a match in words. `value` is between 0 and 1; `parameter` can be asked of the
    host (`POST instruments/{id}/questions/`)."""

    part = serializers.ChoiceField(PARTS)
    text = serializers.CharField()
    value = serializers.FloatField()
    parameter = serializers.CharField()


class MatchInstrumentShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    host = serializers.CharField(source="organisation.code")
    region = serializers.CharField(source="region.code")
    time_zone = serializers.CharField(source="facility.time_zone")


class MatchShape(serializers.Serializer[Any]):
    """An instrument that answers a need. `score` is the weighted sum of `parts`; `price` the
    quote for this start."""

    instrument = MatchInstrumentShape()
    fit = serializers.FloatField()
    requirements = FitShape(many=True)
    score = serializers.FloatField()
    parts = serializers.DictField(child=serializers.FloatField())
    reasons = ReasonShape(many=True)
    service_mode = serializers.CharField()
    start = Instant()
    price = serializers.DictField(allow_null=True)
    labels = serializers.ListField(child=serializers.ChoiceField(LABELS))


class NoMatchShape(serializers.Serializer[Any]):
    """An instrument that came near but is no match."""

    instrument = MatchInstrumentShape()
    code = serializers.ChoiceField(GATES)
    text = serializers.CharField()
    requirements = FitShape(many=True)


class MatchesShape(serializers.Serializer[Any]):
    """The best first; `left_out`: a few that are none, and why."""

    matches = MatchShape(many=True)
    left_out = NoMatchShape(many=True)


class MatchQuery(Query):
    instrument = serializers.UUIDField(
        required=False, help_text="Of this instrument alone: a match, or why it is none."
    )


def values_of(data: dict[str, Any]) -> NeedValues:
    """A body as the service takes it."""
    weights = data.get("weights")
    if weights is not None:
        data = data | {"weights": {name: float(value) for name, value in weights.items()}}
    return NeedValues(**data)


class Needs(Resource):
    at, key, name, many, tag = "needs/", "need_id", "need", "needs", "instruments"
    shape, write_scope, needs_person = NeedShape, "book", True

    def visible(self, pk: UUID) -> Need:
        return need_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for need in rows:
            need.chosen = load_chosen(need.terms)
            need.region_codes = sorted(region.code for region in need.regions.all())
        return rows

    @lists(_("Needs"))
    def rows(self, query: dict[str, Any]) -> QuerySet[Need]:
        """One's own, and for managers those of their organisation; the newest first. Nobody else
        reads a need, but for auditors and administrators who say why."""
        return needs_for(self.actor)

    @creates(
        _("Describe a need"),
        NeedBody,
        refuses=[403, 409],
        sends={
            "text": "Size of silica nanoparticles, resolution 2 nm",
            "organisation": "wusong-tech",
            "earliest": "2026-03-06T08:00:00+08:00",
            "latest": "2026-03-27T20:00:00+08:00",
            "minutes": 120,
            "budget": "2000.00",
        },
    )
    def make(self, data: dict[str, Any]) -> UUID:
        """Keep what is to be found out. Terms and requirements are read from the text unless they
        are named; `GET needs/{id}/matches/` answers with instruments. At most fifty that are
        open."""
        return need_make(self.by, values=values_of(data)).pk

    @reads(_("A need"))
    def detail(self, pk: UUID) -> None:
        """As it is now."""

    @changes(_("Change a need"), NeedBody, method="put", refuses=[404, 409])
    def change(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Put another in its place; the payer stays."""
        return need_change(self.by, need_id=pk, values=values_of(data)).pk

    @acts(_("Withdraw a need"))
    def withdraw(self, pk: UUID, data: Any = None) -> UUID:
        """Look no further."""
        return need_withdraw(self.by, need_id=pk).pk

    @acts(_("Name a reader of a need"), PersonBody, versioned=False)
    def share(self, pk: UUID, data: dict[str, Any]) -> Need:
        """Let somebody else read it, by id or mail address: for its author and the payer's
        managers, who alone can read it otherwise. At most twenty."""
        return need_share(self.by, need_id=pk, **data)

    @acts(_("Take a reader of a need away"), PersonBody, versioned=False)
    def unshare(self, pk: UUID, data: dict[str, Any]) -> Need:
        """Let somebody read it no longer."""
        return need_unshare(self.by, need_id=pk, **data)

    @acts(_("Open somebody's need"), ReasonBody, versioned=False, once=False)
    def open(self, pk: UUID, data: dict[str, Any]) -> Need:
        """For auditors of the payer's region and administrators: reads it once; who did, and why,
        is in the trail."""
        return need_open(self.by, need_id=pk, **data)

    @tells(_("The matches of a need"), MatchesShape, query=MatchQuery)
    def matches(self, pk: UUID, query: dict[str, Any]) -> dict[str, Any]:
        """Instruments that answer it, at most fifty, with their earliest start, the price as the
        payer would have it, and the reasons. None fails a requirement; what is not stated can be
        asked of the host."""
        question = wanted_of(self.visible(pk))
        if instrument_id := query.get("instrument"):
            instrument = instrument_by_id(self.actor, instrument_id)
            return answers_json([load_answer(question, instrument, self.now)], question)
        return answers_json(load_matches(question, self.now), question)


def answers_json(answers: list[Answer], question: Wanted) -> dict[str, Any]:
    """Matches, and what came near, as `MatchesShape` takes them."""
    parameters = load_parameters()

    def fits(answer: Answer) -> list[dict[str, Any]]:
        return [written(requirement) | {"fit": fit} for requirement, fit in answer.fits]

    return {
        "matches": [
            {
                "instrument": answer.instrument,
                "fit": round(answer.match.parts["fit"], 4),
                "requirements": fits(answer),
                "score": round(answer.match.score, 4),
                "parts": {name: round(answer.match.parts[name], 4) for name in PARTS},
                "reasons": reasons_of(answer, question, parameters),
                "service_mode": answer.mode,
                "start": answer.offer.starts[0],
                "price": quote_to_json(answer.offer.quote) if answer.offer.quote else None,
                "labels": answer.match.labels,
            }
            for answer in answers
            if answer.match is not None
        ],
        "left_out": [
            {
                "instrument": answer.instrument,
                "code": answer.gate,
                "text": GATE_TEXTS[answer.gate],
                "requirements": fits(answer),
            }
            for answer in answers
            if answer.match is None
        ],
    }
