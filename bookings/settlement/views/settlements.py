"""Pages of settlements between regions: lists, one of them, confirming it and recording payments."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from accounts.views.pages import act, bare, by_of, chooses, reads, writes
from bookings.record.adapters.figures import Cell
from bookings.record.domain.money import format_amount
from bookings.record.views.lists import ListPage, amount_cell, csv_answer, wants_csv
from bookings.settlement.adapters.papers import settlement_pdf
from bookings.settlement.adapters.sheets import settlement_csv
from bookings.settlement.domain.statements import OVERDUE, day_of, settlement_reference
from bookings.settlement.forms.money import PAYMENT_ACTS, ConfirmForm, PaymentForm
from bookings.settlement.models import Settlement
from bookings.settlement.selectors import settlements as settlement_selectors
from bookings.settlement.selectors.books import check_settlement
from bookings.settlement.selectors.papers import load_settlement_paper
from bookings.settlement.services.payments import settlement_pay
from bookings.settlement.views.files import file_answer
from instruments.reading.forms.fields import VersionForm


def state_label(state: str) -> str:
    """Return a state of a settlement in words, including `overdue`."""
    return gettext("overdue") if state == OVERDUE else str(Settlement.State(state).label)


def _shown(row: Settlement, by: By) -> dict[str, Any]:
    state = settlement_selectors.shown_state(row, by.now)
    return {
        "row": row,
        "state": state,
        "label": state_label(state),
        "net": settlement_selectors.net_of(row),
        "debtor": settlement_selectors.debtor_of(row),
        "creditor": settlement_selectors.creditor_of(row),
        "asks": bool(_unconfirmed(by.actor, row)),
    }


LIST = ListPage("bookings/settlement/settlements.html", settlement_selectors.SETTLEMENTS, shown=_shown)


@reads
def settlements(request: HttpRequest) -> HttpResponseBase:
    """List the settlements of the reader's regions, the newest first."""
    return LIST.answer(request, by_of(request))


BALANCE_HEADS = (
    "year", "region", "region_name", "other", "other_name", "currency", "owed", "netted", "paid", "open",
    "settlements", "unconfirmed", "line",
)  # fmt: skip


@reads
def balance(request: HttpRequest) -> HttpResponseBase:
    """Show what regions owed each other by the settlements of a year: the newest one with any, if the address
    names none."""
    actor = actor_of(request.user)
    years = settlement_selectors.settled_years(actor)
    asked = request.GET.get("year", "")
    is_year = asked.isascii() and asked.isdecimal() and len(asked) == 4 and int(asked) >= 1
    if asked and not is_year:
        messages.error(request, gettext("This must be a year such as 2026."))
    this = timezone.localdate().year
    year = int(asked) if is_year else next(iter(years), this)
    rows = settlement_selectors.load_balances(actor, year)
    if wants_csv(request):
        cells = (cells for row in rows for cells in _balance_cells(year, row))
        return csv_answer(request, f"settlement-balance-{year}", BALANCE_HEADS, cells)
    context = {
        "year": year,
        "years": sorted({*years, year}, reverse=True),
        "rows": rows,
        "since": f"{year:04d}-01-01",
        "until": f"{year:04d}-12-31",
    }
    return render(request, "bookings/settlement/balance.html", context)


def _balance_cells(year: int, row: settlement_selectors.YearBalance) -> Iterator[tuple[Cell, ...]]:
    """Yield a line for each of the two directions, and one for their difference: what `region` owed more."""
    debtor, creditor = row.debtor or row.first, row.creditor or row.second
    lines: list[tuple[str, Any]] = [("direction", side) for side in row.sides]
    lines.append(("difference", (debtor, creditor, row.net, None, None, None)))
    for line, (region, other, *amounts) in lines:
        yield (
            year,
            region.code,
            region.name,
            other.code,
            other.name,
            row.sums.currency,
            *(None if amount is None else amount_cell(amount, row.sums.currency) for amount in amounts),
            row.sums.settlements,
            row.sums.unconfirmed,
            line,
        )


