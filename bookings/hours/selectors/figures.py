"""The figures that the nightly roll-up stores, and the days it has to do.

`FIGURES` is `hours/domain/hours.day_states` as one statement for many days at once; a property test holds the
two equal.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.statements import statements
from bookings.hours.domain.hours import ENGINEERING, SCHEDULED_DOWN, UNSCHEDULED_DOWN

_DAY = timedelta(days=1)

_SQL = statements(__file__)
FIGURES = _SQL["figures"]


@dataclass(frozen=True)
class Progress:
    """The progress of an instrument: every day before `rolled_until` is rolled up, every day before
    `finished_until` has ended."""

    instrument_id: UUID
    rolled_until: date
    finished_until: date


def load_progress(now: datetime) -> list[Progress]:
    """Return the progress of each instrument that the roll-up knows. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["progress"].as_string(), {"now": now})
        return [Progress(*row) for row in cursor.fetchall()]


def load_dirty() -> list[UUID]:
    """Return the instruments with dirty days among those rolled up. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["dirty"].as_string())
        return [row[0] for row in cursor.fetchall()]


def figures_parameters(days: Iterable[tuple[UUID, date, date]], now: datetime) -> dict[str, Any]:
    """Return the parameters of `FIGURES` for ranges of local days of instruments."""
    instruments, since, until = zip(*days, strict=True)
    return {
        "instruments": list(instruments),
        "since": list(since),
        "until": list(until),
        "earliest": _midnight(min(since)) - _DAY,
        "latest": _midnight(max(until)) + _DAY,
        "now": now,
        "unscheduled_down": sorted(UNSCHEDULED_DOWN),
        "scheduled_down": sorted(SCHEDULED_DOWN),
        "engineering": sorted(ENGINEERING),
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
