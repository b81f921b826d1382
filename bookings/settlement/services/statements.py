"""Drawing up a month's statements, and voiding one."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.organisations import text_of
from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation, OutboxMessage
from accounts.models.keys import new_id
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.services.jobs import work_through
from accounts.trail import Change
from bookings.charging.locks import claim_host_books, lock_host_books
from bookings.charging.services.charges import charges_finalise, hosts_to_finalise
from bookings.funding.domain.funding import converted
from bookings.pricing.models import ClosedMonth
from bookings.settlement.domain import statements as statement_rules
from bookings.settlement.locks import lock_statement
from bookings.settlement.models import PaymentNotice, Statement
from bookings.settlement.selectors import statements as statement_selectors
from bookings.settlement.selectors.papers import parties_json
from bookings.settlement.services.settlements import settlements_catch_up, settlements_draw

# The sums of a statement's charges.
SUMMED = ("payer_region_id", "currency", "charges", "tax", "total", "covered", "payable")
FINALISED_AT_ONCE = 2000  # charges of one host in one run

# The row of the counter stays locked until the numbers are stored or given up.
COUNT = """
INSERT INTO bookings_statementcounter (id, host_id, year, last) VALUES (%s, %s, %s, %s)
ON CONFLICT (host_id, year) DO UPDATE SET last = bookings_statementcounter.last + EXCLUDED.last
RETURNING last
"""
LINES = """
INSERT INTO bookings_statementline (statement_id, position, charge_id, is_void)
SELECT s.id, row_number() OVER (PARTITION BY s.id ORDER BY coalesce(r.start_at, k.start_at), c.id), c.id,
    false
FROM bookings_charge c
LEFT JOIN bookings_reservation r ON r.id = c.reservation_id
LEFT JOIN instruments_enrolment e ON e.id = c.enrolment_id
LEFT JOIN instruments_coursesession k ON k.id = e.session_id
JOIN bookings_statement s ON s.host_id = c.host_id AND s.payer_id = c.organisation_id
    AND s.currency = c.currency AND s.month = c.month AND s.state <> 'voided'
WHERE c.host_id = %s AND c.month = %s
"""
COPY_LINES = """
INSERT INTO bookings_statementline (statement_id, position, charge_id, is_void)
SELECT %s, position, charge_id, false FROM bookings_statementline WHERE statement_id = %s
"""


@dataclass(frozen=True)
class Drawn:
    """The result of drawing up statements: how many months of hosts were closed, and how many statements and
    settlements were drawn up."""

    hosts: int = 0
    statements: int = 0
    settlements: int = 0

    def __add__(self, other: "Drawn") -> "Drawn":
        return Drawn(
            self.hosts + other.hosts, self.statements + other.statements, self.settlements + other.settlements
        )


def statements_draw(*, month: date, host: Organisation | None = None, now: datetime) -> Drawn:
    """Draw up the statements of a month, and of earlier months still open, at one host, or at all hosts where
    the month is over; then the settlements that are complete with it. Repeated or simultaneous calls draw up
    nothing twice. Raises `Invalid` (`month-not-over`) if the month is not over at the named host."""
    month = month.replace(day=1)
    if host is not None and not statement_selectors.is_month_over(host, month, now):
        raise invalid("month", "month-not-over")
    _finalise(host, now)
    drawn, months = Drawn(), {month}
    for host_id, due in statement_selectors.months_to_draw(now, host):
        if due <= month:
            drawn += _draw(host_id, due, now)
            months.add(due)
    settled = sum(settlements_draw(month=each, now=now) for each in sorted(months))
    return drawn + Drawn(settlements=settled)


def statements_draw_due(*, now: datetime) -> Drawn:
    """Draw up every month that is over at its host and not closed yet, for the job of the timetable. A host
    whose books are locked is left to the next run."""
    months: dict[UUID, list[date]] = {}
    for host_id, month in statement_selectors.months_to_draw(now):
        months.setdefault(host_id, []).append(month)
    drawn: dict[UUID, Drawn] = {}

    def act(host_id: UUID) -> int:
        claim_host_books(host_id)
        _finalise_host(host_id, now)
        mine = [_draw(host_id, month, now) for month in months[host_id]]
        drawn[host_id] = sum(mine, start=Drawn())
        return len(mine)

    work_through(job="statements", due=months, act=act, now=now)
    settlements = settlements_catch_up(now=now)
    return sum(drawn.values(), start=Drawn(settlements=settlements))


def _finalise(host: Organisation | None, now: datetime) -> None:
    """Make charges final that nobody has disputed in time, before the month is closed: they belong to the
    month in which that time ended."""
    for host_id in [host.pk] if host else hosts_to_finalise(now):
        _finalise_host(host_id, now)


def _finalise_host(host_id: UUID, now: datetime) -> None:
    while charges_finalise(now=now, host_id=host_id) >= FINALISED_AT_ONCE:
        pass


@transaction.atomic
def _draw(host_id: UUID, month: date, now: datetime) -> Drawn:
    """Draw up one host's month and close it. A constant number of statements."""
    host = lock_host_books(host_id)
    if not statement_selectors.is_month_over(host, month, now):
        return Drawn()
    if ClosedMonth.objects.filter(host=host, month=month).exists():
        return Drawn()
    closed = ClosedMonth.objects.create(host=host, month=month, closed_at=now)
    changes = [
        Change(
            By(PLATFORM, now),
            "month.close",
            closed,
            after={"host": host.pk, "month": month},
            places=host.places(),
        )
    ]
    due = statement_selectors.load_due(host.pk, month)
    if due:
        rows = _numbered(host, _rows(host, month, due, now))
        Statement.objects.bulk_create(rows)
        with connection.cursor() as cursor:
            cursor.execute(LINES, [host.pk, month])
            if cursor.rowcount != sum(one.charges for one in due):
                raise RuntimeError("A charge became final outside the books' lock.")
        changes += [_issued(host, row, one, now) for row, one in zip(rows, due, strict=True)]
        enqueue([each for row in rows for each in statement_messages("issued", row)], now=now)
    trail.record_all(changes)
    return Drawn(hosts=1, statements=len(due))


