"""Statements: lists, one of them as it would be printed, and what is done with it."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, reads, writes
from bookings.record.adapters.figures import Cell
from bookings.record.domain.money import format_amount
from bookings.record.messages import sentence
from bookings.record.views.lists import ListPage, amount_cell
from bookings.settlement.adapters.sheets import statement_csv
from bookings.settlement.domain.statements import OVERDUE, is_new_account, statement_number
from bookings.settlement.forms.money import (
    ConvertForm,
    NoticeForm,
    PaymentForm,
    VersionForm,
    VoidForm,
)
from bookings.settlement.models import PaymentNotice, Statement
from bookings.settlement.selectors.books import check_statement
from bookings.settlement.selectors.papers import (
    load_statement_paper,
    paper_lines,
    paper_rows,
    parties_of,
    payments_of,
    tax_sums,
)
from bookings.settlement.selectors.statements import (
    in_state,
    notices_for,
    rates_for,
    shown_state,
    statement_by_id,
    statements_for,
    statements_owed,
    statements_to_pay,
    today_of,
    totals_of_statements,
)
from bookings.settlement.services.exchange_rates import statement_convert
from bookings.settlement.services.papers import statement_file
from bookings.settlement.services.payments import statement_pay
from bookings.settlement.services.statements import statement_void
from bookings.settlement.views.files import file_answer

LINES = 100
REPORTED = PaymentNotice.State.REPORTED


def state_label(state: str) -> str:
    """Return a state of a statement in words, `overdue` among them."""
    return gettext("overdue") if state == OVERDUE else str(Statement.State(state).label)


@reads
def statements(request: HttpRequest) -> HttpResponseBase:
    """List the statements one's organisations pay or are paid by, and those of one's regions."""
    by = by_of(request)
    waits, rows = LIST.chosen(request, by)
    state = request.GET.get("state", "")
    states = [*Statement.State.values, OVERDUE]
    if state in states:
        rows = in_state(rows, state, by.now.date())
    return LIST.answer(
        request,
        by,
        rows,
        waits=waits,
        states=[(one, state_label(one)) for one in states],
        state=state if state in states else "",
    )


STATEMENT_HEADS = (
    "statement", "month", "host", "host_name", "payer", "payer_name", "state", "issued", "due",
    "charges", "currency", "tax", "total", "voucher", "payable", "paid",
)  # fmt: skip


def statement_cells(row: Statement, now: datetime) -> tuple[Cell, ...]:
    amounts = (row.tax, row.total, row.covered, row.payable, row.paid)
    return (
        statement_number(row.host.code, row.year, row.number),
        f"{row.month:%Y-%m}",
        row.host.code,
        row.host.name,
        row.payer.code,
        row.payer.name,
        shown_state(row, now),
        row.issued_at.isoformat(),
        row.due_date.isoformat(),
        row.charges,
        row.currency,
        *(amount_cell(amount, row.currency) for amount in amounts),
    )


def label_of(row: Statement, now: datetime) -> str:
    return state_label(shown_state(row, now))


LIST = ListPage(
    "bookings/settlement/statements.html",
    statements_for,
    waits={"pay": statements_to_pay, "owed": statements_owed},
    shown=lambda row, by: (row, shown_state(row, by.now), label_of(row, by.now)),
    totals=totals_of_statements,
    sheet=("statements", STATEMENT_HEADS, lambda row, by: statement_cells(row, by.now)),
    words=("host__name", "host__name_zh", "payer__name", "payer__name_zh", "payer__code"),
    day="issued_at",
    sorts={1: "host__name", 2: "payer__name", 3: "month", 5: "payable", 7: "due_date"},
)


@reads
def one(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Show a statement with its charges, sums by tax rate, payments, and every number held against
    the ledger."""
    return _page(request, statement_id)


