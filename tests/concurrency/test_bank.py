"""The same file twice, the same match twice, and one credit used twice, at the same moment."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.domain.roles import By
from bookings.bank.domain.books import Part
from bookings.bank.models import BankCredit, BankFile, BankTransaction
from bookings.bank.services import matches
from bookings.bank.services.credits import credit_use
from bookings.bank.services.files import GivenFile, file_read
from bookings.models import Payment, Statement
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statements_draw
from tests.concurrency.races import won
from tests.factories.cast import at
from tests.factories.money import APRIL, MARCH, charge_of, store

pytestmark = pytest.mark.concurrency
DATA = Path(__file__).parents[1] / "data" / "bank"
LATER = at("2026-04-10 09:00")


def test_a_file_is_read_once_booked_once_and_its_credit_used_once(real_cast, race):
    cast = real_cast
    store([charge_of(cast), charge_of(cast, total="212.00", covered="50.00")])
    statements_draw(month=MARCH, now=APRIL)
    by = By(cast.actor("gao"), LATER)
    content = (DATA / "march.xml").read_bytes()

    def read():
        return file_read(by, host=cast.ustc, given=GivenFile("march.xml", content))

    assert len(won(race([read] * 4))) == 1
    assert (BankFile.objects.count(), BankTransaction.objects.count()) == (1, 3)
    row, statement = BankTransaction.objects.get(position=1), Statement.objects.get()

    def book():
        return matches.matches_book(by, host=cast.ustc, transactions=[row.pk])

    def pay():
        return statement_pay(by, statement_id=statement.pk, paid=Paid(Decimal(268), date(2026, 3, 31)))

    winners = won(race([book, pay, book, pay]))
    assert len(winners) == 1 or (len(winners) == 2 and 1 in winners)  # paid by hand, and linked with it
    assert sum(Payment.objects.values_list("amount", flat=True)) == Decimal(268)
    row.refresh_from_db()
    if Payment.objects.get().paid_on != row.booked_on:  # it was paid by hand
        return
    matches.match_undo(by, match_id=row.matches.get().pk)

    def keep():
        given = matches.Given((Part(statement.pk, Decimal(200)),), Decimal(68), cast.fudan.pk)
        return matches.transaction_match(by, transaction_id=row.pk, given=given)

    assert len(won(race([keep] * 3))) == 1
    uses = [lambda: credit_use(by, statement_id=statement.pk, amount=Decimal(40))] * 3
    assert len(won(race(uses))) == 1
    assert BankCredit.objects.latest("position").balance == Decimal(28)
