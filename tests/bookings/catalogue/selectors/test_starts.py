"""Search, the list of starts, booking and import agree, on random instruments in the real
database."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.domain.roles import PLATFORM, By
from accounts.models import OutboxMessage, TrailEntry
from bookings.availability.selectors.availability import load_calendar
from bookings.catalogue.selectors.catalogue import free_between
from bookings.catalogue.selectors.parties import Booking
from bookings.catalogue.selectors.starts import load_starts
from bookings.models import Occupancy, Quote, Reservation
from bookings.plans.services.imports import bookings_import
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.reservations import reservation_request
from bookings.usage.services.closures import Outage, closure_create
from instruments.managing.services.registry import facility_create
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.services.ratecards import rate_card_create
from instruments.reading.domain.clock import clock
from instruments.search.domain.search import Criteria
from tests.conftest import DEEP
from tests.factories.cast import CARD, NOW, at, publish
from tests.factories.qualifications import certify

SLOT = timedelta(minutes=30)
# Around the change to summer time, or where there is none.
ZONES = {
    "Asia/Shanghai": date(2026, 3, 6),
    "America/Chicago": date(2026, 3, 7),
    "Europe/Berlin": date(2026, 3, 28),
    "Australia/Lord_Howe": date(2026, 4, 4),
    "America/Havana": date(2026, 3, 7),
}
PEOPLE = {"wang": "external", "sun": "internal", "hu": "industry"}


def mostly(usual, *others):
    return st.one_of(st.just(usual), st.just(usual), st.sampled_from(others))


@st.composite
def quotas(draw):
    unit = draw(st.sampled_from(["hours", "bookings"]))
    return {
        "scope": draw(st.sampled_from(["user", "organisation", "price_group"])),
        "unit": unit,
        "per": draw(st.sampled_from(["day", "week", "month", "upcoming"])),
        "limit": draw(st.integers(0, 4)) if unit == "bookings" else draw(st.integers(0, 20)) / 2,
    }


FOR_GROUPS = [
    [{"days": [1, 2, 3, 4, 5, 6, 7], "opens": opens, "closes": closes, "who": who} | more]
    for opens, closes in (("22:00", "07:00"), ("09:00", "24:00"))
    for who, more in (
        ("certified", {"certificate": "instrument"}),
        ("certified", {"certificate": "PaNET01198"}),
        ("organisation", {}),
        ("region", {}),
    )
]


@st.composite
def policies(draw):
    share = st.builds(
        lambda percent, until: {"percent": percent, "released_minutes": until},
        st.sampled_from([0, 80, 95, 100]),
        st.sampled_from([0, 2880]),
    )
    return {
        "slot_minutes": 30,
        "min_minutes": draw(mostly(30, 60)),
        "max_minutes": draw(mostly(480, 120)),
        "setup_minutes": draw(mostly(0, 15)),
        "teardown_minutes": draw(mostly(0, 30)),
        "notice_minutes": draw(mostly(0, 600)),
        "horizon_days": draw(mostly({}, {"external": 1}, {"internal": 0})),
        "units": draw(st.integers(1, 2)),
        "qualification": draw(mostly("", "instrument", "PaNET01198")),
        "quotas": draw(st.lists(quotas(), max_size=2)),
        "cross_region_share": draw(st.none() | share),
        "group_hours": draw(mostly([], *FOR_GROUPS)),
    }


HOURS = st.lists(
    st.tuples(st.integers(1, 7), st.integers(0, 40), st.integers(2, 47)),
    min_size=3,
    max_size=7,
    unique_by=lambda rule: rule[0],
).map(
    lambda rules: {
        "weekly": [
            {"weekday": day, "opens": clock(opens * 30), "closes": clock(min(1440, (opens + length) * 30))}
            for day, opens, length in rules
        ]
    }
)
# The card in force: for everybody, without a rate for some, until the second day, from it on.
CARDS = mostly(
    {}, {"rates": {"internal": "10.00", "industry": "30.00"}}, {"valid_until": 1}, {"valid_from": 1}
)


class Asked:
    """A random instrument with some of it taken, and one person who would book it."""

    def __init__(self, cast, draw):
        name = draw(st.sampled_from(sorted(ZONES)))
        self.cast, self.zone, self.day = cast, ZoneInfo(name), ZONES[name]
        origin = datetime(self.day.year, self.day.month, self.day.day, tzinfo=self.zone)
        self.start = origin.astimezone(UTC)
        self.now = self.start + draw(mostly(-6, -30, 0, 5)) * timedelta(hours=1)
        cast.facility = facility_create(
            By(PLATFORM, NOW), organisation=cast.ustc, name="Elsewhere", time_zone=name
        )
        card = dict(draw(CARDS))
        for field in ("valid_from", "valid_until"):
            if field in card:
                card[field] = (self.day + timedelta(days=card[field])).isoformat()
        self.instrument = (
            publish(
                cast,
                name="Anything",
                hours=draw(HOURS),
                policy=draw(policies()),
                card=card,
                now=min(self.now, NOW) - timedelta(days=5),
            )
            if "valid_from" not in card
            else self._later(draw, card)
        )
        self.minutes = 30 * draw(st.integers(1, 5))
        self.who = draw(st.sampled_from(sorted(PEOPLE)))
        self.actor = cast.actor(self.who)
        self.mode = draw(st.sampled_from(["self", "assisted"]))
        if draw(st.booleans()):
            until = draw(st.sampled_from([None, self.day.isoformat()]))
            certify(cast, self.instrument, self.who, "2026-01-01", until)
        for who, slot, length in draw(
            st.lists(
                st.tuples(st.sampled_from(sorted(PEOPLE)), st.integers(0, 96), st.integers(1, 4)), max_size=5
            )
        ):
            self.book(self.start + slot * SLOT, length * 30, cast.actor(who), "assisted")
        if draw(st.booleans()):
            first = self.start + draw(st.integers(0, 60)) * SLOT + timedelta(minutes=7)
            closed = Outage("maintenance", first, first + timedelta(hours=draw(st.integers(1, 9))))
            closure_create(
                By(cast.actor("zhao"), self.now),
                instrument_id=self.instrument.pk,
                outage=closed,
                displace=True,
            )

    def _later(self, draw, card):
        """Published on an older card; the drawn one takes its place on its first day."""
        rates = {"rates": {"internal": "10.00"}, "valid_until": card["valid_from"]}
        return publish(
            self.cast,
            name="Anything",
            hours=draw(HOURS),
            policy=draw(policies()),
            card=rates,
            now=min(self.now, NOW) - timedelta(days=5),
        )

    def book(self, start, minutes, actor=None, mode=None):
        """The refusals of a request, which is undone if it is the asker's own."""
        wish = Booking(
            instrument_id=self.instrument.pk,
            period=Period(start, start + timedelta(minutes=minutes)),
            organisation=None,
            service_mode=mode or self.mode,
        )
        before = written()
        try:
            with transaction.atomic():
                reservation_request(By(actor or self.actor, self.now), booking=wish)
                if actor is None:
                    transaction.set_rollback(True)
        except RulesRefuse as refused:
            assert refused.refusals
            assert all(refusal.code for refusal in refused.refusals)
            assert written() == before
            return [refusal.code for refusal in refused.refusals]
        return []

    def imported(self, start, minutes):
        """The refusals of a file with one row, which is only tried."""
        row = f"{self.instrument.pk},{start.isoformat()},{minutes},{self.mode}"
        report = bookings_import(
            By(self.actor, self.now),
            content=f"instrument,starts,minutes,mode\n{row}\n".encode(),
            file_name="",
            organisation=None,
            dry_run=True,
        )
        (outcome,) = report.outcomes
        assert outcome.problems == ()
        assert (outcome.result == "booked") == (not outcome.refusals)
        return [refusal.code for refusal in outcome.refusals]


