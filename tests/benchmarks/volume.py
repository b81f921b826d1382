"""Builds a register with bookings by the million: `python -m tests.benchmarks.volume`.

Bookings are made by the server itself, in two connections at once, with constraints and
indexes taken off first; afterwards every one is put back, which also proves the rows: foreign
keys, uniqueness and the exclusion of overlaps are verified by PostgreSQL before this returns.

How bookings lie: one instrument in ten has 40 % of them, the next three 45 %, the other six
15 %. Of each instrument's bookings one in seven is still to come: the busiest are full for the
next days, others half full or nearly empty. Each lies in a cell of two hours inside opening
hours, so none meets another. Rows are written in the order of time, as they come in life: those
of one instrument lie scattered.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.benchmarks.keys import EPOCH

AHEAD = timedelta(days=50)
# Of a hundred instruments the numbers [since, until): their share of all bookings in percent;
# every how manyth coming cell they fill.
CLASSES = ((0, 10, 40, 1), (10, 40, 45, 2), (40, 100, 15, 5))
# Unless the busiest instruments have more bookings than fit into it.
USUAL_HISTORY = timedelta(days=400)
CELLS_PER_DAY = 2.0  # of the schedule with the fewest


def history_for(instruments: int, bookings: int) -> timedelta:
    """How far back bookings must reach so that the busiest instruments have room for them."""
    busiest = bookings / instruments * 4
    return max(USUAL_HISTORY, timedelta(days=int(busiest / CELLS_PER_DAY) + 30))


def build(
    instruments: int, bookings: int, *, now: datetime, say: Callable[[str], Any], with_use: bool = False
) -> None:
    """So many instruments and bookings in the empty, migrated database of the settings;
    `with_use`: past ones with their sessions, and instruments that were closed at times, not filed
    for the search."""
    from tests.benchmarks.register import build_register

    started = time.monotonic()

    def done(what: str) -> None:
        say(f"{time.monotonic() - started:6.1f} s  {what}")

    history = history_for(instruments, bookings)
    build_register(instruments, now=now, history=history, is_filed=not with_use)
    _run(["ANALYZE"])
    done(f"{instruments:,} instruments")
    if bookings:
        _build_bookings(bookings, now, history, done, with_use=with_use)
    _run(["VACUUM ANALYZE"])
    done("statistics")


def _build_bookings(
    bookings: int, now: datetime, history: timedelta, done: Callable[[str], None], *, with_use: bool
) -> None:
    from bookings.models import Occupancy, Reservation, UsageSession

    _run(_cells(now, history) + _shares(bookings) + _users())
    before = {model: _guards(model) for model in (Occupancy, Reservation, UsageSession)}
    for guards in before.values():
        _run(guards.take_off)
    done("room for bookings")

    def fill(model: Any, statement: str) -> None:
        _run([statement])
        done(f"rows of {model._meta.db_table}")

    def guard(model: Any) -> None:
        _run(before[model].put_back)
        done(f"indexes and constraints of {model._meta.db_table}")

    def fill_and_guard(model: Any, statement: str) -> None:
        fill(model, statement)
        if model is not UsageSession:
            guard(model)

    tables = [(Occupancy, OCCUPANCY), (Reservation, RESERVATION)]
    if with_use:
        tables.append((UsageSession, SESSION))
    with ThreadPoolExecutor(2) as pool:
        statements = [(model, _insert(model, values, now)) for model, values in tables]
        for future in [pool.submit(fill_and_guard, *each) for each in statements]:
            future.result()
    guard(UsageSession)  # whose key is looked up among the reservations
    if with_use:
        _run([_closures(now)])
        done("closures")
    for model, guards in before.items():
        if _guards(model).standing != guards.standing:
            raise RuntimeError(f"{model._meta.db_table} is not guarded as it was")
    _run(["DROP TABLE bench_cell, bench_place, bench_user"])


def _run(statements: Sequence[str]) -> list[Any]:
    """On a connection of its own; the rows of the last statement."""
    from django.db import connection

    own = connection.copy()
    try:
        with own.cursor() as cursor:
            cursor.execute(
                "SET lock_timeout = 0; SET jit = off;"
                " SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'"
            )
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        own.close()


class _Guards:
    """What stands between a table and wrong or slow rows, but for checks and its key."""

    def __init__(self, table: str) -> None:
        self.constraints = _run(
            [
                "SELECT conname, contype, pg_get_constraintdef(oid), convalidated"
                f" FROM pg_constraint WHERE conrelid = '{table}'::regclass"
                " AND contype IN ('x', 'u', 'f') ORDER BY contype DESC, conname"
            ]
        )
        self.indexes = _run(
            [
                "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i"
                f" WHERE indrelid = '{table}'::regclass AND indisvalid AND NOT EXISTS ("
                " SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid"
                f" AND c.conrelid = '{table}'::regclass) ORDER BY 1"
            ]
        )
        self.take_off = [
            *(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"' for name, *_ in self.constraints),
            *(f"DROP INDEX {name}" for name, _ in self.indexes),
        ]
        # Foreign keys last: they look up what the indexes find.
        self.put_back = [
            *(statement for _, statement in self.indexes),
            *(
                f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}'
                for name, kind, definition, _ in sorted(self.constraints, key=lambda c: c[1] == "f")
            ),
        ]

    @property
    def standing(self) -> tuple[list[Any], list[Any]]:
        """What stands, by name: PostgreSQL may word a definition otherwise the second time."""
        return (
            [(name, kind, is_proven) for name, kind, _, is_proven in self.constraints],
            [name for name, _ in self.indexes],
        )


def _guards(model: Any) -> _Guards:
    return _Guards(model._meta.db_table)


def _cells(now: datetime, history: timedelta) -> list[str]:
    """Cells of opening hours by schedule, numbered away from now in both directions."""
    moment = f"'{now.isoformat()}'::timestamptz"
    return [
        f"""
        CREATE UNLOGGED TABLE bench_cell AS
        SELECT schedule_id, starts_at >= {moment} AS is_coming, starts_at,
            row_number() OVER (
                PARTITION BY schedule_id, starts_at >= {moment}
                ORDER BY abs(extract(epoch FROM starts_at - {moment}))
            )::int - 1 AS place
        FROM instruments_openwindow, generate_series(
            lower(span), upper(span) - interval '2 hours', interval '2 hours'
        ) starts_at
        WHERE starts_at >= '{(now - history).isoformat()}'
        AND starts_at < '{(now + AHEAD).isoformat()}'
        AND abs(extract(epoch FROM starts_at - {moment})) > 3 * 3600
        """,
        "CREATE UNIQUE INDEX ON bench_cell (schedule_id, is_coming, place) INCLUDE (starts_at)",
        "ANALYZE bench_cell",
    ]


def _users() -> list[str]:
    """Users by number, those of one organisation together."""
    return [
        """
        CREATE UNLOGGED TABLE bench_user AS
        SELECT row_number() OVER (ORDER BY o.id, u.id)::int - 1 AS number, u.id,
            o.id AS organisation_id, o.region_id, o.kind
        FROM accounts_user u
        JOIN accounts_membership m ON m.user_id = u.id
        JOIN accounts_organisation o ON o.id = m.organisation_id
        """,
        "CREATE UNIQUE INDEX ON bench_user (number)",
        """
        ALTER TABLE bench_place ADD host_user int;
        UPDATE bench_place SET host_user = first FROM (
            SELECT organisation_id, min(number) AS first FROM bench_user GROUP BY 1
        ) u WHERE u.organisation_id = bench_place.organisation_id
        """,
        "CREATE INDEX ON bench_place (past)",
        "CREATE INDEX ON bench_place (coming)",
        "ANALYZE bench_user, bench_place",
    ]


def _shares(bookings: int) -> list[str]:
    """How many bookings each instrument has, past and coming; together exactly `bookings`."""
    weight = " ".join(
        f"WHEN k < {until} THEN {share / (until - since):.6f}" for since, until, share, _ in CLASSES
    )
    step = " ".join(f"WHEN k < {until} THEN {step}" for _, until, _, step in CLASSES)
    return [
        f"""
        CREATE UNLOGGED TABLE bench_place AS
        WITH numbered AS (
            SELECT i.id, i.schedule_id, i.organisation_id, i.region_id, p.slot_minutes,
                p.setup_minutes, p.teardown_minutes, p.units, c.id AS card_id,
                row_number() OVER (ORDER BY i.id) AS n
            FROM instruments_instrument i
            JOIN instruments_bookingpolicy p ON p.instrument_id = i.id
            JOIN instruments_ratecard c ON c.instrument_id = i.id
        ), classed AS (
            SELECT *, abs(hashint8(n) % 100) AS k FROM numbered
        ), weighed AS (
            SELECT *, CASE {weight} END AS weight, CASE {step} END AS step FROM classed
        ), summed AS (
            SELECT *, sum(weight) OVER (ORDER BY n) AS here, sum(weight) OVER () AS total
            FROM weighed
        ), counted AS (
            SELECT *, (floor({bookings} * here / total)
                - floor({bookings} * (here - weight) / total))::int AS bookings
            FROM summed
        ), room AS (
            SELECT schedule_id, count(*) FILTER (WHERE is_coming)::int AS coming_cells,
                count(*) FILTER (WHERE NOT is_coming)::int AS past_cells
            FROM bench_cell GROUP BY schedule_id
        )
        SELECT c.*, r.past_cells, least(bookings / 7, coming_cells / step) AS coming,
            bookings - least(bookings / 7, coming_cells / step) AS past
        FROM counted c JOIN room r USING (schedule_id)
        """
    ]


# Expressions over b (an instrument's share), c (a cell), s (which of the share's bookings),
# u (a user). Lengths fill a cell with their buffers at most.
MINUTES = """(CASE WHEN b.slot_minutes = 60 AND b.setup_minutes > 0 THEN 60
    WHEN b.slot_minutes = 60 THEN 60 + 60 * (s.j % 2)
    WHEN b.setup_minutes + b.teardown_minutes > 0 THEN 60 + 30 * (s.j % 2)
    ELSE 60 + 30 * (s.j % 3) END)"""
END = f"c.starts_at + make_interval(mins => {MINUTES})"
MADE = f"lpad(to_hex({EPOCH} + ((s.n::bigint << 24) | b.n)), 12, '0')"
KEY = f"(left({MADE}, 8) || '-' || right({MADE}, 4) || '-7%03x-8000-000000000000')::uuid"
RESERVATION_KEY = KEY % 3
UNIT = "(1 + s.j % b.units)::int"
ASKED = "least(c.starts_at - interval '5 days', {now})"
RESERVATION = {
    "id": RESERVATION_KEY,
    "instrument_id": "b.id",
    "unit": UNIT,
    "start_at": "c.starts_at",
    "end_at": END,
    "setup_minutes": "b.setup_minutes",
    "teardown_minutes": "b.teardown_minutes",
    "state": """CASE WHEN s.is_coming THEN 'confirmed' WHEN s.j % 50 = 7 THEN 'no_show'
        ELSE 'completed' END""",
    "user_id": "u.id",
    "made_by_id": "u.id",
    "organisation_id": "u.organisation_id",
    "payer_region_id": "u.region_id",
    "host_id": "b.organisation_id",
    "host_region_id": "b.region_id",
    "service_mode": "'self'",
    "price_group": """CASE WHEN u.organisation_id = b.organisation_id THEN 'internal'
        WHEN u.kind = 'enterprise' THEN 'industry'
        WHEN u.region_id = b.region_id THEN 'regional' ELSE 'external' END""",
    "rate_card_id": "b.card_id",
    "requested_at": ASKED,
    "confirmed_at": ASKED,
    "ended_at": f"CASE WHEN NOT s.is_coming THEN {END} END",
}
OCCUPANCY = {
    "id": KEY % 4,
    "instrument_id": "b.id",
    "unit": UNIT,
    "span": f"""tstzrange(c.starts_at - make_interval(mins => b.setup_minutes),
        {END} + make_interval(mins => b.teardown_minutes))""",
    "reservation_id": RESERVATION_KEY,
}


# One in fifty of the past ones was not used; the others began some minutes late, to the second.
IS_MISSED = "(s.j % 50 = 7)"
SESSION = {
    "id": KEY % 5,
    "reservation_id": RESERVATION_KEY,
    "instrument_id": "b.id",
    "unit": UNIT,
    "checked_in_at": "c.starts_at + make_interval(secs => (s.j * 37 % 600))",
    "checked_out_at": f"{END} - make_interval(secs => (s.j * 53 % 900))",
    "service_mode": "'self'",
}


def _closures(now: datetime) -> str:
    """Of each instrument a breakdown of some hours and two days of maintenance in the year."""
    return f"""
        INSERT INTO bookings_closure
            (id, instrument_id, units, kind, start_at, end_at, reason, created_by_id, created_at,
             version)
        SELECT gen_random_uuid(), p.id, '{{}}',
            (ARRAY['breakdown', 'maintenance', 'calibration'])[o],
            t.start, t.start + make_interval(hours => 4 * o), '',
            (SELECT id FROM bench_user LIMIT 1), t.start, 1
        FROM bench_place p, generate_series(1, 3) o, LATERAL (
            SELECT '{now.isoformat()}'::timestamptz - make_interval(
                hours => (p.n * 7919 + o * 2741)::int % 8000 + 24) AS start
        ) t
    """


def _insert(model: Any, values: Mapping[str, str], now: datetime) -> str:
    """All bookings as rows of a table; a column without an expression takes its default."""
    from bookings.models import UsageSession

    columns = {f.column: values.get(f.attname) or _usual(f) for f in model._meta.concrete_fields}
    expressions = ", ".join(columns.values()).replace("{now}", f"'{now.isoformat()}'::timestamptz")
    return f"""
        INSERT INTO {model._meta.db_table} ({", ".join(columns)})
        WITH longest AS (SELECT max(past) AS past, max(coming) AS coming FROM bench_place)
        SELECT {expressions}
        FROM (
            SELECT l.past - j AS n, j, false AS is_coming
            FROM longest l, generate_series(l.past - 1, 0, -1) j
            UNION ALL
            SELECT l.past + 1 + j, j, true FROM longest l, generate_series(0, l.coming - 1) j
        ) s
        JOIN LATERAL (
            SELECT * FROM bench_place p WHERE NOT s.is_coming AND p.past > s.j
            UNION ALL
            SELECT * FROM bench_place p WHERE s.is_coming AND p.coming > s.j
        ) b ON true
        JOIN bench_cell c ON c.schedule_id = b.schedule_id AND c.is_coming = s.is_coming
            AND c.place = CASE WHEN s.is_coming THEN s.j * b.step
                ELSE floor(s.j::float8 * b.past_cells / b.past)::int END
        JOIN bench_user u ON u.number = CASE WHEN s.j % 2 = 0 THEN b.host_user + s.j % 8
            ELSE (b.n * 7919 + s.j * 104729) % (SELECT count(*) FROM bench_user) END
        {"WHERE NOT s.is_coming AND NOT " + IS_MISSED if model is UsageSession else ""}
    """


def _usual(field: Any) -> str:
    """A field's default as the database says it."""
    from django.db import connection
    from psycopg import sql

    is_stated = field.has_db_default() and not field.has_default()
    given = getattr(field.db_default, "value", field.db_default) if is_stated else field.get_default()
    value = field.get_db_prep_save(given, connection)
    connection.ensure_connection()
    return sql.Literal(value).as_string(connection.connection)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--instruments", type=int, default=100_000)
    parser.add_argument("--bookings", type=int, default=5_000_000)
    parser.add_argument("--with-use", action="store_true", help="past ones with sessions, too")
    parser.add_argument("--whole", action="store_true", help="with use, money, people and a trail")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from instruments.register.models import Instrument

    call_command("migrate", verbosity=0)
    if Instrument.objects.exists():
        parser.error("the database already has instruments; name an empty one in DATABASE_URL")
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with_use = asked.with_use or asked.whole
    build(asked.instruments, asked.bookings, now=now, say=print, with_use=with_use)
    if asked.whole:
        from tests.benchmarks.money import Amounts, add_money

        add_money(Amounts(), now=now, say=print)


if __name__ == "__main__":
    main()
