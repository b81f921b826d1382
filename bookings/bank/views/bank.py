"""Pages of bank files: the list of transactions, a file, a transaction, and formats."""

from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.domain.errors import Invalid, NotPermitted, Refused
from accounts.domain.roles import By
from accounts.letters.words import named
from accounts.models import Organisation
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, bare, by_of, edits, reads, sent, writes
from bookings.bank.adapters.samples import MOST_BYTES, Sample, sample_read
from bookings.bank.domain.books import Part, Proposal
from bookings.bank.domain.files import COLUMNS
from bookings.bank.forms.bank import (
    AsideForm,
    AsideManyForm,
    BankFileForm,
    CreditForm,
    FormatForm,
    HandForm,
    terms_of,
)
from bookings.bank.models import BankFile, BankTransaction
from bookings.bank.selectors import bank as selectors
from bookings.bank.services import matches as match_services
from bookings.bank.services.credits import credit_use
from bookings.bank.services.files import GivenFile, file_read, mapping_save
from bookings.record.domain.money import format_amount
from bookings.record.selectors.words import with_words
from bookings.record.views.lists import ListPage
from bookings.settlement.models import Payment, Statement
from bookings.settlement.selectors.numbers import printed_number
from bookings.settlement.selectors.statements import statement_by_id
from bookings.settlement.views.statements import one as statement_page
from bookings.settlement.views.statements import statement_act

PAGE = 50  # transactions of a file
_TO_MATCH = BankTransaction.State.TO_MATCH
CHOSEN_FROM = 30  # statements that a person chooses from

LIST = ListPage(
    "bookings/bank/transactions.html",
    selectors.TRANSACTIONS,
    size=50,
    totals=lambda rows, actor: selectors.sums_left(rows),
)
FILES = ListPage("bookings/bank/files.html", selectors.FILES)


@dataclass(frozen=True)
class ShownPart:
    """A statement that a proposal pays, with the amount that it gets and what is due on it."""

    statement: Statement
    amount: Decimal
    due: Decimal


@dataclass(frozen=True)
class ShownProposal:
    """A proposal with its place, and with the rows that it names."""

    number: int
    proposal: Proposal
    parts: list[ShownPart]
    payer: Organisation | None
    returns: BankTransaction | None
    entered: list[Payment]


def shown(found: dict[UUID, tuple[Proposal, ...]]) -> dict[UUID, list[ShownProposal]]:
    """Return proposals with the rows that they name. Four statements, however many there are."""
    every = [each for proposals in found.values() for each in proposals]
    ids = {part.statement for each in every for part in each.parts}
    statements = Statement.objects.select_related("host", "payer").in_bulk(ids)
    payers = Organisation.objects.in_bulk({each.payer for each in every if each.payer})
    returned = BankTransaction.objects.in_bulk({each.returns for each in every if each.returns})
    related = ("statement__host", "statement__payer", "entered_by")
    payments = Payment.objects.select_related(*related).in_bulk({pk for each in every for pk in each.entered})
    return {
        pk: [
            ShownProposal(
                number,
                each,
                [
                    ShownPart(row, part.amount, row.payable - row.paid)
                    for part in each.parts
                    if (row := statements.get(part.statement))
                ],
                payers.get(each.payer) if each.payer else None,
                returned.get(each.returns) if each.returns else None,
                [payments[pk] for pk in each.entered if pk in payments],
            )
            for number, each in enumerate(proposals)
        ]
        for pk, proposals in found.items()
    }


