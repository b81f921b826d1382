"""Find the bank files, transactions and credit that somebody may see, and load the input of the matching."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor, By
from accounts.models import Organisation, Region
from accounts.selectors.rows import visible
from bookings.bank.domain.books import Entered, Incoming, Notice, OpenStatement, Payer, Proposal
from bookings.bank.domain.matching import ENTERED_DAYS, RETURN_DAYS, find
from bookings.bank.models import BankCredit, BankFile, BankMapping, BankMatch, BankTransaction
from bookings.record.selectors.lists import CHOICE, ID, MONTH, Column, Filter, Listing, amount_cell, amount_of
from bookings.settlement.models import Payment, PaymentNotice, Statement
from bookings.settlement.selectors.statements import OWED

State = BankTransaction.State
OPEN = (State.TO_MATCH, State.PART)
MOST_PROPOSED = 1000  # transactions for which proposals are made at once
MOST_STATEMENTS = 20_000
# Payments that no transaction has brought, and that reverse none: people have entered them.
BY_HAND = {"bank_match": None, "bank_credit": None, "undoes_bank_match": None}


def _seen(actor: Actor) -> Q:
    """Return the condition for the rows of hosts whose books the actor keeps, or of an auditor's regions. The
    names and accounts of those who pay are for nobody else."""
    seen = Q(host_id__in=actor.organisations_where("account"))
    if regions := list(actor.regions_where("audit")):
        below = Region.objects.filter(lineage__overlap=regions).values("pk")
        seen |= Q(host__region__in=below)
    return seen


def files_for(actor: Actor) -> QuerySet[BankFile]:
    """Return the bank files that the actor may see, the last read first."""
    rows = BankFile.objects.select_related("host__region", "read_by").filter(_seen(actor))
    return rows.order_by("-read_at", "-id")


def transactions_for(actor: Actor) -> QuerySet[BankTransaction]:
    """Return the bank transactions that the actor may see, the last booked first."""
    rows = BankTransaction.objects.select_related("host__region", "file").filter(_seen(actor))
    return rows.order_by("-booked_on", "-id")


def mappings_for(actor: Actor) -> QuerySet[BankMapping]:
    """Return the formats of CSV files that the actor may see, by host and name."""
    return BankMapping.objects.select_related("host__region").filter(_seen(actor)).order_by("host", "name")


def credits_for(actor: Actor) -> QuerySet[BankCredit]:
    """Return the changes of credit that the actor may see: as the host or the payer, the newest first."""
    mine = actor.organisations_where("account")
    rows = BankCredit.objects.select_related(
        "host__region", "payer", "entered_by", "transaction", "payment__statement__host"
    )
    return rows.filter(_seen(actor) | Q(payer_id__in=mine)).order_by("-entered_at", "-id")


def transaction_by_id(actor: Actor, transaction_id: UUID) -> BankTransaction:
    """Return a transaction; raise `NotFound` if there is none, or the actor may not see it."""
    return visible(transactions_for(actor), pk=transaction_id)


def file_by_id(actor: Actor, file_id: UUID) -> BankFile:
    """Return a file; raise `NotFound` if there is none, or the actor may not see it."""
    return visible(files_for(actor), pk=file_id)


def match_by_id(actor: Actor, match_id: UUID) -> BankMatch:
    """Return a match; raise `NotFound` if there is none, or the actor may not see it."""
    rows = BankMatch.objects.select_related("payment__statement__host", "transaction")
    return visible(rows.filter(transaction__in=transactions_for(actor).order_by().values("pk")), pk=match_id)


def use_by_id(actor: Actor, credit_id: UUID) -> BankCredit:
    """Return a use of credit on a statement; raise `NotFound` if there is none, or the actor may not see
    it."""
    return visible(credits_for(actor).filter(kind=BankCredit.Kind.USED), pk=credit_id)


def mapping_by_id(actor: Actor, mapping_id: UUID) -> BankMapping:
    """Return a format; raise `NotFound` if there is none, or the actor may not see it."""
    return visible(mappings_for(actor), pk=mapping_id)


def transactions_to_match(actor: Actor, now: datetime) -> QuerySet[BankTransaction]:
    """Return the transactions that the actor's organisations have yet to match."""
    return transactions_for(actor).filter(state__in=OPEN, host_id__in=actor.organisations_where("account"))


def hosts_of(actor: Actor) -> list[Organisation]:
    """Return the organisations whose bank files the actor may read in."""
    mine = actor.organisations_where("account")
    return list(Organisation.objects.filter(pk__in=mine, closed_at=None).order_by("name"))


def left_of(row: BankTransaction) -> Decimal:
    """Return how much of a transaction is left to match."""
    return row.left


