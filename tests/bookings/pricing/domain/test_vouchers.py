from dataclasses import replace
from datetime import date
from decimal import ROUND_UP, Context, Decimal, localcontext
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.pricing.domain import vouchers
from bookings.record.domain.money import round_half_up

D = Decimal


def grant(
    code: str,
    percent: str = "50",
    cap: str | None = None,
    remaining: str = "1000",
    expires: date | None = date(2026, 12, 31),
) -> vouchers.GrantValues:
    return vouchers.GrantValues(code, D(percent), None if cap is None else D(cap), D(remaining), expires)


money = st.integers(0, 200_000).map(lambda cents: D(cents) / 100)
grants_strategy = st.lists(
    st.builds(
        vouchers.GrantValues,
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
    one: vouchers.GrantValues, covered: str
) -> None:
    assert vouchers.best_cover([one], D("887.50"), "CNY") == ("A", D(covered))


@pytest.mark.parametrize(
    "one", [grant("A", "0"), grant("A", cap="0"), grant("A", remaining="0"), grant("A", remaining="-5")]
)
def test_a_grant_that_covers_nothing_is_not_chosen(one: vouchers.GrantValues) -> None:
    assert vouchers.best_cover([one], D("887.50"), "CNY") == (None, D(0))


def test_nothing_eligible_chooses_nothing() -> None:
    assert vouchers.best_cover([grant("A")], D(0), "CNY") == (None, D(0))
    assert vouchers.best_cover([], D(100), "CNY") == (None, D(0))


def test_the_percent_is_rounded_half_up_to_the_minor_unit() -> None:
    assert vouchers.best_cover([grant("A", "50")], D("0.01"), "CNY") == ("A", D("0.01"))
    assert vouchers.best_cover([grant("A", "49")], D("0.01"), "CNY") == (None, D(0))
    assert vouchers.best_cover([grant("A", "50")], D("13"), "JPY") == ("A", D(7))


def test_the_one_that_covers_most_wins_though_it_expires_later() -> None:
    early = grant("A", "50", cap="99.99", expires=date(2026, 3, 31))
    assert vouchers.best_cover([early, grant("B", "50", cap="100")], D(880), "CNY") == ("B", D(100))


def test_of_equals_the_one_that_expires_first_wins() -> None:
    early = grant("Z", cap="100", expires=date(2026, 6, 30))
    late = grant("A", cap="100.00", expires=date(2026, 7, 1))
    never = grant("0", cap="100", expires=None)
    assert vouchers.best_cover([never, late, early], D(880), "CNY") == ("Z", D(100))
    assert vouchers.best_cover([never, late], D(880), "CNY") == ("A", D(100))


def test_of_equals_that_expire_together_the_lower_code_wins() -> None:
    assert vouchers.best_cover([grant("B"), grant("A"), grant("C")], D(10), "CNY") == ("A", D(5))


def test_the_callers_decimal_context_does_not_matter() -> None:
    with localcontext(Context(prec=2, rounding=ROUND_UP)):
        assert vouchers.best_cover([grant("A", "30")], D("887.50"), "CNY") == ("A", D("266.25"))


@given(grants_strategy, money, st.randoms())
def test_the_order_of_grants_does_not_matter(
    grants: list[vouchers.GrantValues], eligible: Decimal, random: object
) -> None:
    shuffled = list(grants)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert vouchers.best_cover(shuffled, eligible, "CNY") == vouchers.best_cover(grants, eligible, "CNY")


@given(grants_strategy, money)
def test_no_grant_pays_beyond_its_bounds_and_none_would_pay_more(
    grants: list[vouchers.GrantValues], eligible: Decimal
) -> None:
    code, covered = vouchers.best_cover(grants, eligible, "CNY")

    def bound(one: vouchers.GrantValues) -> Decimal:
        cap = one.remaining if one.cap_per_booking is None else one.cap_per_booking
        return min(cap, one.remaining, round_half_up(one.percent * eligible / 100, "CNY"))

    assert covered == max([D(0), *map(bound, grants)])
    assert covered <= eligible
    assert (code is None) == (covered == 0)
    if code is not None:
        assert covered in [bound(one) for one in grants if one.code == code]


# Grants of a payer in the face of a use


def offer(code: str = "A", **changes: object) -> vouchers.GrantOffer:
    values: dict[str, object] = {
        "id": UUID(int=ord(code[0])),
        "code": code,
        "percent": D(50),
        "cap_per_booking": None,
        "currency": "CNY",
        "remaining": D(1000),
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2027, 1, 1),
    }
    return vouchers.GrantOffer(**values | changes)  # type: ignore[arg-type]


