"""PDFs open and say what they must, in both languages; tables hold no formulas."""

import csv
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from accounts.domain.roles import By
from accounts.models import Organisation, User
from accounts.services.organisations import invoice_details_set
from bookings.models import Settlement, Statement
from bookings.settlement.adapters import papers
from bookings.settlement.adapters.papers import settlement_pdf, statement_pdf
from bookings.settlement.adapters.sheets import settlement_csv, statement_csv
from bookings.settlement.selectors.papers import load_settlement_paper, load_statement_paper, parties_json
from bookings.settlement.selectors.statements import WITH
from bookings.settlement.services import papers as kept
from bookings.settlement.services.papers import statement_file
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statement_void, statements_draw
from instruments.reading.domain.delimited import text_cell
from instruments.register.models import Instrument
from tests.factories.cast import NOW, at
from tests.factories.charges import use
from tests.factories.money import APRIL, MARCH, charge_of, store

SHANGHAI = ZoneInfo("Asia/Shanghai")


def words(pdf):
    """The text of each page."""
    reader = PdfReader(BytesIO(pdf))
    return [" ".join(page.extract_text().split()) for page in reader.pages]


def table(content):
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(StringIO(content.decode("utf-8-sig"))))


@pytest.fixture
def paper(cast):
    charges = [
        charge_of(cast, start=at("2026-03-02 10:00")),
        charge_of(cast, start=at("2026-03-03 10:00"), total="212.00", covered="50.00"),
    ]
    charges[0].inputs = {"quote": {"card": {"tax_percent": "0"}}}
    charges[0].tax, charges[0].kind = Decimal(0), "cancellation"
    charges[0].result = {"percent": "50", "fee": "106.00", "tax": "0.00", "total": "106.00"}
    store(charges)
    statements_draw(month=MARCH, now=APRIL)

    def load():
        row = Statement.objects.select_related(*WITH, "replaces").exclude(state="voided").get()
        return load_statement_paper(row)

    return cast, load


def test_a_statement_in_english(paper):
    _, load = paper
    (text,) = words(statement_pdf(load(), language="en"))
    for part in (
        "Statement", "USTC-2026-0001", "1 April 2026", "March 2026", "1 May 2026",
        "中国科学技术大学", "Fudan University", "复旦大学", "Transmission electron microscope",
        "2026-03-02 10:00", "50 %", "1 h", "Net at 0 % tax 106.00 + 0.00",
        "Net at 6 % tax 200.00 + 12.00", "Total 318.00", "Paid by vouchers -50.00",
        "Payable CNY 268.00", "within 30 days", "Page 1 of 1",
    ):  # fmt: skip
        assert part in text, (part, text)


def test_a_statement_in_chinese(paper):
    _, load = paper
    pdf = statement_pdf(load(), language="zh-hans")
    (text,) = words(pdf)
    for part in ("中国科学技术大学", "USTC", "复旦大学", "透射电子显微镜", "2026年3月", "268.00"):
        assert part in text, (part, text)
    fonts = PdfReader(BytesIO(pdf)).pages[0]["/Resources"]["/Font"]
    faces = [font.get_object() for font in fonts.values()]
    embedded = [f for f in faces if "/FontFile2" in f.get("/FontDescriptor", {})]
    assert embedded
    assert len(pdf) < 200_000


def test_a_fee_shows_of_what_it_is_a_share(cast, client, program):
    """Page, PDF and API say the price and the share of it, as other lines do."""
    used = use(cast, "2026-03-02 10:00", "2026-03-02 12:00")
    base = sum(Decimal(one["amount"]) for one in used.result["lines"] if one["kind"] != "option")
    fee = f"{base / 2:.2f}"
    charge = charge_of(cast, start=at("2026-03-05 10:00"), total=fee)
    charge.inputs, charge.tax, charge.kind = {"quote": used.inputs}, Decimal(0), "cancellation"
    charge.result = {"percent": "50", "fee": fee, "tax": "0.00", "total": fee}
    store([charge])
    statements_draw(month=MARCH, now=APRIL)
    row = Statement.objects.select_related(*WITH).get(lines__charge__kind="cancellation")
    said = f"{base:,.2f} × 50 % = {base / 2:,.2f}"
    (text,) = words(statement_pdf(load_statement_paper(row), language="en"))
    assert f"Price without options: {said}" in text
    client.force_login(cast.people["gao"])
    page = client.get(f"/money/statements/{row.pk}/", headers={"accept-language": "zh-hans"})
    html = page.content.decode()
    assert said in html
    assert "不含选项的价格" in html
    body = program("gao").get(f"statements/{row.pk}/").body
    ((item,),) = [one["items"] for one in body["lines"] if one["kind"] == "cancellation"]
    assert (item["kind"], item["percent"], Decimal(item["base"]), item["amount"]) == ("fee", "50", base, fee)


