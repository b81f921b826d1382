"""Questionnaires in force, and what was answered."""

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain.roles import Actor
from accounts.selectors.rows import visible
from bookings.questions.domain.questions import BEFORE, Field, load_fields
from bookings.questions.models import AnswerFile, AnswerSheet, Questionnaire
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import reservation_by_id
from instruments.models import Instrument

OF_SHEET = (
    "questionnaire", "answered_by", "reservation__user", "reservation__organisation",
    "reservation__instrument__facility",
)  # fmt: skip


def questions_version(instrument: Instrument, moment: str) -> int | None:
    """Return the version in force of what is asked; None where nothing is. No statement."""
    return instrument.before_questions if moment == BEFORE else instrument.after_questions


def load_questionnaire(instrument: Instrument, moment: str) -> Questionnaire | None:
    """Return what is asked at present. One statement; none where nothing is."""
    version = questions_version(instrument, moment)
    if version is None:
        return None
    rows = Questionnaire.objects.filter(instrument=instrument, moment=moment, version=version)
    return rows.first()


def questionnaire_versions(instrument: Instrument, moment: str = "") -> QuerySet[Questionnaire]:
    """Return every version there was, the newest first, with who made it."""
    rows = Questionnaire.objects.filter(instrument=instrument).select_related("made_by")
    if moment:
        rows = rows.filter(moment=moment)
    return rows.order_by("moment", "-version")


def load_sheets(reservation: Reservation) -> dict[str, AnswerSheet]:
    """Return the sheets of a booking by their moment, with their files. Two statements, one where
    nothing was answered."""
    rows = AnswerSheet.objects.filter(reservation=reservation).prefetch_related("files")
    return {row.moment: row for row in rows.select_related("questionnaire", "answered_by")}


def answered(sheet: AnswerSheet) -> list[tuple[Field, str | bool | AnswerFile | None]]:
    """Return the questions of a sheet with their answers, in their order; files as such."""
    answers = sheet.answers | {file.key: file for file in sheet.files.all()}
    return [(field, answers.get(field.key)) for field in load_fields(sheet.questionnaire.fields)]


def files_uploaded(reservation: Reservation, moment: str) -> dict[str, AnswerFile]:
    """Return by key the files that were uploaded for a moment's questions: of each the last, be it
    among the answers yet or not."""
    rows = AnswerFile.objects.filter(reservation=reservation, moment=moment).order_by("id")
    return {row.key: row for row in rows}


def answer_file_by_id(actor: Actor, file_id: UUID) -> AnswerFile:
    """Return a file of an answer; `NotFound` for whoever may not see its booking."""
    row = visible(AnswerFile.objects, pk=file_id)
    reservation_by_id(actor, row.reservation_id)
    return row


def sheets_owed(actor: Actor) -> QuerySet[AnswerSheet]:
    """Return the sheets that were left open: of one's own bookings, and of those of instruments one
    manages; the oldest first."""
    mine = Q(reservation__user_id=actor.person) | Q(reservation__made_by_id=actor.person)
    hosts = Q(reservation__host_id__in=actor.organisations_where("manage-instruments"))
    rows = AnswerSheet.objects.filter(mine | hosts, state=AnswerSheet.State.OWED)
    return rows.select_related(*OF_SHEET).order_by("created_at", "id")


def own_sheets_owed(actor: Actor) -> QuerySet[AnswerSheet]:
    """Return those of one's own bookings."""
    return sheets_owed(actor).filter(reservation__user_id=actor.person)


def sheets_of(instrument_id: UUID) -> QuerySet[AnswerSheet]:
    """Return what was answered at an instrument, the latest booking first."""
    rows = AnswerSheet.objects.filter(reservation__instrument_id=instrument_id)
    rows = rows.select_related(*OF_SHEET).prefetch_related("files")
    return rows.order_by("-reservation__start_at", "-id")