def _unconfirmed(actor: Actor, row: Settlement) -> list[str]:
    """Return the sides of a settlement for which the actor can still confirm it."""
    sides = [
        s for s in settlement_selectors.sides_of(actor, row) if getattr(row, f"{s}_confirmed_at") is None
    ]
    confirmed_by = {row.first_confirmed_by_id, row.second_confirmed_by_id}
    return [] if actor.user_id in confirmed_by else sides


@reads
def one(request: HttpRequest, settlement_id: UUID, *, status: int = 200, **forms: Any) -> HttpResponse:
    """Show a settlement with use by organisation, and every number compared with the ledger."""
    now, actor = timezone.now(), actor_of(request.user)
    row = settlement_selectors.settlement_by_id(actor, settlement_id)
    net, state = settlement_selectors.net_of(row), settlement_selectors.shown_state(row, now)
    paper = load_settlement_paper(row)
    creditor = settlement_selectors.creditor_of(row)
    is_creditor = row.first == creditor and "first" in settlement_selectors.sides_of(actor, row)
    is_creditor |= row.second == creditor and "second" in settlement_selectors.sides_of(actor, row)
    context: dict[str, Any] = {
        "settlement": row,
        "net": net,
        "reference": _name(row),
        "still": net - row.paid,
        "debtor": settlement_selectors.debtor_of(row),
        "creditor": creditor,
        "shown_state": state,
        "state_label": state_label(state),
        "directions": [
            (row.first, row.second, paper.by_first, row.first_owes),
            (row.second, row.first, paper.by_second, row.second_owes),
        ],
        "words": [
            (
                getattr(row, side),
                getattr(row, f"{side}_confirmed_by"),
                getattr(row, f"{side}_confirmed_at"),
                settlement_selectors.no_second_for(row, side),
            )
            for side in ("first", "second")
        ],
        "payments": paper.payments,
        "check": check_settlement(row),
        "asked_of": [getattr(row, side) for side in _unconfirmed(actor, row)],
        "may_account": is_creditor and net and row.state != Settlement.State.DRAWN_UP,
        "pay_form": PaymentForm(
            initial={
                "amount": format_amount(net - row.paid, row.currency) if net != row.paid else "",
                "paid_on": day_of(now, creditor.time_zone),
                "version": row.version,
            }
        ),
        "confirm_form": ConfirmForm(initial={"version": row.version}),
        **forms,
    }
    if net == row.paid:
        context["pay_form"].only_reverses()
    return render(request, "bookings/settlement/settlement.html", context, status=status)


def _acted(
    request: HttpRequest,
    settlement_id: UUID,
    form: VersionForm,
    name: str,
    work: Callable[[By, dict[str, Any]], Any],
    done: str,
) -> HttpResponse:
    """Carry out an act on a settlement; a refusal is shown on its page."""
    return act(
        request,
        partial(bare(one), request, settlement_id),
        work,
        to=reverse("bookings:money-settlements-one", args=[settlement_id]),
        done=done,
        form=form,
        name=name,
    )


@writes
@chooses(*PAYMENT_ACTS)
def pay(request: HttpRequest, settlement_id: UUID, choice: str) -> HttpResponse:
    """Record a payment on a settlement, or take one back."""
    row = settlement_selectors.settlement_by_id(actor_of(request.user), settlement_id)
    form = PaymentForm(request.POST, currency=row.currency)
    return _acted(
        request,
        settlement_id,
        form,
        "pay_form",
        lambda by, _: settlement_pay(by, settlement_id=settlement_id, paid=form.paid(1)),
        gettext("The payment is recorded."),
    )


@reads
def pdf(request: HttpRequest, settlement_id: UUID) -> HttpResponse:
    """Send a settlement as PDF in the reader's language."""
    row = settlement_selectors.settlement_by_id(actor_of(request.user), settlement_id)
    language = translation.get_language() or "en"
    content = settlement_pdf(load_settlement_paper(row), language=language)
    return file_answer(content, _name(row), "pdf")


@reads
def table(request: HttpRequest, settlement_id: UUID) -> HttpResponse:
    """Send a settlement as CSV."""
    row = settlement_selectors.settlement_by_id(actor_of(request.user), settlement_id)
    return file_answer(settlement_csv(load_settlement_paper(row)), _name(row), "csv")


def _name(row: Settlement) -> str:
    return settlement_reference(row.first.code, row.second.code, row.month, row.currency)
