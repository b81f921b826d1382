"""Planned purchases and the planning map through the API."""

from collections.abc import Callable

from bookings.planning.models import PlannedPurchase
from tests.factories.agreements import agree
from tests.factories.api import Program
from tests.factories.cast import Cast
from tests.factories.planning import plan_of, tree_of

type Programs = Callable[..., Program]


def body(cast: Cast, **changed: object) -> dict[str, object]:
    return {
        "organisation": "fudan",
        "technique": cast.technique.code,
        "name": "透射电子显微镜",
        "year": 2027,
        "price": "6500000.00",
        "hours": 1400,
    } | changed


def test_entered_changed_and_dropped(cast: Cast, program: Programs) -> None:
    chen = program("chen")
    made = chen.post("planned-purchases/", body(cast))
    assert made.status == 201 and made.body["currency"] == "CNY"
    here = made.headers["Location"]
    put = {name: value for name, value in body(cast, hours=1600).items() if name != "organisation"}
    assert chen.put(here, put).body["hours"] == 1600
    dropped = chen.post(here + "drop/", {"reason": "shared instead"})
    assert (dropped.status, dropped.body["state"]) == (200, "dropped")
    assert chen.post(here + "drop/", {"reason": "again"}).status == 409


def test_wrong_bodies_write_nothing(cast: Cast, program: Programs) -> None:
    chen = program("chen")
    for changed, status in (
        ({"year": 2040}, 400),
        ({"quarter": 5}, 400),
        ({"price": "0"}, 400),
        ({"price": "1e400"}, 400),
        ({"hours": 10**9}, 400),
        ({"technique": "no-such"}, 400),
        ({"confidence": "certain"}, 400),
        ({"organisation": "ustc"}, 403),
        ({"state": "dropped"}, 400),
    ):
        answer = chen.post("planned-purchases/", body(cast, **changed))
        assert answer.status == status, (changed, answer.body)
    assert not PlannedPurchase.objects.exists()


def test_listed_by_class_and_state(cast: Cast, program: Programs) -> None:
    tree_of(cast)
    agree(cast)
    plan_of(cast, technique="cryo")
    plan_of(cast, technique="sem")
    zhao = program("zhao")
    assert len(zhao.get("planned-purchases/").body["results"]) == 2
    found = zhao.get("planned-purchases/?technique=tem").body["results"]
    assert [row["technique"] for row in found] == ["cryo"]
    assert zhao.get("planned-purchases/?state=dropped").body["results"] == []


def test_the_map(cast: Cast, program: Programs) -> None:
    tree_of(cast)
    plan_of(cast, technique="cryo")
    answer = program("xu").get("planning-map/?year=2026&technique=tem")
    (cell,) = answer.body["cells"]
    assert cell["planned"] == {"number": 1, "hours": 1400, "year": 2027}
    assert (cell["region"], cell["instruments"]) == ("CN-SH", 0)
    assert program("chen").get("planning-map/").status == 403
    assert program("xu").get("planning-map/?year=99999").status == 400
