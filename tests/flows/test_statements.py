"""How many statements booking takes, whatever the history. Pinned: whoever adds one says so here.

Sign-in and transaction control are not counted, but in the whole requests at the end: those that
`make bench` measures over HTTP.
"""

import cProfile
import pstats
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.domain.roles import By
from bookings.catalogue.selectors.parties import Booking
from bookings.catalogue.selectors.quotes import load_quotation
from bookings.models import Occupancy, Reservation
from bookings.pricing.selectors.fees import PriceRequest
from bookings.record.domain.periods import Period
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import (
    reservation_cancel,
    reservation_decide,
    reservation_request,
)
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from instruments.register.selectors.registry import instrument_to_book
from tests.benchmarks import http
from tests.factories.api import clock  # noqa: F401
from tests.factories.cast import NOW, at, reserve
from tests.factories.funding import granted, paid_by, source
from tests.factories.kept_hours import grant as keep
from tests.factories.qualifications import certify

CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
FRIDAY = ("2026-03-06 10:00", "2026-03-06 12:00")
LATER = ("2026-03-06 15:00", "2026-03-06 16:00")
LIMITED = {
    "qualification": "instrument",
    "quotas": [
        {"scope": "user", "unit": "hours", "per": "week", "limit": 400},
        {"scope": "organisation", "unit": "bookings", "per": "month", "limit": 400},
        {"scope": "price_group", "unit": "hours", "per": "upcoming", "limit": 400},
    ],
    "cross_region_share": {"percent": 10, "released_minutes": 60},
}


def statements(act):
    with CaptureQueriesContext(connection) as caught:
        act()
    said = [query["sql"].lstrip('"').upper() for query in caught.captured_queries]
    return len([sql for sql in said if not sql.startswith(CONTROL)])


def live_through(made, bookings):
    """So many completed bookings of the same person and organisation before, an hour each."""
    rows = []
    for n in range(bookings):
        start = at("2026-03-05 06:00") - timedelta(hours=n + 1)
        old = Reservation.objects.get(pk=made.pk)
        old.pk, old.state = None, "completed"
        old.id = Reservation._meta.pk.get_default()
        old.start_at, old.end_at = start, start + timedelta(hours=1)
        old.deadline_at = None
        rows.append(old)
    Reservation.objects.bulk_create(rows)
    Occupancy.objects.bulk_create(
        [
            Occupancy(
                instrument_id=row.instrument_id, unit=1, span=(row.start_at, row.end_at), reservation=row
            )
            for row in rows
        ]
    )


@pytest.fixture(params=[0, 300], ids=["no history", "300 before"])
def world(request, cast):
    """(cast, an instrument with every rule, one that asks first), with or without a past."""
    limited = cast.instrument(name="Limited", policy=LIMITED)
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    for instrument in (cast.microscope, limited, asks):
        certify(cast, instrument)
        if request.param:
            first = reserve(cast, "2026-03-20 10:00", "2026-03-20 11:00", instrument=instrument)
            live_through(first, request.param)
            reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=first.pk, reason="")
    return cast, limited, asks


def booking(instrument, start, end, **values):
    return Booking(
        instrument_id=instrument.pk,
        period=Period(at(start), at(end)),
        organisation=None,
        service_mode="self",
        **values,
    )


def count(cast, service, *, who="wang", now=NOW, **values):
    by = By(cast.actor(who), now)
    return statements(lambda: service(by, **values))


def test_to_reserve(world):
    cast, limited, asks = world
    plain = count(cast, reservation_request, booking=booking(cast.microscope, *FRIDAY))
    every = count(cast, reservation_request, booking=booking(limited, *FRIDAY))
    asked = count(cast, reservation_request, booking=booking(asks, *FRIDAY))
    assert Reservation.objects.filter(start_at=at(FRIDAY[0])).count() == 3
    assert (plain, every, asked) == (10, 12, 10)


def test_to_reserve_with_quotas_voucher_and_budgets(world):
    cast, limited, _ = world
    granted(cast)
    source(cast, "A")
    source(cast, "B")
    shares = paid_by("A", "B", percents=("60", "40"))
    all_of_it = count(cast, reservation_request, booking=booking(limited, *FRIDAY, funding=shares))
    made = Reservation.objects.get(start_at=at(FRIDAY[0]))
    assert made.earmarks.filter(held__gt=0).count() == 3  # the grant and both sources
    assert all_of_it == 18


def test_to_quote(world):
    cast, limited, _ = world
    granted(cast)
    source(cast, "A")
    fudan, wang = cast.fudan, cast.wang.pk
    wanted = PriceRequest(Period(at(FRIDAY[0]), at(FRIDAY[1])))
    counts = []
    seen = instrument_to_book(cast.actor("wang"), cast.microscope.pk)
    load_quotation(seen, fudan, wanted, NOW, user_id=wang)  # the first of a process reads what it keeps
    for instrument in (cast.microscope, limited):
        instrument = instrument_to_book(cast.actor("wang"), instrument.pk)
        for shares in ((), paid_by("A")):
            found = []
            counts.append(
                statements(
                    lambda instrument=instrument, shares=shares, found=found: found.append(
                        load_quotation(instrument, fudan, wanted, NOW, user_id=wang, shares=shares)
                    )
                )
            )
            assert not found[0].refusals
            assert found[0].quote.voucher == "fudan-2026"
    assert counts == [4, 5, 6, 7]
    assert counts[0] <= 6


