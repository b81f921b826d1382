"""What an instrument can do over HTTP, and questions about it."""

import pytest

from tests.factories.api import Program
from tests.factories.capabilities import parameters_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def parameters(cast):
    return parameters_of(cast)


def test_a_program_states_reads_changes_and_removes(cast, program):
    zhao, anybody = program("zhao"), Program()
    below = f"instruments/{cast.microscope.pk}/"
    made = zhao.post(
        below + "capabilities/",
        {"parameter": "空间分辨率", "minimum": "0.2", "unit": "um", "condition": "15 kV"},
    )
    assert made.status == 201
    assert made.body | {"id": ""} == {
        "id": "", "instrument": str(cast.microscope.pk), "parameter": "spatial_resolution",
        "name": "Spatial resolution", "name_zh": "空间分辨率", "minimum": "0.2", "maximum": None,
        "unit": "µm", "canonical_minimum": "200", "canonical_maximum": None,
        "canonical_unit": "nm", "is_available": True, "condition": "15 kV", "source": "owner",
        "checked_on": None, "version": 1,
    }  # fmt: skip
    one = f"capabilities/{made.body['id']}/"
    assert anybody.get(below).body["capabilities"] == [made.body]
    assert anybody.get(below + "capabilities/").body["results"] == [made.body]
    assert anybody.get(one).body == made.body
    stale = zhao.patch(one, {"minimum": "0.1"}, if_match='"9"')
    assert (stale.status, stale.code) == (412, "wrong-version")
    changed = zhao.patch(one, {"minimum": "0.1"}, if_match='"1"')
    assert (changed.status, changed.body["canonical_minimum"], changed.body["version"]) == (
        200, "100", 2,
    )  # fmt: skip
    assert zhao.delete(one).status == 204
    assert anybody.get(one).status == 404


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"minimum": "5", "maximum": "2"}, ("maximum", "maximum-below-minimum")),
        ({"minimum": "1", "unit": "kV"}, ("unit", "unknown-unit")),
        ({"minimum": "NaN"}, ("minimum", "not-a-decimal")),
        ({"minimum": "1e400"}, ("minimum", "not-a-decimal")),
        ({"minimum": 10**400}, ("minimum", "out-of-range")),
        ({"minimum": True}, ("minimum", "not-a-decimal")),
        ({"minimum": "1", "parameter": "spatial resolutoin"}, ("parameter", "no-such-parameter")),
        ({"minimum": "1", "colour": "red"}, ("colour", "unknown-field")),
        ({"minimum": "1", "condition": "x" * 201}, ("condition", "too-long")),
    ],
)
def test_a_bad_statement_is_refused(cast, program, body, problem):
    body = {"parameter": "spatial_resolution"} | body
    answer = program("zhao").post(f"instruments/{cast.microscope.pk}/capabilities/", body)
    assert answer.status == 400
    assert problem in answer.problems
    assert Program().get(f"instruments/{cast.microscope.pk}/").body["capabilities"] == []


def test_a_program_asks_and_answers(cast, program):
    asked = program("wang").post(
        f"instruments/{cast.microscope.pk}/questions/", {"parameter": "spatial_resolution"}
    )
    assert (asked.status, asked.body["askers"]) == (201, 1)
    zhao = program("zhao")
    (waiting,) = zhao.get("questions/").body["results"]
    assert waiting == asked.body == zhao.get(f"questions/{waiting['id']}/").body
    assert program("wang").get(f"questions/{waiting['id']}/").status == 404
    assert program("wang").get("questions/").body["results"] == []
    answered = zhao.post(f"questions/{waiting['id']}/answer/", {"is_available": False})
    assert (answered.status, answered.body["askers"]) == (200, 1)
    assert answered.body["answered_at"] is not None
    (stated,) = Program().get(f"instruments/{cast.microscope.pk}/").body["capabilities"]
    assert (stated["is_available"], stated["source"]) == (False, "answer")
    again = zhao.post(f"questions/{waiting['id']}/answer/", {"minimum": "1"})
    assert (again.status, again.code) == (409, "question-answered")


def test_what_a_person_needs_it_for_is_not_taken(cast, program):
    answer = program("wang").post(
        f"instruments/{cast.microscope.pk}/questions/", {"parameter": "spatial_resolution", "low": "2"}
    )
    assert answer.problems == [("low", "unknown-field")]


def test_parameters_are_listed(cast):
    rows = Program().get("parameters/").body["results"]
    assert [row["code"] for row in rows] == [
        "accelerating_voltage", "magnification", "sample_temperature", "spatial_resolution",
    ]  # fmt: skip
    one = Program().get("parameters/sample_temperature/").body
    assert (one["unit"], one["units"]["°C"]) == ("K", ["1", "273.15"])
    assert Program().get("parameters/nothing/").status == 404
