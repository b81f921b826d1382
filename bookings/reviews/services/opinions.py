"""Opinions of experts: asking for them, declaring an interest, giving them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import Invalid, NotPermitted, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Membership, RoleGrant, User
from accounts.notifications import Effect, enqueue
from accounts.selectors.rows import visible
from accounts.selectors.users import person_named
from bookings.reviews.domain import reviews as rules
from bookings.reviews.locks import lock_case
from bookings.reviews.models import CaseExpert, PurchaseCase
from bookings.reviews.selectors.cases import coordinated_case, decides, opinions_asked

MOST_EXPERTS = 20
_ASKED_IN = ("submitted", "hosts_asked", "under_review")


@dataclass(frozen=True)
class Opinion:
    """An expert's opinion. advice: of `CaseExpert.Advice`; grounds: codes."""

    advice: str
    grounds: Sequence[str]
    text: str


@transaction.atomic
def expert_ask(by: By, *, case_id: UUID, person: str) -> CaseExpert:
    """Ask somebody, by id or mail address, for an opinion. People who belong to the applicant or to a host of
    a compared instrument are recorded, but barred. Raises `Invalid` (unknown-person, asked-already,
    too-many), `NotPermitted` (own-case), `WrongState`."""
    case = coordinated_case(by.actor, case_id)
    if not decides(by.actor, case):
        raise NotPermitted("own-case")
    case = lock_case(case_id)
    if case.state not in _ASKED_IN:
        raise WrongState("case-not-so-far", state=case.state)
    user = person_named(person)
    if user is None:
        raise invalid("person", "unknown-person", person=person[:254])
    if case.experts.filter(user=user).exists():
        raise invalid("person", "asked-already")
    if case.experts.count() >= MOST_EXPERTS:
        raise invalid("person", "too-many", most=MOST_EXPERTS)
    barred = _barred(case, user, "")
    expert = CaseExpert.objects.create(case=case, user=user, asked_at=by.now, barred=barred)
    trail.record(by, "case-expert.ask", expert, after={"user": str(user.pk), "barred": barred})
    if not barred:
        enqueue([Effect("review.expert-asked", f"{expert.pk}", {"expert": str(expert.pk)})], now=by.now)
    return expert


@transaction.atomic
def interest_declare(by: By, *, expert_id: UUID, interest: str) -> CaseExpert:
    """Declare an expert's interest in a case, or with an empty text that they have none. An expert with an
    interest cannot give an opinion. `WrongState` (opinion-given, barred)."""
    expert = _asked(by, expert_id)
    if expert.advice:
        raise WrongState("opinion-given")
    if expert.barred and expert.barred != "declared":
        raise WrongState("barred", why=expert.barred)
    expert.interest = interest.strip()
    expert.declared_at = by.now
    expert.barred = _barred(expert.case, expert.user, expert.interest)
    expert.save(update_fields=["interest", "declared_at", "barred"])
    trail.record(
        by,
        "case-expert.declare",
        expert,
        after={"has_interest": bool(expert.interest), "barred": expert.barred},
        reason=expert.interest,
    )
    return expert


@transaction.atomic
def opinion_give(by: By, *, expert_id: UUID, opinion: Opinion) -> CaseExpert:
    """Give an expert's opinion, after they have declared that they have no interest; it can be replaced until
    the case is decided. `WrongState` (interest-not-declared, barred), `Invalid`."""
    expert = _asked(by, expert_id)
    if expert.declared_at is None:
        raise WrongState("interest-not-declared")
    expert.barred = expert.barred or _barred(expert.case, expert.user, expert.interest)
    if expert.barred:
        raise WrongState("barred", why=expert.barred)
    if expert.case.state != "under_review":
        raise WrongState("case-not-so-far", state=expert.case.state)
    if opinion.advice not in CaseExpert.Advice.values:
        raise invalid("advice", "unknown-value")
    if problems := rules.ground_problems(opinion.grounds, expert.case.scheme.grounds):
        raise Invalid(problems)
    if not opinion.text.strip():
        raise invalid("text", "required")
    expert.advice = opinion.advice
    expert.grounds = list(dict.fromkeys(opinion.grounds))
    expert.text = opinion.text.strip()
    expert.given_at = by.now
    expert.save(update_fields=["advice", "grounds", "text", "given_at"])
    after = {"advice": expert.advice, "grounds": expert.grounds}
    trail.record(by, "case-expert.give", expert, after=after, reason=expert.text)
    return expert


def _asked(by: By, expert_id: UUID) -> CaseExpert:
    """Return the request for the actor's opinion as an expert, while the case is open for opinions; the case
    is locked."""
    expert = visible(opinions_asked(by.actor), pk=expert_id)
    case = lock_case(expert.case_id)
    expert.refresh_from_db(fields=["declared_at", "interest", "barred", "advice"])
    expert.case = case
    if case.state not in _ASKED_IN:
        raise WrongState("case-not-so-far", state=case.state)
    return expert


def _barred(case: PurchaseCase, user: User, declared: str) -> str:
    """Return why somebody may not give an opinion, by the organisations they belong to now; empty if they
    may."""
    places = Membership.objects.filter(user=user, ended_at=None).values_list("organisation_id")
    roles = RoleGrant.objects.filter(user=user, revoked_at=None, organisation__isnull=False)
    own = {pk for (pk,) in places.union(roles.values_list("organisation_id"))}
    hosts = {row["host"] for row in case.comparison.content["instruments"]}
    return rules.barred(
        case.organisation_id in own or user.pk == case.user_id,
        bool({str(pk) for pk in own} & hosts),
        declared,
    )


def interests_forget(by: By, *, user: User) -> None:
    """Delete the interests that somebody declared, within the transaction that closes the account."""
    CaseExpert.objects.filter(user=user).update(interest="")
