"""Measures the platform on this machine: `make bench`.

Builds a world in a database `bench` of its own on the server that DATABASE_URL names, measures
one act after the other in it, prints a table and writes `.local/bench.json`. Nothing here is
asserted: a busy machine is not a broken one.

Rows "over HTTP" are what a client gets: the whole platform runs as `make run` starts it, with a
database that loses nothing, broker, workers and beat; each request brings a token, each that writes
an Idempotency-Key. Rows "in process" are calls of services and views without a server around them,
and with a broker in memory: they say where time goes, not what a client gets.

Without ARGS the rows over HTTP are measured, in less than ten minutes. `ARGS="--only NAME"`
measures what has this in its name, of all rows; `ARGS=--all` everything, also the trail and whether
a long history makes booking slower; `ARGS=--full` the same with a hundred thousand instruments and
five million bookings, which takes about a quarter of an hour more. `ARGS="--peer FILE"` asks,
besides, another server that FILE describes, when ours has stopped. `ARGS=--pages` measures none of
this, but every page and every GET of the API by every role (`tests.benchmarks.pages`).
"""

import argparse
import gc
import json
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

if TYPE_CHECKING:
    from tests.benchmarks.measuring import Row
    from tests.benchmarks.serving import Platform

CLIENTS = 8
STAMPEDE = 20
OVER_HTTP = "over HTTP: "
PEER = "peer: "
IN_PROCESS = "in process, no HTTP: "
OUT = Path(".local/bench.json")


@dataclass(frozen=True)
class Sizes:
    """instruments, bookings: of the world most is measured in; flat_instruments, flat: of those
    that differ only in how much lies in the past; seconds of each measurement, over HTTP and in
    process; rounds of the race; entries of the trail; clients that ask at once over HTTP."""

    instruments: int
    bookings: int
    flat_instruments: int
    flat: tuple[int, ...]
    http_seconds: float
    seconds: float
    rounds: int
    entries: int
    clients: int = CLIENTS


SMALL = Sizes(4_000, 200_000, 2_000, (10_000, 300_000), 10, 3, 200, 100_000)
FULL = Sizes(100_000, 5_000_000, 20_000, (10_000, 1_000_000, 10_000_000), 20, 10, 1_000, 1_000_000)


def main() -> None:
    asked = _arguments()
    sizes = FULL if asked.full else SMALL
    for name in ("instruments", "bookings", "entries", "clients"):
        if getattr(asked, name) is not None:
            sizes = replace(sizes, **{name: getattr(asked, name)})
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    address = os.environ["DATABASE_URL"]
    rows: list[Row] = []
    promises: dict[str, str] = {}
    _prepare(address, asked.database)
    if asked.pages:
        from tests.benchmarks.pages import report

        if not asked.keep:
            _world(address, asked.database, sizes.instruments, sizes.bookings, now, with_use=True)
        report(asked.only)
        return
    worlds = [(sizes.instruments, sizes.bookings, _rows_of_the_world)]
    if asked.peer:
        worlds.append((0, 0, _rows_of_the_peer(asked.peer, now)))
    worlds += [(sizes.flat_instruments, size, _flat(size)) for size in sizes.flat]
    only = (asked.only.lower(),) if asked.only or asked.all or asked.full else (OVER_HTTP.lower(), PEER)
    for instruments, bookings, rows_of in worlds:
        with ExitStack() as running:
            parts = rows_of(sizes, now, running)
            wanted = [part for part in parts if any(name in part[0].lower() for name in only)]
            if not wanted:
                continue
            if instruments and not asked.keep:
                _world(address, asked.database, instruments, bookings, now)
            if instruments:
                promises = _promises()
            for name, measure in wanted:
                if name.startswith(IN_PROCESS):
                    running.close()  # no server takes its time from them
                gc.collect()
                gc.freeze()  # as the web process does, when it has loaded
                print(f"... {name}", flush=True)
                rows.append(measure())
                _say(rows[-1:])
    print()
    places = {row.work: place for place, row in enumerate(rows)}
    rows.sort(key=lambda row: places.get(row.work.replace(PEER, OVER_HTTP), places[row.work]))
    _say(rows)
    OUT.parent.mkdir(exist_ok=True)
    facts = {"at": now.isoformat(), "processors": os.cpu_count(), "python": platform.python_version()}
    OUT.write_text(
        json.dumps(facts | promises | {"rows": [row.as_json() for row in rows]}, indent=1), encoding="utf-8"
    )
    print(f"\n{os.cpu_count()} processors; " + ", ".join(f"{k} {v}" for k, v in promises.items()))
    print(f"also in {OUT}")


