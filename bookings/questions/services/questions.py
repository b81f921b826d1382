"""Setting questions, and storing the answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import FieldProblem, Invalid, NotPermitted, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import User
from accounts.notifications import enqueue
from accounts.selectors.memberships import place_of
from accounts.services.jobs import work_through
from bookings.questions.domain import questions
from bookings.questions.models import AnswerFile, AnswerSheet, Meter, MeterReading, Questionnaire
from bookings.questions.selectors.meters import meters_of
from bookings.questions.selectors.questions import (
    load_questionnaire,
    questionnaire_versions,
    questions_version,
)
from bookings.questions.services.meters import counters_due, meter_add, reading_problem
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.models import Reservation
from instruments.attachments.services.attachments import stored_files_delete
from instruments.register.locks import lock_instrument, lock_managed
from instruments.register.models import Instrument

UNNAMED_LASTS = timedelta(days=1)


@transaction.atomic
def questionnaire_set(by: By, *, instrument_id: UUID, moment: str, fields: object) -> Questionnaire | None:
    """Set the questions at booking, before or after use, from the JSON of the API, as a new version; return
    None if nothing changes. Without fields nothing is asked from now on. Existing answers keep their version.
    Raises `WrongVersion` if the questions have changed since they were read."""
    if moment not in questions.MOMENTS:
        raise invalid("moment", "unknown-choice", allowed=", ".join(questions.MOMENTS))
    instrument = lock_managed(by, instrument_id)
    readable = [meter.pk for meter in meters_of(instrument) if not meter.is_hours]
    parsed = questions.parse_fields(fields, readable, questions.kinds_at(moment))
    written = questions.fields_to_json(parsed)
    last = questionnaire_versions(instrument, moment).first()
    by.require_version(last.version if last else 0)
    if written == (last.fields if last else []):
        return None
    row = Questionnaire.objects.create(
        instrument=instrument,
        moment=moment,
        version=last.version + 1 if last else 1,
        fields=written,
        valid_from=by.now,
        made_by_id=by.actor.user_id,
    )
    name = f"{moment}_questions"
    setattr(instrument, name, row.version if written else None)
    instrument.save(update_fields=[name])
    after = {"moment": moment, "version": row.version, "fields": [f["key"] for f in written]}
    trail.record(by, "questionnaire.set", row, after=after, places=instrument.places())
    return row


def questionnaires_copy(by: By, source: Instrument, copy: Instrument) -> None:
    """Give a copy of an instrument the questions that the other asks, and meters of its
    own of the same names for those that read one."""
    meters: dict[str, str] = {}
    asked = {moment: load_questionnaire(source, moment) for moment in questions.MOMENTS}
    if any("meter" in field for row in asked.values() if row for field in row.fields):
        for meter in meters_of(source):
            if not meter.is_hours:
                own = meter_add(
                    by,
                    instrument_id=copy.pk,
                    name=meter.name,
                    name_zh=meter.name_zh,
                    unit=meter.unit,
                    is_monotone=meter.is_monotone,
                )
                meters[str(meter.pk)] = str(own.pk)
    for moment, row in asked.items():
        if row is not None:
            fields = [
                {**field, "meter": meters[field["meter"]]} if "meter" in field else field
                for field in row.fields
            ]
            questionnaire_set(by, instrument_id=copy.pk, moment=moment, fields=fields)


def answers_take(
    by: By,
    *,
    instrument: Instrument,
    reservation: Reservation,
    moment: str,
    answers: Mapping[str, Any] | None,
    skip_reason: str = "",
    version: int | None = None,
) -> None:
    """Store the answers as somebody checks in or out, under the instrument's lock. Earlier answers stay
    unless they are given again. `version`: of the questions that were read, if known; raises `WrongState`
    (`questions-changed`) if another is in force, `RulesRefuse` (`questions-open`) naming the required
    questions without an answer, `Invalid` naming what is wrong. No statement if nothing is asked."""
    if questions_version(instrument, moment) is None and not answers:
        return
    sheet = AnswerSheet.objects.filter(reservation=reservation, moment=moment).first()
    if answers is None and not skip_reason and sheet and sheet.state != AnswerSheet.State.OWED:
        return
    questionnaire = load_questionnaire(instrument, moment)
    if questionnaire is None:
        raise invalid("answers", "no-questions")
    if skip_reason.strip():
        _skip(by, reservation, questionnaire, sheet, skip_reason.strip())
        return
    if answers is not None:
        _check_version(questionnaire, version)
        _answer(by, instrument, reservation, questionnaire, sheet, answers)
    elif required := [field["key"] for field in questionnaire.fields if field["required"]]:
        raise RulesRefuse([Refusal("questions-open", {"fields": ", ".join(required)})])


def answers_require(instrument: Instrument, reservation: Reservation) -> None:
    """Raise `RulesRefuse` (`questions-open`) if required answers of the booking are still owed, because
    nobody could be asked for them when it was made. One statement; none if the instrument asks nothing at
    booking."""
    if questions_version(instrument, questions.BOOKING) is None:
        return
    owed = AnswerSheet.objects.filter(
        reservation=reservation, moment=questions.BOOKING, state=AnswerSheet.State.OWED
    ).select_related("questionnaire")
    if sheet := owed.first():
        required = [field["key"] for field in sheet.questionnaire.fields if field["required"]]
        numbers = {"fields": ", ".join(required), "moment": questions.BOOKING}
        raise RulesRefuse([Refusal("questions-open", numbers)])


def answers_keep(
    by: By,
    *,
    instrument: Instrument,
    reservation: Reservation,
    moment: str,
    answers: Mapping[str, Any],
    skip_reason: str = "",
    version: int | None = None,
) -> AnswerSheet:
    """Store answers on their own, under the instrument's lock: those before use repeatedly until a confirmed
    booking begins; those after use once, if they are owed; those of a booking once, until it begins, as
    the host decides by them. Raises `WrongState` at any other time, and (`questions-changed`) for another
    `version` of the questions."""
    sheet = AnswerSheet.objects.filter(reservation=reservation, moment=moment).first()
    if reservation.state not in questions.ANSWERABLE[moment]:
        raise WrongState(state=reservation.state)
    if moment != questions.BEFORE and sheet is not None and sheet.state != AnswerSheet.State.OWED:
        raise WrongState("answered-already")
    questionnaire = _asked(instrument, sheet, moment)
    if skip_reason.strip():
        return _skip(by, reservation, questionnaire, sheet, skip_reason.strip())
    _check_version(questionnaire, version)
    return _answer(by, instrument, reservation, questionnaire, sheet, answers)


def answers_book(
    by: By,
    *,
    instrument: Instrument,
    reservation: Reservation,
    answers: Mapping[str, Any] | None,
    version: int | None,
) -> None:
    """Store the answers with which a booking is made, under the instrument's lock. `version`: of the
    questions that were read, if known. Raises `WrongState` (`questions-changed`) if another is in force,
    `Invalid` naming what is wrong or missing. No statement if nothing is asked."""
    if questions_version(instrument, questions.BOOKING) is None and not answers:
        return
    questionnaire = load_questionnaire(instrument, questions.BOOKING)
    if questionnaire is None:
        raise invalid("answers", "no-questions")
    _check_version(questionnaire, version)
    if answers or any(field["required"] for field in questionnaire.fields):
        _answer(by, instrument, reservation, questionnaire, None, answers or {})


def _check_version(questionnaire: Questionnaire, read: int | None) -> None:
    if read not in {None, questionnaire.version}:
        raise WrongState("questions-changed", version=questionnaire.version)


def _asked(instrument: Instrument, sheet: AnswerSheet | None, moment: str) -> Questionnaire:
    """Return the questions to answer: those still owed, otherwise those in force."""
    if sheet is not None and sheet.state == AnswerSheet.State.OWED:
        return sheet.questionnaire
    questionnaire = load_questionnaire(instrument, moment)
    if questionnaire is None:
        raise invalid("answers", "no-questions")
    return questionnaire


def answer_file_check(
    instrument: Instrument, reservation: Reservation, moment: str, key: str
) -> AnswerSheet | None:
    """Check that a file may be uploaded for a question now, under the instrument's lock, and return the
    answer sheet, if any. Before use the booking must be confirmed; after use it must be in use, or owe its
    answers. Raises `WrongState`, `Invalid`."""
    sheet = AnswerSheet.objects.filter(reservation=reservation, moment=moment).first()
    is_owed = sheet is not None and sheet.state == AnswerSheet.State.OWED
    if reservation.state != ("confirmed" if moment == questions.BEFORE else "in_use") and not is_owed:
        raise WrongState(state=reservation.state)
    asked = questions.load_fields(_asked(instrument, sheet, moment).fields)
    if key not in {field.key for field in asked if field.kind == "file"}:
        raise invalid("key", "unknown-value")
    return sheet


def answer_file_store(
    by: By, *, instrument: Instrument, reservation: Reservation, moment: str, key: str, file: AnswerFile
) -> AnswerFile:
    """Store a file for a question, under the instrument's lock, replacing one that no answer names yet. It
    becomes an answer when answers that name its id are stored."""
    answer_file_check(instrument, reservation, moment, key)
    stored_files_delete(
        AnswerFile.objects.filter(reservation=reservation, moment=moment, key=key, sheet=None)
    )
    file.reservation, file.moment, file.key = reservation, moment, key
    file.added_by_id, file.created_at = by.actor.person, by.now
    file.save(force_insert=True)
    return file


def answer_files_expire(*, now: datetime) -> int:
    """Delete files that were uploaded more than a day ago and that no answer names; return how many."""
    due = AnswerFile.objects.filter(sheet=None, created_at__lte=now - UNNAMED_LASTS)

    def act(file_id: UUID) -> int:
        row = due.filter(pk=file_id).select_related("reservation").first()
        if row is None:
            return 0
        lock_instrument(row.reservation.instrument_id)  # as services that store answers do
        unnamed = due.filter(pk=file_id)
        found = unnamed.count()
        stored_files_delete(unnamed)
        return found

    return work_through(
        job="files of no answer", due=due.order_by("created_at", "pk"), act=act, now=now, most=500
    )


def answer_files_forget(by: By, *, user: User) -> None:
    """Delete the files uploaded by somebody who leaves for good; their other answers are the host's records
    and stay, under a pseudonym."""
    stored_files_delete(AnswerFile.objects.filter(added_by=user))


def _answer(
    by: By,
    instrument: Instrument,
    reservation: Reservation,
    questionnaire: Questionnaire,
    sheet: AnswerSheet | None,
    answers: Mapping[str, Any],
) -> AnswerSheet:
    fields = questions.load_fields(questionnaire.fields)
    checked = questions.check_answers(fields, answers)
    files = _files(reservation, questionnaire.moment, fields, checked)
    row = _store(by, reservation, questionnaire, sheet, "answered", checked, files=files)
    _readings_store(by, instrument, row, fields)
    return row


def _files(
    reservation: Reservation, moment: str, fields: tuple[questions.Field, ...], answers: dict[str, Any]
) -> list[AnswerFile]:
    """Return the files that the answers name; each must have been uploaded for its question of this
    booking."""
    ids = {answers[f.key]: f.key for f in fields if f.kind == "file" and f.key in answers}
    if not ids:
        return []
    rows = AnswerFile.objects.filter(reservation=reservation, moment=moment, pk__in=ids)
    files = [row for row in rows if ids[str(row.pk)] == row.key]
    unknown = sorted(set(ids.values()) - {row.key for row in files})
    if unknown:
        raise Invalid([FieldProblem(f"answers.{key}", "unknown-value") for key in unknown])
    return files


def _skip(
    by: By, reservation: Reservation, questionnaire: Questionnaire, sheet: AnswerSheet | None, reason: str
) -> AnswerSheet:
    """Mark the questions of somebody else's booking as skipped, for the host."""
    is_own = by.actor.user_id in {reservation.user_id, reservation.made_by_id}
    if is_own or not by.actor.may("operate-instruments", place_of(reservation.host, reservation.instrument)):
        raise NotPermitted("only-host-skips")
    if len(reason) > 500:
        raise invalid("skip_reason", "too-long", most=500)
    return _store(by, reservation, questionnaire, sheet, "skipped", {}, reason)


