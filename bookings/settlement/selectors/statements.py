"""Statements: those to be drawn up, and those that each person may see."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor, By
from accounts.models import Organisation, Region, User
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import among, any_of, first_of, visible
from accounts.selectors.zones import DayIn
from bookings.pricing.models import Charge, ClosedMonth, ExchangeRate
from bookings.pricing.selectors.sides import side_of
from bookings.record.domain.money import amount_named
from bookings.record.domain.months import month_after, month_before, month_of, months_between
from bookings.record.selectors.lists import (
    CHOICE,
    MONTH,
    Column,
    Filter,
    Listing,
    amount_cell,
    amount_of,
    month_cell,
    payer_filter,
)
from bookings.settlement.domain.statements import (
    INTERNAL,
    ISSUED,
    OVERDUE,
    PART_PAID,
    VOIDED,
    day_of,
    is_reminded,
    state_shown,
    statement_number,
)
from bookings.settlement.models import Payment, PaymentNotice, Statement, StatementLine
from bookings.settlement.selectors.numbers import printed_number

WITH = ("host__region", "payer__region", "host_region", "payer_region", "exchange_rate")
STATES = [*Statement.State.choices, (OVERDUE, _("overdue")), (INTERNAL, _("internal note"))]


# What has to be drawn up


@dataclass(frozen=True)
class Due:
    """The sum of one payer's final charges of a month at a host in one currency."""

    payer_id: UUID
    payer_region_id: UUID
    payer_lineage: Sequence[UUID]
    payer_currency: str
    currency: str
    charges: int
    tax: Decimal
    total: Decimal
    covered: Decimal
    payable: Decimal


def load_due(host_id: UUID, month: date) -> list[Due]:
    """Return the sums that a host has to bill for a month, by payer's code, then currency. One statement,
    however many charges."""
    region = "organisation__region"
    sums = (Sum(name) for name in ("tax", "total", "covered", "payable"))
    rows = (
        Charge.objects.filter(host_id=host_id, month=month)
        .order_by("organisation__code", "currency")
        .values_list("organisation_id", region, f"{region}__lineage", f"{region}__currency", "currency")
        .annotate(Count("pk"), *sums)
    )
    return [Due(*row) for row in rows]


def hosts_of_charges() -> QuerySet[Organisation]:
    """Return the organisations that charge anybody, with their regions, by id."""
    return (
        Organisation.objects.filter(Exists(Charge.objects.filter(host=OuterRef("pk"))))
        .select_related("region")
        .order_by("pk")
    )


def months_to_draw(now: datetime, host: Organisation | None = None) -> list[tuple[UUID, date]]:
    """Return hosts and their months that are over and not closed, the oldest first: those after the last
    closed month, or from the month of the first final charge on. So a host's closed months have no gaps. One
    statement."""
    closed = ClosedMonth.objects.filter(host=OuterRef("pk")).order_by().values("host")
    final = Charge.objects.filter(host=OuterRef("pk"), month__isnull=False).order_by()
    hosts = hosts_of_charges().annotate(
        last_closed=Subquery(closed.annotate(last=Max("month")).values("last")),
        first_final=Subquery(final.values("host").annotate(first=Min("month")).values("first")),
    )
    if host is not None:
        hosts = hosts.filter(pk=host.pk)
    months = []
    for row in hosts:
        last = month_before(month_of(now, row.region.time_zone))
        first = month_after(row.last_closed) if row.last_closed else row.first_final or last
        if row.last_closed is None:
            first = min(first, last)
        months += [(month, row.pk) for month in months_between(first, last)]
    return [(pk, month) for month, pk in sorted(months)]


def is_month_over(host: Organisation, month: date, now: datetime) -> bool:
    """Say whether a month is over in the zone of the host's region."""
    return month < month_of(now, host.region.time_zone)


def load_newest_rates(
    pairs: Iterable[tuple[UUID, str, str]], day: date
) -> dict[tuple[UUID, str, str], ExchangeRate]:
    """Return the newest rate of a day or before by organisation, base and quote. One statement, none if
    nothing has to be converted."""
    wanted_pairs = set(pairs)
    if not wanted_pairs:
        return {}
    rows = (
        ExchangeRate.objects.filter(
            organisation_id__in={organisation for organisation, _, _ in wanted_pairs},
            base__in={base for _, base, _ in wanted_pairs},
            quote__in={quote for _, _, quote in wanted_pairs},
            valid_on__lte=day,
        )
        .order_by("organisation_id", "base", "quote", "-valid_on", "-entered_at")
        .distinct("organisation_id", "base", "quote")
    )
    rates = {(row.organisation_id, row.base, row.quote): row for row in rows}
    return {pair: row for pair, row in rates.items() if pair in wanted_pairs}


