"""Versions of one rate card beside each other."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from instruments.domain.ratecards import Version, parse_rate_card, require_room
from tests.factories.cards import CARD

TODAY = date(2026, 3, 5)
DAY = timedelta(days=1)
CARD_ = parse_rate_card(CARD)


def d(text):
    return date.fromisoformat(f"2026-{text}") if text else None


def ask(first, last, *others, used=False):
    """The versions ended, or (field, code, numbers) of the refusal."""
    card = replace(CARD_, valid_from=d(first), valid_until=d(last))
    versions = [Version(n + 1, d(a), d(b)) for n, (a, b) in enumerate(others)]
    try:
        return [v.version for v in require_room(card, versions, TODAY, lambda _: used)]
    except Invalid as refused:
        problem = refused.problems[0]
        return problem.field, problem.code, dict(problem.numbers)


@pytest.mark.parametrize(
    ("first", "last", "others", "ended"),
    [
        ("05-01", None, [], []),
        # the open end of the one before gives way
        ("05-01", None, [("01-01", None)], [1]),
        ("05-01", "06-01", [("01-01", None)], [1]),
        # next to each other
        ("06-01", None, [("01-01", "05-01"), ("05-01", "06-01")], []),
        ("01-01", "05-01", [("05-01", None)], []),
        # the same first day
        ("05-01", None, [("05-01", None)], [1]),
        # days gone by without a price are gone
        ("03-05", None, [("01-01", "02-01")], []),
        ("02-15", None, [("01-01", "02-01")], []),
    ],
)
def test_room(first, last, others, ended):
    assert ask(first, last, *others) == ended


@pytest.mark.parametrize(
    ("first", "last", "others", "refusal"),
    [
        ("01-01", "03-05", [], ("valid_until", "in-the-past", {})),
        ("04-01", None, [("01-01", "05-01")], ("valid_from", "overlaps-version", {"version": 1})),
        ("04-01", None, [("05-01", None)], ("valid_from", "overlaps-version", {"version": 1})),
        ("04-01", "05-02", [("05-01", None)], ("valid_from", "overlaps-version", {"version": 1})),
        (
            "05-02", None, [("01-01", "05-01")],
            ("valid_from", "leaves-gap", {"version": 1, "day": "2026-05-01"}),
        ),
        (
            "03-06", None, [("01-01", "02-01")],
            ("valid_from", "leaves-gap", {"version": 1, "day": "2026-03-05"}),
        ),
        (
            "04-01", "04-30", [("05-01", None)],
            ("valid_until", "leaves-gap", {"version": 1, "day": "2026-05-01"}),
        ),
    ],
)  # fmt: skip
def test_no_room(first, last, others, refusal):
    assert ask(first, last, *others) == refusal


@pytest.mark.parametrize(
    ("first", "before", "earliest"),
    [
        ("05-01", "05-01", "2026-05-02"),  # it would vanish
        ("03-04", "01-01", "2026-03-05"),  # bookings of yesterday were by it
    ],
)
def test_what_was_used_gives_way_only_later(first, before, earliest):
    numbers = {"version": 1, "day": earliest}
    assert ask(first, None, (before, None), used=True) == ("valid_from", "version-used", numbers)
    assert ask(first, None, (before, None)) == [1]
    assert ask(earliest[5:], None, (before, None), used=True) == [1]


days = st.integers(0, 40).map(lambda n: TODAY + n * DAY)


@given(st.lists(st.tuples(days, st.none() | days), max_size=8))
def test_whatever_is_published_no_day_has_two_prices_and_none_between_has_none(asked):
    """Each that is not refused is published: what then holds never overlaps nor leaves a gap."""
    held: list[Version] = []
    for number, (first, last) in enumerate(asked, 1):
        if last is not None and last <= first:
            continue
        card = replace(CARD_, valid_from=first, valid_until=last)
        try:
            ended = require_room(card, held, TODAY, lambda _: False)
        except Invalid:
            continue
        kept = [v for v in held if v not in ended]
        kept += [replace(v, valid_until=first) for v in ended if v.valid_from < first]
        held = [*kept, Version(number, first, last)]
        held.sort(key=lambda v: v.valid_from)
        for one, other in pairwise(held):
            assert one.valid_until == other.valid_from