def test_many_lines_go_on_with_their_heads(cast):
    store([charge_of(cast) for _ in range(120)])
    statements_draw(month=MARCH, now=APRIL)
    row = Statement.objects.select_related(*WITH).get()
    pages = words(statement_pdf(load_statement_paper(row), language="en"))
    assert len(pages) > 3
    for number, text in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in text
    assert all("Quantity" in text for text in pages[:-1])


def test_it_says_what_is_paid_voided_and_replaced(paper):
    cast, load = paper
    gao = cast.actor("gao")
    old = load().statement
    statement_void(By(gao, APRIL), statement_id=old.pk, reason="Wrong address")
    voided = Statement.objects.select_related(*WITH).get(pk=old.pk)
    (text,) = words(statement_pdf(load_statement_paper(voided), language="en"))
    assert "Voided: Wrong address" in text
    assert "106.00" in text
    new = load().statement
    day = APRIL.date() - timedelta(days=1)
    statement_pay(By(gao, APRIL), statement_id=new.pk, paid=Paid(Decimal(68), day, "Ref <1> & 2"))
    (text,) = words(statement_pdf(load(), language="en"))
    for part in ("USTC-2026-0002", "Replaces USTC-2026-0001", "Ref <1> & 2", "CNY 200.00"):
        assert part in text, (part, text)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_text_of_many_lines_keeps_it_from_being_printed(paper, language):
    """Neither a reason nor an instrument's name, which both are the host's to write: a payer reads
    the statement all the same."""
    cast, load = paper
    lines = "\n".join(["x"] * 99)
    names = {"name": f"Fine {lines}", "name_zh": f"精 {lines}"}
    Instrument.objects.filter(pk=cast.microscope.pk).update(**names)
    old = load().statement
    statement_void(By(cast.actor("gao"), APRIL), statement_id=old.pk, reason="\n".join(["y"] * 250))
    voided = Statement.objects.select_related(*WITH).get(pk=old.pk)
    pages = words(statement_pdf(load_statement_paper(voided), language=language))
    assert " ".join(pages).count("y y y") > 80
    assert "x x x x" in " ".join(words(statement_pdf(load(), language=language)))


def test_a_price_of_many_lines_goes_on_on_the_next_page(paper):
    _, load = paper
    one = load()
    items = tuple(
        {"kind": "usage", "minutes": 30, "rate": "10.00", "amount": f"{n}.00"} for n in range(1000, 1060)
    )
    pdf = statement_pdf(replace(one, lines=[replace(one.lines[0], items=items)]), language="en")
    text = " ".join(words(pdf))
    heights: list[float] = []

    def visit(part, outer, inner, *_):
        if part.strip():
            heights.append(inner[4] * outer[1] + inner[5] * outer[3] + outer[5])

    pages = PdfReader(BytesIO(pdf)).pages
    for page in pages:
        page.extract_text(visitor_text=visit)
    assert min(heights) > 20, "something is printed off the page"
    assert len(pages) > 1 and all(f"{n}.00" in text or f"{n:,}.00" in text for n in range(1000, 1060))


