"""Within the European Union quote, charge, fee and statement agree that the payer owes the tax."""

from decimal import Decimal

import pytest

from accounts.models import Organisation, Region
from bookings.charging.selectors.replay import replay_all
from bookings.charging.services.corrections import reversal_row
from bookings.charging.services.ledger import charge_post
from bookings.models import Charge, Quote, Statement
from bookings.pricing.selectors.fees import PriceRequest, load_terms, price_of
from bookings.pricing.selectors.taxes import load_reversed_hosts
from bookings.record.domain.periods import Period
from bookings.settlement.adapters.einvoices import e_invoice
from bookings.settlement.selectors.papers import load_statement_paper
from bookings.settlement.selectors.statements import WITH
from bookings.settlement.services.statements import statements_draw
from tests.factories.cast import at, reserve
from tests.factories.charges import cancel, use
from tests.factories.money import APRIL, MARCH


@pytest.fixture
def union(cast):
    """The host in Germany and the payer in France, each with a number for value added tax."""
    for region, code in ((cast.anhui, "DE-BY"), (cast.shanghai, "FR-IDF")):
        Region.objects.filter(pk=region.pk).update(code=code, scheme="ISO 3166-2")
    for organisation, number in ((cast.ustc, "DE123456789"), (cast.fudan, "FR12345678901")):
        Organisation.objects.filter(pk=organisation.pk).update(tax_number=number)
    for row in (cast.ustc, cast.fudan, cast.anhui, cast.shanghai, cast.microscope):
        row.refresh_from_db()
    return cast


def stated(*charges):
    Charge.objects.update(state="final", final_at=at("2026-03-20 12:00"), month=MARCH)
    statements_draw(month=MARCH, now=APRIL)
    row = Statement.objects.select_related(*WITH, "replaces").get()
    return row, load_statement_paper(row)


def test_quote_charge_fee_and_statement_have_no_tax_and_say_why(union):
    charge = use(union, "2026-03-06 10:00", "2026-03-06 12:00")
    fee = cancel(union, "2026-03-09 10:00", "2026-03-09 12:00", "2026-03-09 08:00")
    for row in Quote.objects.all():
        assert row.inputs["reverse_charge"] is True
        assert Decimal(row.result["tax"]) == 0 and Decimal(row.inputs["card"]["tax_percent"]) == 0
    assert charge.tax == fee.tax == 0 and charge.total > 0 and fee.total > 0
    statement, paper = stated()
    assert statement.tax == 0 and paper.tax_note == "reverse_charge"
    assert [one.percent for one in paper.taxes] == [0]
    replayed = list(replay_all())
    assert len(replayed) == 4 and not any(found.differences for found in replayed)


def test_each_charge_of_a_statement_says_itself_who_owes_the_tax(union):
    """One charge is taxed, one is not; the payer's number is gone by the time of the statement, and a
    reversal says what the charge said that it reverses."""
    use(union, "2026-03-06 10:00", "2026-03-06 12:00")
    third = use(union, "2026-03-10 10:00", "2026-03-10 12:00")
    Organisation.objects.filter(pk=union.fudan.pk).update(tax_number="")
    for row in (union.fudan, union.microscope):
        row.refresh_from_db()
    taxed = use(union, "2026-03-09 10:00", "2026-03-09 12:00")
    assert taxed.tax > 0
    back = reversal_row(third, at("2026-03-20 12:00"), kind="reversal")
    back.save(force_insert=True)
    charge_post(charge=back, now=back.created_at)
    _, paper = stated()
    assert paper.tax_note == "reverse_charge"
    percents = sorted((one.percent > 0, one.is_reversed) for one in paper.taxes)
    assert percents == [(False, True), (True, False)]
    of_lines = {line.charge: (line.tax_percent > 0, line.is_reversed) for line in paper.lines}
    assert of_lines[taxed.pk] == (True, False) and of_lines[back.pk] == (False, True)
    content = e_invoice(paper).decode()
    assert content.count(">AE<") == 4 and content.count(">S<") == 2 and ">E<" not in content


def test_a_booking_of_before_keeps_its_tax_and_new_ones_have_none(cast):
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    before = Quote.objects.get(reservation=made)
    assert "reverse_charge" not in before.inputs and Decimal(before.result["tax"]) > 0


@pytest.mark.parametrize(
    ("host", "payer", "numbers"),
    [
        (("anhui", None), ("shanghai", None), ("91340000", "91310000")),  # both in China
        (("anhui", "DE-BY"), ("shanghai", "FR-IDF"), ("DE123456789", "")),
        (("anhui", "DE-BY"), ("shanghai", "DE-BE"), ("DE123456789", "DE987654321")),
        (("anhui", "DE-BY"), ("shanghai", "GB-SCT"), ("DE123456789", "GB123456789")),
        (("anhui", "DE-BY"), ("shanghai", None), ("DE123456789", "91310000")),
    ],
)
def test_everybody_else_pays_the_tax_of_the_card(cast, host, payer, numbers):
    for name, code in (host, payer):
        if code:
            Region.objects.filter(pk=getattr(cast, name).pk).update(code=code, scheme="ISO 3166-2")
    for organisation, number in zip((cast.ustc, cast.fudan), numbers, strict=True):
        Organisation.objects.filter(pk=organisation.pk).update(tax_number=number)
    for row in (cast.ustc, cast.fudan, cast.anhui, cast.shanghai, cast.microscope):
        row.refresh_from_db()
    charge = use(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    assert charge.tax > 0
    assert load_reversed_hosts(cast.fudan) == []


def test_the_hosts_of_which_the_search_knows_are_those_of_the_rule(union):
    payer = Organisation.objects.select_related("region").get(pk=union.fudan.pk)
    assert load_reversed_hosts(payer) == [union.ustc.pk]
    assert load_reversed_hosts(None) == []
    period = Period(at("2026-03-06 10:00"), at("2026-03-06 12:00"))
    terms = load_terms(union.microscope, payer, period.start)
    price = price_of(union.microscope, terms, PriceRequest(period))
    assert terms.is_reversed and price is not None and price.tax == 0 and price.total == price.subtotal
