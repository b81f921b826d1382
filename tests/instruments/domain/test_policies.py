"""Booking policies."""

import pytest

from accounts.domain.errors import Invalid
from instruments.domain.policies import Policy, parse_policy, policy_to_json


def test_defaults():
    policy = parse_policy({})
    assert policy == Policy()
    assert (policy.min_minutes, policy.max_minutes, policy.approval) == (30, 1440, "automatic")
    assert policy.horizon_for("external") == 60


@pytest.mark.parametrize(("slot", "longest"), [(45, 1440), (50, 1400), (1000, 1000), (7, 1435)])
def test_the_longest_is_a_multiple_of_the_slot_up_to_a_day(slot, longest):
    policy = parse_policy({"slot_minutes": slot})
    assert (policy.min_minutes, policy.max_minutes) == (slot, longest)


def test_reads_back():
    policy = parse_policy(
        {"slot_minutes": 15, "horizon_days": {"external": 3}, "check_in_minutes": 20, "units": 3}
    )
    assert parse_policy(policy_to_json(policy)).horizon_for("external") == 3
    assert policy_to_json(parse_policy(policy_to_json(policy))) == policy_to_json(policy)


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        ([], "", "not-an-object"),
        ({"quota": []}, "quota", "unknown-field"),
        ({"qualification": []}, "qualification", "not-a-text"),
        ({"slot_minutes": 0}, "slot_minutes", "out-of-range"),
        ({"slot_minutes": "30"}, "slot_minutes", "out-of-range"),
        ({"slot_minutes": True}, "slot_minutes", "out-of-range"),
        ({"slot_minutes": 30, "min_minutes": 45}, "min_minutes", "not-a-multiple"),
        ({"min_minutes": 120, "max_minutes": 60}, "max_minutes", "less-than-min"),
        ({"approval": "sometimes"}, "approval", "unknown-value"),
        ({"approval": ""}, "approval", "unknown-value"),
        ({"approval": []}, "approval", "unknown-value"),
        ({"approval": 0}, "approval", "unknown-value"),
        ({"approval": False}, "approval", "unknown-value"),
        ({"horizon_days": 5}, "horizon_days", "not-an-object"),
        ({"horizon_days": {"friends": 5}}, "horizon_days.friends", "unknown-field"),
        ({"horizon_days": {"external": -1}}, "horizon_days.external", "out-of-range"),
        ({"units": 501}, "units", "out-of-range"),
    ],
)
def test_refused_with_the_field(data, field, code):
    with pytest.raises(Invalid) as refused:
        parse_policy(data)
    assert (field, code) in {(p.field, p.code) for p in refused.value.problems}