def load_overdue(now: datetime) -> list[Statement]:
    """Return the statements on which money is owed and whose due date has passed in the host's time zone."""
    return list(in_state(Statement.objects.select_related(*WITH), OVERDUE, now))


# What somebody may see

IS_INTERNAL = Q(payer=F("host"))  # a note for the ledger of one legal person
OWED = Q(state__in=[ISSUED, PART_PAID], payable__gt=0) & ~IS_INTERNAL


NEWEST_FIRST = ("-issued_at", "-id")


def statements_for(actor: Actor) -> QuerySet[Statement]:
    """Return the statements that the actor's organisations pay or are paid by, for finance and
    managers; those of an auditor's regions. Newest first."""
    return listed_statements().filter(any_of(first_statements_for(actor)))


def listed_statements() -> QuerySet[Statement]:
    """Return all statements, newest first, with the related rows that lists show."""
    return Statement.objects.select_related(*WITH).order_by(*NEWEST_FIRST)


def first_statements_for(actor: Actor) -> list[Q]:
    """Return conditions for the statements that the actor may see, for `first_of`."""
    organisations = actor.organisations_where("read-money")
    seen = [Q(payer_id__in=organisations), Q(host_id__in=organisations)]
    if regions := list(actor.regions_where("read-money")):
        below = Region.objects.filter(lineage__overlap=regions).values("pk")
        seen += [among("host_region", below), among("payer_region", below)]
    return seen


def statement_by_id(actor: Actor, statement_id: UUID) -> Statement:
    """Return a statement that the actor may see; raise `NotFound` otherwise."""
    return visible(statements_for(actor), pk=statement_id)


def notices_for(actor: Actor) -> QuerySet[PaymentNotice]:
    """Return notices of payments on statements the actor may see, the newest first."""
    return (
        PaymentNotice.objects.filter(statement__in=statements_for(actor).order_by().values("pk"))
        .select_related(*(f"statement__{name}" for name in WITH), "reported_by", "decided_by")
        .order_by("-reported_at", "-id")
    )


def notice_by_id(actor: Actor, notice_id: UUID) -> PaymentNotice:
    """Return a notice; raise `NotFound` if there is none, or the actor may not see it."""
    return visible(notices_for(actor), pk=notice_id)


def in_state(rows: QuerySet[Statement], state: str, now: datetime) -> QuerySet[Statement]:
    """Narrow statements to those in a state, as `shown_state` determines it by the day in their host's time
    zone."""
    today = DayIn(now, "host_region__time_zone")
    if state == OVERDUE:
        return rows.filter(OWED, due_date__lt=today)
    if state == INTERNAL:
        return rows.filter(IS_INTERNAL, ~Q(state=VOIDED))
    is_other = ~IS_INTERNAL if state != VOIDED else Q()
    return rows.filter(~OWED | Q(due_date__gte=today), is_other, state=state)


def totals_of_statements(
    rows: QuerySet[Statement], actor: Actor
) -> list[tuple[str, str, int, Decimal, Decimal]]:
    """Return the sums of statements, without voided ones, by currency and by the side on which the actor's
    organisations are: their number, what is payable, and what is still open. One statement."""
    sided = rows.exclude(state=VOIDED).annotate(side=side_of(actor, "payer", with_credits=True))
    counted = sided.order_by("currency", "side").values_list("currency", "side")
    still = Sum(F("payable") - F("paid"))
    return list(counted.annotate(number=Count("pk"), whole=Sum("payable"), still=still))


def today_of(statement: Statement, now: datetime) -> date:
    """Return the local day of the statement's host."""
    return day_of(now, statement.host_region.time_zone)


def paid_out_of_credit(statement: Statement) -> Decimal:
    """Return how much of a statement was paid out of the credit that its payer has at the host."""
    used = statement.payments.filter(bank_credit__kind="used", bank_credit__reversed_by=None)
    return used.aggregate(whole=Sum("amount"))["whole"] or Decimal(0)


def paid_by_bank(statement: Statement) -> Decimal:
    """Return how much of a statement bank transactions brought, without what was undone or returned."""
    brought = statement.payments.filter(bank_match__isnull=False, bank_match__undone_by=None)
    rows = brought.exclude(bank_match__reason="return")
    return rows.aggregate(whole=Sum("amount"))["whole"] or Decimal(0)


