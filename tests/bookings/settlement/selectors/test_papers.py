"""Invoice details on statements: kept as they were, sent by mail, and told where missing."""

from datetime import timedelta

import pytest
from django.core import mail

from accounts.domain.roles import By
from accounts.services.organisations import invoice_details_set
from bookings.models import Earmark, Statement
from bookings.overview.services.effects import effects_carry_out
from bookings.settlement.selectors.papers import (
    load_invoicing,
    load_payers_unnamed,
    load_statement_paper,
    parties_of,
    reads_sources,
    sources_of,
)
from bookings.settlement.selectors.statements import WITH
from bookings.settlement.services.statements import statement_void, statements_draw, statements_remind
from tests.factories.funding import source
from tests.factories.money import APRIL, MARCH, charge_of, store

USTC = {
    "legal_name": "University of Science and Technology of China",
    "address": "96 Jinzhai Road\nHefei",
    "tax_number": "12100000485001086E",
    "bank_account": "Bank of China\n1764 0001 2345",
}
FUDAN = {"legal_name": "复旦大学", "bank_account": "ICBC 1001", "invoice_email": "invoices@fudan.example"}


def details(cast, now=APRIL - timedelta(days=90), **values):
    for who, organisation, named in (("gao", cast.ustc, USTC), ("lin", cast.fudan, FUDAN)):
        invoice_details_set(By(cast.actor(who), now), organisation_id=organisation.pk, details=named | values)


def draw(cast, total="106.00"):
    store([charge_of(cast, total=total)])
    statements_draw(month=MARCH, now=APRIL)
    return Statement.objects.select_related(*WITH).get()


def test_they_are_kept_as_they_were(cast):
    details(cast)
    row = draw(cast)
    details(cast, now=APRIL + timedelta(days=1), address="Elsewhere", bank_account="Another 9")
    row = Statement.objects.select_related(*WITH).get()
    parties = parties_of(row)
    assert parties.is_kept
    assert (parties.host.address, parties.host.bank_account) == (
        "96 Jinzhai Road\nHefei",
        "Bank of China\n1764 0001 2345",
    )
    assert parties.host.bank_account_changed_on == (APRIL - timedelta(days=90)).date()
    assert parties.payer.legal_name == "复旦大学"
    assert (parties.host.missing, parties.payer.missing) == ([], ["address", "tax_number", "bank_account"])
    new = statement_void(By(cast.actor("gao"), APRIL), statement_id=row.pk, reason="Bank")
    assert parties_of(new).host.bank_account == "Another 9"


def test_a_host_reads_the_payers_account_only_where_it_pays(cast):
    details(cast)
    assert parties_of(draw(cast)).payer.bank_account == ""
    store([charge_of(cast, total="-212.00", month=MARCH.replace(month=4))])
    statements_draw(month=MARCH.replace(month=4), now=APRIL + timedelta(days=31))
    assert parties_of(Statement.objects.get(payable__lt=0)).payer.bank_account == "ICBC 1001"


def test_one_from_before_shows_the_present_ones_and_says_so(cast):
    row = draw(cast)
    Statement.objects.update(parties=None)
    details(cast)
    row = Statement.objects.select_related(*WITH).get(pk=row.pk)
    assert not parties_of(row).is_kept
    assert parties_of(row).host.legal_name == USTC["legal_name"]


def test_what_is_missing_blocks_nothing_and_is_told_to_the_finance_of_both(cast):
    assert parties_of(draw(cast)).host.missing == ["legal_name", "address", "tax_number", "bank_account"]
    ((organisation, missing),) = load_invoicing(cast.actor("gao"))
    assert (organisation, len(missing)) == (cast.ustc, 4)
    # Who only pays needs no bank account.
    assert load_invoicing(cast.actor("lin")) == [(cast.fudan, ["legal_name", "address", "tax_number"])]
    assert load_invoicing(cast.actor("zhao")) == []


def test_a_mail_goes_to_the_invoice_address_once(cast):
    details(cast)
    draw(cast)
    for _ in range(2):
        effects_carry_out(now=APRIL)
        statements_draw(month=MARCH, now=APRIL)
    sent = [m for m in mail.outbox if m.to == ["invoices@fudan.example"]]
    assert [m.subject for m in sent] == ["Statement USTC-2026-0001 of USTC"]
    ((name, content, kind),) = [tuple(a) for a in sent[0].attachments]
    assert (name, kind) == ("USTC-2026-0001.pdf", "application/pdf")
    assert content.startswith(b"%PDF-")
    assert sent[0].body.startswith("Hello Fudan University,")
    late = APRIL + timedelta(days=31)
    statements_remind(now=late)
    statements_remind(now=late)
    effects_carry_out(now=late)
    sent = [m.subject for m in mail.outbox if m.to == ["invoices@fudan.example"]]
    assert sent[1:] == ["Overdue: statement USTC-2026-0001 of USTC, Fri 1 May"]


@pytest.mark.parametrize("address", ["", "LIN@fudan.example"])
def test_no_second_mail_without_an_address_or_to_who_is_told_already(cast, address):
    details(cast, invoice_email=address)
    draw(cast)
    effects_carry_out(now=APRIL)
    told = [m.to for m in mail.outbox if m.subject.startswith("Statement ")]
    assert told == [["lin@fudan.example"]]


def test_the_invoice_mail_of_a_voided_statement_is_not_sent(cast):
    details(cast)
    row = draw(cast)
    statement_void(By(cast.actor("gao"), APRIL), statement_id=row.pk, reason="Name")
    effects_carry_out(now=APRIL)
    sent = [m.subject for m in mail.outbox if m.to == ["invoices@fudan.example"]]
    assert sent == ["Statement USTC-2026-0002 of USTC, instead of USTC-2026-0001"]


def test_payers_without_an_address_are_named_before_the_month_is_drawn_up(cast, django_assert_num_queries):
    details(cast)
    store([charge_of(cast), charge_of(cast, payer=cast.ustc)])
    gao = cast.actor("gao")
    with django_assert_num_queries(1):
        ((payer, missing),) = load_payers_unnamed(gao)
    assert (payer, missing) == (cast.fudan, ["address", "tax_number"])
    for who in ("lin", "wang", "chen"):
        assert load_payers_unnamed(cast.actor(who)) == []
    statements_draw(month=MARCH, now=APRIL)
    assert load_payers_unnamed(gao) == []  # they stand on the statement now
    store([charge_of(cast, month=None)])
    assert len(load_payers_unnamed(gao)) == 1
    details(cast, address="220 Handan Road", tax_number="1")
    assert load_payers_unnamed(gao) == []


def test_only_the_payers_side_reads_from_which_source_it_is_paid(cast):
    row = draw(cast)
    (line,) = row.lines.select_related("charge__reservation")
    Earmark.objects.create(
        reservation=line.charge.reservation, source=source(cast), percent=100, redeemed=106, created_at=APRIL,
    )  # fmt: skip
    assert sources_of(row) == {line.charge.reservation_id: "NSFC-17"}
    assert [reads_sources(cast.actor(who), row) for who in ("lin", "gao")] == [True, False]
    shown = [load_statement_paper(row, given).lines[0].sources for given in (sources_of(row), None)]
    assert shown == ["NSFC-17", ""]
