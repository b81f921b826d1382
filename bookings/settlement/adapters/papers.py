"""Statements and settlements as PDF: A4, in English or Chinese, with the embedded font."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import batched
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.platypus import KeepTogether, LongTable, Paragraph, Spacer, Table

from accounts.letters.words import BANK_LABELS, dated, is_chinese, named, site_name
from accounts.models import Organisation, Region
from bookings.pricing.models import Charge
from bookings.record.adapters import printed
from bookings.record.adapters.typeface import FONT, font_register
from bookings.record.domain.money import format_number, round_half_up
from bookings.settlement.domain.papers import in_capitals
from bookings.settlement.domain.statements import PAYABLE_WITHIN, settlement_reference, statement_number
from bookings.settlement.models import Payment, SettlementLine
from bookings.settlement.selectors.papers import (
    PaperLine,
    Party,
    SettlementPaper,
    StatementPaper,
    e_invoice_gaps,
    is_plain,
)
from bookings.settlement.selectors.settlements import creditor_of, debtor_of, net_of
from instruments.rates.messages import rate_name

# What statements say of a tax that they do not charge.
TAX_NOTES = {
    "reverse_charge": _(
        "Reverse charge: the tax on these services is due by the recipient"
        " (Directive 2006/112/EC, article 196)."
    ),
    "abroad": _(
        "No tax is charged: the payer is in another country, and accounts for tax there where its law"
        " says so."
    ),
}


def _month(value: date) -> str:
    return dated(value, "F Y", "Y年n月")


def _names(thing: Party | Region) -> str:
    """Return the names of an organisation or region in both languages, the reader's first."""
    names = [thing.name, thing.name_zh]
    if is_chinese():
        names.reverse()
    return "\n".join(dict.fromkeys(name for name in names if name))


def _two(left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
    both = Table(
        [[list(left), list(right)]],
        colWidths=[printed.WIDTH / 2] * 2,
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("BOX", (0, 0), (0, 0), 0.5, printed.LINE),
            ("BOX", (1, 0), (1, 0), 0.5, printed.LINE),
            ("TOPPADDING", (0, 0), (-1, -1), 6),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
        ],
    )
    return [both, Spacer(1, 6 * mm)]


def _party(label: str, party: Party, organisation: Organisation, region: Region) -> list[Any]:
    code = gettext("Code: {code}").format(code=organisation.code)
    names = _names(party).split("\n")
    legal = party.legal_name or names[0]
    others = "\n".join(name for name in names if name != legal)
    tax = gettext("Tax number: {number}").format(number=party.tax_number)
    return [
        printed.head(label),
        printed.text(legal, 10.5),
        *([printed.text(others)] if others else []),
        *([printed.text(party.address)] if party.address else []),
        *([printed.text(tax)] if party.tax_number else []),
        printed.text(f"{named(region)} ({region.code})", textColor=printed.SOFT),
        printed.text(
            code + (f" · ROR {organisation.ror}" if organisation.ror else ""), textColor=printed.SOFT
        ),
    ]


