"""Pages of what is owed and how long it has been due, down to the statements."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.views.pages import reads
from bookings.record.adapters.figures import Cell
from bookings.record.views.lists import amount_cell, csv_answer, wants_csv
from bookings.settlement.domain.ageing import BUCKETS, AgedRow, parts_of, totals, whole_of
from bookings.settlement.selectors.ageing import (
    ANY_LATE,
    OWED,
    OWING,
    SIDES,
    KeptRow,
    kept_sums,
    load_ageing,
    load_rows_with_credit,
    narrowed,
)
from bookings.settlement.selectors.ageing import BUCKET_LABELS as LABELS
from bookings.settlement.selectors.statements import STATEMENTS, shown_state, today_of
from bookings.settlement.views.statements import label_of

PAGE = 50
HEADS = (
    "counterparty", "counterparty_name", "currency", *BUCKETS, "total", "statements", "credit_kept",
)  # fmt: skip


@reads
def ageing(request: HttpRequest) -> HttpResponseBase:
    """Show a table of counterparties; with `party`, `currency` or `bucket`, the statements behind it."""
    now, actor = timezone.now(), actor_of(request.user)
    side = OWING if request.GET.get("side") == OWING else OWED
    aged = load_ageing(actor, side, now)
    by = {name: request.GET.get(name, "") for name in ("currency", "bucket")}
    by["code"] = request.GET.get("party", "")
    if any(by.values()):
        return _statements(request, narrowed(aged, side, now, **by), side, by, now)
    rows = load_rows_with_credit(actor, side, aged)
    if wants_csv(request):
        return csv_answer(request, f"ageing-{side}", HEADS, (_cells(one) for one in rows))
    kept = kept_sums(rows)
    context = {
        "side": side,
        "sides": [(OWED, _("Owed to us")), (OWING, _("What we owe"))],
        "heads": [(name, LABELS[name]) for name in BUCKETS],
        "rows": [(one.party, one.row, _cut(one.row), parts_of(one.row.buckets), one.kept) for one in rows],
        "has_kept": any(kept.values()),
        "totals": [
            (currency, list(sums.items()), whole_of(sums), parts_of(sums), kept[currency])
            for currency, sums in totals(one.row for one in rows).items()
        ],
    }
    return render(request, "bookings/settlement/ageing.html", context)


def _cut(row: AgedRow) -> list[tuple[str, Any, Decimal]]:
    return [(name, LABELS[name], amount) for name, amount in row.buckets.items()]


def _cells(one: KeptRow) -> tuple[Cell, ...]:
    row = one.row
    amounts = (*row.buckets.values(), row.total)
    return (
        one.party.code,
        one.party.name,
        row.currency,
        *(amount_cell(amount, row.currency) for amount in amounts),
        row.statements,
        amount_cell(one.kept, row.currency) if one.kept else "",
    )


def _statements(
    request: HttpRequest, rows: list[Any], side: str, by: dict[str, str], now: datetime
) -> HttpResponseBase:
    if wants_csv(request):
        reader = By(actor_of(request.user), now)
        for row in rows:
            row.side = side
        cells = (STATEMENTS.line(row, reader) for row in rows)
        return csv_answer(request, f"ageing-{side}-statements", STATEMENTS.heads, cells)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    sums: dict[tuple[str, bool], Decimal] = {}
    for row in rows:  # credits apart, as they are owed in the other direction
        key = row.currency, row.payable < 0
        sums[key] = sums.get(key, Decimal(0)) + row.payable - row.paid
    context = {
        "side": side,
        "party": getattr(rows[0], SIDES[side]) if rows and by["code"] else None,
        "bucket": _("Past due") if by["bucket"] == ANY_LATE else LABELS.get(by["bucket"], ""),
        "page": page,
        "rows": [
            (
                row,
                shown_state(row, now),
                label_of(row, now),
                max((today_of(row, now) - row.due_date).days, 0) if row.payable > 0 else 0,
            )
            for row in page.object_list
        ],
        "sums": [(currency, amount) for (currency, _), amount in sorted(sums.items())],
    }
    return render(request, "bookings/settlement/ageing_statements.html", context)
