"""Several people at the same moment, each on a connection of their own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, connections

from accounts.domain.errors import Refused
from accounts.models import TrailEntry
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Occupancy, Reservation
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import COUNTED, OCCUPYING
from instruments.register.models import Instrument
from tests.factories.cast import at

ALWAYS = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}
FIRST = at("2026-03-06 08:00")
HOUR = timedelta(hours=1)


class Race:
    """Runs acts at the same moment. Connections are kept between races, as a server keeps them.

    A refusal is a result; any other exception (a deadlock, a broken constraint) is raised.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.pool = ThreadPoolExecutor(most)

    def __call__(self, acts: Sequence[Callable[[], Any]]) -> list[Any]:
        barrier = threading.Barrier(len(acts))

        def run(act: Callable[[], Any]) -> Any:
            connections["default"].ensure_connection()
            barrier.wait(timeout=60)
            return _outcome(act)

        return [f.result(timeout=120) for f in [self.pool.submit(run, act) for act in acts]]

    def start(self, act: Callable[[], Any]) -> Future[Any]:
        """One act alone, without waiting for what it comes to."""
        return self.pool.submit(_outcome, act)

    def close(self) -> None:
        everybody = threading.Barrier(self.most)

        def leave() -> None:
            everybody.wait(timeout=60)
            connections.close_all()

        for left in [self.pool.submit(leave) for _ in range(self.most)]:
            left.result(timeout=120)
        self.pool.shutdown()


def _outcome(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except Refused as refused:
        return refused


def time_of(round_: int) -> tuple[datetime, datetime]:
    """The start of a round, and a `now` two days before it."""
    start = FIRST + timedelta(hours=4 * round_)
    return start, start - timedelta(days=2)


def booking(instrument: Instrument, start: datetime, hours: float = 1, **values: Any) -> Booking:
    return Booking(
        instrument_id=instrument.pk,
        period=Period(start, start + hours * HOUR),
        organisation=None,
        service_mode="self",
        **values,
    )


def codes(results: Sequence[Any]) -> list[str]:
    """What the refused ones heard, in alphabetical order."""
    heard = []
    for result in results:
        if isinstance(result, Refused):
            refusals = getattr(result, "refusals", None)
            heard += sorted({r.code for r in refusals}) if refusals else [result.code]
    return sorted(heard)


def won(results: Sequence[Any]) -> list[Any]:
    return [result for result in results if not isinstance(result, Refused)]


def overlaps() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM bookings_occupancy a JOIN bookings_occupancy b"
            " ON a.instrument_id = b.instrument_id AND a.unit = b.unit AND a.id < b.id"
            " AND a.span && b.span"
        )
        return int(cursor.fetchone()[0])


def consistent() -> None:
    """No overlap; a row for each booking that occupies, on its unit and its time; as many
    entries in the trail as versions."""
    assert overlaps() == 0
    rows = {row.reservation_id: row for row in Occupancy.objects.exclude(reservation=None)}
    entries: dict[Any, int] = {}
    for pk in TrailEntry.objects.filter(action__startswith="reservation.").values_list(
        "object_id", flat=True
    ):
        entries[pk] = entries.get(pk, 0) + 1
    for made in Reservation.objects.all():
        row = rows.get(made.pk)
        assert (row is not None) == (made.state in OCCUPYING or made.state == "completed")
        if row is not None and made.state in {"held", "requested", "confirmed"}:
            blocked = Period(made.start_at, made.end_at).padded(made.setup_minutes, made.teardown_minutes)
            assert (row.unit, row.span.lower, row.span.upper) == (made.unit, blocked.start, blocked.end)
        assert made.version == entries[made.pk]


def counted(instrument: Instrument, **values: Any) -> int:
    return Reservation.objects.filter(instrument=instrument, state__in=COUNTED, **values).count()
