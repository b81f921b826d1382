"""Draw up the past months as they would have been, most of them paid and confirmed."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from accounts.domain.roles import Actor, By
from accounts.models import OutboxMessage
from accounts.selectors.memberships import coordinators_of, holders_of, load_actor
from bookings.demo.services.files import chance
from bookings.funding.domain.funding import split
from bookings.pricing.models import Charge
from bookings.record.domain.months import month_after
from bookings.settlement.models import Settlement, Statement
from bookings.settlement.selectors.settlements import creditor_of, net_of
from bookings.settlement.selectors.statements import OWED, months_to_draw
from bookings.settlement.services.payments import Paid, settlement_pay, statement_pay
from bookings.settlement.services.settlements import settlement_confirm
from bookings.settlement.services.statements import Drawn, statements_draw

# After the 1st has begun in every zone.
DRAWN_AFTER = timedelta(hours=30)
PAID, PART_PAID = 0.75, 0.9  # of what is older than a month


def books_close(now: datetime) -> Drawn:
    """Draw up every month that is over, oldest first, each as of its time; nothing if no charge is final yet.
    Messages about old months are not sent."""
    drawn = Drawn()
    if not Charge.objects.filter(month__isnull=False).exists():
        return drawn
    months = sorted({month for _, month in months_to_draw(now)})
    for month in months:
        moment = min(now, _first_of(month_after(month)) + DRAWN_AFTER)
        drawn += statements_draw(month=month, now=moment)
        if month != months[-1]:
            _pay(month, now)
            _settle(month, now)
            OutboxMessage.objects.filter(kind__regex=r"^(statement|settlement)\.", done_at=None).update(
                done_at=moment, outcome="skipped"
            )
    return drawn


def _first_of(month: date) -> datetime:
    return datetime.combine(month, time(), UTC)


def _pay(month: date, now: datetime) -> None:
    """Enter the payments of a month: most payers paid within three weeks, some paid half, some nothing."""
    actors: dict[object, Actor | None] = {}
    rows = Statement.objects.filter(OWED, month=month).select_related("host", "payer")
    for row in rows.order_by("host__code", "number"):
        if row.host_id not in actors:
            person = holders_of("finance", row.host_id).first()
            actors[row.host_id] = load_actor(person) if person else None
        actor = actors[row.host_id]
        luck = chance("paid", row.host.code, row.payer.code, str(month), row.currency)
        fate, moment = luck.random(), row.issued_at + timedelta(days=luck.randint(4, 21))
        if actor is None or fate > PART_PAID or moment > now:
            continue
        half, rest = split(row.payable, [Decimal(50), Decimal(50)], row.currency)
        amount = row.payable if fate < PAID else half or rest
        paid = Paid(amount, moment.date() - timedelta(days=1), f"{row.payer.code}-{month:%y%m}")
        statement_pay(By(actor, moment), statement_id=row.pk, paid=paid)


def _settle(month: date, now: datetime) -> None:
    """Let the coordinators of both regions, if both have one, confirm the month's settlements, and record
    that the region that owes more has paid."""
    waiting = Settlement.objects.filter(month=month, state=Settlement.State.DRAWN_UP)
    for row in waiting.select_related("first", "second"):
        moment = row.drawn_up_at + timedelta(days=6)
        people = {region.code: coordinators_of(region.lineage).first() for region in (row.first, row.second)}
        if moment > now or None in people.values() or len(set(people.values())) < len(people):
            continue
        for code, person in people.items():
            if person is not None:
                settlement_confirm(By(load_actor(person), moment), settlement_id=row.pk, region=code)
        owed, moment = people[creditor_of(row).code], moment + timedelta(days=10)
        if net_of(row) and owed is not None and moment < now:
            paid = Paid(net_of(row), moment.date() - timedelta(days=1), f"{month:%Y-%m}")
            settlement_pay(By(load_actor(owed), moment), settlement_id=row.pk, paid=paid)
