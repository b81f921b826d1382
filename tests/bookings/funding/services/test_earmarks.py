"""Money of funding sources set aside at booking, kept through changes, spent and given back."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.domain.errors import Invalid
from accounts.domain.roles import By
from bookings.catalogue.selectors.parties import Booking
from bookings.charging.services.charges import charge_make
from bookings.funding.domain.funding import Share
from bookings.funding.services.funding import source_change, source_resume, source_suspend
from bookings.models import Earmark, ExchangeRate, FundingSource, Quote, Reservation
from bookings.plans.selectors.chains import StepWish
from bookings.plans.services.chains import chain_book, chain_cancel
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import (
    reservation_cancel,
    reservation_decide,
    reservation_request,
    reservations_request,
)
from bookings.series.services.series import series_book, series_cancel
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.factories.cast import NOW, Cast, at, reserve
from tests.factories.funding import paid_by, set_aside, source, sums

FRIDAY = ("2026-03-06 10:00", "2026-03-06 12:00")
TWO_HOURS = Decimal("657.20")  # (2 x 260 + 100) + 6 %
THREE_HOURS = Decimal("932.80")


def booking(cast: Cast, start: str, end: str, **values: Any) -> Booking:
    return Booking(
        instrument_id=values.pop("instrument", cast.microscope).pk,
        period=Period(at(start), at(end)),
        organisation=values.pop("organisation", None),
        service_mode="self",
        **values,
    )


def codes(caught: pytest.ExceptionInfo[RulesRefuse]) -> list[str]:
    return [refusal.code for refusal in caught.value.refusals]


def suspend(cast: Cast, row: FundingSource) -> None:
    source_suspend(By(cast.actor("lin"), NOW), source_id=row.pk, reason="Review")


def nothing_is_written() -> None:
    assert not Reservation.objects.exists()
    assert not Earmark.objects.exists()
    assert not Quote.objects.exists()
    assert {row.held for row in FundingSource.objects.all()} <= {Decimal(0)}


# At booking


def test_what_is_payable_is_set_aside(cast: Cast) -> None:
    row = source(cast)
    made = reserve(cast, *FRIDAY, funding=paid_by("NSFC-17"))
    assert made.state == "confirmed"
    assert sums(row) == (TWO_HOURS, 0)
    assert set_aside(made) == [("NSFC-17", TWO_HOURS)]


def test_several_share_it_to_the_cent(cast: Cast) -> None:
    for code in ("A", "B", "C"):
        source(cast, code)
    shares = paid_by("A", "B", "C", percents=("33.333", "33.333", "33.334"))
    made = reserve(cast, *FRIDAY, funding=shares)
    parts = set_aside(made)
    assert [code for code, _ in parts] == ["A", "B", "C"]
    assert sum(amount for _, amount in parts) == TWO_HOURS
    assert parts == [("A", Decimal("219.07")), ("B", Decimal("219.06")), ("C", Decimal("219.07"))]


@pytest.mark.parametrize(
    ("shares", "field", "code"),
    [
        ([("NSFC-17", "60"), ("B", "50")], "funding", "not-a-whole"),
        ([("NSFC-17", "60")], "funding", "not-a-whole"),
        ([("NSFC-17", "101")], "funding[0].percent", "out-of-range"),
        ([("NSFC-17", "0"), ("B", "100")], "funding[0].percent", "out-of-range"),
        ([("NSFC-17", "-5"), ("B", "105")], "funding[0].percent", "out-of-range"),
        ([("NSFC-17", "33.3333"), ("B", "66.6667")], "funding[0].percent", "too-many-decimals"),
        ([("NSFC-17", "50"), ("NSFC-17", "50")], "funding[1].source", "repeated"),
        ([("none", "100")], "funding[0].source", "unknown-source"),
        ([("\0", "100")], "funding[0].source", "unknown-source"),
        ([("CHEN", "100")], "funding[0].source", "unknown-source"),
        ([("USTC", "100")], "funding[0].source", "unknown-source"),
        ([(f"S{n}", "9") for n in range(11)], "funding", "too-many"),
    ],
)
def test_shares_that_cannot_be(cast: Cast, shares: list[tuple[str, str]], field: str, code: str) -> None:
    source(cast)
    source(cast, "B")
    source(cast, "CHEN", owner="chen")
    source(cast, "USTC", by="gao", organisation=cast.ustc, owner="sun", is_open=True)
    funding = tuple(Share(name, Decimal(percent)) for name, percent in shares)
    with pytest.raises(Invalid) as caught:
        reserve(cast, *FRIDAY, funding=funding)
    assert (field, code) in [(p.field, p.code) for p in caught.value.problems]
    nothing_is_written()


def test_a_budget_that_is_short_says_by_how_much(cast: Cast) -> None:
    source(cast, budget="657.19")
    with pytest.raises(RulesRefuse) as caught:
        reserve(cast, *FRIDAY, funding=paid_by("NSFC-17"))
    (refusal,) = caught.value.refusals
    assert refusal.code == "funding-short"
    assert refusal.numbers == {"source": "NSFC-17", "left": "657.19", "needed": "657.20", "currency": "CNY"}
    nothing_is_written()


def test_every_source_that_will_not_pay_is_named(cast: Cast) -> None:
    suspend(cast, source(cast, "A"))
    source(cast, "B", valid_from=date(2026, 3, 7))
    source(cast, "C", valid_until=date(2026, 3, 6))
    source(cast, "D", currency="EUR")
    source(cast, "E", budget="1")
    shares = paid_by("A", "B", "C", "D", "E", percents=("20",) * 5)
    with pytest.raises(RulesRefuse) as caught:
        reserve(cast, *FRIDAY, funding=shares)
    assert [(r.code, r.numbers["source"]) for r in caught.value.refusals] == [
        ("source-suspended", "A"),
        ("source-not-valid", "B"),
        ("source-not-valid", "C"),
        ("no-exchange-rate", "D"),
        ("funding-short", "E"),
    ]
    nothing_is_written()


def test_the_last_day_of_a_source(cast: Cast) -> None:
    row = source(cast, valid_from=date(2026, 3, 6), valid_until=date(2026, 3, 7))
    reserve(cast, *FRIDAY, funding=paid_by("NSFC-17"))
    assert sums(row)[0] == TWO_HOURS


def test_another_currency_is_converted_at_the_rate_of_finance(cast: Cast) -> None:
    row = source(cast, currency="EUR")
    for day, rate in ((date(2026, 3, 1), "0.12"), (date(2026, 3, 4), "0.13")):
        ExchangeRate.objects.create(
            organisation=cast.fudan, base="CNY", quote="EUR", rate=Decimal(rate), valid_on=day,
            entered_by=cast.lin, entered_at=NOW,
        )  # fmt: skip
    ExchangeRate.objects.create(  # tomorrow's is not known yet
        organisation=cast.fudan, base="CNY", quote="EUR", rate=Decimal(9),
        valid_on=date(2026, 3, 9), entered_by=cast.lin, entered_at=NOW,
    )  # fmt: skip
    made = reserve(cast, *FRIDAY, funding=paid_by("NSFC-17"))
    assert sums(row)[0] == Decimal("85.44")  # 657.20 x 0.13 = 85.436
    assert Earmark.objects.get(reservation=made).rate == Decimal("0.13")


# Who may charge it


@pytest.mark.parametrize(("who", "passes"), [("wang", True), ("chen", False)])
def test_an_owner_charges_and_a_colleague_does_not(cast: Cast, who: str, passes: bool) -> None:
    row = source(cast, owner=who)
    if passes:
        reserve(cast, *FRIDAY, funding=paid_by("NSFC-17"))
        assert sums(row)[0] == TWO_HOURS
        return
    with pytest.raises(Invalid):
        reserve(cast, *FRIDAY, funding=paid_by("NSFC-17"))
    nothing_is_written()


@pytest.mark.parametrize("values", [{"users": ("wang",)}, {"is_open": True}])
def test_who_is_named_charges_and_everybody_where_it_is_open(cast: Cast, values: dict) -> None:
    row = source(cast, owner="chen", **values)
    reserve(cast, *FRIDAY, funding=paid_by("NSFC-17"))
    assert sums(row)[0] == TWO_HOURS


@pytest.mark.parametrize("owner", ["wang", "chen"])
def test_a_manager_books_for_a_member_from_the_sources_of_either(cast: Cast, owner: str) -> None:
    row = source(cast, owner=owner)
    made = reservation_request(
        By(cast.actor("chen"), NOW),
        booking=booking(
            cast, *FRIDAY, organisation="fudan", on_behalf_of="wang@fudan.example", funding=paid_by("NSFC-17")
        ),
    )
    assert made.user_id == cast.wang.pk
    assert sums(row)[0] == TWO_HOURS


def test_a_manager_does_not_charge_what_neither_may(cast: Cast) -> None:
    source(cast, owner="lin")
    with pytest.raises(Invalid):
        reservation_request(
            By(cast.actor("chen"), NOW),
            booking=booking(
                cast,
                *FRIDAY,
                organisation="fudan",
                on_behalf_of="wang@fudan.example",
                funding=paid_by("NSFC-17"),
            ),
        )
    nothing_is_written()


# Holds, several at once, series, chains


def test_a_hold_takes_nothing_until_it_is_completed(cast: Cast) -> None:
    row = source(cast)
    hold = hold_take(By(cast.actor("wang"), NOW), booking=booking(cast, *FRIDAY))
    assert sums(row) == (0, 0)
    wanted = booking(cast, *FRIDAY, hold=hold.pk, funding=paid_by("NSFC-17"))
    reservation_request(By(cast.actor("wang"), NOW), booking=wanted)
    assert set_aside(hold) == [("NSFC-17", TWO_HOURS)]


def test_a_hold_stays_one_where_the_budget_is_short(cast: Cast) -> None:
    source(cast, budget="1")
    hold = hold_take(By(cast.actor("wang"), NOW), booking=booking(cast, *FRIDAY))
    wanted = booking(cast, *FRIDAY, hold=hold.pk, funding=paid_by("NSFC-17"))
    with pytest.raises(RulesRefuse):
        reservation_request(By(cast.actor("wang"), NOW), booking=wanted)
    hold.refresh_from_db()
    assert hold.state == "held"
    assert not Earmark.objects.exists()


def test_several_at_once_use_a_budget_up_together(cast: Cast) -> None:
    source(cast, budget="1500")
    days = [("2026-03-06 10:00", "2026-03-06 12:00"), ("2026-03-09 10:00", "2026-03-09 12:00")]
    wanted = [booking(cast, *day, funding=paid_by("NSFC-17")) for day in days]
    more = booking(cast, "2026-03-10 10:00", "2026-03-10 12:00", funding=paid_by("NSFC-17"))
    with pytest.raises(RulesRefuse) as caught:
        reservations_request(By(cast.actor("wang"), NOW), bookings=[*wanted, more])
    assert [(r.code, r.booking, r.numbers["left"]) for r in caught.value.refusals] == [
        ("funding-short", 2, "185.60")
    ]
    nothing_is_written()
    reservations_request(By(cast.actor("wang"), NOW), bookings=wanted)
    assert FundingSource.objects.get().held == 2 * TWO_HOURS


@pytest.mark.parametrize("on_conflict", ["refuse", "skip"])
def test_a_series_is_judged_date_by_date(cast: Cast, on_conflict: str) -> None:
    row = source(cast, budget="1500", valid_until=date(2026, 3, 11))

    def book() -> Any:
        return series_book(
            By(cast.actor("wang"), NOW),
            booking=booking(cast, "2026-03-09 10:00", "2026-03-09 12:00", funding=paid_by("NSFC-17")),
            rule="FREQ=DAILY;COUNT=4",
            on_conflict=on_conflict,
        )

    if on_conflict == "refuse":
        with pytest.raises(RulesRefuse) as caught:
            book()
        assert [(r.code, r.booking) for r in caught.value.refusals] == [
            ("source-not-valid", 2),
            ("funding-short", 2),
            ("source-not-valid", 3),
            ("funding-short", 3),
        ]
        nothing_is_written()
        return
    made = book()
    assert len(made.reservations) == 2
    assert sums(row)[0] == 2 * TWO_HOURS
    series_cancel(
        By(cast.actor("wang"), NOW), series_id=made.series.pk, scope="all", reservation_id=None, reason=""
    )
    assert sums(row) == (0, 0)


def test_a_chain_is_paid_step_by_step(cast: Cast) -> None:
    row = source(cast)
    other = cast.instrument(name="Other")
    chain = chain_book(
        By(cast.actor("wang"), NOW),
        steps=[StepWish(cast.microscope.pk, 60, "self"), StepWish(other.pk, 60, "self")],
        organisation=None,
        purpose="research",
        purpose_text="",
        within=Period(at("2026-03-10 00:00"), at("2026-03-11 00:00")),
        funding=paid_by("NSFC-17"),
    )
    assert Earmark.objects.filter(reservation__chain=chain).count() == 2
    assert sums(row)[0] == 2 * Decimal("381.60")
    chain_cancel(By(cast.actor("wang"), NOW), chain_id=chain.pk, reason="")
    assert sums(row) == (0, 0)


# Approval


@pytest.fixture
def asked(cast: Cast) -> tuple[FundingSource, Reservation]:
    """A request that waits for the host's word, paid by a source."""
    row = source(cast)
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    return row, reserve(cast, *FRIDAY, instrument=asks, funding=paid_by("NSFC-17"))


