"""The API for what instruments can do in numbers, and for questions about it."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import OnPage, Resource, acts, changes, lists, parts, reads, removes
from accounts.api.shapes import Instant, Shape, Text
from accounts.selectors.rows import visible
from instruments.capabilities.forms.capabilities import ValuesBody
from instruments.capabilities.models import Capability, CapabilityQuestion
from instruments.capabilities.selectors import capabilities as capability_selectors
from instruments.capabilities.services.capabilities import (
    capability_add,
    capability_change,
    capability_remove,
    question_answer,
    question_ask,
)
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_by_id
from instruments.vocabulary.models import Parameter as ParameterRow
from instruments.vocabulary.selectors.needs import load_parameters

SENDS = {"minimum": "0.8", "unit": "nm", "condition": "15 kV", "checked_on": "2026-03-05"}


class ParameterShape(serializers.Serializer[Any]):
    """A quantity by which instruments are compared. `units` maps a unit to factor and offset: value x factor
    + offset is the value in `unit`. `techniques` are those whose instruments should state it."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    unit = serializers.CharField()
    units = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    direction = serializers.CharField(
        help_text="`down`: smaller is better; `up`: larger is better; `range`: a range is stated."
    )
    synonyms = serializers.ListField(child=serializers.CharField())
    synonyms_zh = serializers.ListField(child=serializers.CharField())
    techniques = serializers.ListField(child=serializers.CharField())
    source = serializers.CharField()  # type: ignore[assignment]


class CapabilityShape(serializers.Serializer[Any]):
    """A stated capability. `minimum` and `maximum` are in `unit`, null if that side is not stated; the
    `canonical` ones are in the parameter's own unit, in which instruments are compared. `is_available` is
    false if the instrument does not have it at all."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id")
    parameter = serializers.CharField(source="parameter.code")
    name = serializers.CharField(source="parameter.name")
    name_zh = serializers.CharField(source="parameter.name_zh")
    minimum = serializers.SerializerMethodField()
    maximum = serializers.SerializerMethodField()
    unit = serializers.CharField()
    canonical_minimum = serializers.SerializerMethodField()
    canonical_maximum = serializers.SerializerMethodField()
    canonical_unit = serializers.CharField(source="parameter.unit")
    is_available = serializers.BooleanField()
    condition = serializers.CharField()
    source = serializers.ChoiceField(Capability.Source.choices)  # type: ignore[assignment]
    checked_on = serializers.DateField(allow_null=True)
    version = serializers.IntegerField()

    def get_minimum(self, row: Capability) -> str | None:
        return _told(row, row.minimum, row.unit)

    def get_maximum(self, row: Capability) -> str | None:
        return _told(row, row.maximum, row.unit)

    def get_canonical_minimum(self, row: Capability) -> str | None:
        return _told(row, row.minimum, row.parameter.unit)

    def get_canonical_maximum(self, row: Capability) -> str | None:
        return _told(row, row.maximum, row.parameter.unit)


def _told(row: Capability, value: Decimal | None, unit: str) -> str | None:
    terms = load_parameters().get(row.parameter.code)
    return None if value is None or terms is None else f"{terms.shown(value, unit):f}"


class CapabilityBody(ValuesBody):
    parameter = Text(200, help_text="Code or name of a parameter from `parameters/`.")


class QuestionBody(Shape):
    parameter = Text(200, help_text="Code or name of a parameter from `parameters/`.")


class QuestionShape(serializers.Serializer[Any]):
    """A parameter that people ask an instrument's managers about. `askers` is how many people wait for the
    answer."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id")
    parameter = serializers.CharField(source="parameter.code")
    name = serializers.CharField(source="parameter.name")
    name_zh = serializers.CharField(source="parameter.name_zh")
    askers = serializers.IntegerField(source="number")
    created_at = Instant()
    answered_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class ParameterResource(Resource):
    at, key, converter, tag = "parameters/", "code", "str", "reference"
    name, many = "parameter", "parameters"
    shape, order = ParameterShape, ("code",)

    def visible(self, pk: Any) -> ParameterRow:
        return visible(ParameterRow.objects, code=pk.replace("\0", ""))

    @lists(_("Parameters"))
    def rows(self, query: dict[str, Any]) -> QuerySet[ParameterRow]:
        """Lists the quantities by which instruments are compared, with their units."""
        return ParameterRow.objects.all()

    @reads(_("A parameter"))
    def detail(self, pk: str) -> None:
        """Returns one parameter with its units."""


