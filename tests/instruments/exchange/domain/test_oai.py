"""What OAI-PMH asks, and the datestamps of records."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.exchange.domain import oai

INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
LIST = {"metadataPrefix": "oai_dc"}


def listed(changed, selection, now):
    begin, end = oai.changed_in(selection, now)
    return (begin is None or begin <= changed) and changed < end


@given(changed=INSTANTS, now=INSTANTS, until=INSTANTS)
def test_a_record_is_listed_by_the_datestamp_it_shows(changed, now, until):
    stamp = oai.datestamp(changed)
    selection = oai.selection_of(LIST | {"until": oai.second(until)})
    is_past = stamp < oai.second(now)
    assert listed(changed, selection, now) == (is_past and stamp <= oai.second(until))
    selection = oai.selection_of(LIST | {"from": oai.second(until)})
    assert listed(changed, selection, now) == (is_past and stamp >= oai.second(until))


@given(changed=INSTANTS, asked=st.integers(-200, 200), slow=st.floats(0, 59))
def test_whoever_asks_again_from_the_last_answer_misses_nothing(changed, asked, slow):
    """The record is stored `slow` seconds after the instant of its change."""
    first = changed + timedelta(seconds=asked)
    is_stored = first >= changed + timedelta(seconds=slow)
    got_first = is_stored and listed(changed, oai.selection_of(LIST), first)
    following = oai.selection_of(LIST | {"from": oai.second(first)})
    assert got_first or listed(changed, following, first + timedelta(days=1))


@given(
    since=st.none() | INSTANTS, before=st.none() | INSTANTS, at=INSTANTS, key=st.uuids(), count=st.integers(0)
)
def test_a_selection_comes_back_from_its_token(since, before, at, key, count):
    selection = oai.Selection("oai_dc", since, before, "region", "CN-AH", (at, key), count)
    assert oai.selection_from(oai.token_values(selection)) == selection


@pytest.mark.parametrize("values", [[], ["x"] * 8, ["oai_dc", "", "", "", "", "", "", "0"], [1] * 8, "oai"])
def test_no_token(values):
    with pytest.raises(oai.OaiRefused, match="token"):
        oai.selection_from(values)


def test_identifiers():
    key = UUID("0197a1de-0000-7000-8000-00000000abcd")
    assert oai.key_of("x.example", oai.identifier_of("x.example", key)) == key
    for other in (f"oai:y.example:{key}", f"oai:x.example:{str(key).upper()}", "oai:x.example:", "", "oai"):
        with pytest.raises(oai.OaiRefused, match="no record"):
            oai.key_of("x.example", other)