def decide(cast: Cast, made: Reservation, *, approve: bool = True) -> Reservation:
    return reservation_decide(
        By(cast.actor("zhao"), NOW), reservation_id=made.pk, approve=approve, reason="no"
    )


def test_money_is_set_aside_from_the_request_on(cast: Cast, asked: tuple) -> None:
    row, made = asked
    assert made.state == "requested"
    assert sums(row)[0] == TWO_HOURS
    decide(cast, made, approve=False)
    assert sums(row) == (0, 0)


def test_a_budget_lowered_to_what_is_used_does_not_stop_an_approval(cast: Cast, asked: tuple) -> None:
    row, made = asked
    change = {"budget": TWO_HOURS}
    source_change(By(cast.actor("lin"), NOW), source_id=row.pk, changes=change)
    assert decide(cast, made).state == "confirmed"


@pytest.mark.parametrize("how", ["suspended", "ended"])
def test_no_request_is_approved_whose_source_does_not_pay_any_more(
    cast: Cast, asked: tuple, how: str
) -> None:
    row, made = asked
    if how == "suspended":
        suspend(cast, row)
    else:
        change = {"valid_until": date(2026, 3, 6)}
        source_change(By(cast.actor("lin"), NOW), source_id=row.pk, changes=change)
    with pytest.raises(RulesRefuse) as caught:
        decide(cast, made)
    assert codes(caught) == ["funding-blocked"]
    assert caught.value.refusals[0].numbers == {}  # which one is the payer's affair
    made.refresh_from_db()
    assert (made.state, made.version) == ("requested", 1)
    assert sums(row)[0] == TWO_HOURS  # it stays set aside
    decide(cast, made, approve=False)
    assert sums(row) == (0, 0)


