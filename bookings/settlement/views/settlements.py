"""Settlements between regions: lists, one of them, confirming it and marking what was paid."""

from collections.abc import Callable
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
from accounts.views.pages import act, by_of, reads, writes
from bookings.record.adapters.figures import Cell
from bookings.record.domain.money import format_amount
from bookings.record.messages import sentence
from bookings.record.views.lists import ListPage, amount_cell
from bookings.settlement.adapters.papers import settlement_pdf
from bookings.settlement.adapters.sheets import settlement_csv
from bookings.settlement.domain.statements import OVERDUE, day_of, settlement_reference
from bookings.settlement.forms.money import ConfirmForm, PaymentForm, VersionForm
from bookings.settlement.models import Settlement
from bookings.settlement.selectors.books import check_settlement
from bookings.settlement.selectors.papers import load_settlement_paper
from bookings.settlement.selectors.settlements import (
    creditor_of,
    debtor_of,
    net_of,
    no_second_for,
    settlement_by_id,
    settlements_for,
    settlements_to_confirm,
    shown_state,
    sides_of,
)
from bookings.settlement.services.payments import settlement_pay
from bookings.settlement.services.settlements import settlement_confirm
from bookings.settlement.views.files import file_answer


def state_label(state: str) -> str:
    """Return a state of a settlement in words, `overdue` among them."""
    return gettext("overdue") if state == OVERDUE else str(Settlement.State(state).label)


def _shown(row: Settlement, by: By) -> dict[str, Any]:
    state = shown_state(row, by.now)
    return {
        "row": row,
        "state": state,
        "label": state_label(state),
        "net": net_of(row),
        "debtor": debtor_of(row),
        "creditor": creditor_of(row),
        "asks": bool(_unconfirmed(by.actor, row)),
    }


HEADS = (
    "settlement", "month", "first", "first_name", "second", "second_name", "state", "debtor",
    "currency", "net", "due",
)  # fmt: skip


def _cells(row: Settlement, by: By) -> tuple[Cell, ...]:
    net = net_of(row)
    return (
        settlement_reference(row.first.code, row.second.code, row.month, row.currency),
        f"{row.month:%Y-%m}",
        row.first.code,
        row.first.name,
        row.second.code,
        row.second.name,
        shown_state(row, by.now),
        debtor_of(row).code if net else "",
        row.currency,
        amount_cell(net, row.currency),
        row.due_date.isoformat(),
    )


LIST = ListPage(
    "bookings/settlement/settlements.html",
    settlements_for,
    waits={"confirm": settlements_to_confirm},
    shown=_shown,
    sheet=("settlements", HEADS, _cells),
    words=("first__name", "first__name_zh", "second__name", "second__name_zh"),
    day="month",
    sorts={0: "month", 5: "due_date"},
)


@reads
def settlements(request: HttpRequest) -> HttpResponseBase:
    """List the settlements of one's regions, the newest first."""
    by = by_of(request)
    waits, rows = LIST.chosen(request, by)
    return LIST.answer(request, by, rows, waits=waits)


def _unconfirmed(actor: Actor, row: Settlement) -> list[str]:
    """The sides that the actor may still confirm for."""
    sides = [s for s in sides_of(actor, row) if getattr(row, f"{s}_confirmed_at") is None]
    confirmed_by = {row.first_confirmed_by_id, row.second_confirmed_by_id}
    return [] if actor.user_id in confirmed_by else sides


@reads
def one(request: HttpRequest, settlement_id: UUID) -> HttpResponse:
    """Show a settlement with use by organisation, and every number held against the ledger."""
    return _page(request, settlement_id)


def _page(
    request: HttpRequest, settlement_id: UUID, *, status: int = 200, **forms: Any
) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    row = settlement_by_id(actor, settlement_id)
    net, state = net_of(row), shown_state(row, now)
    paper = load_settlement_paper(row)
    creditor = creditor_of(row)
    is_creditor = row.first == creditor and "first" in sides_of(actor, row)
    is_creditor |= row.second == creditor and "second" in sides_of(actor, row)
    context: dict[str, Any] = {
        "settlement": row,
        "net": net,
        "reference": _name(row),
        "still": net - row.paid,
        "debtor": debtor_of(row),
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
                no_second_for(row, side),
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
    return render(request, "bookings/settlement/settlement.html", context, status=status)


def _acted(
    request: HttpRequest,
    settlement_id: UUID,
    form: VersionForm,
    name: str,
    work: Callable[[By, dict[str, Any]], Any],
    done: str,
) -> HttpResponse:
    """Carry out an act on a settlement; what refuses it is said on its page."""
    settlement_by_id(actor_of(request.user), settlement_id)
    return act(
        request,
        partial(_page, request, settlement_id),
        work,
        to=reverse("bookings:money-settlements-one", args=[settlement_id]),
        done=done,
        form=form,
        name=name,
        shows=lambda refused: messages.error(request, sentence(refused.code, refused.numbers)),
    )


@writes
def confirm(request: HttpRequest, settlement_id: UUID) -> HttpResponse:
    """Confirm a settlement for one's region."""
    return _acted(
        request,
        settlement_id,
        ConfirmForm(request.POST),
        "confirm_form",
        lambda by, data: settlement_confirm(by, settlement_id=settlement_id, region=data["region"]),
        gettext("The settlement is confirmed for your region."),
    )


@writes
def pay(request: HttpRequest, settlement_id: UUID) -> HttpResponse:
    """Mark what came in on a settlement, or take it back."""
    form = PaymentForm(request.POST)
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
    row = settlement_by_id(actor_of(request.user), settlement_id)
    language = translation.get_language() or "en"
    content = settlement_pdf(load_settlement_paper(row), language=language)
    return file_answer(content, _name(row), "pdf")


@reads
def table(request: HttpRequest, settlement_id: UUID) -> HttpResponse:
    """Send a settlement as CSV."""
    row = settlement_by_id(actor_of(request.user), settlement_id)
    return file_answer(settlement_csv(load_settlement_paper(row)), _name(row), "csv")


def _name(row: Settlement) -> str:
    return settlement_reference(row.first.code, row.second.code, row.month, row.currency)
