"""Entries balance, whatever the event; worked examples by hand; the chart that gives lines their accounts."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid, WrongState
from bookings.charging.domain.ledger import charge_postings, payment_postings
from bookings.journal.domain import journal
from bookings.journal.domain.charts import About, Account, Chart, Rule, rule_problems, unassigned
from bookings.journal.domain.closing import require_closable
from bookings.journal.domain.journal import HOST, PAYER, Event, balance, ledger_sums, lines_of, parts_of
from bookings.journal.domain.presets import PRESETS

A, B = UUID(int=1), UUID(int=2)
DAY = date(2026, 3, 2)


def D(text: str) -> Decimal:
    return Decimal(text)


def said(event: Event, side: str) -> list[tuple[object, ...]]:
    return [
        (line.role, f"{line.amount:f}", *([line.source] if line.source else []))
        for line in lines_of(event, side)
    ]


# The worked example of docs/fees.md: 887.50 and 6 % tax; a voucher of 266.25; grids of 35.00 are added here.
USE = Event(
    "charge", "CNY", payable=D("674.50"), net=D("887.50"), tax=D("53.25"), covered=D("266.25"),
    parts=(("usage", D("817.50")), ("consumables", D("70.00"))), tax_percent=D("6"),
    shares=((A, D("60")), (B, D("40"))),
)  # fmt: skip


def test_a_use_as_host_and_as_payer():
    assert said(USE, HOST) == [
        ("receivable", "674.50"), ("vouchers", "266.25"), ("revenue_usage", "-817.50"),
        ("revenue_consumables", "-70.00"), ("output_tax", "-53.25"),
    ]  # fmt: skip
    # 60 and 40 % of 940.75, tax included, as it is not deducted.
    assert said(USE, PAYER) == [
        ("cost", "564.45", A), ("cost", "376.30", B), ("voucher_income", "-266.25"), ("payable", "-674.50"),
    ]  # fmt: skip


def test_a_payer_that_deducts_tax_spends_the_net_amount():
    event = Event(**{**vars(USE), "deducts_tax": True})
    assert said(event, PAYER) == [
        ("cost", "532.50", A), ("cost", "355.00", B), ("input_tax", "53.25"),
        ("voucher_income", "-266.25"), ("payable", "-674.50"),
    ]  # fmt: skip


def test_an_internal_use_is_in_the_journal_of_the_host_alone():
    event = Event(
        "charge", "CNY", payable=D("120.00"), net=D("120.00"), parts=(("usage", D("120.00")),),
        is_internal=True, shares=((A, D("100")),),
    )  # fmt: skip
    assert said(event, HOST) == [("internal_cost", "120.00", A), ("internal_income", "-120.00")]
    assert said(event, PAYER) == []


@pytest.mark.parametrize(
    ("event", "host", "payer"),
    [
        (Event("payment", "CNY", D("200")), [("bank", "200"), ("receivable", "-200")],
         [("payable", "200"), ("paid_from", "-200")]),
        (Event("payment", "CNY", D("-50")), [("bank", "-50"), ("receivable", "50")],
         [("payable", "-50"), ("paid_from", "50")]),
        (Event("credit", "EUR", D("30")), [("bank", "30"), ("advances", "-30")],
         [("prepaid", "30"), ("paid_from", "-30")]),
        (Event("payment", "EUR", D("30"), is_of_credit=True), [("advances", "30"), ("receivable", "-30")],
         [("payable", "30"), ("prepaid", "-30")]),
    ],
    ids=["paid", "taken back", "kept for the payer", "paid from credit"],
)  # fmt: skip
def test_money(event, host, payer):
    assert said(event, HOST) == host
    assert said(event, PAYER) == payer


LINES = [
    {"kind": "usage", "amount": "625.00"}, {"kind": "setup", "amount": "100.00"},
    {"kind": "option", "code": "operator", "quantity": "2", "amount": "300.00"},
    {"kind": "option", "code": "grid", "quantity": "2", "amount": "70.00"},
    {"kind": "agreement", "amount": "-62.50"},
]  # fmt: skip
UNITS = {"operator": "hour", "grid": "each"}


def test_what_a_use_consists_of():
    result = {"lines": LINES, "subtotal": "1032.50"}
    assert parts_of("use", result, D("1032.50"), "CNY", UNITS) == (
        ("usage", D("962.50")),
        ("consumables", D("70.00")),
    )
    # A quarter was waived.
    assert parts_of("use", result, D("774.37"), "CNY", UNITS) == (
        ("usage", D("721.87")),
        ("consumables", D("52.50")),
    )
    # Its reversal takes back the same.
    assert parts_of("use", result, D("-774.37"), "CNY", UNITS) == (
        ("usage", D("-721.87")), ("consumables", D("-52.50")),
    )  # fmt: skip
    late = result | {"shortening": {"fee": "40.00", "tax": "2.40"}}
    assert dict(parts_of("use", late, D("1072.50"), "CNY", UNITS)) == {
        "usage": D("962.50"), "consumables": D("70.00"), "cancellation": D("40.00"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "part"),
    [("training", "training"), ("cancellation", "cancellation"), ("no_show", "cancellation"),
     ("melting", "cancellation")],
)  # fmt: skip
def test_what_is_no_use(kind, part):
    assert parts_of(kind, {}, D("10.00"), "CNY", {}) == ((part, D("10.00")),)


cents = st.integers(-(10**9), 10**9).map(lambda n: Decimal(n) / 100)
currencies = st.sampled_from(["CNY", "EUR", "JPY", "KWD"])


@st.composite
def events(draw):
    currency = draw(currencies)
    digits = {"JPY": 0, "KWD": 3}.get(currency, 2)
    amount = st.integers(0, 10**9).map(lambda n: Decimal(n).scaleb(-digits))
    sign = draw(st.sampled_from([1, -1]))
    kind = draw(st.sampled_from(["charge", "payment", "credit"]))
    if kind != "charge":
        return Event(
            kind, currency, sign * draw(amount), is_of_credit=kind == "payment" and draw(st.booleans())
        )
    is_internal = draw(st.booleans())
    net = draw(amount)
    tax = Decimal(0) if is_internal else draw(amount)
    covered = min(draw(amount), net)
    lines = [
        {"kind": draw(st.sampled_from(["usage", "option"])), "code": draw(st.sampled_from(list(UNITS))),
         "amount": str(draw(amount))}
        for _ in range(draw(st.integers(0, 4)))
    ]  # fmt: skip
    result = {"lines": lines, "subtotal": str(sum((Decimal(line["amount"]) for line in lines), Decimal(0)))}
    first = draw(st.integers(1, 99_999))
    percents = draw(
        st.sampled_from([(), (Decimal(100),), (Decimal(first) / 1000, 100 - Decimal(first) / 1000)])
    )
    return Event(
        "charge", currency, sign * (net + tax - covered), sign * net, sign * tax, sign * covered,
        parts_of(draw(st.sampled_from(["use", "training", "no_show"])), result, sign * net, currency, UNITS),
        draw(st.sampled_from([None, Decimal(6), Decimal("13.5")])),
        tuple(zip((A, B), percents, strict=False)), is_internal, draw(st.booleans()),
    )  # fmt: skip


@given(events(), st.sampled_from([HOST, PAYER]))
def test_an_entry_always_balances(event, side):
    assert balance(lines_of(event, side)) == 0


@given(st.lists(events(), max_size=8))
def test_the_journal_of_a_host_sums_up_to_its_ledger(made):
    posted: dict[str, Decimal] = {}
    for event in made:
        if event.kind == "charge":
            rows = charge_postings(tax=event.tax, covered=event.covered, payable=event.payable)
        else:
            rows = payment_postings(event.payable, settles="receivable") if event.kind == "payment" else ()
        for account, amount in rows:
            posted[account] = posted.get(account, Decimal(0)) + amount
    lines = [(line.role, line.amount) for event in made for line in lines_of(event, HOST)]
    assert ledger_sums(lines, HOST) == {account: amount for account, amount in posted.items() if amount}


@given(st.lists(events().filter(lambda event: not event.is_internal), max_size=8))
def test_what_payers_book_mirrors_what_hosts_book(made):
    sides = {}
    for side in (HOST, PAYER):
        sums = ledger_sums(
            [(line.role, line.amount) for event in made for line in lines_of(event, side)], side
        )
        sums["revenue"] = sums.get("revenue", Decimal(0)) + sums.pop("tax", Decimal(0))
        sides[side] = {account: amount for account, amount in sums.items() if amount}
    assert sides[HOST] == sides[PAYER]


# Charts

BANK, CASH, USED = Account("1200", "Bank"), Account("1210", "Bank USD"), Account("8400", "Revenue")


def test_the_newest_rule_of_a_day_counts_and_the_narrowest_of_two():
    chart = Chart(
        [
            Rule("bank", date(2026, 1, 1), BANK),
            Rule("bank", date(2026, 3, 1), CASH, "currency", "USD"),
            Rule("bank", date(2026, 4, 1), None, "currency", "USD"),
            Rule("revenue_usage", date(2026, 1, 1), USED),
            Rule("cost_centre", date(2026, 1, 1), limit="facility", value=A, cost_centre="F"),
            Rule("cost_centre", date(2026, 3, 1), limit="instrument", value=B, cost_centre="I"),
            Rule("output_tax", date(2026, 1, 1), BANK, "tax_percent", D("6"), tax_code="V6"),
        ]
    )
    usd = About(currency="USD")
    days = [date(2025, 12, 31), date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)]
    assert [chart.account_for("bank", usd, day) for day in days] == [None, BANK, CASH, BANK]
    line = journal.Line("revenue_usage", D("-1"), tax_percent=D("6.0000"))
    about = About("CNY", instrument=B, facility=A, tax_percent=D("6.0000"))
    placed = [chart.placed(line, about, day) for day in days[1:3]]
    assert [(one.account, one.cost_centre, one.tax_code) for one in placed] == [
        (USED, "F", "V6"),
        (USED, "I", "V6"),
    ]


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_preset_leaves_nothing_unassigned(preset):
    rules = [
        Rule(role, date(2000, 1, 1), account) for account, roles in PRESETS[preset].accounts for role in roles
    ]
    assert unassigned(Chart(rules), DAY) == []
    numbers = [account.number for account, _ in PRESETS[preset].accounts]
    assert len(set(numbers)) == len(numbers)
    assert len({rule.role for rule in rules}) == len(rules)


def test_without_rules_everything_is_unassigned_but_what_some_never_need():
    found = unassigned(Chart(()), DAY)
    assert "receivable" in found and "input_tax" not in found


@pytest.mark.parametrize(
    ("role", "limits", "centre", "has_account", "code"),
    [
        ("nothing", [], "", True, "unknown-value"),
        ("receivable", ["currency"], "", True, "not-for-this-role"),
        ("revenue_usage", ["facility", "instrument"], "", True, "one-limit-only"),
        ("cost_centre", [], "", True, "not-for-this-role"),
        ("bank", [], "K1", True, "not-for-this-role"),
    ],
)
def test_rules_that_make_no_sense(role, limits, centre, has_account, code):
    problems = rule_problems(role, limits, cost_centre=centre, has_account=has_account)
    assert [problem.code for problem in problems] == [code]


MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


@pytest.mark.parametrize(
    ("month", "closed", "code"),
    [
        (APRIL, [], "month-not-over"),
        (MARCH, [MARCH], "month-closed"),
        (MARCH, [date(2026, 1, 1)], "earlier-month-open"),
    ],
)
def test_months_that_cannot_be_closed(month, closed, code):
    with pytest.raises((Invalid, WrongState)) as refused:
        require_closable(month, closed, APRIL)
    problems = getattr(refused.value, "problems", None)
    assert (problems[0].code if problems else refused.value.code) == code


def test_any_month_that_is_over_can_be_the_first():
    require_closable(MARCH, [], APRIL)
    require_closable(MARCH, [date(2026, 2, 1)], APRIL)
