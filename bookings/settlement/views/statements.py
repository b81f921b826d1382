"""Pages of statements: lists, one of them as it would be printed, and the acts on it."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

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
from accounts.views.pages import act, bare, by_of, chooses, reads, writes
from bookings.record.domain.money import format_amount
from bookings.record.views.lists import ListPage
from bookings.settlement.adapters.sheets import statement_csv
from bookings.settlement.domain.statements import is_new_account
from bookings.settlement.forms.money import PAYMENT_ACTS, ConvertForm, NoticeForm, PaymentForm, VoidForm
from bookings.settlement.models import PaymentNotice, Statement
from bookings.settlement.selectors import papers
from bookings.settlement.selectors import statements as statement_selectors
from bookings.settlement.selectors.books import check_statement
from bookings.settlement.services.papers import statement_file
from bookings.settlement.services.payments import statement_pay
from bookings.settlement.views.files import file_answer
from instruments.reading.forms.fields import VersionForm

LINES = 100
REPORTED = PaymentNotice.State.REPORTED


@reads
def statements(request: HttpRequest) -> HttpResponseBase:
    """List the statements that the reader's organisations pay or are paid by, and those of their regions."""
    return LIST.answer(request, by_of(request))


def label_of(row: Statement, now: datetime) -> str:
    """Return the state of a statement in words, including `overdue` and `internal`."""
    return str(dict(statement_selectors.STATES)[statement_selectors.shown_state(row, now)])


LIST = ListPage(
    "bookings/settlement/statements.html",
    statement_selectors.STATEMENTS,
    shown=lambda row, by: (row, statement_selectors.shown_state(row, by.now), label_of(row, by.now)),
    totals=statement_selectors.totals_of_statements,
)


@reads
def one(request: HttpRequest, statement_id: UUID, *, status: int = 200, **forms: Any) -> HttpResponse:
    """Show a statement with its charges, sums by tax rate, payments, and every number compared with the
    ledger."""
    now, actor = timezone.now(), actor_of(request.user)
    row = statement_selectors.statement_by_id(actor, statement_id)
    page = Paginator(papers.paper_rows(row), LINES).get_page(request.GET.get("page"))
    newer = getattr(row, "replaced_by", None)
    still = row.payable - row.paid
    version = {"version": row.version}

    def initial(amount: Decimal) -> dict[str, Any]:
        shown = format_amount(amount, row.currency) if amount > 0 else ""
        return {"amount": shown, "paid_on": statement_selectors.today_of(row, now), **version}

    parties = papers.parties_of(row)
    notices = list(statement_selectors.notices_for(actor).filter(statement=row))
    # The amount that is neither paid nor reported as paid.
    unreported = still - sum(one.amount for one in notices if one.state == REPORTED)
    is_in_force = row.state != Statement.State.VOIDED
    is_internal = row.payer_id == row.host_id
    is_open = still > 0 and is_in_force and not is_internal
    accounts = actor.may("account", place_of(row.host)) and is_in_force
    pays = actor.may("account", place_of(row.payer))
    rates = statement_selectors.rates_for(row) if pays and row.state == Statement.State.ISSUED else []
    context: dict[str, Any] = {
        "statement": row,
        "still": still,
        "shown_state": statement_selectors.shown_state(row, now),
        "state_label": label_of(row, now),
        "page": page,
        "lines": papers.paper_lines(page.object_list),
        "taxes": papers.tax_sums(row),
        "payments": papers.payments_of(row),
        "parties": parties,
        "account_is_new": is_new_account(
            parties.host.bank_account_changed_on, statement_selectors.today_of(row, row.issued_at)
        ),
        "check": check_statement(row),
        "newer": newer,
        "rates": rates,
        "is_internal": is_internal,
        "is_open": is_open,
        "is_paid": is_in_force and not still and bool(row.paid),
        "may_account": accounts and bool(row.paid or (still and not is_internal)),
        "may_void": accounts and not row.paid,
        "may_convert": bool(rates),
        "pay_form": PaymentForm(initial=initial(abs(still))),
        "notices": notices,
        "pays": pays,
        "may_report": is_open and pays,
        "reported": still - unreported if is_open else 0,
        "notice_form": NoticeForm(initial=initial(unreported)),
        "void_form": VoidForm(initial=version),
        "convert_form": ConvertForm(initial=version),
        **forms,
    }
    if is_internal or not still:
        context["pay_form"].only_reverses()
    return render(request, "bookings/settlement/statement.html", context, status=status)


def statement_act(
    request: HttpRequest,
    page: Callable[..., HttpResponse],
    form: VersionForm,
    name: str,
    work: Callable[[By, dict[str, Any]], Any],
    done: str,
) -> HttpResponse:
    """Carry out an act on a statement, and go to the statement (or the statement of the row) that `work`
    returns; a refusal is shown on its page."""
    return act(
        request,
        page,
        work,
        to=lambda row: reverse(
            "bookings:money-statements-one", args=[row.pk if isinstance(row, Statement) else row.statement_id]
        ),
        done=done,
        form=form,
        name=name,
    )


@writes
@chooses(*PAYMENT_ACTS)
def pay(request: HttpRequest, statement_id: UUID, choice: str) -> HttpResponse:
    """Record a payment on a statement, or take one back."""
    row = statement_selectors.statement_by_id(actor_of(request.user), statement_id)
    form = PaymentForm(request.POST)
    return statement_act(
        request,
        partial(bare(one), request, statement_id),
        form,
        "pay_form",
        lambda by, _: statement_pay(
            by, statement_id=statement_id, paid=form.paid(-1 if row.payable < 0 else 1)
        ),
        gettext("The payment is recorded."),
    )


@reads
def pdf(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Send a statement as PDF in the reader's language."""
    row = statement_selectors.statement_by_id(actor_of(request.user), statement_id)
    content = statement_file(row, language=translation.get_language() or "en")
    return file_answer(content, statement_selectors.number_of(row), "pdf")


@reads
def table(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Send a statement as CSV."""
    row = statement_selectors.statement_by_id(actor_of(request.user), statement_id)
    return file_answer(
        statement_csv(papers.load_statement_paper(row)), statement_selectors.number_of(row), "csv"
    )