CELLS = [
    ("FONT", (0, 1), (-1, -1), FONT, 8.5, 8.5 * 1.35),
    ("TEXTCOLOR", (0, 1), (-1, -1), printed.INK),
    ("ALIGN", (2, 1), (-1, -1), "RIGHT"),
]
SUMS = [
    ("LINEABOVE", (0, -1), (-1, -1), 0.8, printed.ACCENT),
    ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ("TOPPADDING", (0, 0), (-1, -1), 1.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
]


def quantity(line: PaperLine) -> str:
    """Write the quantity of a line in words: `2.5 h`, `12 samples`, `50 %`."""
    if line.samples is not None:
        return ngettext("{count} sample", "{count} samples", int(line.samples != 1) + 1).format(
            count=format_number(line.samples)
        )
    if line.minutes is not None:
        hours = (Decimal(line.minutes) / 60).quantize(Decimal("0.01"))
        return gettext("{hours} h").format(hours=format_number(hours))
    if line.percent is not None:
        return f"{format_number(line.percent)} %"
    return "–"


def item_words(item: Mapping[str, Any], currency: str) -> str:
    """Write a line of a stored price in words: `Operator: 2 h × 150.00 = 300.00`."""
    kind, by = item.get("kind", ""), _price(item.get("rate") or item.get("price"), currency)
    count = item.get("quantity")
    if item.get("minutes") is not None:
        count = format_number((Decimal(item["minutes"]) / 60).quantize(Decimal("0.01")))
    if item.get("minutes") is not None or item.get("unit") == "hour":
        count = gettext("{hours} h").format(hours=count)
    if item.get("code") == "capped":
        return gettext("{hours} beyond the daily cap, free").format(hours=count)
    factors = [one for one in (count, by) if one is not None]
    if item.get("multiplier", "1") != "1":
        factors.append(item["multiplier"])
    if kind in {"agreement", "bid"}:
        factors = [f"-{format_number(Decimal(item.get('percent', 0)))} %"]
    if kind == "fee":
        factors = [str(_price(item["base"], currency)), f"{format_number(Decimal(item['percent']))} %"]
    amount = printed.money(Decimal(item["amount"]), currency)
    words = " × ".join(factors)
    label = _item_label(kind, item)
    return _(": ").join(one for one in (label, f"{words} = {amount}" if words else amount) if one)


def _price(stored: str | None, currency: str) -> str | None:
    """Write a unit price like an amount, unless it is finer than the currency."""
    if stored is None:
        return None
    price = Decimal(stored)
    return printed.money(price, currency) if round_half_up(price, currency) == price else format_number(price)


def _item_label(kind: str, item: Mapping[str, Any]) -> str:
    if kind == "usage" and item.get("code") == "kept":
        return gettext("guaranteed hours")
    if kind == "option" or (kind == "usage" and item.get("code") not in (None, "standard")):
        return rate_name(item)
    return str(_ITEMS.get(kind, ""))


_ITEMS = {
    "training": _("Place in a course"),
    "setup": _("Set-up fee"),
    "fee": _("Price without options"),
    "agreement": _("Agreement between the regions"),
    "bid": _("Bid below the rate card"),
}

# The columns of the rows: their shares of the width, and the first that is aligned to the right.
WIDTHS = [share * printed.WIDTH / 174 for share in (9, 73, 18, 19, 18, 18, 19)]
RIGHT = 2
MOST_LINES = 10  # of a row: even if each takes several, they fit on a page


def _cell(text: object, column: int) -> Any:
    """Return a cell of a column of the rows: the plain text if each line of it fits, which takes a tenth of
    the time of a paragraph."""
    lines = str(text).split("\n")
    room = WIDTHS[column] - 4
    if all(pdfmetrics.stringWidth(line, FONT, 8.5) <= room for line in lines):
        return str(text)
    return printed.right(text) if column >= RIGHT else printed.text(text)


# The columns of an internal note without tax and vouchers.
PLAIN = (0, 1, 2, 6)


def _rows(paper: StatementPaper) -> LongTable:
    shown = PLAIN if is_plain(paper.statement) else range(len(WIDTHS))
    widths = [WIDTHS[column] for column in shown]
    widths[1] += printed.WIDTH - sum(widths)
    currency = paper.statement.currency
    heads = [
        printed.head("#"),
        printed.head(gettext("Booking, person, price")),
        printed.head_right(gettext("Quantity")),
        printed.head_right(gettext("Net")),
        printed.head_right(gettext("Tax")),
        printed.head_right(gettext("Voucher")),
        printed.head_right(gettext("Payable") if len(shown) > len(PLAIN) else gettext("Amount")),
    ]
    rows: list[list[Any]] = [[heads[column] for column in shown]]
    continued: list[int] = []  # rows without a line below
    for line in paper.lines:
        start = line.start.astimezone(ZoneInfo(line.time_zone))
        # On one line, whatever the host has written: a row longer than a page could not be printed.
        name = " ".join(((is_chinese() and line.instrument_zh) or line.instrument).split())
        kind = Charge.Kind(line.kind).label  # in the paper's language, not that of the loading
        who = " · ".join(" ".join(one.split()) for one in (line.person, line.sources) if one)
        said = [
            name,
            f"{start:%Y-%m-%d %H:%M} · {kind} · {str(line.reservation or line.enrolment)[-12:]}",
            *([who] if who else []),
            *(item_words(item, currency) for item in line.items),
        ]
        # A row does not go on on the next page: a price of many lines has several.
        what, *more = ("\n".join(part) for part in batched(said, MOST_LINES))
        tax = f"{printed.money(line.tax, currency)}\n{format_number(line.tax_percent)} %"
        rows.append(
            [
                _cell(text, column)
                for column, text in enumerate(
                    (
                        line.position,
                        what,
                        quantity(line),
                        printed.money(line.net, currency),
                        tax,
                        printed.money(-line.covered, currency) if line.covered else "–",
                        printed.money(line.payable, currency),
                    )
                )
                if column in shown
            ]
        )
        for part in more:
            continued.append(len(rows) - 1)
            rows.append(["", _cell(part, 1), *[""] * (len(shown) - 2)])
    return LongTable(rows, colWidths=widths, repeatRows=1, style=[*_grid(continued, len(rows)), *CELLS])


def _grid(continued: Sequence[int], rows: int) -> list[Any]:
    """Return the grid of a table without the lines below the rows that are continued."""
    style = [one for one in printed.GRID if one[:2] != ("LINEBELOW", (0, 1))]
    first = 1
    for row in (*continued, rows):
        if row > first:
            style.append(("LINEBELOW", (0, first), (-1, row - 1), 0.25, printed.LINE))
        first = row + 1
    return style


def _sums(rows: Sequence[tuple[str, str]]) -> Table:
    last = len(rows) - 1
    return Table(
        [
            [printed.right(label, 10 if i == last else 8.5), printed.right(value, 10 if i == last else 8.5)]
            for i, (label, value) in enumerate(rows)
        ],
        colWidths=[printed.WIDTH - 40 * mm, 40 * mm],
        style=SUMS,
    )


def _payments(payments: Sequence[Payment], owed: Decimal, paid: Decimal, currency: str) -> list[Any]:
    if not payments:
        return []
    rows = [
        (
            f"{gettext('Paid')} {printed.day(one.paid_on)}"
            + (f" · {one.reference}" if one.reference else ""),
            f"{currency} {printed.money(one.amount, currency)}",
        )
        for one in payments
    ]
    rows.append((gettext("Still to pay"), f"{currency} {printed.money(owed - paid, currency)}"))
    return [Spacer(1, 3 * mm), _sums(rows)]


def statement_pdf(paper: StatementPaper, *, language: str) -> bytes:
    """Return the statement as PDF in a language; the names of the two organisations are in both languages."""
    font_register()
    with translation.override(language):
        row = paper.statement
        currency = row.currency
        number = statement_number(row.host.code, row.year, row.number)
        issued = row.issued_at.astimezone(ZoneInfo(row.host_region.time_zone))
        facts = [
            (gettext("Number"), number),
            (gettext("Date of issue"), printed.day(issued)),
            (gettext("Month"), _month(row.month)),
            *([(gettext("Due"), printed.day(row.due_date))] if _asks(row) else []),
            (gettext("Currency"), currency),
            *([(gettext("Order number"), row.order_number)] if row.order_number else []),
            *([(gettext("Tax invoice"), row.invoice_number)] if row.invoice_number else []),
        ]
        if row.replaces is not None:
            old = row.replaces
            facts.append((gettext("Replaces"), statement_number(row.host.code, old.year, old.number)))
        title = gettext("Credit note") if row.payable < 0 else gettext("Statement")
        if row.payer_id == row.host_id:
            title = gettext("Internal note")
        note = gettext("Voided: {reason}").format(reason=row.void_reason) if row.voided_at else ""
        story = printed.top(
            title, gettext("Use of instruments, {month}").format(month=_month(row.month)), facts, note
        )
        story += _two(
            _party(gettext("Issued by"), paper.parties.host, row.host, row.host_region),
            _party(gettext("Billed to"), paper.parties.payer, row.payer, row.payer_region),
        )
        story += [_rows(paper), Spacer(1, 5 * mm)]
        sums = [
            (
                gettext("Net at {percent} % tax").format(percent=format_number(one.percent))
                + (f" · {gettext('reverse charge')}" if one.is_reversed else ""),
                f"{printed.money(one.net, currency)}   +   {printed.money(one.tax, currency)}",
            )
            for one in paper.taxes
        ]
        sums += [
            (gettext("Net"), printed.money(row.total - row.tax, currency)),
            (gettext("Tax"), printed.money(row.tax, currency)),
            (gettext("Total"), printed.money(row.total, currency)),
        ]
        if is_plain(row):
            sums = []
        if row.covered:
            sums.append((gettext("Paid by vouchers"), printed.money(-row.covered, currency)))
        label = gettext("Payable")
        if row.payer_id == row.host_id:
            label = gettext("Recharged internally")
        sums.append((label, f"{currency} {printed.money(row.payable, currency)}"))
        story.append(KeepTogether([_sums(sums), *_capitals(row), *_converted(paper)]))
        story += _payments(paper.payments, row.payable, row.paid, currency)
        story += [Spacer(1, 6 * mm), KeepTogether(_terms(paper, number))]
        foot = f"{number} · {named(row.host)}"
        return printed.build(f"{title} {number}", foot, row.host.name, story, _stamp(row))


def _capitals(row: Any) -> list[Any]:
    """Return the amount in Chinese capitals, which papers about yuan state in whatever language."""
    if row.currency != "CNY" or row.voided_at:
        return []
    words = gettext("In words: {words}").format(words=in_capitals(row.payable))
    return [Spacer(1, 1 * mm), printed.right(words, 9)]


def _asks(row: Any) -> bool:
    """Say whether a statement asks its payer for money: not once it is voided or paid, and never as an
    internal note."""
    is_open = row.payable > row.paid and not row.voided_at
    return is_open and row.payer_id != row.host_id


def _stamp(row: Any) -> str:
    """Return the word printed across every page of a statement that no longer has to be paid."""
    if row.voided_at:
        return gettext("VOID")
    return gettext("PAID") if row.paid and row.paid == row.payable else ""


NOT_KEPT = _(
    "Names, addresses and the bank account are today's: this statement was drawn up before they "
    "were stored with it."
)


def _converted(paper: StatementPaper) -> list[Any]:
    row, rate = paper.statement, paper.statement.exchange_rate
    if rate is None or row.payer_payable is None:
        return []
    text = gettext(
        "For the payer's books: {amount} {currency}, at {rate} {currency} per {base} on {day} "
        "({source}). The amount owed is the one in {base}."
    ).format(
        amount=printed.money(row.payer_payable, row.payer_currency),
        currency=row.payer_currency,
        rate=format_number(rate.rate),
        base=rate.base,
        day=printed.day(rate.valid_on),
        source=rate.source,
    )
    return [Spacer(1, 2 * mm), printed.text(text, textColor=printed.SOFT)]


def _terms(paper: StatementPaper, number: str) -> list[Any]:
    row = paper.statement
    if row.voided_at:
        terms = gettext("This statement is void: no payment is due on it.")
    elif row.payer_id == row.host_id:
        terms = gettext(
            "Payer and host are the same legal person: this note is for its ledger. No payment is due."
        )
    elif row.paid and row.paid == row.payable:
        terms = gettext("Paid: no further payment is due on this statement.")
    elif row.payable > 0:
        terms = gettext("Please pay within {days} days of issue, by {day}, quoting number {number}.").format(
            days=PAYABLE_WITHIN.days, day=printed.day(row.due_date), number=number
        )
    elif row.payable < 0:
        terms = gettext("This is a credit: it will be paid out or offset against what you owe.")
    else:
        terms = gettext("No payment is due.")
    claim = gettext(
        "Vouchers are settled between the regions; you do not pay them. Each line can be traced "
        "to its booking, with every quantity, rate and rounding."
    )
    is_bill = row.payer_id != row.host_id
    return [
        printed.head(gettext("Payment")),
        printed.text(terms),
        *_where_to_pay(paper, number),
        *([printed.text(str(TAX_NOTES[paper.tax_note]))] if paper.tax_note else []),
        *([printed.text(no_invoice(row, e_invoice_gaps(row, paper.parties)))] if is_bill else []),
        *([printed.text(claim, textColor=printed.SOFT)] if row.covered else []),
        *([] if paper.parties.is_kept else [printed.text(NOT_KEPT, textColor=printed.SOFT)]),
    ]


def no_invoice(row: Any, gaps: Sequence[str] | None) -> str:
    """Return the sentence that a statement is no tax invoice, with the number of the one that is, or else
    that its electronic invoice, which is made if there are no `gaps` (`e_invoice_gaps`), has the same
    number."""
    if row.invoice_number:
        return gettext(
            "This statement is not a tax invoice (非发票). The tax invoice for it has the number {number}."
        ).format(number=row.invoice_number)
    if gaps == []:
        return gettext(
            "This paper is not a tax invoice (非发票). The electronic invoice for it (EN 16931) has the same"
            " number."
        )
    return gettext("This statement is not a tax invoice (非发票).")


def _where_to_pay(paper: StatementPaper, number: str) -> list[Any]:
    """Return the box of a statement with bank account, reference, day and amount; on a credit, the account to
    which it is paid out."""
    row, host = paper.statement, paper.parties.host
    still = row.payable - row.paid
    if not still or row.voided_at or row.payer_id == row.host_id:
        return []
    payer = paper.parties.payer
    account = host.account_for(payer) if still > 0 else payer.account_for(host)
    label = gettext("Pay to") if still > 0 else gettext("Pay out to")
    if not account:
        account = [("bank_account", gettext("No bank account has been entered: please ask where to pay."))]
    is_in_lines = [name for name, _value in account] == ["bank_account"]
    rows = [
        [printed.head(label if is_in_lines else str(BANK_LABELS[name])), printed.text(value, 9.5)]
        for name, value in account
    ]
    if still > 0:
        if host.legal_name:
            rows.append([printed.head(gettext("Account holder")), printed.text(host.legal_name, 9.5)])
        rows += [
            [printed.head(gettext("Reference")), printed.text(number, 9.5)],
            [printed.head(gettext("Due")), printed.text(printed.day(row.due_date), 9.5)],
        ]
    amount = f"{row.currency} {printed.money(abs(still), row.currency)}"
    rows.append([printed.head(gettext("Amount")), printed.text(amount, 9.5)])
    if still > 0 and host.bank_account_changed_on:
        changed = gettext("Bank account last changed")
        rows.append([printed.head(changed), printed.text(printed.day(host.bank_account_changed_on), 9.5)])
    box = Table(
        rows,
        colWidths=[38 * mm, printed.WIDTH - 38 * mm],
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("BOX", (0, 0), (-1, -1), 0.5, printed.LINE),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ],
    )
    return [Spacer(1, 2 * mm), box, Spacer(1, 2 * mm)]


