"""Purchase cases: making one, submitting it with its evidence, deciding it, and the steps that follow."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.canonical import canonical_json
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import FieldProblem, Invalid, NotFound, NotPermitted, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import payer_for
from bookings.needs.selectors.needs import written
from bookings.reviews.domain import reviews as rules
from bookings.reviews.locks import lock_case
from bookings.reviews.models import CaseComparison, CaseStep, HostPledge, PurchaseCase, ReviewScheme
from bookings.reviews.selectors import cases
from bookings.reviews.selectors.comparison import cases_to_pool, evidence_of, load_comparison
from bookings.reviews.services.promises import promises_end, promises_keep
from instruments.register.locks import lock_instruments
from instruments.register.selectors.registry import instrument_by_id, techniques_by_code
from instruments.vocabulary.domain.parameters import FAILS, MOST_REQUIREMENTS, requirement_of
from instruments.vocabulary.models import Technique
from instruments.vocabulary.selectors.needs import load_parameters

MOST_TECHNIQUES, MOST_YEARS, MOST_HOURS = 5, 50, 8784
LARGEST = Decimal(10) ** 12
_AMOUNTS = ("price", "staff", "space", "marginal", "travel")


@dataclass(frozen=True)
class CaseValues:
    """The values of a planned purchase. scheme: a code; techniques: codes; requirements: `{parameter, low,
    high}`; the rest as `PurchaseCase` has it."""

    scheme: str
    money: str
    techniques: Sequence[str]
    name: str
    reason: str
    price: Decimal
    currency: str
    years: int
    hours: int
    place: str
    organisation: str | None = None
    requirements: Sequence[Mapping[str, Any]] = ()
    upkeep_percent: Decimal = rules.UPKEEP_PERCENT
    staff: Decimal = Decimal(0)
    space: Decimal = Decimal(0)
    marginal: Decimal = Decimal(0)
    travel: Decimal = Decimal(0)


@dataclass(frozen=True)
class Decision:
    """A coordinator's decision. decision: of `DECISIONS`; grounds: codes; pooled_with: the id of the case to
    buy together with."""

    decision: str
    grounds: Sequence[str]
    reason: str
    conditions: str = ""
    pooled_with: UUID | None = None


@transaction.atomic
def case_make(by: By, *, values: CaseValues) -> PurchaseCase:
    """Create a case for an organisation for which the actor may register instruments. Raises `Invalid`,
    `NotPermitted`."""
    applicant = payer_for(by.actor, values.organisation)
    if applicant is None:
        raise invalid("organisation", "organisation-needed")
    require(by.actor, "register-instruments", place_of(applicant))
    columns, techniques = _columns(values, applicant, cases.today_of(applicant, by.now))
    case = PurchaseCase.objects.create(
        **columns, organisation=applicant, user_id=by.actor.person, created_at=by.now, changed_at=by.now
    )
    case.techniques.set(techniques)
    _step(by, case)
    trail.record(by, "purchase-case.create", case, after=_facts(case, techniques))
    return case


@transaction.atomic
def case_change(by: By, *, case_id: UUID, values: CaseValues) -> PurchaseCase:
    """Change the values of a draft; the applicant stays."""
    case = _own(by, case_id)
    rules.act("change", case.state)
    before = _facts(case, case.techniques.all())
    today = cases.today_of(case.organisation, by.now)
    columns, techniques = _columns(values, case.organisation, today)
    for name, value in columns.items():
        setattr(case, name, value)
    _save(by, case, *columns)
    case.techniques.set(techniques)
    after = _facts(case, techniques)
    trail.record(by, "purchase-case.change", case, before=before, after=after)
    return case


@transaction.atomic
def case_check(by: By, *, case_id: UUID) -> PurchaseCase:
    """Confirm for the applicant, as its manager, that the case is complete and true. The person who made it
    cannot do so themselves (`NotPermitted`: own-case)."""
    case = _managed(by, case_id)
    if case.user_id == by.actor.user_id:
        raise NotPermitted("own-case")
    return _go(by, case, "check")


@transaction.atomic
def case_reopen(by: By, *, case_id: UUID) -> PurchaseCase:
    """Reopen a checked case as a draft."""
    return _go(by, _managed(by, case_id), "reopen")


@transaction.atomic
def case_submit(by: By, *, case_id: UUID) -> PurchaseCase:
    """Submit a case to the coordinators of the region. Its comparison is made and frozen, so that later
    changes of instruments do not alter it."""
    case = _managed(by, case_id)
    rules.act("submit", case.state)
    content = load_comparison(case, by.now)
    digest = hashlib.sha256(canonical_json(content)).hexdigest()
    CaseComparison.objects.create(case=case, content=content, digest=digest, made_at=by.now)
    case.submitted_at = by.now
    return _go(by, case, "submit", "submitted_at", after={"comparison": digest}, tell="submitted")


@transaction.atomic
def case_withdraw(by: By, *, case_id: UUID, reason: str = "") -> PurchaseCase:
    """Withdraw a case before it is decided."""
    return _go(by, _own(by, case_id), "withdraw", reason=reason)


@transaction.atomic
def hosts_ask(by: By, *, case_id: UUID) -> PurchaseCase:
    """Ask the hosts of all compared instruments that may fit, except the applicant itself, to pledge hours.
    Raise `WrongState` (`nobody-to-ask`) if there are none."""
    case = _coordinated(by, case_id)
    rules.act("ask_hosts", case.state)
    today = cases.today_of(case.organisation, by.now)
    due = cases.due_day(case, "hosts_asked", today) or today
    rows = [
        HostPledge(
            case=case, instrument_id=row["instrument"], host_id=row["host"], asked_at=by.now, due_on=due
        )
        for row in case.comparison.content["instruments"]
        if row["fit"] != FAILS and row["host"] != str(case.organisation_id)
    ]
    if not rows:
        raise WrongState("nobody-to-ask")
    HostPledge.objects.bulk_create(rows)
    return _go(by, case, "ask_hosts", after={"pledges": len(rows)}, tell="hosts-asked")


@transaction.atomic
def case_review(by: By, *, case_id: UUID) -> PurchaseCase:
    """Begin the review of a case: experts give their opinions. Hosts may still answer."""
    return _go(by, _coordinated(by, case_id), "review")


@transaction.atomic
def case_decide(by: By, *, case_id: UUID, decision: Decision) -> PurchaseCase:
    """Decide a case of a region that the actor coordinates, without having a part in it, once enough experts
    have given their opinions. If hours are shared instead, every promise becomes guaranteed hours of the
    applicant.

    Raises `NotPermitted` (own-case), `Invalid` (unknown-value, unknown-ground, grounds-contradict, required),
    `WrongState` (too-few-opinions, no-promise, nothing-to-pool).
    """
    case = cases.coordinated_case(by.actor, case_id)
    asked = HostPledge.objects.filter(case=case).values_list("instrument_id", flat=True)
    lock_instruments(asked)
    case = _coordinated(by, case_id)
    name = rules.DECISIONS.get(decision.decision)
    if name is None:
        raise invalid("decision", "unknown-value")
    rules.act(name, case.state)
    _check_decision(case, decision)
    opinions = case.experts.exclude(advice="").count()
    if opinions < (needed := cases.experts_needed(case.scheme)):
        raise WrongState("too-few-opinions", needed=needed, given=opinions)
    if case.experts.filter(user=by.actor.user_id).exclude(advice="").exists():
        raise NotPermitted("own-case")
    if decision.decision == "pooled":
        other = next((o for o in cases_to_pool(case, by.now) if o.pk == decision.pooled_with), None)
        if other is None:
            raise WrongState("nothing-to-pool")
        case.pooled_with = other
    case.decision = decision.decision
    case.grounds = list(dict.fromkeys(decision.grounds))
    case.decision_reason = decision.reason.strip()
    case.conditions = decision.conditions.strip()
    case.decided_at = by.now
    case.decided_by_id = by.actor.person
    promises_end(by, case=case, reason=case.decision_reason)
    case.follow_up_on = None
    if decision.decision == "share_instead":
        since = promises_keep(by, case=case, reason=case.decision_reason)
        case.follow_up_on = rules.months_after(since, 12)
    evidence = evidence_of(case)
    return _go(
        by,
        case,
        name,
        "decision",
        "grounds",
        "decision_reason",
        "conditions",
        "decided_at",
        "decided_by",
        "pooled_with",
        "follow_up_on",
        after={
            "grounds": case.grounds,
            "comparison": case.comparison.digest,
            "figures_for": evidence.figures.grounds_for if evidence else (),
            "figures_against": evidence.figures.grounds_against if evidence else (),
        },
        reason=case.decision_reason,
        tell="decided",
    )


@transaction.atomic
def case_appeal(by: By, *, case_id: UUID, reason: str) -> PurchaseCase:
    """Appeal once against a decision, within the working days that the scheme allows. The case is under
    review again, and the record of the decision stays. `Invalid` (required), `WrongState` (appealed-already,
    too-late-to-appeal)."""
    case = _managed(by, case_id)
    rules.act("appeal", case.state)
    if not reason.strip():
        raise invalid("reason", "required")
    if case.appealed_at is not None:
        raise WrongState("appealed-already")
    until = cases.appeal_until(case)
    if until is not None and cases.today_of(case.organisation, by.now) > until:
        raise WrongState("too-late-to-appeal", until=str(until))
    case.appealed_at, case.follow_up_on = by.now, None
    return _go(by, case, "appeal", "appealed_at", "follow_up_on", reason=reason.strip(), tell="appealed")


@transaction.atomic
def case_order(by: By, *, case_id: UUID) -> PurchaseCase:
    """Record that the instrument of a case was ordered."""
    return _go(by, _managed(by, case_id), "order")


@transaction.atomic
def case_in_service(by: By, *, case_id: UUID, instrument_id: UUID, in_service_on: date) -> PurchaseCase:
    """Record that the purchased instrument is in service, since which day, and which record it has. `Invalid`
    (not-of-applicant, in-future)."""
    case = _managed(by, case_id)
    rules.act("put_in_service", case.state)
    instrument = instrument_by_id(by.actor, instrument_id)
    if instrument.organisation_id != case.organisation_id:
        raise invalid("instrument", "not-of-applicant")
    if in_service_on > cases.today_of(case.organisation, by.now):
        raise invalid("in_service_on", "in-future")
    case.instrument, case.in_service_on = instrument, in_service_on
    case.follow_up_on = rules.months_after(in_service_on, 12)
    after = {"instrument": str(instrument.pk), "in_service_on": in_service_on}
    columns = ("instrument", "in_service_on", "follow_up_on")
    return _go(by, case, "put_in_service", *columns, after=after)


def _check_decision(case: PurchaseCase, decision: Decision) -> None:
    problems = rules.ground_problems(decision.grounds, case.scheme.grounds)
    if not decision.grounds:
        problems.append(FieldProblem("grounds", "required"))
    if not decision.reason.strip():
        problems.append(FieldProblem("reason", "required"))
    if decision.decision == "approved_with_conditions" and not decision.conditions.strip():
        problems.append(FieldProblem("conditions", "required"))
    if problems:
        raise Invalid(problems)


def _own(by: By, case_id: UUID) -> PurchaseCase:
    cases.own_case(by.actor, case_id)
    return _locked(by, case_id)


def _managed(by: By, case_id: UUID) -> PurchaseCase:
    """Lock and return a case, for a manager of the applicant; raise `NotFound` if the actor may not see
    it."""
    case = cases.case_by_id(by.actor, case_id)
    require(by.actor, "manage-instruments", place_of(case.organisation))
    return _locked(by, case_id)


def _coordinated(by: By, case_id: UUID) -> PurchaseCase:
    """Lock and return a case, for a coordinator of its region who has no part in it."""
    case = cases.coordinated_case(by.actor, case_id)
    if not cases.decides(by.actor, case):
        raise NotPermitted("own-case")
    return _locked(by, case_id)


def _locked(by: By, case_id: UUID) -> PurchaseCase:
    case = lock_case(case_id)
    by.require_version(case.version)
    return case


def _go(
    by: By,
    case: PurchaseCase,
    name: str,
    *columns: str,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    tell: str = "",
) -> PurchaseCase:
    """Bring a case into the state that an act leads to, record it in the trail, and tell people."""
    before, case.state = case.state, rules.act(name, case.state)
    case.due_on = cases.due_day(case, case.state, cases.today_of(case.organisation, by.now))
    _save(by, case, "state", "due_on", *columns)
    _step(by, case)
    trail.record(
        by,
        f"purchase-case.{name.replace('_', '-')}",
        case,
        before={"state": before},
        after={"state": case.state, **(after or {})},
        reason=reason,
    )
    if tell:
        enqueue([Effect(f"review.{tell}", f"{case.pk}:{case.version}", {"case": str(case.pk)})], now=by.now)
    return case


def _save(by: By, case: PurchaseCase, *columns: str) -> None:
    case.changed_at = by.now
    case.version += 1
    case.save(update_fields=[*columns, "changed_at", "version"])


def _step(by: By, case: PurchaseCase) -> None:
    CaseStep.objects.create(
        case=case, state=case.state, at=by.now, user_id=by.actor.user_id, due_on=case.due_on
    )


def _columns(
    values: CaseValues, applicant: Organisation, today: date
) -> tuple[dict[str, Any], list[Technique]]:
    problems = [problem for problem, is_wrong in _checks(values) if is_wrong]
    techniques = []
    try:
        techniques = techniques_by_code(list(dict.fromkeys(values.techniques)))
    except NotFound as refused:
        term = str(refused.numbers["technique"])[:60]
        problems.append(FieldProblem("techniques", "unknown-term", {"term": term}))
    requirements = _requirements(values, problems)
    if problems:
        raise Invalid(problems)
    scheme = _scheme(values, applicant, today)
    return {
        "scheme": scheme,
        "money": values.money,
        "name": values.name.strip(),
        "reason": values.reason.strip(),
        "currency": values.currency,
        "years": values.years,
        "upkeep_percent": values.upkeep_percent,
        **{name: getattr(values, name) for name in _AMOUNTS},
        "requirements": requirements,
        "hours": values.hours,
        "place": values.place.strip(),
    }, techniques


def _checks(values: CaseValues) -> Iterator[tuple[FieldProblem, bool]]:
    """Yield each problem that the values of a case may have, with whether they have it."""

    def within(name: str, least: int, most: int) -> tuple[FieldProblem, bool]:
        return FieldProblem(name, "too-large", {"most": most}), not least <= getattr(values, name) <= most

    for name in ("name", "reason", "place"):
        yield FieldProblem(name, "required"), not getattr(values, name).strip()
    for name in _AMOUNTS:
        is_wrong = not 0 <= getattr(values, name) < LARGEST
        yield FieldProblem(name, "too-large", {"most": f"{LARGEST:f}"}), is_wrong
    yield FieldProblem("price", "required"), values.price <= 0
    yield FieldProblem("currency", "unknown-value"), values.currency not in MINOR_DIGITS
    yield within("upkeep_percent", 0, 100)
    yield within("years", 1, MOST_YEARS)
    yield within("hours", 1, MOST_HOURS)
    yield FieldProblem("money", "unknown-value"), values.money not in ReviewScheme.Money.values
    yield FieldProblem("techniques", "required"), not values.techniques
    is_wrong = len(values.techniques) > MOST_TECHNIQUES
    yield FieldProblem("techniques", "too-many", {"most": MOST_TECHNIQUES}), is_wrong


def _scheme(values: CaseValues, applicant: Organisation, today: date) -> ReviewScheme:
    """Return the newest version of the named scheme; raise `Invalid` unless it covers money and price."""
    schemes = {row.code: row for row in cases.schemes_for(applicant, today)}
    scheme = schemes.get(values.scheme)
    if scheme is None:
        raise invalid("scheme", "unknown-scheme", scheme=values.scheme[:40])
    if scheme.money and values.money not in scheme.money:
        raise invalid("money", "not-of-scheme", scheme=scheme.code)
    price = cases.price_in(applicant, values.price, values.currency, scheme.currency, today)
    if price is None:
        raise invalid("currency", "no-exchange-rate", currency=scheme.currency)
    if (scheme.least is not None and price < scheme.least) or (
        scheme.most is not None and price >= scheme.most
    ):
        raise invalid("price", "not-of-scheme", scheme=scheme.code)
    return scheme


def _requirements(values: CaseValues, problems: list[FieldProblem]) -> list[dict[str, str | None]]:
    parameters = load_parameters()
    if len(values.requirements) > MOST_REQUIREMENTS:
        problems.append(FieldProblem("requirements", "too-many", {"most": MOST_REQUIREMENTS}))
        return []
    rows = []
    for n, each in enumerate(values.requirements):
        try:
            required = requirement_of(str(each["parameter"]), each.get("low"), each.get("high"), parameters)
            rows.append(written(required))
        except Invalid as refused:
            problems += [
                FieldProblem(f"requirements[{n}]", problem.code, problem.numbers)
                for problem in refused.problems
            ]
    return rows


def _facts(case: PurchaseCase, techniques: Any) -> dict[str, Any]:
    return {
        "scheme": str(case.scheme),
        "techniques": sorted(technique.code for technique in techniques),
        "name": case.name,
        "price": case.price,
        "currency": case.currency,
        "hours": case.hours,
    }
