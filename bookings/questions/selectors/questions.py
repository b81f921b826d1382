"""Questionnaires in force, and the answers to them."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from accounts.selectors.memberships import in_scope
from accounts.selectors.rows import visible
from bookings.questions.domain.questions import AFTER, ANSWERABLE, BOOKING, Choice, Field, load_fields
from bookings.questions.models import AnswerFile, AnswerSheet, Moment, Questionnaire
from bookings.record.models import Reservation
from bookings.record.selectors.lists import CHOICE, Column, Filter, Listing
from bookings.record.selectors.reservations import reservation_at_work
from instruments.register.models import Instrument

OF_SHEET = (
    "questionnaire", "answered_by", "reservation__user", "reservation__organisation",
    "reservation__instrument__facility",
)  # fmt: skip


def questions_version(instrument: Instrument, moment: str) -> int | None:
    """Return the version of the questions in force at an instrument; None if nothing is asked. No
    statement."""
    version: int | None = getattr(instrument, f"{moment}_questions")
    return version


def load_questionnaire(instrument: Instrument, moment: str) -> Questionnaire | None:
    """Return the questionnaire in force at an instrument, None if nothing is asked. One statement; none if
    nothing is asked."""
    version = questions_version(instrument, moment)
    if version is None:
        return None
    rows = Questionnaire.objects.filter(instrument=instrument, moment=moment, version=version)
    return rows.first()


def questionnaire_versions(instrument: Instrument | UUID, moment: str = "") -> QuerySet[Questionnaire]:
    """Return every version of a questionnaire, the newest first, with who made it."""
    rows = Questionnaire.objects.filter(instrument=instrument).select_related("made_by")
    if moment:
        rows = rows.filter(moment=moment)
    return rows.order_by("moment", "-version")


def owing_at_booking(instruments: Iterable[Instrument]) -> set[UUID]:
    """Return which instruments require answers when a booking is made. They are owed where nobody can be
    asked: for a series or an import. One statement; none if no instrument asks anything then."""
    asking = [each.pk for each in instruments if questions_version(each, BOOKING) is not None]
    if not asking:
        return set()
    rows = Questionnaire.objects.filter(
        instrument__in=asking, moment=BOOKING, version=F("instrument__booking_questions")
    )
    return {
        instrument
        for instrument, fields in rows.values_list("instrument_id", "fields")
        if any(field["required"] for field in fields)
    }


def load_sheets(reservation: Reservation) -> dict[str, AnswerSheet]:
    """Return the answer sheets of a booking by moment, with their files. Two statements, one if nothing was
    answered."""
    rows = AnswerSheet.objects.filter(reservation=reservation).prefetch_related("files")
    return {row.moment: row for row in rows.select_related("questionnaire", "answered_by")}


def answered(sheet: AnswerSheet) -> list[tuple[Field, str | bool | AnswerFile | None]]:
    """Return the questions of a sheet in their order, each with its answer; a file as `AnswerFile`."""
    answers = sheet.answers | {file.key: file for file in sheet.files.all()}
    return [(field, answers.get(field.key)) for field in load_fields(sheet.questionnaire.fields)]


def booking_answers(reservation: Reservation) -> list[tuple[Field, str | bool | None]]:
    """Return the questions asked when a booking was made with their answers, None for those not answered.
    One statement."""
    rows = AnswerSheet.objects.filter(reservation=reservation, moment=BOOKING).select_related("questionnaire")
    return [
        (field, sheet.answers.get(field.key))
        for sheet in rows
        for field in load_fields(sheet.questionnaire.fields)
    ]


def booking_answers_said(answers: list[tuple[Field, str | bool | None]]) -> list[tuple[str, str]]:
    """Return questions and answers in the reader's language, a dash for those not answered."""
    return [(label_of(field), str(answer_words(field, answer))) for field, answer in answers]


def files_uploaded(reservation: Reservation, moment: str) -> dict[str, AnswerFile]:
    """Return the files uploaded for the questions of a moment, by key: the last of each, whether or not an
    answer names it yet."""
    rows = AnswerFile.objects.filter(reservation=reservation, moment=moment).order_by("id")
    return {row.key: row for row in rows}