def _rows(
    host: Organisation, month: date, due: Sequence[statement_selectors.Due], now: datetime
) -> list[Statement]:
    """Return statements that are not yet numbered. If the payer has another currency and its finance has
    entered a rate for the day, they are shown in it too; otherwise not, as nothing is converted silently."""
    today = statement_rules.day_of(now, host.region.time_zone)
    rates = statement_selectors.load_newest_rates(
        [
            (one.payer_id, one.currency, one.payer_currency)
            for one in due
            if one.currency != one.payer_currency
        ],
        today,
    )
    payers = Organisation.objects.select_related("region").in_bulk({one.payer_id for one in due})
    rows = []
    for one in due:
        payer = payers[one.payer_id]
        rate = rates.get((one.payer_id, one.currency, one.payer_currency))
        rows.append(
            Statement(
                host=host,
                payer=payer,
                host_region=host.region,
                month=month,
                year=today.year,
                state=statement_rules.state_of_payment(one.payable, one.payable * 0),
                **{name: getattr(one, name) for name in SUMMED},
                issued_at=now,
                due_date=today + statement_rules.PAYABLE_WITHIN,
                payer_currency=rate.quote if rate else "",
                exchange_rate=rate,
                payer_payable=converted(one.payable, rate.rate, rate.quote) if rate else None,
                order_number=payer.order_number,
                parties=parties_json(host, payer, one.payable, host.region.time_zone),
            )
        )
    return rows