def settlement_pdf(paper: SettlementPaper, *, language: str) -> bytes:
    """Return the settlement as PDF in a language; the names of the two regions are in both languages."""
    font_register()
    with translation.override(language):
        row = paper.settlement
        currency, net = row.currency, net_of(row)
        first, second = (named(r) for r in (row.first, row.second))
        reference = settlement_reference(row.first.code, row.second.code, row.month, row.currency)
        drawn = row.drawn_up_at.astimezone(ZoneInfo(creditor_of(row).time_zone))
        facts = [
            (gettext("Reference"), reference),
            (gettext("Month"), _month(row.month)),
            (gettext("Drawn up"), printed.day(drawn)),
            (gettext("Due"), printed.day(row.due_date)),
            (gettext("Currency"), currency),
        ]
        title = gettext("Settlement between regions")
        story = printed.top(title, f"{first} – {second}, {_month(row.month)}", facts)
        story += _two(
            *(
                [
                    printed.text(f"{_names(region)}\n({region.code})", 10.5),
                    printed.text(_word(confirmed_by, confirmed_at, region), textColor=printed.SOFT),
                ]
                for region, confirmed_by, confirmed_at in (
                    (row.first, row.first_confirmed_by, row.first_confirmed_at),
                    (row.second, row.second_confirmed_by, row.second_confirmed_at),
                )
            )
        )
        for lines, payer, host in ((paper.by_first, first, second), (paper.by_second, second, first)):
            label = gettext("Use by organisations of {payer} at hosts of {host}")
            story += [printed.text(label.format(payer=payer, host=host), 10), Spacer(1, 1 * mm)]
            story += [_use(lines, currency), Spacer(1, 5 * mm)]
        owes = gettext("{payer} owes {host} for vouchers")
        sums = [
            (owes.format(payer=first, host=second), printed.money(row.first_owes, currency)),
            (owes.format(payer=second, host=first), printed.money(row.second_owes, currency)),
        ]
        if net:
            debtor, creditor = debtor_of(row), creditor_of(row)
            label = gettext("{payer} pays {host}").format(payer=named(debtor), host=named(creditor))
        else:
            label = gettext("No payment is due.")
        sums.append((label, f"{currency} {printed.money(net, currency)}"))
        story.append(KeepTogether([_sums(sums)]))
        story += _payments(paper.payments, net, row.paid, currency)
        if net > row.paid:
            terms = gettext(
                "Please pay by {day}, quoting reference {reference}. The coordinator of {region} "
                "will tell you where to pay: regions have no bank account here."
            ).format(day=printed.day(row.due_date), reference=reference, region=named(creditor_of(row)))
            story += [
                Spacer(1, 4 * mm),
                KeepTogether([printed.head(gettext("Payment")), printed.text(terms)]),
            ]
        shown = gettext(
            "Vouchers are netted between the regions. Use is shown by organisation and not netted:"
            " what is payable is billed to each payer by its host."
        )
        story += [Spacer(1, 4 * mm), printed.text(shown, textColor=printed.SOFT)]
        foot = f"{row.first.code} – {row.second.code} · {row.month:%Y-%m}"
        return printed.build(f"{title} {foot}", foot, site_name(), story)