@pytest.mark.parametrize(("language", "void", "paid"), [("en", "VOID", "PAID"), ("zh-hans", "作废", "已付")])
def test_a_void_or_paid_statement_says_so_across_and_asks_for_nothing(paper, language, void, paid):
    """No account, no day, no request; an internal note asks for nothing either."""
    cast, load = paper
    asking = {
        "en": ("Please pay", "Pay to", "Due", "1 May 2026", "Account holder"),
        "zh-hans": ("请在", "收款账户", "2026年5月1日", "到期"),
    }[language]

    def said(row):
        row = Statement.objects.select_related(*WITH).get(pk=row.pk)
        (text,) = words(statement_pdf(load_statement_paper(row), language=language))
        return text

    old = load().statement
    open_one = said(old)
    assert any(part in open_one for part in asking)
    assert void not in open_one and f" {paid} " not in open_one
    gao = By(cast.actor("gao"), APRIL)
    statement_void(gao, statement_id=old.pk, reason="Wrong address")
    new = load().statement
    Statement.objects.filter(pk=new.pk).update(version=1)
    statement_pay(gao, statement_id=new.pk, paid=Paid(new.payable, APRIL.date()))
    Statement.objects.filter(pk=new.pk).update(replaces=None)
    for row, stamp in ((old, void), (new, paid)):
        text = said(row)
        assert stamp in text
        assert [part for part in asking if part in text] == []
    Statement.objects.filter(pk=new.pk).update(payer=cast.ustc, paid=0, state="issued")
    text = said(new)
    assert {"en": "Internal note", "zh-hans": "内部结算单"}[language] in text
    assert [part for part in asking if part in text] == []


LONG = {
    "legal_name": "The University Court and Board of Governors of the United Universities of USTC",
    "address": "\n".join(f"Line {n} of an address, 安徽省合肥市金寨路96号" for n in range(1, 9)),
    "tax_number": "91340100MA2XXXXXXX-0000-1111-2222-333344",
    "bank_account": "Bank of China\n1764 0001 2345",
}


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("en", ("Tax number: 91340", "Pay to Bank of China 1764 0001 2345", "1 May 2026",
                "Reference USTC-2026-0001", "Amount CNY 268.00", "last changed 5 March 2026")),
        ("zh-hans", ("税号：91340", "收款账户 Bank of China 1764 0001 2345", "2026年5月1日",
                     "参考号 USTC-2026-0001", "金额 CNY 268.00", "2026年3月5日", "取消 ·")),
    ],
)  # fmt: skip
def test_where_to_pay_and_who_both_are(paper, language, parts):
    cast, load = paper
    invoice_details_set(By(cast.actor("gao"), NOW), organisation_id=cast.ustc.pk, details=LONG)
    Statement.objects.update(
        parties=parties_json(
            Organisation.objects.get(pk=cast.ustc.pk), cast.fudan, Decimal(268), "Asia/Shanghai"
        )
    )
    text = " ".join(words(statement_pdf(load(), language=language)))
    for part in (*parts, LONG["legal_name"], "Line 1 of an", "Line 8 of an", "合肥市金寨路96号"):
        assert part.replace(" ", "") in text.replace(" ", ""), (part, text)


@pytest.mark.parametrize(
    ("language", "unknown", "today"),
    [("en", "please ask where to pay", "today's"), ("zh-hans", "请询问收款账户", "当前信息")],
)
def test_without_an_account_or_from_before_it_says_so(paper, language, unknown, today):
    _, load = paper
    (text,) = words(statement_pdf(load(), language=language))
    assert unknown in text and today not in text
    Statement.objects.update(parties=None)
    (text,) = words(statement_pdf(load(), language=language))
    assert today in text


def test_a_long_number_stays_on_its_line(paper):
    cast, load = paper
    Organisation.objects.filter(pk=cast.ustc.pk).update(code="hefei-advanced-materials-inst1")
    (text,) = words(statement_pdf(load(), language="en"))
    assert text.count("HEFEI-ADVANCED-MATERIALS-INST1-2026-0001") == 4


def test_a_settlement_in_both_languages(paper):
    row = Settlement.objects.select_related("first", "second").get()
    for language, parts in (
        (
            "en",
            (
                "Anhui",
                "安徽",
                "Fudan University",
                "Shanghai pays Anhui CNY 50.00",
                "March 2026",
                "quoting reference CN-AH-CN-SH-2026-03-CNY",
                "The coordinator of Anhui",
            ),
        ),
        ("zh-hans", ("安徽", "Anhui", "复旦大学", "中国科学技术大学", "CNY 50.00")),
    ):
        (text,) = words(settlement_pdf(load_settlement_paper(row), language=language))
        for part in parts:
            assert part in text, (part, text)
    (line,) = table(settlement_csv(load_settlement_paper(row)))
    assert (line["payer_region"], line["host_region"]) == ("CN-SH", "CN-AH")
    assert (line["voucher"], line["total"], line["charges"]) == ("50.00", "318.00", "2")