def answer_file_by_id(actor: Actor, file_id: UUID) -> AnswerFile:
    """Return a file of an answer; raise `NotFound` for actors who may not see its booking."""
    row = visible(AnswerFile.objects, pk=file_id)
    reservation_at_work(actor, row.reservation_id)
    return row


def sheets_owed(actor: Actor) -> QuerySet[AnswerSheet]:
    """Return the sheets that were left open, for the actor's own bookings and, after use, for instruments
    that they operate; the oldest first. Those of a booking can be answered until it begins."""
    mine = Q(reservation__user_id=actor.person) | Q(reservation__made_by_id=actor.person)
    scope = actor.scope_where("operate-instruments")
    hosts = in_scope(scope, "reservation__host", "reservation__instrument")
    after, booking = Q(moment=AFTER), Q(moment=BOOKING, reservation__state__in=ANSWERABLE[BOOKING])
    rows = AnswerSheet.objects.filter(after & (mine | hosts) | booking & mine, state=AnswerSheet.State.OWED)
    return rows.select_related(*OF_SHEET).order_by("created_at", "id")


def sheets_of(instrument_id: UUID) -> QuerySet[AnswerSheet]:
    """Return the answers given at an instrument, the latest booking first."""
    rows = AnswerSheet.objects.filter(reservation__instrument_id=instrument_id)
    rows = rows.select_related(*OF_SHEET).prefetch_related("files")
    return rows.order_by("-reservation__start_at", "-id")


def label_of(thing: Field | Choice) -> str:
    """Return the label of a thing in the reader's language, or in the other language if there is none."""
    labels = [thing.label, thing.label_zh]
    if (get_language() or "").startswith("zh"):
        labels.reverse()
    return next(filter(None, labels), thing.value if isinstance(thing, Choice) else thing.key)


def answer_words(question: Field, answer: str | bool | AnswerFile | None) -> str | AnswerFile:
    """Return an answer in the reader's language, a dash if there is none. A file is returned as it is, and
    shown by its name."""
    if answer is None:
        return "–"
    if isinstance(answer, AnswerFile):
        return answer
    if isinstance(answer, bool):
        return gettext("yes") if answer else gettext("no")
    if question.kind == "file":
        return gettext("deleted")
    chosen = next((c for c in question.choices if c.value == answer), None)
    return label_of(chosen) if chosen else f"{answer} {question.unit}".strip()


def answers_said(sheet: AnswerSheet) -> list[tuple[str, str | AnswerFile]]:
    """Return the questions of a sheet that were answered, with their answers, in the reader's language."""
    return [
        (label_of(field), answer_words(field, answer))
        for field, answer in answered(sheet)
        if answer is not None
    ]


ANSWERS = Listing(
    "answers",
    lambda actor: AnswerSheet.objects.none(),  # depends on the instrument: see `sheets_of`
    (
        Column("start", "reservation.start_at", _("Booking"), "reservation__start_at"),
        Column("end", "reservation.end_at"),
        Column("time_zone", "reservation.instrument.facility.time_zone"),
        Column("user", "reservation.user", sort="reservation__user__name"),
        Column("payer", "reservation.organisation.code"),
        Column("moment", "moment", _("Asked")),
        Column("version", "questionnaire.version"),
        Column("state", "state", sort="state"),
        Column(
            "answers",
            lambda row, by: "; ".join(f"{label}: {answer}" for label, answer in answers_said(row)),
            _("Answers given"),
        ),
        Column("reason", "reason"),
        Column("answered_at", "answered_at", sort="answered_at"),
        Column("answered_by", lambda row, by: row.answered_by or ""),
    ),
    words=(
        "reservation__user__name",
        "reservation__organisation__name",
        "reservation__organisation__name_zh",
        "reservation__organisation__code",
    ),
    q_help="Part of the name of the person or payer.",
    day="reservation__start_at",
    filters=(
        Filter("moment", "moment", CHOICE, choices=Moment.choices),
        Filter("state", "state", CHOICE, _("State"), choices=AnswerSheet.State.choices),
    ),
)
