"""What a client gets: each row asks the running platform over HTTP."""

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache, partial
from itertools import cycle
from typing import Protocol
from urllib.parse import urlencode
from uuid import uuid4

from django.conf import settings
from django.db.models import Count
from django.test import Client
from django.utils import timezone

from accounts.domain.roles import By
from accounts.models import User
from accounts.permissions import actor_of
from accounts.services.tokens import SCOPES, token_issue
from bookings.needs.services.needs import NeedValues, need_make
from bookings.record.domain.periods import Period
from instruments.vocabulary.models import Technique
from tests.benchmarks import acts
from tests.benchmarks.driver import Ask, Server
from tests.benchmarks.measuring import Row, by_processes, raced, row_of

BEARER = {"Authorization": "Bearer $token"}
WRITING = BEARER | {"Idempotency-Key": "$key"}
RESERVE = Ask(
    "POST",
    "/api/v1/reservations/",
    '{"instrument": "$instrument", "start": "$start", "end": "$end", "service_mode": "$mode",'
    ' "purpose": {"code": "research", "text": ""}}',
    WRITING,
    expects=201,
)
REFUSED = Ask(RESERVE.method, RESERVE.path, RESERVE.body, WRITING, expects=409)
WEEK = Ask(
    "GET", "/api/v1/instruments/$instrument/availability/?from=$start&until=$end&minutes=60", headers=BEARER
)
CATALOGUE = Ask(
    "GET", "/api/v1/instruments/?limit=50&free_from=$start&free_until=$end&minutes=60", headers=BEARER
)
MATCHES = Ask("GET", "/api/v1/needs/$need/matches/", headers=BEARER)
PAGE = Ask("GET", "/", headers={"Cookie": "$session"})
LIST = Ask("GET", "/?$search", headers={"Cookie": "$session"})
# What people type: questions, nonsense and slips; names and abbreviations; what they choose besides.
QUESTIONS = (
    "how thick is my coating", "is there lead in this paint", "why did the weld crack",
    "how old is this bone", "size of nanoparticles in water", "who wins the world cup",
    "what minerals are in this rock", "薄膜有多厚", "纳米颗粒的粒径", "大米里的镉超没超标",
    "水里有没有微塑料", "蜂蜜是不是真的", "明天会下雨吗",
)  # fmt: skip
NAMES = ("microscope", "zeiss microscope", "XRD", "TEM", "mikroscope", "质谱", "显微镜", "NMR", "DLS")
CHOSEN = (
    {"region": "DE", "technique": "BENCH03"}, {"q": "microscope", "region": "DE"}, {"service_mode": "self"},
    {"q": "how thick is my coating", "region": "CN"}, {"q": "质谱", "kind": "general"},
)  # fmt: skip
MOST = 20_000  # requests of one row
NEEDS = 20  # techniques
TAKEN = 40  # slots that the refused ask for

type Values = Callable[[int], Mapping[str, str]]


class Running(Protocol):
    """Processes that serve: ours (`serving`) or those of another server (`peer`)."""

    def server(self) -> Server: ...
    def cpu_seconds(self) -> dict[str, float]: ...
    def settle(self) -> int: ...


