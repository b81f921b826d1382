"""State what an instrument can do, ask about what is not stated, and answer such questions.

Everything here is decided while the instrument's row is locked.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import Refused, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import User
from accounts.notifications import Effect, enqueue
from accounts.selectors.rows import visible
from accounts.services.memberships import lock_user
from instruments.capabilities.models import Capability, CapabilityQuestion, QuestionAsker
from instruments.capabilities.selectors.capabilities import parameter_named, question_to_answer
from instruments.register.locks import lock_managed, lock_seen
from instruments.register.models import Instrument
from instruments.register.services.provenance import hand_wrote
from instruments.vocabulary.domain.parameters import Stated, StatedRead, stated_of
from instruments.vocabulary.models import Parameter
from instruments.vocabulary.selectors.needs import load_parameters

MOST = 200  # capabilities per instrument
MOST_QUESTIONS, QUESTIONS_PER = 20, timedelta(days=1)  # questions per person


class TooManyQuestions(Refused):
    """The person has reached the number of questions that one may ask in a day."""

    code = "too-many-questions"


@transaction.atomic
def capability_add(
    by: By,
    *,
    instrument_id: UUID,
    parameter: str,
    minimum: Decimal | None = None,
    maximum: Decimal | None = None,
    unit: str = "",
    condition: str = "",
    is_available: bool = True,
    checked_on: date | None = None,
) -> Capability:
    """State what an instrument can do: values of a parameter (named by code or label) in one of its units, or
    that the instrument does not have it at all. This answers the open question about it, if there is one.

    For the host's managers. `Invalid`: no-such-parameter, capability-there-already, too-many, and those of
    `stated_of`; `WrongState` (instrument-retired).
    """
    instrument = lock_managed(by, instrument_id)
    _check_in_use(instrument)
    terms = parameter_named(parameter)
    stated, spelt = stated_of(
        terms, minimum=minimum, maximum=maximum, unit=unit, condition=condition, is_available=is_available
    )
    return _add(by, instrument, stated, spelt, Capability.Source.OWNER, checked_on)


@transaction.atomic
def capability_change(by: By, *, capability_id: UUID, changes: Mapping[str, Any]) -> Capability:
    """Change the values, unit, condition or day of checking of a capability; fields that `changes` does not
    name stay. Errors as of `capability_add`; `WrongVersion` if it has changed since it was read."""
    instrument, row = _locked(by, capability_id)
    terms = load_parameters()[row.parameter.code]
    values = {
        "minimum": None if row.minimum is None else terms.shown(row.minimum, row.unit),
        "maximum": None if row.maximum is None else terms.shown(row.maximum, row.unit),
        "unit": row.unit,
        "condition": row.condition,
        "is_available": row.is_available,
        "checked_on": row.checked_on,
    } | dict(changes)
    checked_on = values.pop("checked_on")
    stated, spelt = stated_of(terms, **values)
    others = instrument.capabilities.filter(parameter=row.parameter).exclude(pk=row.pk)
    if others.filter(condition=stated.condition).exists():
        raise invalid("condition", "capability-there-already")
    before = _recorded(row)
    _put(row, stated, spelt, checked_on)
    after = _recorded(row)
    if after == before:
        return row
    row.source = Capability.Source.OWNER
    row.version += 1
    row.updated_at = by.now
    row.save()
    _record(by, "instrument.capability-change", instrument, before, after)
    return row


@transaction.atomic
def capability_remove(by: By, *, capability_id: UUID) -> Instrument:
    """Remove a stated capability, so that the value is unknown again, and return its instrument.
    `WrongVersion`, `WrongState`."""
    instrument, row = _locked(by, capability_id)
    before = _recorded(row)
    row.delete()
    _record(by, "instrument.capability-remove", instrument, before, {})
    return instrument


@transaction.atomic
def question_ask(by: By, *, instrument_id: UUID, parameter: str) -> CapabilityQuestion:
    """Ask an instrument's managers about a parameter that is not stated, or join the people who ask already.

    For anybody signed in who sees the instrument. `Invalid` (no-such-parameter), `WrongState`
    (instrument-retired, stated-already), `TooManyQuestions`.
    """
    person = by.actor.person
    instrument = lock_seen(by, instrument_id)
    _check_in_use(instrument)
    code = parameter_named(parameter).code
    if instrument.capabilities.filter(parameter__code=code).exists():
        raise WrongState("stated-already")
    question, is_new = CapabilityQuestion.objects.get_or_create(
        instrument=instrument,
        parameter=Parameter.objects.get(code=code),
        answered_at=None,
        defaults={"created_at": by.now},
    )
    if question.askers.filter(user=person).exists():
        return question
    lock_user(person)  # questions that they ask elsewhere at the same moment count too
    recent = QuestionAsker.objects.filter(user=person, asked_at__gt=by.now - QUESTIONS_PER)
    if recent.count() >= MOST_QUESTIONS:
        raise TooManyQuestions(most=MOST_QUESTIONS)
    QuestionAsker.objects.create(question=question, user_id=person, asked_at=by.now)
    trail.record(by, "instrument.question-ask", instrument, after={"parameter": code})
    if is_new:
        about = {"question": str(question.pk)}
        enqueue([Effect("question.asked", f"question.asked.{question.pk}", about)], now=by.now)
    return question


@transaction.atomic
def question_answer(by: By, *, question_id: UUID, **values: Any) -> Capability:
    """Answer a question with the arguments of `stated_of` and the day of checking. The instrument states this
    from then on, and everybody who asked is told.

    For the host's managers. `WrongState` (instrument-retired, question-answered), `WrongVersion`, `Invalid`
    as in `stated_of`.
    """
    unlocked = question_to_answer(by.actor, question_id)
    instrument = lock_managed(by, unlocked.instrument_id)
    question = CapabilityQuestion.objects.select_related("parameter").get(pk=question_id)
    by.require_version(question.version)
    _check_in_use(instrument)
    if question.answered_at is not None:
        raise WrongState("question-answered")
    checked_on = values.pop("checked_on", None)
    stated, spelt = stated_of(load_parameters()[question.parameter.code], **values)
    return _add(by, instrument, stated, spelt, Capability.Source.ANSWER, checked_on)


def capabilities_import(*, given: Sequence[tuple[Instrument, StatedRead]], now: datetime) -> None:
    """Store capabilities read from files, for instruments that the caller has locked or created. They replace
    what was stated under the same conditions and answer open questions about it; nothing is ever removed. The
    caller records the change."""
    if not given:
        return
    parameters = Parameter.objects.in_bulk({read.stated.parameter for _, read in given}, field_name="code")
    instruments = {instrument.pk for instrument, _ in given}
    present = {
        (row.instrument_id, row.parameter_id, row.condition): row.version
        for row in Capability.objects.filter(instrument__in=instruments)
    }
    rows = {}
    for instrument, read in given:
        parameter = parameters[read.stated.parameter]
        key = (instrument.pk, parameter.pk, read.stated.condition)
        row = Capability(
            instrument=instrument,
            parameter=parameter,
            source=Capability.Source.IMPORT,
            version=present.get(key, 0) + 1,
            created_at=now,
            updated_at=now,
        )
        _put(row, read.stated, read.unit, None)
        rows[key] = row
    Capability.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["instrument", "parameter", "condition"],
        update_fields=[
            *("minimum", "maximum", "unit", "is_available", "source", "checked_on", "version"),
            "updated_at",
        ],
    )
    for question in CapabilityQuestion.objects.filter(
        instrument__in=instruments, parameter__in=parameters.values(), answered_at=None
    ):
        told = [
            row
            for row in rows.values()
            if (row.instrument_id, row.parameter_id) == (question.instrument_id, question.parameter_id)
        ]
        if told:
            stored = Capability.objects.get(
                instrument=told[0].instrument, parameter=told[0].parameter, condition=told[0].condition
            )
            _close(question, stored, None, now)


def capabilities_copy(by: By, *, source: Instrument, copy: Instrument) -> None:
    """Give a new copy of an instrument what the other states that it can do; nobody has checked it there."""
    rows = [
        Capability(
            instrument=copy,
            created_at=by.now,
            updated_at=by.now,
            **{
                name: getattr(row, name)
                for name in (
                    *("parameter_id", "minimum", "maximum", "unit", "condition"),
                    *("is_available", "source"),
                )
            },
        )
        for row in source.capabilities.order_by("pk")
    ]
    Capability.objects.bulk_create(rows)


def questions_drop(by: By, *, user: User) -> None:
    """Remove a user who leaves for good from all open questions, and delete the questions that nobody else
    asks."""
    mine = QuestionAsker.objects.filter(user=user, question__answered_at=None)
    questions = list(mine.values_list("question", flat=True))
    mine.delete()
    CapabilityQuestion.objects.filter(pk__in=questions, askers=None).delete()


def _add(
    by: By, instrument: Instrument, stated: Stated, unit: str, source: str, checked_on: date | None
) -> Capability:
    """Store a stated capability of a locked instrument, and answer the open question about it."""
    parameter = Parameter.objects.get(code=stated.parameter)
    present = instrument.capabilities.all()
    if present.filter(parameter=parameter, condition=stated.condition).exists():
        raise invalid("condition", "capability-there-already")
    if present.count() >= MOST:
        raise invalid("parameter", "too-many", most=MOST)
    row = Capability(
        instrument=instrument, parameter=parameter, source=source, created_at=by.now, updated_at=by.now
    )
    _put(row, stated, unit, checked_on)
    row.save(force_insert=True)
    _record(by, "instrument.capability-add", instrument, {}, _recorded(row))
    question = CapabilityQuestion.objects.filter(
        instrument=instrument, parameter=parameter, answered_at=None
    ).first()
    if question is not None:
        _close(question, row, by.actor.user_id, by.now)
    return row


def _close(question: CapabilityQuestion, row: Capability, user_id: UUID | None, now: datetime) -> None:
    """Mark a question as answered by a stated capability, and have the people who asked told."""
    question.answered_at, question.answered_by_id = now, user_id
    question.version += 1
    question.save(update_fields=["answered_at", "answered_by", "version"])
    about = {"question": str(question.pk), "capability": str(row.pk)}
    effect = Effect("question.answered", f"question.answered.{question.pk}", about)
    enqueue([effect], now=now)


def _put(row: Capability, stated: Stated, unit: str, checked_on: date | None) -> None:
    row.minimum, row.maximum = stated.minimum, stated.maximum
    row.unit, row.condition = unit, stated.condition
    row.is_available, row.checked_on = stated.is_available, checked_on


def _locked(by: By, capability_id: UUID) -> tuple[Instrument, Capability]:
    """Lock the instrument of a capability and return both."""
    unlocked = visible(Capability.objects, pk=capability_id)
    instrument = lock_managed(by, unlocked.instrument_id)
    row = visible(instrument.capabilities.select_related("parameter"), pk=capability_id)
    by.require_version(row.version)
    _check_in_use(instrument)
    return instrument, row


def _check_in_use(instrument: Instrument) -> None:
    if instrument.publication == Instrument.Publication.RETIRED:
        raise WrongState("instrument-retired")


def _recorded(row: Capability) -> dict[str, Any]:
    return {
        "parameter": row.parameter.code,
        "minimum": _written(row.minimum),
        "maximum": _written(row.maximum),
        "unit": row.unit,
        "is_available": row.is_available,
        "condition": row.condition,
        "checked_on": row.checked_on,
    }


def _written(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"


def _record(
    by: By, action: str, instrument: Instrument, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Record a change and raise the instrument's version, so that registers with a copy fetch it again. Later
    imports do not overwrite it without being told to."""
    hand_wrote(by, instrument=instrument, names=["capabilities"])
    instrument.version += 1
    instrument.updated_at = by.now
    instrument.save(update_fields=["version", "updated_at"])
    trail.record(by, action, instrument, before=before, after=after)
