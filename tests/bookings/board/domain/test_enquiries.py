"""States by deadlines, and which clusters are shown."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.board.domain.enquiries import (
    EnquiryPart,
    bid_state,
    clusters,
    enquiry_state,
    quarter_of,
    told_to_host,
)
from bookings.record.domain.refusals import Refusal

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
Q1 = date(2026, 1, 1)
AH, SH = UUID(int=1), UUID(int=2)


def asked(organisation: int, minutes: int = 60, technique: str = "tem", region: UUID = AH) -> EnquiryPart:
    return EnquiryPart(technique, region, Q1, UUID(int=organisation), minutes)


@pytest.mark.parametrize(
    ("state", "hours", "seen"), [("open", 1, "open"), ("answered", 0, "unmet"), ("awarded", -1, "awarded")]
)
def test_an_enquiry_closes_by_its_deadline(state, hours, seen):
    assert enquiry_state(state, NOW + timedelta(hours=hours), NOW) == seen


def test_a_bid_lapses_by_its_deadline():
    assert bid_state("amended", NOW, NOW) == "lapsed"
    assert bid_state("accepted", NOW, NOW) == "accepted"


def test_three_organisations_make_a_cluster():
    (cluster,) = clusters([asked(1), asked(2, 120), asked(3), asked(3)])
    assert (cluster.organisations, cluster.enquiries, cluster.minutes) == (3, 4, 300)
    assert cluster.yearly_minutes == 1200


@pytest.mark.parametrize("rows", [[asked(1), asked(2)], [asked(1, 801), asked(2, 100), asked(3, 99)]])
def test_what_would_tell_of_one_is_hidden(rows):
    assert clusters(rows) == []


def test_equal_to_eighty_per_cent_passes():
    assert len(clusters([asked(1, 800), asked(2, 100), asked(3, 100)])) == 1


def test_what_would_give_the_hidden_one_away_is_hidden_too():
    one = [asked(n) for n in (1, 2, 3)]
    alone = [asked(4, technique="xrd")]
    larger = [asked(n, region=SH) for n in (5, 6, 7, 8)]
    assert [c.region for c in clusters([*one, *alone, *larger])] == [SH]


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 900), st.sampled_from("ab")), max_size=30))
def test_no_cluster_stands_for_few(rows):
    given_rows = [asked(o, m, t) for o, m, t in rows]
    for cluster in clusters(given_rows):
        inside = [row for row in given_rows if row.technique == cluster.technique]
        by_organisation = {}
        for row in inside:
            by_organisation[row.organisation] = by_organisation.get(row.organisation, 0) + row.minutes
        assert len(by_organisation) >= 3
        assert max(by_organisation.values()) <= 0.8 * sum(by_organisation.values())


@pytest.mark.parametrize(("day", "first"), [((2026, 3, 31), (2026, 1, 1)), ((2026, 12, 1), (2026, 10, 1))])
def test_quarters(day, first):
    assert quarter_of(date(*day)) == date(*first)


def test_of_a_confidential_enquiry_the_host_reads_only_what_the_instrument_refuses():
    quota = Refusal("quota-exceeded", {"limit": 3, "total": 4}, booking=1)
    refusals = [Refusal("slot-taken", {"units": 1}), quota, Refusal("qualification-missing", booking=1)]
    assert told_to_host(refusals, is_confidential=False) == tuple(refusals)
    assert told_to_host(refusals, is_confidential=True) == (
        Refusal("slot-taken", {"units": 1}),
        Refusal("not-for-who-asks", booking=1),
    )