def written():
    return tuple(
        model.objects.count() for model in (Reservation, Occupancy, Quote, OutboxMessage, TrailEntry)
    )


FEW = settings(max_examples=150 if DEEP else 8, deadline=None, suppress_health_check=list(HealthCheck))


def starts_of(asked, within, mode):
    calendar = load_calendar(asked.instrument, within, asked.now)
    payer = {"wang": asked.cast.fudan, "sun": asked.cast.ustc, "hu": asked.cast.optics}[asked.who]
    return payer, load_starts(
        asked.instrument,
        payer,
        calendar,
        within,
        asked.now,
        minutes=asked.minutes,
        user_id=asked.actor.user_id,
        mode=mode,
    )


@pytest.mark.django_db
@FEW
@given(st.data())
def test_what_is_listed_can_be_booked_and_nothing_else(cast, data):
    with transaction.atomic():
        asked = Asked(cast, data.draw)
        first = asked.start + timedelta(hours=data.draw(st.sampled_from([0, 14])))
        within = Period(first, first + timedelta(hours=14))
        _, starts = starts_of(asked, within, asked.mode)
        accepted, kinds = [], {}
        moment, length = within.start, timedelta(minutes=asked.minutes)
        while moment + length <= within.end:
            refused = asked.book(moment, asked.minutes)
            kinds.setdefault(tuple(refused), moment)
            if refused == []:
                accepted.append(moment)
            moment += timedelta(minutes=30)
        assert starts == accepted
        for refused, moment in kinds.items():
            assert asked.imported(moment, asked.minutes) == list(refused)
        transaction.set_rollback(True)


