"""Thousands of rows at once: what COPY wrote is what was given, and all or nothing."""

import hashlib
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts import trail
from accounts.domain.roles import By
from accounts.models import TrailEntry, TrailText, UnsealedEntry
from accounts.models.copying import rows_copy
from accounts.trail import Change
from instruments.opening.models import OpenWindow, Schedule, ScheduleDay
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db
# What COPY and JSON escape.
TEXT = 'a\tb\nc\\d\\N "e" {f,g} \u2028 \U0001f52c 显微镜'


@pytest.fixture
def schedule() -> Schedule:
    return Schedule.objects.create(digest="0" * 64, time_zone="Asia/Shanghai", hours={"x": [1]})


def day(schedule: Schedule, number: int) -> ScheduleDay:
    start = NOW + timedelta(days=number)
    return ScheduleDay(
        schedule=schedule,
        date=start.date(),
        starts_at=start,
        ends_at=start + timedelta(days=1),
        total_minutes=1440,
        open_minutes=number,
    )


@pytest.mark.parametrize("number", [1, 501])
def test_entries_of_the_trail_are_the_same_whichever_way(cast: Any, number: int) -> None:
    before = UnsealedEntry.objects.count()
    with transaction.atomic():
        entries = trail.record_all(
            Change(
                By(cast.actor("zhao"), NOW + timedelta(microseconds=n)),
                "instrument.test",
                cast.microscope,
                before={"text": TEXT, "nothing": None, "cost": Decimal("1.50"), TEXT: [n, True]},
                reason=TEXT if n == 0 else "",
                places=([cast.ustc.pk] if n else (), cast.anhui.lineage),
            )
            for n in range(number)
        )
    entry_rows = TrailEntry.objects.filter(action="instrument.test").order_by("pk")
    stored = {row.pk: row for row in entry_rows}
    assert list(stored) == [entry.pk for entry in entries]
    for entry in entries:
        row = stored[entry.pk]
        assert trail.canonical(row) == trail.canonical(entry)
        assert hashlib.sha256(trail.canonical(row)).digest() == bytes(row.digest)
        assert (row.before["text"], row.at) == (TEXT, entry.at)
    assert TrailText.objects.get(entry=entries[0]).content == {"reason": TEXT}
    assert UnsealedEntry.objects.count() == before + number


def test_ranges_and_numbered_rows(schedule: Schedule) -> None:
    span = (NOW, NOW + timedelta(hours=1))
    rows_copy([OpenWindow(schedule=schedule, span=span)])
    window = OpenWindow.objects.get(schedule=schedule)
    assert (window.span.lower, window.span.upper) == span
    rows_copy([day(schedule, number) for number in range(3)])
    days = ScheduleDay.objects.filter(schedule=schedule).order_by("date")
    assert [(row.starts_at, row.open_minutes) for row in days] == [
        (NOW + timedelta(days=number), number) for number in range(3)
    ]


def test_no_rows_no_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        rows_copy([])


def test_a_constraint_refuses_all(schedule: Schedule) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        rows_copy([day(schedule, 0), day(schedule, 1), day(schedule, 1)])
    assert not ScheduleDay.objects.filter(schedule=schedule).exists()