def _page(
    request: HttpRequest, statement_id: UUID, *, status: int = 200, **forms: Any
) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    row = statement_by_id(actor, statement_id)
    page = Paginator(paper_rows(row), LINES).get_page(request.GET.get("page"))
    newer = getattr(row, "replaced_by", None)
    still = row.payable - row.paid
    version = {"version": row.version}

    def initial(amount: Decimal) -> dict[str, Any]:
        shown = format_amount(amount, row.currency) if amount > 0 else ""
        return {"amount": shown, "paid_on": today_of(row, now), **version}

    parties = parties_of(row)
    notices = list(notices_for(actor).filter(statement=row))
    # What neither was paid nor is said to be on its way.
    unreported = still - sum(one.amount for one in notices if one.state == REPORTED)
    is_in_force = row.state != Statement.State.VOIDED
    is_open = still > 0 and is_in_force
    accounts = actor.may("account", place_of(row.host)) and is_in_force
    pays = actor.may("account", place_of(row.payer))
    rates = rates_for(row) if pays and row.state == Statement.State.ISSUED else []
    context: dict[str, Any] = {
        "statement": row,
        "still": still,
        "shown_state": shown_state(row, now),
        "state_label": label_of(row, now),
        "page": page,
        "lines": paper_lines(page.object_list),
        "taxes": tax_sums(row),
        "payments": payments_of(row),
        "parties": parties,
        "account_is_new": is_new_account(
            parties.host.bank_account_changed_on, today_of(row, row.issued_at)
        ),
        "check": check_statement(row),
        "newer": newer,
        "rates": rates,
        "may_account": accounts,
        "may_void": accounts and not row.paid,
        "may_convert": bool(rates),
        "pay_form": PaymentForm(initial=initial(abs(still))),
        "notices": notices,
        "pays": pays,
        "may_report": is_open and pays and row.payer_id != row.host_id,
        "reported": still - unreported if is_open else 0,
        "notice_form": NoticeForm(initial=initial(unreported)),
        "void_form": VoidForm(initial=version),
        "convert_form": ConvertForm(initial=version),
        **forms,
    }
    return render(request, "bookings/settlement/statement.html", context, status=status)


def carried_out(
    request: HttpRequest,
    statement_id: UUID,
    form: VersionForm,
    name: str,
    work: Callable[[By, dict[str, Any]], Any],
    done: str,
    **shown: Any,
) -> HttpResponse:
    """Carry out an act if its form is right; what refuses it is said on the page. `NotFound` for
    a statement that is not the reader's to see, whatever the form says."""
    statement_by_id(actor_of(request.user), statement_id)
    return act(
        request,
        partial(_page, request, statement_id, **shown),
        work,
        to=lambda row: reverse(
            "bookings:money-statements-one",
            args=[row.pk if isinstance(row, Statement) else statement_id],
        ),
        done=done,
        form=form,
        name=name,
        shows=lambda refused: messages.error(request, sentence(refused.code, refused.numbers)),
    )


@writes
def pay(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Mark what came in on a statement, or take it back."""
    row = statement_by_id(actor_of(request.user), statement_id)
    form = PaymentForm(request.POST)
    return carried_out(
        request,
        statement_id,
        form,
        "pay_form",
        lambda by, _: statement_pay(
            by, statement_id=statement_id, paid=form.paid(-1 if row.payable < 0 else 1)
        ),
        gettext("The payment is recorded."),
    )


@writes
def void(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Void a statement, and go to the one that bills its charges instead."""
    return carried_out(
        request,
        statement_id,
        VoidForm(request.POST),
        "void_form",
        lambda by, data: statement_void(by, statement_id=statement_id, reason=data["reason"]),
        gettext("The statement is voided. This one bills its charges instead."),
    )


@writes
def convert(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Show a statement in the payer's currency."""
    return carried_out(
        request,
        statement_id,
        ConvertForm(request.POST),
        "convert_form",
        lambda by, data: statement_convert(by, statement_id=statement_id, rate_id=data["rate"]),
        gettext("The statement is shown at this rate now."),
    )


@reads
def pdf(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Send a statement as PDF in the reader's language."""
    row = statement_by_id(actor_of(request.user), statement_id)
    content = statement_file(row, language=translation.get_language() or "en")
    return file_answer(content, _name(row), "pdf")


@reads
def table(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Send a statement as CSV."""
    row = statement_by_id(actor_of(request.user), statement_id)
    return file_answer(statement_csv(load_statement_paper(row)), _name(row), "csv")


def _name(row: Statement) -> str:
    return statement_number(row.host.code, row.year, row.number)