def _word(person: Any, moment: datetime | None, region: Region) -> str:
    if moment is None:
        return gettext("Not confirmed yet")
    if person is None:
        return gettext("not needed: neither region owes anything")
    return gettext("Confirmed by {person} on {day}").format(
        person=person, day=printed.day(moment.astimezone(ZoneInfo(region.time_zone)))
    )


def _use(lines: Sequence[SettlementLine], currency: str) -> LongTable | Paragraph:
    if not lines:
        return printed.text(gettext("None in this month."), textColor=printed.SOFT)
    rows: list[list[Any]] = [
        [
            printed.head(gettext("Payer")),
            printed.head(gettext("Host")),
            printed.head_right(gettext("Charges")),
            printed.head_right(gettext("Total")),
            printed.head_right(gettext("Voucher")),
            printed.head_right(gettext("Payable")),
        ]
    ]
    rows += [
        [
            printed.text(named(line.payer)),
            printed.text(named(line.host)),
            printed.right(line.charges),
            printed.right(printed.money(line.total, currency)),
            printed.right(printed.money(line.covered, currency)),
            printed.right(printed.money(line.payable, currency)),
        ]
        for line in lines
    ]
    widths = [46, 46, 14, 23, 22, 23]
    scale = printed.WIDTH / sum(widths)
    return LongTable(rows, colWidths=[w * scale for w in widths], repeatRows=1, style=printed.GRID)