def test_resumed_it_can_be_approved(cast: Cast, asked: tuple) -> None:
    row, made = asked
    suspend(cast, row)
    source_resume(By(cast.actor("lin"), NOW), source_id=row.pk)
    assert decide(cast, made).state == "confirmed"


# Moves


def move(cast: Cast, made: Reservation, start: str, end: str) -> Reservation:
    return reservation_move(
        By(cast.actor("wang"), NOW), reservation_id=made.pk, period=Period(at(start), at(end))
    )


def test_a_move_sets_aside_what_it_costs_then(cast: Cast) -> None:
    row = source(cast)
    made = reserve(cast, *FRIDAY, funding=paid_by("NSFC-17"))
    move(cast, made, "2026-03-06 10:00", "2026-03-06 13:00")
    assert sums(row)[0] == THREE_HOURS
    move(cast, made, "2026-03-09 10:00", "2026-03-09 12:00")
    assert sums(row)[0] == TWO_HOURS
    assert set_aside(made) == [("NSFC-17", TWO_HOURS)]


def test_what_is_set_aside_for_it_counts_for_its_own_move(cast: Cast) -> None:
    row = source(cast, budget="932.80")
    made = reserve(cast, *FRIDAY, funding=paid_by("NSFC-17"))
    move(cast, made, "2026-03-06 10:00", "2026-03-06 13:00")
    assert sums(row)[0] == THREE_HOURS
    with pytest.raises(RulesRefuse) as caught:
        move(cast, made, "2026-03-06 10:00", "2026-03-06 13:30")
    assert codes(caught) == ["funding-short"]
    assert sums(row)[0] == THREE_HOURS


