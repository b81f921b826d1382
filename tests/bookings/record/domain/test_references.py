"""What callers note: names are set, kept and removed one by one, within limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.record.domain.references import LONGEST_KEY, MOST_KEYS, metadata_after, noted

KEYS = st.text("abc_", min_size=1, max_size=4)
TEXTS = st.dictionaries(KEYS, st.text(max_size=8), max_size=MOST_KEYS // 2)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({}, {"project": "P-17", "box": "4"}),
        ({"box": "5"}, {"project": "P-17", "box": "5"}),
        ({"box": ""}, {"project": "P-17"}),
        ({"nothing": ""}, {"project": "P-17", "box": "4"}),
        ({"shelf": "b"}, {"project": "P-17", "box": "4", "shelf": "b"}),
        (None, {}),
    ],
)
def test_a_change_keeps_what_it_does_not_name(change: dict[str, str] | None, left: dict[str, str]) -> None:
    assert metadata_after({"project": "P-17", "box": "4"}, change) == left


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"": "x"}, "required"),
        ({" ": "x"}, "required"),
        ({"k" * (LONGEST_KEY + 1): "x"}, "too-long"),
        ({"a\0b": "x"}, "bad-character"),
        ({"\ud800": "x"}, "bad-character"),
        ({str(n): "x" for n in range(MOST_KEYS)}, "too-many"),
    ],
)
def test_names_have_limits(change: dict[str, str], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        metadata_after({"project": "P-17"}, change)
    assert [(one.field, one.code) for one in refused.value.problems] == [("metadata", code)]


def test_as_many_names_as_fit_may_be_replaced() -> None:
    full = {str(n): "x" for n in range(MOST_KEYS)}
    left = metadata_after(full, {"0": "", "other": "x"})
    assert len(left) == MOST_KEYS
    assert "0" not in left


@given(TEXTS, TEXTS)
def test_a_change_twice_is_the_change_once(kept: dict[str, str], change: dict[str, str]) -> None:
    once = metadata_after(kept, change)
    assert metadata_after(once, change) == once
    assert "" not in once.values()


def test_columns_are_those_that_a_request_names() -> None:
    assert noted({"a": "b"}, {}) == {}
    assert noted({"a": "b"}, {"reference": ""}) == {"reference": ""}
    assert noted({"a": "b"}, {"metadata": {"c": "d"}}) == {"metadata": {"a": "b", "c": "d"}}