def overdue(statement: Statement, now: datetime) -> bool:
    return shown_state(statement, now) == OVERDUE


def may_remind(actor: Actor, statement: Statement, now: datetime) -> bool:
    """Say whether the actor may remind the payer of a statement at this moment: the host's finance, of one
    that is overdue, once a day."""
    is_told = statement.reminded_at and today_of(statement, statement.reminded_at) == today_of(statement, now)
    return not is_told and overdue(statement, now) and actor.may("account", place_of(statement.host))


def may_remind_again(actor: Actor, statement: Statement, now: datetime) -> bool:
    """Say whether a reminder of many would go to the payer of a statement: it may be reminded of, and was not
    in the last days (`is_reminded`)."""
    told = statement.reminded_at and today_of(statement, statement.reminded_at)
    return not is_reminded(told or None, today_of(statement, now)) and may_remind(actor, statement, now)


def shown_state(statement: Statement, now: datetime) -> str:
    """Return the state of a statement, including `overdue` and `internal`."""
    row = statement
    today, is_internal = today_of(row, now), row.payer_id == row.host_id
    return state_shown(row.state, row.payable, row.due_date, today, is_internal=is_internal)


def due_of(statement: Statement) -> date | None:
    """Return the day on which a statement is due; None if nothing is to be paid on it: it is void, or an
    internal note."""
    is_asked = statement.state != VOIDED and statement.payer_id != statement.host_id
    return statement.due_date if is_asked else None


def number_of(statement: Statement) -> str:
    """Return the number of a statement, as it is printed."""
    return statement_number(statement.host.code, statement.year, statement.number)


def lines_of(statement: Statement) -> QuerySet[Any]:
    """Return the lines of a statement with charge, person, booking and instrument, or course, in their order;
    a voided statement keeps its lines."""
    return statement.lines.select_related(
        "charge__reservation__instrument__facility",
        "charge__reservation__rate_card",
        "charge__reservation__user",
        "charge__enrolment__session__course",
        "charge__enrolment__session__facility",
        "charge__enrolment__user",
    ).order_by("position")


def rates_for(statement: Statement) -> Sequence[ExchangeRate]:
    """Return the rates at which the payer's finance could show a statement, the newest first, including those
    entered after its issue, which may be used while it is unpaid."""
    return list(
        ExchangeRate.objects.filter(organisation=statement.payer, base=statement.currency).order_by(
            "-valid_on", "-entered_at"
        )[:20]
    )


def statements_to_pay(actor: Actor, now: datetime) -> QuerySet[Statement]:
    """Return the unpaid statements of organisations whose books the actor keeps."""
    return statements_for(actor).filter(OWED, payer__in=actor.organisations_where("account"))


def statements_owed(actor: Actor, now: datetime) -> QuerySet[Statement]:
    """Return the unpaid statements that others owe to the organisations whose books the actor keeps."""
    ours = actor.organisations_where("account")
    return statements_for(actor).filter(OWED, ~Q(payer__in=ours), host__in=ours)


def notices_to_match(actor: Actor, now: datetime) -> QuerySet[PaymentNotice]:
    """Return notices of payments to the organisations whose books the actor keeps."""
    return notices_for(actor).filter(
        state=PaymentNotice.State.REPORTED, statement__host__in=actor.organisations_where("account")
    )


NUMBER = re.compile(r"(.+)-(\d{4})-0*(\d{1,9})")
# A text that may be part of a printed number, which is looked for among so many of the newest statements.
_PART = re.compile(r"[\w-]*\d{4}-\d*|[\w-]*\d{4,}")
NEWEST = 500
PEOPLE = 200  # with more people of a name, the lines that the reader sees are looked through instead


def numbered(text: str) -> Q | None:
    """Return the condition for the statement with a whole number, as it is printed, which an index finds;
    None if the text is no whole number."""
    if not (whole := NUMBER.fullmatch(text)):
        return None
    host, year, number = whole.groups()
    return Q(host__code__iexact=host, year=int(year), number=int(number))


def newest_statements(actor: Actor) -> QuerySet[Statement]:
    """Return the newest of the statements that the actor may see, however many there are."""
    return first_of(listed_statements(), first_statements_for(actor), NEWEST_FIRST, NEWEST)


