"""The pages of purchase cases: who reads what, and what a wrong act leaves as it was."""

from datetime import timedelta

import pytest
from django.urls import reverse

from bookings.reviews.models import CaseExpert, HostPledge, PurchaseCase
from tests.accounts.pages import page_of
from tests.factories import reviews as make
from tests.factories.api import clock  # noqa: F401
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def pledge(cast, clock):  # noqa: F811
    return make.asked(cast)


def page(client, cast, who, name, pk):
    client.force_login(cast.people[who])
    return client.get(reverse(f"bookings:{name}", args=[pk]))


def send(client, cast, who, name, pk, **data):
    client.force_login(cast.people[who])
    return client.post(reverse(f"bookings:{name}", args=[pk]), data)


def test_a_host_reads_the_case_it_is_asked_about_without_price_and_comparison(cast, client, pledge):
    html = page_of(page(client, cast, "zhao", "review", pledge.case_id))
    assert pledge.case.name in html and pledge.case.reason in html
    assert reverse("bookings:review-pledge", args=[pledge.pk]) in html
    digest = pledge.case.comparison.digest
    for secret in (
        "2,000,000",
        "520,000",
        digest,
        "CNY",
        reverse("bookings:review-pdf", args=[pledge.case_id]),
    ):
        assert secret not in html, secret
    assert page(client, cast, "zhao", "review-pdf", pledge.case_id).status_code == 404
    mine = page_of(page(client, cast, "zhao", "review-pledge", pledge.pk))
    assert reverse("bookings:review", args=[pledge.case_id]) in mine
    assert digest in page_of(page(client, cast, "xu", "review", pledge.case_id))


@pytest.mark.parametrize("who", ["sun", "hu", "alice"])
def test_nobody_else_reads_it(cast, client, pledge, who):
    assert page(client, cast, who, "review", pledge.case_id).status_code == 404


@pytest.mark.parametrize(
    ("who", "act", "status"),
    [
        ("zhao", "review", 404),
        ("chen", "review", 404),
        ("xu", "check", 403),
        ("chen", "check", 409),
        ("xu", "hosts", 409),  # asked already
        ("chen", "submit", 409),
        ("chen", "ordered", 409),
        ("wang", "submit", 403),
    ],
)
def test_an_act_of_somebody_else_or_twice_changes_nothing(cast, client, pledge, who, act, status):
    answer = send(client, cast, who, f"review-{act}", pledge.case_id)
    assert answer.status_code == status
    case = PurchaseCase.objects.get(pk=pledge.case_id)
    assert (case.state, case.version) == ("hosts_asked", pledge.case.version)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "answer"),
        ({"answer": "promise"}, "hours"),
        ({"answer": "promise", "hours": "-1"}, "hours"),
        ({"answer": "promise", "hours": "400"}, "from_date"),
        ({"answer": "promise", "hours": "400", "from_date": "yesterday"}, "from_date"),
        ({"answer": "promise", "hours": "9", "from_date": "2026-03-10", "years": "9"}, "years"),
        ({"answer": "denial"}, "reason"),
    ],
)
def test_a_wrong_answer_of_a_host_comes_back_with_what_was_typed(cast, client, pledge, data, field):
    answer = send(client, cast, "zhao", "review-pledge-answer", pledge.pk, note="Ask us.", **data)
    html = answer.content.decode()
    assert answer.status_code in (400, 422)
    assert f"id_{field}_error" in html and "Ask us." in html
    pledge.refresh_from_db()
    assert (pledge.answer, pledge.version) == ("", 1)


def test_a_host_answers_anew_until_the_decision(cast, client, pledge):
    day = str((NOW + DAY).date())
    for hours in ("300", "350"):
        data = {"answer": "promise", "hours": hours, "from_date": day, "years": "2"}
        assert send(client, cast, "zhao", "review-pledge-answer", pledge.pk, **data).status_code == 302
    pledge.refresh_from_db()
    assert (pledge.hours, pledge.years) == (350, 2)
    assert "350" in page_of(page(client, cast, "zhao", "review", pledge.case_id))
    make.opinion(cast, PurchaseCase.objects.get(pk=pledge.case_id))
    decision = {"decision": "share_instead", "grounds": "usable-by-sharing", "reason": "There."}
    answer = send(client, cast, "xu", "review-decide", pledge.case_id, **decision)
    assert answer.status_code == 302
    again = send(client, cast, "zhao", "review-pledge-answer", pledge.pk, answer="denial", reason="full")
    assert again.status_code == 409
    assert HostPledge.objects.get(pk=pledge.pk).answer == "promise"
    twice = send(client, cast, "xu", "review-decide", pledge.case_id, **decision)
    assert twice.status_code == 409


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"decision": "approved", "grounds": "area-full"}, 400),
        ({"decision": "approved", "reason": "So."}, 400),
        ({"decision": "approved", "grounds": ["area-full", "area-not-full"], "reason": "So."}, 400),
        ({"decision": "perhaps", "grounds": "area-full", "reason": "So."}, 400),
        ({"decision": "approved_with_conditions", "grounds": "area-full", "reason": "So."}, 400),
        ({"decision": "share_instead", "grounds": "area-full", "reason": "So."}, 409),
        ({"decision": "pooled", "grounds": "area-full", "reason": "So."}, 409),
    ],
)
def test_a_wrong_decision_says_why_and_keeps_what_was_typed(cast, client, pledge, data, status):
    make.opinion(cast, PurchaseCase.objects.get(pk=pledge.case_id))
    answer = send(client, cast, "xu", "review-decide", pledge.case_id, conditions="", **data)
    html = answer.content.decode()
    assert answer.status_code == status
    assert "alert-danger" in html or "invalid-feedback" in html
    if "reason" in data:
        assert ">So.</textarea>" in html.replace("\n", "")
    assert PurchaseCase.objects.get(pk=pledge.case_id).decision == ""


