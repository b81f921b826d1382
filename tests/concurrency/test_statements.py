"""Drawing up while charges become final, twice at the same moment, and while one is voided."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from bookings.charging.locks import lock_host_books
from bookings.charging.services.charges import charges_finalise
from bookings.models import Charge, ClosedMonth, Payment, Settlement, Statement, StatementLine
from bookings.record.domain.months import month_after, month_of
from bookings.settlement.selectors.books import charges_astray, check_statement, statements_astray
from bookings.settlement.services.payment_notices import payment_notice_match, payment_notice_report
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statement_void, statements_draw
from tests.concurrency.races import won
from tests.factories.cast import at
from tests.factories.money import charge_of, store

pytestmark = pytest.mark.concurrency


def become_final(charge, moment):
    """As a charge becomes final: under the books' lock, in the month of the moment, or the next
    that is not closed."""
    with transaction.atomic():
        host = lock_host_books(charge.host_id)
        month = month_of(moment, host.region.time_zone)
        while ClosedMonth.objects.filter(host=host, month=month).exists():
            month = month_after(month)
        Charge.objects.filter(pk=charge.pk).update(state="final", final_at=moment, month=month)


def months(so_many):
    month = date(2026, 3, 1)
    for _ in range(so_many):
        yield month, at(f"{month_after(month):%Y-%m}-01 00:10")
        month = month_after(month)


def numbers(host):
    found = Statement.objects.filter(host=host).order_by("year", "number")
    by_year = {}
    for year, number in found.values_list("year", "number"):
        by_year.setdefault(year, []).append(number)
    return by_year


def test_each_charge_is_on_exactly_one_statement(real_cast, race, rounds):
    """Charges become final in the last seconds of a month while it is drawn up: each is in the
    month or in the next, none in both, none in neither."""
    cast = real_cast
    made = []
    for month, first in months(rounds(1)):
        late = first - timedelta(minutes=11)
        charges = [
            charge_of(cast, (cast.fudan, cast.optics)[n % 2], month=None, covered="6.00") for n in range(16)
        ]
        for charge in charges[12:]:
            charge.open_until = late  # nobody has disputed them in time
        made += store(charges)
        race(
            [lambda c=c, t=late: become_final(c, t) for c in charges[:6]]
            + [lambda m=month, t=first: statements_draw(month=m, now=t)] * 2
            + [lambda c=c, t=late: become_final(c, t) for c in charges[6:12]]
            + [lambda t=first: charges_finalise(now=t)] * 2
        )
    statements_draw(month=month_after(month), now=first + timedelta(days=40))
    placed = Counter(StatementLine.objects.values_list("charge", flat=True))
    assert placed == Counter(c.pk for c in made)
    assert not charges_astray().exists()
    assert statements_astray() == []
    for row in Statement.objects.all():
        assert check_statement(row).agrees
        assert {c.charge.month for c in row.lines.select_related("charge")} == {row.month}
    for given in numbers(cast.ustc).values():
        assert given == list(range(1, len(given) + 1))
    # Drawn once each, whoever came first.
    assert Settlement.objects.count() == len(set(Settlement.objects.values_list("month")))


def test_drawn_by_many_at_the_same_moment(real_cast, race, rounds):
    cast = real_cast
    for month, first in months(rounds(2)):
        store([charge_of(cast, who, month=month, covered="6.00") for who in (cast.fudan, cast.optics)])
        drawn = race([lambda m=month, t=first: statements_draw(month=m, now=t)] * 6)
        assert sum(one.statements for one in drawn) == 2
        assert sum(one.hosts for one in drawn) == 1
        assert Settlement.objects.filter(month=month).count() == 1
        assert sum(one.settlements for one in drawn) == 1
    for given in numbers(cast.ustc).values():
        assert given == list(range(1, len(given) + 1))


def test_paid_and_voided_at_the_same_moment(real_cast, race, rounds):
    """Money is on a statement in force, or the statement is voided and has none; numbers stay
    without gaps, and two payments are never more than what is owed."""
    cast = real_cast
    gao = cast.actor("gao")
    for month, first in months(rounds(2)):
        store([charge_of(cast, month=month)])
        statements_draw(month=month, now=first)
        row = Statement.objects.get(month=month)
        pay = Paid(Decimal("60.00"), first.date() - timedelta(days=1))
        results = race(
            [
                lambda r=row, t=first, p=pay: statement_pay(By(gao, t), statement_id=r.pk, paid=p),
                lambda r=row, t=first: statement_void(By(gao, t), statement_id=r.pk, reason="Wrong name"),
                lambda r=row, t=first, p=pay: statement_pay(By(gao, t), statement_id=r.pk, paid=p),
            ]
        )
        assert len(won(results)) == 1
        assert sum(isinstance(r, Refused) for r in results) == 2
        row.refresh_from_db()
        in_force = Statement.objects.filter(month=month).exclude(state="voided")
        assert in_force.count() == 1
        assert row.paid == (0 if row.state == "voided" else 60)
        assert Payment.objects.filter(statement=row).count() == (row.state != "voided")
    for given in numbers(cast.ustc).values():
        assert given == list(range(1, len(given) + 1))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM bookings_statementline WHERE NOT is_void GROUP BY charge_id"
            " HAVING count(*) > 1"
        )
        assert cursor.fetchall() == []


def test_a_notice_is_matched_once_and_never_above_what_is_open(real_cast, race, rounds):
    """Two match the same notice while a third enters the payment by hand: one of them pays."""
    cast = real_cast
    gao, lin = cast.actor("gao"), cast.actor("lin")
    for month, first in months(rounds(2)):
        store([charge_of(cast, month=month)])
        statements_draw(month=month, now=first)
        row = Statement.objects.get(month=month)
        paid = Paid(row.payable, first.date() - timedelta(days=1))
        notice = payment_notice_report(By(lin, first), statement_id=row.pk, paid=paid)
        results = race(
            [
                lambda n=notice, t=first: payment_notice_match(By(gao, t), notice_id=n.pk),
                lambda r=row, t=first, p=paid: statement_pay(By(gao, t), statement_id=r.pk, paid=p),
                lambda n=notice, t=first: payment_notice_match(By(gao, t), notice_id=n.pk),
            ]
        )
        assert len(won(results)) == 1
        row.refresh_from_db()
        notice.refresh_from_db()
        assert (row.state, row.paid, row.payments.count()) == ("paid", row.payable, 1)
        assert (notice.state == "matched") == (notice.payment_id is not None)
        assert check_statement(row).agrees


def test_the_same_is_reported_at_the_same_moment(real_cast, race, rounds):
    cast = real_cast
    lin = cast.actor("lin")
    for month, first in months(rounds(2)):
        store([charge_of(cast, month=month)])
        statements_draw(month=month, now=first)
        row = Statement.objects.get(month=month)
        paid = Paid(Decimal("60.00"), first.date() - timedelta(days=1))
        results = race(
            [lambda r=row, t=first, p=paid: payment_notice_report(By(lin, t), statement_id=r.pk, paid=p)] * 3
        )
        assert len(won(results)) == 1 and row.notices.count() == 1


def test_matched_and_voided_at_the_same_moment(real_cast, race, rounds):
    """The money is on the statement in force, or the notice waits on the one that replaces it."""
    cast = real_cast
    gao, lin = cast.actor("gao"), cast.actor("lin")
    for month, first in months(rounds(2)):
        store([charge_of(cast, month=month)])
        statements_draw(month=month, now=first)
        row = Statement.objects.get(month=month)
        paid = Paid(row.payable, first.date() - timedelta(days=1))
        notice = payment_notice_report(By(lin, first), statement_id=row.pk, paid=paid)
        race(
            [
                lambda n=notice, t=first: payment_notice_match(By(gao, t), notice_id=n.pk),
                lambda r=row, t=first: statement_void(By(gao, t), statement_id=r.pk, reason="Wrong name"),
            ]
        )
        notice.refresh_from_db()
        assert notice.statement.state != "voided"
        assert (notice.statement.paid > 0) == (notice.state == "matched")
        assert Statement.objects.filter(month=month).exclude(state="voided").count() == 1
