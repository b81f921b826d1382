"""Statements: what has to be drawn up, and what each person may see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum

from accounts.domain.roles import Actor
from accounts.models import Organisation, Region
from accounts.selectors.rows import among, visible
from bookings.pricing.models import Charge, ClosedMonth, ExchangeRate
from bookings.record.domain.months import month_after, month_before, month_of, months_between
from bookings.settlement.domain.statements import ISSUED, OVERDUE, PART_PAID, day_of, is_overdue
from bookings.settlement.models import PaymentNotice, Statement

WITH = ("host__region", "payer__region", "host_region", "payer_region", "exchange_rate")


# What has to be drawn up


@dataclass(frozen=True)
class Due:
    """One payer's final charges of a month at a host in one currency, added up."""

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
    """Add up what is due by payer's code, then currency. One statement, however many charges."""
    region = "organisation__region"
    sums = (Sum(name) for name in ("tax", "total", "covered", "payable"))
    rows = (
        Charge.objects.filter(host_id=host_id, month=month)
        .order_by("organisation__code", "currency")
        .values_list(
            "organisation_id", region, f"{region}__lineage", f"{region}__currency", "currency"
        )
        .annotate(Count("pk"), *sums)
    )
    return [Due(*row) for row in rows]


def hosts_of_charges() -> QuerySet[Organisation]:
    """Organisations that charge anybody, with their regions, by id."""
    return (
        Organisation.objects.filter(Exists(Charge.objects.filter(host=OuterRef("pk"))))
        .select_related("region")
        .order_by("pk")
    )


def months_to_draw(now: datetime, host: Organisation | None = None) -> list[tuple[UUID, date]]:
    """Hosts and months that are over there and not closed, the oldest first: those after the
    last closed one, or from that of the first final charge. So a host's closed months follow
    each other without a gap. One statement."""
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
    """Whether a month is over in the zone of the host's region."""
    return month < month_of(now, host.region.time_zone)


def load_newest_rates(
    pairs: Iterable[tuple[UUID, str, str]], day: date
) -> dict[tuple[UUID, str, str], ExchangeRate]:
    """Return the newest rate of a day or before by organisation, base and quote. One statement,
    none where nothing is to convert."""
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


def load_overdue(now: datetime, latest: date) -> list[Statement]:
    """Statements on which money is owed whose day has passed where their host is; `latest`: a
    day that is after today nowhere."""
    rows = Statement.objects.filter(OWED, due_date__lt=latest).select_related(*WITH)
    return [row for row in rows if overdue(row, now)]


# What somebody may see

OWED = Q(state__in=[ISSUED, PART_PAID], payable__gt=0)


def statements_for(actor: Actor) -> QuerySet[Statement]:
    """Return the statements that the actor's organisations pay or are paid by, for finance and
    managers; those of an auditor's regions. Newest first."""
    organisations = actor.organisations_where("read-money")
    regions = list(actor.regions_where("read-money"))
    seen = Q(payer_id__in=organisations) | Q(host_id__in=organisations)
    if regions:
        below = Region.objects.filter(lineage__overlap=regions).values("pk")
        seen |= among("host_region", below) | among("payer_region", below)
    return Statement.objects.filter(seen).select_related(*WITH).order_by("-issued_at", "-id")


def statement_by_id(actor: Actor, statement_id: UUID) -> Statement:
    """`NotFound` if there is none, or it is not the actor's to see."""
    return visible(statements_for(actor), pk=statement_id)


def notices_for(actor: Actor) -> QuerySet[PaymentNotice]:
    """What was reported as paid on statements the actor may see, the newest first."""
    return (
        PaymentNotice.objects.filter(statement__in=statements_for(actor).order_by().values("pk"))
        .select_related(*(f"statement__{name}" for name in WITH), "reported_by", "decided_by")
        .order_by("-reported_at", "-id")
    )


def notice_by_id(actor: Actor, notice_id: UUID) -> PaymentNotice:
    """`NotFound` if there is none, or it is not the actor's to see."""
    return visible(notices_for(actor), pk=notice_id)


def in_state(rows: QuerySet[Statement], state: str, today: date) -> QuerySet[Statement]:
    """Narrow statements to a state, `overdue` among them."""
    if state == OVERDUE:
        return rows.filter(OWED, due_date__lt=today)
    return rows.filter(state=state)


def totals_of_statements(rows: QuerySet[Statement]) -> list[tuple[str, int, Decimal, Decimal]]:
    """What some statements come to, voided ones left out: by currency how many, what is payable
    and what of it is still to pay. One statement."""
    counted = rows.exclude(state="voided").order_by("currency").values_list("currency")
    still = Sum(F("payable") - F("paid"))
    return list(counted.annotate(number=Count("pk"), whole=Sum("payable"), still=still))


def today_of(statement: Statement, now: datetime) -> date:
    """The day it is where the host is."""
    return day_of(now, statement.host_region.time_zone)


def overdue(statement: Statement, now: datetime) -> bool:
    return is_overdue(
        statement.state, statement.payable, statement.due_date, today_of(statement, now)
    )


def shown_state(statement: Statement, now: datetime) -> str:
    """Return the state of a statement, or `overdue`."""
    return OVERDUE if overdue(statement, now) else statement.state


def lines_of(statement: Statement) -> QuerySet[Any]:
    """Return the lines with charge, booking and instrument, in their order; of a voided statement
    those it had."""
    return statement.lines.select_related(
        "charge__reservation__instrument__facility", "charge__reservation__rate_card"
    ).order_by("position")


def rates_for(statement: Statement) -> Sequence[ExchangeRate]:
    """What its payer's finance could show it at, the newest first; of a day up to its issue or
    later: a rate that was not known then may be attached while it is unpaid."""
    return list(
        ExchangeRate.objects.filter(organisation=statement.payer, base=statement.currency).order_by(
            "-valid_on", "-entered_at"
        )[:20]
    )


def statements_to_pay(actor: Actor, now: datetime) -> QuerySet[Statement]:
    """Unpaid ones of the organisations whose books the actor keeps."""
    return statements_for(actor).filter(OWED, payer__in=actor.organisations_where("account"))


def statements_owed(actor: Actor, now: datetime) -> QuerySet[Statement]:
    """Unpaid ones that others owe the organisations whose books the actor keeps."""
    ours = actor.organisations_where("account")
    return statements_for(actor).filter(OWED, ~Q(payer__in=ours), host__in=ours)


def notices_to_match(actor: Actor, now: datetime) -> QuerySet[PaymentNotice]:
    """What payers say they have paid to the organisations whose books the actor keeps."""
    return notices_for(actor).filter(
        state=PaymentNotice.State.REPORTED, statement__host__in=actor.organisations_where("account")
    )