def _store(
    by: By,
    reservation: Reservation,
    questionnaire: Questionnaire,
    sheet: AnswerSheet | None,
    state: str,
    answers: dict[str, Any],
    reason: str = "",
    files: Sequence[AnswerFile] = (),
) -> AnswerSheet:
    """Store a sheet, and delete the files that were uploaded for it but that it does not name."""
    row = sheet or AnswerSheet(reservation=reservation, moment=questionnaire.moment)
    row.questionnaire, row.state, row.answers, row.reason = questionnaire, state, answers, reason
    row.answered_by_id, row.answered_at = by.actor.user_id, by.now
    row.created_at = row.created_at or by.now
    row.save()
    if sheet or any(field["kind"] == "file" for field in questionnaire.fields):
        there = AnswerFile.objects.filter(reservation=reservation, moment=row.moment)
        named = [file.pk for file in files]
        stored_files_delete(there.exclude(pk__in=named))
        there.filter(pk__in=named).update(sheet=row)
    after = {
        "reservation": reservation.pk,
        "moment": questionnaire.moment,
        "version": questionnaire.version,
        "answered": sorted(answers),
    }
    if files:
        after["files"] = sorted(file.digest for file in files)
    places = reservation.places()
    trail.record(by, f"answers.{state}", row, after=after, reason=reason, places=places)
    return row


