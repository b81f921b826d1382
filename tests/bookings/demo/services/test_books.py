"""The books of the demonstration's past."""

from bookings.demo.services import books
from bookings.models import Statement
from tests.factories.money import APRIL, MARCH, charge_of, store


def test_an_internal_note_is_paid_by_nobody(cast, monkeypatch):
    """Others pay their statements of a month; what an organisation charged itself stays a note."""
    monkeypatch.setattr(books, "PAID", 1)
    monkeypatch.setattr(books, "PART_PAID", 1)
    store([charge_of(cast), charge_of(cast, cast.ustc)])
    books.statements_draw(month=MARCH, now=APRIL)
    books._pay(MARCH, APRIL.replace(month=6))
    paid = dict(Statement.objects.values_list("payer__code", "state"))
    assert paid == {"fudan": "paid", "ustc": "issued"}
