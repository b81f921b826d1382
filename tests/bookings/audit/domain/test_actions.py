"""When a finding may be closed, and when owners of its actions are reminded."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from accounts.domain.errors import WrongState
from bookings.audit.domain.actions import ACTION_MOVES, UNFINISHED, may_move, reminder_week, require_closable

TODAY = date(2026, 3, 5)
DAYS = some.dates(date(2020, 1, 1), date(2030, 1, 1))


@given(some.booleans(), some.integers(0, 3), some.none() | DAYS, DAYS)
def test_closed_only_answered_finished_and_followed_up(
    is_answered: bool, unfinished: int, follow_up: date | None, today: date
) -> None:
    may = is_answered and not unfinished and (follow_up is None or follow_up <= today)
    try:
        require_closable(
            is_answered=is_answered, due=TODAY, unfinished=unfinished, follow_up=follow_up, today=today
        )
    except WrongState as refused:
        assert not may
        assert is_answered or refused.numbers == {"day": "2026-03-06"}
    else:
        assert may


@pytest.mark.parametrize(
    ("late", "week"), [(-8, None), (-7, -1), (0, -1), (1, 0), (7, 0), (8, 1), (14, 1), (15, 2)]
)
def test_weeks_of_reminders(late: int, week: int | None) -> None:
    assert reminder_week(TODAY, TODAY + timedelta(days=late)) == week


@given(DAYS, some.integers(-30, 60))
def test_a_later_day_is_never_an_earlier_reminder(due: date, late: int) -> None:
    first, second = (reminder_week(due, due + timedelta(days=late + more)) for more in (0, 1))
    assert (first if first is not None else -9) <= (second if second is not None else -9)


def test_only_the_auditor_ends_an_action() -> None:
    assert {state for state, moves in ACTION_MOVES.items() if moves} == UNFINISHED
    assert not may_move("agreed", "verified")
    assert may_move("done", "agreed")
