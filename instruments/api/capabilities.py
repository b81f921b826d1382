"""What instruments can do in numbers, and questions about that."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, acts, changes, lists, parts, reads, removes
from accounts.api.shapes import Day, Flag, Instant, Number, Shape, Text
from accounts.selectors.rows import visible
from instruments.domain.capabilities import LONGEST_CONDITION
from instruments.models import Capability, CapabilityQuestion
from instruments.models import Parameter as ParameterRow
from instruments.selectors.capabilities import (
    askers_of,
    capabilities_of,
    capability_by_id,
    question_to_answer,
    questions_to_answer,
)
from instruments.selectors.managing import instrument_to_manage
from instruments.selectors.needs import load_parameters
from instruments.selectors.registry import instrument_by_id
from instruments.services.capabilities import (
    capability_add,
    capability_change,
    capability_remove,
    question_answer,
    question_ask,
)

SENDS = {"minimum": "0.8", "unit": "nm", "condition": "15 kV", "checked_on": "2026-03-05"}


class ParameterShape(serializers.Serializer[Any]):
    """A quantity by which instruments are compared. `units` maps a unit to factor and offset: value
    x factor + offset is the value in `unit`. `techniques` are those of which it is asked."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    unit = serializers.CharField()
    units = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    direction = serializers.CharField(
        help_text="`down`: smaller is better, `up`: larger is better, `range`."
    )
    synonyms = serializers.ListField(child=serializers.CharField())
    synonyms_zh = serializers.ListField(child=serializers.CharField())
    techniques = serializers.ListField(child=serializers.CharField())
    source = serializers.CharField()  # type: ignore[assignment]


class CapabilityShape(serializers.Serializer[Any]):
    """What is stated of an instrument. `minimum` and `maximum` are in `unit`, null where that side
    is not stated; the `canonical` ones are in the parameter's own unit, by which instruments are
    compared. Not `is_available`: the instrument does not have it at all."""

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


class ValuesBody(Shape):
    """Values in `unit`, or, without one, in the parameter's own; one side at least, unless it is
    not available."""

    minimum = Number(27, 15, required=False, allow_null=True)
    maximum = Number(27, 15, required=False, allow_null=True)
    unit = Text(20, required=False, allow_blank=True)
    condition = Text(LONGEST_CONDITION, required=False, allow_blank=True)
    is_available = Flag(required=False)
    checked_on = Day(required=False, allow_null=True)


class CapabilityBody(ValuesBody):
    parameter = Text(200, help_text="A code or name of `parameters/`.")


class QuestionBody(Shape):
    parameter = Text(200, help_text="A code or name of `parameters/`.")


class QuestionShape(serializers.Serializer[Any]):
    """A parameter that people ask an instrument's managers about. `askers` are told the answer."""

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
        """The quantities by which instruments are compared, with their units."""
        return ParameterRow.objects.all()

    @reads(_("A parameter"))
    def detail(self, pk: str) -> None:
        """One parameter."""


class InstrumentCapabilities(Resource):
    """What is stated of an instrument, and what is asked of its managers."""

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
        """For everybody who sees the instrument. What is not here is not known."""
        return capabilities_of(instrument_by_id(self.actor, pk).pk)

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
        """For the host's managers. 400 names the nearest parameter where there is none of the
        name; an open question about it is answered by this."""
        instrument_to_manage(self.actor, pk)
        return capability_add(self.by, instrument_id=pk, **data)

    @acts(
        _("Ask for what is not stated"),
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
        """For everybody who is signed in and sees the instrument. Whoever asks the same joins the
        open question, and all are told the answer. What you need it for is not told to anybody."""
        instrument_by_id(self.actor, pk)
        return counted(question_ask(self.by, instrument_id=pk, **data))


class Capabilities(Resource):
    at, key, tag = "capabilities/", "capability_id", "instruments"
    name, many, shape = "capability", "capabilities", CapabilityShape

    def visible(self, pk: UUID) -> Capability:
        return capability_by_id(self.actor, pk)

    @reads(_("One capability"))
    def detail(self, pk: UUID) -> None:
        """One statement about an instrument."""

    @changes(_("Change what is stated"), ValuesBody, refuses=[404, 409], sends=SENDS)
    def change(self, pk: UUID, data: dict[str, Any]) -> Capability:
        """For the host's managers. What is not named stays as it is."""
        instrument_to_manage(self.actor, self.visible(pk).instrument_id)
        return capability_change(self.by, capability_id=pk, changes=data)

    @removes(_("Take back what is stated"), refuses=[404, 409])
    def remove(self, pk: UUID) -> None:
        """For the host's managers: it is not known from then on."""
        instrument_to_manage(self.actor, self.visible(pk).instrument_id)
        capability_remove(self.by, capability_id=pk)


class Questions(Resource):
    at, key, tag = "questions/", "question_id", "instruments"
    name, many, shape, order = "question", "questions", QuestionShape, ("created_at", "id")
    needs_person = True

    def visible(self, pk: UUID) -> CapabilityQuestion:
        return question_to_answer(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        people = askers_of(rows)
        for row in rows:
            row.number = len(people[row.pk])
        return rows

    @lists(_("Questions to answer"))
    def rows(self, query: dict[str, Any]) -> QuerySet[CapabilityQuestion]:
        """Those about instruments you manage that are open, the oldest first."""
        return questions_to_answer(self.actor)

    @reads(_("One question"))
    def detail(self, pk: UUID) -> None:
        """For the managers of the instrument."""

    @acts(_("Answer a question"), ValuesBody, sends=SENDS)
    def answer(self, pk: UUID, data: dict[str, Any]) -> None:
        """With values, or that it is not available. It is stated of the instrument from then on,
        and everybody who asked is told."""
        self.visible(pk)
        question_answer(self.by, question_id=pk, **data)


def counted(question: CapabilityQuestion) -> CapabilityQuestion:
    """The question with the number of those who ask it."""
    question.number = question.askers.count()  # type: ignore[attr-defined]
    return question
