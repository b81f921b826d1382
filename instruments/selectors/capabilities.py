"""Parameters, read once and kept until they change, and what is stated of instruments."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.domain.errors import NotFound, invalid
from accounts.domain.roles import Actor
from accounts.models import User
from accounts.selectors.rows import visible
from instruments.domain import capabilities
from instruments.domain.capabilities import Requirement, Stated
from instruments.models import (
    Capability,
    CapabilityQuestion,
    Instrument,
    QuestionAsker,
)
from instruments.selectors.needs import load_parameters, load_vocabulary
from instruments.selectors.registry import may_see


def parameter_named(text: str) -> capabilities.Parameter:
    """The parameter that a text names, by code or label; `Invalid` with the nearest."""
    parameters = load_parameters()
    row = parameters.named(text)
    if row is None:
        near = parameters.nearest(text)
        if near:
            raise invalid("parameter", "no-such-parameter", nearest=near)
        raise invalid("parameter", "unknown-value")
    return row


def load_capabilities(instrument_ids: Collection[UUID]) -> dict[UUID, list[Stated]]:
    """What is stated of each of these instruments; empty lists where nothing is. One statement."""
    stated: dict[UUID, list[Stated]] = {pk: [] for pk in instrument_ids}
    rows = Capability.objects.filter(instrument__in=stated).values_list(
        "instrument_id", "parameter__code", "minimum", "maximum", "condition", "is_available"
    )
    for pk, code, low, high, condition, has in rows.order_by("parameter__code", "condition"):
        stated[pk].append(Stated(code, low, high, condition, has))
    return stated


def meeting(requirement: Requirement) -> QuerySet[Any]:
    """The ids of the instruments that meet a requirement, as `fit` says it."""
    stated = Capability.objects.filter(parameter__code=requirement.parameter)
    if requirement.low is not None:
        stated = stated.filter(minimum__lte=requirement.low)
    if requirement.high is not None:
        stated = stated.filter(maximum__gte=requirement.high)
    if requirement.low is None and requirement.high is None:
        stated = stated.filter(is_available=True)  # else what has values is
    return stated.values("instrument_id")


def failing(requirement: Requirement) -> QuerySet[Any]:
    """The ids of the instruments that fail a requirement, as `fit` says it: all that is stated of
    them does not reach it."""
    stated = Capability.objects.filter(parameter__code=requirement.parameter)
    fails = Q(is_available=False)
    if requirement.low is not None:
        fails |= Q(minimum__gt=requirement.low)
    if requirement.high is not None:
        fails |= Q(maximum__lt=requirement.high)
    others = stated.exclude(fails).values("instrument_id")
    return stated.filter(fails).exclude(instrument_id__in=others).values("instrument_id")


def capabilities_in_order() -> QuerySet[Capability]:
    """All that is stated, by parameter and condition."""
    rows = Capability.objects.select_related("parameter")
    return rows.order_by("parameter__name", "condition", "id")


def capabilities_of(instrument_id: UUID) -> QuerySet[Capability]:
    """What is stated of an instrument, by parameter and condition."""
    return capabilities_in_order().filter(instrument=instrument_id)


def capability_by_id(actor: Actor, capability_id: UUID) -> Capability:
    """One of an instrument that the actor may see; `NotFound` else."""
    rows = Capability.objects.select_related("parameter", "instrument__organisation__region")
    row = visible(rows, pk=capability_id)
    if not may_see(actor, row.instrument):
        raise NotFound
    return row


def asked_of(instrument: Instrument) -> list[capabilities.Parameter]:
    """The parameters that are asked of the techniques of an instrument that is loaded with them,
    by name."""
    codes = [technique.code for technique in instrument.techniques.all()]
    rows = load_parameters().asked_for(codes, load_vocabulary().parents)
    return sorted(rows, key=lambda row: row.name)


@dataclass(frozen=True)
class Unstated:
    """A parameter that is asked of an instrument's techniques and not stated. `askers`: how many
    wait for an answer; `is_mine`: the reader among them."""

    parameter: capabilities.Parameter
    askers: int = 0
    is_mine: bool = False


def load_unstated(
    instrument: Instrument, stated: Iterable[Capability], user_id: UUID | None
) -> list[Unstated]:
    """What is not stated of an instrument, with the open questions. One statement."""
    known = {row.parameter.code for row in stated}
    askers = QuestionAsker.objects.filter(
        question__instrument=instrument, question__answered_at=None
    ).values_list("question__parameter__code")
    counts = {
        code: (number, mine)
        for code, number, mine in askers.annotate(
            number=Count("pk"), mine=Count("pk", filter=Q(user=user_id))
        )
    }
    return [
        Unstated(row, counts.get(row.code, (0, 0))[0], bool(counts.get(row.code, (0, 0))[1]))
        for row in asked_of(instrument)
        if row.code not in known
    ]


def load_asked(instruments: Collection[UUID], user_id: UUID | None) -> set[tuple[UUID, str]]:
    """Instruments, and the parameters of them that somebody waits to be told. One statement."""
    rows = QuestionAsker.objects.filter(
        question__instrument__in=instruments, question__answered_at=None, user=user_id
    )
    return set(rows.values_list("question__instrument_id", "question__parameter__code"))


def questions_to_answer(actor: Actor, now: datetime | None = None) -> QuerySet[CapabilityQuestion]:
    """The open questions about the instruments the actor manages, the oldest first."""
    return (
        CapabilityQuestion.objects.filter(
            answered_at=None,
            instrument__organisation_id__in=actor.organisations_where("manage-instruments"),
        )
        .exclude(instrument__publication=Instrument.Publication.RETIRED)
        .select_related("parameter", "instrument__facility", "instrument__organisation__region")
        .order_by("created_at", "id")
    )


def question_to_answer(actor: Actor, question_id: UUID) -> CapabilityQuestion:
    """A question about an instrument the actor manages, answered or not; `NotFound` else."""
    rows = CapabilityQuestion.objects.filter(
        instrument__organisation_id__in=actor.organisations_where("manage-instruments")
    ).select_related("parameter", "instrument__organisation__region")
    return visible(rows, pk=question_id)


def askers_of(questions: Collection[CapabilityQuestion]) -> dict[UUID, list[User]]:
    """The people who ask each of these questions, the first to ask first. One statement."""
    people: dict[UUID, list[User]] = {question.pk: [] for question in questions}
    rows = QuestionAsker.objects.filter(question__in=people).select_related("user")
    for row in rows.order_by("asked_at", "id"):
        people[row.question_id].append(row.user)
    return people
