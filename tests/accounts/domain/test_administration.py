"""Rules of what an administrator may do with another person's account."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.administration import (
    BLOCKED_FOR,
    CONFIRM_WITHIN,
    HELD_FOR,
    AccountRefused,
    check_confirmation,
    check_look,
    is_blocked,
)
from accounts.domain.errors import Refused
from accounts.domain.roles import ADMINISTRATOR, AUDITOR, MANAGER, RESEARCHER

NOW = datetime(2026, 3, 6, tzinfo=UTC)
PEOPLE = [UUID(int=number) for number in range(1, 4)]
people, moments = (
    st.sampled_from(PEOPLE),
    st.integers(-30, 30).map(lambda hours: NOW + timedelta(hours=hours)),
)


MAY = {
    "person": PEOPLE[0], "asked_by": PEOPLE[1], "is_asker_there": True, "asked_at": NOW,
    "confirms": PEOPLE[2], "held_since": NOW - HELD_FOR, "is_held_from_server": False,
    "expires_at": NOW + CONFIRM_WITHIN, "now": NOW,
}  # fmt: skip


@given(person=people, asked_by=people, confirms=people, expires_at=moments)
def test_only_another_one_confirms_for_somebody_else_in_time(person, asked_by, confirms, expires_at):
    may = confirms not in {person, asked_by} and expires_at > NOW
    given = {"person": person, "asked_by": asked_by, "confirms": confirms, "expires_at": expires_at}
    try:
        check_confirmation(**MAY | given)
    except Refused:
        assert not may
    else:
        assert may


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, ""),
        ({"held_since": NOW - HELD_FOR + timedelta(seconds=1)}, "new-administrator"),
        ({"held_since": NOW - timedelta(seconds=1), "is_held_from_server": True}, ""),
        ({"held_since": NOW, "is_held_from_server": True}, "new-administrator"),
        # Waiting after the ask does not make a newcomer an old hand.
        ({"held_since": NOW - timedelta(days=6), "now": NOW + timedelta(hours=23)}, "new-administrator"),
        ({"is_asker_there": False}, "asker-gone"),
    ],
)
def test_a_newcomer_confirms_nothing_and_nothing_of_who_has_left(given, code):
    if not code:
        check_confirmation(**MAY | given)
        return
    with pytest.raises(Refused) as refused:
        check_confirmation(**MAY | given)
    assert refused.value.code == code


@given(blocked=st.none() | moments, unlocked=st.none() | moments)
def test_blocked_for_a_day_unless_unlocked_since(blocked, unlocked):
    lasts = blocked is not None and blocked + BLOCKED_FOR > NOW and not (unlocked and unlocked > blocked)
    assert is_blocked(blocked, unlocked, NOW) == lasts


def test_nobody_looks_as_themselves_or_as_the_privileged():
    me, other, _ = PEOPLE
    check_look(person=other, viewer=me, roles=[RESEARCHER, MANAGER], is_staff=False)
    for person, roles, is_staff in (
        (me, [], False),
        (other, [AUDITOR], False),
        (other, [ADMINISTRATOR], False),
        (other, [], True),
    ):
        with pytest.raises(AccountRefused):
            check_look(person=person, viewer=me, roles=roles, is_staff=is_staff)
