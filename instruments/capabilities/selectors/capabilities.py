"""Read parameters (cached until they change) and the capabilities and questions of instruments."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.domain.errors import NotFound, invalid
from accounts.domain.roles import Actor
from accounts.models import User
from accounts.selectors.memberships import in_scope
from accounts.selectors.rows import visible
from instruments.capabilities.models import Capability, CapabilityQuestion, QuestionAsker
from instruments.register.models import Instrument
from instruments.register.selectors.registry import may_see
from instruments.vocabulary.domain import parameters as capabilities
from instruments.vocabulary.domain.parameters import Requirement, Stated
from instruments.vocabulary.selectors.needs import load_parameters, load_vocabulary


def parameter_named(text: str) -> capabilities.Parameter:
    """Return the parameter that a text names by code or label. `Invalid` if there is none, with the nearest
    known one."""
    parameters = load_parameters()
    row = parameters.named(text)
    if row is None:
        near = parameters.nearest(text)
        if near:
            raise invalid("parameter", "no-such-parameter", nearest=near)
        raise invalid("parameter", "unknown-value")
    return row


def load_capabilities(instrument_ids: Collection[UUID]) -> dict[UUID, list[Stated]]:
    """Return the stated capabilities of each of these instruments; a list may be empty. One statement."""
    stated: dict[UUID, list[Stated]] = {pk: [] for pk in instrument_ids}
    rows = Capability.objects.filter(instrument__in=stated).values_list(
        "instrument_id", "parameter__code", "minimum", "maximum", "condition", "is_available"
    )
    for pk, code, low, high, condition, has in rows.order_by("parameter__code", "condition"):
        stated[pk].append(Stated(code, low, high, condition, has))
    return stated


def _judged(requirement: Requirement) -> QuerySet[Capability]:
    """Return the stated capabilities by which instruments are judged: of one that states the parameter under
    the condition of the requirement, these alone."""
    stated = Capability.objects.filter(parameter__code=requirement.parameter)
    if not requirement.condition:
        return stated
    under = stated.filter(condition=requirement.condition)
    return stated.filter(
        Q(condition=requirement.condition) | ~Q(instrument_id__in=under.values("instrument_id"))
    )


def meeting(requirement: Requirement) -> QuerySet[Any]:
    """Return the ids of the instruments that meet a requirement, by the rule of `fit`."""
    stated = _judged(requirement)
    if requirement.low is not None:
        stated = stated.filter(minimum__lte=requirement.low)
    if requirement.high is not None:
        stated = stated.filter(maximum__gte=requirement.high)
    if requirement.low is None and requirement.high is None:
        stated = stated.filter(is_available=True)  # with a side required, only available ones match anyway
    return stated.values("instrument_id")


def failing(requirement: Requirement) -> QuerySet[Any]:
    """Return the ids of the instruments that fail a requirement, by the rule of `fit`: nothing they state
    about the parameter meets it."""
    stated = _judged(requirement)
    fails = Q(is_available=False)
    if requirement.low is not None:
        fails |= Q(minimum__gt=requirement.low)
    if requirement.high is not None:
        fails |= Q(maximum__lt=requirement.high)
    others = stated.exclude(fails).values("instrument_id")
    return stated.filter(fails).exclude(instrument_id__in=others).values("instrument_id")


def capabilities_in_order() -> QuerySet[Capability]:
    """Return all stated capabilities, ordered by parameter and condition."""
    rows = Capability.objects.select_related("parameter")
    return rows.order_by("parameter__name", "condition", "id")


def capabilities_of(instrument_id: UUID) -> QuerySet[Capability]:
    """Return the stated capabilities of an instrument, ordered by parameter and condition."""
    return capabilities_in_order().filter(instrument=instrument_id)


def capability_by_id(actor: Actor, capability_id: UUID) -> Capability:
    """Return a capability. `NotFound` if there is none, or the actor may not see its instrument."""
    rows = Capability.objects.select_related("parameter", "instrument__organisation__region")
    row = visible(rows, pk=capability_id)
    if not may_see(actor, row.instrument):
        raise NotFound
    return row


def asked_of(instrument: Instrument) -> list[capabilities.Parameter]:
    """Return, by name, the parameters that an instrument should state because of its techniques, which must
    be loaded with it."""
    codes = [technique.code for technique in instrument.techniques.all()]
    rows = load_parameters().asked_for(codes, load_vocabulary().parents)
    return sorted(rows, key=lambda row: row.name)


@dataclass(frozen=True)
class Unstated:
    """A parameter that an instrument should state because of its techniques, but does not. `askers` is how
    many people wait for an answer; `is_mine` says whether the reader is one of them."""

    parameter: capabilities.Parameter
    askers: int = 0
    is_mine: bool = False


def load_unstated(
    instrument: Instrument, stated: Iterable[Capability], user_id: UUID | None
) -> list[Unstated]:
    """Return the parameters that an instrument should state but does not, with their open questions. One
    statement."""
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
    """Return (instrument id, parameter code) of each open question that the user asks. One statement."""
    rows = QuestionAsker.objects.filter(
        question__instrument__in=instruments, question__answered_at=None, user=user_id
    )
    return set(rows.values_list("question__instrument_id", "question__parameter__code"))


def questions_to_answer(actor: Actor, now: datetime | None = None) -> QuerySet[CapabilityQuestion]:
    """Return the open questions about the instruments that the actor manages, the oldest first."""
    return (
        CapabilityQuestion.objects.filter(
            in_scope(actor.scope_where("manage-instruments"), "instrument__organisation_id"), answered_at=None
        )
        .exclude(instrument__publication=Instrument.Publication.RETIRED)
        .select_related("parameter", "instrument__facility", "instrument__organisation__region")
        .order_by("created_at", "id")
    )


def question_to_answer(actor: Actor, question_id: UUID) -> CapabilityQuestion:
    """Return a question about an instrument that the actor manages, answered or not. `NotFound` otherwise."""
    rows = CapabilityQuestion.objects.filter(
        in_scope(actor.scope_where("manage-instruments"), "instrument__organisation_id")
    ).select_related("parameter", "instrument__organisation__region")
    return visible(rows, pk=question_id)


def askers_of(questions: Collection[CapabilityQuestion]) -> dict[UUID, list[User]]:
    """Return the people who ask each of these questions, those who asked first come first. One statement."""
    people: dict[UUID, list[User]] = {question.pk: [] for question in questions}
    rows = QuestionAsker.objects.filter(question__in=people).select_related("user")
    for row in rows.order_by("asked_at", "id"):
        people[row.question_id].append(row.user)
    return people
