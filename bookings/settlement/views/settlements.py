"""Settlements between regions: lists, one of them, confirming it and marking what was paid."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.errors import Invalid, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.permissions import actor_of
from bookings.record.domain.money import format_amount
from bookings.record.messages import sentence
from bookings.record.views.lists import waits_of
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

PAGE = 30


def state_label(state: str) -> str:
    """A state of a settlement, `overdue` among them, in words."""
    return gettext("overdue") if state == OVERDUE else str(Settlement.State(state).label)


@login_required
@require_safe
def settlements(request: HttpRequest) -> HttpResponse:
    """Those of one's regions, the newest first."""
    now, actor = timezone.now(), actor_of(request.user)
    waits = waits_of(request, "confirm")
    found = settlements_to_confirm(actor, now) if waits else settlements_for(actor)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    rows = []
    for row in page.object_list:
        state = shown_state(row, now)
        rows.append(
            {
                "row": row,
                "state": state,
                "label": state_label(state),
                "net": net_of(row),
                "debtor": debtor_of(row),
                "creditor": creditor_of(row),
                "asks": bool(_unconfirmed(actor, row)),
            }
        )
    context = {"page": page, "rows": rows, "waits": waits}
    return render(request, "bookings/settlement/settlements.html", context)


def _unconfirmed(actor: Any, row: Settlement) -> list[str]:
    """The sides for which the actor's word is still wanted."""
    sides = [s for s in sides_of(actor, row) if getattr(row, f"{s}_confirmed_at") is None]
    said = {row.first_confirmed_by_id, row.second_confirmed_by_id}
    return [] if actor.user_id in said else sides


@login_required
@require_safe
def one(request: HttpRequest, settlement_id: UUID) -> HttpResponse:
    """With use by organisation, and every number held against the ledger."""
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


def _done(
    request: HttpRequest,
    settlement_id: UUID,
    form: VersionForm,
    name: str,
    act: Callable[[int | None], Any],
    done: str,
) -> HttpResponse:
    """Carry out an act if its form is right; what refuses it is said on the page."""
    status = 400
    if form.is_valid():
        try:
            act(form.cleaned_data["version"])
        except Invalid as refused:
            form.refuse(refused.problems)
        except (WrongState, WrongVersion) as refused:
            messages.error(request, sentence(refused.code, refused.numbers))
            status = 412 if isinstance(refused, WrongVersion) else 409
        else:
            messages.success(request, done)
            return redirect("bookings:money-settlements-one", settlement_id=settlement_id)
    return _page(request, settlement_id, status=status, **{name: form})


@login_required
@require_POST
def confirm(request: HttpRequest, settlement_id: UUID) -> HttpResponse:
    """For one's region."""
    now, actor = timezone.now(), actor_of(request.user)
    settlement_by_id(actor, settlement_id)
    form = ConfirmForm(request.POST)
    return _done(
        request,
        settlement_id,
        form,
        "confirm_form",
        lambda version: settlement_confirm(
            By(actor, now, version), settlement_id=settlement_id, region=form.cleaned_data["region"]
        ),
        gettext("The settlement is confirmed for your region."),
    )


@login_required
@require_POST
def pay(request: HttpRequest, settlement_id: UUID) -> HttpResponse:
    """Mark what came in, or take it back."""
    now, actor = timezone.now(), actor_of(request.user)
    settlement_by_id(actor, settlement_id)
    form = PaymentForm(request.POST)
    return _done(
        request,
        settlement_id,
        form,
        "pay_form",
        lambda version: settlement_pay(
            By(actor, now, version), settlement_id=settlement_id, paid=form.paid(1)
        ),
        gettext("The payment is recorded."),
    )


@login_required
@require_safe
def pdf(request: HttpRequest, settlement_id: UUID) -> HttpResponse:
    """In the reader's language."""
    row = settlement_by_id(actor_of(request.user), settlement_id)
    language = translation.get_language() or "en"
    content = settlement_pdf(load_settlement_paper(row), language=language)
    return file_answer(content, _name(row), "pdf")


@login_required
@require_safe
def table(request: HttpRequest, settlement_id: UUID) -> HttpResponse:
    """As CSV."""
    row = settlement_by_id(actor_of(request.user), settlement_id)
    return file_answer(settlement_csv(load_settlement_paper(row)), _name(row), "csv")


def _name(row: Settlement) -> str:
    return settlement_reference(row.first.code, row.second.code, row.month, row.currency)