@pytest.mark.parametrize("how", ["suspended", "ended"])
def test_only_giving_time_back_needs_no_word_of_the_source(cast: Cast, how: str) -> None:
    row = source(cast)
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 13:00", funding=paid_by("NSFC-17"))
    if how == "suspended":
        suspend(cast, row)
    else:
        change = {"valid_until": date(2026, 3, 10)}
        source_change(By(cast.actor("lin"), NOW), source_id=row.pk, changes=change)
    for start, end in (("2026-03-10 10:00", "2026-03-10 14:00"), ("2026-03-11 10:00", "2026-03-11 13:00")):
        with pytest.raises(RulesRefuse) as caught:
            move(cast, made, start, end)
        wanted = "source-suspended" if how == "suspended" else "source-not-valid"
        assert codes(caught) == [wanted]
    assert sums(row)[0] == THREE_HOURS
    move(cast, made, "2026-03-10 10:00", "2026-03-10 12:00")
    assert sums(row)[0] == TWO_HOURS


def test_the_host_is_not_told_what_the_payer_has_left(cast: Cast) -> None:
    row = source(cast, budget="932.80")
    made = reserve(cast, *FRIDAY, funding=paid_by("NSFC-17"))
    with pytest.raises(RulesRefuse) as caught:
        reservation_move(
            By(cast.actor("zhao"), NOW),
            reservation_id=made.pk,
            period=Period(at("2026-03-06 10:00"), at("2026-03-06 14:00")),
            reason="A longer run",
        )
    assert [(r.code, r.numbers) for r in caught.value.refusals] == [("funding-blocked", {})]
    assert sums(row)[0] == TWO_HOURS


