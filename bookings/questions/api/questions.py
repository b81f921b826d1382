"""The API for questions at booking, before and after use, and their answers."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PersonShape
from accounts.api.pagination import Pages
from accounts.api.resource import acts, parts
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Instant, ListOf, ObjectOf, Shape, replaced_by
from accounts.domain.errors import NotFound
from bookings.questions.domain.questions import KINDS, MOST_FIELDS
from bookings.questions.models import AnswerSheet, Moment, Questionnaire
from bookings.questions.selectors.questions import (
    ANSWERS,
    answer_file_by_id,
    questionnaire_versions,
    sheets_of,
)
from bookings.questions.services.questions import questionnaire_set
from bookings.record.api.lists import listed
from instruments.attachments.api.attachments import StoredFileShape, binary
from instruments.managing.api.registry import InstrumentResource
from instruments.register.selectors.registry import instrument_by_id, instrument_to_manage


class ChoiceShape(serializers.Serializer[Any]):
    """One of the answers to choose from."""

    value = serializers.CharField(max_length=200)
    label = serializers.CharField(max_length=200, required=False)  # type: ignore[assignment]
    label_zh = serializers.CharField(max_length=200, required=False)


class FieldShape(serializers.Serializer[Any]):
    """A question. `unit`, `low` and `high` belong to a number, `choices` to a choice, `meter` to a meter
    reading. Clients may use them to check input; the server checks the answers all the same."""

    key = serializers.CharField(max_length=40, help_text="The key under which an answer is given.")
    kind = serializers.ChoiceField(KINDS)
    label = serializers.CharField(max_length=200, required=False)  # type: ignore[assignment]
    label_zh = serializers.CharField(max_length=200, required=False)
    required = serializers.BooleanField(required=False)  # type: ignore[assignment]
    unit = serializers.CharField(max_length=20, required=False)
    low = serializers.CharField(required=False, allow_null=True)
    high = serializers.CharField(required=False, allow_null=True)
    choices = ChoiceShape(many=True, required=False)
    meter = serializers.UUIDField(required=False)


class QuestionnaireShape(serializers.Serializer[Any]):
    """A version of the questions."""

    moment = serializers.ChoiceField(Moment.choices)
    version = serializers.IntegerField()
    questions = serializers.ListField(child=FieldShape(), source="fields")
    valid_from = Instant()


class QuestionnaireBody(Shape):
    """A new version of the questions; without any, nothing is asked from now on."""

    moment = Choice(Moment.choices)
    questions = ListOf(child=ObjectOf(), max_length=MOST_FIELDS)


class AnswerFileShape(StoredFileShape):
    """A file that answers a question (`key`). `files` are its addresses in the API by size: `large`
    and `small` of a picture (WebP), `file` of a document (PDF)."""

    address = "api-answer-file"

    key = serializers.CharField()


class AnswersShape(serializers.Serializer[Any]):
    """The answers at one booking, or before or after its use."""

    reservation = serializers.UUIDField(source="reservation_id")
    start = Instant(source="reservation.start_at")
    person = PersonShape(source="reservation.user")
    user = serializers.CharField(source="reservation.user.name", style=replaced_by("person"))
    moment = serializers.ChoiceField(Moment.choices)
    version = serializers.IntegerField(source="questionnaire.version")
    state = serializers.ChoiceField(AnswerSheet.State.choices)
    answers = serializers.DictField()
    files = AnswerFileShape(many=True, source="files.all")
    reason = serializers.CharField()
    answered_at = Instant(allow_null=True)


class VersionsQuery(Pages):
    moment = Choice(Moment.choices, required=False)


class InstrumentQuestionnaires(InstrumentResource):
    @parts(
        _("Versions of the questions at booking, before and after use"),
        QuestionnaireShape,
        query=VersionsQuery,
        below="questionnaires",
        address="api-questionnaires",
        named="questionnaires",
        order=("moment", "-version"),
    )
    def questionnaires(self, pk: UUID, query: dict[str, Any]) -> QuerySet[Questionnaire]:
        """Return all versions of the questionnaires, by moment, the newest first. The newest version is in
        force; if it has no questions, nothing is asked."""
        return questionnaire_versions(instrument_by_id(self.actor, pk), query.get("moment", ""))

    @acts(
        _("Set the questions at booking, before or after use"),
        QuestionnaireBody,
        method="put",
        below="questionnaires",
        gives=QuestionnaireShape,
        named="questionnaire_set",
        refuses=[404],
        once=False,
        sends={
            "moment": "after",
            "questions": [
                {"key": "clean", "kind": "yes_no", "label": "Stage cleaned?", "required": True},
                {"key": "vacuum", "kind": "number", "label": "Vacuum", "unit": "Pa", "high": "1"},
            ],
        },
    )
    def set_questions(self, pk: UUID, data: dict[str, Any]) -> Questionnaire:
        """Set the questions as a new version; those at booking cannot ask for files or meter readings. Only
        the host's managers may do this. `If-Match` is the last
        version for this moment."""
        row = questionnaire_set(self.by, instrument_id=pk, moment=data["moment"], fields=data["questions"])
        row = row or questionnaire_versions(pk, data["moment"]).first()
        if row is None:
            raise NotFound
        return row

    @listed(
        _("Answers at an instrument"),
        ANSWERS,
        gives=AnswersShape,
        below="answers",
        address="api-instrument-answers",
        named="instrument_answers",
        order=("-reservation__start_at", "-id"),
        refuses=[403, 404],
    )
    def answers(self, pk: UUID, query: dict[str, Any]) -> QuerySet[AnswerSheet]:
        """Return the answers given at an instrument. Only the host's managers may read them."""
        instrument_to_manage(self.actor, pk)
        return sheets_of(pk)


class AnswerFiles(Endpoint):
    only_reads, needs_person = True, True
    http_method_names = ["get", "head"]

    @operation(
        "answer_file",
        _("A file of an answer"),
        tag="reservations",
        gives=OpenApiTypes.BINARY,
        media=["image/webp", "application/pdf"],
        refuses=[404],
    )
    def get(self, request: Request, file_id: UUID, size: str) -> HttpResponseBase:
        """Return a file of an answer, always as a download. Everybody who may see the booking may read it."""
        return binary(answer_file_by_id(self.actor, file_id), size)
