"""The driver of the benchmarks works against a real server: one short round over HTTP. How fast
that is, nobody asserts."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from accounts.domain.roles import By
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Reservation
from bookings.record.domain.periods import Period
from bookings.reserving.services.reservations import reservation_request
from tests.benchmarks import acts, http
from tests.benchmarks.driver import Ask, Server
from tests.benchmarks.measuring import by_processes
from tests.factories.cast import Cast

ALWAYS = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}

OPEN_TO_ALL = {"service_modes": ["assisted"], "policy": {"horizon_days": {"external": 60}}}


@pytest.fixture
def server(live_server: Any) -> Iterator[Server]:
    server = Server(live_server.thread.host, live_server.thread.port)
    yield server
    server.close()


@pytest.fixture
def world(real_cast: Cast) -> http.World:
    always = real_cast.instrument(name="Always", hours=ALWAYS, **OPEN_TO_ALL)
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    tomorrow = acts.midnight(now) + 2 * acts.DAY
    reservation_request(
        By(real_cast.actor("wang"), now),
        booking=Booking(always.pk, Period(tomorrow, tomorrow + acts.HOUR), None, "assisted"),
    )
    return http.World(now)


def test_every_row_gets_the_answer_it_expects(
    world: http.World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TAKEN", 2)
    assert [name for name, *_ in http.ROWS] == [
        "reserve",
        "refused, the slot is taken",
        "one instrument's week",
        "catalogue API, 50 free, my price",
        "fifty matches of a need",
        "the catalogue's page",
    ]
    for _, ask, values, _ in http.ROWS:
        world.skip_booked()
        act = server.act(ask, values(world, server))
        taken, _, outcomes = by_processes(act, 1, 10, most=2)
        assert (len(taken), outcomes) == (2, {"": 2})


def test_one_wins_a_race(world: http.World, server: Server) -> None:
    before = Reservation.objects.count()
    act = http.winning(server, world)
    assert [act(client, 0) for client in range(3)] == ["won", "409 slot-taken", "409 slot-taken"]
    assert Reservation.objects.count() == before + 1


def test_what_is_not_expected_is_an_error_with_its_code(server: Server) -> None:
    nothing = Ask("GET", "/api/v1/instruments/$instrument/")
    act = server.act(nothing, lambda n: {"instrument": f"{n:08}-0000-7000-8000-000000000000"})
    assert act(1) == "404 not-found"
    gone = Server("127.0.0.1", 1).act(nothing, lambda n: {"instrument": "x"})
    assert gone(1) == "ConnectionRefusedError"
