"""How long a certificate lasts, when its holder is reminded, whose turn it is."""

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from instruments.training.domain import training

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
    assert training.last_day(first, months) == last


@pytest.mark.parametrize(("left", "step"), [(31, None), (30, 30), (8, 30), (7, 7), (0, 7), (-1, None)])
def test_reminded(left, step):
    today = date(2026, 3, 5)
    assert training.reminder_due(today + left * DAY, today) == step


@dataclass(frozen=True)
class One:
    id: UUID
    asked_at: datetime


@given(st.lists(st.integers(0, 5), max_size=8), st.integers(-2, 10))
def test_who_asked_first_moves_up_first(minutes, free):
    line = [One(UUID(int=i), NOW + m * timedelta(minutes=1)) for i, m in enumerate(minutes)]
    up = training.moving_up(line, free)
    assert len(up) == min(len(line), max(0, free))
    left = [one for one in line if one not in up]
    assert all((a.asked_at, a.id) < (b.asked_at, b.id) for a in up for b in left)


def test_every_problem_is_named():
    with pytest.raises(Invalid) as refused:
        training.CourseTerms(name=" ", places=0, months=0, name_zh="x" * 201).check()
    found = [(p.field, p.code) for p in refused.value.problems]
    assert found == [
        ("name", "required"),
        ("name_zh", "too-long"),
        ("months", "out-of-range"),
        ("places", "out-of-range"),
    ]
    with pytest.raises(Invalid) as refused:
        training.SessionTerms(start=NOW, end=NOW, deadline=NOW + DAY, places=501).check(NOW, is_new=True)
    found = [(p.field, p.code) for p in refused.value.problems]
    assert found == [
        ("start", "in-the-past"),
        ("end", "not-after-start"),
        ("deadline", "after-start"),
        ("places", "out-of-range"),
    ]


SHANGHAI, CHICAGO = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/Chicago")


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_both_days_are_whole_days_of_the_zone():
    one = training.Certificate(date(2026, 3, 5), date(2026, 3, 6))
    assert training.valid_spans([one], SHANGHAI) == [(utc("2026-03-04T16:00"), utc("2026-03-06T16:00"))]
    # Of 23 hours where the clock is put forward.
    spring = training.Certificate(date(2025, 3, 9), date(2025, 3, 9))
    assert training.valid_spans([spring], CHICAGO) == [(utc("2025-03-09T06:00"), utc("2025-03-10T05:00"))]


def test_without_a_last_day_it_never_ends():
    assert training.valid_spans([training.Certificate(date(2026, 3, 5))], SHANGHAI) == [
        (utc("2026-03-04T16:00"), training.OPEN_END)
    ]


def test_one_that_follows_another_makes_one_span():
    first = training.Certificate(date(2026, 1, 1), date(2026, 1, 31))
    second = training.Certificate(date(2026, 2, 1), date(2026, 2, 28))
    later = training.Certificate(date(2026, 3, 2), date(2026, 3, 31))
    assert training.valid_spans([later, second, first], SHANGHAI) == [
        (utc("2025-12-31T16:00"), utc("2026-02-28T16:00")),
        (utc("2026-03-01T16:00"), utc("2026-03-31T16:00")),
    ]


def test_revoking_ends_it_at_once():
    revoked = training.Certificate(date(2026, 1, 1), None, utc("2026-03-05T04:00"))
    assert training.valid_spans([revoked], SHANGHAI) == [(utc("2025-12-31T16:00"), utc("2026-03-05T04:00"))]
    too_late = training.Certificate(date(2026, 1, 1), date(2026, 1, 31), utc("2026-03-05T04:00"))
    assert training.valid_spans([too_late], SHANGHAI)[0][1] == utc("2026-01-31T16:00")
    never = training.Certificate(date(2026, 4, 1), None, utc("2026-03-05T04:00"))
    assert training.valid_spans([never], SHANGHAI) == []


@pytest.mark.parametrize(
    ("certificate", "state"),
    [
        (training.Certificate(date(2026, 3, 5), date(2026, 3, 5)), "valid"),
        (training.Certificate(date(2026, 3, 6)), "coming"),
        (training.Certificate(date(2026, 1, 1), date(2026, 3, 4)), "expired"),
        (training.Certificate(date(2026, 1, 1), None, utc("2026-03-05T03:59")), "revoked"),
        (training.Certificate(date(2026, 1, 1), date(2026, 3, 1), utc("2026-03-05T03:59")), "revoked"),
    ],
)
def test_state(certificate, state):
    assert certificate.state(SHANGHAI, utc("2026-03-05T04:00")) == state


@pytest.mark.parametrize(
    ("needed", "is_of_instrument", "technique", "does_count"),
    [
        ("", True, None, False),
        ("instrument", True, None, True),
        ("instrument", False, "PaNET01198", False),
        ("instrument", False, None, False),
        ("PaNET01198", False, "PaNET01198", True),
        ("PaNET01198", True, None, True),
        ("PaNET01198", False, "PaNET01124", False),
    ],
)
def test_what_counts(needed, is_of_instrument, technique, does_count):
    found = training.counts_for(needed, is_of_instrument=is_of_instrument, technique=technique)
    assert found is does_count


DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


@st.composite
def certificates(draw):
    since = draw(DAYS)
    until = draw(st.none() | st.just(training.LAST_DAY) | DAYS.map(lambda day: max(day, since)))
    return training.Certificate(since, until, draw(st.none() | MOMENTS))


def is_valid(certificate, zone, moment):
    """The definition: by the calendar on the wall, and not yet revoked."""
    day = moment.astimezone(zone).date()
    return (
        certificate.valid_from <= day
        and (certificate.valid_until is None or day <= certificate.valid_until)
        and (certificate.revoked_at is None or moment < certificate.revoked_at)
    )


@given(
    held=st.lists(certificates(), max_size=5),
    zone=st.sampled_from([SHANGHAI, CHICAGO, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Africa/Casablanca")]),
    moments=st.lists(MOMENTS, min_size=1, max_size=20),
)
def test_a_moment_lies_in_a_span_just_when_some_certificate_is_valid(held, zone, moments):
    spans = training.valid_spans(held, zone)
    edges = [edge for span in spans for edge in span if edge < training.OPEN_END]
    for moment in [*moments, *edges, *(edge - timedelta(seconds=1) for edge in edges)]:
        inside = any(start <= moment < end for start, end in spans)
        assert inside == any(is_valid(one, zone, moment) for one in held)
    assert all(start < end for start, end in spans)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))


@given(certificates(), certificates(), st.dates(date(2025, 1, 1), date(2027, 12, 31)))
def test_a_certificate_is_replaced_by_one_that_lasts_longer(old, new, today):
    assert not (training.is_replaced(old, new, today) and training.is_replaced(new, old, today))
    if training.is_replaced(old, new, today):
        assert old.valid_until is not None and new.valid_from <= today
        # Together they leave no day out.
        assert new.valid_from <= old.valid_until + timedelta(days=1)
        assert new.valid_until is None or new.valid_until > old.valid_until
