"""The balance of a year, held against the settlements it is made of."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bookings.settlement.domain.balances import Settled, balances

D = Decimal
owed = st.decimals(D(0), D(10_000), places=2)


@st.composite
def settlements(draw):
    first, second = draw(owed), draw(owed)
    net = abs(first - second)
    paid = draw(st.sampled_from([D(0), net, (net / 2).quantize(D("0.01"))]))
    state = "drawn_up" if not paid else "confirmed"
    pair = draw(st.sampled_from([("CN-AH", "CN-SH"), ("CN-AH", "CN-ZJ")]))
    return Settled(*pair, draw(st.sampled_from(["CNY", "EUR"])), first, second, paid, state)


@given(st.lists(settlements(), max_size=12))
def test_sums_are_those_of_the_settlements(rows):
    found = balances(rows)
    assert [(one.first, one.second, one.currency) for one in found] == sorted(
        {(row.first, row.second, row.currency) for row in rows}
    )
    for one in found:
        mine = [r for r in rows if (r.first, r.second, r.currency) == (one.first, one.second, one.currency)]
        assert one.settlements == len(mine)
        assert one.unconfirmed == sum(row.state == "drawn_up" for row in mine)
        assert one.net == sum(row.first_owes - row.second_owes for row in mine)
        assert one.paid_by_first + one.paid_by_second == sum(row.paid for row in mine)
        assert one.netted == sum(min(row.first_owes, row.second_owes) for row in mine)
        for side in ("first", "second"):  # the line adds up, on both sides
            rest = getattr(one, f"paid_by_{side}") + getattr(one, f"open_by_{side}")
            assert getattr(one, f"{side}_owes") == one.netted + rest
        # What was paid and what is open are the difference of each settlement, on the side that owes more.
        for side, sign in (("first", 1), ("second", -1)):
            nets = [max(sign * (row.first_owes - row.second_owes), D(0)) for row in mine]
            assert getattr(one, f"paid_by_{side}") + getattr(one, f"open_by_{side}") == sum(nets)
            assert getattr(one, f"open_by_{side}") >= 0


def test_months_in_opposite_directions_are_not_set_off():
    pair = ("CN-AH", "CN-SH", "CNY")
    (one,) = balances(
        [Settled(*pair, D(50), D(20), D(30), "paid"), Settled(*pair, D(0), D("30.00"), D(0), "drawn_up")]
    )
    assert (one.first_owes, one.second_owes, one.net) == (50, 50, 0)
    assert (one.paid_by_first, one.open_by_first, one.paid_by_second, one.open_by_second) == (30, 0, 0, 30)
    assert one.unconfirmed == 1