class InstrumentCapabilities(Resource):
    """The capabilities of an instrument, and questions to its managers."""

    at, key, tag = "instruments/", "instrument_id", "instruments"
    name, many, shape = "instrument", "instruments", CapabilityShape

    @parts(
        _("What an instrument can do"),
        CapabilityShape,
        address="api-capabilities",
        named="capabilities",
        order=("parameter__name", "condition", "id"),
    )
    def capabilities(self, pk: UUID, query: dict[str, Any]) -> QuerySet[Capability]:
        """Lists the stated capabilities of an instrument, for everybody who may see it. A value that is not
        listed is unknown."""
        return capability_selectors.capabilities_of(instrument_by_id(self.actor, pk).pk)

    @acts(
        _("State what an instrument can do"),
        CapabilityBody,
        below="capabilities",
        gives=CapabilityShape,
        named="capability_add",
        status=201,
        versioned=False,
        sends={"parameter": "spatial_resolution", **SENDS},
    )
    def capability_add(self, pk: UUID, data: dict[str, Any]) -> Capability:
        """States a capability of an instrument. Only the host's managers may do this. An unknown parameter
        gives 400, naming the nearest known one. If people have asked about the parameter, this answers their
        question."""
        return capability_add(self.by, instrument_id=pk, **data)

    @acts(
        _("Ask about a missing value"),
        QuestionBody,
        below="questions",
        gives=QuestionShape,
        address="api-instrument-questions",
        named="question_ask",
        status=201,
        versioned=False,
        sends={"parameter": "spatial_resolution"},
    )
    def question_ask(self, pk: UUID, data: dict[str, Any]) -> CapabilityQuestion:
        """Asks an instrument's managers about a parameter that is not stated. Anybody who is signed in and
        may see the instrument may do this. If others have asked about the same parameter, you join their
        question; everybody who asked is told the answer. Nobody is told what you need it for."""
        return counted(question_ask(self.by, instrument_id=pk, **data))


class Capabilities(Resource):
    at, key, tag = "capabilities/", "capability_id", "instruments"
    name, many, shape = "capability", "capabilities", CapabilityShape
    page_at = "manage/capabilities/"

    def visible(self, pk: UUID) -> Capability:
        return capability_selectors.capability_by_id(self.actor, pk)

    @reads(_("A capability"))
    def detail(self, pk: UUID) -> None:
        """Returns one stated capability."""

    @changes(_("Change a stated value"), ValuesBody, refuses=[404, 409], sends=SENDS)
    def change(self, pk: UUID, data: dict[str, Any]) -> Capability:
        """Changes the values of a stated capability. Only the host's managers may do this. Fields left out
        stay as they are."""
        return capability_change(self.by, capability_id=pk, changes=data)

    @OnPage(
        "instruments:capabilities",
        _("Remove"),
        _("Removed."),
        _("Remove this value? It will count as unknown."),
        of="instrument_id",
        to=lambda instrument: reverse("instruments:capabilities", args=[instrument.pk]),
    )
    @removes(_("Remove a stated value"), refuses=[404, 409])
    def remove(self, pk: UUID) -> Instrument:
        """Removes a stated capability, whose value is unknown from then on. Only the host's managers may do
        this."""
        return capability_remove(self.by, capability_id=pk)


class Questions(Resource):
    at, key, tag = "questions/", "question_id", "instruments"
    name, many, shape, order = "question", "questions", QuestionShape, ("created_at", "id")
    needs_person = True

    def visible(self, pk: UUID) -> CapabilityQuestion:
        return capability_selectors.question_to_answer(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        people = capability_selectors.askers_of(rows)
        for row in rows:
            row.number = len(people[row.pk])
        return rows

    @lists(_("Questions to answer"))
    def rows(self, query: dict[str, Any]) -> QuerySet[CapabilityQuestion]:
        """Lists the open questions about instruments you manage, the oldest first."""
        return capability_selectors.questions_to_answer(self.actor)

    @reads(_("A question"))
    def detail(self, pk: UUID) -> None:
        """Returns one question, answered or not. Only the instrument's managers may read it."""

    @acts(_("Answer a question"), ValuesBody, sends=SENDS)
    def answer(self, pk: UUID, data: dict[str, Any]) -> None:
        """Answers a question with values, or by saying that the instrument does not have it. The instrument's
        page states it from then on, and everybody who asked is told."""
        question_answer(self.by, question_id=pk, **data)


def counted(question: CapabilityQuestion) -> CapabilityQuestion:
    """Set `number`, how many people ask the question, and return the question."""
    question.number = question.askers.count()  # type: ignore[attr-defined]
    return question
