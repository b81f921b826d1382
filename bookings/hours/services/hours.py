"""Hours: the nightly roll-up, and the days that must be computed again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import batched
from uuid import UUID

from django.core.cache import cache
from django.db import connection, transaction

from accounts.replica import acted
from accounts.statements import statements
from bookings.hours.domain.hours import days_due
from bookings.hours.models import RollUp
from bookings.hours.selectors.figures import FIGURES, figures_parameters, load_dirty, load_progress
from bookings.hours.selectors.reading import ROLLED_UP
from bookings.hours.services import months

_SQL = statements(__file__)
BATCH = 2500
_DAY = timedelta(days=1)

Days = tuple[UUID, date, date]  # local days of an instrument, the second not included


@dataclass(frozen=True)
class RollUpResult:
    """The result of a roll-up: `instruments` done (once in each pass), `days` for which rows were stored, and
    `changed`: rows of figures written or removed."""

    instruments: int = 0
    days: int = 0
    changed: int = 0

    def __add__(self, other: "RollUpResult") -> "RollUpResult":
        return RollUpResult(
            self.instruments + other.instruments, self.days + other.days, self.changed + other.changed
        )


def hours_roll_up(
    *, since: date | None, until: date | None, now: datetime, batch_size: int = BATCH
) -> RollUpResult:
    """Bring the figures of finished local days up to date, in batches of instruments, each in a transaction
    of its own. Running it twice, late, in parts, in any order or on several workers at once leaves the same
    figures.

    Without `since` and `until`: the finished days not yet rolled up, then those marked dirty. A batch that
    another worker is doing is skipped, and waited for in the end only if that worker has left something. With
    either: the local days [since, until) of every instrument again, and any unrolled days before them.
    """
    _instruments_enter(now)
    is_named = since is not None or until is not None
    total = RollUpResult()
    for waits in [True] if is_named else [False, True]:
        due = [
            (progress.instrument_id, progress.finished_until)
            for progress in load_progress(now)
            if is_named or progress.rolled_until < progress.finished_until
        ]
        for batch in batched(due, batch_size):
            total += _batch_roll_up(dict(batch), since=since, until=until, now=now, waits=waits)
    if not is_named:
        for instruments in batched(load_dirty(), batch_size):
            total += _batch_redo(instruments, now=now)
    months.bookings_mark(now)
    months.months_sum()
    acted(ROLLED_UP)
    cache.delete(ROLLED_UP)  # public figures were cached
    return total


def days_mark_dirty(*, instrument_id: UUID, start: datetime, end: datetime) -> None:
    """Mark the local days that [start, end) overlaps to be computed again, since what happened on them has
    been entered, corrected or ended. Days that are not rolled up yet may be marked too."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL["mark"].as_string(), {"instrument": instrument_id, "start": start, "end": max(start, end)}
        )


@transaction.atomic
def _batch_roll_up(
    finished: Mapping[UUID, date], *, since: date | None, until: date | None, now: datetime, waits: bool
) -> RollUpResult:
    days: list[Days] = []
    is_first = True
    for instrument_id, rolled_until in _locked(finished, waits=waits):
        first, last = days_due(
            rolled_until=rolled_until, finished_until=finished[instrument_id], since=since, until=until
        )
        if first < last:
            days.append((instrument_id, first, last))
            is_first = is_first and first >= rolled_until
    if not days:
        return RollUpResult()
    _dirty_take(days)
    result = _store(days, now, is_first=is_first)
    months.months_mark(days)
    with connection.cursor() as cursor:
        cursor.execute(_SQL["advance"].as_string(), _columns(days))
    return result


@transaction.atomic
def _batch_redo(instruments: Iterable[UUID], *, now: datetime) -> RollUpResult:
    marked = _dirty_take(
        [(instrument_id, date.min, until) for instrument_id, until in _locked(instruments, waits=False)]
    )
    days = [(instrument_id, day, day + _DAY) for instrument_id, day in marked]
    result = _store(days, now, is_first=False)
    if result.changed:
        months.months_mark(days)
    return result


def _locked(instruments: Iterable[UUID], *, waits: bool) -> list[tuple[UUID, date]]:
    """Lock the progress of the instruments, and return how far each is rolled up. Instruments locked by
    another worker are left out, unless `waits` is set."""
    rows = RollUp.objects.select_for_update(skip_locked=not waits)
    return list(rows.filter(pk__in=list(instruments)).order_by("pk").values_list("pk", "until_date"))


def _dirty_take(days: list[Days]) -> list[tuple[UUID, date]]:
    """Remove the dirty marks of these days and return those that existed. Call it before the figures are
    read: anything entered meanwhile leaves a new mark."""
    if not days:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_SQL["take"].as_string(), _columns(days))
        return list(cursor.fetchall())


def _store(days: list[Days], now: datetime, *, is_first: bool) -> RollUpResult:
    """Compute and store the figures of instruments' days. `is_first`: none have been stored for them yet."""
    if not days:
        return RollUpResult()
    # Compiling the statement takes longer than running it; its hashes need memory; one plan for all batches
    # would ignore their numbers of instruments and days.
    settings = {"jit": "off", "work_mem": "128MB", "enable_mergejoin": "off"}
    with months.planned_with(**settings, plan_cache_mode="force_custom_plan"), connection.cursor() as cursor:
        cursor.execute(STORE_FIRST if is_first else STORE_AGAIN, figures_parameters(days, now))
        stored, changed = cursor.fetchone()
    return RollUpResult(len({instrument_id for instrument_id, *_ in days}), stored, changed)


def _columns(days: list[Days]) -> dict[str, list[UUID] | list[date]]:
    return {
        "instruments": [instrument_id for instrument_id, _, _ in days],
        "since": [first for _, first, _ in days],
        "until": [last for _, _, last in days],
    }


def _instruments_enter(now: datetime) -> None:
    """Begin to roll up instruments that are offered for the first time. Mark months and years to be summed up
    again for facilities whose instruments came, went, changed their host or have another norm, and for all
    facilities if an upgrade brought new sums."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["enter"].as_string(), {"year": date(now.year, 1, 1), "today": now.date()})


def _store_statement(name: str) -> str:
    parts = {"columns": months.listed(months.STORED), "updates": months.updates(months.STORED)}
    parts |= {"old": months.listed(months.STORED, "t.{}"), "new": months.listed(months.STORED, "excluded.{}")}
    return (
        _SQL[name]
        .format(figures=FIGURES, days=_SQL["days"].format(**parts), uses=_SQL["uses"], **parts)
        .as_string()
    )


STORE_FIRST, STORE_AGAIN = _store_statement("store_first"), _store_statement("store_again")