class World:
    """Who asks for what, in a database that has researchers of universities and instruments that
    never close."""

    reserve = RESERVE

    def __init__(self, now: datetime) -> None:
        self.now = now
        people = acts.people(20)
        users = User.objects.in_bulk([person.user_id for person in people])
        self.users = [users[person.user_id] for person in people]
        self.tokens = [
            token_issue(
                user=user, label="bench", lifetime=30 * acts.DAY,
                now=timezone.now(), scopes=SCOPES,
            )[1]
            for user in self.users
        ]  # fmt: skip
        self.reserving = acts.Reserving(now)
        browser = Client()
        browser.force_login(users[people[0].user_id])
        session = browser.cookies[settings.SESSION_COOKIE_NAME].value
        self.session = f"{settings.SESSION_COOKIE_NAME}={session}"

    def person(self, number: int) -> dict[str, str]:
        token = self.tokens[number % len(self.tokens)]
        return {"token": token, "key": uuid4().hex, "session": self.session}

    def free(self, number: int) -> dict[str, str]:
        """A slot that nobody else asks for."""
        booking = self.reserving.booking(number)
        return (
            self.person(number)
            | said(booking.period)
            | {"instrument": str(booking.instrument_id), "mode": booking.service_mode}
        )

    def skip_booked(self) -> None:
        """What `free` gives from now on comes after everything booked so far."""
        self.reserving = acts.Reserving(self.now)

    def taken(self, server: Server) -> Values:
        """Slots that somebody has, asked for by others."""
        self.skip_booked()
        slots = [self.free(number) for number in range(TAKEN)]
        self.skip_booked()
        for slot in slots:
            status, body = server.send(self.reserve, slot)
            if self.reserve.refused(status, body):
                raise RuntimeError(body[:300])
        return lambda number: slots[number % TAKEN] | self.person(number + number // TAKEN + 1)

    def weeks(self) -> Values:
        """The coming week of each of the instruments that are booked most."""
        week = self._week(1)
        fullest = self.fullest(week)
        return lambda number: (
            self.person(number) | said(week) | {"instrument": fullest[number % len(fullest)]}
        )

    def coming(self, number: int) -> dict[str, str]:
        """A week that begins within the next fourteen days."""
        return self.person(number) | said(self._week(1 + number % 14))

    def fullest(self, week: Period) -> list[str]:
        return [str(row["instrument_id"]) for row in acts.fullest(week)]

    def needs(self) -> Values:
        """A need of each person for one of the techniques that instruments have most."""
        counted = Technique.objects.annotate(number=Count("instruments"))
        codes = list(counted.order_by("-number").values_list("code", flat=True)[:NEEDS])
        week = self._week(2)
        needs = [
            need_make(
                By(actor_of(user), timezone.now()),
                values=NeedValues(
                    text=code, terms=[code], earliest=week.start, latest=week.end + 14 * acts.DAY, minutes=60
                ),
            )
            for code, user in zip(cycle(codes), self.users, strict=False)
        ]
        return lambda number: self.person(number) | {"need": str(needs[number % len(needs)].pk)}

    def searching(self, *searches: Mapping[str, str]) -> Values:
        """Each of some searches in turn."""
        asked = [urlencode(search) for search in searches]
        return lambda number: self.person(number) | {"search": asked[number % len(asked)]}

    def _week(self, days: int) -> Period:
        start = acts.midnight(self.now) + days * acts.DAY
        return Period(start, start + 7 * acts.DAY)


# Name, how the server is asked, with what values, and the budget in words.
ROWS: tuple[tuple[str, Ask, Callable[[World, Server], Values], str], ...] = (
    ("reserve", RESERVE, lambda w, _: w.free, ">= 200/s, p95 <= 60 ms"),
    ("refused, the slot is taken", REFUSED, lambda w, s: w.taken(s), "<= 12 ms of web"),
    ("one instrument's week", WEEK, lambda w, _: w.weeks(), ">= 300/s"),
    ("catalogue API, 50 free, my price", CATALOGUE, lambda w, _: w.coming,
     ">= 60/s, p95 <= 150 ms"),
    ("fifty matches of a need", MATCHES, lambda w, _: w.needs(), "<= 300 ms"),
    ("the catalogue's page", PAGE, lambda w, _: w.person, ">= 80/s"),
    ("list by words", LIST, lambda w, _: w.searching(*({"q": text} for text in QUESTIONS)), "p95 <= 150 ms"),
    ("list by name", LIST, lambda w, _: w.searching(*({"q": text} for text in NAMES)), "p95 <= 150 ms"),
    ("list with filters", LIST, lambda w, _: w.searching(*CHOSEN), "p95 <= 150 ms"),
    ("list by price", LIST, lambda w, _: w.searching(*(c | {"sort": "price"} for c in ({}, *CHOSEN))),
     "p95 <= 150 ms"),
)  # fmt: skip


def rows(
    platform: Callable[[], Running],
    world: Callable[[], World],
    *,
    seconds: float,
    clients: int,
    people: int,
    rounds: int,
    asks: Mapping[str, Ask] | None = None,
) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Name and measurement of every row; `platform` gives the running one, `world` what it holds,
    each made once. `asks`: of another server, those rows that it can do, and how it is asked."""
    platform, world = cache(platform), cache(world)

    def measured(work: str, ask: Ask, values: Callable[[World, Server], Values], wanted: str) -> Row:
        running = platform()
        world().skip_booked()
        server = running.server()
        act = server.act(ask, values(world(), server))
        return repeated(running, work, act, seconds=seconds, clients=clients, wanted=wanted)

    def race(work: str) -> Row:
        running, load = platform(), _load()
        world().skip_booked()
        act = winning(running.server(), world())
        wanted = "one winner" if asks else "one winner, p99 <= 250 ms"
        row = raced(work, act, clients=people, rounds=rounds, wanted=wanted)
        row.more["load before"] = load
        return row

    for name, ask, values, wanted in ROWS:
        if asks is None:
            yield name, partial(measured, name, ask, values, wanted)
        elif name in asks:
            yield name, partial(measured, name, asks[name], values, "")
    if asks is None or ROWS[0][0] in asks:
        name = f"{people} people, one slot"
        yield name, partial(race, name)


def repeated(
    platform: Running, work: str, act: Callable[[int], str], *, seconds: float, clients: int, wanted: str
) -> Row:
    """`act(n)` by so many clients for a while, and what it cost: processor time by request, with
    that of the messages it causes, which the workers are given time for."""
    load = _load()
    platform.settle()
    before = platform.cpu_seconds()
    taken, elapsed, outcomes = by_processes(act, clients, seconds, MOST)
    left = platform.settle()
    after = platform.cpu_seconds()
    more: dict[str, object] = {
        "errors": {outcome: n for outcome, n in outcomes.items() if outcome},
        "CPU ms a request": {
            name: round((after[name] - before[name]) * 1000 / len(taken), 1) for name in after
        },
        "load before": load,
    }
    if left:
        more["messages still waiting"] = left
    return row_of(work, clients, taken, elapsed, wanted=wanted, more=more)


def winning(server: Server, world: World) -> Callable[[int, int], str]:
    """For a race: everybody asks for the slot of the round. What came of it."""

    def act(client: int, round_: int) -> str:
        answer = server.send(world.reserve, world.free(round_) | world.person(client))
        return world.reserve.refused(*answer) or "won"

    return act


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def said(period: Period) -> dict[str, str]:
    """As instants of an address, as dates and as seconds since 1970, all in UTC."""
    said = {}
    for name, moment in (("start", period.start), ("end", period.end)):
        said[name] = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        said[f"{name}_date"] = f"{moment:%Y-%m-%d}"
        said[f"{name}_unix"] = f"{moment.timestamp():.0f}"
    return said
