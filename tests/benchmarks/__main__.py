"""Measures the main job on this machine: `make bench`.

Builds a small world in a database of its own, then lets several threads, each on a connection of
its own, do the same act for a while. Prints a table and writes `.local/bench.json`. Nothing here
is asserted: a busy machine is not a broken one.
"""

import json
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

CLIENTS = 8
SECONDS = 8.0
INSTRUMENTS = 200


def own_database() -> None:
    """A fresh database `bench` on the server that DATABASE_URL names."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
        connection.execute("CREATE DATABASE bench")
    os.environ["DATABASE_URL"] = urlunsplit(parts._replace(path="/bench"))


def measure(name: str, act: Callable[[int], Any]) -> dict[str, Any]:
    """`act(n)` by CLIENTS threads for SECONDS; n never repeats."""
    from django.db import connections

    numbers, taken = count(), []
    until = time.monotonic() + SECONDS

    def client() -> None:
        while time.monotonic() < until:
            started = time.perf_counter()
            act(next(numbers))
            taken.append(time.perf_counter() - started)
        connections.close_all()

    act(next(numbers))  # a first one, not counted, fills caches
    taken.clear()
    with ThreadPoolExecutor(CLIENTS) as pool:
        for future in [pool.submit(client) for _ in range(CLIENTS)]:
            future.result()
    quantiles = statistics.quantiles(taken, n=100)
    return {
        "work": name,
        "clients": CLIENTS,
        "done": len(taken),
        "per_second": round(len(taken) / SECONDS, 1),
        "p50_ms": round(quantiles[49] * 1000, 1),
        "p95_ms": round(quantiles[94] * 1000, 1),
        "p99_ms": round(quantiles[98] * 1000, 1),
    }


def main() -> None:
    own_database()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["LOG_LEVEL"] = "ERROR"
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    # Nudging a broker is not what is measured, and there may be none.
    settings.CELERY_BROKER_URL = "memory://"
    call_command("migrate", verbosity=0)
    rows = [measure(name, act) for name, act in acts().items()]
    print(f"{'work':44} {'per second':>10} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8}")
    for row in rows:
        print(
            f"{row['work']:44} {row['per_second']:>10} {row['p50_ms']:>8} {row['p95_ms']:>8}"
            f" {row['p99_ms']:>8}"
        )
    out = Path(".local/bench.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(f"{CLIENTS} threads in one process, {SECONDS:.0f} s each; also in {out}")


def acts() -> dict[str, Callable[[int], Any]]:
    """The world, and what is done in it."""
    from bookings.domain.periods import Period
    from bookings.selectors.availability import load_calendar
    from bookings.selectors.catalogue import load_offers
    from bookings.services.reservations import Booking, reservation_request
    from instruments.domain.criteria import Criteria
    from instruments.selectors.registry import instrument_by_id
    from instruments.selectors.search import search
    from tests.factories.cast import NOW, at, build_cast

    always = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}
    cast = build_cast()
    instruments = [
        cast.instrument(name=f"Instrument {i:03d}", hours=always, now=NOW - timedelta(days=30))
        for i in range(INSTRUMENTS)
    ]
    wang, start = cast.actor("wang"), at("2026-03-06 00:00")

    def booking(n: int) -> Booking:
        begins = start + timedelta(hours=n // INSTRUMENTS)
        return Booking(
            instrument_id=instruments[n % INSTRUMENTS].pk,
            period=Period(begins, begins + timedelta(hours=1)),
            organisation=None,
            service_mode="self",
        )

    week = Period(start, start + timedelta(days=7))

    def one_week(n: int) -> None:
        found = instrument_by_id(wang, instruments[n % INSTRUMENTS].pk)
        calendar = load_calendar(found, week, NOW)
        assert calendar is not None
        calendar.starts(minutes=60, price_group="external", within=week, now=NOW)

    def page(n: int) -> None:
        load_offers(list(search(wang, Criteria(text="instrument"))[:18]), cast.fudan, NOW)

    return {
        "reserve: rules, fee, trail, outbox": lambda n: reservation_request(
            actor=wang, booking=booking(n), now=NOW
        ),
        "one instrument's week of free starts": one_week,
        "catalogue page of 18 of 200, next slots": page,
    }


if __name__ == "__main__":
    main()