def known_accounts(host: Organisation) -> set[str]:
    """Return the accounts that a host has stated, or of which files were read."""
    read = BankFile.objects.filter(host=host, taken_back_at=None).values_list("account", flat=True).distinct()
    return {each for each in (host.iban, host.account_number, *read) if each}


def sums_by_state(rows: QuerySet[BankTransaction]) -> list[tuple[str, str, int, Decimal]]:
    """Return the state, currency, number and sum of transactions by state. One statement."""
    grouped = rows.order_by("currency", "state").values_list("state", "currency")
    return list(grouped.annotate(n=Count("pk"), whole=Sum("amount")))


def sums_left(rows: QuerySet[BankTransaction]) -> list[tuple[str, int, Decimal]]:
    """Return the currency, number and sum of what is left to match of these transactions. One statement."""
    grouped = rows.filter(state__in=OPEN).order_by("currency").values_list("currency")
    left = F("amount") - F("matched") - F("credited")
    return list(grouped.annotate(n=Count("pk"), whole=Sum(left)))


def credit_of(host_id: UUID, payer_id: UUID, currency: str) -> Decimal:
    """Return the credit that a payer has at a host in a currency."""
    last = BankCredit.objects.filter(host_id=host_id, payer_id=payer_id, currency=currency)
    row = last.order_by("-position").values_list("balance", flat=True).first()
    return row or Decimal(0)


def credits_left(organisations: Sequence[UUID]) -> QuerySet[BankCredit]:
    """Return the last change of each credit that is left of these organisations as payers, or at them as
    hosts."""
    mine = Q(payer__in=organisations) | Q(host__in=organisations)
    same = {name: OuterRef(name) for name in ("host", "payer", "currency")}
    later = BankCredit.objects.filter(position__gt=OuterRef("position"), **same)
    return BankCredit.objects.filter(mine, ~Exists(later), balance__gt=0)


def waiting_at(organisations: Sequence[UUID]) -> QuerySet[BankTransaction]:
    """Return the bank transactions of these hosts that are not given away and not set aside."""
    return BankTransaction.objects.filter(host__in=organisations, state__in=OPEN)


def matches_of(row: BankTransaction) -> list[BankMatch]:
    """Return the matches of a transaction, with their payments and statements, in their order."""
    related = (
        "payment__statement__host", "payment__statement__payer", "payment__entered_by", "matched_by",
        "undone_by",
    )  # fmt: skip
    return list(row.matches.select_related(*related).order_by("matched_at", "id"))


def matches_on(statement: Statement) -> list[BankMatch]:
    """Return the matches that paid a statement, with their transactions, in their order."""
    rows = BankMatch.objects.filter(payment__statement=statement).select_related("transaction", "payment")
    return list(rows.order_by("matched_at", "id"))


def uses_on(statement: Statement) -> list[BankCredit]:
    """Return the uses of credit on a statement that hold, in their order."""
    rows = BankCredit.objects.filter(
        payment__statement=statement, kind=BankCredit.Kind.USED, reversed_by=None
    )
    return list(rows.select_related("payment", "entered_by").order_by("position"))


# What the rule is asked with


def open_statements(host: Organisation) -> list[OpenStatement]:
    """Return the statements of a host on which money is owed either way, with what payers have
    reported. Three statements."""
    rows = (
        Statement.objects.filter(host=host)
        .filter(OWED | (Q(state__in=["issued", "part_paid"], payable__lt=0) & ~Q(payer=F("host"))))
        .order_by("id")
        .values_list(
            "id", "year", "number", "payer_id", "payable", "paid", "currency", "order_number", "replaces_id"
        )[:MOST_STATEMENTS]
    )
    listed = list(rows)
    notices: dict[UUID, list[Notice]] = defaultdict(list)
    reported = PaymentNotice.objects.filter(
        statement__host=host, state=PaymentNotice.State.REPORTED
    ).values_list("statement_id", "amount", "paid_on", "reference")
    for pk, amount, paid_on, reference in reported.order_by("id"):
        notices[pk].append(Notice(amount, paid_on, reference))
    former_of = _former_numbers(host) if any(row[-1] for row in listed) else _none
    return [
        OpenStatement(
            pk,
            year,
            number,
            payer,
            payable - paid,
            currency,
            order_number,
            tuple(notices[pk]),
            former_of(replaces),
        )
        for pk, year, number, payer, payable, paid, currency, order_number, replaces in listed
    ]


