"""Review schemes on their page and in the API: checked, compared with the newest version, and loaded."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.reviews.domain.schemes import changed
from bookings.reviews.models import ReviewScheme
from bookings.reviews.services.schemes import scheme_check, scheme_enter, text_of
from tests.factories.cast import NOW
from tests.factories.reviews import schemes

PAGE = "/reviews/schemes/"


def test_an_administrator_makes_a_version_after_seeing_what_changes(cast, client):
    schemes()
    row = ReviewScheme.objects.get(code="cn-central")
    client.force_login(cast.people["chen"])
    assert client.get(PAGE).status_code == 403
    client.force_login(cast.people["admin"])
    shown = client.get(PAGE, {"scheme": row.pk}).content.decode()
    assert "cn-central" in shown and "&quot;code&quot;" in shown
    text = text_of(row)
    same = client.post(PAGE, {"text": text})
    assert same.status_code == 409 and 'data-code="same-scheme"' in same.content.decode()
    values = json.loads(text) | {"experts": 5, "days": {"submitted": 20}}
    text = json.dumps(values)
    page = client.post(PAGE, {"text": text})
    assert page.status_code == 200 and "days: submitted" in page.content.decode()
    assert ReviewScheme.objects.filter(code="cn-central").count() == 1, "a check stores nothing"
    assert client.post(PAGE, {"load": "1", "text": text}).status_code == 400, "a reason is owed"
    assert client.post(PAGE, {"load": "1", "text": text, "reason": "Circular 12"}).status_code == 302
    newest = ReviewScheme.objects.filter(code="cn-central").latest("version")
    assert (newest.version, newest.experts) == (2, 5)
    entry = TrailEntry.objects.select_related("text").get(object_id=newest.pk)
    assert entry.actor_id == cast.people["admin"].pk and entry.text.content["reason"] == "Circular 12"
    with pytest.raises(WrongState, match="same-scheme"):
        scheme_enter(By(cast.actor("admin"), NOW), text=text, reason="again")
    with pytest.raises(NotPermitted):
        scheme_check(By(cast.actor("chen"), NOW), text=text)


def test_what_is_wrong_is_named_with_its_line(cast):
    schemes()
    by = By(cast.actor("admin"), NOW)
    text = text_of(ReviewScheme.objects.get(code="cn-central"))
    lines = text.split("\n")
    values = json.loads(text)

    def problem(text):
        with pytest.raises(Invalid) as refused:
            scheme_check(by, text=text)
        (found,) = refused.value.problems
        return found.code, found.numbers.get("line")

    assert problem("\n".join([*lines[:3], "oops", *lines[3:]]))[0] == "not-json"
    assert problem("\n".join([*lines[:3], "oops", *lines[3:]]))[1] == 4
    assert problem("{}")[0] == "not-a-scheme-columns" and problem("[1]")[0] == "not-a-scheme-columns"
    wrong = [
        {"currency": "MONEY"}, {"grounds": [1]}, {"grounds": 7}, {"days": {"submitted": "soon"}},
        {"days": []}, {"regions": "CN"}, {"least": "9", "most": "1"}, {"experts": ""}, {"valid_from": "soon"},
        {"full_hours": -1}, {"source_date": None},
    ]  # fmt: skip
    for change in wrong:
        broken = json.dumps(values | change, indent=2)
        code, line = problem(broken)
        assert code == "not-a-scheme-line", change
        assert any(f'"{name}"' in broken.split("\n")[line - 1] for name in change), change
    for change in ({"least": "much"}, {"least": "NaN"}, {"least": ""}):
        assert problem(json.dumps(values | change))[0].startswith("not-a-scheme")
    assert problem(text.replace("China", "Chi\\u0000na"))[0] == "not-a-scheme-line"


_GROUNDS = st.lists(st.fixed_dictionaries({"code": st.text(max_size=3)}), unique_by=lambda row: row["code"])
_SCHEMES = st.fixed_dictionaries(
    {"name": st.text(), "days": st.dictionaries(st.text(max_size=3), st.integers()), "grounds": _GROUNDS}
)


@given(_SCHEMES, _SCHEMES)
def test_changes_are_none_for_the_same_and_mirrored_backwards(one, other):
    assert changed(one, one) == []
    there = {(each.name, str(each.before), str(each.after)) for each in changed(one, other)}
    back = {(each.name, str(each.after), str(each.before)) for each in changed(other, one)}
    assert there == back
