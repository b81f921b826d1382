"""Hours: the sums of days by facility and month, and the units a facility offers in a year.

Days are stored in batches of instruments, whose facilities may be those of another batch too: each batch
marks the months it touched, in its own transaction, and they are summed up afterwards. Whoever sums up locks
the facility's row, so that an older sum never overwrites a newer one.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import batched
from uuid import UUID

from django.db import connection, transaction
from psycopg.sql import SQL, Composable

from accounts.statements import statements
from bookings.hours.models import BookingsRead, DirtyMonths
from bookings.hours.selectors.bookings import COUNTS, OF_BOOKING, WIDTHS
from instruments.register.models import Facility

_SQL = statements(__file__)
FACILITIES = 40  # at a time
MARGIN = timedelta(hours=1)
# The columns of a stored day, in the order in which they are written.
STORED = (
    "total_minutes", "open_minutes", "productive_minutes", "unscheduled_down_minutes",
    "scheduled_down_minutes", "engineering_minutes", "standby_minutes", "no_show_minutes",
    "non_scheduled_minutes", "breakdowns",
)  # fmt: skip
SUM_COLUMNS = (*STORED, "other_organisations_minutes", "other_regions_minutes", "sessions")


def listed(columns: Sequence[str], each: str = "{}") -> Composable:
    """Return columns as a list in SQL, each put in a pattern."""
    return SQL(", ".join(each.format(column) for column in columns))


def updates(columns: Sequence[str]) -> Composable:
    """Return what `ON CONFLICT DO UPDATE SET` sets: the columns, as they would have been inserted."""
    return listed(columns, "{0} = excluded.{0}")


def months_mark(days: Sequence[tuple[UUID, object, object]]) -> None:
    """Mark the months that the days [since, until) of each instrument fall into to be summed up again for its
    facility."""
    instruments, since, until = (list(column) for column in zip(*days, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_SQL["mark"].as_string(), {"instruments": instruments, "since": since, "until": until})


def bookings_mark(now: datetime) -> None:
    """Mark the months of bookings that the trail says have changed since it was last read to be summed up
    again; the first time, all of them."""
    last, mark = BookingsRead.objects.first(), _SQL["mark_bookings"]
    with connection.cursor() as cursor:
        if last is None:
            cursor.execute(mark.format(which=SQL("")).as_string(), {"now": now})
        else:
            # A transaction that began before the last reading may have committed after it.
            milliseconds = int((last.until - MARGIN).timestamp() * 1000)
            entry = UUID(int=milliseconds << 80)  # ids sort by the time they were made
            cursor.execute(mark.format(which=_SQL["touched"]).as_string(), {"now": now, "entry": entry})
        cursor.execute(_SQL["read"].as_string(), {"now": now})


def months_sum() -> int:
    """Sum up the marked months; return how many rows were written or removed. Facilities that another worker
    is doing are skipped, and waited for in the end only if that worker has left something."""
    changed = 0
    for waits in (False, True):
        marked = DirtyMonths.objects.order_by("facility_id").values_list("facility_id", flat=True)
        for facilities in batched(list(marked.distinct()), FACILITIES):
            changed += _facilities_sum(facilities, waits=waits)
    return changed


@transaction.atomic
def _facilities_sum(facilities: Sequence[UUID], *, waits: bool) -> int:
    rows = Facility.objects.select_for_update(skip_locked=not waits, no_key=True)
    held = list(rows.filter(pk__in=facilities).order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        # Before the days are read: days stored meanwhile leave new marks.
        cursor.execute(_SQL["take"].as_string(), {"facilities": held})
        marks = cursor.fetchall()
        if not marks:
            return 0
        changed = 0
        with planned_with(jit="off", work_mem="64MB", plan_cache_mode="force_custom_plan"):
            for statements, these in (
                ((MONTHS, YEARS), [mark for mark in marks if not mark[-1]]),
                ((BOOKINGS,), marks),
            ):
                if not these:
                    continue
                ids, since, until, _ = (list(column) for column in zip(*these, strict=True))
                for statement in statements:
                    cursor.execute(statement, {"facilities": ids, "since": since, "until": until})
                    changed += int(cursor.fetchone()[0])
        cursor.execute(_SQL["summed"].as_string(), {"facilities": held})
    return changed


@contextmanager
def planned_with(**settings: str) -> Iterator[None]:
    """Plan the statements of the block with these settings of PostgreSQL, and restore the settings
    afterwards. Otherwise each foreign key that is checked at the end of the transaction would be planned
    again, which takes three times as long as checking it."""
    with connection.cursor() as cursor:
        cursor.execute("; ".join(f"SET LOCAL {name} = '{settings[name]}'" for name in settings))
        yield
        cursor.execute("; ".join(f"SET LOCAL {name} TO DEFAULT" for name in settings))


_USE = ("facility_id", "month", "host_region_id", "organisation_id", "payer_region_id", "price_group")


# What is stored in a table: by which CTE, its keys, its other columns, and which rows are written again.
type Stored = tuple[str, Sequence[str], Sequence[str], str]


def _stored(name: str, source: str, keys: Sequence[str], columns: Sequence[str], of: str) -> Composable:
    """Return SQL that writes the rows of `source` into `bookings_<name>`, and removes those rows of the keys
    given by `of` that `source` does not contain."""
    return _SQL["stored"].format(
        name=SQL(name),
        source=SQL(source),
        keys=listed(keys),
        order=listed(keys[::-1]),
        columns=listed(columns),
        updates=updates(columns),
        new=listed(columns, "excluded.{}"),
        old=listed(columns, "t.{}"),
        of=_SQL[of],
        same=SQL(" AND ".join(f"(s.{key} = t.{key})" for key in keys)),
    )


def _statement(name: str, tables: Mapping[str, Stored], **parts: Composable) -> str:
    """Return a statement that writes the rows of some tables and gives how many of their rows it changed."""
    changed = [_SQL["changed"].format(name=SQL(table)) for table in tables]
    return (
        _SQL[name]
        .format(
            marked=_SQL["marked"],
            months_marked=_SQL["months_marked"],
            stored=SQL(",\n").join(_stored(table, *what) for table, what in tables.items()),
            changed=SQL(" + ").join(changed),
            **parts,
        )
        .as_string()
    )


def _figures(name: str, *keys: str) -> Composable:
    calendar = _SQL[f"calendar_of_{name}"]
    return _SQL["figures"].format(name=SQL(name), keys=listed(keys), calendar=calendar)


_ADDED = listed(SUM_COLUMNS, "sum({0}) AS {0}")
MONTHS = _statement(
    "months",
    {
        "facilityday": ("facility_days", ("facility_id", "date"), SUM_COLUMNS, "of_facility_days"),
        "facilitymonth": ("facility_months", ("facility_id", "month"), SUM_COLUMNS, "of_facility"),
        "instrumentmonth": ("instrument_months", ("instrument_id", "month"), SUM_COLUMNS, "of_instrument"),
        "facilityuse": ("facility_uses", _USE, ("minutes", "sessions"), "of_facility"),
    },
    facility_days=_figures("facility_days", "facility_id", "date"),
    instrument_months=_figures("instrument_months", "instrument_id", "month"),
    sums=_ADDED,
)
YEARS = _statement(
    "years",
    {
        "facilityyear": ("facility_years", ("facility_id", "year", "norm"), ("units",), "of_facility_years"
        ),
        "instrumentyear": ("instrument_years", ("instrument_id", "year"), ("norm", "units", *SUM_COLUMNS),
            "of_instrument_years",
        ),
    },
    sums=_ADDED,
)  # fmt: skip
BOOKINGS = _statement(
    "bookings",
    {
        "facilitybookings": ("facility_bookings", ("facility_id", "month"), COUNTS, "of_facility"
        ),
        "facilitylead": ("facility_leads", ("facility_id", "month", "width", "lead"), ("bookings",),
            "of_facility",
        ),
    },
    of_booking=OF_BOOKING,
    widths=SQL(", ").join(WIDTHS),
)  # fmt: skip