def _former_numbers(host: Organisation) -> Callable[[UUID | None], tuple[tuple[int, int], ...]]:
    """Return what tells the numbers of a voided statement and of those before it. One statement."""
    former: dict[UUID, tuple[int, int]] = {}
    before: dict[UUID, UUID | None] = {}
    voided = Statement.objects.filter(host=host, state="voided").order_by("id")
    for pk, year, number, replaces in voided.values_list("id", "year", "number", "replaces_id"):
        former[pk], before[pk] = (year, number), replaces

    def former_of(pk: UUID | None) -> tuple[tuple[int, int], ...]:
        found = []
        while pk in former:
            assert pk is not None
            found.append(former[pk])
            pk = before[pk]
        return tuple(found)

    return former_of


def _none(pk: UUID | None) -> tuple[tuple[int, int], ...]:
    return ()


def entered_payments(host: Organisation, rows: Sequence[BankTransaction]) -> list[Entered]:
    """Return the payments that people have entered at about the days of these transactions, without those
    that were taken back since. Two statements."""
    days = [row.booked_on for row in rows]
    by_hand = Payment.objects.filter(statement__host=host, **BY_HAND).exclude(statement__payer=host)
    near = by_hand.filter(paid_on__range=(min(days) - ENTERED_DAYS, max(days) + ENTERED_DAYS))
    payments = by_hand.filter(statement__in=near.order_by().values("statement")).select_related("statement")
    held: dict[UUID, list[Payment]] = defaultdict(list)
    for payment in payments.order_by("entered_at", "id")[:MOST_STATEMENTS]:
        assert payment.statement is not None
        kept = held[payment.statement.pk]
        sign = -1 if payment.statement.payable < 0 else 1
        if payment.amount * sign > 0:
            kept.append(payment)
        elif taken := [each for each in kept if each.amount == -payment.amount]:
            kept.remove(taken[-1])
    live = [payment for kept in held.values() for payment in kept]
    is_replaced = any(payment.statement and payment.statement.replaces_id for payment in live)
    former_of = _former_numbers(host) if is_replaced else _none
    return [
        Entered(
            payment.pk,
            row.pk,
            ((row.year, row.number), *former_of(row.replaces_id)),
            row.payer_id,
            payment.amount,
            payment.currency,
            payment.paid_on,
            payment.reference,
        )
        for payment in live
        if (row := payment.statement) is not None and abs(payment.amount) <= abs(row.paid)
    ]


def payers_of(
    host: Organisation, statements: Iterable[OpenStatement], entered: Iterable[Entered] = ()
) -> list[Payer]:
    """Return how the payers of statements, and those with credit, are recognised: by their names and
    accounts, and by the accounts from which they paid before; and the names of all others, which are not
    taken for theirs. Three statements."""
    credit: dict[UUID, dict[str, Decimal]] = defaultdict(dict)
    last = (
        BankCredit.objects.filter(host=host)
        .order_by("payer_id", "currency", "-position")
        .distinct("payer_id", "currency")
    )
    for payer, currency, balance in last.values_list("payer_id", "currency", "balance"):
        credit[payer][currency] = balance
    ids = {one.payer for one in statements} | {one.payer for one in entered} | set(credit)
    # An account from which only one payer has ever paid, as people have confirmed.
    used: dict[str, set[UUID]] = defaultdict(set)
    confirmed = BankMatch.objects.filter(
        transaction__host=host, undone_by=None, transaction__amount__gt=0
    ).exclude(transaction__counter_account="")
    for account, payer in confirmed.values_list(
        "transaction__counter_account", "payment__statement__payer_id"
    ).distinct():
        used[account].add(payer)
    theirs: dict[UUID, list[str]] = defaultdict(list)
    for account, payers in used.items():
        if len(payers) == 1:
            theirs[next(iter(payers))].append(account)
    ids |= set(theirs)
    rows = Organisation.objects.filter(Q(closed_at=None) | Q(pk__in=ids)).order_by("pk")
    rows = rows.only("name", "name_zh", "legal_name", "iban", "account_number")
    return [
        Payer(
            row.pk,
            tuple(name for name in (row.name, row.name_zh, row.legal_name) if name),
            tuple(each for each in (row.iban, row.account_number, *theirs[row.pk]) if each and row.pk in ids),
            credit.get(row.pk, {}),
            is_known=row.pk in ids,
        )
        for row in rows
    ]


def _incoming(row: BankTransaction, doubled: set[UUID], amount: Decimal | None = None) -> Incoming:
    left = left_of(row)
    return Incoming(
        row.pk,
        row.booked_on,
        left if amount is None else amount,
        row.currency,
        row.name,
        row.counter_account,
        row.reference,
        row.purpose,
        row.is_return,
        is_whole=left == row.amount,
        is_doubled=row.pk in doubled,
    )


