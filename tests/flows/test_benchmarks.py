"""The driver of the benchmarks works against a real server: one short round over HTTP. How fast
that is, nobody asserts."""

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs

import pytest
from django.utils import timezone

from accounts.domain.roles import By
from accounts.models import RoleGrant
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Reservation
from bookings.record.domain.periods import Period
from bookings.reserving.services.reservations import reservation_request
from tests.benchmarks import acts, http, pages, peer
from tests.benchmarks.driver import Ask, Server
from tests.benchmarks.measuring import FORK, by_processes
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
        "list by words",
        "list by name",
        "list with filters",
        "list by price",
    ]
    for _, ask, values, _ in http.ROWS:
        world.skip_booked()
        act = server.act(ask, values(world, server))
        taken, _, outcomes = by_processes(act, 1, 60, most=2)
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


class Desk(BaseHTTPRequestHandler):
    """A server of one process that says 200 to whoever asks and writes what came of it into its
    body; at `/careless/` it gives a slot to everybody."""

    protocol_version = "HTTP/1.1"
    now = timezone.now()  # one moment for it and for whoever asks, so that no midnight comes between
    taken: ClassVar[dict[tuple[str, str], str]] = {}

    def do_GET(self) -> None:
        if self.path == "/taken":
            self.answer(json.dumps(sorted(set(self.taken.values()))))
        else:
            is_coming = self.path == f"/week/2?day={acts.midnight(self.now) + acts.DAY:%Y-%m-%d}"
            self.answer("a week" if is_coming else "nothing")

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        slot = (form["tool"][0], form["start"][0])
        is_free = self.path == "/careless/" or slot not in self.taken
        self.taken[slot] = self.headers["Cookie"]
        self.answer("" if is_free and self.headers["Content-Type"] == "x/form" else "is taken")

    def answer(self, text: str) -> None:
        self.close_connection = True  # others want to be heard too
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Nothing."""


# Forked with the thread of `live_server`, which none of them uses.
FORKED = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


@pytest.fixture
def desk() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Desk) as server:
        process = FORK.Process(target=server.serve_forever, daemon=True)
        process.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        process.terminate()
        process.join()


@pytest.fixture
def description(desk: str) -> dict[str, Any]:
    reserve = {
        "method": "POST",
        "path": "/bookings/",
        "body": "tool=$instrument&start=$start_unix",
        "headers": {"Cookie": "session=$session", "Content-Type": "x/form"},
    }
    return {
        "base": desk,
        "free_from": "2027-03-01T00:00:00Z",
        "instruments": ["1", "2"],
        "busiest": ["2"],
        "people": [{"session": "a"}, {"session": "b"}],
        "rows": {
            "reserve": reserve | {"answers": "^$"},
            "refused, the slot is taken": reserve | {"answers": "taken"},
            "one instrument's week": {
                "method": "GET",
                "path": "/week/$instrument?day=$start_date",
                "answers": "a week",
            },
        },
    }


def other(tmp_path: Path, description: dict[str, Any]) -> peer.Peer:
    path = tmp_path / "peer.json"
    path.write_text(json.dumps(description), encoding="utf-8")
    return peer.described(path, Desk.now)


@FORKED
def test_another_server_gives_the_rows_it_is_described_for(
    description: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TAKEN", 2)
    monkeypatch.setattr(http, "MOST", 3)
    there = other(tmp_path, description)
    measures = dict(
        http.rows(lambda: there, lambda: there, asks=there.asks, seconds=60, clients=1, people=2, rounds=3)
    )
    assert list(measures) == [
        "reserve",
        "refused, the slot is taken",
        "one instrument's week",
        "2 people, one slot",
    ]
    for name in list(measures)[:3]:
        row = measures[name]()
        assert (row.work, row.n, row.wanted, row.more["errors"]) == (name, 3, "", {})
    _, people = there.server().send(Ask("GET", "/taken"), {})
    assert json.loads(people) == ["session=a", "session=b"]
    race = measures["2 people, one slot"]()
    assert race.more["outcomes"] == {"won": 3, "200 with another body": 3}
    assert (race.more["rounds without one winner"], race.more["rounds double-booked"]) == (0, 0)


@FORKED
def test_a_slot_given_twice_is_counted(description: dict[str, Any], tmp_path: Path) -> None:
    description["rows"]["reserve"]["path"] = "/careless/"
    there = other(tmp_path, description)
    *_, (_, race) = http.rows(
        lambda: there, lambda: there, asks=there.asks, seconds=1, clients=1, people=3, rounds=2
    )
    assert race().more["rounds double-booked"] == 2


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"base": "ftp://127.0.0.1"}, "is not like http://host:port"),
        ({"rows": {"reserves": {}}}, "'reserves'] are no rows of the table"),
        ({"rows": {"reserve": {"verb": "GET"}}}, "verb"),
        ({"people": []}, "neither people nor instruments"),
        ({"free_from": "soon"}, "soon"),
        ({"tools": []}, "needed: "),
    ],
)
@FORKED
def test_a_wrong_description_ends_with_what_is_wrong(
    description: dict[str, Any], tmp_path: Path, changed: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(SystemExit, match=r"peer\.json: .*" + re.escape(complaint)):
        other(tmp_path, description | changed)


def test_each_page_is_asked_by_those_who_may_read_it_and_nothing_stays(world: http.World) -> None:
    before = RoleGrant.objects.count()
    answers, lacking = pages.measure("bookings:money-charges", "", 30)
    assert lacking == [
        f"bookings:money-charges-{name} (researcher, manager, finance, auditor): there is no {word}"
        for name, word in (("one", "charge"), ("replay", "replayed"))
    ]
    assert {(a.page, a.who, a.status) for a in answers} == {
        ("bookings:money-charges", who, "200") for who in pages.ROLES if who != "anybody"
    }
    answers, lacking = pages.measure("bookings:reservation", "", 30)
    assert lacking == []
    assert {a.who: a.status for a in answers} == dict.fromkeys(
        ("researcher", "manager", "finance", "auditor"), "200"
    )
    assert all(a.statements and a.ms and len(a.times) == 4 for a in answers)
    assert RoleGrant.objects.count() == before


def test_a_request_ends_when_it_takes_too_long(world: http.World) -> None:
    answers, _ = pages.measure("bookings:mine", "researcher", 0)
    assert [(a.status, a.is_as_listed) for a in answers] == [("over 0 s", False)]
