"""Purchase cases of the cast: Fudan in Shanghai wants a microscope, USTC in Anhui has one."""

from decimal import Decimal
from typing import Any

from accounts.domain.roles import PLATFORM, By
from accounts.models import User
from accounts.services.memberships import membership_start, role_grant
from bookings.pricing.selectors.agreements import load_agreements
from bookings.reviews.adapters.schemes import shipped
from bookings.reviews.models import CaseExpert, HostPledge, PurchaseCase
from bookings.reviews.services import cases
from bookings.reviews.services.opinions import Opinion, expert_ask, interest_declare, opinion_give
from bookings.reviews.services.promises import PledgeAnswer, pledge_answer
from bookings.reviews.services.schemes import schemes_load
from tests.factories.agreements import agree
from tests.factories.cast import NOW, Cast


def schemes() -> None:
    """The shipped schemes."""
    schemes_load(By(PLATFORM, NOW), schemes=shipped())


def case_values(**changes: Any) -> cases.CaseValues:
    """A microscope for CNY 2 million: 520,000 a year."""
    given: dict[str, Any] = {
        "scheme": "cn-shanghai",
        "money": "regional",
        "techniques": ["PaNET01198"],
        "name": "Transmission electron microscope",
        "reason": "Our students wait for months.",
        "price": Decimal(2_000_000),
        "currency": "CNY",
        "years": 5,
        "hours": 400,
        "place": "Jiangwan campus",
        "organisation": "fudan",
    }
    return cases.CaseValues(**given | changes)


def submitted(cast: Cast, **changes: Any) -> PurchaseCase:
    """A case of Fudan as it was submitted, with an agreement between the regions."""
    schemes()
    in_force = load_agreements(cast.shanghai.pk).get(cast.anhui.pk, ())
    if not any(agreement.is_in_force(NOW.date()) for agreement in in_force):
        agree(cast, code="reviewed")
    case = cases.case_make(By(cast.actor("wang"), NOW), values=case_values(**changes))
    cases.case_check(By(cast.actor("chen"), NOW), case_id=case.pk)
    return cases.case_submit(By(cast.actor("chen"), NOW), case_id=case.pk)


def asked(cast: Cast, **changes: Any) -> HostPledge:
    """What USTC is asked about its microscope."""
    case = submitted(cast, **changes)
    cases.hosts_ask(By(cast.actor("xu"), NOW), case_id=case.pk)
    return HostPledge.objects.get(case=case, instrument=cast.microscope)


def promise(cast: Cast, pledge: HostPledge, **changes: Any) -> HostPledge:
    """USTC promises four hundred hours a year."""
    given: dict[str, Any] = {"answer": "promise", "hours": 400, "from_date": NOW.date()}
    answer = PledgeAnswer(**given | changes)
    return pledge_answer(By(cast.actor("zhao"), NOW), pledge_id=pledge.pk, answer=answer)


def opinion(cast: Cast, case: PurchaseCase) -> CaseExpert:
    """Alice, who has no interest in it, advises to share."""
    xu = By(cast.actor("xu"), NOW)
    if case.state != "under_review":
        cases.case_review(xu, case_id=case.pk)
    expert = expert_ask(xu, case_id=case.pk, person="alice@nowhere.example")
    alice = By(cast.actor("alice"), NOW)
    interest_declare(alice, expert_id=expert.pk, interest="")
    given = Opinion("share", ["usable-by-sharing"], "The microscope in Hefei does it.")
    return opinion_give(alice, expert_id=expert.pk, opinion=given)


def decided(cast: Cast, **changes: Any) -> PurchaseCase:
    """A case that is decided: hours are to be shared instead."""
    pledge = promise(cast, asked(cast))
    case = PurchaseCase.objects.get(pk=pledge.case_id)
    opinion(cast, case)
    given: dict[str, Any] = {
        "decision": "share_instead",
        "grounds": ["usable-by-sharing"],
        "reason": "The hours are there.",
    }
    by = By(cast.actor("xu"), NOW)
    return cases.case_decide(by, case_id=case.pk, decision=cases.Decision(**given | changes))


def manager(cast: Cast, name: str, organisation: Any) -> User:
    """Another manager."""
    user: User = cast.people[name]
    if not user.memberships.filter(organisation=organisation, ended_at=None).exists():
        membership_start(By(PLATFORM, NOW), user=user, organisation=organisation)
    role_grant(By(PLATFORM, NOW), user=user, role="manager", organisation=organisation)
    return user


def review_things(cast: Cast) -> dict[str, str]:
    """Cases in the states that acts begin with, and what a host and an expert are asked."""
    schemes()
    xu, chen, wang = (By(cast.actor(name), NOW) for name in ("xu", "chen", "wang"))
    draft = cases.case_make(wang, values=case_values())
    checked = cases.case_make(wang, values=case_values())
    cases.case_check(chen, case_id=checked.pk)
    fresh = submitted(cast)
    pledge = asked(cast)
    expert = opinion(cast, PurchaseCase.objects.get(pk=pledge.case_id))
    refused, approved = submitted(cast), submitted(cast)
    for case, decision in ((refused, "refused"), (approved, "approved")):
        opinion(cast, case)
        choice = cases.Decision(decision, ["area-full"], "As the figures say.")
        cases.case_decide(xu, case_id=case.pk, decision=choice)
    return {
        "case-draft": str(draft.pk),
        "case-checked": str(checked.pk),
        "case-submitted": str(fresh.pk),
        "case": str(pledge.case_id),
        "pledge": str(pledge.pk),
        "expert": str(expert.pk),
        "case-refused": str(refused.pk),
        "case-approved": str(approved.pk),
        "scheme": str(approved.scheme_id),
        "decision-key": refused.comparison.digest[:16],
    }
