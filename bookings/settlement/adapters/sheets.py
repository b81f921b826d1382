"""Statements and settlements as tables for spreadsheets: CSV in UTF-8 with the byte order mark that Excel
needs. No text cell can be taken for a formula; numbers stay numbers."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from zoneinfo import ZoneInfo

from bookings.record.domain.money import format_amount, format_number
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.selectors.papers import SettlementPaper, StatementPaper
from instruments.reading.domain.delimited import text_cell


def csv_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


STATEMENT_HEADS = (
    "statement", "position", "month", "host", "payer", "payer_name", "charge", "booking",
    "instrument", "kind", "start", "end", "billed_minutes", "samples", "fee_percent",
    "tax_percent", "currency", "net", "tax", "total", "voucher", "payable", "person", "source",
    "order_number", "invoice_number", "state",
)  # fmt: skip


def statement_csv(paper: StatementPaper, zone: ZoneInfo, *, state: str) -> bytes:
    """Write a statement as CSV, with one row for each charge and the column names of the API; instants are in
    the reader's zone. `state`: that of the statement, as lists show it."""
    row = paper.statement
    number = text_cell(statement_number(row.host.code, row.year, row.number))
    rows = []
    for line in paper.lines:
        amounts = (line.net, line.tax, line.total, line.covered, line.payable)
        rows.append(
            (
                number,
                str(line.position),
                f"{row.month:%Y-%m}",
                text_cell(row.host.code),
                text_cell(row.payer.code),
                text_cell(row.payer.name),
                str(line.charge),
                str(line.reservation or ""),
                text_cell(line.instrument),
                line.kind,
                line.start.astimezone(zone).isoformat(),
                line.end.astimezone(zone).isoformat(),
                "" if line.minutes is None else str(line.minutes),
                "" if line.samples is None else format_number(line.samples),
                "" if line.percent is None else format_number(line.percent),
                format_number(line.tax_percent),
                row.currency,
                *(format_amount(amount, row.currency) for amount in amounts),
                text_cell(line.person),
                text_cell(line.sources),
                text_cell(row.order_number),
                text_cell(row.invoice_number),
                state,
            )
        )
    return csv_table(STATEMENT_HEADS, rows)


SETTLEMENT_HEADS = (
    "month", "payer_region", "host_region", "payer", "payer_name", "host", "host_name", "charges",
    "currency", "total", "voucher", "payable",
)  # fmt: skip


def settlement_csv(paper: SettlementPaper) -> bytes:
    """Return a settlement as CSV, with one row for each payer and host, in both directions; the vouchers add
    up to what each region owes."""
    row = paper.settlement
    rows = []
    for lines, payer, host in (
        (paper.by_first, row.first, row.second),
        (paper.by_second, row.second, row.first),
    ):
        for line in lines:
            amounts = (line.total, line.covered, line.payable)
            rows.append(
                (
                    f"{row.month:%Y-%m}",
                    text_cell(payer.code),
                    text_cell(host.code),
                    text_cell(line.payer.code),
                    text_cell(line.payer.name),
                    text_cell(line.host.code),
                    text_cell(line.host.name),
                    str(line.charges),
                    row.currency,
                    *(format_amount(amount, row.currency) for amount in amounts),
                )
            )
    return csv_table(SETTLEMENT_HEADS, rows)
