"""The pages of statements, settlements and rates."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings.models import ExchangeRate, PaymentNotice, Settlement, Statement
from bookings.settlement.services.statements import statements_draw
from tests.factories.money import APRIL, MARCH, charge_of, store


@pytest.fixture
def drawn(cast, monkeypatch):
    store([charge_of(cast), charge_of(cast, total="212.00", covered="50.00")])
    statements_draw(month=MARCH, now=APRIL)
    monkeypatch.setattr(timezone, "now", lambda: APRIL + timedelta(hours=1))
    return cast, Statement.objects.get()


def browser(cast, who):
    client = Client()
    client.force_login(cast.people[who])
    return client


def read(answer):
    return " ".join(answer.content.decode().split())


def test_the_payer_reads_it(drawn):
    cast, row = drawn
    lin = browser(cast, "lin")
    page = read(lin.get("/money/statements/"))
    assert "USTC-2026-0001" in page and "CNY 268.00" in page
    page = read(lin.get(f"/money/statements/{row.pk}/"))
    for part in ("Transmission electron microscope", "At 6 % tax", "−CNY 50.00", "Wang Li", "1 h"):
        assert part in page, part
    assert "Record a payment" not in page and "Void and draw up again" not in page
    assert "Checked against the ledger" not in page
    assert "None in this state" in read(lin.get("/money/statements/?state=overdue"))


def test_the_host_marks_payments_and_voids(drawn):
    cast, row = drawn
    gao, address = browser(cast, "gao"), f"/money/statements/{row.pk}/"
    page = read(gao.get(address))
    assert "Record a payment" in page and 'value="268.00"' in page
    assert "Checked against the ledger" in page and "does not agree" not in page
    assert '<h1 class="page-title">Statement USTC-2026-0001</h1>' in page
    paid = {"act": "paid", "amount": "100", "paid_on": "2026-04-01", "version": "1"}
    wrong = gao.post(f"{address}pay/", paid | {"amount": "300"})
    assert wrong.status_code == 400
    assert "At most 268.00 CNY is still to pay." in read(wrong)
    assert 'value="300"' in read(wrong)
    stale = gao.post(f"{address}pay/", paid | {"version": "9"})
    assert stale.status_code == 412
    assert gao.post(f"{address}pay/", paid).status_code == 302
    assert "CNY 168.00" in read(gao.get(address))
    refused = gao.post(f"{address}void/", {"reason": "Name"})
    assert refused.status_code == 409
    assert "reverse that payment first" in read(refused)
    assert gao.post(f"{address}pay/", paid | {"act": "back", "version": "2"}).status_code == 302
    assert gao.post(f"{address}void/", {"reason": ""}).status_code == 400
    done = gao.post(f"{address}void/", {"reason": "Name"})
    assert done.status_code == 302
    new = Statement.objects.exclude(pk=row.pk).get()
    assert str(new.pk) in done["Location"]
    assert "USTC-2026-0001" in read(gao.get(done["Location"]))
    page = read(gao.get(address))
    assert "Voided on" in page and "USTC-2026-0002" in page and "Record a payment" not in page


def test_the_payer_reports_a_payment_and_the_host_matches_it(drawn):
    cast, row = drawn
    lin, gao, address = browser(cast, "lin"), browser(cast, "gao"), f"/money/statements/{row.pk}/"
    page = read(lin.get(address))
    assert "We have paid" in page and 'value="268.00"' in page
    assert "We have paid" not in read(gao.get(address))
    paid = {"amount": "268.00", "paid_on": "2026-04-01", "reference": "T <1>", "version": "1"}
    wrong = lin.post(f"{address}notices/", paid | {"amount": "300", "paid_on": "2026-04-09"})
    assert wrong.status_code == 400
    assert "is in the future" in read(wrong)
    assert lin.post(f"{address}notices/", paid).status_code == 302
    assert lin.post(f"{address}notices/", paid).status_code == 409
    page = read(gao.get(address))
    assert "T &lt;1&gt;" in page and "Payment received: record it" in page
    assert 'data-waits="notices" data-number="1"' in read(gao.get("/money/"))
    assert "USTC-2026-0001" in read(gao.get("/money/payment-notices/?waits=notices"))
    notice = PaymentNotice.objects.get()
    act = f"/money/payment-notices/{notice.pk}/"
    assert gao.post(f"{act}refuse/", {"reason": ""}).status_code == 400
    assert lin.post(f"{act}match/").status_code == 403
    assert gao.post(f"{act}match/", {"version": "1"}).status_code == 302
    assert gao.post(f"{act}match/").status_code == 409
    row.refresh_from_db()
    assert (row.state, str(row.paid)) == ("paid", "268.000")
    page = read(gao.get(address))  # nothing more can arrive: it can only be taken back
    assert "Reverse a payment" in page and "Record a payment" not in page
    assert 'value="back"' in page and 'value="paid"' not in page and "Payment received" not in page
    again = gao.post(f"{address}pay/", paid | {"act": "paid", "version": str(row.version)})
    assert again.status_code == 400 and "Reverse a payment" not in read(again)
    assert browser(cast, "hu").post(f"{act}match/").status_code == 404


def test_details_and_what_is_missing_of_them(drawn):
    cast, row = drawn
    address = f"/money/statements/{row.pk}/"
    page = read(browser(cast, "gao").get(address))
    assert "does not show your legal name, address, tax number, bank account" in page
    for page in ("/money/", "/home/"):
        assert "do not show its legal name" in read(browser(cast, "gao").get(page))
    page = read(browser(cast, "lin").get(address))
    assert "does not say" not in page
    assert "No bank account has been entered: please ask where to pay." in page
    Statement.objects.update(
        parties={
            "host": {
                "name": "USTC", "name_zh": "", "legal_name": "The <University>", "tax_number": "9",
                "address": "A road\nHefei", "bank_account": "Bank\n1764",
                "bank_account_changed_on": "2026-03-05",
            },
            "payer": {**row.parties["payer"], "legal_name": "Fudan"},
        }
    )  # fmt: skip
    page = read(browser(cast, "lin").get(address))
    for part in ("The &lt;University&gt;", "A road<br>Hefei", "Bank<br>1764", "changed recently"):
        assert part in page, part


def test_both_coordinators_confirm_and_the_one_that_is_owed_marks_it(drawn):
    cast, _ = drawn
    xu, anhui = browser(cast, "xu"), browser(cast, "coordinator")
    address = f"/money/settlements/{Settlement.objects.get().pk}/"
    assert "Your confirmation is needed" in read(xu.get("/money/settlements/"))
    page = read(xu.get(address))
    assert "Confirm for Shanghai" in page and "Confirm for Anhui" not in page
    assert xu.post(f"{address}confirm/", {"region": "CN-SH"}).status_code == 302
    assert xu.post(f"{address}confirm/", {"region": "CN-SH"}).status_code == 409
    assert "Record a payment" not in read(anhui.get(address))
    assert anhui.post(f"{address}confirm/", {}).status_code == 302
    assert "Record a payment" in read(anhui.get(address))
    assert "Record a payment" not in read(xu.get(address))
    paid = {"act": "paid", "amount": "50", "paid_on": "2026-04-01"}
    assert anhui.post(f"{address}pay/", paid).status_code == 302
    assert "Shanghai pays Anhui" in read(xu.get(address))
    assert Settlement.objects.get().state == "paid"


def test_a_rate_is_entered_and_a_statement_shown_at_it(drawn):
    cast, row = drawn
    lin = browser(cast, "lin")
    said = {
        "organisation": "fudan",
        "base": "cny",
        "quote": "EUR",
        "rate": "0.13",
        "valid_on": "2026-04-01",
        "source": "A bank",
    }
    wrong = lin.post("/money/rates/", said | {"quote": "CNY", "valid_on": "2026-04-09"})
    assert wrong.status_code == 400
    assert "two different currencies" in read(wrong) and "is in the future" in read(wrong)
    assert lin.post("/money/rates/", said).status_code == 302
    assert "1 CNY = 0.13 EUR" in read(lin.get("/money/rates/"))
    address = f"/money/statements/{row.pk}/"
    assert "Show it in your currency" in read(lin.get(address))
    rate = ExchangeRate.objects.get()
    assert lin.post(f"{address}rate/", {"exchange_rate": str(rate.pk)}).status_code == 302
    assert "EUR 34.84" in read(lin.get(address))


def test_files_are_saved_under_the_number(drawn):
    cast, row = drawn
    lin = browser(cast, "lin")
    answer = lin.get(f"/money/statements/{row.pk}/pdf/?lang=zh-hans")
    assert answer["Content-Type"] == "application/pdf"
    assert 'filename="USTC-2026-0001.pdf"' in answer["Content-Disposition"]
    assert lin.get(f"/money/statements/{row.pk}/csv/")["Content-Type"].startswith("text/csv")


def test_as_many_statements_whatever_the_lines(drawn):
    cast, _ = drawn
    lin, counts = browser(cast, "lin"), []
    lin.get("/money/statements/")  # what waits is counted once a minute
    store([charge_of(cast, month=MARCH.replace(month=4)) for _ in range(90)])
    statements_draw(month=MARCH.replace(month=4), now=APRIL + timedelta(days=30))
    for one in Statement.objects.order_by("month"):
        with CaptureQueriesContext(connection) as caught:
            lin.get(f"/money/statements/{one.pk}/")
        counts.append(len(caught))
    assert counts[0] == counts[1] <= 24


def test_amounts_are_taken_as_they_are_written(drawn):
    cast, row = drawn
    gao, address = browser(cast, "gao"), f"/money/statements/{row.pk}/pay/"
    paid = {"act": "paid", "paid_on": "2026-04-01", "version": "1"}
    other = gao.post(address, paid | {"amount": "GBP 100.00"})
    assert other.status_code == 400 and "Enter the amount in CNY." in read(other)
    assert gao.post(address, paid | {"amount": "CNY 100.50"}).status_code == 302
    row.refresh_from_db()
    assert str(row.paid).startswith("100.5")


def test_a_void_statement_says_that_its_tax_invoice_is_reversed(drawn):
    cast, row = drawn
    gao, address = browser(cast, "gao"), f"/money/statements/{row.pk}/"
    assert "红冲" not in read(gao.get(address))
    Statement.objects.filter(pk=row.pk).update(invoice_number="25342")
    assert "The tax invoice 25342 was issued for it: reverse it" in read(gao.get(address))
    gao.post(f"{address}void/", {"reason": "Name", "version": "1"})
    new = Statement.objects.get(replaces=row)
    said = "The tax invoice 25342 was issued for USTC-2026-0001, which is void"
    assert said in read(gao.get(f"/money/statements/{new.pk}/"))
    assert said not in read(browser(cast, "lin").get(f"/money/statements/{new.pk}/"))


def test_an_internal_note_has_no_tax_to_show(cast, monkeypatch):
    charge = charge_of(cast, cast.ustc)
    charge.tax = 0
    store([charge])
    statements_draw(month=MARCH, now=APRIL)
    monkeypatch.setattr(timezone, "now", lambda: APRIL + timedelta(hours=1))
    page = read(browser(cast, "gao").get(f"/money/statements/{Statement.objects.get().pk}/"))
    lines = page.partition('id="lines-title"')[2].partition("</table>")[0]
    assert "Recharged internally" in lines
    assert not any(word in lines for word in ("Tax", "Voucher", "% tax", "Payable"))


def test_a_host_that_payers_abroad_cannot_pay_is_told(drawn):
    cast, row = drawn
    gao, address = browser(cast, "gao"), f"/money/statements/{row.pk}/"
    needs = "The payer is in another country and needs your BIC"
    parties = row.parties
    parties["host"] |= {"country": "CN", "account_number": "1234"}
    parties["payer"] |= {"country": "DE"}
    Statement.objects.filter(pk=row.pk).update(parties=parties)
    assert needs in read(gao.get(address))
    assert needs not in read(browser(cast, "lin").get(address))
    parties["host"]["bic"] = "USTCCNBH"
    Statement.objects.filter(pk=row.pk).update(parties=parties)
    assert needs not in read(gao.get(address))
