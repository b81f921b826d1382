"""A month from use to paid statements between two countries, by clicking: a university in the Netherlands
works in English and bills in euros, one in Anhui works in Chinese and bills in yuan, and each uses an
instrument of the other."""

import io
import re
from dataclasses import dataclass

import pytest
from django.utils import translation
from django.utils.translation import gettext, pgettext
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader

from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation
from accounts.permissions import actor_of
from accounts.services.memberships import membership_start, role_grant
from accounts.services.organisations import organisation_create, region_create
from bookings.bank.models import BankCredit
from bookings.models import PaymentNotice, Statement
from instruments.managing.services.publishing import instrument_publication
from instruments.managing.services.registry import facility_create, instrument_create
from instruments.opening.domain.opening import parse_hours
from instruments.opening.services.opening import opening_hours_set
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.services.ratecards import rate_card_create
from tests.browser.conftest import ALWAYS
from tests.browser.test_facility import go_on  # noqa: F401 (a fixture)
from tests.factories.cast import CARD, NOW, person

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]

IBAN, OUR_ACCOUNT = "NL91ABNA0417164300", "1302011119026411234"
DELFT = {
    "legal_name": "Technische Universiteit Delft", "address": "Mekelweg 5\n2628 CD Delft",
    "tax_number": "NL001569569B01", "bank_name": "ABN AMRO", "iban": IBAN, "bic": "ABNANL2A",
}  # fmt: skip
USTC = {
    "legal_name": "中国科学技术大学", "address": "安徽省合肥市金寨路96号", "tax_number": "12100000485001086E",
    "bank_name": "中国工商银行合肥科大支行", "account_number": OUR_ACCOUNT, "bic": "ICBKCNBJAHI",
}  # fmt: skip
EURO_CARD = CARD | {
    "currency": "EUR",
    "rates": dict.fromkeys(("internal", "regional", "partner", "external", "industry"), "90.00"),
    "setup_fee": "0.00",
    "options": [],
    "tax_percent": "21",
}
CSV_COLUMNS = {
    "booked_on": "交易日期", "debit": "借方金额", "credit": "贷方金额", "name": "对方户名",
    "counter_account": "对方账号", "purpose": "摘要", "bank_reference": "流水号",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@dataclass
class Screen:
    """A page that somebody reads in one language: words are given in English, and looked for in it."""

    page: Page
    language: str

    def says(self, word: str, context: str = "") -> str:
        with translation.override(self.language):
            return pgettext(context, word) if context else gettext(word)

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    def follow(self, *words: str | tuple[str, str], within: Locator | None = None) -> None:
        """Links one after the other; of several of a name the last, since menus stand above."""
        for word in words:
            name = self.says(*word) if isinstance(word, tuple) else self.says(word)
            links = (within or self.page).get_by_role(
                "link", name=re.compile(rf"(^|\s){re.escape(name)}(\s*[,，].*)?$")
            )
            with self.page.expect_navigation():
                links.last.click()
            self.fits()

    def press(self, word: str, *, asks: bool = False, within: Locator | None = None) -> None:
        button = (within or self.main).get_by_role("button", name=self.says(word), exact=True).first
        expect(self.page.locator(".htmx-request")).to_have_count(0)  # whose answer moves the button
        with self.page.expect_navigation():
            button.click()
            if asks:
                self.page.locator("[data-confirm-go]").click()
        self.fits()

    def fill(self, values: dict[str, str], prefix: str = "") -> None:
        for name, value in values.items():
            self.main.locator(f"[name={prefix}{name}]").fill(value)

    def menu(self, *words: str | tuple[str, str]) -> None:
        """An entry of the main menu, which is a drawer on a telephone."""
        toggler = self.page.get_by_role("button", name=self.says("Menu"), exact=True)
        if toggler.is_visible():
            toggler.click()
        self.follow(words[0], within=self.page.locator("#sidebar"))
        self.follow(*words[1:])

    def upload(self, name: str, content: bytes) -> None:
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        self.main.locator("input[type=file]").set_input_files(file)
        self.press("Read the file")

    def pdf(self) -> str:
        with self.page.expect_download() as download:
            self.main.get_by_role("link", name="PDF", exact=True).click()
        content = download.value.path().read_bytes()
        return "\n".join(each.extract_text() for each in PdfReader(io.BytesIO(content)).pages)

    def fits(self) -> None:
        self.page.wait_for_function("() => document.documentElement?.scrollWidth <= innerWidth")


def _delft(cast) -> Organisation:
    """A Dutch university with a manager, a researcher and finance; and an instrument of it."""
    china = By(PLATFORM, NOW)
    country = region_create(
        china, scheme="ISO 3166", code="NL", parent=None, name="Netherlands", name_zh="荷兰",
        time_zone="Europe/Amsterdam", currency="EUR",
    )  # fmt: skip
    region = region_create(
        china, scheme="ISO 3166-2", code="NL-ZH", parent=country, name="South Holland", name_zh="南荷兰",
        time_zone="Europe/Amsterdam", currency="EUR", holiday_calendar="NL", shares=True,
    )  # fmt: skip
    delft = organisation_create(
        china, code="delft", region=region, name="Delft University of Technology", name_zh="代尔夫特理工大学",
        kind="university",
    )  # fmt: skip
    for name, words, role in (
        ("jan", "Jan Bakker", "manager"),
        ("eva", "Eva Visser", "researcher"),
        ("ruth", "Ruth Smit", "finance"),
    ):
        cast.people[name] = person(words, f"{name}@delft.example")
        cast.people[name].time_zone = "Europe/Amsterdam"
        cast.people[name].save(update_fields=["time_zone"])
        membership_start(china, user=cast.people[name], organisation=delft)
        role_grant(china, user=cast.people[name], role=role, organisation=delft)
    by = By(actor_of(cast.people["jan"]), NOW)
    facility = facility_create(
        by, organisation=delft, name="Kavli Centre", name_zh="卡弗里中心", time_zone="Europe/Amsterdam",
        address="Van der Waalsweg 8, Delft",
    )  # fmt: skip
    made = instrument_create(
        by, facility=facility, techniques=[cast.technique], name="Helium ion microscope",
        name_zh="氦离子显微镜", description="Imaging with ions.", manufacturers=[{"name": "Zeiss"}],
        model="Orion", service_modes=["self"],
    )  # fmt: skip
    opening_hours_set(by, instrument_id=made.pk, hours=parse_hours(ALWAYS))
    policy_set(by, instrument_id=made.pk, policy=parse_policy({"slot_minutes": 30, "max_minutes": 480}))
    rate_card_create(by, instrument_id=made.pk, card=parse_rate_card(EURO_CARD), publish=True)
    instrument_publication(by, instrument_id=made.pk, act="publish")
    return delft


def _book(reader: Screen, name: str, start: str, price: str) -> None:
    reader.menu("Instruments")
    reader.main.locator("input[name=q]").fill(name)
    reader.press("Search")
    reader.follow(name)
    reader.main.locator("[name=at]").fill(start)
    reader.main.locator("#minutes, [name=minutes]").first.select_option("120")
    if (modes := reader.main.locator("[name=service_mode]")).count():
        modes.select_option("self")
    reader.main.get_by_role("button", name=reader.says("Show price"), exact=True).first.click()
    reader.press("Continue")
    reader.main.locator("[name=purpose_text]").fill("Graphene")
    expect(reader.main.locator("[data-payable]").first).to_contain_text(price)
    reader.press("Reserve")


def _use(reader: Screen, begins: str, ends: str, go_on) -> None:  # noqa: F811
    go_on(begins)
    reader.menu("Home")
    reader.press("Check in")
    go_on(ends)
    reader.menu("Home", "Check out")
    reader.press("Check out")


def _complete_details(finance: Screen, details: dict[str, str]) -> None:
    """Finance is warned on its first page, follows the warning, and is not warned any more."""
    finance.menu("Money overview")
    warning = finance.main.get_by_role("link", name=finance.says("Enter invoice details"))
    expect(warning.first).to_be_visible()
    finance.follow("Enter invoice details")
    finance.fill(details)
    finance.press("Save")
    finance.menu("Money overview")
    expect(warning).to_have_count(0)


def _camt(*entries: tuple[str, str, str, str, str], day: str, opening: str) -> bytes:
    """A file in euros; an entry is an amount, its payer and their account, its text and the bank's number."""
    closing = f"{float(opening) + sum(float(each[0]) for each in entries):.2f}"
    rows = "".join(
        f"""<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>
        <Sts>BOOK</Sts><BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{number}</AcctSvcrRef><NtryDtls><TxDtls>
        <RltdPties><Dbtr><Nm>{name}</Nm></Dbtr>
        <DbtrAcct><Id><Othr><Id>{account}</Id></Othr></Id></DbtrAcct></RltdPties><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"""
        for amount, name, account, text, number in entries
    )
    balances = "".join(
        f"""<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"""
        for code, amount in (("OPBD", opening), ("CLBD", closing))
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
    <GrpHdr><MsgId>{day}</MsgId><CreDtTm>{day}T06:00:00</CreDtTm></GrpHdr><Stmt><Id>{day}</Id>
    <Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>{balances}{rows}</Stmt></BkToCstmrStmt>
    </Document>""".encode()


def _csv(*rows: str) -> bytes:
    return "\n".join(
        ("工商银行 对公账户明细", "交易日期,借方金额,贷方金额,对方户名,对方账号,摘要,流水号", *rows)
    ).encode("gb18030")


def _describes_csv(finance: Screen) -> None:
    """A bank's CSV is described once, in the words of its file."""
    finance.menu("Bank transactions", "CSV formats")
    finance.fill({"name": "工商银行", "date_format": "YYYY年MM月DD日", "skipped_lines": "1",
                  "account": OUR_ACCOUNT, "currency": "CNY"})  # fmt: skip
    finance.main.locator("[name=encoding]").select_option("gb18030")
    finance.fill(CSV_COLUMNS, prefix="column_")
    finance.press("Save the format")


def _reads(finance: Screen, name: str, content: bytes, certain: int) -> None:
    """Finance reads a bank's file, and books what is certain in it."""
    finance.menu("Bank transactions", "Bank files")
    finance.upload(name, content)
    rows = finance.main.locator(".card:has(#certain-title) tbody tr")
    expect(rows).to_have_count(certain)
    with finance.page.expect_navigation():
        finance.main.locator(".card:has(#certain-title) form button").click()
    expect(rows).to_have_count(0)
    finance.fits()


def _pays(finance: Screen, number: str, order: str, amount: str) -> None:
    """The payer's finance gives its order number, and says that it has paid."""
    finance.menu("Statements", number)
    finance.fill({"order_number": order})
    order_form = finance.main.locator("section:has(#order-title)")
    finance.press("Save", within=order_form)
    expect(finance.main).to_contain_text(order)
    finance.main.locator("section:has(#notice-title) [name=amount]").fill(amount)
    finance.press("Tell the host")


def _shows(finance: Screen, number: str, *shown: str, hidden: tuple[str, ...] = ()) -> None:
    """The page of a statement and its PDF say the same."""
    finance.menu("Statements", number)
    paper, page = finance.pdf(), finance.main.inner_text()
    for text in shown:
        assert text in page, (text, page)
        assert text in paper, (text, paper)
    for text in hidden:
        assert text not in page, text
        assert text not in paper, text


def _keeps_journal(finance: Screen, preset: str) -> None:
    """Finance begins its chart of accounts, closes March, and finds the year equal to the ledger."""
    agrees = finance.says("Debits and credits are equal, and the journal sums up to the ledger.")
    finance.menu(("Journal", "accounting"), "Chart of accounts")
    finance.main.locator(f"[name=preset][value={preset}]").check()
    finance.press("Begin")
    finance.follow(("Journal", "accounting"), within=finance.main)
    expect(finance.main).to_contain_text(agrees)
    finance.press("Close the month", asks=True)
    expect(finance.main.locator(".alert-success").first).to_be_visible()
    finance.follow("Year's close")
    expect(finance.main).to_contain_text(agrees)
    months = finance.main.locator(".card:has(#months-title)")
    expect(months.locator("thead th")).to_have_count(4)
    expect(months.locator("tbody tr").nth(2)).to_contain_text(finance.says("closed", "journal"))
    expect(finance.main.locator(".card:has(#items-title)")).to_contain_text(finance.says("Nothing is open"))


def test_a_month_between_two_countries(visit, real_cast, go_on):  # noqa: F811
    _delft(real_cast)

    def come(name: str, language: str, **more) -> Screen:
        return Screen(visit(name, locale="zh-CN" if language == "zh-hans" else "en-GB", **more), language)

    eva, sun = come("eva", "en"), come("sun", "zh-hans")
    _book(eva, "Transmission electron microscope", "2026-03-10T10:00", "657.20")
    _book(sun, "氦离子显微镜", "2026-03-11T10:00", "217.80")
    _use(eva, "2026-03-10 10:00", "2026-03-10 12:00", go_on)
    _use(sun, "2026-03-11 17:00", "2026-03-11 19:00", go_on)

    go_on("2026-03-20 12:00")  # nobody disputed anything
    _complete_details(come("ruth", "en", width=360), DELFT)
    _complete_details(come("gao", "zh-hans"), USTC)

    go_on("2026-04-01 12:00")
    ours, theirs = "USTC-2026-0001", "DELFT-2026-0001"
    ruth, gao = come("ruth", "en", width=360), come("gao", "zh-hans")
    _pays(ruth, ours, "PO-4711", "657.20")
    _pays(gao, theirs, "KY-2026-018", "217.80")
    abroad = (OUR_ACCOUNT, "ICBKCNBJAHI", "人民币陆佰伍拾柒元贰角整", "CNY 657.20")
    _shows(gao, ours, "PO-4711", USTC["legal_name"], USTC["tax_number"], "本结算单非发票", *abroad)
    _shows(ruth, ours, "PO-4711", DELFT["tax_number"], "not a tax invoice", *abroad)
    home = ("KY-2026-018", "NL91 ABNA 0417 1643 00", "ABNANL2A", "EUR 217.80")
    _shows(gao, theirs, USTC["legal_name"], "本结算单非发票", *home, hidden=("人民币", "CNY"))
    _shows(ruth, theirs, DELFT["legal_name"], "not a tax invoice", *home, hidden=("人民币", "CNY"))

    go_on("2026-04-09 12:00")
    ruth, gao = come("ruth", "en", width=360), come("gao", "zh-hans")
    _describes_csv(gao)
    too_much = f"2026年4月7日,,700.00,DELFT UNIVERSITY OF TECHNOLOGY,{IBAN},{ours} PO-4711,L1"
    _reads(gao, "四月.csv", _csv(too_much, "2026年4月7日,40.00,,,,账户管理费,L2"), 1)
    credit = BankCredit.objects.get()
    assert (credit.payer.code, credit.currency, f"{credit.amount:.2f}") == ("delft", "CNY", "42.80")
    short = ("150.00", "UNIV OF SCIENCE AND TECHNOLOGY CN", OUR_ACCOUNT, theirs, "A1")
    rest = ("67.80", "UNIV OF SCIENCE AND TECHNOLOGY CN", OUR_ACCOUNT, f"{theirs} rest", "A2")
    for name, entry, day, opening, state in (
        ("first.xml", short, "2026-04-07", "1000.00", "part_paid"),
        ("second.xml", rest, "2026-04-08", "1150.00", "paid"),
    ):
        _reads(ruth, name, _camt(entry, day=day, opening=opening), 1)
        ruth.menu("Statements", theirs)
        expect(ruth.main.locator(f".badge.state-{state}").first).to_be_visible()
    found = Statement.objects.order_by("host__code").values_list("host__code", "currency", "state", "paid")
    assert [(*rest, f"{paid:.2f}") for *rest, paid in found] == [
        ("delft", "EUR", "paid", "217.80"),
        ("ustc", "CNY", "paid", "657.20"),
    ]
    # What the payers had reported is answered by what came.
    assert set(PaymentNotice.objects.values_list("state", flat=True)) == {"matched"}

    _keeps_journal(ruth, "eu_generic")
    _keeps_journal(gao, "cn_public")

    auditor = come("auditor", "zh-hans")
    auditor.menu("Statements", ours, "Postings behind it")
    expect(auditor.main.locator("tbody tr")).to_have_count(2)
    expect(auditor.main.locator("tfoot")).to_contain_text("CNY 0.00")
    auditor.follow("Charge", "In the trail, with proofs")
    expect(auditor.main.locator("ol.story > li")).to_have_count(2)
