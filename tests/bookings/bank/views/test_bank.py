"""The pages of bank files: upload, the certain ones in one click, by hand, credit on a statement."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from accounts.domain.roles import By
from bookings.bank.adapters.samples import sample_read
from bookings.bank.models import BankCredit, BankFile, BankMapping, BankTransaction
from bookings.models import Payment, Statement
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statements_draw
from tests.accounts.pages import page_of
from tests.factories.cast import at
from tests.factories.money import APRIL, MARCH, charge_of, store

DATA = Path(__file__).parents[3] / "data" / "bank"
LATER = at("2026-04-10 09:00")


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: LATER)


@pytest.fixture
def gao(cast, client):
    """Fudan owes USTC 268, and Gao Lei, finance of USTC, is signed in."""
    store([charge_of(cast), charge_of(cast, total="212.00", covered="50.00")])
    statements_draw(month=MARCH, now=APRIL)
    client.force_login(cast.people["gao"])
    return client


def upload(client, name="march.xml", **more):
    organisation = str(Statement.objects.get().host_id)
    file = SimpleUploadedFile(name, (DATA / name).read_bytes())
    return client.post(
        reverse("bookings:money-bank-files"), {"organisation": organisation, "file": file} | more
    )


def test_a_file_is_read_and_the_certain_ones_booked_in_one_click(gao):
    answer = upload(gao)
    file = BankFile.objects.get()
    address = reverse("bookings:money-bank-file", args=[file.pk])
    assert answer.url == address
    page = page_of(gao.get(address))
    assert "Match the certain one" in page
    assert "bank transactions to match" in page_of(gao.get("/home/"))
    first = BankTransaction.objects.get(position=1)
    answer = gao.post(
        reverse("bookings:money-bank-book-certain"), {"file": str(file.pk), "transaction": [str(first.pk)]}
    )
    assert answer.url == address
    assert Statement.objects.get().state == "paid"
    again = gao.post(
        reverse("bookings:money-bank-book-certain"), {"file": str(file.pk), "transaction": [str(first.pk)]}
    )
    assert again.status_code == 409
    assert Payment.objects.count() == 1
    statement = page_of(gao.get(reverse("bookings:money-statements-one", args=[Statement.objects.get().pk])))
    assert reverse("bookings:money-bank-one", args=[first.pk]) in statement
    assert page_of(gao.get(reverse("bookings:money-bank-one", args=[first.pk])))
    assert page_of(gao.get(reverse("bookings:money-bank")))


def test_the_same_file_again_and_another_account_are_refused_on_the_page(gao):
    upload(gao)
    assert upload(gao).status_code == 409
    wrong = SimpleUploadedFile("x.xml", (DATA / "march.xml").read_bytes().replace(b"110060149018010", b"9"))
    organisation = str(Statement.objects.get().host_id)
    answer = gao.post(reverse("bookings:money-bank-files"), {"organisation": organisation, "file": wrong})
    assert answer.status_code == 400
    assert "confirm that it is" in answer.content.decode()


def test_by_hand_with_credit_that_is_used_on_the_statement(gao, cast):
    upload(gao)
    row = BankTransaction.objects.get(position=1)
    statement = Statement.objects.get()
    body = {
        "statement": [str(statement.pk)],
        f"amount_{statement.pk}": "200.00",
        "amount": "CNY 50.00",
        "payer": str(cast.fudan.pk),
        "version": "1",
    }
    address = reverse("bookings:money-bank-by-hand", args=[row.pk])
    too_much = gao.post(address, body | {"amount": "80"})
    assert too_much.status_code == 400
    assert "68.00 CNY" in too_much.content.decode() or "268.00 CNY" in too_much.content.decode()
    assert not Payment.objects.exists()
    assert gao.post(address, body).status_code == 302
    row.refresh_from_db()
    assert row.state == "part"
    page = page_of(gao.get(reverse("bookings:money-statements-one", args=[statement.pk])))
    assert "Pay out of the credit" in page
    statement.refresh_from_db()
    use = reverse("bookings:money-statements-use-credit", args=[statement.pk])
    assert gao.post(use, {"amount": "51", "version": str(statement.version)}).status_code == 409
    assert gao.post(use, {"amount": "50", "version": str(statement.version)}).status_code == 302
    used = BankCredit.objects.get(kind="used")
    assert used.balance == 0
    assert gao.post(reverse("bookings:money-bank-credit-return", args=[used.pk])).status_code == 302
    assert BankCredit.objects.count() == 3


def test_a_format_is_described_and_reads_a_file(gao):
    body = {
        "name": "ICBC", "delimiter": "comma", "encoding": "gb18030", "date_format": "YYYY年MM月DD日",
        "skipped_lines": "1", "account": "1100", "currency": "CNY", "column_booked_on": "交易日期",
        "column_debit": "借方金额", "column_credit": "贷方金额", "column_purpose": "摘要",
        "column_name": "对方户名",
    }  # fmt: skip
    address = reverse("bookings:money-bank-formats")
    wrong = gao.post(address, body | {"date_format": "soon"})
    assert wrong.status_code == 400
    assert gao.post(address, body).status_code == 302
    mapping = BankMapping.objects.get()
    assert page_of(gao.get(f"{address}?format_id={mapping.pk}"))
    assert upload(gao, "march.csv", mapping=str(mapping.pk)).status_code == 302
    assert BankTransaction.objects.count() == 2
    assert gao.post(reverse("bookings:money-bank-format-forget", args=[mapping.pk])).status_code == 302


def test_a_sample_fills_in_the_form_of_a_format(gao):
    address = reverse("bookings:money-bank-formats")
    sample = SimpleUploadedFile("march.csv", (DATA / "march.csv").read_bytes())
    answer = gao.post(address, {"sample": sample})
    form = answer.context["form"]
    guessed = {name: form[name].value() for name in form.fields}
    assert guessed | {
        "encoding": "gb18030", "delimiter": "comma", "skipped_lines": 1, "date_format": "YYYY年MM月DD日",
        "column_booked_on": "交易日期", "column_debit": "借方金额", "column_credit": "贷方金额",
        "column_name": "对方户名", "column_counter_account": "对方账号", "column_purpose": "摘要",
        "column_bank_reference": "流水号", "column_amount": "",
    } == guessed  # fmt: skip
    assert '<option value="借方金额">' in answer.content.decode()
    body = {name: value for name, value in guessed.items() if value not in (None, False)}
    assert gao.post(address, body | {"name": "ICBC", "account": "1100", "currency": "CNY"}).status_code == 302
    page = page_of(gao.get(address))
    assert "1100" in page and "借方金额" in page
    wrong = gao.post(address, {"sample": SimpleUploadedFile("x.csv", b"nothing here")})
    assert wrong.status_code == 400
    assert "No line with the names of columns" in wrong.content.decode()


@pytest.mark.parametrize(
    ("text", "format", "days", "columns"),
    [
        ("Buchungstag;Betrag;Name\n01.04.2026;-1.079,68;X\n", "semicolon", "DD.MM.YYYY", 3),
        ("Date,Amount,Balance\n13/04/2026,5.00,9.00\n", "comma", "DD/MM/YYYY", 2),
    ],
)
def test_samples_of_other_banks(text, format, days, columns):
    found = sample_read(text.encode())
    assert (found.delimiter, found.date_format, len(found.columns)) == (format, days, columns)
    assert found.is_decimal_comma is (format == "semicolon")


def test_the_command_reads_a_file(gao, cast):
    path = str(DATA / "march.sta")
    with pytest.raises(CommandError):
        call_command("read_bank_file", path, "--by", "wang@fudan.example")
    call_command("read_bank_file", path, "--by", cast.people["gao"].email)
    assert BankTransaction.objects.count() == 3
    with pytest.raises(CommandError):
        call_command("read_bank_file", path, "--by", cast.people["gao"].email)


def test_a_payment_entered_before_its_file_is_linked_in_one_click_and_unlinked(cast, gao):
    row = Statement.objects.get()
    paid = Paid(Decimal(268), date(2026, 3, 31))
    statement_pay(By(cast.actor("gao"), at("2026-04-02 09:00")), statement_id=row.pk, paid=paid)
    upload(gao)
    first = BankTransaction.objects.get(position=1)
    address = reverse("bookings:money-bank-one", args=[first.pk])
    page = page_of(gao.get(address))
    assert "already entered on Thu 2 Apr 2026 by Gao Lei" in page
    assert "Link it" in page
    answer = gao.post(reverse("bookings:money-bank-book", args=[first.pk]), {"version": 1, "number": 0})
    assert answer.url == address
    assert "The payment was entered on Thu 2 Apr 2026 by Gao Lei" in page_of(gao.get(address))
    match = first.matches.get()
    assert gao.get(f"/api/v1/bank-matches/{match.pk}/").json()["payment"] == str(match.payment_id)
    assert gao.post(reverse("bookings:money-bank-match-undo", args=[match.pk])).url == address
    assert "Link it" in page_of(gao.get(address))
    assert Payment.objects.count() == 1


def test_the_list_sums_up_what_is_left_to_match(gao):
    upload(gao)
    page = page_of(gao.get(reverse("bookings:money-bank") + "?waits=match"))
    assert "Total of this list" in page
    assert "3 transactions to match in CNY" in page
    assert "CNY 278.00" in page


def test_what_cannot_be_matched_by_hand_is_said_in_its_own_words(gao):
    upload(gao)
    came_in, went_out = BankTransaction.objects.get(position=1), BankTransaction.objects.get(position=3)
    answer = gao.post(reverse("bookings:money-bank-by-hand", args=[came_in.pk]), {"version": "1"})
    assert answer.status_code == 400
    assert "Choose at least one statement" in answer.content.decode()
    page = page_of(gao.get(reverse("bookings:money-bank-one", args=[went_out.pk])))
    assert "Credit paid out" in page
    assert "Keep as credit" not in page


@pytest.mark.parametrize("text", ["1e2", "1E+2", "NaN", "Infinity", "1_00", "-5", "1.0000", ""])
def test_an_amount_that_is_none_is_refused_and_named(gao, text):
    upload(gao)
    row, statement = BankTransaction.objects.get(position=1), Statement.objects.get()
    body = {"statement": [str(statement.pk)], f"amount_{statement.pk}": text, "version": "1"}
    answer = gao.post(reverse("bookings:money-bank-by-hand", args=[row.pk]), body)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert f"“{text or '–'}” is no amount for a statement: enter one above 0 (decimals: at most 2)." in page
    assert not answer.context["hand_form"]["amount"].errors
    assert not text or f'value="{text}"' in page
    body = {"act": "paid", "amount": text, "paid_on": "2026-04-02", "version": str(statement.version)}
    paid = gao.post(reverse("bookings:money-statements-pay", args=[statement.pk]), body)
    assert paid.status_code == 400
    assert not Payment.objects.exists()


def test_a_payment_of_a_wrong_year_is_refused(gao):
    statement = Statement.objects.get()
    address = reverse("bookings:money-statements-pay", args=[statement.pk])
    body = {"act": "paid", "amount": "1,0.00", "paid_on": "2020-01-01", "version": str(statement.version)}
    for day, amount in (("2020-01-01", "10.00"), ("2025-11-28", "10.00")):
        answer = gao.post(address, body | {"paid_on": day, "amount": amount})
        assert answer.status_code == 400
        assert "long before the month of the charges (2026-03)" in answer.content.decode()
    assert not Payment.objects.exists()
    assert gao.post(address, body | {"paid_on": "2025-12-15", "amount": "100.00"}).status_code == 302
    api = gao.post(
        f"/api/v1/statements/{statement.pk}/payments/",
        {"amount": "1e2", "paid_on": "2026-04-02"},
        content_type="application/json",
    )
    assert api.status_code == 400
    assert Payment.objects.get().amount == 100


def test_a_csv_file_without_a_format_says_what_is_missing(gao):
    page = upload(gao, "march.csv")
    assert page.status_code == 400
    assert "Choose the format of this CSV file, or describe it first." in page.content.decode()
    assert "Describe how your bank writes CSV files" in page.content.decode()


def test_a_file_is_taken_back_and_ticked_transactions_are_set_aside(gao, cast):
    upload(gao)
    file = BankFile.objects.get()
    first, second, third = BankTransaction.objects.order_by("position")
    address = reverse("bookings:money-bank-file", args=[file.pk])
    assert "Take the file back" in page_of(gao.get(address))
    many = reverse("bookings:money-bank-set-aside-many")
    chosen = {"chosen": [str(second.pk), str(third.pk)], "reason": ""}
    wrong = gao.post(many, chosen | {"file": str(file.pk)})
    assert wrong.status_code == 400
    assert wrong.content.decode().count("checked") >= 2
    none = gao.post(many, {"reason": "Not ours"})
    assert none.status_code == 400
    assert "Choose at least one transaction." in none.content.decode()
    assert gao.post(many, chosen | {"reason": "Not ours", "file": str(file.pk)}).url == address
    assert gao.post(many, chosen | {"reason": "Not ours"}).status_code == 409
    assert set(BankTransaction.objects.values_list("state", "aside_reason")) == {
        ("to_match", ""), ("set_aside", "Not ours"),
    }  # fmt: skip
    body = {"transactions": [str(first.pk)], "reason": "Ours, later"}
    answer = gao.post("/api/v1/bank-transactions/set-aside/", body, content_type="application/json")
    assert answer.json() == {"set_aside": 1}
    back = reverse("bookings:money-bank-file-take-back", args=[file.pk])
    assert gao.post(back).url == address
    assert not BankTransaction.objects.exists()
    assert "Taken back" in page_of(gao.get(address))
    assert gao.post(back).status_code == 409
    assert upload(gao).status_code == 302
    assert BankTransaction.objects.count() == 3
    assert "Taken back" in page_of(gao.get(reverse("bookings:money-bank-files")))


def test_the_page_of_a_file_shows_fifty_transactions(gao):
    upload(gao)
    one = BankTransaction.objects.get(position=2)
    for position in range(4, 64):
        one.pk, one.position, one.key = None, position, f"{position:064}"
        one.pk = one._meta.pk.get_default()
        one._state.adding = True
        one.save()
    address = reverse("bookings:money-bank-file", args=[BankFile.objects.get().pk])
    page = gao.get(address).content.decode()
    assert page.count('name="chosen"') == 50
    assert gao.get(f"{address}?page=2").content.decode().count('name="chosen"') == 13


def test_a_payer_reads_that_the_credit_is_theirs(gao, cast, client):
    upload(gao)
    row = BankTransaction.objects.get(position=2)
    body = {"amount": "50.00", "payer": str(cast.fudan.pk), "version": "1"}
    assert gao.post(reverse("bookings:money-bank-by-hand", args=[row.pk]), body).status_code == 302
    address = reverse("bookings:money-statements-one", args=[Statement.objects.get().pk])
    assert "Credit of the payer" in page_of(gao.get(address))
    client.force_login(cast.people["lin"])
    page = page_of(client.get(address))
    assert "Your credit at" in page
    assert "Credit of the payer" not in page
