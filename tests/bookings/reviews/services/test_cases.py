"""A purchase case from draft to decision, and what refuses on the way."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

import pytest

from accounts.domain.canonical import canonical_json
from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import PLATFORM, By
from accounts.models import OutboxMessage, TrailEntry
from bookings.reviews.adapters.schemes import shipped
from bookings.reviews.models import CaseExpert, CaseFollowUp, HostPledge, PurchaseCase
from bookings.reviews.selectors.cases import cases_for, cases_to_decide, pledges_to_answer
from bookings.reviews.selectors.comparison import evidence_of
from bookings.reviews.services import cases as services
from bookings.reviews.services.cases import Decision
from bookings.reviews.services.follow_ups import cases_follow_up
from bookings.reviews.services.opinions import Opinion, expert_ask, interest_declare, opinion_give
from bookings.reviews.services.promises import PledgeAnswer, pledge_answer
from bookings.reviews.services.schemes import schemes_load
from tests.factories import reviews as make
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db


def decision(**changes) -> Decision:
    given = Decision("share_instead", ["usable-by-sharing"], "The hours are there.")
    return replace(given, **changes)


def test_shipped_schemes_are_loaded_once_and_a_change_is_a_version(cast):
    by = By(PLATFORM, NOW)
    codes = [row.code for row in schemes_load(by, schemes=shipped())]
    assert codes == ["cn-central", "cn-guangdong", "cn-shanghai", "gb-epsrc-strategic", "gb-ukri"]
    assert schemes_load(by, schemes=shipped()) == []
    changed = [row | {"experts": 3} for row in shipped() if row["code"] == "cn-shanghai"]
    (row,) = schemes_load(by, schemes=changed)
    assert (row.version, row.experts) == (2, 3)
    with pytest.raises(NotPermitted):
        schemes_load(By(cast.actor("xu"), NOW), schemes=shipped())


@pytest.mark.parametrize(
    "broken", [{"code": "x"}, {"most": Decimal(1)}, {"look": "moon"}, {"grounds": [{"code": "x"}]}]
)
def test_what_is_no_scheme_is_refused(cast, broken):
    row = next(row for row in shipped() if row["code"] == "cn-shanghai")
    given = broken if broken == {"code": "x"} else row | broken
    with pytest.raises(Invalid):
        schemes_load(By(PLATFORM, NOW), schemes=[given])


@pytest.mark.parametrize(
    "changes, field, code",
    [
        ({"scheme": "nowhere"}, "scheme", "unknown-scheme"),
        ({"scheme": "gb-ukri"}, "scheme", "unknown-scheme"),
        ({"scheme": "cn-central"}, "money", "not-of-scheme"),
        ({"price": Decimal("499999.99")}, "price", "not-of-scheme"),
        ({"currency": "EUR"}, "currency", "no-exchange-rate"),
        ({"currency": "XXX"}, "currency", "unknown-value"),
        ({"techniques": ["nothing"]}, "techniques", "unknown-term"),
        ({"techniques": []}, "techniques", "required"),
        ({"name": " "}, "name", "required"),
        ({"hours": 9000}, "hours", "too-large"),
        ({"years": 0}, "years", "too-large"),
        ({"price": Decimal("1e15")}, "price", "too-large"),
    ],
)
def test_a_wrong_case_is_refused_and_nothing_is_written(cast, changes, field, code):
    make.schemes()
    before = TrailEntry.objects.count()
    with pytest.raises(Invalid) as refused:
        services.case_make(By(cast.actor("wang"), NOW), values=make.case_values(**changes))
    assert (field, code) in [(p.field, p.code) for p in refused.value.problems]
    assert not PurchaseCase.objects.exists()
    assert TrailEntry.objects.count() == before


def test_who_made_a_case_does_not_check_it(cast):
    make.schemes()
    case = services.case_make(By(cast.actor("chen"), NOW), values=make.case_values())
    with pytest.raises(NotPermitted, match="own-case"):
        services.case_check(By(cast.actor("chen"), NOW), case_id=case.pk)
    with pytest.raises(NotFound):
        services.case_check(By(cast.actor("zhao"), NOW), case_id=case.pk)
    case.refresh_from_db()
    assert case.state == "draft"


def test_the_comparison_is_frozen_and_hashed(cast):
    case = make.submitted(cast)
    content = case.comparison.content
    assert [row["instrument"] for row in content["instruments"]] == [str(cast.microscope.pk)]
    (row,) = content["instruments"]
    assert row["fit"] == "meets" and row["quote"] is not None
    digest = sha256(canonical_json(content)).hexdigest()
    assert case.comparison.digest == digest
    assert TrailEntry.objects.get(action="purchase-case.submit").after["comparison"] == digest
    cast.microscope.name = "Another name"
    cast.microscope.save()
    again = PurchaseCase.objects.get(pk=case.pk).comparison
    assert sha256(canonical_json(again.content)).hexdigest() == digest


def test_before_it_is_submitted_only_the_applicant_sees_a_case(cast):
    make.schemes()
    case = services.case_make(By(cast.actor("wang"), NOW), values=make.case_values())
    for name, sees in {"wang": 1, "chen": 1, "xu": 0, "zhao": 0, "admin": 0}.items():
        assert cases_for(cast.actor(name)).count() == sees, name
    services.case_check(By(cast.actor("chen"), NOW), case_id=case.pk)
    services.case_submit(By(cast.actor("chen"), NOW), case_id=case.pk)
    for name, sees in {"xu": 1, "coordinator": 0, "auditor": 0, "admin": 1, "alice": 0}.items():
        assert cases_for(cast.actor(name)).count() == sees, name
    assert cases_to_decide(cast.actor("xu")).count() == 1


def test_hosts_are_asked_and_silence_is_no_answer(cast):
    pledge = make.asked(cast)
    assert pledge.answer == ""
    assert list(pledges_to_answer(cast.actor("zhao"))) == [pledge]
    evidence = evidence_of(PurchaseCase.objects.get(pk=pledge.case_id))
    assert evidence.figures.coverage == 0
    assert OutboxMessage.objects.filter(kind="review.hosts-asked").count() == 1


@pytest.mark.parametrize(
    "answer, field",
    [
        (PledgeAnswer("perhaps"), "answer"),
        (PledgeAnswer("promise"), "hours"),
        (PledgeAnswer("promise", 0, from_date=NOW.date()), "hours"),
        (PledgeAnswer("promise", 10), "from_date"),
        (PledgeAnswer("promise", 10, from_date=NOW.date() - timedelta(days=2)), "from_date"),
        (PledgeAnswer("promise", 10, from_date=NOW.date() + timedelta(days=800)), "from_date"),
        (PledgeAnswer("promise", 10, Decimal(5), "", NOW.date()), "currency"),
        (PledgeAnswer("denial"), "reason"),
    ],
)
def test_a_wrong_answer_is_refused(cast, answer, field):
    pledge = make.asked(cast)
    with pytest.raises(Invalid) as refused:
        pledge_answer(By(cast.actor("zhao"), NOW), pledge_id=pledge.pk, answer=answer)
    assert refused.value.problems[0].field == field
    pledge.refresh_from_db()
    assert (pledge.answer, pledge.version) == ("", 1)


def test_only_the_host_answers(cast):
    pledge = make.asked(cast)
    for name in ("chen", "sun", "xu", "alice"):
        with pytest.raises(NotFound):
            pledge_answer(
                By(cast.actor(name), NOW), pledge_id=pledge.pk, answer=PledgeAnswer("denial", reason="full")
            )


def test_a_denial_as_full_is_contradicted_by_the_hours(cast):
    pledge = make.asked(cast)
    case = pledge.case
    content = case.comparison.content
    content["instruments"][0] |= {"effective_minutes": 300 * 60, "open_minutes": 2000 * 60}
    case.comparison.content = content  # as though its hours were rolled up
    case.comparison.save()
    pledge_answer(
        By(cast.actor("zhao"), NOW), pledge_id=pledge.pk, answer=PledgeAnswer("denial", reason="full")
    )
    evidence = evidence_of(PurchaseCase.objects.get(pk=case.pk))
    assert evidence.contradicted == {str(cast.microscope.pk)}


def test_experts_with_an_interest_are_barred(cast):
    case = make.submitted(cast)
    xu = By(cast.actor("xu"), NOW)
    services.case_review(xu, case_id=case.pk)
    host = expert_ask(xu, case_id=case.pk, person="sun@ustc.example")
    own = expert_ask(xu, case_id=case.pk, person="wang@fudan.example")
    other = expert_ask(xu, case_id=case.pk, person="hu@optics.example")
    assert [one.barred for one in (host, own, other)] == ["host-of-compared", "own-organisation", ""]
    hu, advice = By(cast.actor("hu"), NOW), Opinion("buy", ["area-full"], "Full.")
    with pytest.raises(WrongState, match="interest-not-declared"):
        opinion_give(hu, expert_id=other.pk, opinion=advice)
    interest_declare(hu, expert_id=other.pk, interest="I sell such microscopes.")
    with pytest.raises(WrongState, match="barred"):
        opinion_give(hu, expert_id=other.pk, opinion=advice)
    with pytest.raises(WrongState, match="barred"):
        interest_declare(By(cast.actor("sun"), NOW), expert_id=host.pk, interest="")
    assert not CaseExpert.objects.exclude(advice="").exists()


def test_an_opinion_does_not_contradict_itself(cast):
    case = make.submitted(cast)
    expert = make.opinion(cast, case)
    given = Opinion("buy", ["area-full", "area-not-full"], "Full, and not full.")
    with pytest.raises(Invalid) as refused:
        opinion_give(By(cast.actor("alice"), NOW), expert_id=expert.pk, opinion=given)
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == ("grounds[1]", "grounds-contradict")
    expert.refresh_from_db()
    assert expert.grounds == ["usable-by-sharing"]


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"decision": "maybe"}, "unknown-value"),
        ({"grounds": []}, "required"),
        ({"grounds": ["because"]}, "unknown-ground"),
        ({"grounds": ["area-full", "area-not-full"]}, "grounds-contradict"),
        ({"grounds": ["below-break-even", "split", "above-break-even"]}, "grounds-contradict"),
        ({"reason": " "}, "required"),
        ({"decision": "approved_with_conditions"}, "required"),
    ],
)
def test_a_wrong_decision_is_refused(cast, changes, code):
    case = make.submitted(cast)
    make.opinion(cast, case)
    with pytest.raises(Invalid) as refused:
        services.case_decide(By(cast.actor("xu"), NOW), case_id=case.pk, decision=decision(**changes))
    assert code in {problem.code for problem in refused.value.problems}
    case.refresh_from_db()
    assert (case.state, case.decision) == ("under_review", "")


def test_a_decision_needs_its_experts_and_sharing_a_promise(cast):
    case = make.submitted(cast)
    xu = By(cast.actor("xu"), NOW)
    services.case_review(xu, case_id=case.pk)
    with pytest.raises(WrongState, match="too-few-opinions"):
        services.case_decide(xu, case_id=case.pk, decision=decision())
    make.opinion(cast, PurchaseCase.objects.get(pk=case.pk))
    with pytest.raises(WrongState, match="no-promise"):
        services.case_decide(xu, case_id=case.pk, decision=decision())
    with pytest.raises(WrongState, match="nothing-to-pool"):
        services.case_decide(xu, case_id=case.pk, decision=decision(decision="pooled"))
    case.refresh_from_db()
    assert (case.state, case.decision, case.pooled_with) == ("under_review", "", None)


def test_the_applicant_does_not_decide(cast):
    case = make.submitted(cast)
    make.opinion(cast, case)
    make.manager(cast, "xu", cast.fudan)
    with pytest.raises(NotPermitted, match="own-case"):
        services.case_decide(By(cast.actor("xu"), NOW), case_id=case.pk, decision=decision())
    with pytest.raises(NotFound):  # of another region
        services.case_decide(By(cast.actor("coordinator"), NOW), case_id=case.pk, decision=decision())


def test_a_stale_version_is_refused(cast):
    case = make.submitted(cast)
    with pytest.raises(WrongVersion):
        services.hosts_ask(By(cast.actor("xu"), NOW, version=1), case_id=case.pk)
    assert not HostPledge.objects.exists()


def test_a_decision_may_be_appealed_once_within_fifteen_working_days(cast):
    case = make.submitted(cast)
    make.opinion(cast, case)
    xu, chen = By(cast.actor("xu"), NOW), cast.actor("chen")
    refusal = decision(decision="refused")
    services.case_decide(xu, case_id=case.pk, decision=refusal)
    late = By(chen, NOW + timedelta(days=40))
    with pytest.raises(WrongState, match="too-late-to-appeal"):
        services.case_appeal(late, case_id=case.pk, reason="We disagree.")
    with pytest.raises(Invalid):
        services.case_appeal(By(chen, NOW), case_id=case.pk, reason=" ")
    case = services.case_appeal(By(chen, NOW), case_id=case.pk, reason="We disagree.")
    assert (case.state, case.decision) == ("under_review", "refused")
    services.case_decide(xu, case_id=case.pk, decision=refusal)
    with pytest.raises(WrongState, match="appealed-already"):
        services.case_appeal(By(chen, NOW), case_id=case.pk, reason="Again.")


def test_two_cases_of_a_class_within_a_year_are_flagged(cast):
    make.submitted(cast)
    second = make.submitted(cast)
    assert second.comparison.content["split"] is True
    assert "split" in evidence_of(second).figures.grounds_against


def test_an_approved_purchase_is_ordered_put_in_service_and_followed_up(cast):
    case = make.submitted(cast)
    make.opinion(cast, case)
    xu, chen = By(cast.actor("xu"), NOW), By(cast.actor("chen"), NOW)
    services.case_decide(xu, case_id=case.pk, decision=decision(decision="approved"))
    services.case_order(chen, case_id=case.pk)
    with pytest.raises(Invalid) as refused:
        services.case_in_service(
            chen, case_id=case.pk, instrument_id=cast.microscope.pk, in_service_on=NOW.date()
        )
    assert refused.value.problems[0].code == "not-of-applicant"
    PurchaseCase.objects.filter(pk=case.pk).update(
        state="in_service", in_service_on=NOW.date(), follow_up_on=NOW.date()
    )
    assert cases_follow_up(NOW + timedelta(days=3)) == 1
    assert cases_follow_up(NOW + timedelta(days=3)) == 0
    assert cases_follow_up(NOW + timedelta(days=370)) == 1
    case.refresh_from_db()
    assert (case.state, case.follow_up_on) == ("followed_up", None)
    assert list(CaseFollowUp.objects.values_list("months", "is_avoided").order_by("months")) == [
        (12, False),
        (24, False),
    ]
