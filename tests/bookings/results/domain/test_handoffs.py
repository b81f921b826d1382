"""The states of a hand-off."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import WrongState
from bookings.results.domain import handoffs

STATES = {
    *("expected", "uploading", "sealed", "released", "collected", "expiring", "purged"),
    *("pointed", "withdrawn"),
}
NOW = datetime(2026, 3, 5, tzinfo=UTC)


def test_acts_lead_from_states_to_states() -> None:
    assert {s for act in handoffs.ACTS.values() for pair in act.items() for s in pair} == STATES
    assert handoffs.OPEN | handoffs.AWAITED | handoffs.READABLE | handoffs.ENDED <= STATES


def test_the_usual_way() -> None:
    state = "expected"
    for act in ("upload", "upload", "seal", "release", "collect", "warn", "collect", "purge"):
        state = handoffs.state_after(state, act)
    assert state == "purged"


@pytest.mark.parametrize(
    ("state", "act"),
    [
        ("expected", "seal"),
        ("sealed", "upload"),
        ("released", "upload"),
        ("uploading", "release"),
        ("uploading", "point"),
        ("sealed", "collect"),
        ("purged", "release"),
        ("purged", "withdraw"),
        ("pointed", "upload"),
        ("withdrawn", "upload"),
    ],
)
def test_refused(state: str, act: str) -> None:
    assert not handoffs.may(state, act)
    with pytest.raises(WrongState) as refused:
        handoffs.state_after(state, act)
    assert refused.value.numbers == {"state": state, "wanted": act}


@given(st.lists(st.sampled_from(sorted(handoffs.ACTS)), max_size=30))
def test_nothing_sealed_takes_files_again_and_what_ended_stays(acts: list[str]) -> None:
    state, is_sealed = "expected", False
    for act in acts:
        before = state
        if handoffs.may(state, act):
            state = handoffs.state_after(state, act)
        is_sealed |= act == "seal" and state == "sealed"
        if is_sealed:
            assert state not in handoffs.OPEN
        if before in handoffs.ENDED:
            assert state == before
        if state in handoffs.READABLE:
            assert is_sealed


def test_when() -> None:
    assert handoffs.due_at(NOW, None) == NOW + timedelta(days=7)
    assert handoffs.due_at(NOW, 30) == NOW + timedelta(days=30)
    assert handoffs.upload_ends(NOW, NOW) == NOW + timedelta(days=7)
    # A byte every six days keeps an upload for thirty days, not for ever.
    assert handoffs.upload_ends(NOW, NOW + timedelta(days=29)) == NOW + timedelta(days=30)


def test_a_manifest_is_in_the_order_of_its_bytes() -> None:
    rows = handoffs.manifest_of([("图.tif", 2, "b"), ("Z", 1, "a"), ("a", 3, "c")])
    assert [row["path"] for row in rows] == ["Z", "a", "图.tif"]
    assert rows[0] == {"path": "Z", "size": 1, "sha256": "a"}
