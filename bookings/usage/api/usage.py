"""Checking in and out."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser

from accounts.api.resource import acts, tells
from accounts.api.shapes import Choice, Instant, Number, ObjectOf, Shape, Text, Whole
from accounts.domain.errors import NotFound
from bookings.questions.api.questions import AnswerFileShape, FieldShape
from bookings.questions.domain.questions import MOMENTS
from bookings.questions.models import AnswerFile, AnswerSheet, Moment
from bookings.questions.selectors.questions import load_questionnaire, load_sheets
from bookings.record.models import Reservation, SessionRating
from bookings.reserving.api.reservations import ReservationResource
from bookings.reserving.api.transitions import REFUSES
from bookings.usage.services.ratings import rating_answer, session_rate
from bookings.usage.services.usage import (
    house_rules_record,
    reservation_answer,
    reservation_answer_file,
    reservation_check_in,
    reservation_check_out,
)
from instruments.attachments.api.attachments import Upload
from instruments.house_rules.models import HouseRulesAcceptance


class SheetShape(serializers.Serializer[Any]):
    """The questions of one moment: at booking, before or after use. `state` null: there are none; `open`:
    they may be answered."""

    moment = serializers.ChoiceField(MOMENTS)
    version = serializers.IntegerField(allow_null=True)
    questions = serializers.ListField(child=FieldShape(), source="fields")
    state = serializers.ChoiceField(["open", *AnswerSheet.State.values], allow_null=True)
    answers = serializers.DictField()
    files = AnswerFileShape(many=True)
    reason = serializers.CharField(help_text="Why the host skipped the questions.")
    answered_at = Instant(allow_null=True)
    by_host = serializers.BooleanField(help_text="Whether the host answered for the person.")


class QuestionsShape(serializers.Serializer[Any]):
    sheets = SheetShape(many=True)


class AnswersBody(Shape):
    """Answers by the keys of the questions: texts, numbers, true or false, days; for a file, the id that
    uploading it returned (`POST answers/attachments/`)."""

    answers = ObjectOf(child=serializers.JSONField(), required=False)
    questions_version = Whole(
        required=False,
        allow_null=True,
        min_value=1,
        help_text="The `version` of the questions that you answer; the request is refused if it has changed.",
    )


class CheckInBody(AnswersBody):
    house_rules = Whole(
        required=False,
        allow_null=True,
        min_value=1,
        help_text="The version of the house rules that you accept; with `house_rules_means`, the version "
        "that the person accepted whom you check in.",
    )
    house_rules_means = Choice(
        HouseRulesAcceptance.Means.choices,
        default="",
        allow_blank=True,
        help_text="How the person accepted that version: only for the host's managers, for somebody else.",
    )


class HouseRulesRecordBody(Shape):
    version = Whole(min_value=1, help_text="The version in force, which the person accepted.")
    means = Choice(HouseRulesAcceptance.Means.choices)


class AnswerBody(AnswersBody):
    moment = Choice(Moment.choices)
    skip_reason = Text(
        500,
        default="",
        allow_blank=True,
        help_text="Why the questions are skipped: only for the host's managers, and not for their own "
        "bookings.",
    )


class CheckOutBody(AnswersBody):
    samples = Whole(min_value=0, max_value=1_000_000, required=False, allow_null=True)
    rating = Whole(min_value=1, max_value=5, required=False, allow_null=True)
    remarks = Text(1000, default="", allow_blank=True)
    skip_reason = Text(
        500,
        default="",
        allow_blank=True,
        help_text="Why the questions are skipped: only for the host's managers, and not for their own "
        "bookings.",
    )
    options = ObjectOf(
        child=Number(10, 4, min_value=0, max_value=10**6),
        required=False,
        help_text="Quantities of options used that the rate card adds at check-out, by code: only for the "
        "host's managers.",
    )


class MarksShape(serializers.Serializer[Any]):
    """The person's rating of a session, and the host's answer. Only the person, and those who may read the
    booking, can read them. Marks are from 1 to 5, or null."""

    rating = serializers.IntegerField(allow_null=True, source="session.rating", help_text="Overall rating.")
    usable = serializers.IntegerField(allow_null=True)
    support = serializers.IntegerField(allow_null=True)
    on_time = serializers.IntegerField(allow_null=True)
    price_as_quoted = serializers.IntegerField(allow_null=True)
    remarks = serializers.CharField(source="session.remarks")
    rated_at = Instant(
        allow_null=True,
        help_text="Null if the session was rated at check-out only or not at all; it may still be rated.",
    )
    answer = serializers.CharField()
    answered_at = Instant(allow_null=True)


class SessionRateBody(Shape):
    rating = Whole(min_value=1, max_value=5, help_text="Overall rating.")
    usable = Whole(min_value=1, max_value=5, required=False, allow_null=True)
    support = Whole(min_value=1, max_value=5, required=False, allow_null=True)
    on_time = Whole(min_value=1, max_value=5, required=False, allow_null=True)
    price_as_quoted = Whole(min_value=1, max_value=5, required=False, allow_null=True)
    remarks = Text(
        1000,
        required=False,
        allow_blank=True,
        help_text="For the owner. If left out, the remarks made at check-out stay.",
    )


class RatingAnswerBody(Shape):
    answer = Text(1000)


class Usage(ReservationResource):
    @acts(_("Check in"), CheckInBody, refuses=REFUSES)
    def check_in(self, pk: UUID, data: dict[str, Any]) -> None:
        """Check in, from 15 minutes before the start until the end. If the booked unit is not free yet, you
        get another; if none is, `still-in-use` gives in `nearest` when one will be. `questions-open` names
        the questions that must be answered before use, here or by `POST answers/`, which alone takes those
        still owed from the booking (`moment` is `booking` then); `house-rules-not-accepted`
        the version of the house rules to accept. Nobody can accept them for somebody else: a person who is
        checked in by another is asked afterwards, unless a manager of the host records with
        `house_rules_means` how they accepted them."""
        reservation_check_in(self.by, reservation_id=pk, **data)

    @acts(
        _("Record that house rules were accepted"),
        HouseRulesRecordBody,
        scope="manage",
        refuses=[403, 404, 409],
        below="house-rules",
        sends={"version": 1, "means": "paper"},
    )
    def record_house_rules(self, pk: UUID, data: dict[str, Any]) -> None:
        """Record, as a manager of the host, that the person of a booking that is confirmed or in use has
        accepted the house rules on paper or when they were read out. Not for yourself."""
        house_rules_record(self.by, reservation_id=pk, **data)

    @acts(
        _("Check out"),
        CheckOutBody,
        refuses=REFUSES,
        sends={"samples": 3, "rating": 5, "remarks": "The stage drifts a little."},
    )
    def check_out(self, pk: UUID, data: dict[str, Any]) -> None:
        """Check out, which ends the session; the rest of the slot is free at once. `questions-open` names the
        questions that must be answered."""
        reservation_check_out(self.by, reservation_id=pk, **data)

    @acts(
        _("Rate a session"),
        SessionRateBody,
        refuses=[403, 404, 409],
        sends={"rating": 4, "usable": 5, "support": 4, "on_time": 3},
    )
    def rate(self, pk: UUID, data: dict[str, Any]) -> None:
        """Rate a session, as the booking's person: once, within 30 days of its end, in marks and as a whole,
        which replaces a rating given at check-out."""
        session_rate(self.by, reservation_id=pk, **data)

    @acts(_("Answer a rating"), RatingAnswerBody, refuses=[403, 404, 409])
    def answer_rating(self, pk: UUID, data: dict[str, Any]) -> None:
        """Answer a rating, as a manager of the host; the answer can be edited for a day. The person is
        told."""
        rating_answer(self.by, reservation_id=pk, **data)

    @tells(
        _("Rating of a session"),
        MarksShape,
        below="rating",
        address="api-reservation-rating",
        named="reservation_rating",
    )
    def rating(self, pk: UUID) -> SessionRating:
        """Return the rating of the booking's session. 404 until a session has ended."""
        session = getattr(self.visible(pk), "session", None)
        if session is None or session.checked_out_at is None:
            raise NotFound
        row = SessionRating.objects.select_related("session").filter(session=session).first()
        return row or SessionRating(session=session)

    @acts(_("Answer questions"), AnswerBody, refuses=[403, *REFUSES], below="answers")
    def answer(self, pk: UUID, data: dict[str, Any]) -> None:
        """Answer the questions. Those before use can be answered from the confirmation to the check-in, as
        often as you like; those after use, and those at booking until it begins, once if they were left
        open."""
        data.setdefault("answers", {})
        reservation_answer(self.by, reservation_id=pk, **data)

    @tells(
        _("Questions and answers of a booking"),
        QuestionsShape,
        below="questions",
        address="api-reservation-questions",
        named="reservation_questions",
    )
    def questions(self, pk: UUID) -> dict[str, Any]:
        """Return the questions at booking, before and after use, and their answers: in the version that was
        answered, otherwise the one in force."""
        row = self.visible(pk)
        sheets = load_sheets(row)
        return {
            "sheets": [{"moment": moment, **_sheet(sheets.get(moment), row, moment)} for moment in MOMENTS]
        }