@reads
def transactions(request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponseBase:
    """List the bank transactions of the reader's organisations, the last booked first."""
    by = by_of(request)
    hosts = selectors.hosts_of(by.actor)
    context["many"] = context.get("many") or AsideManyForm()
    mine = {host.pk for host in hosts}
    return LIST.answer(request, by, status=status, may_read=bool(hosts), mine=mine, **context)


@writes
def set_aside_many(request: HttpRequest) -> HttpResponseBase:
    """Set the transactions aside that somebody has ticked, on the page of their file or on the list."""
    form = AsideManyForm(request.POST)
    file_id = _id(request.POST.get("file", ""))
    if file_id.int:
        page, to = partial(bare(file), request, file_id), reverse("bookings:money-bank-file", args=[file_id])
    else:
        page, to = partial(bare(transactions), request), reverse("bookings:money-bank", query=request.GET)

    def done(number: int) -> str:
        return ngettext(
            "%(number)s transaction is set aside.", "%(number)s transactions are set aside.", number
        ) % {"number": number}

    return act(
        request,
        page,
        lambda by, data: match_services.transactions_set_aside(by, transactions=form.chosen, **data),
        to=to,
        done=done,
        form=form,
        name="many",
    )


@writes
def book(request: HttpRequest) -> HttpResponse:
    """Match the transactions of a file that its page has shown as certain."""
    row = selectors.file_by_id(actor_of(request.user), _id(request.POST.get("file", "")))
    chosen = [_id(each) for each in request.POST.getlist("transaction")]

    def done(number: int) -> str:
        return ngettext(
            "%(number)s transaction is matched.", "%(number)s transactions are matched.", number
        ) % {"number": number}

    return act(
        request,
        partial(bare(file), request, row.pk),
        lambda by, _: match_services.matches_book(by, host=row.host, transactions=chosen),
        to=reverse("bookings:money-bank-file", args=[row.pk]),
        done=done,
    )


def _id(text: str) -> UUID:
    """Return an id; one that nothing has, if the text is none."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


@edits
def files(request: HttpRequest, **shown_form: Any) -> HttpResponseBase:
    """List the bank files that were read; POST reads one."""
    by = by_of(request)
    hosts = selectors.hosts_of(by.actor)
    if request.method == "POST" and not hosts:
        raise NotPermitted(capability="account")
    mappings = list(selectors.mappings_for(by.actor).filter(host__in=hosts))
    form = BankFileForm(sent(request), request.FILES or None, organisations=hosts, mappings=mappings)

    def page(status: int = 200, **context: Any) -> HttpResponseBase:
        return FILES.answer(
            request,
            by,
            status=status,
            file_form=form,
            hosts=hosts,
            mappings=mappings,
            refused=context.get("refused"),
        )

    def read(by: By, data: dict[str, Any]) -> BankFile:
        upload = data["file"]
        host = next(each for each in hosts if str(each.pk) == data["organisation"])
        mapping = UUID(data["mapping"]) if data.get("mapping") else None
        given = GivenFile(upload.name, upload.read(), mapping, data["is_other_account"])
        return file_read(by, host=host, given=given)

    return act(
        request,
        page,
        read,
        to=lambda row: reverse("bookings:money-bank-file", args=[row.pk]),
        done=_read_words,
        form=form,
    )


def _read_words(row: BankFile) -> str:
    number = row.transactions_read
    words = ngettext("%(n)s transaction was read.", "%(n)s transactions were read.", number) % {"n": number}
    if row.known_before:
        words += " " + ngettext("%(n)s was known before.", "%(n)s were known before.", row.known_before) % {
            "n": row.known_before
        }
    if row.not_booked:
        words += " " + ngettext(
            "%(n)s that the bank has not booked yet was left out.",
            "%(n)s that the bank has not booked yet were left out.",
            row.not_booked,
        ) % {"n": row.not_booked}
    return words


@reads
def file(request: HttpRequest, file_id: UUID, *, status: int = 200, **context: Any) -> HttpResponse:
    """Show a bank file: what is certain, what is doubtful, and the rest, with sums by state."""
    actor = actor_of(request.user)
    row = selectors.file_by_id(actor, file_id)
    may_book = actor.may("account", place_of(row.host))
    rows = list(row.transactions.order_by("position"))
    found = selectors.load_proposals(row.host, rows) if may_book else {}
    groups: dict[str, list[BankTransaction]] = {"certain": [], "doubtful": [], "others": []}
    for each in rows:
        best = next(iter(found.get(each.pk, ())), None)
        is_certain = best is not None and best.is_certain
        is_open = each.state in selectors.OPEN
        groups["others" if not is_open else "certain" if is_certain else "doubtful"].append(each)
    every = [(name, each) for name, of_group in groups.items() for each in of_group]
    page = Paginator(every, PAGE).get_page(request.GET.get("page"))
    proposals = shown({each.pk: found[each.pk] for _, each in page if each.pk in found})
    labels = dict(BankTransaction.State.choices)
    context |= {
        "file": row,
        "page": page,
        "numbers": {name: len(of_group) for name, of_group in groups.items()},
        "certain": [(each, proposals[each.pk][:1]) for name, each in page if name == "certain"],
        "doubtful": [(each, proposals.get(each.pk, [])) for name, each in page if name == "doubtful"],
        "others": [each for name, each in page if name == "others"],
        "may_set_aside": may_book and any(each.state == _TO_MATCH for _, each in page),
        "many": context.get("many") or AsideManyForm(),
        "sums": [(labels[state], *more) for state, *more in selectors.sums_by_state(row.transactions.all())],
        "may_book": may_book,
        "adds_up": _adds_up(row, rows),
    }
    return render(request, "bookings/bank/file.html", context, status=status)


def _adds_up(row: BankFile, rows: list[BankTransaction]) -> bool:
    """Return whether the balances of a file agree with its transactions; true where that is not known, as
    some were read before."""
    if row.opening_balance is None or row.closing_balance is None or row.known_before:
        return True
    return bool(row.opening_balance + sum(each.amount for each in rows) == row.closing_balance)


@reads
def one(request: HttpRequest, transaction_id: UUID, *, status: int = 200, **context: Any) -> HttpResponse:
    """Show a transaction: its matches, what is proposed, and the ways to match it by hand."""
    actor = actor_of(request.user)
    row = selectors.transaction_by_id(actor, transaction_id)
    may_book = actor.may("account", place_of(row.host))
    is_open = row.state in selectors.OPEN
    found = {}
    if may_book and is_open:
        found = {row.pk: selectors.load_proposals(row.host, [row]).get(row.pk, ())}
    left = selectors.left_of(row)
    text = request.GET.get("q", "").strip()[:100]
    choices = _to_choose(row, text) if may_book and is_open else []
    typed = context.get("hand_form")
    chosen = typed.typed if typed is not None and typed.is_bound else {}
    context = {
        "row": row,
        "left": left,
        "proposals": shown(found).get(row.pk, []),
        "matches": selectors.matches_of(row),
        "returned_by": BankTransaction.objects.filter(returns=row).first(),
        "credits": list(row.credits.select_related("payer", "entered_by").order_by("entered_at", "position")),
        "may_book": may_book,
        "is_open": is_open,
        "is_whole": left == row.amount,
        "choices": [
            (
                each,
                each.payable - each.paid,
                format_amount(min(abs(each.payable - each.paid), abs(left)), row.currency),
                chosen.get(str(each.pk)),
            )
            for each in choices
        ],
        "q": text,
        "hand_form": HandForm(
            payers=_payers(row),
            currency=row.currency,
            is_out=row.amount < 0,
            initial={"version": row.version},
        )
        if may_book and is_open
        else None,
        "aside_form": AsideForm(initial={"version": row.version}),
        **context,
    }
    return render(request, "bookings/bank/transaction.html", context, status=status)


def _to_choose(row: BankTransaction, text: str) -> list[Statement]:
    """Return the statements among which a person chooses: those on which something is due in the direction of
    the transaction, narrowed by number or payer."""
    rows = Statement.objects.filter(
        host_id=row.host_id, currency=row.currency, state__in=["issued", "part_paid"]
    )
    rows = rows.exclude(payer_id=row.host_id).filter(Q(payable__gt=0) if row.amount > 0 else Q(payable__lt=0))
    rows = rows.select_related("host", "payer").order_by("due_date", "id")
    if text:
        words = ("printed", "payer__name", "payer__name_zh", "payer__code", "order_number")
        rows = with_words(rows.alias(printed=printed_number()), words, text, amounts=("payable",))
    return list(rows[:CHOSEN_FROM])


def _payers(row: BankTransaction) -> list[tuple[str, str]]:
    """Return the payers whose credit the rest may be: those who have statements of the host. Credit of a
    closed one is paid out only."""
    known = Statement.objects.filter(host_id=row.host_id).exclude(payer_id=row.host_id)
    rows = Organisation.objects.filter(pk__in=known.order_by().values("payer_id")).order_by("name")
    if row.amount > 0:
        rows = rows.filter(closed_at=None)
    return [(str(each.pk), named(each)) for each in rows[:500]]


@writes
def by_hand(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    """Match a transaction with the statements that a person has chosen."""
    row = selectors.transaction_by_id(actor_of(request.user), transaction_id)
    form = HandForm(request.POST, payers=_payers(row), currency=row.currency, is_out=row.amount < 0)
    sign = 1 if row.amount > 0 else -1

    def match(by: By, data: dict[str, Any]) -> BankTransaction:
        given = match_services.Given(
            tuple(Part(pk, amount * sign) for pk, amount in form.chosen),
            (data["amount"] or Decimal(0)) * sign,
            UUID(data["payer"]) if data["payer"] else None,
        )
        return match_services.transaction_match(by, transaction_id=transaction_id, given=given)

    return act(
        request,
        partial(bare(one), request, transaction_id),
        match,
        to=reverse("bookings:money-bank-one", args=[transaction_id]),
        done=gettext("The transaction is matched."),
        form=form,
        name="hand_form",
    )


@edits
def formats(request: HttpRequest, **context: Any) -> HttpResponse:
    """List how CSV files of banks are read; POST describes one, or changes the one of its name. POST of a
    sample file fills in the form, and keeps nothing."""
    actor = actor_of(request.user)
    hosts = selectors.hosts_of(actor)
    if request.method == "POST" and not hosts:
        raise NotPermitted(capability="account")
    rows = list(selectors.mappings_for(actor))
    chosen = next((each for each in rows if str(each.pk) == request.GET.get("format_id")), None)
    initial = _initial(chosen) if chosen else {}
    form: Any = FormatForm(sent(request), initial=initial)
    organisations = {str(each.pk): each for each in hosts}
    host = organisations.get(request.POST.get("organisation", "")) or (hosts[0] if hosts else None)

    def page(status: int = 200, **more: Any) -> HttpResponse:
        labelled = [
            (row, [(form.fields[f"column_{name}"].label, column) for name, column in row.columns.items()])
            for row in rows
        ]
        shown_rows = (
            context | more | {"form": form, "hosts": hosts, "rows": labelled, "host": host, "chosen": chosen}
        )
        return render(request, "bookings/bank/formats.html", shown_rows, status=status)

    if (given := request.FILES.get("sample")) and host is not None:
        try:
            sample = sample_read(given.read(MOST_BYTES))
        except Invalid as refused:
            form = FormatForm(initial=initial)
            return page(status=400, refused=Refused(refused.problems[0].code))
        form = FormatForm(initial=initial | _guessed(sample))
        for name in COLUMNS:
            form.fields[f"column_{name}"].widget.attrs["list"] = "heads"
        return page(heads=sample.heads)

    def save(by: By, data: dict[str, Any]) -> Any:
        assert host is not None
        return mapping_save(by, host=host, terms=terms_of(data))

    return act(
        request,
        page,
        save,
        to=reverse("bookings:money-bank-formats"),
        done=gettext("The format is saved."),
        form=form,
    )


def _guessed(sample: Sample) -> dict[str, Any]:
    """Return what a sample says of a format, as the values of the form."""
    names = ("delimiter", "encoding", "skipped_lines", "is_decimal_comma")
    values = {name: getattr(sample, name) for name in names}
    values |= {"date_format": sample.date_format} if sample.date_format else {}
    return values | {f"column_{name}": sample.columns.get(name, "") for name in COLUMNS}


def _initial(row: Any) -> dict[str, Any]:
    names = ("name", "delimiter", "encoding", "date_format", "is_decimal_comma", "skipped_lines", "account")
    values = {name: getattr(row, name) for name in (*names, "currency")}
    return values | {f"column_{name}": column for name, column in row.columns.items()}


@writes
def use_credit(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Pay a statement out of the credit that its payer has at the host."""
    row = statement_by_id(actor_of(request.user), statement_id)
    form = CreditForm(request.POST, currency=row.currency)
    return statement_act(
        request,
        partial(bare(statement_page), request, statement_id),
        form,
        "credit_form",
        lambda by, data: credit_use(by, statement_id=statement_id, amount=data["amount"]).payment,
        gettext("The statement is paid out of the credit."),
    )