def on_statements(rows: QuerySet[Any], text: str, by: By) -> Q:
    """Return the condition that a charge is on a statement that the actor may see: one whose whole number the
    text is, or one of the newest whose number has it."""
    if not _PART.fullmatch(text):
        return Q(pk=None)
    newest = Statement.objects.filter(among("pk", newest_statements(by.actor).values("pk")))
    found: list[QuerySet[Any]] = [newest.alias(printed=printed_number()).filter(printed__icontains=text)]
    if number := numbered(text):
        found.append(Statement.objects.filter(number, any_of(first_statements_for(by.actor))))
    fits = any_of([among("statement", each.values("pk")) for each in found])
    return among("pk", StatementLine.objects.filter(fits).values("charge"))


def _finds(rows: QuerySet[Any], text: str, by: By) -> Q:
    """Return the condition that a statement has a line of a person of that name, unless the text is the
    number of a statement or an amount, or a payment of that reference."""
    seen = rows.order_by().values("pk")
    payments = Payment.objects.filter(statement__in=seen, reference__icontains=text)
    notices = PaymentNotice.objects.filter(statement__in=seen, reference__icontains=text)
    found: list[QuerySet[Any]] = [payments, notices]
    if not (NUMBER.fullmatch(text) or amount_named(text)):
        # People first: there are far fewer of them than lines, and lines are found by an index from there.
        named = User.objects.filter(name__icontains=text)
        ids = list(named.order_by().values_list("pk", flat=True)[: PEOPLE + 1])
        if len(ids) > PEOPLE:
            theirs = Q(charge__reservation__user__name__icontains=text)
            theirs |= Q(charge__enrolment__user__name__icontains=text)
            found.append(StatementLine.objects.filter(theirs, statement__in=seen))
            ids = []
        for thing in ("reservation", "enrolment") if ids else ():
            charges = Charge.objects.filter(**{f"{thing}__user__in": ids}).values("pk")
            found.append(StatementLine.objects.filter(among("charge", charges), statement__in=seen))
    return any_of([among("pk", each.values("statement")) for each in found])


STATEMENTS = Listing(
    "statements",
    statements_for,
    (
        Column("statement", lambda row, by: number_of(row), _("Number")),
        Column("month", month_cell, _("Month"), "month"),
        Column("host", "host.code", _("Host"), "host__name"),
        Column("host_name", "host.name"),
        Column("payer", "payer.code", _("Payer"), "payer__name"),
        Column("payer_name", "payer.name"),
        Column("state", lambda row, by: shown_state(row, by.now), _("State")),
        Column("issued", "issued_at", sort="issued_at"),
        Column("due", lambda row, by: due_of(row) or "", _("Due"), "due_date"),
        Column("charges", "charges"),
        Column("currency", "currency"),
        Column("net", lambda row, by: amount_cell(row.total - row.tax, row.currency)),
        Column("tax", amount_of("tax")),
        Column("total", amount_of("total")),
        Column("voucher", amount_of("covered")),
        Column("payable", amount_of("payable"), _("Payable"), "payable", kind="end"),
        Column("paid", amount_of("paid")),
        Column("still", label=_("Still to pay"), kind="end"),
        Column("side", "side"),
    ),
    waits={"pay": statements_to_pay, "owed": statements_owed},
    waits_help="Only statements that your organisations have yet to pay or to be paid.",
    words=(
        "printed", "order_number", "invoice_number",
        "host__name", "host__name_zh", "payer__name", "payer__name_zh", "payer__code",
    ),
    amounts=("payable", "total", "paid", "still_open"),
    finds=_finds,
    aliases={"printed": printed_number(), "still_open": F("payable") - F("paid")},
    q_help="Part of the statement's number, of its order number or that of its tax invoice, of the "
    "reference of a payment on it, or of the name of the host, the payer or a person on it; or an amount: of "
    "it, paid on it or still open.",
    day="issued_at",
    copied=Q(),
    filters=(
        Filter(
            "code",
            lambda rows, text, by: rows.filter(numbered(text.strip()) or Q(pk=None)),
            help="Only the statement with this number, as it is printed: `USTC-2026-0007`.",
        ),
        Filter("host", "host__code", help="Code of the host organisation."),
        payer_filter("payer"),
        Filter("month", "month", MONTH, _("Month"), help="Year and month, such as `2026-03`."),
        Filter("state", lambda rows, state, by: in_state(rows, state, by.now), CHOICE, choices=STATES),
    ),
    for_files=lambda rows, by: rows.annotate(side=side_of(by.actor, "payer", with_credits=True)),
)  # fmt: skip
