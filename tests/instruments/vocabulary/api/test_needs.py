"""Terms of a need over HTTP."""

import pytest

from tests.factories.api import Program
from tests.factories.needs import measurand_of

pytestmark = pytest.mark.django_db


def test_anybody_may_ask_what_a_need_means(cast, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        measurand_of(cast)
    answer = Program().get("needs/terms/?text=grain growth in steel")
    assert answer.status == 200
    assert answer.body["terms"] == [
        {
            "code": "grain-size",
            "name": "Grain size",
            "name_zh": "晶粒尺寸",
            "unit": "µm",
            "techniques": [cast.technique.code],
            "words": ["grain", "growth"],
            "is_named": False,
        }
    ]


@pytest.mark.parametrize(("text", "code"), [("", "required"), ("x" * 2001, "too-long")])
def test_a_bad_need_is_refused(cast, text, code):
    answer = Program().get(f"needs/terms/?text={text}")
    assert answer.status == 400
    assert [(e["field"], e["code"]) for e in answer.body["errors"]] == [("text", code)]


def test_measurands_are_listed_and_read(cast):
    row = measurand_of(cast)
    (listed,) = Program().get("measurands/").body["results"]
    assert listed == Program().get(f"measurands/{row.code}/").body
    assert (listed["source"], listed["samples"]) == ("ASTM E112", ["solid"])
    assert Program().get("measurands/nothing/").status == 404
