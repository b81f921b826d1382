"""What the platform books of a bank's file without asking anybody is what a careful clerk would book."""

import os
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.models.keys import new_id
from bookings.bank.models import BankMatch, BankTransaction
from bookings.bank.selectors.bank import load_proposals
from bookings.bank.services.files import GivenFile, MappingTerms, file_read, mapping_save
from bookings.bank.services.matches import matches_book
from bookings.models import Statement
from tests.factories.cast import Cast, at
from tests.oracle import bank_files as oracle

pytestmark = pytest.mark.django_db
NOW = at("2026-05-04 10:00")
DEEP = os.environ.get("TEST_PROFILE") == "deep"
LEAST_MATCHED = 95  # percent of what a clerk is certain of


def write(cast: Cast, world: oracle.World) -> dict[object, str]:
    """Store the payers and the statements; return the printed numbers by id."""
    payers = {
        payer.code: Organisation(
            id=new_id(),
            code=payer.code,
            region=cast.shanghai,
            name=payer.name,
            name_zh=payer.name_zh,
            kind=payer.kind,
        )
        for payer in world.payers
    }
    Organisation.objects.bulk_create(payers.values())
    rows = {due.number: _statement(cast, payers[due.payer], due) for due in world.dues}
    for due in world.dues:
        if due.replaced_by:
            rows[due.replaced_by].replaces = rows[due.number]
    Statement.objects.bulk_create(rows.values())
    return {rows[due.number].pk: due.text for due in world.dues}


def _statement(cast: Cast, payer: Organisation, due: oracle.Due) -> Statement:
    return Statement(
        id=new_id(),
        host=cast.ustc,
        payer=payer,
        host_region=cast.anhui,
        payer_region=payer.region,
        month=due.month,
        year=due.year,
        number=due.number,
        state=due.state,
        currency=due.currency,
        charges=1,
        tax=0,
        total=due.payable,
        covered=0,
        payable=due.payable,
        paid=due.paid,
        issued_at=at("2026-03-25 09:00") + timedelta(minutes=due.number),
        due_date=date(2026, 4, 30),
        voided_at=at("2026-03-26 09:00") if due.state == "voided" else None,
        voided_by=cast.people["gao"] if due.state == "voided" else None,
    )


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5] if DEEP else [1])
def test_what_is_booked_without_asking_is_right(cast: Cast, seed: int) -> None:
    world = oracle.world(seed)
    numbers = write(cast, world)
    by = By(cast.actor("gao"), NOW)
    given = GivenFile("april.xml", oracle.camt(world.transfers), is_other_account=True)
    read = file_read(by, host=cast.ustc, given=given)
    assert read.transactions_read == BankTransaction.objects.count() == 500
    first = {key: found[0] for key, found in load_proposals(cast.ustc).items() if found}
    while certain := [
        key for key, found in load_proposals(cast.ustc).items() if any(each.is_certain for each in found)
    ]:
        assert matches_book(by, host=cast.ustc, transactions=certain) == len(certain)
    marks = oracle.marks(world, booked(numbers))
    references = dict(BankTransaction.objects.values_list("pk", "bank_reference"))
    offered = {
        references[key]: {numbers[part.statement]: part.amount for part in proposal.parts}
        for key, proposal in first.items()
    }
    kinds = "\n".join(by_kind(world, marks, offered))
    assert not marks.wrong, "\n".join(marks.wrong)
    assert marks.matched >= LEAST_MATCHED, kinds


FILES = {
    "camt": (oracle.camt, None),
    "mt940": (oracle.mt940, None),
    "table": (
        oracle.table,
        {
            "booked_on": "Date",
            "amount": "Amount",
            "currency": "Currency",
            "name": "Name",
            "counter_account": "Account",
            "purpose": "Purpose",
            "reference": "End to end",
            "bank_reference": "Reference of the bank",
        },
    ),
    "table_zh": (
        oracle.table_zh,
        {
            "booked_on": "交易日期",
            "credit": "收入金额",
            "debit": "支出金额",
            "name": "对方户名",
            "counter_account": "对方账号",
            "purpose": "摘要",
            "bank_reference": "流水号",
        },
    ),
}


@pytest.mark.parametrize("form", list(FILES))
def test_each_file_is_read_as_it_was_written(cast: Cast, form: str) -> None:
    transfers = oracle.world(1).transfers
    write_file, columns = FILES[form]
    by = By(cast.actor("gao"), NOW)
    mapping = None
    if columns:
        terms = MappingTerms(
            "bank",
            columns,
            date_format="YYYY/MM/DD" if form == "table_zh" else "YYYY-MM-DD",
            account=oracle.ACCOUNT,
            currency="" if "currency" in columns else oracle.CURRENCY,
        )
        mapping = mapping_save(by, host=cast.ustc, terms=terms).pk
    file_read(
        by, host=cast.ustc, given=GivenFile("april", write_file(transfers), mapping, is_other_account=True)
    )
    rows = list(BankTransaction.objects.order_by("position"))
    wrong = [
        (row.booked_on, row.amount, row.name, row.purpose, row.bank_reference, transfer)
        for row, transfer in zip(rows, transfers, strict=True)
        if (row.booked_on, row.amount, row.bank_reference)
        != (transfer.booked_on, transfer.amount, transfer.bank_id[: 16 if form == "mt940" else 99])
        or row.name.strip() != transfer.name[: 54 if form == "mt940" else 99].strip()
        or (form != "mt940" and figures(" ".join(transfer.purpose)) not in figures(row.purpose))
    ]
    assert not wrong, wrong[:5]


def figures(text: str) -> str:
    """The text without what lines are joined by."""
    return "".join(text.split())


def booked(numbers: dict[object, str]) -> oracle.Booked:
    """What payments brought statements, by the bank's reference and the printed number."""
    found: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for match in BankMatch.objects.select_related("transaction", "payment"):
        found[match.transaction.bank_reference][numbers[match.payment.statement_id]] += match.payment.amount
    return {key: dict(parts) for key, parts in found.items()}


def by_kind(world: oracle.World, marks: oracle.Marks, offered: oracle.Booked) -> list[str]:
    """How many of each kind were missed, and of how many the first proposal is what they pay."""
    kinds = Counter(line.split(":")[0] for line in marks.missed)
    of = Counter(truth.kind for truth in world.truths.values())
    right = Counter(
        truth.kind
        for key, truth in world.truths.items()
        if truth.pays and offered.get(key) == dict(truth.pays)
    )
    lines = [f"{kind}: {count} of {of[kind]} not booked" for kind, count in kinds.most_common()]
    lines += [f"{kind}: {count} of {of[kind]} proposed first" for kind, count in right.most_common()]
    return [f"{marks.matched:.1f} % booked", *lines]
