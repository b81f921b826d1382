"""Measures hours: a year rolled up from nothing, and how fast its figures are read.

`DATABASE_URL=... python -m tests.benchmarks.hours [--build] [--workers 2]`, in a database that
`tests.benchmarks.volume --with-use` built, or in an empty one with `--build`.
"""

import argparse
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

INSTRUMENTS, BOOKINGS = 100_000, 6_000_000  # of them 5 million past, with a session


def forget() -> None:
    """As if nothing had ever been rolled up."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE bookings_instrumentday, bookings_instrumentdayuse, bookings_facilitymonth,"
            " bookings_facilityyear, bookings_facilityday, bookings_facilityuse,"
            " bookings_facilitybookings, bookings_facilitylead, bookings_bookingsread,"
            " bookings_instrumentmonth, bookings_instrumentyear,"
            " bookings_dirtyday, bookings_dirtymonths, bookings_rollup"
        )


def server_seconds() -> float:
    """Seconds of processor that the server's end of this connection has used, where it runs on
    this machine: what a busy machine does not falsify."""
    from django.db import connection

    connection.ensure_connection()
    stat = Path(f"/proc/{connection.connection.info.backend_pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rolled_up(workers: int, now: datetime) -> float:
    """Seconds that so many workers take together, from nothing."""
    from django.db import connections

    from bookings.hours.services.hours import hours_roll_up
    from tests.benchmarks.measuring import FORK

    forget()
    connections.close_all()

    def work() -> None:
        began = time.monotonic()
        result = hours_roll_up(since=None, until=None, now=now)
        print(
            f"    a worker: {result}, {time.monotonic() - began:.1f} s,"
            f" of them {server_seconds():.1f} s of the server's processor",
            flush=True,
        )
        connections.close_all()

    started = time.monotonic()
    processes = [FORK.Process(target=work) for _ in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return time.monotonic() - started


def reading(now: datetime) -> list[Any]:
    """What pages ask: a year by region, a month in all."""
    from bookings.hours.selectors.hours import hours
    from bookings.hours.selectors.norms import load_norms
    from instruments.register.models import Facility, Instrument
    from tests.benchmarks.measuring import repeated

    year, month = date(now.year, 1, 1), (now.replace(day=1) - timedelta(days=1)).date()
    everything = Instrument.objects.all()
    norms = load_norms("nrii")

    def reads(by: list[str], since: date, until: date) -> Any:
        return lambda n: hours(
            instruments=everything,
            facilities=Facility.objects.all(),
            since=since,
            until=until,
            by=by,
            norms=norms,
        )

    ahead = (now.replace(day=1) + timedelta(days=32)).replace(day=1).date()
    month_began, month_ended = month.replace(day=1), month + timedelta(days=1)
    return [
        repeated(work, act, seconds=5, wanted=wanted)
        for work, act, wanted in (
            ("a year of hours by region", reads(["region"], year, ahead), "<= 200 ms"),
            ("a year of hours by region and month", reads(["region", "month"], year, ahead), ""),
            (
                "a month of hours over all instruments",
                reads([], month_began, month_ended),
                "<= 100 ms, <= 5 statements",
            ),
            (
                "a month of hours by organisation",
                reads(["organisation"], month_began, month_ended),
                "<= 100 ms, <= 5 statements",
            ),
        )
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--build", action="store_true", help="instruments and bookings first")
    parser.add_argument("--instruments", type=int, default=INSTRUMENTS)
    parser.add_argument("--bookings", type=int, default=BOOKINGS)
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    parser.add_argument("--only-read", action="store_true", help="of what is rolled up")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["LOG_LEVEL"] = "ERROR"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from bookings.models import UsageSession
    from tests.benchmarks.__main__ import _say
    from tests.benchmarks.volume import build

    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    if asked.build:
        call_command("migrate", verbosity=0)
        build(asked.instruments, asked.bookings, now=now, say=print, with_use=True)
    if not asked.only_read:
        sessions = UsageSession.objects.count()
        for workers in asked.workers:
            print(f"load before: {os.getloadavg()[0]:.1f}")
            seconds = rolled_up(workers, now)
            print(
                f"{sessions:,} sessions rolled up from nothing by {workers} workers:"
                f" {seconds:.1f} s, {sessions / seconds:,.0f} a second",
                flush=True,
            )
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    _say(reading(now))


if __name__ == "__main__":
    main()