class AnswerFileBody(Shape):
    moment = Choice(Moment.choices)
    key = Text(40, help_text="Key of the question.")
    file = Upload(help_text="JPEG, PNG or WebP up to 15 MB; PDF up to 25 MB.")
    name = Text(250, help_text="File name shown to readers.")


class AnswerUploads(ReservationResource):
    parser_classes = [MultiPartParser]

    def location(self, row: Any) -> str:
        return ""

    @acts(
        _("Upload a file for a question"),
        AnswerFileBody,
        gives=AnswerFileShape,
        refuses=[403, 404, 409],
        below="answers/attachments",
        address="api-reservation-answers-attachments",
        named="_answer_file",
        status=201,
        versioned=False,
    )
    def upload(self, pk: UUID, data: dict[str, Any]) -> AnswerFile:
        """Upload a file as `multipart/form-data`; everybody who may give the answers may do this. Its content
        decides the kind of file, as for instruments' attachments. It becomes an answer once the answers name
        its `id`; until then another upload replaces it."""
        return reservation_answer_file(self.by, reservation_id=pk, content=data.pop("file"), **data)


def _sheet(sheet: AnswerSheet | None, row: Reservation, moment: str) -> dict[str, Any]:
    asked = sheet.questionnaire if sheet else load_questionnaire(row.instrument, moment)
    return {
        "version": asked.version if asked else None,
        "fields": asked.fields if asked else [],
        "state": sheet.state if sheet else "open" if asked else None,
        "answers": sheet.answers if sheet else {},
        "files": sheet.files.all() if sheet else (),
        "reason": sheet.reason if sheet else "",
        "answered_at": sheet.answered_at if sheet else None,
        "by_host": bool(sheet and sheet.answered_by_id not in {None, row.user_id, row.made_by_id}),
    }
