"""Each format as banks write it, read into the same plain value; and what is no such file."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from logging import ERROR, getLogger
from pathlib import Path

import pytest

from accounts.domain.errors import Invalid
from bookings.bank.adapters.camt import camt_read
from bookings.bank.adapters.reading import format_of
from bookings.bank.adapters.swift import swift_read
from bookings.bank.adapters.tables import csv_read
from bookings.bank.domain.files import CsvFormat, checked, keys_of

DATA = Path(__file__).parents[3] / "data" / "bank"
ICBC = CsvFormat(
    columns={
        "booked_on": "交易日期",
        "debit": "借方金额",
        "credit": "贷方金额",
        "name": "对方户名",
        "counter_account": "对方账号",
        "purpose": "摘要",
        "bank_reference": "流水号",
    },
    encoding="gb18030",
    date_format="YYYY年MM月DD日",
    skipped_lines=1,
    account="110060149018010",
    currency="CNY",
)


def code_of(refused):
    return refused.value.problems[0].code


@pytest.mark.parametrize("name", ["march.xml", "march_08.xml"])
def test_camt_of_any_version(name):
    content = (DATA / name).read_bytes()
    assert format_of(content) == "camt053"
    read = checked(camt_read(content))
    assert (read.account, read.currency, read.opening, read.closing) == (
        "110060149018010", "CNY", Decimal(1000), Decimal(1278),
    )  # fmt: skip
    assert read.adds_up
    first, second, third = read.lines
    assert (first.amount, first.name, first.counter_account) == (
        Decimal(268), "Fudan University", "1001234509022100",
    )  # fmt: skip
    assert first.purpose == "Payment USTC-2026-00 01 thank you"
    assert (first.reference, first.bank_reference, first.booked_on) == ("FD-4711", "B-0001", date(2026, 4, 1))
    assert second.name == "复旦大学"
    assert (third.amount, third.purpose) == (Decimal(-40), "Account fee")


def test_mt940():
    content = (DATA / "march.sta").read_bytes()
    assert format_of(content) == "mt940"
    read = checked(swift_read(content))
    assert (read.account, read.currency, read.adds_up) == ("110060149018010", "CNY", True)
    assert [line.amount for line in read.lines] == [Decimal(268), Decimal(50), Decimal(-40)]
    assert (read.lines[0].name, read.lines[0].purpose) == ("Fudan University", "Payment USTC-2026-0001")


def test_csv_of_a_chinese_bank_and_with_a_decimal_comma():
    content = (DATA / "march.csv").read_bytes()
    assert format_of(content) == "csv"
    read = checked(csv_read(content, ICBC))
    assert [line.amount for line in read.lines] == [Decimal(268), Decimal(-1040)]
    assert read.lines[0].name == "复旦大学"
    german = CsvFormat(
        columns={"booked_on": "Buchungstag", "amount": "Betrag", "purpose": "Zweck"},
        delimiter=";",
        date_format="DD.MM.YY",
        is_decimal_comma=True,
        account="DE1",
        currency="EUR",
    )
    text = "\ufeffBuchungstag;Betrag;Zweck\n01.04.26;1.268,50;a;b\n02.04.26;-3,00;x\n;;Summe\n"
    read = csv_read(text.encode(), german)
    assert [(line.booked_on, line.amount) for line in read.lines] == [
        (date(2026, 4, 1), Decimal("1268.50")), (date(2026, 4, 2), Decimal(-3)),
    ]  # fmt: skip


BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">
<BkToCstmrStmt>&b;</BkToCstmrStmt></Document>"""


@pytest.mark.parametrize("content", [BOMB, b"<BkToCstmrStmt", b"<a>BkToCstmrStmt</a>"])
def test_entities_and_what_is_no_camt_are_refused(content):
    with pytest.raises(Invalid) as refused:
        camt_read(content)
    assert code_of(refused) == "not-a-bank-file"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b":20:X\n:25:1\n:61:nonsense\n", "not-a-bank-file"),
        (b":20:X\n:25:1\n:20:Y\n:25:2\n", "several-accounts"),
        (b":20:X\n", "not-a-bank-file"),
    ],
)
def test_what_is_no_mt940(content, code):
    with pytest.raises(Invalid) as refused:
        swift_read(content)
    assert code_of(refused) == code


@pytest.mark.parametrize(
    ("content", "form", "code"),
    [
        ("交易日期,摘要\n".encode("gb18030"), replace(ICBC, encoding="utf-8"), "wrong-encoding"),
        (b"x\na,b\n", ICBC, "no-column"),
        (
            "x\n交易日期,借方金额,贷方金额,对方户名,对方账号,摘要,流水号\n2026-04-01,,1,,,,\n".encode(
                "gb18030"
            ),
            ICBC,
            "bad-day",
        ),
        (
            "x\n交易日期,借方金额,贷方金额,对方户名,对方账号,摘要,流水号\n2026年4月1日,,1e5,,,,\n".encode(
                "gb18030"
            ),
            ICBC,
            "bad-amount",
        ),
        (b"", ICBC, "no-transactions"),
    ],
)
def test_what_is_no_such_csv(content, form, code):
    with pytest.raises(Invalid) as refused:
        csv_read(content, form)
    assert code_of(refused) == code


