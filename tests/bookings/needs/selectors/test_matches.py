"""Which instruments answer a need, with time and price as the payer would have them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache

from accounts.domain.roles import By
from bookings.models import HostRecord, Reservation
from bookings.needs.selectors.matches import load_answer, load_matches, load_trust, wanted_of
from bookings.needs.services.suggestions import hosts_review
from bookings.settlement.services.exchange_rates import RateTerms, rate_enter
from instruments.capabilities.models import Capability
from instruments.vocabulary.domain.needs import BROAD
from instruments.vocabulary.models import Parameter, Technique
from tests.factories.capabilities import parameters_of
from tests.factories.cards import CARD
from tests.factories.cast import NOW, at, reserve
from tests.factories.needs import need_of

pytestmark = pytest.mark.django_db


def matches(cast, now=NOW, **changed):
    return load_matches(wanted_of(need_of(cast, **changed)), now)


def names(answers):
    return [a.instrument.name for a in answers if a.match is not None]


def gates(answers):
    return {a.instrument.name: a.gate for a in answers if a.match is None}


def taken(cast, start, **values):
    """Two hours from an instant on, booked."""
    begins, ends = (
        f"{moment + timedelta(hours=8):%Y-%m-%d %H:%M}" for moment in (start, start + timedelta(hours=2))
    )
    return reserve(cast, begins, ends, **values)


def states(instrument, *, minimum=None, maximum=None):
    Capability.objects.create(
        instrument=instrument,
        parameter=Parameter.objects.get(code="spatial_resolution"),
        minimum=minimum,
        maximum=maximum,
        source="owner",
        created_at=NOW,
        updated_at=NOW,
    )


def test_an_instrument_of_the_right_technique_answers_with_its_first_start_and_price(cast):
    (answer,) = matches(cast)
    assert answer.instrument == cast.microscope
    start = answer.offer.starts[0]
    assert at("2026-03-06 08:00") <= start <= at("2026-03-27 18:00")
    # What the match says is what the booking is quoted.
    booked = taken(cast, start, service_mode=answer.mode)
    assert f"{answer.offer.quote.payable:f}" == booked.quotes.get().result["payable"]
    assert answer.payable == answer.offer.quote.payable
    assert answer.match.labels == ("soonest", "cheapest", "closest")


def test_what_is_taken_is_not_offered(cast):
    wanted = wanted_of(need_of(cast))
    first = load_matches(wanted, NOW)[0].offer.starts[0]
    taken(cast, first)
    assert load_matches(wanted, NOW)[0].offer.starts[0] >= first + timedelta(hours=2)


def test_gates_are_named(cast):
    cast.instrument(name="Dear", card={"rates": dict.fromkeys(CARD["rates"], "900")})
    cast.instrument(name="Not for us", card={"rates": {"internal": "1"}})
    cast.instrument(name="Sent in", service_modes=["entrusted"])
    answers = matches(cast, budget=Decimal(800), modes=["self", "assisted"])
    assert names(answers) == [cast.microscope.name]
    assert gates(answers) == {"Dear": "budget", "Not for us": "price", "Sent in": "mode"}


def test_regions_are_kept_to(cast):
    answers = matches(cast, regions=["CN-SH"])
    assert (names(answers), gates(answers)) == ([], {cast.microscope.name: "region"})
    assert names(matches(cast, regions=["CN"])) == [cast.microscope.name]


def test_none_that_fails_a_requirement_is_a_match_and_what_is_unknown_is_said(cast):
    parameters_of(cast)
    fine, coarse = (cast.instrument(name=name) for name in ("Fine", "Coarse"))
    states(fine, minimum=Decimal("0.5"))
    states(coarse, minimum=Decimal(50))
    answers = matches(cast, text="grain size, resolution 2 nm")
    fits = {a.instrument.name: [fit for _, fit in a.fits] for a in answers if a.match}
    assert fits == {"Fine": ["meets"], cast.microscope.name: ["unknown"]}
    assert names(answers)[0] == "Fine"
    assert gates(answers) == {"Coarse": "requirement"}


def test_a_neighbouring_technique_answers_where_nothing_better_does(cast):
    above, sibling = (
        Technique.objects.create(code=code, name=code, scheme="own") for code in ("above", "beside")
    )
    cast.technique.parents.add(above)
    sibling.parents.add(above)
    cast.instrument(name="Beside", techniques=[sibling])
    answers = matches(cast)
    assert names(answers) == [cast.microscope.name, "Beside"]
    assert [a.match.candidate.nearness for a in answers] == [1.0, 0.7]


def test_what_only_shares_a_broad_family_is_no_neighbour(cast):
    family, *children = (
        Technique.objects.create(code=f"t{n}", name=f"technique {n}", scheme="own") for n in range(BROAD)
    )
    for child in (cast.technique, *children):
        child.parents.add(family)
    cast.instrument(name="Beside", techniques=children[:1])
    assert names(matches(cast)) == [cast.microscope.name]


def test_what_cannot_be_booked_for_so_long_says_so_beside_neighbours(cast):
    """It is the right technique: it is named even where others come near."""
    above, sibling = (
        Technique.objects.create(code=code, name=code, scheme="own") for code in ("above", "beside")
    )
    cast.technique.parents.add(above)
    sibling.parents.add(above)
    cast.instrument(name="Half days", policy={"min_minutes": 240, "max_minutes": 480})
    for n in range(4):
        cast.instrument(name=f"Beside {n}", techniques=[sibling])
    answers = matches(cast)
    assert names(answers)[0] == cast.microscope.name
    assert gates(answers) == {"Half days": "length"}
    assert "Half days" in names(matches(cast, minutes=240))


def test_why_one_in_particular_is_none(cast):
    other = cast.instrument(name="Something else", techniques=[])
    wanted = wanted_of(need_of(cast))
    assert load_answer(wanted, other, NOW).gate == "technique"
    assert load_answer(wanted, cast.microscope, NOW).match is not None


def test_a_window_that_is_over_has_no_matches(cast):
    wanted = wanted_of(need_of(cast))
    assert names(load_matches(wanted, wanted.latest + timedelta(days=1))) == []


def test_a_certificate_that_is_lacking_is_said_and_another_way_is_taken(cast):
    asks = {"policy": {"qualification": "instrument"}}
    cast.instrument(name="Guarded", service_modes=["self"], **asks)
    cast.instrument(name="Helped", **asks)
    answers = matches(cast)
    assert gates(answers) == {"Guarded": "certificate"}
    modes = {a.instrument.name: a.mode for a in answers if a.match}
    assert modes == {"Helped": "assisted", cast.microscope.name: "self"}


def test_trust_follows_from_how_hosts_kept_to_bookings(cast):
    assert load_trust([cast.ustc.pk]) == {cast.ustc.pk: 1.0}
    for day in (6, 9):
        reserve(cast, f"2026-03-{day:02} 14:00", f"2026-03-{day:02} 15:00")
    Reservation.objects.filter(start_at__lt=at("2026-03-07 00:00")).update(
        state="cancelled", is_ended_by_host=True
    )
    for _ in range(2):  # counted anew it is the same
        assert hosts_review(now=at("2026-03-20 00:00")) == 1
    record = HostRecord.objects.get()
    assert (record.bookings, record.cancelled, record.requests, record.unanswered) == (2, 1, 0, 0)
    cache.delete("needs.trust")
    # The mean of all is that of the only host shrunk towards 1: (10 x 1 + 1) / 12.
    mean = 11 / 12
    assert load_trust([cast.ustc.pk])[cast.ustc.pk] == pytest.approx((10 * mean + 1) / 12)


def test_the_statements_do_not_grow_with_the_instruments(cast, django_assert_num_queries):
    parameters_of(cast)
    wanted = wanted_of(need_of(cast, text="grain size, resolution 2 nm"))
    load_matches(wanted, NOW)  # vocabulary, opening hours and the mean of all hosts are kept
    for number in range(6):
        cast.instrument(name=f"Microscope {number}")
    load_matches(wanted, NOW)
    with django_assert_num_queries(10):
        assert len(load_matches(wanted, NOW)) == 7
    for number in range(10):
        cast.instrument(name=f"Another {number}")
    load_matches(wanted, NOW)
    with django_assert_num_queries(10):
        assert len(load_matches(wanted, NOW)) == 17


def test_the_cheapest_are_those_of_the_payers_own_money(cast):
    """Where more answer than are looked at, prices in another currency count at the stored
    rate."""
    terms = RateTerms("USD", "CNY", Decimal(7), date(2026, 3, 1), "bank")
    rate_enter(By(cast.actor("lin"), NOW), organisation=cast.fudan, terms=terms)
    dollars = cast.instrument(name="Dollars", card={"currency": "USD"})  # the same numbers
    question = wanted_of(need_of(cast, budget=Decimal(5000)))
    (first,) = load_matches(question, NOW, most=26)[:1]
    assert first.instrument == cast.microscope
    payables = {a.instrument.name: a.payable for a in load_matches(question, NOW)}
    assert payables[dollars.name] == 7 * payables[cast.microscope.name]
