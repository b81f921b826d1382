"""Questionnaires in force, and what was answered."""

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain.roles import Actor
from bookings.questions.domain.questions import BEFORE, Field, load_fields
from bookings.questions.models import AnswerSheet, Questionnaire
from bookings.record.models import Reservation
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
    """Return the sheets of a booking by their moment. One statement."""
    rows = AnswerSheet.objects.filter(reservation=reservation)
    return {row.moment: row for row in rows.select_related("questionnaire", "answered_by")}


def answered(sheet: AnswerSheet) -> list[tuple[Field, str | bool | None]]:
    """Return the questions of a sheet with their answers, in their order."""
    fields = load_fields(sheet.questionnaire.fields)
    return [(field, sheet.answers.get(field.key)) for field in fields]


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
    return rows.select_related(*OF_SHEET).order_by("-reservation__start_at", "-id")
