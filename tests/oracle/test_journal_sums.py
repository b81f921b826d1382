"""The journal of a year has the lines of the oracle: each document to the cent, and so each month and the
year, whether months are closed or not."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.roles import By
from accounts.models import Organisation
from bookings.bank.domain.books import Part
from bookings.bank.models import BankCredit, BankTransaction
from bookings.bank.services.credits import credit_return, credit_use
from bookings.bank.services.files import GivenFile, file_read
from bookings.bank.services.matches import Given, credit_take_back, transaction_match
from bookings.journal.models import AccountRule, JournalLine
from bookings.journal.selectors.journal import Entry, load_journal
from bookings.journal.services.charts import chart_begin
from bookings.journal.services.journal import journal_close
from bookings.models import Charge, Payment, Statement
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statements_draw
from tests.factories.cast import Cast, at
from tests.factories.money import charge_of, store
from tests.oracle import bank_files
from tests.oracle import journal as oracle

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 1)
AFTER = at("2027-02-01 09:00")
KINDS = ("use", "use", "use", "use", "cancellation", "no_show")
amounts = st.decimals(-10_000, 10_000, places=2)


# ---- The oracle itself


@given(
    amounts, amounts, amounts, st.sampled_from(["charge", "payment", "credit"]), st.booleans(), st.booleans()
)
def test_each_document_is_balanced(
    total: Decimal, tax: Decimal, covered: Decimal, kind: str, is_internal: bool, is_from_credit: bool
) -> None:
    event = oracle.Event(
        1, kind, FIRST, "CNY", "h", "h" if is_internal else "p", total - covered, tax, total, covered,
        is_from_credit,
    )  # fmt: skip
    for side in (oracle.HOST, oracle.PAYER):
        assert oracle.is_balanced(oracle.sums([event], side))


def test_the_example_of_the_design() -> None:
    """docs/fees.md: total 940.75 with 53.25 of tax, of which a voucher pays 266.25."""
    event = oracle.Event(
        1, "charge", FIRST, "CNY", "h", "p", Decimal("674.50"), Decimal("53.25"), Decimal("940.75"),
        Decimal("266.25"),
    )  # fmt: skip
    assert oracle.lines(event, oracle.HOST) == {
        "receivable": Decimal("674.50"),
        "vouchers": Decimal("266.25"),
        "revenue": Decimal("-887.50"),
        "output_tax": Decimal("-53.25"),
    }
    assert oracle.lines(event, oracle.PAYER) == {
        "spent": Decimal("940.75"),
        "voucher_income": Decimal("-266.25"),
        "payable": Decimal("-674.50"),
    }


# ---- The platform


def draw_year(cast: Cast, random: Random) -> None:
    """A year of charges at USTC, most of them billed and many paid; some are taken back later."""
    payers = [cast.fudan, cast.optics, cast.ustc, cast.fudan]
    for number in range(1, 13):
        month = date(2026, number, 1)
        made = [_charge(cast, random, random.choice(payers), month) for _ in range(random.randint(4, 14))]
        store(made)
        if number > 2:
            _take_back(cast, random, month)
        now = _next(month)
        statements_draw(month=month, now=now)
        _pay(cast, random, now)


def _next(month: date) -> datetime:
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return at(f"{following} 09:00")


def _charge(cast: Cast, random: Random, payer: Organisation, month: date) -> Charge:
    total = Decimal(random.randint(100, 2_000_000)) / 100
    is_internal = payer == cast.ustc
    covered = (
        (total * random.choice([0, 0, 1, 3]) / 10).quantize(Decimal("0.01")) if payer == cast.fudan else 0
    )
    charge = charge_of(
        cast, payer, total=str(total), covered=str(covered), month=month,
        currency=random.choice(["CNY", "CNY", "CNY", "USD"]),
        # Also at the end of a local day, on which it is still the day before in UTC, or already the next.
        start=at(f"{month:%Y-%m}-{random.randint(2, 18):02} {random.choice(['00:10', '09:30', '22:30'])}"),
    )  # fmt: skip
    charge.kind = random.choice(KINDS)
    if is_internal:
        charge.tax = Decimal(0)
    options = (total - charge.tax) / 3
    charge.result["lines"] = [
        {"kind": "usage", "code": "standard", "amount": str(total - charge.tax - options)},
        {"kind": "option", "code": "grid", "amount": str(options)},
    ]
    return charge


def _take_back(cast: Cast, random: Random, month: date) -> None:
    """Reverse a charge of an earlier month, in this one."""
    earlier = Charge.objects.filter(month__lt=month, reversals=None, kind__in=KINDS).order_by("pk")
    of = random.choice(list(earlier))
    back = _charge(cast, random, of.organisation, month)
    back.kind, back.reverses, back.currency = "reversal", of, of.currency
    for name in ("tax", "total", "covered", "payable"):
        setattr(back, name, -getattr(of, name))
    back.result = {"lines": [], "billed_minutes": 0}
    store([back])


def _pay(cast: Cast, random: Random, now: datetime) -> None:
    """Payments in full and in part, and one taken back."""
    by = By(cast.actor("gao"), now)
    for statement in Statement.objects.filter(state__in=["issued", "part_paid"], payable__gt=0).order_by(
        "pk"
    ):
        left = statement.payable - statement.paid
        if statement.payer_id == statement.host_id or random.random() < 0.3:
            continue
        part = left if random.random() < 0.6 else (left / 3).quantize(Decimal("0.01"))
        statement_pay(by, statement_id=statement.pk, paid=Paid(part, now.date()))
        if random.random() < 0.15:
            statement_pay(by, statement_id=statement.pk, paid=Paid(-part, now.date(), "returned"))


def events() -> list[oracle.Event]:
    """What the rows say, without the ledger."""
    found = [
        oracle.Event(
            charge.pk, "charge", charge.created_at.astimezone(SHANGHAI).date(), charge.currency,
            charge.host_id, charge.organisation_id, charge.payable, charge.tax, charge.total, charge.covered,
        )
        for charge in Charge.objects.exclude(total=0)
    ]  # fmt: skip
    found += [
        oracle.Event(
            payment.pk, "payment", payment.entered_at.astimezone(SHANGHAI).date(), payment.currency,
            payment.statement.host_id, payment.statement.payer_id, payment.amount,
        )
        for payment in Payment.objects.select_related("statement").exclude(statement=None)
    ]  # fmt: skip
    by_credit = {row.payment_id for row in BankCredit.objects.exclude(payment=None)}
    found = [replace(event, is_from_credit=event.row in by_credit) for event in found]
    found += [
        oracle.Event(
            row.pk, "credit", row.entered_at.astimezone(SHANGHAI).date(), row.currency, row.host_id,
            row.payer_id, row.amount,
        )
        for row in BankCredit.objects.filter(payment=None)
    ]  # fmt: skip
    return found


def told(entries: Iterable[Entry]) -> oracle.Sums:
    found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in entries:
        for line in entry.lines:
            found[line.role, entry.currency] += line.debit - line.credit
    return oracle.merged(found)


@pytest.fixture
def year(cast: Cast) -> Cast:
    draw_year(cast, Random(2026))
    return cast


def of_side(cast: Cast, side: str) -> tuple[Organisation, list[oracle.Event]]:
    organisation = cast.ustc if side == oracle.HOST else cast.fudan
    name = "host" if side == oracle.HOST else "payer"
    return organisation, [event for event in events() if getattr(event, name) == organisation.pk]


@pytest.mark.django_db
@pytest.mark.parametrize("side", [oracle.HOST, oracle.PAYER])
def test_a_year_is_balanced_and_has_the_sums_of_its_rows(year: Cast, side: str) -> None:
    organisation, expected = of_side(year, side)
    entries = list(load_journal(organisation, side, FIRST, LAST).stream())
    expected = [event for event in expected if event.day.year == 2026]
    shown = [event for event in expected if oracle.lines(event, side)]
    assert len(entries) == len(shown) > 50
    by_document = sorted(sorted(told([entry]).items()) for entry in entries)
    assert by_document == sorted(sorted(oracle.sums([event], side).items()) for event in shown)
    for entry in entries:
        assert sum(line.debit - line.credit for line in entry.lines) == 0, entry
        assert all((line.debit > 0) != (line.credit > 0) for line in entry.lines), entry
    assert told(entries) == oracle.sums(expected, side)
    assert oracle.is_balanced(told(entries))
    for number in range(1, 13):
        month = date(2026, number, 1)
        of_month = [event for event in expected if event.day.month == number]
        found = list(load_journal(organisation, side, month, month).stream())
        assert told(found) == oracle.sums(of_month, side), month
        assert {entry.day.month for entry in found} <= {number}


@pytest.mark.django_db
@pytest.mark.parametrize("side", [oracle.HOST, oracle.PAYER])
def test_closed_months_say_the_same_and_later_corrections_are_of_their_own_month(
    year: Cast, side: str
) -> None:
    organisation, _ = of_side(year, side)
    by = By(year.actor("gao" if side == oracle.HOST else "lin"), AFTER)
    chart_begin(by, organisation=organisation.code, preset="cn_public")
    for number in range(1, 13):
        with transaction.atomic():
            journal_close(by, organisation=organisation.code, side=side, month=date(2026, number, 1))
    rules = dict(
        AccountRule.objects.filter(organisation=organisation, currency="", tax_percent=None)
        .exclude(account=None)
        .values_list("role", "account__number")
    )
    assert {line.account for line in JournalLine.objects.all()} <= {*rules.values()}
    for line in JournalLine.objects.all():
        assert line.account == rules[line.role], line.role
    kept: dict[int, defaultdict[tuple[str, str], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for line in JournalLine.objects.all():
        kept[line.date.month][line.role, line.currency] += line.debit - line.credit
    _, expected = of_side(year, side)
    for number in range(1, 13):
        of_month = [event for event in expected if (event.day.year, event.day.month) == (2026, number)]
        assert oracle.merged(kept[number]) == oracle.sums(of_month, side), number
    before = [dict(line) for line in JournalLine.objects.order_by("pk").values()]
    _take_back(year, Random(7), date(2027, 1, 1))
    assert [dict(line) for line in JournalLine.objects.order_by("pk").values()] == before
    _, later = of_side(year, side)
    january = [event for event in later if event.day.year == 2027]
    journal = load_journal(organisation, side, date(2027, 1, 1), date(2027, 1, 1))
    assert told(journal.stream()) == oracle.sums(january, side)


@pytest.mark.django_db
def test_credit_that_a_bank_file_brought_is_in_the_journal(cast: Cast) -> None:
    """A transfer pays more than a statement: the rest is kept, used, returned and used again. Another is kept
    and taken back."""
    store(
        [
            charge_of(cast),
            charge_of(cast, month=date(2026, 4, 1), total="212.00", start=at("2026-04-02 10:00")),
        ]
    )
    for month in (date(2026, 3, 1), date(2026, 4, 1)):
        statements_draw(month=month, now=_next(month))
    first, second = Statement.objects.order_by("number")
    by = By(cast.actor("gao"), at("2026-06-08 10:00"))
    transfers = [
        bank_files.Transfer(
            f"{number}", date(2026, 6, 3), Decimal(amount), "Fudan University", "CN1", ("fees",)
        )
        for number, amount in enumerate(("300.00", "50.00"))
    ]
    given = GivenFile("june.xml", bank_files.camt(transfers), is_other_account=True)
    file_read(by, host=cast.ustc, given=given)
    more, other = BankTransaction.objects.order_by("position")
    parts = (Part(first.pk, Decimal(106)),)
    transaction_match(by, transaction_id=more.pk, given=Given(parts, Decimal(194), cast.fudan.pk))
    transaction_match(by, transaction_id=other.pk, given=Given((), Decimal(50), cast.fudan.pk))
    by = By(cast.actor("gao"), at("2026-06-09 10:00"))
    used = credit_use(by, statement_id=second.pk, amount=Decimal(100))
    credit_return(by, credit_id=used.pk)
    credit_use(by, statement_id=second.pk, amount=Decimal(150))
    credit_take_back(by, transaction_id=other.pk)
    for side in (oracle.HOST, oracle.PAYER):
        organisation, expected = of_side(cast, side)
        entries = list(load_journal(organisation, side, FIRST, LAST).stream())
        assert len(entries) == len(expected) == 9
        assert sorted(sorted(told([entry]).items()) for entry in entries) == sorted(
            sorted(oracle.sums([event], side).items()) for event in expected
        )
        assert told(entries) == oracle.sums(expected, side)
    advances = told(load_journal(cast.ustc, oracle.HOST, FIRST, LAST).stream())["advances", "CNY"]
    assert advances == -44
