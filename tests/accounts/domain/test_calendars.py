"""What it costs to work out how an event recurs."""

import datetime as clock
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from itertools import product
from typing import Any
from unittest.mock import patch

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.calendars import TooCostly, steps_of

LAST = date(2026, 6, 1)


def lists(least: int, most: int) -> st.SearchStrategy[list[int]]:
    values = st.integers(least, most).filter(bool) if least < 0 else st.integers(least, most)
    return st.lists(values, min_size=1, max_size=8)


RULES = st.fixed_dictionaries(
    {"FREQ": st.sampled_from([["HOURLY"], ["DAILY"], ["WEEKLY"], ["MONTHLY"], ["YEARLY"]])},
    optional={
        "INTERVAL": lists(1, 1000).map(lambda values: values[:1]),
        "BYMONTH": lists(1, 12),
        "BYMONTHDAY": lists(-31, 31),
        "BYYEARDAY": lists(-366, 366),
        "BYWEEKNO": lists(-53, 53),
        "BYSETPOS": lists(-366, 366),
        "BYHOUR": lists(0, 23),
        "BYMINUTE": lists(0, 59),
        "BYDAY": st.lists(
            st.builds(str.__add__, st.sampled_from(["", "1", "-1", "5"]),
                      st.sampled_from(["MO", "TU", "SU"])), min_size=1, max_size=8,
        ),
    },
)  # fmt: skip


@contextmanager
def counted() -> Iterator[list[int]]:
    """The days that the library looks at."""
    days = [0]

    def counting(look: Any) -> Any:
        def looked(*args: Any) -> Any:
            answer = look(*args)
            days[0] += answer[2] - answer[1]
            return answer

        return looked

    names = ("ydayset", "mdayset", "wdayset", "ddayset")
    info = rrule._iterinfo
    with patch.multiple(info, **{name: counting(getattr(info, name)) for name in names}):
        yield days


@settings(deadline=None)
@given(rule=RULES, first=st.dates(date(1990, 1, 1), LAST))
def test_no_rule_costs_more_than_its_steps(rule: dict[str, Any], first: date) -> None:
    """Whatever its parts choose, and also where nothing ever fits them."""
    steps = steps_of(rule, first, LAST)
    text = ";".join(f"{name}={','.join(map(str, values))}" for name, values in rule.items())
    with counted() as days, patch.object(clock, "MAXYEAR", LAST.year + 1), suppress(ValueError):
        times = rrule.rrulestr(text, dtstart=datetime(first.year, first.month, first.day))
        assert sum(1 for _ in times) + days[0] <= 2 * steps


@pytest.mark.parametrize(
    "rule",
    [
        {"FREQ": ["SECONDLY"]},
        {"FREQ": ["MINUTELY"], "INTERVAL": [1440]},
        {"FREQ": []},
        {},
        {"FREQ": ["DAILY"], "INTERVAL": [0]},
        {"FREQ": ["YEARLY"], "BYYEARDAY": [1] * 101},
    ],
)
def test_rules_that_are_not_even_counted(rule: dict[str, Any]) -> None:
    with pytest.raises(TooCostly):
        steps_of(rule, LAST, LAST)


def test_what_common_rules_cost() -> None:
    for rule, first in product(
        ({"FREQ": ["WEEKLY"], "BYDAY": ["MO", "WE"]}, {"FREQ": ["DAILY"]}, {"FREQ": ["MONTHLY"]}),
        (date(2016, 1, 1), date(2026, 1, 1)),
    ):
        assert 1000 < steps_of(rule, first, LAST) < 7000  # so that a thousand of them are read
