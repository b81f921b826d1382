"""What a charge should have been, by the rule that made it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.charging.domain.corrections import Amendment, amended, charged_again, require_change, usage_of
from bookings.pricing.domain.charges import Ending, charge, is_disputable
from bookings.pricing.domain.quotes import QuoteInput
from bookings.pricing.domain.vouchers import GrantValues
from bookings.record.domain.months import month_after, month_for, month_of
from instruments.rates.domain.ratecards import parse_rate_card

D = Decimal
START = datetime(2026, 3, 6, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
CARD = parse_rate_card(
    {
        "currency": "CNY",
        "valid_from": "2026-01-01",
        "rates": {"external": "260.00"},
        "setup_fee": "100.00",
        "minimum_minutes": 60,
        "billing_increment_minutes": 15,
        "options": [
            {"code": "operator", "unit": "hour", "price": "150.00", "subsidised": True},
            {"code": "grid", "unit": "each", "price": "35.00", "subsidised": False},
        ],
        "tax_percent": "6",
        "charge_basis": "used",
        "cancellation": [{"notice_minutes": 1440, "percent": "50"}, {"notice_minutes": 0, "percent": "100"}],
        "no_show_percent": "80",
    }
)
VOUCHER = GrantValues("v", D(30), D("300.00"), D("1000.00"), date(2026, 12, 31))
QUOTED = QuoteInput(
    card=CARD, time_zone="Asia/Shanghai", start=START, end=START + 2 * HOUR,
    price_group="external", grants=(VOUCHER,), options={"grid": D(2)},
)  # fmt: skip


def ended(state="completed", **values):
    given = {"usage": (START, START + 2 * HOUR)} | values
    return Ending(state, given.pop("ended_at", START), True, False, **given)


amounts = st.integers(0, 50_000).map(lambda cents: D(cents) / 100)
endings = st.builds(
    ended,
    state=st.sampled_from(["completed", "cancelled", "no_show", "expired"]),
    ended_at=st.integers(-5000, 0).map(lambda minutes: START + timedelta(minutes=minutes)),
    usage=st.integers(1, 600).map(lambda minutes: (START, START + timedelta(minutes=minutes))),
    cut_at=st.none() | st.integers(0, 600).map(lambda n: START + timedelta(minutes=n)),
    least_percent=st.sampled_from([D(0), D("12.5"), D(100)]),
    shortening_fee=st.sampled_from([D(0), D("3.33")]),
)
waivers = st.none() | st.sampled_from([D(0), D("33.333"), D(50), D("99.9"), D(100)])


@given(endings)
def test_every_charge_comes_out_again_from_its_inputs(ending: Ending) -> None:
    made = charge(QUOTED, ending)
    if made is None:
        return
    again = charged_again(made.kind, made.inputs)
    assert again == replace(made, inputs=dict(made.inputs))


@given(endings, waivers, st.integers(1, 700), st.integers(0, 9))
def test_a_corrected_charge_adds_up_and_comes_out_again(
    ending: Ending, waive: Decimal | None, minutes: int, grids: int
) -> None:
    made = charge(QUOTED, ending)
    if made is None:
        return
    is_use = made.kind == "use"
    amendment = Amendment(
        usage=(START, START + timedelta(minutes=minutes)) if is_use else None,
        options={"grid": D(grids)} if is_use else {},
        waive_percent=waive,
    )
    after = amended(made.kind, made.inputs, amendment, quoted=QUOTED, grants=(VOUCHER,))
    if after.due is None:
        # All of it is waived, or what is left of a small fee and of its tax rounds to nothing.
        assert waive is not None
        assert waive == 100 or (not is_use and made.total * (100 - waive) / 100 < D("0.02"))
        return
    now = after.due
    assert now.total == now.payable + now.covered
    assert 0 <= now.covered <= VOUCHER.remaining and now.payable >= 0 and now.tax >= 0
    assert charged_again(after.kind, after.inputs) == now
    result = now.result
    assert D(result["total"]) == now.total
    parts = [D(result["subtotal"] if is_use else result["fee"]), D(result["tax"])]
    for name, keys in (("shortening", ("fee", "tax")), ("waiver", ("amount", "tax"))):
        if name in result:
            parts += [D(result[name][key]) for key in keys]
    assert sum(parts) == now.total
    if waive:
        whole = charged_again(after.kind, {k: v for k, v in after.inputs.items() if k != "waive_percent"})
        assert now.total <= whole.total and now.covered <= whole.covered


def test_times_of_use_count_by_the_basis_of_the_card() -> None:
    made = charge(QUOTED, ended())
    assert made is not None
    usage = (START + HOUR, START + 3 * HOUR)
    for basis, span in (
        ("used", usage),
        ("greater", (START, START + 3 * HOUR)),
        ("reserved", (START, START + 2 * HOUR)),
    ):
        quoted = replace(QUOTED, card=replace(CARD, charge_basis=basis))
        first = charge(quoted, ended())
        assert first is not None
        after = amended("use", first.inputs, Amendment(usage=usage), quoted=quoted)
        assert (after.inputs["start"], after.inputs["end"]) == tuple(m.isoformat() for m in span)
        assert usage_of(after.inputs) == usage


def test_an_earlier_waiver_stays_until_another_is_said() -> None:
    made = charge(QUOTED, ended())
    assert made is not None
    half = amended("use", made.inputs, Amendment(waive_percent=D(50)), quoted=QUOTED)
    kept = amended("use", half.inputs, Amendment(options={"grid": D(0)}), quoted=QUOTED)
    assert kept.inputs["waive_percent"] == "50"
    none = amended("use", half.inputs, Amendment(waive_percent=D(0)), quoted=QUOTED)
    assert "waive_percent" not in none.inputs


@pytest.mark.parametrize(("kind", "state"), [("use", "completed"), ("no_show", "no_show")])
def test_no_change_is_no_correction(kind: str, state: str) -> None:
    made = charge(QUOTED, ended(state))
    assert made is not None and made.kind == kind
    same = amended(kind, made.inputs, Amendment(), quoted=QUOTED, grants=(VOUCHER,))
    with pytest.raises(Invalid) as refused:
        require_change(made.result, kind, same, made.inputs, None)
    assert refused.value.problems[0].numbers == {}


def times(first: str, last: str) -> tuple[datetime, datetime]:
    day = START.astimezone(ZoneInfo("Asia/Shanghai")).date()
    start, end = (datetime.fromisoformat(f"{day}T{text}+08:00") for text in (first, last))
    return start, end


@pytest.mark.parametrize(
    ("card", "was", "usage", "why"),
    [
        ({"charge_basis": "reserved"}, ("10:00", "12:00"), ("10:00", "11:00"),
         {"why": "by-booking"}),
        ({"charge_basis": "greater"}, ("10:00", "12:00"), ("10:00", "11:00"),
         {"why": "booking-at-least"}),
        ({"rate_unit": "sample", "minimum_minutes": 0}, ("10:00", "12:00"), ("10:00", "11:00"),
         {"why": "by-sample"}),
        ({}, ("10:00", "12:00"), ("10:00", "12:00"), {"why": "same-times"}),
        ({}, ("10:00", "12:00"), ("10:00", "11:46"), {"why": "rounding", "minutes": 15}),
        ({}, ("10:00", "11:30"), ("10:15", "11:45"), {"why": "same-length"}),
        ({}, ("10:00", "10:50"), ("10:00", "10:20"), {"why": "minimum", "minutes": 60}),
    ],
)  # fmt: skip
def test_times_that_change_nothing_say_why(
    card: dict[str, Any], was: tuple[str, str], usage: tuple[str, str], why: dict[str, Any]
) -> None:
    entrusted = {"quantity": D(3), "service_mode": "entrusted"}
    quoted = replace(QUOTED, card=replace(CARD, **card), **entrusted)
    made = charge(quoted, ended(usage=times(*was)))
    assert made is not None
    amendment = Amendment(usage=times(*usage))
    after = amended("use", made.inputs, amendment, quoted=quoted, grants=quoted.grants)
    with pytest.raises(Invalid) as refused:
        require_change(made.result, "use", after, made.inputs, amendment.usage)
    (problem,) = refused.value.problems
    assert (problem.field, problem.code, problem.numbers) == ("", "nothing-changes", why)


@given(was=st.integers(1, 300), now=st.integers(1, 300), basis=st.sampled_from(["reserved", "used"]))
def test_times_change_the_charge_or_say_why(was: int, now: int, basis: str) -> None:
    quoted = replace(QUOTED, card=replace(CARD, charge_basis=basis))
    usage = (START, START + timedelta(minutes=now))
    made = charge(quoted, ended(usage=(START, START + timedelta(minutes=was))))
    assert made is not None
    after = amended("use", made.inputs, Amendment(usage=usage), quoted=quoted, grants=quoted.grants)
    try:
        require_change(made.result, "use", after, made.inputs, usage)
    except Invalid as refused:
        assert refused.problems[0].numbers["why"]
    else:
        assert after.due is not None and after.due.result != made.result


@pytest.mark.parametrize(
    ("kind", "state", "after", "can"),
    [
        ("use", "open", -1, True),
        ("use", "open", 0, False),
        ("use", "disputed", -1, False),
        ("use", "final", -1, False),
        ("reversal", "open", -1, False),
        ("melting", "open", -1, False),
        ("no_show", "open", -1, True),
    ],
)
def test_what_can_be_disputed(kind: str, state: str, after: int, can: bool) -> None:
    assert is_disputable(kind, state, START, START + timedelta(seconds=after)) is can


def test_months() -> None:
    late = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)  # past midnight in Shanghai
    assert month_of(late, "Asia/Shanghai") == date(2027, 1, 1)
    assert month_of(late, "Europe/London") == date(2026, 12, 1)
    assert month_after(date(2026, 12, 1)) == date(2027, 1, 1)
    drawn = {date(2026, 11, 1), date(2026, 12, 1), date(2027, 2, 1)}
    assert month_for(late, "Europe/London", drawn) == date(2027, 1, 1)
    assert month_for(late, "Europe/London", {date(2026, 11, 1)}) == date(2026, 12, 1)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    st.sets(st.dates(date(2020, 1, 1), date(2035, 12, 31)).map(lambda d: d.replace(day=1))),
)
def test_a_month_is_never_one_that_is_drawn(moment: datetime, drawn: set[date]) -> None:
    month = month_for(moment, "Asia/Shanghai", drawn)
    assert month not in drawn and month.day == 1
    assert month >= month_of(moment, "Asia/Shanghai")
