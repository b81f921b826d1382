from datetime import date
from decimal import ROUND_UP, Context, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.domain.money import round_half_up
from bookings.domain.vouchers import GrantValues, best_cover

D = Decimal


def grant(
    code: str,
    percent: str = "50",
    cap: str | None = None,
    remaining: str = "1000",
    expires: date | None = date(2026, 12, 31),
) -> GrantValues:
    return GrantValues(code, D(percent), None if cap is None else D(cap), D(remaining), expires)


money = st.integers(0, 200_000).map(lambda cents: D(cents) / 100)
grants_strategy = st.lists(
    st.builds(
        GrantValues,
        code=st.sampled_from("ABCDE"),
        percent=st.sampled_from([D(0), D("12.5"), D(30), D(50), D(100)]),
        cap_per_booking=st.none() | money,
        remaining=money,
        expires=st.none() | st.sampled_from([date(2026, 6, 30), date(2026, 12, 31)]),
    ),
    max_size=4,
)


@pytest.mark.parametrize(
    ("one", "covered"),
    [
        (grant("A", "30"), "266.25"),
        (grant("A", "30", cap="266.24"), "266.24"),
        (grant("A", "30", remaining="12.34"), "12.34"),
        (grant("A", "100", cap="900", remaining="950"), "887.50"),
        (grant("A", "33.3333"), "295.83"),
    ],
)
def test_a_grant_covers_the_least_of_its_percent_its_cap_and_what_is_left(
    one: GrantValues, covered: str
) -> None:
    assert best_cover([one], D("887.50"), "CNY") == ("A", D(covered))


@pytest.mark.parametrize(
    "one",
    [grant("A", "0"), grant("A", cap="0"), grant("A", remaining="0"), grant("A", remaining="-5")],
)
def test_a_grant_that_covers_nothing_is_not_chosen(one: GrantValues) -> None:
    assert best_cover([one], D("887.50"), "CNY") == (None, D(0))


def test_nothing_eligible_chooses_nothing() -> None:
    assert best_cover([grant("A")], D(0), "CNY") == (None, D(0))
    assert best_cover([], D(100), "CNY") == (None, D(0))


def test_the_percent_is_rounded_half_up_to_the_minor_unit() -> None:
    assert best_cover([grant("A", "50")], D("0.01"), "CNY") == ("A", D("0.01"))
    assert best_cover([grant("A", "49")], D("0.01"), "CNY") == (None, D(0))
    assert best_cover([grant("A", "50")], D("13"), "JPY") == ("A", D(7))


def test_the_one_that_covers_most_wins_though_it_expires_later() -> None:
    early = grant("A", "50", cap="99.99", expires=date(2026, 3, 31))
    assert best_cover([early, grant("B", "50", cap="100")], D(880), "CNY") == ("B", D(100))


def test_of_equals_the_one_that_expires_first_wins() -> None:
    early = grant("Z", cap="100", expires=date(2026, 6, 30))
    late = grant("A", cap="100.00", expires=date(2026, 7, 1))
    never = grant("0", cap="100", expires=None)
    assert best_cover([never, late, early], D(880), "CNY") == ("Z", D(100))
    assert best_cover([never, late], D(880), "CNY") == ("A", D(100))


def test_of_equals_that_expire_together_the_lower_code_wins() -> None:
    assert best_cover([grant("B"), grant("A"), grant("C")], D(10), "CNY") == ("A", D(5))


def test_the_callers_decimal_context_does_not_matter() -> None:
    with localcontext(Context(prec=2, rounding=ROUND_UP)):
        assert best_cover([grant("A", "30")], D("887.50"), "CNY") == ("A", D("266.25"))


@given(grants_strategy, money, st.randoms())
def test_the_order_of_grants_does_not_matter(
    grants: list[GrantValues], eligible: Decimal, random: object
) -> None:
    shuffled = list(grants)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert best_cover(shuffled, eligible, "CNY") == best_cover(grants, eligible, "CNY")


@given(grants_strategy, money)
def test_no_grant_pays_beyond_its_bounds_and_none_would_pay_more(
    grants: list[GrantValues], eligible: Decimal
) -> None:
    code, covered = best_cover(grants, eligible, "CNY")

    def bound(one: GrantValues) -> Decimal:
        cap = one.remaining if one.cap_per_booking is None else one.cap_per_booking
        return min(cap, one.remaining, round_half_up(one.percent * eligible / 100, "CNY"))

    assert covered == max([D(0), *map(bound, grants)])
    assert covered <= eligible
    assert (code is None) == (covered == 0)
    if code is not None:
        assert covered in [bound(one) for one in grants if one.code == code]
