"""Another server takes over while people book, over HTTP: what was confirmed is there afterwards,
and nobody reads of a failure of ours."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import psycopg
import requests

from tests.flows.installation import HOST, Installation, make_database, served, until
from tests.system.clusters import pair, trio

# The cast of the tests, as of now: an instrument and a token for each of three who book.
PEOPLE = """
import json
from datetime import UTC, datetime, timedelta
from tests.factories import moments
moments.NOW = now = datetime.now(UTC)
from accounts.services.tokens import SCOPES, token_issue
from tests.concurrency.races import ALWAYS
from tests.factories.cast import build_cast
from instruments.vocabulary.models import Technique
Technique.objects.filter(code="PaNET01198").update(code="of the vocabulary")
cast = build_cast()
print(json.dumps([
    (
        token_issue(
            user=cast.people[name], label="books", lifetime=timedelta(days=9), now=now,
            scopes=SCOPES,
        )[1],
        str(cast.instrument(name=f"Always, for {name}", hours=ALWAYS).pk),
    )
    for name in ("wang", "sun", "hu")
]))
"""
AT_ONCE = dict.fromkeys(("THROTTLE_USER", "THROTTLE_WRITES", "THROTTLE_ADDRESS"), "1000000/min")


class Booker(Thread):
    """Books one half hour after the other. Whoever cannot know whether it was booked asks again
    with the same key, until an answer says so."""

    def __init__(self, address: str, token: str, instrument: str) -> None:
        super().__init__(daemon=True)
        self.address, self.instrument = f"{address}/api/v1/reservations/", instrument
        self.headers = {"Host": HOST, "X-Forwarded-Proto": "https"}
        self.headers |= {"Authorization": f"Bearer {token}"}
        self.booked: dict[str, float] = {}  # when it was confirmed
        self.unsure = 0
        self.wrong: list[tuple[int, str]] = []
        self.enough = Event()

    def run(self) -> None:
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
        while not self.enough.is_set():
            start += timedelta(minutes=30)
            self.book(start, str(uuid4()))

    def book(self, start: datetime, key: str) -> None:
        end = (start + timedelta(minutes=30)).isoformat()
        body = {"instrument": self.instrument, "start": start.isoformat(), "end": end}
        body |= {"service_mode": "self", "purpose": {"code": "research", "text": ""}}
        while not self.wrong:
            answer = self.ask("POST", "", json=body, headers={"Idempotency-Key": key})
            if answer.status_code == 201:
                self.booked[answer.json()["id"]] = time.monotonic()
                self.ask("GET", f"{answer.json()['id']}/")
                return
            self.unsure += 1
            time.sleep(0.2)

    def ask(self, method: str, path: str, **how: Any) -> requests.Response:
        headers = self.headers | how.pop("headers", {})
        answer = requests.request(method, self.address + path, headers=headers, timeout=120, **how)
        told = answer.json()
        away = told.get("code") == "database-away" and answer.headers["Retry-After"] == "5"
        if not answer.ok and not (answer.status_code == 503 and away):
            self.wrong.append((answer.status_code, answer.text))
        return answer


class Bookings:
    """What three of them did."""

    def __init__(self, place: Installation, bookers: list[Booker]) -> None:
        self.place, self.bookers = place, bookers

    def go_on(self, number: int = 10) -> None:
        """Until each has booked so many more."""
        goals = {booker: len(booker.booked) + number for booker in self.bookers}
        until(lambda: all(b.wrong or len(b.booked) >= goal for b, goal in goals.items()), "bookings")

    def outage(self) -> float:
        """The longest time, in seconds, in which nobody's booking was confirmed."""
        moments = sorted(at for booker in self.bookers for at in booker.booked.values())
        return round(max(after - before for before, after in pairwise(moments)), 1)

    def end(self) -> None:
        for booker in self.bookers:
            booker.enough.set()
        for booker in self.bookers:
            booker.join(180)

    def none_is_lost(self) -> int:
        """Every booking that was confirmed is there, none twice, and no other. How many."""
        self.end()
        assert [b.wrong for b in self.bookers if b.wrong] == []
        with psycopg.connect(self.place.owner) as link:
            rows = link.execute("SELECT id::text, instrument_id, start_at FROM bookings_reservation")
            there = rows.fetchall()
        confirmed = {pk for booker in self.bookers for pk in booker.booked}
        assert {pk for pk, *_ in there} == confirmed
        assert len({(instrument, start) for _, instrument, start in there}) == len(there)
        return len(there)

    def jobs_go_on(self) -> None:
        """The workers deliver what the bookings caused."""

        def all_told() -> bool:
            with psycopg.connect(self.place.owner) as link:
                waiting = link.execute(
                    "SELECT FROM accounts_outboxmessage WHERE done_at IS NULL AND due_at <= now()"
                )
                return waiting.fetchone() is None

        until(all_told, "what bookings cause")

    def doctor(self, url: str) -> str:
        """What it says to a superuser, who may see everything."""
        url = url.replace("/postgres?", "/commons_moved?")
        return self.place.manage("doctor", code=1, DATABASE_URL=url)


@contextmanager
def booking(folder: Path, url: str) -> Iterator[Bookings]:
    """Three people book on an installation whose database is that of a superuser's address."""
    owner, web = make_database("commons_moved", url)
    with served(folder, "commons_moved", owner, web, AT_ONCE) as place:
        told = json.loads(place.manage("shell", "-v0", "-c", PEOPLE))
        bookings = Bookings(place, [Booker(place.address, *each) for each in told])
        for booker in bookings.bookers:
            booker.start()
        try:
            yield bookings
        finally:
            bookings.end()


def test_a_standby_that_is_promoted_has_every_booking(tmp_path, record_property):
    with pair(tmp_path) as servers, booking(tmp_path, servers.url) as bookings:
        bookings.go_on()
        assert "follows, synchronously" in bookings.doctor(servers.url)
        servers.kill_primary()
        servers.promote()
        bookings.go_on()
        record_property("outage", bookings.outage())

        # Its sessions stay alive, but take no writes; then they do again.
        servers.take_writes(False)
        unsure = sum(b.unsure for b in bookings.bookers)
        until(lambda: sum(b.unsure for b in bookings.bookers) > unsure + 10, "refusals")
        servers.take_writes(True)
        bookings.go_on()

        record_property("bookings", bookings.none_is_lost())
        bookings.jobs_go_on()


def test_patroni_puts_another_in_the_place_of_a_leader_that_dies(tmp_path, record_property):
    with trio(tmp_path) as servers, booking(tmp_path, servers.url) as bookings:
        bookings.go_on()
        leader = servers.settle()
        leader.kill()
        bookings.go_on()
        record_property("outage", bookings.outage())

        leader.start()
        assert servers.settle() != leader
        assert "running pg_rewind" in leader.log.read_text()
        bookings.go_on()
        record_property("bookings", bookings.none_is_lost())
        bookings.jobs_go_on()