def test_a_table_of_charges(paper):
    _, load = paper
    rows = table(statement_csv(load(), SHANGHAI, state="issued"))
    assert [row["payable"] for row in rows] == ["106.00", "162.00"]
    assert [row["tax_percent"] for row in rows] == ["0", "6"]
    assert [row["fee_percent"] for row in rows] == ["50", ""]
    assert rows[0]["start"] == "2026-03-02T10:00:00+08:00"
    assert {row["state"] for row in rows} == {"issued"}


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_no_cell_of_text_is_a_formula(paper, name):
    cast, load = paper
    Instrument.objects.filter(pk=cast.microscope.pk).update(name=name)
    Organisation.objects.filter(pk=cast.fudan.pk).update(name=name)
    for row in table(statement_csv(load(), SHANGHAI, state="issued")):
        assert row["instrument"] == row["payer_name"] == "'" + name
    assert text_cell("Fudan - Centre") == "Fudan - Centre"


def test_amounts_below_zero_stay_numbers(cast):
    store([charge_of(cast, total="-106.00")])
    statements_draw(month=MARCH, now=APRIL)
    load = load_statement_paper(Statement.objects.select_related(*WITH).get())
    (row,) = table(statement_csv(load, SHANGHAI, state="issued"))
    assert row["payable"] == "-106.00"
    (text,) = words(statement_pdf(load, language="en"))
    assert "Credit note" in text
    assert "is a credit" in text


@pytest.fixture
def made(monkeypatch):
    """The languages in which statements are made from now on; any statement is kept as a file."""
    languages = []

    def make(paper, *, language):
        languages.append(language)
        return statement_pdf(paper, language=language)

    monkeypatch.setattr(papers, "statement_pdf", make)
    monkeypatch.setattr(kept, "KEPT_FROM", 1)
    return languages


def test_a_long_statement_is_made_once_in_each_language(paper, made, either_storage):
    _, load = paper
    row = load().statement
    first = statement_file(row, language="en")
    assert statement_file(row, language="en") == first
    assert "Payable CNY 268.00" in words(first)[0]
    assert "复旦大学" in words(statement_file(row, language="zh-hans"))[0]
    assert made == ["en", "zh-hans"]


def test_what_has_changed_is_made_anew(paper, made, either_storage, monkeypatch):
    cast, load = paper
    row = load().statement
    statement_file(row, language="en")
    statement_pay(
        By(cast.actor("gao"), APRIL, row.version), statement_id=row.pk, paid=Paid(Decimal(100), APRIL.date())
    )
    assert "Paid 1 April 2026" in words(statement_file(load().statement, language="en"))[0]
    assert made == ["en", "en"]
    monkeypatch.setattr(kept, "_layout", lambda: "another")
    statement_file(load().statement, language="en")
    assert made == ["en", "en", "en"]


def test_a_kept_statement_bears_the_names_of_today(paper, made, either_storage):
    cast, load = paper
    row, wang = load().statement, cast.wang
    statement_file(row, language="en")
    User.objects.filter(pk=wang.pk).update(name="Another Name")
    assert "Another Name" in words(statement_file(row, language="en"))[0]
    assert made == ["en", "en"]


def test_who_leaves_for_good_is_in_no_kept_statement(
    paper, made, either_storage, django_capture_on_commit_callbacks
):
    cast, load = paper
    row, wang = load().statement, cast.wang
    statement_file(row, language="en")
    with django_capture_on_commit_callbacks(execute=True):
        kept.statement_files_forget(By(cast.actor("wang"), APRIL), user=wang)
    statement_file(row, language="en")
    assert made == ["en", "en"]
    # Between closing and forgetting none is kept.
    User.objects.filter(pk=wang.pk).update(erasure_asked_at=APRIL, name="Wang Again")
    for _ in range(2):
        statement_file(row, language="en")
    assert made == ["en"] * 4


def test_a_statement_that_is_not_frozen_is_not_kept(paper, made):
    _, load = paper
    row = load().statement
    row.parties = None
    for _ in range(2):
        statement_file(row, language="en")
    assert made == ["en", "en"]


def test_a_short_statement_is_not_kept(paper, made, monkeypatch):
    _, load = paper
    monkeypatch.setattr(kept, "KEPT_FROM", 3)
    for _ in range(2):
        statement_file(load().statement, language="en")
    assert made == ["en", "en"]


