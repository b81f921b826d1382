"""The catalogue's search: what the sieve passes and the rules keep is what the rules alone say."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.roles import Actor, By
from accounts.services.tokens import SCOPES, token_issue
from bookings.availability.selectors.availability import to_range
from bookings.catalogue.selectors.catalogue import fits_price, free_between, load_offers, place_of
from bookings.catalogue.selectors.catalogue_candidates import candidates
from bookings.catalogue.selectors.catalogue_priced import affordable
from bookings.catalogue.selectors.catalogue_sieve import Sieve, of_today
from bookings.models import Closure, Occupancy
from bookings.pricing.selectors.fees import load_backing
from bookings.record.domain.periods import Period
from instruments.managing.services.publishing import instrument_publication
from instruments.opening.models import Schedule
from instruments.opening.services.opening import schedule_resolve
from instruments.policy.domain.policies import group_hours_to_json, parse_policy
from instruments.policy.models import BookingPolicy
from instruments.rates.models import RateCard
from instruments.register.models import Instrument
from instruments.search.domain.search import Criteria
from instruments.search.selectors.search import Choice, entries, facets, search
from instruments.search.services.search import entries_file
from tests.factories.api import Program
from tests.factories.cast import CARD, NOW, at, reserve

pytestmark = pytest.mark.django_db
_number = count(1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIRST = datetime(2026, 3, 5, tzinfo=UTC)


def weekly(*hours, days=range(1, 8), **more):
    rules = [{"weekday": d, "opens": o, "closes": c} for d in days for o, c in hours]
    return {"weekly": rules} | more


# Chicago's clocks change on the 8th of March, in the middle of what is searched.
SCHEDULES = [
    ("Asia/Shanghai", "CN", weekly(("08:00", "20:00"), days=range(1, 6), observes_holidays=True)),
    ("Asia/Shanghai", "", weekly(("00:00", "24:00"))),
    ("America/Chicago", "", weekly(("20:00", "04:00"))),
    ("America/Chicago", "", weekly(("00:00", "02:30"), ("08:00", "12:00"), ("12:00", "17:10"))),
    ("Australia/Lord_Howe", "", weekly(("09:00", "12:00"))),
    # Windows of an override may overlap the evening before: two grids at once.
    (
        "Asia/Shanghai",
        "",
        weekly(("18:00", "06:00"))
        | {
            "overrides": [
                {"date": "2026-03-06", "windows": [{"opens": "01:10", "closes": "09:00"}]},
                {"date": "2026-03-07", "windows": []},
            ]
        },
    ),
]


@pytest.fixture
def schedules(db):
    """Of each hours one schedule resolved far enough and one that is not, or not at all."""
    made = []
    for until in (date(2026, 4, 20), date(2026, 3, 7), None):
        for zone, calendar, hours in SCHEDULES:
            with transaction.atomic():
                schedule = Schedule.objects.create(
                    digest=f"catalogue {next(_number)}",
                    time_zone=zone,
                    holiday_calendar=calendar,
                    hours=hours,
                )
                if until:
                    schedule_resolve(schedule, since=date(2026, 3, 2), until=until)
            made.append(schedule)
    return made


FOR_GROUPS = [
    {"days": [1, 2, 3, 4, 5, 6, 7], "opens": opens, "closes": closes, "who": who}
    | ({"certificate": "instrument"} if who == "certified" else {})
    for opens, closes in (("20:00", "08:00"), ("10:00", "15:00"))
    for who in ("certified", "organisation", "region")
]


def some_policy(chance):
    slot = chance.choice([15, 30, 30, 50, 60])
    least = chance.randint(1, 2)
    return parse_policy(
        {
            "slot_minutes": slot,
            "min_minutes": slot * least,
            "max_minutes": slot * (least + chance.choice([0, 4, 12, 20])),
            "setup_minutes": chance.choice([0, 0, 10, 45]),
            "teardown_minutes": chance.choice([0, 0, 20, 60]),
            "notice_minutes": chance.choice([0, 0, 0, 90, 2880]),
            "horizon_days": chance.choice([{}, {}, {"external": 2}, {"internal": 0, "regional": 1}]),
            "units": chance.choice([1, 1, 2, 3]),
            "qualification": chance.choice(["", "", "", "", "instrument"]),
            "group_hours": chance.choice([[], [], [], *([rule] for rule in FOR_GROUPS)]),
        }
    )


def some_cards(chance):
    """Day from which each holds, counted from today, and its rates."""
    days = sorted(chance.sample([-60, -1, 0, 1, 2], chance.choice([0, 1, 1, 1, 1, 2])))
    groups = ["internal", "regional", "external", "industry"]
    return [
        (
            day,
            {
                group: chance.choice(["1", "99.99", "100.00", "0.5", "250"])
                for group in chance.sample(groups, chance.randint(1, 4))
            },
        )
        for day in days
    ]


def some_takings(chance):
    """Unit, minutes after the first midnight, length (None: for ever), minutes until it lapses.
    So dense that what is left is often just what is wanted."""
    return [
        (
            chance.choice([1, 1, 1, 2, 2, 3, 4]),
            chance.randint(0, 4 * 24 * 4) * 15 + chance.choice([0, 0, 0, 5]),
            chance.choice([30, 60, 60, 85, 120, 240, 480] * 3 + [2880, None]),
            chance.choice([None, None, None, None, None, -10, 0, 10]),
        )
        for _ in range(chance.choice([0, 5, 30, 60, 60, 90]))
    ]


def some_place(chance):
    return {
        "name": chance.choice(["A", "B", "b", "中", "C"]),
        "schedule": chance.choice([None, *range(3 * len(SCHEDULES)), *range(len(SCHEDULES))]),
        "policy": None if chance.random() < 0.05 else some_policy(chance),
        "host": chance.randint(0, 2),
        "publication": chance.choice(["published"] * 10 + ["draft", "suspended"]),
        "service_modes": chance.choice([["self"], ["self", "assisted"]]),
        "cards": some_cards(chance),
        "takings": some_takings(chance),
    }


def some_criteria(chance):
    start = NOW.replace(hour=0) + chance.randint(-10, 5 * 24) * HOUR
    length = chance.choice([1, 2, 2, 3, 3, 5, 5, 8, 8, 24, 24, 72, 168, 720]) * HOUR
    wants_time = chance.random() < 0.9
    return Criteria(
        free_from=start if wants_time else None,
        free_until=start + length if wants_time else None,
        minutes=chance.choice([15, 30, 45, 60, 60, 100, 120, 180, 240, 480]),
        max_price=chance.choice([None, None, None, Decimal(1), Decimal("99.99"), Decimal(100)]),
        currency="CNY",
    )


def put(cast, schedules, place):
    host = [cast.ustc, cast.fudan, cast.optics][place["host"]]
    instrument = Instrument.objects.create(
        facility=cast.facility,
        organisation=host,
        region=host.region,
        name=place["name"],
        service_modes=place["service_modes"],
        schedule=None if place["schedule"] is None else schedules[place["schedule"]],
        publication=place["publication"],
        created_at=NOW,
        updated_at=NOW,
    )
    with transaction.atomic():
        entries_file([instrument.pk])
    if place["policy"]:
        values = {
            name: getattr(place["policy"], name)
            for name in (
                *("slot_minutes", "min_minutes", "max_minutes", "setup_minutes"),
                *("teardown_minutes", "notice_minutes", "horizon_days", "units", "qualification"),
            )
        }
        values["group_hours"] = [group_hours_to_json(r) for r in place["policy"].group_hours]
        BookingPolicy.objects.create(instrument=instrument, **values)
    in_order = sorted(place["cards"], key=lambda card: card[0])
    for version, (day, rates) in enumerate(in_order, start=1):
        following = in_order[version][0] if version < len(in_order) else None
        RateCard.objects.create(
            instrument=instrument,
            version=version,
            card=CARD | {"valid_from": str((NOW + day * DAY).date()), "rates": rates},
            currency="CNY",
            valid_from=(NOW + day * DAY).date(),
            valid_until=None if following is None else (NOW + following * DAY).date(),
            published_at=NOW,
            created_at=NOW,
        )
    take(cast, instrument, place["takings"])


def take(cast, instrument, takings):
    closure = Closure.objects.create(
        instrument=instrument, kind="other", start_at=FIRST, created_by=cast.zhao, created_at=NOW
    )
    taken, rows = [], []
    for unit, start, length, lapses in takings:
        begins = FIRST + start * MINUTE
        span = Period(begins, begins + (length * MINUTE if length else 3000 * DAY))
        if any(unit == other and span.meets(period) for other, period in taken):
            continue
        taken.append((unit, span))
        rows.append(
            Occupancy(
                instrument=instrument,
                unit=unit,
                span=to_range(span) if length else (begins, None),
                closure=closure,
                expires_at=None if lapses is None else NOW + lapses * MINUTE,
            )
        )
    Occupancy.objects.bulk_create(rows)


def by_the_rules_alone(actor, criteria, payer):
    """The naive scan: every published instrument's calendar, asked one by one."""
    span = None
    if criteria.free_from:
        span = Period(criteria.free_from, criteria.free_until)
    instruments = list(search(criteria))
    offers = load_offers(instruments, payer, NOW, user_id=actor.user_id, span=span, minutes=criteria.minutes)
    return [
        (instrument.pk, offers[instrument.pk])
        for instrument in instruments
        if (offers[instrument.pk].starts or span is None)
        and fits_price(offers[instrument.pk], criteria, {"CNY": Decimal(1)})
    ]


