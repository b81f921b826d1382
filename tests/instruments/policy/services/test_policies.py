"""Booking policies: each change is a version that stays on record."""

from datetime import timedelta

import pytest

from accounts.domain.errors import NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import TrailEntry
from instruments.managing.services.registry import instrument_update
from instruments.policy.domain.policies import parse_policy, policy_to_json
from instruments.policy.models import BookingPolicy, PolicyVersion
from instruments.policy.services.policies import policy_set
from tests.factories.cast import NOW, reserve

USUAL = {"slot_minutes": 30, "max_minutes": 480}
QUOTA = {"scope": "user", "unit": "hours", "per": "week", "limit": 7.5}
BEFORE = NOW - timedelta(days=30)


def change(cast, who="zhao", *, now=NOW, reason="", expected_version=None, **values):
    return policy_set(
        By(cast.actor(who), now, expected_version),
        instrument_id=cast.microscope.pk,
        policy=parse_policy(USUAL | values),
        reason=reason,
    )


def versions():
    return list(PolicyVersion.objects.order_by("version"))


def test_each_change_is_a_version_with_who_when_and_why(cast):
    change(cast, notice_minutes=60, reason="Too many late bookings")
    first, second = versions()
    assert [first.version, first.valid_from, first.made_by] == [1, BEFORE, cast.zhao]
    assert first.policy == policy_to_json(parse_policy(USUAL))
    assert [second.version, second.valid_from, second.made_by] == [2, NOW, cast.zhao]
    assert second.policy == policy_to_json(parse_policy(USUAL | {"notice_minutes": 60}))
    assert [first.reason, second.reason] == ["", "Too many late bookings"]
    assert BookingPolicy.objects.get().version == 2
    entry = TrailEntry.objects.filter(action="policy.set").latest("at")
    assert entry.text.content == {"reason": "Too many late bookings"}


def test_the_same_rules_once_more_are_no_version(cast):
    entries = TrailEntry.objects.count()
    assert change(cast).version == 1
    assert [row.version for row in versions()] == [1]
    assert TrailEntry.objects.count() == entries


def test_back_to_what_it_was_is_a_version_of_its_own(cast):
    change(cast, notice_minutes=60)
    change(cast, now=NOW + timedelta(hours=1))
    assert [row.policy["notice_minutes"] for row in versions()] == [0, 60, 0]


def test_units_changed_with_the_record_are_a_version(cast):
    instrument_update(
        By(cast.actor("zhao"), NOW), instrument_id=cast.microscope.pk, changes={}, techniques=None, units=2
    )
    assert [row.policy["units"] for row in versions()] == [1, 2]


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"who": "sun", "notice_minutes": 60}, NotPermitted),
        ({"expected_version": 2, "notice_minutes": 60}, WrongVersion),
        ({"units": 1}, WrongState),
    ],
)
def test_what_is_refused_leaves_no_version(cast, values, error):
    change(cast, units=2)
    for who in ("wang", "sun"):
        reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who=who)
    if "expected_version" in values:
        values = values | {"expected_version": 1}
    with pytest.raises(error):
        change(cast, **values)
    assert [row.version for row in versions()] == [1, 2]
    assert BookingPolicy.objects.get().units == 2
