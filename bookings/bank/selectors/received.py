"""Read what banks brought: payments of statements without those out of credit, and what was kept as credit or
paid out of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum

from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.bank.models import BankCredit
from bookings.record.domain.months import month_after, month_before
from bookings.settlement.models import Payment
from bookings.settlement.selectors.payments import RECEIVED, of_side, payments_for

NOUGHT = Decimal(0)


@dataclass(frozen=True)
class Received:
    """The money that others sent in a month and in the one before in one currency; `kept` is how much of the
    month's is credit of payers, and in no payment."""

    currency: str
    now: Decimal
    before: Decimal
    kept: Decimal


def load_received(actor: Actor, month: date) -> list[Received]:
    """Return what banks brought the actor's organisations from others in a month and in the one before, by
    currency and by the days on which banks booked it. Using credit brings nothing. Two statements."""
    before, until = month_before(month), month_after(month)
    payments = of_side(payments_for(actor), RECEIVED, actor)
    sums: dict[str, list[Decimal]] = {}
    for place, rows, day in (
        (0, payments, "paid_on"),
        (2, _of_transactions(actor.organisations_where("read-money")), "transaction__booked_on"),
    ):
        span = rows.filter(**{f"{day}__gte": before, f"{day}__lt": until}).order_by()
        is_now = Q(**{f"{day}__gte": month})
        found = span.values_list("currency").annotate(
            now=Sum("amount", filter=is_now), before=Sum("amount", filter=~is_now)
        )
        for currency, now, earlier in found:
            row = sums.setdefault(currency, [NOUGHT] * 4)
            row[place], row[place + 1] = now or NOUGHT, earlier or NOUGHT
    return [
        Received(currency, paid + kept, paid_before + kept_before, kept)
        for currency, (paid, paid_before, kept, kept_before) in sorted(sums.items())
    ]


def _of_transactions(hosts: Iterable[UUID]) -> QuerySet[BankCredit]:
    rows = BankCredit.objects.filter(host__in=hosts, transaction__isnull=False)
    return rows.exclude(payer__in=hosts)


@dataclass(frozen=True)
class BankDays:
    """The money of a period in one currency by the two days that count: `by_day`, on which the bank booked it
    or, without one, it was paid; and `posted`, on which it was entered. `later` was booked in the period and
    entered outside of it, `earlier` was entered in it and booked outside."""

    currency: str
    by_day: Decimal
    later: Decimal
    earlier: Decimal
    posted: Decimal


def load_bank_days(
    organisation: Organisation, *, is_host: bool, days: tuple[date, date], span: tuple[datetime, datetime]
) -> list[BankDays]:
    """Return what came in (as host), or was paid (as payer), in a period by both days, by currency: `days`
    from the first to the one after the last, and `span` from the same day's instant to the other's. Two
    statements."""
    ours, theirs = ("host", "payer") if is_host else ("payer", "host")
    payments = Payment.objects.filter(**{f"statement__{ours}": organisation}, bank_credit=None).exclude(
        **{f"statement__{theirs}": organisation}
    )
    credits = BankCredit.objects.filter(**{ours: organisation}, transaction__isnull=False)
    sums: dict[str, list[Decimal]] = {}
    for rows, day in ((payments, "paid_on"), (credits, "transaction__booked_on")):
        booked = Q(**{f"{day}__gte": days[0], f"{day}__lt": days[1]})
        entered = Q(entered_at__gte=span[0], entered_at__lt=span[1])
        found = (
            rows.filter(booked | entered)
            .order_by()
            .values_list("currency")
            .annotate(
                by_day=Sum("amount", filter=booked),
                later=Sum("amount", filter=booked & ~entered),
                earlier=Sum("amount", filter=entered & ~booked),
                posted=Sum("amount", filter=entered),
            )
        )
        for currency, *amounts in found:
            before = sums.get(currency, [NOUGHT] * 4)
            sums[currency] = [one + (more or NOUGHT) for one, more in zip(before, amounts, strict=True)]
    return [BankDays(currency, *amounts) for currency, amounts in sorted(sums.items())]


def load_kept(organisations: Sequence[UUID], side: str) -> dict[tuple[UUID, str], Decimal]:
    """Return the credit that is kept, by the other party and currency: of payers at organisations (`side` is
    host), or of these at their hosts (payer). One statement."""
    other = "payer" if side == "host" else "host"
    rows = BankCredit.objects.filter(**{f"{side}__in": organisations}).exclude(host=F("payer"))
    sums = rows.order_by().values_list(f"{other}_id", "currency").annotate(amount=Sum("amount"))
    return {(party, currency): amount for party, currency, amount in sums if amount}