def paged(actor, criteria, payer, size):
    found, after = [], None
    while True:
        page = free_between(actor, criteria, payer, NOW, after=after, size=size)
        found += [(instrument.pk, offer) for instrument, offer in page]
        if len(page) < size:
            return found
        after = place_of(page[-1][0])


# Each world is rolled back.
@settings(max_examples=settings().max_examples // 6)
@given(seed=st.integers(0, 2**32))
def test_a_search_finds_what_the_rules_alone_find(cast, schedules, seed):
    chance = Random(seed)
    wang, nobody = cast.actor("wang"), Actor(None)
    with transaction.atomic():
        for _ in range(12):
            put(cast, schedules, some_place(chance))
        for _ in range(20):
            payer = chance.choice([None, cast.ustc, cast.fudan, cast.optics])
            actor, criteria = wang if payer else nobody, some_criteria(chance)
            expected = by_the_rules_alone(actor, criteria, payer)
            assert paged(actor, criteria, payer, chance.randint(1, 7)) == expected
        transaction.set_rollback(True)


def test_the_rules_refuse_more_than_a_page_of_what_the_sieve_passes(cast):
    """Of sixty instruments the gap of an hour is off the grid of all but the last."""
    for n in range(60):
        instrument = cast.instrument(name=f"N{n:02d}")
        gap = 15 if n < 59 else 0
        take(cast, instrument, [(1, 0, 180 + gap, None), (1, 180 + gap + 60, 48 * 60, None)])
    day = Period(at("2026-03-05 08:00"), at("2026-03-05 20:00"))
    criteria = Criteria(text="N59 ", free_from=day.start, free_until=day.end, minutes=60)
    sieve = Sieve(NOW - 8 * HOUR, day, load_backing(cast.fudan), 60)
    assert len(candidates(Criteria(), sieve, after=None, most=99)) == 61
    criteria = Criteria(free_from=day.start, free_until=day.end, minutes=60)
    found = free_between(cast.actor("wang"), criteria, cast.fudan, NOW - 8 * HOUR, after=None, size=1)
    assert [(i.name, o.starts) for i, o in found] == [("N59", (at("2026-03-05 11:00"),))]


def test_what_has_lapsed_or_lies_on_another_unit_does_not_count(cast):
    one = cast.instrument(name="One", policy={"units": 2})
    criteria = Criteria(free_from=at("2026-03-06 08:00"), free_until=at("2026-03-06 20:00"), minutes=480)

    def names():
        found = free_between(cast.actor("wang"), criteria, cast.fudan, NOW, after=None, size=10)
        return [instrument.name for instrument, _ in found]

    whole = (24 * 60, 24 * 60)
    take(cast, one, [(1, *whole, None), (2, *whole, 0)])
    take(cast, cast.microscope, [(1, *whole, None)])
    assert names() == ["One"]
    Occupancy.objects.filter(instrument=one).update(expires_at=None)
    assert names() == []


def test_a_card_that_begins_within_the_span_serves_from_its_day_on(cast):
    cast.microscope.rate_cards.update(valid_from=date(2026, 3, 9))
    criteria = Criteria(free_from=NOW, free_until=NOW + 7 * DAY, minutes=60)
    ((found, offer),) = free_between(cast.actor("wang"), criteria, cast.fudan, NOW, after=None, size=10)
    assert found == cast.microscope
    assert offer.starts[0] == at("2026-03-09 08:00")
    assert offer.rate == Decimal("260.00")


def test_affordable_is_by_todays_card_and_the_payers_group(cast):
    cheap = cast.instrument(name="Cheap", card={"rates": {"external": "99.99"}})
    cast.instrument(name="Own only", card={"rates": {"internal": "1"}})

    def names(payer, price):
        sieve = of_today(load_backing(payer), Decimal(price), {"CNY": Decimal(1)}, NOW)
        found = affordable(entries(Criteria()), sieve)
        return [entry.name for entry in found]

    assert names(cast.fudan, "100") == ["Cheap"]
    assert names(None, "99.99") == ["Cheap"]
    assert names(None, "99.98") == []
    assert names(cast.optics, "1000") == ["Transmission electron microscope"]
    assert names(cast.ustc, "1") == ["Own only"]
    cheap.rate_cards.update(valid_from=date(2026, 3, 6))
    assert names(cast.fudan, "100") == []


def test_facets_count_what_is_published(cast):
    two = cast.instrument(name="Two")
    instrument_publication(By(cast.actor("zhao"), NOW), instrument_id=two.pk, act="suspend")
    cast.instrument(name="Three")
    found = facets()
    assert found.total == 2
    assert [(c.code, c.count) for c in found.choices["region"]] == [("CN", 2), ("CN-AH", 2)]
    assert [(c.code, c.count) for c in found.choices["host"]] == [("ustc", 2)]
    assert found.choices["technique"] == [Choice("PaNET01198", "electron microscopy", "电子显微镜", 2)]


FRIDAY = "free_from=2026-03-06T08:00:00%2B08:00&free_until=2026-03-06T20:00:00%2B08:00"


QUERIES = [
    *("", FRIDAY, f"{FRIDAY}&max_price=300", "q=titan", f"{FRIDAY}&q=titan"),
    f"{FRIDAY}&technique=PaNET01198&region=CN",
]


def test_a_page_of_fifty_asks_no_more_than_a_page_of_one(cast, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    _, token = token_issue(user=cast.wang, label="test", lifetime=DAY, now=NOW, scopes=SCOPES)
    wang = Program(token)

    def statements(query):
        with CaptureQueriesContext(connection) as captured:
            rows = wang.get(f"instruments/?limit=50&{query}").body["results"]
        assert all(row["next_starts"] for row in rows)
        return len(captured), len(rows)

    for query in QUERIES:  # the token's use is remembered, and what words may mean
        statements(query)
    before = {query: statements(query) for query in QUERIES}
    for n in range(51):
        cast.instrument(name=f"N{n}")
    reserve(cast, "2026-03-06 08:00", "2026-03-06 16:00")
    for query, (asked, rows) in before.items():
        assert rows == 1
        assert statements(query) == (asked, 50), query
        # The token, the grants and the memberships are signing in. A price asks for exchange
        # rates, and counts what has none.
        assert asked - 3 <= 6 + 2 * ("max_price" in query), query


def test_the_sieve_looks_up_what_is_taken_by_instrument_unit_and_span(cast):
    """Without all three the exclusion constraint's index reads too much."""
    closure = Closure.objects.create(
        instrument=cast.microscope,
        kind="maintenance",
        start_at=NOW - 400 * DAY,
        end_at=NOW,
        created_by=cast.zhao,
        created_at=NOW,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO bookings_occupancy (id, instrument_id, unit, span, closure_id)
            SELECT gen_random_uuid(), %s, 1, tstzrange(at, at + interval '1 hour'), %s
            FROM generate_series(%s, %s - interval '2 hours', interval '2 hours') at
            """,
            [cast.microscope.pk, closure.pk, NOW - 400 * DAY, NOW],
        )
        cursor.execute("ANALYZE bookings_occupancy")
    sieve = Sieve(NOW, Period(NOW, NOW + DAY), load_backing(cast.fudan), 60)
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as captured:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        candidates(Criteria(), sieve, after=("A", cast.microscope.pk), most=50)
        cursor.execute("EXPLAIN " + captured[-1]["sql"])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    line = next(line for line in plan.splitlines() if "occupancy" in line.lower())
    after = plan[plan.index(line) :].splitlines()[1]
    assert "occupancy_no_overlap" in line
    assert all(part in after for part in ("instrument_id =", "unit =", "span &&")), after
    assert "name >= " in plan.replace("(name)::text", "name")