def _numbered(host: Organisation, rows: list[Statement]) -> list[Statement]:
    """Give the rows the host's next numbers of the year; if the transaction fails, the numbers are used
    again."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [new_id(), host.pk, rows[0].year, len(rows)])
        (last,) = cursor.fetchone()
    for number, row in enumerate(rows, start=last - len(rows) + 1):
        row.number = number
    return rows


def _issued(host: Organisation, row: Statement, due: statement_selectors.Due, now: datetime) -> Change:
    return Change(
        By(PLATFORM, now),
        "statement.issue",
        row,
        after={
            "number": statement_rules.statement_number(host.code, row.year, row.number),
            "month": row.month,
            "payer": row.payer_id,
            "charges": row.charges,
            "currency": row.currency,
            "total": row.total,
            "payable": row.payable,
        },
        places=([row.payer_id, host.pk], [*host.region.lineage, *due.payer_lineage]),
    )


def statement_messages(
    kind: str, row: Statement, more: str = "", together: Sequence[Statement] = ()
) -> list[Effect]:
    """Return a message about a statement to the payer's finance, and a mail to its invoice address; for an
    internal note, of whatever kind, only one to finance. Of statements that one message lists `together`, the
    first brings it; the others only tell webhooks."""
    payload: dict[str, Any] = {"statement": str(row.pk)}
    if len(together) > 1:
        first, ids = together[0], [str(each.pk) for each in together]
        payload |= {"statements": ids} if row == first else {"told_with": str(first.pk)}
    if row.payer_id == row.host_id:
        return [
            Effect(
                kind="statement.internal",
                key=f"statement.internal:{row.pk}{more}",
                payload={"statement": str(row.pk)},
            )
        ]
    groups = ["statement", *(["invoice"] if row.payer.invoice_email else [])]
    return [
        Effect(kind=f"{group}.{kind}", key=f"{group}.{kind}:{row.pk}{more}", payload=payload)
        for group in groups
    ]


@transaction.atomic
def statements_remind(*, now: datetime) -> int:
    """Remind payers of overdue statements, on the first day and every thirty days after, unless the host has
    since that day; return how many are overdue."""
    rows = statement_selectors.load_overdue(now)
    told: dict[UUID, list[Effect]] = {}
    for row in rows:
        today = statement_selectors.today_of(row, now)
        since = statement_rules.reminder_day(row.due_date, today)
        if row.reminded_at is None or statement_selectors.today_of(row, row.reminded_at) < since:
            more = f":{statement_rules.reminder_of(row.due_date, today)}"
            told[row.pk] = statement_messages("overdue", row, more)
    # Statements that were reminded of by earlier releases do not know the day; the messages are there.
    keys = [effect.key for effects in told.values() for effect in effects]
    sent = set(OutboxMessage.objects.filter(key__in=keys).values_list("key", flat=True))
    told = {pk: effects for pk, effects in told.items() if not sent & {effect.key for effect in effects}}
    enqueue([effect for effects in told.values() for effect in effects], now=now)
    Statement.objects.filter(pk__in=told).update(reminded_at=now)
    return len(rows)


@transaction.atomic
def statement_remind(by: By, *, statement_id: UUID) -> Statement:
    """Remind the payer of an overdue statement at once, for the host's finance, besides the reminders of the
    timetable. Raises `WrongState` (`not-overdue`), or `reminded-today` if a reminder has gone out that
    day."""
    row = _reminded(by, statement_id)
    enqueue(statement_messages("overdue", row, _of_day(row, by.now)), now=by.now)
    return row


def _of_day(row: Statement, now: datetime) -> str:
    """Return the part of a message's key that makes one a day."""
    return f":{statement_selectors.today_of(row, now).isoformat()}"


def _reminded(by: By, statement_id: UUID) -> Statement:
    """Note that a payer is reminded of an overdue statement; the caller tells them."""
    row = lock_statement(statement_selectors.statements_for(by.actor), statement_id)
    require(by.actor, "account", place_of(row.host))
    by.require_version(row.version)
    if not statement_selectors.overdue(row, by.now):
        raise WrongState("not-overdue")
    today = statement_selectors.today_of(row, by.now)
    if row.reminded_at and statement_selectors.today_of(row, row.reminded_at) == today:
        raise WrongState("reminded-today")
    before, row.reminded_at = {"reminded_at": row.reminded_at}, by.now
    row.version += 1
    row.save(update_fields=["reminded_at", "version"])
    trail.record(by, "statement.remind", row, before=before, after={"reminded_at": by.now})
    return row


@transaction.atomic
def statements_remind_chosen(by: By, *, statement_ids: Collection[UUID]) -> tuple[int, int]:
    """Remind the payers of several overdue statements at once, for the hosts' finance, each payer of all that
    it owes a host in one message; return how many are reminded, and how many are left out because they have
    been paid meanwhile or their payer was reminded in the last days. Raises `NotFound` for one that the actor
    may not see, `NotPermitted` unless they keep the host's books."""
    ids = sorted(set(statement_ids))
    if not 1 <= len(ids) <= statement_rules.MOST_REMINDED:
        raise invalid("statements", "out-of-range", least=1, most=statement_rules.MOST_REMINDED)
    reminded: dict[tuple[UUID, UUID], list[Statement]] = defaultdict(list)
    for pk in ids:
        row = lock_statement(statement_selectors.statements_for(by.actor), pk)
        require(by.actor, "account", place_of(row.host))
        if statement_selectors.may_remind_again(by.actor, row, by.now):
            row = _reminded(replace(by, version=None), pk)
            reminded[row.host_id, row.payer_id].append(row)
    for rows in reminded.values():
        for row in rows:
            effects = statement_messages("overdue", row, _of_day(row, by.now), together=rows)
            enqueue(effects, now=by.now)
    number = sum(len(rows) for rows in reminded.values())
    return number, len(ids) - number


