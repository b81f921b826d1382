"""The week of a rate card, against the bands read minute by minute."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bookings.availability.domain.bands import band_spans, minute_of
from instruments.rates.domain.ratecards import Band, parse_rate_card
from instruments.rates.domain.week import BandMinutes, week_of
from tests.factories.cards import CARD

D = Decimal
CARD_ = parse_rate_card(CARD)
MONDAY = datetime(2025, 6, 2, tzinfo=ZoneInfo("UTC"))

bands = st.lists(
    st.builds(
        Band,
        code=st.just("band"),
        opens=st.integers(0, 1439),
        closes=st.integers(0, 1440),
        multiplier=st.sampled_from([D("0.5"), D(1), D(2)]),
        weekdays=st.sets(st.integers(1, 7), min_size=1).map(lambda d: tuple(sorted(d))),
    ),
    max_size=4,
).map(tuple)


@given(bands)
def test_every_hour_shows_the_bands_that_are_charged(given_):
    card = replace(CARD_, bands=given_)
    week = week_of(card)
    start = minute_of(MONDAY)
    spans = band_spans(card.bands, ZoneInfo("UTC"), frozenset(), start, start + 7 * 1440)
    charged = [span.band for span in spans for _ in range(span.end - span.start)]
    shown = [
        part.band
        for day in range(7)
        for hour in range(24)
        for part in week.hours[hour][day]
        for _ in range(part.minutes)
    ]
    assert shown == charged


def test_holidays_have_a_column_of_their_own():
    holiday = Band("holiday", 600, 1230, D(2), holidays=True)
    night = Band("night", 1200, 480, D("0.5"), (1,), holidays=True)
    week = week_of(replace(CARD_, bands=(holiday, night)))
    assert week.holidays[9] == (BandMinutes(None, 60),)
    assert week.holidays[10] == (BandMinutes(0, 60),)
    assert week.holidays[20] == (BandMinutes(0, 30), BandMinutes(1, 30))
    assert week.holidays[23] == (BandMinutes(1, 60),)
    assert week.hours[7][1] == (BandMinutes(1, 60),)
    assert week_of(CARD_).holidays == ()


def test_shades_go_by_price():
    prices = ["0.9", "0.5", "0.2", "0.1", "1", "1.5", "3"]
    given_ = tuple(Band(f"b{n}", n, n + 1, D(x), (1,)) for n, x in enumerate(prices))
    week = week_of(replace(CARD_, bands=given_))
    assert [week.level(n) for n in range(len(prices))] == [-1, -2, -3, -3, 0, 1, 2]
    assert week.level(None) == 0


def test_by_the_sample_there_are_no_bands():
    night = Band("night", 0, 1440, D(2), (1,))
    week = week_of(replace(CARD_, rate_unit="sample", bands=(night,)))
    assert {cell for row in week.hours for cell in row} == {(BandMinutes(None, 60),)}
