"""What payers say they have paid: reporting, the list, and what becomes of each."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext

from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.views.pages import by_of, reads, writes
from bookings.record.adapters.figures import Cell
from bookings.record.views.lists import ListPage, amount_cell
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.forms.money import NoticeForm, VersionForm, VoidForm
from bookings.settlement.models import PaymentNotice
from bookings.settlement.selectors.statements import notice_by_id, notices_for, notices_to_match
from bookings.settlement.services.payment_notices import (
    payment_notice_match,
    payment_notice_refuse,
    payment_notice_report,
    payment_notice_withdraw,
)
from bookings.settlement.views.statements import carried_out

HEADS = (
    "statement", "host", "host_name", "payer", "payer_name", "paid_on", "reference", "state",
    "currency", "amount",
)  # fmt: skip


def _cells(row: PaymentNotice, by: By) -> tuple[Cell, ...]:
    of = row.statement
    return (
        statement_number(of.host.code, of.year, of.number),
        of.host.code,
        of.host.name,
        of.payer.code,
        of.payer.name,
        row.paid_on.isoformat(),
        row.reference,
        row.state,
        row.currency,
        amount_cell(row.amount, row.currency),
    )


LIST = ListPage(
    "bookings/settlement/notices.html",
    notices_for,
    waits={"notices": notices_to_match},
    sheet=("reported-payments", HEADS, _cells),
    words=("statement__host__name", "statement__payer__name", "reference"),
    day="paid_on",
    sorts={1: "statement__host__name", 2: "statement__payer__name", 3: "paid_on", 6: "amount"},
)


@reads
def notices(request: HttpRequest) -> HttpResponseBase:
    """List the notices on statements one may see, the newest first."""
    by = by_of(request)
    waits, rows = LIST.chosen(request, by)
    return LIST.answer(request, by, rows, waits=waits)


@writes
def report(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Report that a statement was paid, whole or in part."""
    form = NoticeForm(request.POST)
    return carried_out(
        request,
        statement_id,
        form,
        "notice_form",
        lambda by, _: payment_notice_report(by, statement_id=statement_id, paid=form.paid()),
        gettext("The host has been told. It marks the payment when it has found the money."),
    )


@writes
def match(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Record the payment that a notice speaks of."""
    return _decided(
        request,
        notice_id,
        VersionForm(request.POST),
        lambda by, _: payment_notice_match(by, notice_id=notice_id),
        gettext("The payment is recorded."),
    )


@writes
def refuse(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Refuse a notice and say why no such money was found."""
    return _decided(
        request,
        notice_id,
        VoidForm(request.POST),
        lambda by, data: payment_notice_refuse(by, notice_id=notice_id, reason=data["reason"]),
        gettext("The notice is refused, and the payer has been told."),
    )


@writes
def withdraw(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Withdraw one's own notice."""
    return _decided(
        request,
        notice_id,
        VersionForm(request.POST),
        lambda by, _: payment_notice_withdraw(by, notice_id=notice_id),
        gettext("The notice is withdrawn."),
    )


def _decided(
    request: HttpRequest,
    notice_id: UUID,
    form: VersionForm,
    work: Callable[[By, dict[str, Any]], Any],
    done: str,
) -> HttpResponse:
    notice = notice_by_id(actor_of(request.user), notice_id)
    return carried_out(
        request, notice.statement_id, form, "decide_form", work, done, refused_notice=notice_id
    )