@transaction.atomic
def statement_set_order_number(by: By, *, statement_id: UUID, order_number: str) -> Statement:
    """Set the order number of the payer that a statement quotes, for the finance of either side; empty takes
    it off. An internal note has none (`no-order`)."""
    row = lock_statement(statement_selectors.statements_for(by.actor), statement_id)
    if not by.actor.may("account", place_of(row.payer)):
        require(by.actor, "account", place_of(row.host))
    if row.payer_id == row.host_id:
        raise WrongState("no-order")
    return _set_number(by, row, "statement.order-number", order_number=order_number)


@transaction.atomic
def statement_set_invoice_number(by: By, *, statement_id: UUID, invoice_number: str) -> Statement:
    """Set the number of the fapiao or electronic invoice that the host has issued for a statement, for the
    host's finance; empty takes it off. An internal note has none (`no-invoice`)."""
    row = lock_statement(statement_selectors.statements_for(by.actor), statement_id)
    require(by.actor, "account", place_of(row.host))
    if row.payer_id == row.host_id:
        raise WrongState("no-invoice")
    return _set_number(by, row, "statement.invoice-number", invoice_number=invoice_number)


def _set_number(by: By, row: Statement, act: str, **given: str) -> Statement:
    """Set a number that a statement prints, unless it is voided; the same number again changes nothing."""
    ((field, number),) = given.items()
    by.require_version(row.version)
    if row.state == Statement.State.VOIDED:
        raise WrongState(state=row.state, wanted=field)
    number = text_of(field, number, statement_rules.MOST_NUMBER)
    before = getattr(row, field)
    if number == before:
        return row
    setattr(row, field, number)
    row.version += 1
    row.save(update_fields=[field, "version"])
    trail.record(by, act, row, before={field: before}, after={field: number})
    return row


@transaction.atomic
def statement_void(by: By, *, statement_id: UUID, reason: str) -> Statement:
    """Void a statement, for the host's finance: its number stays, and a new one, which is returned, bills its
    charges with the payer's present details and the rate known by now.

    Raises `Invalid` (`required`) without a reason; `WrongState` if it is voided, or money has been paid on
    it, which must be taken back first.
    """
    host = lock_host_books(statement_selectors.statement_by_id(by.actor, statement_id).host_id)
    old = lock_statement(statement_selectors.statements_for(by.actor), statement_id)
    require(by.actor, "account", place_of(host))
    by.require_version(old.version)
    if not reason.strip():
        raise invalid("reason", "required")
    if old.state == Statement.State.VOIDED or old.paid:
        code = "has-payments" if old.paid else "wrong-state"
        raise WrongState(code, state=old.state, wanted="voided")
    old.state, old.void_reason = Statement.State.VOIDED, reason.strip()
    old.voided_by_id, old.voided_at = by.actor.person, by.now
    old.version += 1
    old.save(update_fields=["state", "void_reason", "voided_by", "voided_at", "version"])
    old.lines.update(is_void=True)
    due = statement_selectors.Due(
        payer_id=old.payer_id,
        payer_lineage=old.payer.region.lineage,
        payer_currency=old.payer.region.currency,
        **{name: getattr(old, name) for name in SUMMED} | {"payer_region_id": old.payer.region_id},
    )
    (new,) = _numbered(host, _rows(host, old.month, [due], by.now))
    new.replaces = old
    new.order_number = old.order_number or new.order_number
    new.save(force_insert=True)
    # Notices of the payer are for the charges, whichever statement they are on.
    old.notices.filter(state=PaymentNotice.State.REPORTED).update(statement=new)
    with connection.cursor() as cursor:
        cursor.execute(COPY_LINES, [new.pk, old.pk])
    issued = _issued(host, new, due, by.now)
    voided = {"state": old.state, "replaced_by": new.pk}
    before, reason = {"paid": old.paid}, reason.strip()
    trail.record_all(
        [Change(by, "statement.void", old, before, voided, reason, issued.places), replace(issued, by=by)]
    )
    enqueue(statement_messages("replaced", new), now=by.now)
    return new