HOST = UUID(int=7)
USE = vouchers.Use(date(2026, 3, 6), "CNY", frozenset({HOST}), is_honoured=True)


@pytest.mark.parametrize(
    ("changes", "use", "why"),
    [
        ({}, USE, ""),
        ({"is_open": False}, USE, "suspended"),
        ({"remaining": D(0)}, USE, "used-up"),
        ({"currency": "EUR"}, USE, "other-currency"),
        ({"valid_from": date(2026, 3, 7)}, USE, "not-yet"),
        ({"valid_from": date(2026, 3, 6)}, USE, ""),
        ({"valid_until": date(2026, 3, 6)}, USE, "expired"),
        ({"valid_until": date(2026, 3, 7)}, USE, ""),
        ({"valid_until": None}, USE, ""),
        ({"host_regions": frozenset({UUID(int=8)})}, USE, "other-host"),
        ({"host_regions": frozenset({UUID(int=8), HOST})}, USE, ""),
        ({}, replace(USE, is_honoured=False), "not-honoured"),
    ],
)
def test_why_a_grant_cannot_pay(changes: dict[str, object], use: vouchers.Use, why: str) -> None:
    assert vouchers.why_unusable(offer(**changes), use) == why
    assert bool(vouchers.usable([offer(**changes)], use)) == (not why)


def test_all_grants_are_told_the_one_that_pays_first() -> None:
    found = vouchers.considered(
        [offer("A"), offer("B", percent=D(80), cap_per_booking=D(30)), offer("C", remaining=D(0))],
        USE,
        D(200),
    )
    assert [(c.offer.code, c.covers, c.why_not, c.is_chosen, c.left) for c in found] == [
        ("A", D(100), "", True, D(900)),
        ("B", D(30), "", False, D(1000)),
        ("C", D(0), "used-up", False, D(0)),
    ]


offers_strategy = st.lists(
    st.builds(
        offer,
        code=st.sampled_from("ABCDEF"),
        percent=st.sampled_from([D("12.5"), D(30), D(50), D(100)]),
        cap_per_booking=st.none() | money,
        remaining=money,
        currency=st.sampled_from(["CNY", "CNY", "EUR"]),
        valid_until=st.none() | st.sampled_from([date(2026, 3, 6), date(2026, 12, 31)]),
        is_open=st.booleans(),
        host_regions=st.sampled_from([frozenset(), frozenset({HOST}), frozenset({UUID(int=8)})]),
    ),
    max_size=5,
    unique_by=lambda each: each.code,
)


@given(offers_strategy, money, st.randoms())
def test_one_grant_pays_whatever_their_order_and_never_beyond_its_caps(
    offers: list[vouchers.GrantOffer], eligible: D, luck: Random
) -> None:
    shuffled = list(offers)
    luck.shuffle(shuffled)
    code, amount = vouchers.best_cover(vouchers.usable(offers, USE), eligible, "CNY")
    assert vouchers.best_cover(vouchers.usable(shuffled, USE), eligible, "CNY") == (code, amount)
    told = vouchers.considered(shuffled, USE, eligible)
    assert told == vouchers.considered(offers, USE, eligible)
    chosen = [each for each in told if each.is_chosen]
    assert [(each.offer.code, each.covers) for each in chosen] == ([(code, amount)] if code else [])
    for each in chosen:
        assert 0 < each.covers <= min(eligible, each.offer.remaining)
        assert each.offer.cap_per_booking is None or each.covers <= each.offer.cap_per_booking
        assert each.left >= 0
        assert all(each.covers >= other.covers for other in told)


@given(offers_strategy, st.lists(money, max_size=8))
def test_a_row_of_bookings_never_takes_more_than_there_was(
    offers: list[vouchers.GrantOffer], costs: list[D]
) -> None:
    """Each takes from what the ones before have left."""
    left = {each.code: each for each in offers}
    taken = dict.fromkeys(left, D(0))
    for eligible in costs:
        code, amount = vouchers.best_cover(vouchers.usable(left.values(), USE), eligible, "CNY")
        assert amount <= eligible
        if code:
            taken[code] += amount
            left[code] = replace(left[code], remaining=left[code].remaining - amount)
    for each in offers:
        assert 0 <= taken[each.code] <= max(each.remaining, D(0))
