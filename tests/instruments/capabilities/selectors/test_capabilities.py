"""Searching by what is stated of instruments: SQL says what the pure rule says."""

from collections.abc import Iterator
from decimal import Decimal as D
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.capabilities.selectors.capabilities import failing, load_capabilities, meeting
from instruments.register.models import Instrument
from instruments.search.domain.search import Criteria
from instruments.search.selectors import search
from instruments.search.selectors.search import entries, facets, load_specifications
from instruments.vocabulary.domain.parameters import Requirement, Stated, fit
from instruments.vocabulary.selectors.needs import load_parameters
from tests.factories.capabilities import parameters_of, state
from tests.factories.cast import Cast

pytestmark = pytest.mark.django_db
CODES = ("spatial_resolution", "accelerating_voltage", "sample_temperature")
NUMBER = 5  # of instruments

values = st.decimals(-3, 3, places=1)
sides = st.none() | values
requirements = st.builds(Requirement, st.sampled_from(CODES), sides, sides, st.sampled_from(["", "x", "y"]))


def _stated(code: str, low: D | None, high: D | None, condition: str, has: bool) -> Stated | None:
    if not has:
        return Stated(code, None, None, condition, False)
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    return None if low is high is None else Stated(code, low, high, condition)


statements = st.lists(
    st.builds(_stated, st.sampled_from(CODES), sides, sides, st.sampled_from(["", "x", "y"]), st.booleans()),
    max_size=5,
)


@pytest.fixture(scope="module")
def instruments(shared_cast: Cast, django_db_blocker: Any) -> Iterator[list[Instrument]]:
    with django_db_blocker.unblock(), transaction.atomic():
        parameters_of(shared_cast)
        others = [shared_cast.instrument(name=f"No. {n}") for n in range(NUMBER - 1)]
        yield [shared_cast.microscope, *others]
        transaction.set_rollback(True)


@settings(max_examples=settings().max_examples // 2)
@given(
    stated=st.lists(statements, min_size=NUMBER, max_size=NUMBER),
    required=st.lists(requirements, max_size=3, unique_by=lambda r: r.parameter),
)
def test_the_search_says_what_the_rule_says(
    instruments: list[Instrument], stated: list[list[Stated | None]], required: list[Requirement]
) -> None:
    for instrument, rows in zip(instruments, stated, strict=True):
        state(instrument, filter(None, rows))
    known = load_capabilities([instrument.pk for instrument in instruments])
    fits = {pk: [fit(each, known[pk]) for each in required] for pk in known}
    for n, each in enumerate(required):
        for rows, result in ((meeting(each), "meets"), (failing(each), "fails")):
            ids = set(rows.values_list("instrument_id", flat=True))
            assert ids == {pk for pk in known if fits[pk][n] == result}
    criteria = Criteria(specs=tuple(required))
    met = {pk for pk in known if set(fits[pk]) <= {"meets"}}
    assert set(entries(criteria).values_list("pk", flat=True)) == met
    assert facets(criteria).total == len(met)
    counted = load_specifications(criteria)
    assert counted.unstated == sum("unknown" in one and "fails" not in one for one in fits.values())
    assert {choice.code: choice.count for choice in counted.parameters} == {
        code: number
        for code in CODES
        if (number := sum(any(one.parameter == code and one.is_available for one in known[pk]) for pk in met))
    }


def test_what_most_state_comes_first_and_large_counts_are_remembered(
    instruments: list[Instrument], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *others = instruments
    for instrument in others:
        state(instrument, [])
    temperature = Stated("sample_temperature", D(4), D(300))
    state(first, [temperature, Stated("spatial_resolution", D(1))])
    state(second, [temperature, Stated("sample_temperature", D(2), condition="magnet off")])

    def counted(**more: Any) -> list[tuple[str, int]]:
        with CaptureQueriesContext(connection) as captured:
            result = load_specifications(Criteria(**more))
        assert len(captured) <= 1
        return [(choice.code, choice.count) for choice in result.parameters]

    load_specifications(Criteria())  # the vocabulary is read once a process
    both = [("sample_temperature", 2), ("spatial_resolution", 1)]
    assert counted() == both
    assert counted(text="zzz", region="CN") == []
    monkeypatch.setattr(search, "MOST_PARAMETERS", 1)
    assert counted() == both[:1]
    monkeypatch.setattr(search, "FEW", 2)
    assert counted() == both[:1]
    state(first, [])
    assert counted() == both[:1]
    cache.clear()
    load_parameters()
    assert counted() == [("sample_temperature", 1)]


def test_the_other_facets_count_with_requirements(instruments: list[Instrument]) -> None:
    for instrument in instruments:
        state(instrument, [])
    state(instruments[0], [Stated("spatial_resolution", D("0.1"))])
    criteria = Criteria(specs=(Requirement("spatial_resolution", D("0.2")),), region="CN-AH")
    counted = facets(criteria)
    assert counted.total == 1
    assert {choice.code: choice.count for choice in counted.choices["host"]} == {"ustc": 1}
    assert sum(choice.count for choice in counted.choices["maker"]) == 1
    # What is remembered of one requirement is not answered for another.
    stricter = Criteria(specs=(Requirement("spatial_resolution", D("0.01")),), region="CN-AH")
    assert search.hash_of(stricter) != search.hash_of(criteria)
    assert facets(stricter).total == 0
