"""How long a certificate lasts, when its holder is reminded, whose turn it is."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from instruments.domain.training import (
    CourseTerms,
    SessionTerms,
    last_day,
    moving_up,
    reminder_due,
)

NOW = datetime(2026, 3, 5, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [
        (date(2026, 3, 6), 24, date(2028, 3, 5)),
        (date(2026, 1, 31), 1, date(2026, 2, 27)),
        (date(2024, 2, 29), 12, date(2025, 2, 27)),
        (date(2026, 3, 6), None, None),
    ],
)
def test_last_day(first, months, last):
    assert last_day(first, months) == last


@pytest.mark.parametrize(
    ("left", "step"), [(31, None), (30, 30), (8, 30), (7, 7), (0, 7), (-1, None)]
)
def test_reminded(left, step):
    today = date(2026, 3, 5)
    assert reminder_due(today + left * DAY, today) == step


@dataclass(frozen=True)
class One:
    id: UUID
    asked_at: datetime


@given(
    st.lists(st.integers(0, 5), max_size=8),
    st.integers(-2, 10),
)
def test_who_asked_first_moves_up_first(minutes, free):
    line = [One(UUID(int=i), NOW + m * timedelta(minutes=1)) for i, m in enumerate(minutes)]
    up = moving_up(line, free)
    assert len(up) == min(len(line), max(0, free))
    left = [one for one in line if one not in up]
    assert all((a.asked_at, a.id) < (b.asked_at, b.id) for a in up for b in left)


def test_every_problem_is_named():
    with pytest.raises(Invalid) as refused:
        CourseTerms(name=" ", places=0, months=0, name_zh="x" * 201).check()
    found = [(p.field, p.code) for p in refused.value.problems]
    assert found == [
        ("name", "required"),
        ("name_zh", "too-long"),
        ("months", "out-of-range"),
        ("places", "out-of-range"),
    ]
    with pytest.raises(Invalid) as refused:
        SessionTerms(start=NOW, end=NOW, deadline=NOW + DAY, places=501).check(NOW, is_new=True)
    found = [(p.field, p.code) for p in refused.value.problems]
    assert found == [
        ("start", "in-the-past"),
        ("end", "not-after-start"),
        ("deadline", "after-start"),
        ("places", "out-of-range"),
    ]