def test_grounds_that_contradict_each_other_are_called_by_their_names(cast, client, pledge):
    make.opinion(cast, PurchaseCase.objects.get(pk=pledge.case_id))
    data = {"decision": "approved", "grounds": ["area-full", "area-not-full"], "reason": "So."}
    answer = send(client, cast, "xu", "review-decide", pledge.case_id, conditions="", **data)
    html = page_of(answer, 400)
    assert "Suitable instruments are not full on average” and “Suitable instruments are full" in html
    assert "“area-" not in html


def test_an_expert_with_an_interest_gives_no_opinion(cast, client, pledge):
    expert = make.opinion(cast, PurchaseCase.objects.get(pk=pledge.case_id))
    CaseExpert.objects.filter(pk=expert.pk).update(advice="", given_at=None)
    name = "review-opinion"
    assert send(client, cast, "zhao", name, expert.pk, act="declare").status_code == 404
    data = {"act": "declare", "interest": "I sell them."}
    assert send(client, cast, "alice", name, expert.pk, **data).status_code == 302
    given = {"act": "give", "advice": "buy", "grounds": "area-full", "text": "Buy it."}
    assert send(client, cast, "alice", name, expert.pk, **given).status_code == 409
    expert.refresh_from_db()
    assert (expert.barred, expert.advice) == ("declared", "")


def test_a_draft_with_mistakes_comes_back_as_it_was_typed(cast, client, clock):  # noqa: F811
    make.schemes()
    client.force_login(cast.wang)
    data = {"name": "A microscope", "price": "many", "techniques": "nothing at all", "hours": "0"}
    answer = client.post(reverse("bookings:review-new"), data)
    html = answer.content.decode()
    assert answer.status_code == 400
    for typed in ("A microscope", "many", "nothing at all"):
        assert typed in html, typed
    assert not PurchaseCase.objects.exists()


def test_what_a_rule_finds_wrong_with_a_draft_stands_at_its_field(cast, client, clock):  # noqa: F811
    """No technique of this name, and a price below that of the scheme: neither is a case."""
    make.schemes()
    client.force_login(cast.wang)
    data = {
        "organisation": "fudan", "scheme": "cn-shanghai", "money": "regional",
        "name": "A microscope", "techniques": "PaNET01198", "hours": "400", "reason": "We wait.",
        "price": "2000000", "currency": "CNY", "years": "5",
        "upkeep_percent": "5", "place": "Jiangwan campus",
    }  # fmt: skip
    for wrong in ({"techniques": "nothing at all"}, {"price": "1"}):
        html = page_of(client.post(reverse("bookings:review-new"), data | wrong), 400)
        assert "invalid-feedback" in html and "A microscope" in html
    assert not PurchaseCase.objects.exists()
    assert client.post(reverse("bookings:review-new"), data).status_code == 302


def test_an_expert_is_chosen_by_name(cast, client, pledge):
    html = page_of(page(client, cast, "xu", "review", pledge.case_id))
    assert 'data-choose="/choices/people/"' in html
    answer = send(client, cast, "xu", "review-experts", pledge.case_id, person="Nobody Atall")
    assert answer.status_code == 400 and "You know of nobody called so." in answer.content.decode()
    # Once somebody was asked by address, coordinators who see the case know the name.
    expert = {"person": "hu@optics.example"}
    assert send(client, cast, "xu", "review-experts", pledge.case_id, **expert).status_code == 302
    assert CaseExpert.objects.get(case=pledge.case_id).user == cast.hu
    assert "Hu Bo" in page_of(client.get("/choices/people/", {"q": "Hu"}))
    client.force_login(cast.sun)
    assert "Hu Bo" not in page_of(client.get("/choices/people/", {"q": "Hu"}))
