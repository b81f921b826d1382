"""Purchase cases through the API: from a draft to guaranteed hours, and what is refused on the way."""

from collections.abc import Callable
from typing import Any

import pytest

from bookings.availability.models import KeptHours
from bookings.reviews.models import CaseExpert, HostPledge, PurchaseCase
from tests.factories import reviews as make
from tests.factories.agreements import agree
from tests.factories.api import Clock, Program
from tests.factories.cast import NOW, Cast

pytestmark = pytest.mark.django_db

type Programs = Callable[..., Program]

DECISION = {"decision": "share_instead", "grounds": ["usable-by-sharing"], "reason": "It is there."}
PROMISE = {"answer": "promise", "hours": 400, "from_date": str(NOW.date()), "years": 2}


def body(**changed: Any) -> dict[str, Any]:
    return {
        "scheme": "cn-shanghai",
        "money": "regional",
        "organisation": "fudan",
        "techniques": ["PaNET01198"],
        "name": "Transmission electron microscope",
        "reason": "Our students wait.",
        "price": "2000000.00",
        "currency": "CNY",
        "years": 5,
        "hours": 400,
        "place": "Jiangwan",
    } | changed


@pytest.fixture
def pledge(cast: Cast, clock: Clock) -> HostPledge:
    return make.asked(cast)


def test_from_a_draft_to_hours_kept_for_two_years(cast: Cast, clock: Clock, program: Programs) -> None:
    make.schemes()
    agree(cast)
    wang, chen, xu, zhao, alice = map(program, ("wang", "chen", "xu", "zhao", "alice"))
    here = wang.post("purchase-cases/", body()).headers["Location"]
    assert wang.post(here + "check/").status == 403
    assert chen.post(here + "submit/").status == 409
    assert chen.post(here + "check/").body["state"] == "checked"
    assert chen.post(here + "submit/").body["state"] == "submitted"
    frozen = xu.get(here + "comparison/").body["digest"]
    assert xu.post(here + "hosts/").body["state"] == "hosts_asked"
    assert xu.post(here + "hosts/").status == 409
    (asked,) = zhao.get("host-pledges/").body["results"]
    answer = zhao.post(f"host-pledges/{asked['id']}/answer/", PROMISE)
    assert (answer.status, answer.body["hours"], answer.body["years"]) == (200, 400, 2)
    assert xu.post(here + "review/").body["state"] == "under_review"
    assert xu.post(here + "decide/", DECISION).status == 409  # nobody has advised
    assert xu.post(here + "experts/", {"person": "alice@nowhere.example"}).status == 200
    assert xu.post(here + "experts/", {"person": "alice@nowhere.example"}).status == 400
    (mine,) = alice.get("case-opinions/").body["results"]
    opinion = {"advice": "share", "grounds": ["usable-by-sharing"], "text": "It does it."}
    there = f"case-opinions/{mine['id']}/"
    assert alice.post(there + "give/", opinion).status == 409  # no interest declared yet
    assert alice.post(there + "declare/", {}).status == 200
    assert alice.post(there + "give/", opinion).body["advice"] == "share"
    decided = xu.post(here + "decide/", DECISION)
    assert decided.body["state"] == "share_instead"
    assert xu.get(here + "comparison/").body["digest"] == frozen
    assert list(KeptHours.objects.values_list("organisation__code", "minutes")) == [
        ("fudan", 24_000),
        ("fudan", 24_000),
    ]
    assert xu.post(here + "decide/", DECISION).status == 409
    assert KeptHours.objects.count() == 2


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"price": "0"}, 400),
        ({"price": "1e400"}, 400),
        ({"price": "400000"}, 400),  # below the scheme
        ({"hours": 0}, 400),
        ({"years": 51}, 400),
        ({"techniques": []}, 400),
        ({"techniques": ["no-such"]}, 400),
        ({"scheme": "no-such"}, 400),
        ({"money": "mine"}, 400),
        ({"currency": "XXX"}, 400),
        ({"name": " "}, 400),
        ({"requirements": [{"parameter": "no-such", "low": "1"}]}, 400),
        ({"state": "approved"}, 400),
        ({"organisation": "ustc"}, 400),
    ],
)
def test_a_wrong_body_writes_nothing(
    cast: Cast, clock: Clock, program: Programs, changed: dict[str, Any], status: int
) -> None:
    make.schemes()
    answer = program("wang").post("purchase-cases/", body(**changed))
    assert answer.status == status, answer.body
    assert not PurchaseCase.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"answer": "maybe"}, "answer"),
        ({"hours": None}, "hours"),
        ({"hours": 10**7}, "hours"),
        ({"from_date": None}, "from_date"),
        ({"from_date": "2020-01-01"}, "from_date"),
        ({"years": 0}, "years"),
        ({"years": 4}, "years"),
        ({"price": "12.00", "currency": "EUR"}, "currency"),
        ({"answer": "denial"}, "reason"),
    ],
)
def test_a_wrong_answer_writes_nothing(
    pledge: HostPledge, program: Programs, changed: dict[str, Any], field: str
) -> None:
    answer = program("zhao").post(f"host-pledges/{pledge.pk}/answer/", PROMISE | changed)
    assert answer.status == 400
    assert field in str(answer.body)
    pledge.refresh_from_db()
    assert (pledge.answer, pledge.version) == ("", 1)


def test_others_neither_answer_nor_read_what_a_host_is_asked(
    cast: Cast, pledge: HostPledge, program: Programs
) -> None:
    for name in ("wang", "chen", "xu", "sun", "hu"):
        someone = program(name)
        assert someone.get(f"host-pledges/{pledge.pk}/").status == 404
        assert someone.post(f"host-pledges/{pledge.pk}/answer/", PROMISE).status == 404
    zhao = program("zhao")
    # The host reads the case on its page, without what others said: not through the API.
    assert zhao.get(f"purchase-cases/{pledge.case_id}/comparison/").status == 404
    assert HostPledge.objects.get(pk=pledge.pk).answer == ""


def test_whoever_has_a_part_in_it_gives_no_opinion_and_nobody_gives_anothers(
    cast: Cast, pledge: HostPledge, program: Programs
) -> None:
    xu, here = program("xu"), f"purchase-cases/{pledge.case_id}/"
    xu.post(here + "review/")
    for person in ("sun@ustc.example", "wang@fudan.example", "hu@optics.example"):
        assert xu.post(here + "experts/", {"person": person}).status == 200
    opinion = {"advice": "buy", "text": "Buy it."}
    by_name = {row.user.name: row for row in CaseExpert.objects.select_related("user")}
    for name in ("sun", "wang"):
        row = by_name[cast.people[name].name]
        own = f"case-opinions/{row.pk}/"
        assert program(name).post(own + "declare/", {}).status == 409
        assert program(name).post(own + "give/", opinion).status == 409
    other = by_name["Hu Bo"]
    assert program("alice").post(f"case-opinions/{other.pk}/give/", opinion).status == 404
    assert not CaseExpert.objects.exclude(advice="").exists()


def test_what_has_changed_meanwhile_is_not_overwritten(
    cast: Cast, pledge: HostPledge, program: Programs
) -> None:
    zhao, here = program("zhao"), f"host-pledges/{pledge.pk}/answer/"
    assert zhao.post(here, PROMISE, if_match='"9"').status == 412
    pledge.refresh_from_db()
    assert pledge.answer == ""
    assert zhao.post(here, PROMISE, if_match='"1"').status == 200
