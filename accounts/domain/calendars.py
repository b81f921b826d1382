"""Estimate the cost of computing how an event of a foreign calendar recurs, before it is computed."""

from collections.abc import Mapping, Sequence
from datetime import date
from math import prod
from typing import Any

MOST_STEPS = 5_000_000  # of all rules of a calendar: some seconds
MOST_VALUES = 100  # in one part of a rule
_RULE = 1000  # what a rule costs, however seldom it comes true
_SEVERAL = 10  # how much more a step costs that comes several times a day: each is written out
# Days from one step to the next, and what a step costs beside a day's. A step that matches nothing
# costs as much as one that does, so the parts that choose days make no rule cheaper.
_STEPS = {"HOURLY": (1 / 24, 1), "DAILY": (1, 1), "WEEKLY": (7, 7), "MONTHLY": (28, 31), "YEARLY": (365, 366)}
_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")


class TooCostly(Exception):
    """An event recurs so often that its times are not computed."""


def steps_of(rule: Mapping[str, Sequence[Any]], first: date, last: date) -> int:
    """Return the most days and times that must be examined to expand a recurrence rule (RFC 5545) of an event
    that begins on the day `first`, up to the end of the year after `last`. Raise `TooCostly` for a rule that
    recurs by minutes or seconds, never advances, or has more values than any rule needs."""
    frequency = str((rule.get("FREQ") or [""])[0]).upper()
    interval = int((rule.get("INTERVAL") or [1])[0])
    longest = max((len(values) for values in rule.values()), default=0)
    if frequency not in _STEPS or interval < 1 or longest > MOST_VALUES:
        raise TooCostly
    between, cost = _STEPS[frequency]
    days = max(0, (date(min(last.year + 1, date.max.year), 12, 31) - first).days + 1)
    times = prod(max(1, len(rule.get(part) or ())) for part in _TIMES)
    cost *= times * (1 + len(rule.get("BYSETPOS") or ()))
    if times > 1 or frequency == "HOURLY":
        cost *= _SEVERAL
    return _RULE + (int(days / between / interval) + 1) * cost
