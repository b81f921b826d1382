"""The closing of a year: which months are closed and what keeps the others, and what is open at its end."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce, TruncMonth

from accounts.models import Organisation
from bookings.bank.models import BankCredit, BankTransaction
from bookings.bank.selectors.bank import OPEN
from bookings.charging.models import Posting
from bookings.charging.selectors.obstacles import OBSTACLES, charges_of, obstacle_of, of_side
from bookings.funding.models import FundingSource
from bookings.journal.domain.journal import HOST, PAYER
from bookings.journal.models import JournalMonth
from bookings.journal.selectors.journal import NOUGHT, Journal, Sums, differences, load_journal, load_ledger
from bookings.pricing.models import Charge, ClosedMonth, Quote
from bookings.record.domain.months import month_after, month_of, months_between, months_span
from bookings.record.models import Reservation
from bookings.settlement.domain.ageing import BUCKETS, bucket_of
from bookings.settlement.models import Payment, Statement

# What keeps a month from being closed, by side (`obstacles.count_not_final`).
BLOCKING = {HOST: {"internal_open"}, PAYER: {"disputed", "not_final"}}
MOST_SHOWN = 200  # charges of the next year for use of this one


@dataclass(frozen=True)
class MonthState:
    """A month of a year: whether it is over, its statements are drawn up (None: as payer that is not
    asked) and its journal closed; and what is still to be done, as counts by code: what keeps the month from
    being closed (`blocking`), and what does not (`obstacles`)."""

    month: date
    is_over: bool
    is_drawn: bool | None
    closed: JournalMonth | None
    blocking: tuple[tuple[str, int], ...]
    obstacles: tuple[tuple[str, int], ...]

    @property
    def period(self) -> str:
        return f"{self.month:%Y-%m}"


@dataclass(frozen=True)
class OpenItem:
    """The amounts that a partner owes (or is owed) at the end of a year in one currency: on statements by
    age, what is not billed yet, and the balance of the ledger, which is their sum."""

    partner: Organisation
    currency: str
    buckets: dict[str, Decimal]
    unbilled: Decimal
    balance: Decimal


@dataclass(frozen=True)
class Year:
    """All that the closing page of a year says of one side."""

    journal: Journal
    months: list[MonthState]
    sums: Sums
    differences: list[tuple[object, ...]]
    items: list[OpenItem]
    advances: list[tuple[Organisation, str, Decimal]]
    voided: list[Statement]
    reversed: list[tuple[str, str, int, Decimal]]  # kind, currency, number, total
    late: list[Charge]
    late_sums: list[tuple[str, int, Decimal]]
    uncharged: list[tuple[str, int, Decimal]]

    @property
    def agrees(self) -> bool:
        """Say whether the journal of the year balances and sums up to the ledger."""
        return not self.differences and all(debit == credit for debit, credit in self.sums.totals().values())


def load_year(organisation: Organisation, side: str, year: int, now: datetime) -> Year:
    """Return the closing of a year. About fifteen statements besides those that read what is not closed."""
    first, last = date(year, 1, 1), date(year, 12, 1)
    journal = load_journal(organisation, side, first, last)
    sums = journal.sums()
    since, end = months_span(journal.zone, first, last)
    late = _late_charges(organisation, side, since, end)
    return Year(
        journal=journal,
        months=_months(journal, year, now),
        sums=sums,
        differences=differences(sums, load_ledger(organisation, side, first, last), side),
        items=open_items(organisation, side, end),
        advances=_advances(organisation, side, end),
        voided=_voided(organisation, side, since, end),
        reversed=_reversed(organisation, side, first, last),
        late=list(_with_names(late)[:MOST_SHOWN]),
        late_sums=_by_currency(late),
        uncharged=_uncharged(organisation, side, since, end),
    )


def _months(journal: Journal, year: int, now: datetime) -> list[MonthState]:
    organisation, side = journal.organisation, journal.side
    first, last = date(year, 1, 1), date(year, 12, 1)
    counts = _obstacles(organisation, side, journal.zone, first, last)
    drawn = set(
        ClosedMonth.objects.filter(host=organisation, month__gte=first, month__lte=last).values_list(
            "month", flat=True
        )
    )
    present, keeps = month_of(now, organisation.region.time_zone), BLOCKING[side]
    return [
        MonthState(
            month=month,
            is_over=month < present,
            is_drawn=month in drawn if side == HOST else None,
            closed=journal.closed.get(month),
            blocking=tuple((code, n) for code, n in counts.get(month, {}).items() if n and code in keeps),
            obstacles=tuple(
                (code, n) for code, n in counts.get(month, {}).items() if n and code not in keeps
            ),
        )
        for month in months_between(first, last)
    ]


def _obstacles(
    organisation: Organisation, side: str, zone: ZoneInfo, first: date, last: date
) -> dict[date, dict[str, int]]:
    has_sources = side != HOST and FundingSource.objects.filter(organisation=organisation).exists()
    codes = [
        code
        for code, _ in OBSTACLES
        if (side == HOST or code != "internal_open") and (has_sources or code != "no_source")
    ]
    rows = charges_of(organisation, side, first, last).annotate(
        local=TruncMonth("created_at", tzinfo=zone),
        **{f"is_{code}": Case(When(obstacle_of(code), then=True), default=False) for code in codes},
    )
    counted = {code: Count("pk", filter=Q(**{f"is_{code}": True})) for code in codes}
    found: dict[date, dict[str, int]] = {}
    for local, *numbers in rows.order_by().values_list("local").annotate(**counted):
        found[local.date()] = dict(zip(counted, numbers, strict=True))
    if side == HOST:
        open_ones = BankTransaction.objects.filter(
            host=organisation, state__in=OPEN, booked_on__gte=first, booked_on__lt=month_after(last)
        )
        by_month = open_ones.annotate(local=TruncMonth("booked_on")).order_by().values_list("local")
        for month, count in by_month.annotate(n=Count("pk")):
            found.setdefault(month, {})["unmatched"] = count
    return found


def open_items(organisation: Organisation, side: str, end: datetime) -> list[OpenItem]:
    """Return what is open at a moment by partner and currency, as the ledger has it; on statements by the age
    that it had. Three statements."""
    ours, theirs = ("host", "payer") if side == HOST else ("payer", "host")
    mine = {ours: organisation}
    posted = (
        Posting.objects.filter(account=Posting.Account.RECEIVABLE, entry__at__lt=end, **mine)
        .exclude(host=F("payer"))
        .order_by()
        .values_list(theirs, "currency")
        .annotate(amount=Sum("amount"))
    )
    balances = {(partner, currency): amount for partner, currency, amount in posted}
    paid = Payment.objects.filter(statement=OuterRef("pk"), entered_at__lt=end).order_by()
    statements = (
        Statement.objects.filter(Q(voided_at=None) | Q(voided_at__gte=end), issued_at__lt=end, **mine)
        .exclude(host=F("payer"))
        .annotate(
            by_then=Coalesce(paid.values("statement").annotate(sum=Sum("amount")).values("sum"), NOUGHT)
        )
        .exclude(payable=F("by_then"))
    )
    last_day = (end - timedelta(microseconds=1)).astimezone(ZoneInfo(organisation.region.time_zone)).date()
    aged: dict[tuple[UUID, str], dict[str, Decimal]] = {}
    for row in statements:
        key = (getattr(row, f"{theirs}_id"), row.currency)
        buckets = aged.setdefault(key, dict.fromkeys(BUCKETS, NOUGHT))
        amount = row.payable - row.by_then
        buckets[bucket_of(amount, row.due_date, last_day)] += amount
    partners = Organisation.objects.in_bulk({partner for partner, _ in {*balances, *aged}})
    found = []
    for partner, currency in {*balances, *aged}:
        buckets = aged.get((partner, currency), dict.fromkeys(BUCKETS, NOUGHT))
        balance = balances.get((partner, currency), NOUGHT)
        unbilled = balance - sum(buckets.values(), NOUGHT)
        if balance or unbilled or any(buckets.values()):
            found.append(OpenItem(partners[partner], currency, buckets, unbilled, balance))
    return sorted(found, key=lambda item: (item.currency, -item.balance, item.partner.code))


def _advances(
    organisation: Organisation, side: str, end: datetime
) -> list[tuple[Organisation, str, Decimal]]:
    theirs = "payer" if side == HOST else "host"
    mine = {"host" if side == HOST else "payer": organisation}
    rows = BankCredit.objects.filter(entered_at__lt=end, **mine).order_by().values_list(theirs, "currency")
    sums = [
        (partner, currency, amount) for partner, currency, amount in rows.annotate(s=Sum("amount")) if amount
    ]
    partners = Organisation.objects.in_bulk({partner for partner, *_ in sums}) if sums else {}
    return [(partners[partner], currency, amount) for partner, currency, amount in sums]


def _voided(organisation: Organisation, side: str, since: datetime, end: datetime) -> list[Statement]:
    mine = {"host" if side == HOST else "payer": organisation}
    rows = Statement.objects.filter(voided_at__gte=since, voided_at__lt=end, **mine)
    return list(rows.select_related("host", "payer").order_by("voided_at", "pk"))


def _reversed(
    organisation: Organisation, side: str, first: date, last: date
) -> list[tuple[str, str, int, Decimal]]:
    rows = charges_of(organisation, side, first, last).filter(kind__in=["reversal", "melting"])
    sums = rows.order_by("kind", "currency").values_list("kind", "currency")
    return list(sums.annotate(number=Count("pk"), amount=Sum("total")))


def _late_charges(organisation: Organisation, side: str, since: datetime, end: datetime) -> QuerySet[Charge]:
    """Return the charges that were made after the year for use, or courses, that ended in it."""
    ended = Q(reservation__end_at__gte=since, reservation__end_at__lt=end) | Q(
        enrolment__session__end_at__gte=since, enrolment__session__end_at__lt=end
    )
    rows = Charge.objects.filter(ended, created_at__gte=end, kind__in=Charge.ORIGINAL)
    return of_side(rows, organisation, side)


def _with_names(rows: QuerySet[Charge]) -> QuerySet[Charge]:
    related = (
        "organisation", "host", "reservation__instrument__facility", "reservation__user",
        "enrolment__session__course", "enrolment__session__facility", "enrolment__user",
    )  # fmt: skip
    return rows.select_related(*related).defer("inputs", "result").order_by("created_at", "pk")


def _by_currency(rows: QuerySet[Any]) -> list[tuple[str, int, Decimal]]:
    """Return currency, number and sum of charges or quotes. One statement."""
    sums = rows.order_by("currency").values_list("currency")
    return list(sums.annotate(number=Count("pk"), amount=Sum("total")))


def _uncharged(
    organisation: Organisation, side: str, since: datetime, end: datetime
) -> list[tuple[str, int, Decimal]]:
    """Return the use of the year that has no charge yet, by currency: how many bookings, and what they were
    quoted."""
    charged = Charge.objects.filter(reservation=OuterRef("reservation"))
    rows = Quote.objects.filter(
        ~Exists(charged),
        is_current=True,
        total__gt=0,
        reservation__state=Reservation.State.COMPLETED,
        reservation__end_at__gte=since,
        reservation__end_at__lt=end,
    )
    if side == HOST:
        rows = rows.filter(reservation__host=organisation)
    else:
        rows = rows.filter(reservation__organisation=organisation).exclude(
            reservation__host=F("reservation__organisation")
        )
    return _by_currency(rows)