def test_a_statement_is_made_while_files_cannot_be_reached(paper, made, monkeypatch):
    _, load = paper

    def away(*args):
        raise OSError("away")

    for method in ("open", "save", "delete"):
        monkeypatch.setattr(kept.default_storage, method, away)
    assert statement_file(load().statement, language="en").startswith(b"%PDF")


ITEMS = [
    {"kind": "usage", "code": "standard", "minutes": 120, "rate": "200.00", "multiplier": "1",
     "amount": "400.00"},
    {"kind": "usage", "code": "night", "minutes": 135, "rate": "200.00", "multiplier": "0.5",
     "amount": "225.00", "name": "Night", "name_zh": "夜间"},
    {"kind": "setup", "amount": "100.00"},
    {"kind": "option", "code": "grid", "quantity": "2", "price": "35.00", "amount": "70.00",
     "name": "Grid", "name_zh": "载网"},
    {"kind": "option", "code": "operator", "quantity": "1.5", "price": "150.00", "amount": "225.00"},
    {"kind": "agreement", "percent": "10", "base": "625.00", "amount": "-62.50"},
]  # fmt: skip


def by_another_program(pdf, tmp_path):
    """The text of a PDF as poppler's `pdftotext` reads it; without that program as pypdf does."""
    program = shutil.which("pdftotext")
    if program is None:
        return " ".join(words(pdf))
    (tmp_path / "one.pdf").write_bytes(pdf)
    done = subprocess.run(
        [program, "-layout", tmp_path / "one.pdf", "-"], capture_output=True, check=True, text=True
    )
    return " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        (
            "en",
            (
                "Wang Li · NSFC-17",
                "2 h × 200.00 = 400.00",
                "Night: 2.25 h × 200.00 × 0.5 = 225.00",
                "Set-up fee: 100.00",
                "Grid: 2 × 35.00 = 70.00",
                "operator: 1.5 h × 150.00 = 225.00",
                "Agreement between the regions: -10 % = -62.50",
                "In words: 人民币叁万壹仟捌佰元整",
                "Order number PO 7",
                "Tax invoice F 2026",
                "not a tax invoice (非发票). The tax invoice for it has the number F 2026",
                "Bank Bank of China, Hefei",
                "Account number 1764 0001",
            ),
        ),
        (
            "zh-hans",
            (
                "夜间：2.25 小时 × 200.00 × 0.5 = 225.00",
                "载网：2 × 35.00 = 70.00",
                "大写金额：人民币叁万壹仟捌佰元整",
                "订单号 PO 7",
                "发票号码 F 2026",
                "本结算单非发票。对应的发票号码为 F 2026",
                "开户行 Bank of China, Hefei",
                "账号 1764 0001",
            ),
        ),
    ],
)
def test_a_long_statement_says_all_and_another_program_reads_it(cast, tmp_path, language, parts):
    invoice_details_set(
        By(cast.actor("gao"), NOW),
        organisation_id=cast.ustc.pk,
        details=LONG
        | {
            "bank_account": "",
            "bank_name": "Bank of China, Hefei",
            "account_number": "1764 0001",
            "bic": "BKCHCNBJ",
        },
    )
    rows = [charge_of(cast, total="1060.00") for _ in range(30)]
    for row in rows:
        row.result = {"billed_minutes": 255, "lines": ITEMS}
        row.inputs = {"card": {"tax_percent": "6", "options": [{"code": "operator", "unit": "hour"}]}}
    store(rows)
    statements_draw(month=MARCH, now=APRIL)
    Statement.objects.update(order_number="PO 7", invoice_number="F 2026")
    row = Statement.objects.select_related(*WITH, "replaces").get()
    sources = {one.charge.reservation_id: "NSFC-17" for one in row.lines.select_related("charge")}
    pdf = statement_pdf(load_statement_paper(row, sources), language=language)
    assert len(words(pdf)) > 2
    text = by_another_program(pdf, tmp_path)
    for part in parts:
        assert part.replace(" ", "") in text.replace(" ", ""), (part, text)
    assert "BKCHCNBJ" not in text  # the payer's bank is in the same country
    assert "NSFC-17" not in by_another_program(
        statement_pdf(load_statement_paper(row), language=language), tmp_path
    )