def load_proposals(
    host: Organisation, rows: Sequence[BankTransaction] | None = None
) -> dict[UUID, tuple[Proposal, ...]]:
    """Return the proposals for a host's transactions that wait, by transaction: the rule is always
    asked about all that wait (up to `MOST_PROPOSED`, the oldest), so that those that compete know of each
    other."""
    waiting = list(
        BankTransaction.objects.filter(host=host, state__in=OPEN).order_by("booked_on", "id")[:MOST_PROPOSED]
    )
    known = {row.pk for row in waiting}
    waiting += [row for row in rows or () if row.pk not in known and row.state in OPEN]
    if not waiting:
        return {}
    statements = open_statements(host)
    out = [row for row in waiting if row.amount < 0]
    given: list[BankTransaction] = []
    if out:
        since = min(row.booked_on for row in out) - RETURN_DAYS
        given = list(
            BankTransaction.objects.filter(
                host=host,
                amount__in=[-row.amount for row in out],
                booked_on__gte=since,
                state__in=[State.MATCHED, State.CREDIT],
                returned_by=None,
            )
        )
    doubled = _doubled(host, waiting)
    entered = entered_payments(host, waiting)
    return find(
        host.code,
        [_incoming(row, doubled) for row in waiting],
        statements,
        payers_of(host, statements, entered),
        [_incoming(row, set(), row.amount) for row in given],
        entered,
    )


def _doubled(host: Organisation, rows: Sequence[BankTransaction]) -> set[UUID]:
    """Return the transactions that a file of another format may have brought before: on the same account and
    day, of the same amount. Their texts differ, so they are not known by their keys."""
    days = {row.booked_on for row in rows}
    others: dict[tuple[object, ...], list[tuple[UUID, str]]] = defaultdict(list)
    known = BankTransaction.objects.filter(host=host, booked_on__in=days, file__taken_back_at=None)
    for pk, account, day, amount, format_ in known.values_list(
        "pk", "account", "booked_on", "amount", "file__format"
    ):
        others[account, day, amount].append((pk, format_))
    return {pk for each in others.values() if len({format_ for _, format_ in each}) > 1 for pk, _ in each}


def _left_cell(row: BankTransaction, by: By) -> Decimal | None:
    return amount_cell(left_of(row), row.currency) if row.is_open else None


TRANSACTIONS = Listing(
    "bank-transactions",
    transactions_for,
    (
        Column("booked_on", "booked_on", _("Day"), "booked_on"),
        Column("host", "host.code", _("Host"), "host__name"),
        Column("account", "account"),
        Column("name", "name", _("Paid by or to"), "name"),
        Column("counter_account", "counter_account"),
        Column("reference", "reference"),
        Column("purpose", "purpose", _("Payment text")),
        Column("bank_reference", "bank_reference"),
        Column("state", "state", _("State")),
        Column("currency", "currency"),
        Column("amount", amount_of("amount"), _("Amount"), "amount", kind="end"),
        Column("matched", amount_of("matched")),
        Column("credited", amount_of("credited")),
        Column("left", _left_cell, _("Left to match"), kind="end"),
        Column("aside_reason", "aside_reason"),
    ),
    waits={"match": transactions_to_match},
    waits_help="Only transactions that your organisations have yet to match.",
    words=("name", "purpose", "reference", "counter_account", "bank_reference", "aside_reason"),
    amounts=("amount",),
    q_help="Part of the name, the purpose, a reference or an account; or the amount.",
    day="booked_on",
    filters=(
        Filter("host", "host__code", help="Code of the host organisation."),
        Filter("state", "state", CHOICE, _("State"), choices=State.choices),
        Filter("month", "booked_on", MONTH, _("Month"), help="Year and month, such as `2026-03`."),
        Filter("file", "file", ID, help="Id of the file that brought it."),
    ),
)
FILES = Listing(
    "bank-files",
    files_for,
    (
        Column("name", "name", _("File"), "name"),
        Column("host", "host.code", _("Host"), "host__name"),
        Column("format", lambda row, by: row.get_format_display(), _("Format")),
        Column("account", "account", _("Account"), "account"),
        Column("currency", "currency"),
        Column("opening_balance", amount_of("opening_balance")),
        Column("closing_balance", amount_of("closing_balance")),
        Column("transactions", "transactions_read", _("Transactions"), "transactions_read", kind="end"),
        Column("known_before", "known_before"),
        Column("not_booked", "not_booked"),
        Column("left_out", lambda row, by: len(row.left_out)),
        Column("read_by", "read_by", _("Read by")),
        Column("read_at", "read_at", _("Read"), "read_at"),
        Column("taken_back_at", "taken_back_at"),
    ),
    words=("name", "account", "host__name", "host__name_zh"),
    q_help="Part of the file's name, the account or the host's name.",
    day="read_at",
    filters=(
        Filter("host", "host__code", help="Code of the host organisation."),
        Filter("file_format", "format", CHOICE, _("Format"), choices=BankFile.Format.choices),
    ),
)