def _readings_store(
    by: By, instrument: Instrument, sheet: AnswerSheet, fields: tuple[questions.Field, ...]
) -> None:
    """Store the meter readings among the answers, replacing those of an earlier answer."""
    asked = [field for field in fields if field.kind == "meter" and field.key in sheet.answers]
    if not asked:
        return
    MeterReading.objects.filter(sheet=sheet).delete()
    meters = Meter.objects.in_bulk([field.meter for field in asked])
    problems, rows = [], []
    for field in asked:
        meter = meters.get(field.meter)
        if meter is None:
            continue
        value = Decimal(sheet.answers[field.key])
        if problem := reading_problem(meter, value, by.now, f"answers.{field.key}"):
            problems.append(problem)
        rows.append(
            MeterReading(
                meter=meter, value=value, read_at=by.now, sheet=sheet, entered_by_id=by.actor.user_id
            )
        )
    if problems:
        raise Invalid(problems)
    MeterReading.objects.bulk_create(rows)
    enqueue([counters_due(instrument.pk, str(sheet.pk), by.now)], now=by.now)


def answers_owe(
    instrument: Instrument, reservation: Reservation, now: datetime, moment: str = questions.AFTER
) -> None:
    """Record that a use ended without its required answers, or that a booking was made where nobody could be
    asked. No statement if nothing is asked."""
    questionnaire = load_questionnaire(instrument, moment)
    if questionnaire is None or not any(f["required"] for f in questionnaire.fields):
        return
    AnswerSheet.objects.get_or_create(
        reservation=reservation,
        moment=moment,
        defaults={"questionnaire": questionnaire, "state": AnswerSheet.State.OWED, "created_at": now},
    )
