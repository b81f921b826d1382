"""Drawing up a month's statements, and voiding one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation
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
SELECT s.id, row_number() OVER (PARTITION BY s.id ORDER BY r.start_at, c.id), c.id, false
FROM bookings_charge c
JOIN bookings_reservation r ON r.id = c.reservation_id
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
    payers = Organisation.objects.in_bulk({one.payer_id for one in due})
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


def statement_messages(kind: str, row: Statement, more: str = "") -> list[Effect]:
    """Return a message about a statement to the payer's finance, and a mail to its invoice address; for an
    internal note, of whatever kind, only one to finance."""
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
        Effect(
            kind=f"{group}.{kind}", key=f"{group}.{kind}:{row.pk}{more}", payload={"statement": str(row.pk)}
        )
        for group in groups
    ]


@transaction.atomic
def statements_remind(*, now: datetime) -> int:
    """Remind payers of overdue statements, on the first day and every thirty days after; return how many are
    overdue."""
    rows = statement_selectors.load_overdue(now)
    enqueue(
        [
            effect
            for row in rows
            for effect in statement_messages(
                "overdue",
                row,
                f":{statement_rules.reminder_of(row.due_date, statement_selectors.today_of(row, now))}",
            )
        ],
        now=now,
    )
    return len(rows)


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
