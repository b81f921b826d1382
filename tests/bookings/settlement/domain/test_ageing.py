"""Buckets of days past due, held against the plainest way to say them."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.settlement.domain.ageing import BUCKETS, OpenAmount, aged, bucket_of, totals, with_credit

TODAY = date(2026, 4, 1)
PARTIES = [UUID(int=n) for n in range(1, 4)]


@pytest.mark.parametrize(
    ("late", "bucket"),
    [
        (-30, "not_due"), (0, "not_due"), (1, "days_1_30"), (30, "days_1_30"), (31, "days_31_60"),
        (60, "days_31_60"), (61, "days_61_90"), (90, "days_61_90"), (91, "over_90"),
        (4000, "over_90"),
    ],
)  # fmt: skip
def test_days_past_due(late, bucket):
    assert bucket_of(Decimal(1), TODAY - timedelta(days=late), TODAY) == bucket
    assert bucket_of(Decimal(-1), TODAY - timedelta(days=late), TODAY) == "credit"


AMOUNTS = st.builds(
    OpenAmount,
    counterparty=st.sampled_from(PARTIES),
    currency=st.sampled_from(["CNY", "GBP"]),
    amount=st.integers(-(10**6), 10**6).filter(bool).map(lambda n: Decimal(n) / 100),
    due_date=st.dates(TODAY - timedelta(days=130), TODAY + timedelta(days=40)),
    today=st.sampled_from([TODAY, TODAY - timedelta(days=1)]),
)


def oracle(one):
    if one.amount < 0:
        return "credit"
    late = (one.today - one.due_date).days
    limits = {"not_due": range(-999, 1), "days_1_30": range(1, 31), "days_31_60": range(31, 61),
              "days_61_90": range(61, 91), "over_90": range(91, 999)}  # fmt: skip
    (name,) = (name for name, days in limits.items() if late in days)
    return name


@given(st.lists(AMOUNTS, max_size=40))
def test_every_cent_is_in_one_cell(amounts):
    rows = aged(amounts)
    expected = Counter()
    for one in amounts:
        expected[one.counterparty, one.currency, oracle(one)] += one.amount
    cells = {(row.counterparty, row.currency, name): row.buckets[name] for row in rows for name in BUCKETS}
    assert {key: value for key, value in cells.items() if value} == {
        key: value for key, value in expected.items() if value
    }
    assert sum(row.statements for row in rows) == len(amounts)
    owed = sum(one.amount for one in amounts if oracle(one) != "credit")
    assert sum(row.total for row in rows) == owed
    sums = totals(rows)
    for currency, buckets in sums.items():
        mine = [one.amount for one in amounts if one.currency == currency]
        assert sum(buckets.values()) == sum(mine)


@given(st.permutations(list(range(8))), st.lists(AMOUNTS, min_size=8, max_size=8))
def test_the_order_they_come_in_does_not_matter(order, amounts):
    assert aged(amounts) == aged([amounts[n] for n in order])


KEYS = st.sets(st.tuples(st.sampled_from(PARTIES), st.sampled_from(["CNY", "GBP"])))


@given(st.lists(AMOUNTS, max_size=20), KEYS)
def test_credit_alone_has_a_row_that_changes_no_sum(amounts, keys):
    rows = aged(amounts)
    found = with_credit(rows, keys)
    assert {(row.counterparty, row.currency) for row in found} == keys | {
        (row.counterparty, row.currency) for row in rows
    }
    assert sum(row.total for row in found) == sum(row.total for row in rows)
    assert [row for row in found if row.statements] == rows
