"""The bank files of the oracle say what their transfers are, and marks are what is deserved."""

import csv
import io
import re
from collections import Counter
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from tests.oracle import bank_files as oracle
from tests.oracle.bank_files import CERTAIN, LIKELY, NONE, World, world

SPACE = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"}


@pytest.fixture(scope="module", params=[1, 2, 3])
def drawn(request: pytest.FixtureRequest) -> World:
    return world(request.param)


def right(of: World) -> oracle.Booked:
    return {key: dict(truth.pays) for key, truth in of.truths.items() if truth.certainty == CERTAIN}


def test_a_world_has_500_transfers_of_all_kinds(drawn: World) -> None:
    kinds = Counter(truth.kind for truth in drawn.truths.values())
    assert len(drawn.transfers) == len(drawn.truths) == sum(kinds.values()) == 500
    assert kinds - Counter({"for no statement": 500}) == Counter(oracle.COUNTS)
    assert kinds["for no statement"] > 40
    assert len(drawn.of_certainty(CERTAIN)) > 300 and len(drawn.of_certainty(LIKELY)) > 30
    assert [each.booked_on for each in drawn.transfers] == sorted(each.booked_on for each in drawn.transfers)


def test_a_world_is_the_same_each_time() -> None:
    assert world(7) == world(7) != world(8)


def test_payers_are_120_under_names_that_nobody_else_has(drawn: World) -> None:
    assert len({payer.code for payer in drawn.payers}) == len(drawn.payers) == 120
    known: dict[str, str] = {}
    for payer in drawn.payers:
        for name in oracle.names(payer):
            assert name.strip() and known.setdefault(name.strip().casefold(), payer.code) == payer.code


def test_statements_could_stand_in_the_platform(drawn: World) -> None:
    """Numbers without gaps, one in force of a payer, month and currency."""
    assert [due.number for due in drawn.dues] == list(range(1, len(drawn.dues) + 1))
    force = [(due.payer, due.month, due.currency) for due in drawn.dues if due.state != "voided"]
    assert len({*force}) == len(force)
    assert all(0 <= due.open <= due.payable for due in drawn.dues)
    by_number = {due.number: due for due in drawn.dues}
    for due in drawn.dues:
        assert due.replaced_by is None or by_number[due.replaced_by].month == due.month


def test_no_statement_is_paid_beyond_what_is_open(drawn: World) -> None:
    paid: Counter[str] = Counter()
    for transfer in drawn.transfers:
        truth = drawn.truths[transfer.bank_id]
        if truth.pays:
            assert all(amount > 0 for _, amount in truth.pays)
            assert sum(amount for _, amount in truth.pays) <= transfer.amount
        for number, amount in truth.pays:
            assert number in truth.among
            paid[number] += amount  # type: ignore[assignment]
    for number, amount in paid.items():
        assert amount <= drawn.due(number).open, number


def test_what_is_certain_without_a_number_has_an_amount_that_its_payer_owes_once(drawn: World) -> None:
    owed = Counter((due.payer, due.open) for due in drawn.dues)
    for transfer in drawn.of_certainty(CERTAIN):
        truth = drawn.truths[transfer.bank_id]
        if truth.kind in ("name and amount", "same amount, two payers", "cut off", "half a number"):
            due = drawn.due(truth.pays[0][0])
            assert transfer.amount == due.open and owed[due.payer, due.open] == 1
            payer = next(payer for payer in drawn.payers if payer.code == due.payer)
            assert transfer.name in oracle.names(payer)


def test_what_nobody_can_know_is_certain_to_nobody(drawn: World) -> None:
    """No money that is for no statement has an open amount of the payer from whose name it comes."""
    owed = {due.open for due in drawn.dues if due.open}
    for transfer in drawn.of_certainty(NONE):
        truth = drawn.truths[transfer.bank_id]
        if transfer.amount in owed:
            assert truth.kind in ("paid twice", "same amount, no name", "like another's name")
        assert not truth.pays