@pytest.mark.django_db
@FEW
@given(st.data())
def test_the_search_for_free_time_finds_what_has_a_start(cast, data):
    with transaction.atomic():
        asked = Asked(cast, data.draw)
        slot = data.draw(st.integers(0, 60))
        within = Period(asked.start + slot * SLOT, asked.start + (slot + 24) * SLOT)
        payer, starts = starts_of(asked, within, None)
        criteria = Criteria(free_from=within.start, free_until=within.end, minutes=asked.minutes)
        found = free_between(asked.actor, criteria, payer, asked.now, after=None, size=10)
        offers = {instrument.pk: offer for instrument, offer in found}
        assert (asked.instrument.pk in offers) == bool(starts)
        if starts:
            assert list(offers[asked.instrument.pk].starts) == starts[:3]
        transaction.set_rollback(True)


DAY_AND_NIGHT = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}
NIGHT = Period(at("2026-03-06 22:00"), at("2026-03-07 02:00"))


def hours_listed(cast, instrument, **values):
    """The hours of the night that are listed for an hour's booking, by the wall clock."""
    found = load_starts(
        instrument,
        cast.fudan,
        load_calendar(instrument, NIGHT, NOW),
        NIGHT,
        NOW,
        minutes=60,
        user_id=cast.wang.pk,
        **values,
    )
    return [(start + timedelta(hours=8)).strftime("%H:%M") for start in found]


@pytest.mark.parametrize(
    ("card", "listed"),
    [
        ({}, ["22:00", "22:30", "23:00", "23:30", "00:00", "00:30", "01:00"]),
        ({"valid_until": "2026-03-07"}, ["22:00", "22:30", "23:00", "23:30"]),
        # No gap can be published any more; there may be older ones.
        ({"valid_from": "2026-03-07"}, ["00:00", "00:30", "01:00"]),
    ],
)
def test_a_start_needs_a_card_in_force_on_its_day(cast, card, listed):
    instrument = cast.instrument(
        name="Day and night", hours=DAY_AND_NIGHT, card={"valid_until": "2026-03-05"}
    )
    rate_card_create(
        By(cast.actor("zhao"), NOW),
        instrument_id=instrument.pk,
        card=parse_rate_card(CARD | card | {"valid_from": "2026-03-05"}),
        publish=True,
    )
    if "valid_from" in card:
        instrument.rate_cards.filter(version=2).update(valid_from=card["valid_from"])
    assert hours_listed(cast, instrument) == listed


def test_a_search_for_working_alone_asks_for_the_certificate(cast):
    """As the list of starts and the booking itself do."""
    guarded = cast.instrument(name="Guarded", hours=DAY_AND_NIGHT, policy={"qualification": "instrument"})
    assert hours_listed(cast, guarded, mode="self") == []
    assert len(hours_listed(cast, guarded, mode="assisted")) == 7
    criteria = {"free_from": NIGHT.start, "free_until": NIGHT.end, "minutes": 60}

    def found(mode):
        wanted = Criteria(**criteria, service_mode=mode)
        rows = free_between(cast.actor("wang"), wanted, cast.fudan, NOW, after=None, size=10)
        return [instrument.name for instrument, _ in rows]

    assert found("assisted") == ["Guarded"]
    assert found("self") == []


@pytest.mark.django_db
def test_the_search_counts_the_whole_week_that_a_share_is_of(cast):
    """Three hours are open in the week, one of them in the day that is searched: a fifth of all three is
    enough for half an hour, a fifth of one is not."""
    week = [{"weekday": day, "opens": "00:00", "closes": "01:00"} for day in (1, 2, 6)]
    policy = {"min_minutes": 30, "cross_region_share": {"percent": 80, "released_minutes": 0}}
    now, start = at("2026-03-06 18:00"), at("2026-03-07 00:00")
    made = publish(cast, name="Anything", hours={"weekly": week}, policy=policy, now=now)
    for minutes, is_found in ((30, True), (60, False)):
        criteria = Criteria(free_from=start, free_until=start + 24 * SLOT, minutes=minutes)
        found = free_between(cast.actor("sun"), criteria, cast.ustc, now, after=None, size=10)
        assert (made.pk in [instrument.pk for instrument, _ in found]) == is_found
