"""Pages of statements: lists, one of them as it would be printed, and the acts on it."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext

from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, bare, by_of, chooses, reads, writes
from bookings.record.domain.money import format_amount
from bookings.record.views.lists import ListPage
from bookings.settlement.adapters.papers import TAX_NOTES, no_invoice
from bookings.settlement.adapters.sheets import statement_csv
from bookings.settlement.domain.papers import in_capitals
from bookings.settlement.domain.statements import REMIND_AGAIN, is_new_account
from bookings.settlement.forms import money as money_forms
from bookings.settlement.models import PaymentNotice, Statement
from bookings.settlement.selectors import papers
from bookings.settlement.selectors import statements as statement_selectors
from bookings.settlement.selectors.books import check_statement
from bookings.settlement.services.papers import e_invoice_file, statement_file
from bookings.settlement.services.payments import statement_pay
from bookings.settlement.services.statements import statements_remind_chosen
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


def _shown(row: Statement, by: By) -> tuple[Statement, str, str, bool]:
    may_remind = statement_selectors.may_remind_again(by.actor, row, by.now)
    return row, statement_selectors.shown_state(row, by.now), label_of(row, by.now), may_remind


def _remindable(rows: list[Statement], by: By) -> dict[str, Any]:
    some = any(statement_selectors.may_remind_again(by.actor, row, by.now) for row in rows)
    return {"may_remind_some": some, "remind_again": REMIND_AGAIN}


@writes
def remind_many(request: HttpRequest) -> HttpResponse:
    """Remind the payers of the chosen statements of the list; say how many were left out."""
    form = money_forms.RemindManyForm(request.POST)
    back = redirect(reverse("bookings:money-statements", query=request.GET))
    if not form.is_valid():
        messages.error(request, gettext("Choose at least one statement."))
        return back
    chosen = form.cleaned_data["chosen"]
    reminded, left_out = statements_remind_chosen(by_of(request), statement_ids=chosen)
    if reminded:
        done = ngettext(
            "The payer of {n} statement is reminded.", "The payers of {n} statements are reminded.", reminded
        )
        messages.success(request, done.format(n=reminded))
    if left_out:
        told = ngettext(
            "{n} statement was left out: it is paid, or its payer was reminded within {days} days.",
            "{n} statements were left out: they are paid, or their payers were reminded within {days} days.",
            left_out,
        )
        messages.info(request, told.format(n=left_out, days=REMIND_AGAIN))
    return back


LIST = ListPage(
    "bookings/settlement/statements.html",
    statement_selectors.STATEMENTS,
    shown=_shown,
    about=_remindable,
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

    numbers = {name: getattr(row, name) for name in ("order_number", "invoice_number", "version")}
    parties = papers.parties_of(row)
    notices = list(statement_selectors.notices_for(actor).filter(statement=row))
    # The amount that is neither paid nor reported as paid.
    unreported = still - sum(one.amount for one in notices if one.state == REPORTED)
    is_in_force = row.state != Statement.State.VOIDED
    is_internal = row.payer_id == row.host_id
    is_open = still > 0 and is_in_force and not is_internal
    accounts = actor.may("account", place_of(row.host)) and is_in_force
    pays = actor.may("account", place_of(row.payer))
    sees_sources = papers.reads_sources(actor, row)
    checks = actor.may("read-money", place_of(row.host)) or actor.may("audit", place_of(row.payer))
    rates = statement_selectors.rates_for(row) if pays and row.state == Statement.State.ISSUED else []
    gaps, taxes = papers.e_invoice_gaps(row, parties), papers.tax_sums(row)
    context: dict[str, Any] = {
        "statement": row,
        "still": still,
        "shown_state": statement_selectors.shown_state(row, now),
        "state_label": label_of(row, now),
        "page": page,
        "lines": papers.paper_lines(page.object_list, papers.sources_of(row) if sees_sources else {}),
        "tax_note": TAX_NOTES.get(papers.tax_note_of(row, parties, taxes)),
        "account": parties.host.account_for(parties.payer),
        "abroad_needs_bic": not is_internal and parties.host.lacks_account_for(parties.payer),
        "is_plain": papers.is_plain(row),
        "has_e_invoice": gaps == [],
        "capitals": in_capitals(row.payable) if row.currency == "CNY" and is_in_force else "",
        "not_invoice": no_invoice(row, gaps),
        "may_number": (accounts or pays) and is_in_force and not is_internal,
        "may_number_invoice": accounts and not is_internal,
        "order_form": money_forms.OrderNumberForm(initial=numbers),
        "invoice_form": money_forms.InvoiceNumberForm(initial=numbers),
        "taxes": taxes,
        "is_reversed": any(one.is_reversed for one in taxes),
        "payments": papers.payments_of(row),
        "parties": parties,
        "account_is_new": is_new_account(
            parties.host.bank_account_changed_on, statement_selectors.today_of(row, row.issued_at)
        ),
        # How the books are kept matters to the host and to auditors.
        "check": check_statement(row) if checks else None,
        "newer": newer,
        "rates": rates,
        "is_internal": is_internal,
        "is_open": is_open,
        "is_paid": is_in_force and not still and bool(row.paid),
        "may_account": accounts and bool(row.paid or (still and not is_internal)),
        "may_void": accounts and not row.paid,
        "may_convert": bool(rates),
        "pay_form": money_forms.PaymentForm(initial=initial(abs(still))),
        "notices": notices,
        "pays": pays,
        "may_report": is_open and pays,
        "reported": still - unreported if is_open else 0,
        "notice_form": money_forms.NoticeForm(initial=initial(unreported)),
        "void_form": money_forms.VoidForm(initial=version),
        "convert_form": money_forms.ConvertForm(initial=version),
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
@chooses(*money_forms.PAYMENT_ACTS)
def pay(request: HttpRequest, statement_id: UUID, choice: str) -> HttpResponse:
    """Record a payment on a statement, or take one back."""
    row = statement_selectors.statement_by_id(actor_of(request.user), statement_id)
    form = money_forms.PaymentForm(request.POST, currency=row.currency)
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
    for_payer = papers.reads_sources(actor_of(request.user), row)
    content = statement_file(row, language=translation.get_language() or "en", for_payer=for_payer)
    return file_answer(content, statement_selectors.number_of(row), "pdf")


@reads
def e_invoice(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Send a statement as an electronic invoice by EN 16931."""
    row = statement_selectors.statement_by_id(actor_of(request.user), statement_id)
    return file_answer(e_invoice_file(row), statement_selectors.number_of(row), "xml")


@reads
def table(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Send a statement as CSV."""
    actor = actor_of(request.user)
    row = statement_selectors.statement_by_id(actor, statement_id)
    sources = papers.sources_of(row) if papers.reads_sources(actor, row) else {}
    paper = papers.load_statement_paper(row, sources)
    state = statement_selectors.shown_state(row, timezone.now())
    content = statement_csv(paper, ZoneInfo(actor.time_zone), state=state)
    return file_answer(content, statement_selectors.number_of(row), "csv")