def test_spoilt_numbers_are_whole() -> None:
    due = world(1).dues[41]
    for spelt in oracle.spoilings(due).values():
        figures = re.sub(r"[^0-9a-z]", "", "".join(map(_narrow, spelt)).lower())
        assert figures in ("ustc20260042", "ustc202642")


def _narrow(sign: str) -> str:
    return chr(ord(sign) - 0xFEE0) if "！" <= sign <= "～" else sign


def test_a_camt_file_has_what_was_written(drawn: World) -> None:
    statement = ElementTree.fromstring(oracle.camt(drawn.transfers)).find(".//c:Stmt", SPACE)
    assert statement is not None
    opening, closing = (Decimal(each.text or "") for each in statement.findall("c:Bal/c:Amt", SPACE))
    total = Decimal(0)
    for entry, transfer in zip(statement.findall("c:Ntry", SPACE), drawn.transfers, strict=True):
        amount = Decimal(entry.findtext("c:Amt", "", SPACE))
        total += amount if entry.findtext("c:CdtDbtInd", "", SPACE) == "CRDT" else -amount
        assert entry.findtext("c:AcctSvcrRef", "", SPACE) == transfer.bank_id
        assert amount == abs(transfer.amount)
        lines = [each.text for each in entry.findall(".//c:Ustrd", SPACE)]
        assert lines == [line for line in transfer.purpose if line]
        assert entry.findtext(".//c:Nm", "", SPACE) == transfer.name
    assert opening + total == closing


def test_an_mt940_file_has_what_was_written(drawn: World) -> None:
    text = oracle.mt940(drawn.transfers).decode()
    lines = re.findall(r":61:\d{10}(RC|C|D)([\d,]+)NTRFNONREF//(\d{16})", text)
    signed = [
        (-1 if mark in ("RC", "D") else 1) * Decimal(amount.replace(",", ".")) for mark, amount, _ in lines
    ]
    assert signed == [transfer.amount for transfer in drawn.transfers]
    assert len({reference for *_, reference in lines}) == 500
    assert text.count(":86:") == 500


def test_tables_have_what_was_written(drawn: World) -> None:
    plain, chinese = (
        list(csv.DictReader(io.StringIO(write(drawn.transfers).decode("utf-8-sig"))))
        for write in (oracle.table, oracle.table_zh)
    )
    for row, row_zh, transfer in zip(plain, chinese, drawn.transfers, strict=True):
        assert Decimal(row["Amount"]) == transfer.amount
        income, spent = (row_zh[column].replace(",", "") or "0" for column in ("收入金额", "支出金额"))
        assert Decimal(income) - Decimal(spent) == transfer.amount
        assert row["Name"] == row_zh["对方户名"] == transfer.name


def test_whoever_books_as_the_clerk_has_all_marks(drawn: World) -> None:
    marks = oracle.marks(drawn, right(drawn))
    assert (marks.wrong, marks.missed, marks.matched) == ((), (), 100)


def test_each_mistake_costs_its_marks(drawn: World) -> None:
    booked = right(drawn)
    certain = drawn.of_certainty(CERTAIN)
    first, second, *_ = certain
    (number, amount), *_ = drawn.truths[first.bank_id].pays
    share = 100 / len(certain)
    marks = oracle.marks(drawn, booked | {first.bank_id: {}})
    assert len(marks.missed) == 1 and not marks.wrong and marks.matched == pytest.approx(100 - share)
    marks = oracle.marks(drawn, booked | {second.bank_id: {number: amount}})
    assert len(marks.wrong) == 1 and not marks.missed and marks.matched == pytest.approx(100 - share)
    nothing = next(each for each in drawn.of_certainty(NONE) if each.amount > 0)
    assert len(oracle.marks(drawn, booked | {nothing.bank_id: {number: Decimal(1)}}).wrong) == 1
    for likely in drawn.of_certainty(LIKELY):
        truth = drawn.truths[likely.bank_id]
        for among in truth.among:
            assert not oracle.marks(drawn, booked | {likely.bank_id: {among: Decimal(1)}}).wrong
        assert len(oracle.marks(drawn, booked | {likely.bank_id: {"USTC-2026-9999": Decimal(1)}}).wrong) == 1
        break
