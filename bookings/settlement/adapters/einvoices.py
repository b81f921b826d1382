"""Statements as electronic invoices by the European standard EN 16931, in the syntax UBL 2.1."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from lxml import etree

from bookings.pricing.domain.taxes import is_vat
from bookings.record.domain.money import format_amount, format_number
from bookings.record.domain.months import month_after
from bookings.settlement.domain.papers import address_read, stated_tax
from bookings.settlement.domain.statements import PAID, statement_number
from bookings.settlement.selectors.papers import Party, StatementPaper

CUSTOMIZATION = "urn:cen.eu:en16931:2017"
_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_CAC, _CBC = f"{_UBL}CommonAggregateComponents-2", f"{_UBL}CommonBasicComponents-2"
INVOICE, CREDIT_NOTE = "380", "381"  # UNTDID 1001
TRANSFER, NOT_DEFINED = "30", "1"  # UNTDID 4461
# VAT categories of UNTDID 5305: taxed, reverse charge, exempt.
TAXED, REVERSED, EXEMPT = "S", "AE", "E"
NO_TAX = "No tax is charged on these services."
REVERSE = "Reverse charge (Directive 2006/112/EC, article 196)"


def _under(above: etree._Element, name: str, text: object = None, **attributes: str) -> etree._Element:
    """Add an element: of the basic components if it has a text, otherwise of the aggregate ones. Characters
    that XML does not take are left out."""
    space = _CAC if text is None else _CBC
    element = etree.SubElement(above, f"{{{space}}}{name}", attributes)
    if text is not None:
        element.text = "".join(sign for sign in " ".join(str(text).split()) if sign.isprintable())
    return element


def e_invoice(paper: StatementPaper) -> bytes:
    """Return a statement as an electronic invoice, or as a credit note if its total is below 0: all amounts
    are then those that are given back. One line for each charge; what vouchers and payments have covered
    counts as paid in advance. Tax was rounded with each charge; where that adds up to more than the standard
    tolerates (`stated_tax`), the file states the tax of the sum, and the difference as the rounding of what
    is payable, which stays that of the paper. It bears the statement's number and refers to the tax invoice
    if the number of one was entered; one that replaces another refers to that."""
    row = paper.statement
    is_credit = row.total < 0
    sign = -1 if is_credit else 1
    kind = "CreditNote" if is_credit else "Invoice"
    space = f"{_UBL}{kind}-2"
    root = etree.Element(f"{{{space}}}{kind}", nsmap={None: space, "cac": _CAC, "cbc": _CBC})
    issued = row.issued_at.astimezone(ZoneInfo(row.host_region.time_zone)).date()
    number = statement_number(row.host.code, row.year, row.number)
    _under(root, "CustomizationID", CUSTOMIZATION)
    _under(root, "ID", number)
    _under(root, "IssueDate", issued)
    if not is_credit:
        _under(root, "DueDate", row.due_date)
    _under(root, f"{kind}TypeCode", CREDIT_NOTE if is_credit else INVOICE)
    _under(root, "Note", f"Statement {number}")
    _under(root, "DocumentCurrencyCode", row.currency)
    if row.order_number:
        _under(root, "BuyerReference", row.order_number)
    period = _under(root, "InvoicePeriod")
    _under(period, "StartDate", row.month)
    _under(period, "EndDate", month_after(row.month) - timedelta(days=1))
    if row.order_number:
        _under(_under(root, "OrderReference"), "ID", row.order_number)
    if row.replaces is not None:
        old = statement_number(row.host.code, row.replaces.year, row.replaces.number)
        _under(_under(_under(root, "BillingReference"), "InvoiceDocumentReference"), "ID", old)
    if row.invoice_number:
        more = _under(root, "AdditionalDocumentReference")
        _under(more, "ID", row.invoice_number)
        _under(more, "DocumentDescription", "Tax invoice")
    _party(_under(root, "AccountingSupplierParty"), paper.parties.host)
    _party(_under(root, "AccountingCustomerParty"), paper.parties.payer)
    _means(root, paper, number, is_credit=is_credit)
    if not is_credit and row.state != PAID:
        _under(_under(root, "PaymentTerms"), "Note", f"Due on {row.due_date}, quoting {number}")
    taxes = [stated_tax(one.net, one.tax, one.percent, row.currency) for one in paper.taxes]
    _taxes(root, paper, taxes, sign)
    net = (row.total - row.tax) * sign
    total = net + sum(taxes, Decimal(0)) * sign
    before, rounding = (row.covered + row.paid) * sign, row.total * sign - total
    sums = _under(root, "LegalMonetaryTotal")
    for name, amount in (
        ("LineExtensionAmount", net),
        ("TaxExclusiveAmount", net),
        ("TaxInclusiveAmount", total),
        *([("PrepaidAmount", before)] if before else []),
        *([("PayableRoundingAmount", rounding)] if rounding else []),
        ("PayableAmount", total + rounding - before),
    ):
        _amount(sums, name, amount, row.currency)
    _lines(root, paper, sign, is_credit=is_credit)
    content: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return content


def _amount(above: etree._Element, name: str, amount: Decimal, currency: str) -> None:
    _under(above, name, format_amount(amount, currency), currencyID=currency)


def _party(above: etree._Element, details: Party) -> None:
    party = _under(above, "Party")
    name = details.legal_name or details.name
    _under(_under(party, "PartyName"), "Name", details.name)
    address = _under(party, "PostalAddress")
    read = address_read(details.address, details.country)
    lines = read.lines
    for tag, line in zip(("StreetName", "AdditionalStreetName"), lines, strict=False):
        _under(address, tag, line)
    if read.city:
        _under(address, "CityName", read.city)
    if read.postal_code:
        _under(address, "PostalZone", read.postal_code)
    if len(lines) > 2:
        _under(_under(address, "AddressLine"), "Line", ", ".join(lines[2:]))
    _under(_under(address, "Country"), "IdentificationCode", details.country)
    number = "".join(details.tax_number.split()).upper()
    if number:
        scheme = _under(party, "PartyTaxScheme")
        _under(scheme, "CompanyID", number)
        _under(_under(scheme, "TaxScheme"), "ID", "VAT" if is_vat(number, details.country) else "TAX")
    entity = _under(party, "PartyLegalEntity")
    _under(entity, "RegistrationName", name)
    if number:
        _under(entity, "CompanyID", number)


def _means(root: etree._Element, paper: StatementPaper, number: str, *, is_credit: bool) -> None:
    """Add the account to which the payer pays; none on a credit, and where none was entered."""
    host, payer = paper.parties.host, paper.parties.payer
    account = {} if is_credit else dict(host.account_for(payer))
    to = account.get("iban", "").replace(" ", "") or account.get("account_number", "")
    means = _under(root, "PaymentMeans")
    _under(means, "PaymentMeansCode", TRANSFER if to else NOT_DEFINED)
    if is_credit:
        return
    _under(means, "PaymentID", number)
    if to:
        payee = _under(means, "PayeeFinancialAccount")
        _under(payee, "ID", to)
        _under(payee, "Name", host.legal_name or host.name)
        if account.get("bic"):
            _under(_under(payee, "FinancialInstitutionBranch"), "ID", account["bic"])


def _category(percent: Decimal, *, is_reversed: bool) -> str:
    if percent:
        return TAXED
    return REVERSED if is_reversed else EXEMPT


def _tax_category(
    above: etree._Element, name: str, category: str, percent: Decimal, reason: str = ""
) -> None:
    element = _under(above, name)
    _under(element, "ID", category)
    _under(element, "Percent", format_number(percent))
    if category == REVERSED and reason:
        _under(element, "TaxExemptionReasonCode", "VATEX-EU-AE")
    if reason:
        _under(element, "TaxExemptionReason", reason)
    _under(_under(element, "TaxScheme"), "ID", "VAT")


def _taxes(root: etree._Element, paper: StatementPaper, taxes: Sequence[Decimal], sign: int) -> None:
    row = paper.statement
    total = _under(root, "TaxTotal")
    _amount(total, "TaxAmount", sum(taxes, Decimal(0)) * sign, row.currency)
    reasons = {REVERSED: REVERSE, EXEMPT: NO_TAX}
    for one, tax in zip(paper.taxes, taxes, strict=True):
        part = _under(total, "TaxSubtotal")
        _amount(part, "TaxableAmount", one.net * sign, row.currency)
        _amount(part, "TaxAmount", tax * sign, row.currency)
        category = _category(one.percent, is_reversed=one.is_reversed)
        _tax_category(part, "TaxCategory", category, one.percent, reasons.get(category, ""))


def _lines(root: etree._Element, paper: StatementPaper, sign: int, *, is_credit: bool) -> None:
    """Add one line for each charge. A price is never below 0 by the standard: what is given back has the
    quantity -1."""
    row = paper.statement
    for line in paper.lines:
        net = line.net * sign
        element = _under(root, "CreditNoteLine" if is_credit else "InvoiceLine")
        _under(element, "ID", line.position)
        quantity = "CreditedQuantity" if is_credit else "InvoicedQuantity"
        _under(element, quantity, "-1" if net < 0 else "1", unitCode="C62")
        _amount(element, "LineExtensionAmount", net, row.currency)
        item = _under(element, "Item")
        _under(item, "Description", f"{line.kind}, {line.person}")
        _under(item, "Name", line.instrument)
        category = _category(line.tax_percent, is_reversed=line.is_reversed)
        _tax_category(item, "ClassifiedTaxCategory", category, line.tax_percent)
        start = line.start.astimezone(ZoneInfo(line.time_zone))
        for name, value in (("Date", f"{start:%Y-%m-%d %H:%M}"), ("Booking", line.reservation)):
            if value:
                more = _under(item, "AdditionalItemProperty")
                _under(more, "Name", name)
                _under(more, "Value", value)
        _amount(_under(element, "Price"), "PriceAmount", abs(net), row.currency)