def test_what_a_file_says_must_be_possible_and_alike_transactions_stay_two():
    read = camt_read((DATA / "march.xml").read_bytes())
    for change, code in [
        ({"currency": "XXX"}, "unknown-currency-of-file"),
        ({"account": ""}, "no-account"),
        ({"lines": ()}, "no-transactions"),
        ({"lines": (replace(read.lines[0], currency="EUR"),)}, "other-currency-of-row"),
        ({"lines": (replace(read.lines[0], amount=Decimal("1.234")),)}, "bad-amount"),
        ({"lines": (replace(read.lines[0], amount=Decimal("NaN")),)}, "bad-amount"),
        ({"lines": read.lines * 2000}, "too-many-transactions"),
    ]:
        with pytest.raises(Invalid) as refused:
            checked(replace(read, **change))
        assert code_of(refused) == code
    keys = keys_of("1", [read.lines[0], read.lines[0], read.lines[1]])
    assert len(set(keys)) == 3
    assert keys_of("1", [read.lines[1], read.lines[0]]) == [keys[2], keys[0]]


def batch(size, detail=lambda number: ""):
    """A file with one entry of this many transactions of 1.00."""
    content = (DATA / "march.xml").read_text()
    details = "".join(
        f"<NtryDtls><TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs>"
        f'<Amt Ccy="CNY">1.00</Amt>{detail(n)}</TxDtls></NtryDtls>'
        for n in range(size)
    )
    entry = (
        f'<Ntry><Amt Ccy="CNY">{size}.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>'
        f"<BookgDt><Dt>2026-04-01</Dt></BookgDt>{details}</Ntry>"
    )
    before, after = content[: content.index("<Ntry>")], content[content.rindex("</Ntry>") + 7 :]
    return f"{before}{entry}{after}".encode()


def test_a_long_batch_is_read_and_a_longer_one_refused():
    read = camt_read(batch(5000))
    assert (len(read.lines), read.lines[-1].reference) == (5000, "E4999")
    with pytest.raises(Invalid) as refused:
        camt_read(batch(5001))
    assert code_of(refused) == "too-many-transactions"


def test_only_the_transaction_of_a_batch_that_says_so_is_a_return():
    read = camt_read(batch(2, lambda number: "<RtrInf/>" if number else ""))
    assert [line.is_return for line in read.lines] == [False, True]


def test_what_the_bank_has_not_booked_is_counted():
    content = (DATA / "march.xml").read_text()
    content = content.replace("BOOK</", "PDNG</", 1)
    read = camt_read(content.encode())
    assert (len(read.lines), read.not_booked) == (2, 1)


@pytest.mark.parametrize(
    ("balance", "code"),
    [("1" * 20, "bad-balance"), ("NaN", "bad-balance"), ("1" * 16, "bad-balance"), ("1.001", "bad-balance")],
)
def test_a_balance_that_cannot_be_stored_is_refused(balance, code):
    content = (DATA / "march.xml").read_text()
    assert content.count(">1000.00<") == 1
    with pytest.raises(Invalid) as refused:
        checked(camt_read(content.replace(">1000.00<", f">{balance}<").encode()))
    assert code_of(refused) == code


@pytest.mark.parametrize("amount", ["NaN", "1E400", "Infinity", "1_0"])
def test_an_amount_that_is_no_number_names_its_row(amount):
    content = (DATA / "march.xml").read_text()
    assert content.count(">50.00<") == 1
    with pytest.raises(Invalid) as refused:
        checked(camt_read(content.replace(">50.00<", f">{amount}<").encode()))
    assert code_of(refused) == "bad-amount"
    assert refused.value.problems[0].numbers["row"] == 2


def with_lines(*lines):
    return (DATA / "march.csv").read_bytes() + "\n".join(("", *lines, "")).encode("gb18030")


def test_totals_at_the_end_are_left_out_and_told():
    totals = '合计,"1,040.00",268.00,,,,', "共2笔,2笔,,,,,", "打印时间：2026年4月2日,,,,,,"
    read = csv_read(with_lines(*totals), ICBC)
    assert [line.amount for line in read.lines] == [Decimal(268), Decimal(-1040)]
    assert read.left_out == ("合计 1,040.00 268.00", "共2笔 2笔", "打印时间：2026年4月2日")


@pytest.mark.parametrize(
    "lines",
    [("合计,,268.01,,,,",), ("2026年13月1日,,12.00,,,,",), ("合计,,268.00,,,,", "2026年4月2日,,5.00,,,,")],
)
def test_a_line_that_may_be_a_transaction_is_never_left_out(lines):
    with pytest.raises(Invalid) as refused:
        csv_read(with_lines(*lines), ICBC)
    assert code_of(refused) == "bad-day"


def test_what_mt940_cannot_read_stays_out_of_the_log():
    assert not getLogger("mt940.tags").isEnabledFor(ERROR)