def test_to_hold_and_complete(world):
    cast, limited, _ = world
    plain = count(cast, hold_take, booking=booking(cast.microscope, *FRIDAY))
    every = count(cast, hold_take, booking=booking(limited, *FRIDAY))
    hold = Reservation.objects.get(instrument=limited, state="held")
    completed = count(cast, reservation_request, booking=booking(limited, *FRIDAY, hold=hold.pk))
    assert (plain, every, completed) == (12, 14, 12)


def test_where_hours_are_kept(world):
    """What is kept is read in two statements, and what a hold had of it in two."""
    cast, _, _ = world
    for holder in (cast.fudan, cast.optics):
        keep(cast, holder=holder, minutes=120)
    reserved = count(cast, reservation_request, booking=booking(cast.microscope, *FRIDAY))
    held = count(cast, hold_take, booking=booking(cast.microscope, *LATER))
    hold = Reservation.objects.get(state="held")
    later = booking(cast.microscope, *LATER, hold=hold.pk)
    completed = count(cast, reservation_request, booking=later)
    assert (reserved, held, completed) == (12, 14, 14)


def test_to_move(world):
    cast, limited, _ = world
    counts = []
    for instrument in (cast.microscope, limited):
        made = reserve(cast, *FRIDAY, instrument=instrument)
        for start, end in (
            ("2026-03-06 14:00", "2026-03-06 16:00"),
            ("2026-03-06 14:00", "2026-03-06 17:00"),
            ("2026-03-06 14:00", "2026-03-06 15:00"),
        ):
            counts.append(
                count(cast, reservation_move, reservation_id=made.pk, period=Period(at(start), at(end)))
            )
    # What gives up time within ten minutes, or goes away from it, asks whether second thoughts are
    # used up.
    assert counts == [19, 17, 18, 21, 19, 20]


def test_to_decide_and_cancel(world):
    cast, _, asks = world
    counts = []
    for approve in (True, False):
        made = reserve(cast, *FRIDAY, instrument=asks)
        counts.append(
            count(
                cast, reservation_decide, who="zhao", reservation_id=made.pk, approve=approve, reason="full"
            )
        )
        if approve:
            counts.append(count(cast, reservation_cancel, reservation_id=made.pk, reason=""))
    # Ten when the minutes of second thoughts are over.
    assert counts == [11, 12, 12]


def test_to_check_in_and_out(world):
    cast, limited, _ = world
    made = reserve(cast, *FRIDAY, instrument=limited)
    into = count(cast, reservation_check_in, reservation_id=made.pk, now=at("2026-03-06 10:00"))
    out = count(cast, reservation_check_out, reservation_id=made.pk, now=at("2026-03-06 11:00"))
    assert (into, out) == (10, 12)


class Here:
    """The platform without a server around it, asked as the benchmarks ask one."""

    def send(self, ask, values):
        path, body, headers = ask.filled(values)
        kind = headers.pop("Content-Type", "")
        answer = Client().generic(ask.method, path, body or "", kind, headers=headers)
        return answer.status_code, answer.content


# Statements with those of signing in, and calls of Python functions, built-in ones too: a tenth
# more than there are, as they differ between versions of Python, and 12,000 besides, as some ten
# thousand more are counted after thousands of other tests in the same process.
REQUESTS = {
    "reserve": (15, 29_500),
    "refused, the slot is taken": (20, 36_000),
    "one instrument's week": (8, 43_500),
    "catalogue API, 50 free, my price": (9, 53_500),
    "fifty matches of a need": (13, 72_500),
    "the catalogue's page": (15, 104_500),
    "list by words": (11, 144_000),
    "list by name": (17, 123_500),
    "list with filters": (10, 116_500),
    "list by price": (13, 117_500),
    "an instrument's page": (20, 295_000),  # two of them for known issues and whether the reader is blocked
    "my bookings": (9, 242_000),
    "my week": (5, 130_000),
    "a quote": (16, 55_000),  # two of them for the warnings that change with it
}
# What people open most, besides what the benchmarks ask.
PAGES = [
    (name, http.Ask("GET", path, headers=http.PAGE.headers), lambda world, _: world.free, "")
    for name, path in (
        ("an instrument's page", "/instruments/$instrument/"),
        ("my bookings", "/bookings/"),
        ("my week", "/bookings/calendar/"),
        (
            "a quote",
            "/instruments/$instrument/quote/?start=$start&minutes=60&service_mode=$mode&purpose=research",
        ),
    )
]


def test_whole_requests(cast, monkeypatch):
    monkeypatch.setattr(http, "TAKEN", 2)
    cache.clear()
    always = [{"weekday": day, "opens": "00:00", "closes": "24:00"} for day in range(1, 8)]
    for number in range(10):
        instrument = cast.instrument(
            name=f"Always open {number}", hours={"weekly": always}, policy={"horizon_days": {"external": 60}}
        )
        certify(cast, instrument)
        reserve(cast, "2026-03-07 10:00", "2026-03-07 12:00", instrument=instrument)
    here, world = Here(), http.World(NOW)
    counted = {}
    for name, ask, values, _ in [*http.ROWS, *PAGES]:
        world.skip_booked()
        values_of, answers = values(world, here), []
        for number in (2, 3):  # fills what is kept in memory
            here.send(ask, values_of(number))
        given, profile = values_of(4), cProfile.Profile()
        number = statements(lambda: answers.append(profile.runcall(here.send, ask, given)))  # noqa: B023
        assert answers[0][0] == ask.expects
        counted[name] = (number, pstats.Stats(profile).total_calls)
    assert {name: n for name, (n, _) in counted.items()} == {name: n for name, (n, _) in REQUESTS.items()}
    assert [(n, c) for n, (_, c) in counted.items() if c > REQUESTS[n][1]] == []