def test_a_move_keeps_the_rate_it_was_made_with(cast: Cast) -> None:
    row = source(cast, currency="EUR")
    for day, rate in ((date(2026, 3, 1), "0.1"), (date(2026, 3, 6), "0.2")):
        ExchangeRate.objects.create(
            organisation=cast.fudan, base="CNY", quote="EUR", rate=Decimal(rate), valid_on=day,
            entered_by=cast.lin, entered_at=NOW,
        )  # fmt: skip
    made = reserve(cast, "2026-03-16 10:00", "2026-03-16 12:00", funding=paid_by("NSFC-17"))
    assert sums(row)[0] == Decimal("65.72")
    reservation_move(
        By(cast.actor("wang"), NOW + timedelta(days=3)),
        reservation_id=made.pk,
        period=Period(at("2026-03-16 10:00"), at("2026-03-16 13:00")),
    )
    assert sums(row)[0] == Decimal("93.28")


# Spent, or given back


def test_use_is_spent_and_what_was_not_needed_given_back(cast: Cast) -> None:
    first, second = source(cast, "A"), source(cast, "B")
    card = {"charge_basis": "used", "setup_fee": "0"}
    instrument = cast.instrument(name="By use", card=card)
    shares = paid_by("A", "B", percents=("70", "30"))
    made = reserve(cast, *FRIDAY, instrument=instrument, funding=shares)
    wang = cast.actor("wang")
    reservation_check_in(By(wang, at("2026-03-06 10:00")), reservation_id=made.pk)
    reservation_check_out(By(wang, at("2026-03-06 11:00")), reservation_id=made.pk)
    charge = charge_make(reservation_id=made.pk, now=at("2026-03-06 11:00"))
    assert charge is not None
    assert charge.payable == Decimal("275.60")
    assert sums(first) == (0, Decimal("192.92"))
    assert sums(second) == (0, Decimal("82.68"))


def test_a_late_cancellation_is_paid_by_the_same_sources(cast: Cast) -> None:
    row = source(cast)
    made = reserve(cast, *FRIDAY, funding=paid_by("NSFC-17"))
    reservation_cancel(By(cast.actor("wang"), at("2026-03-05 12:15")), reservation_id=made.pk, reason="")
    assert sums(row) == (0, 0)
    charge = charge_make(reservation_id=made.pk, now=at("2026-03-05 12:15"))
    assert charge is not None
    assert sums(row) == (0, charge.payable)
    assert charge.payable == TWO_HOURS  # less than a day before: all of it
