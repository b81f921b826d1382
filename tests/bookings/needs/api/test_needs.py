"""Needs and their matches through the API."""

from collections.abc import Callable

import pytest

from bookings.models import Need
from instruments.vocabulary.selectors.needs import vocabulary_changed
from tests.factories.api import Clock, Program
from tests.factories.capabilities import parameters_of
from tests.factories.cast import Cast
from tests.factories.needs import measurand_of, need_of

type Programs = Callable[..., Program]
NEED = {
    "text": "grain size of steel, resolution 2 nm",
    "earliest": "2026-03-06T00:00:00Z",
    "latest": "2026-03-20T00:00:00Z",
    "minutes": 120,
    "budget": "2000.00",
}


@pytest.fixture
def known(cast: Cast) -> None:
    parameters_of(cast)
    measurand_of(cast)
    vocabulary_changed()


@pytest.mark.usefixtures("known")
def test_from_a_sentence_to_a_booked_instrument(cast: Cast, program: Programs, clock: Clock) -> None:
    wang = program("wang")
    made = wang.post("needs/", NEED)
    assert made.status == 201
    here = made.headers["Location"]
    assert [term["code"] for term in made.body["terms"]] == ["grain-size"]
    assert made.body["requirements"] == [{"parameter": "spatial_resolution", "low": "2", "high": None}]
    assert made.body["budget"] == {"amount": "2000.00", "currency": "CNY"}
    answer = wang.get(here + "matches/").body
    (match,) = answer["matches"]
    assert match["instrument"]["id"] == str(cast.microscope.pk)
    assert match["labels"] == ["soonest", "cheapest", "closest"]
    assert match["requirements"] == [
        {"parameter": "spatial_resolution", "low": "2", "high": None, "fit": "unknown"}
    ]
    assert {r["part"] for r in match["reasons"]} == {"fit", "time", "cost", "effort"}
    assert [r["parameter"] for r in match["reasons"] if r["parameter"]] == ["spatial_resolution"]
    assert answer["left_out"] == []
    # What is promised is what is booked: nobody but the reader knows the need.
    booked = wang.post(
        "reservations/",
        {
            "instrument": match["instrument"]["id"],
            "start": match["start"],
            "end": match["start"].replace("T00", "T02").replace("T01", "T03"),
            "service_mode": match["service_mode"],
            "purpose": {"code": "research", "text": ""},
        },
    )
    assert booked.status == 201, booked.body
    assert booked.body["quote"]["payable"] == match["price"]["payable"]
    # While another would take the same slot.
    refused = program("sun").post(
        "reservations/",
        {
            "instrument": match["instrument"]["id"],
            "start": match["start"],
            "end": booked.body["end"],
            "service_mode": match["service_mode"],
            "purpose": {"code": "research", "text": ""},
        },
    )
    assert refused.refusals == ["slot-taken"]
    assert wang.get(here + "matches/").body["matches"][0]["start"] > match["start"]


@pytest.mark.usefixtures("known")
def test_corrected_and_withdrawn(cast: Cast, program: Programs, clock: Clock) -> None:
    wang = program("wang")
    made = wang.post("needs/", NEED)
    here = made.headers["Location"]
    put = NEED | {"terms": [cast.technique.code], "requirements": [], "weights": {"time": 1}}
    changed = wang.put(here, put, If_Match=made.headers["ETag"])
    assert changed.status == 200, changed.body
    assert [term["code"] for term in changed.body["terms"]] == [cast.technique.code]
    assert (changed.body["requirements"], changed.body["weights"]) == ([], {"time": 1.0})
    assert wang.put(here, put, If_Match=made.headers["ETag"]).status == 412
    (match,) = wang.get(here + "matches/").body["matches"]
    assert match["score"] == match["parts"]["time"]
    assert wang.post(here + "withdraw/").body["state"] == "withdrawn"
    assert wang.post(here + "withdraw/").code == "need-withdrawn"


@pytest.mark.usefixtures("known")
def test_why_one_instrument_is_no_match(cast: Cast, program: Programs, clock: Clock) -> None:
    other = cast.instrument(name="Something else", techniques=[])
    need = need_of(cast)
    wang = program("wang")
    answer = wang.get(f"needs/{need.pk}/matches/?instrument={other.pk}").body
    assert answer["matches"] == []
    assert [(each["instrument"]["id"], each["code"]) for each in answer["left_out"]] == [
        (str(other.pk), "technique")
    ]
    absent = "0197a1de-0000-7000-8000-000000000001"
    assert wang.get(f"needs/{need.pk}/matches/?instrument={absent}").status == 404


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"text": ""}, "text", "required"),
        ({"text": "x" * 2001}, "text", "too-long"),
        ({"minutes": 0}, "minutes", "out-of-range"),
        ({"budget": "-1"}, "budget", "too-small"),
        ({"requirements": [{"parameter": "spatial_resolution", "low": "NaN"}]},
         "requirements[0].low", "not-a-decimal"),
        ({"requirements": [{"parameter": "spatial_resolution", "low": "1e400"}]},
         "requirements[0].low", "too-large"),
        ({"weights": {"fit": 2}}, "weights.fit", "too-large"),
        ({"modes": ["flying"]}, "modes[0]", "unknown-choice"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("known")
def test_bad_input_is_named_and_changes_nothing(
    cast: Cast, program: Programs, clock: Clock, changed: dict[str, object], field: str, code: str
) -> None:
    problems = program("wang").post("needs/", NEED | changed).problems
    assert [name for name, _ in problems] == [field], problems
    assert not Need.objects.exists()


def test_a_text_is_read_by_nobody_else(cast: Cast, program: Programs, clock: Clock) -> None:
    """Each door: the list, the row, its matches, the trail's pages, the export of another."""
    need = need_of(cast, text="grain size of secretium")
    for who in ("zhao", "lin", "sun", "auditor", "coordinator", "admin"):
        reader = program(who)
        assert reader.get("needs/").ids == []
        assert reader.get(f"needs/{need.pk}/").status == 404
        assert reader.get(f"needs/{need.pk}/matches/").status == 404
    for who in ("auditor", "admin", "zhao"):
        trail = program(who).get(f"trail/?object={need.pk}")
        assert b"secretium" not in str(trail.body).encode()
    opened = program("admin").post(f"needs/{need.pk}/open/", {"reason": "A complaint"})
    assert opened.body["text"] == "grain size of secretium"