def _promises() -> dict[str, str]:
    """What the database promises to keep."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings"
            " WHERE name IN ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes')"
        )
        return dict(cursor.fetchall())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures the platform on this machine.")
    parser.add_argument("--full", action="store_true", help="100,000 instruments, 5 M bookings")
    parser.add_argument("--all", action="store_true", help="also what is no request over HTTP")
    parser.add_argument("--instruments", type=int, help="so many, whatever the size")
    parser.add_argument("--bookings", type=int, help="so many, whatever the size")
    parser.add_argument("--entries", type=int, help="so many in the trail, whatever the size")
    parser.add_argument("--clients", type=int, help="so many at once, over HTTP")
    parser.add_argument("--only", default="", help="only what has this in its name, of all")
    parser.add_argument("--pages", action="store_true", help="each page by each role instead")
    parser.add_argument("--peer", type=Path, help="also another server, which this file describes")
    parser.add_argument("--database", default="bench", help="dropped and made anew")
    parser.add_argument("--keep", action="store_true", help="measure in the database as it is; for --only")
    return parser.parse_args()


def _prepare(address: str, database: str) -> None:
    """Settings for measuring, in the database of our own, which may not be there yet."""
    os.environ["DATABASE_URL"] = urlunsplit(urlsplit(address)._replace(path=f"/{database}"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["LOG_LEVEL"] = "ERROR"
    import django

    django.setup()
    from django.conf import settings
    from rest_framework.throttling import SimpleRateThrottle

    # Nudging a broker is not what is measured, and there may be none; nor is one client asking
    # as often as it can.
    settings.CELERY_BROKER_URL = "memory://"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.ALLOWED_HOSTS = ["*"]
    SimpleRateThrottle.THROTTLE_RATES = {"anon": None, "user": None}


def _world(
    address: str, database: str, instruments: int, bookings: int, now: datetime, *, with_use: bool = False
) -> None:
    """A fresh database with so much in it; `with_use`: with sessions and their hours too."""
    from django.core.management import call_command
    from django.db import connections

    from bookings.hours.services.hours import hours_roll_up
    from tests.benchmarks.volume import build

    connections.close_all()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{database}"')
    print(f"{instruments:,} instruments, {bookings:,} bookings:", flush=True)
    call_command("migrate", verbosity=0)
    say = partial(print, flush=True)
    build(instruments, bookings, now=now, say=say, with_use=with_use)
    if with_use:
        hours_roll_up(since=None, until=None, now=now)


type Part = tuple[str, Callable[[], "Row"]]


def _rows_of_the_world(sizes: Sizes, now: datetime, running: ExitStack) -> Iterator[Part]:
    from tests.benchmarks import http
    from tests.benchmarks.serving import serving

    def platform() -> "Platform":
        return running.enter_context(serving())

    for name, measure in http.rows(platform, lambda: http.World(now), **_as_clients(sizes)):
        yield OVER_HTTP + name, partial(_named, OVER_HTTP, measure)
    for name, measure in _in_process(sizes, now):
        yield IN_PROCESS + name, partial(_named, IN_PROCESS, measure)


def _rows_of_the_peer(path: Path, now: datetime) -> Callable[[Sizes, datetime, ExitStack], Iterator[Part]]:
    from tests.benchmarks import http
    from tests.benchmarks.peer import described

    peer = described(path, now)

    def rows(sizes: Sizes, now: datetime, running: ExitStack) -> Iterator[Part]:
        of = http.rows(lambda: peer, lambda: peer, asks=peer.asks, **_as_clients(sizes))
        for name, measure in of:
            yield PEER + name, partial(_named, PEER, measure)

    return rows


def _as_clients(sizes: Sizes) -> dict[str, Any]:
    return {
        "seconds": sizes.http_seconds,
        "clients": sizes.clients,
        "people": STAMPEDE,
        "rounds": sizes.rounds // 4,
    }


def _named(prefix: str, measure: Callable[[], "Row"]) -> "Row":
    row = measure()
    row.work = prefix + row.work
    return row


def _in_process(sizes: Sizes, now: datetime) -> Iterator[Part]:
    from tests.benchmarks import acts, trail
    from tests.benchmarks.measuring import raced, repeated

    seconds = sizes.seconds

    def reserve() -> "Row":
        return repeated(
            "reserve: rules, fee, trail, outbox",
            acts.Reserving(now).one,
            seconds=seconds,
            clients=CLIENTS,
            wanted=">= 200/s, p95 <= 100 ms, <= 14 statements",
        )

    def race() -> "Row":
        return raced(
            f"{STAMPEDE} people, one slot",
            acts.Reserving(now).same,
            clients=STAMPEDE,
            rounds=sizes.rounds,
            wanted="one winner, p99 <= 250 ms",
        )

    def week() -> "Row":
        act, bookings = acts.one_week(now)
        return repeated(
            f"one instrument's week, {bookings:.0f} bookings",
            act,
            seconds=seconds,
            clients=CLIENTS,
            wanted=">= 300/s, <= 4 statements",
        )

    def board() -> "Row":
        act, bookings = acts.all_weeks(now)
        return repeated(
            f"200 instruments' week, {bookings} bookings",
            act,
            seconds=seconds,
            wanted="<= 150 ms, <= 5 statements",
        )

    def search(name: str, wanted: str, clients: int = 1, **query: Any) -> Part:
        work = f"catalogue: {name}"
        return work, lambda: repeated(
            work,
            acts.Asking().get(**query),
            seconds=seconds,
            clients=clients,
            signing_in=acts.SIGNING_IN,
            wanted=wanted,
        )

    def searching() -> "Row":
        return repeated(
            "search with facets, words of all kinds",
            acts.search_with_facets,
            seconds=seconds,
            wanted="p95 <= 50 ms, <= 2 statements",
        )

    page, nothing = "p95 <= 80 ms, <= 6 statements", "about 1 s"
    day = acts.midnight(now)
    coming = {"free_from": day + acts.DAY, "free_until": day + 8 * acts.DAY, "minutes": 60}
    morning = {
        "free_from": day + acts.DAY + acts.HOUR,
        "free_until": day + acts.DAY + 4 * acts.HOUR,
        "minutes": 180,
    }
    yield "reserve", reserve
    yield "one instrument's week", week
    yield "200 instruments' week", board
    yield search("50, next slots", page)
    yield search("50 free in a week", page, **coming)
    yield search("50 free in three hours", page, **morning)
    yield search("50 free, technique, region", page, region="DE", technique="BENCH03", **coming)
    yield search("50 free, words", page, q="zeiss microscope", **coming)
    yield search("50 free, at most a price", page, max_price=100, **coming)
    yield search("50 nearest to words", page, q="zeiss microscope")
    yield search("50 nearest to a mistyped word", page, q="zeiss mikroscope")
    yield search("50 nearest to 质谱", page, q="质谱")
    yield "search", searching
    yield search("nothing is so long free", nothing, **(coming | {"minutes": 1800}))
    yield search("nothing is so cheap", nothing, max_price=1, **coming)
    yield search("50 free in a week, many at once", "", CLIENTS, **coming)
    yield "20 people, one slot", race
    yield "trail: seal", lambda: trail.sealed(sizes.entries)
    yield "trail: verify", trail.verified
    yield "trail: bundle", trail.bundled
    for name in trail.READS:
        yield f"trail: read {name}", partial(trail.read, name, seconds)


def _flat(size: int) -> Callable[[Sizes, datetime, ExitStack], Iterator[Part]]:
    """Reserving, as in the table, in a world with so many bookings; asked for by `--only after`."""

    def rows(sizes: Sizes, now: datetime, running: ExitStack) -> Iterator[Part]:
        from tests.benchmarks import http
        from tests.benchmarks.serving import serving

        work = f"reserve over HTTP after {size:,} bookings"
        (_, measure), *_ = http.rows(
            lambda: running.enter_context(serving()),
            lambda: http.World(now),
            seconds=sizes.http_seconds, clients=CLIENTS, people=0, rounds=0,
        )  # fmt: skip

        def measured() -> "Row":
            row = measure()
            row.work, row.wanted = work, "the same, whatever the history"
            return row

        yield work, measured

    return rows


def _say(rows: list["Row"]) -> None:
    print(
        f"{'work':60} {'clients':>7} {'n':>6} {'stmts':>5} {'per s':>8} {'p50 ms':>8}"
        f" {'p95 ms':>8} {'p99 ms':>8}  wanted"
    )
    for row in rows:
        statements = "" if row.statements is None else row.statements
        print(
            f"{row.work:60} {row.clients:>7} {row.n:>6} {statements:>5} {row.per_second:>8}"
            f" {row.p50_ms:>8} {row.p95_ms:>8} {row.p99_ms:>8}  {row.wanted}"
        )
        for name, value in row.more.items():
            print(f"    {name}: {value}")


if __name__ == "__main__":
    main()
