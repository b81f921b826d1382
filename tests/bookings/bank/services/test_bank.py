"""Money from a bank's file: read once, booked once, undone, kept as credit, set aside; who may."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from accounts.domain.errors import Invalid, NotFound, NotPermitted, Refused, WrongVersion
from accounts.domain.roles import By
from accounts.models import Message, TrailEntry
from accounts.models.keys import new_id
from bookings.bank.domain.books import Part
from bookings.bank.models import BankCredit, BankFile, BankMatch, BankTransaction
from bookings.bank.selectors.bank import credit_of, known_accounts, load_proposals, transactions_for
from bookings.bank.services import matches
from bookings.bank.services.credits import credit_return, credit_use
from bookings.bank.services.files import (
    GivenFile,
    MappingTerms,
    file_read,
    file_take_back,
    mapping_delete,
    mapping_save,
)
from bookings.bank.services.texts import TEXTS_KEPT, texts_forget
from bookings.models import Payment, PaymentNotice, Statement
from bookings.organisations.selectors.mergers import hindrances, load_open_business
from bookings.overview.services.effects import effects_carry_out
from bookings.settlement.services.payment_notices import payment_notice_report
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statements_draw
from tests.factories.cast import at
from tests.factories.money import APRIL, MARCH, charge_of, store

DATA = Path(__file__).parents[3] / "data" / "bank"
LATER = at("2026-04-10 09:00")
OTHERS = ("wang", "sun", "hu", "zhao", "chen", "lin", "coordinator", "xu")


def by(cast, who="gao", version=None):
    return By(cast.actor(who), LATER, version)


def read(cast, name="march.xml", who="gao", **values):
    given = GivenFile(name, (DATA / name).read_bytes(), **values)
    return file_read(by(cast, who), host=cast.ustc, given=given)


@pytest.fixture
def drawn(cast):
    """Fudan owes USTC 268."""
    store([charge_of(cast), charge_of(cast, total="212.00", covered="50.00")])
    statements_draw(month=MARCH, now=APRIL)
    return cast, Statement.objects.get()


@pytest.fixture
def brought(drawn):
    """The bank's file with 268.00 that name the statement, 50.00 that name nothing, and a fee of 40.00."""
    cast, row = drawn
    read(cast)
    return cast, row, *BankTransaction.objects.order_by("position")


def code_of(refused):
    value = refused.value
    return value.problems[0].code if isinstance(value, Invalid) else value.code


def refuses(code, work):
    with pytest.raises(Refused) as refused:
        work()
    assert code_of(refused) == code


def test_a_file_is_read_once_and_overlapping_ones_bring_what_is_new(drawn):
    cast, _ = drawn
    file = read(cast)
    assert (file.transactions_read, file.known_before, file.currency) == (3, 0, "CNY")
    refuses("already-read", lambda: read(cast))
    content = (DATA / "march.xml").read_text().replace("B-0003", "B-0009")
    again = file_read(by(cast), host=cast.ustc, given=GivenFile("later.xml", content.encode()))
    assert (again.transactions_read, again.known_before) == (1, 2)
    assert BankTransaction.objects.count() == 4
    refuses("already-read", lambda: read(cast))
    assert TrailEntry.objects.filter(action="bankfile.read").count() == 2


def test_another_account_is_to_be_confirmed(drawn):
    cast, _ = drawn
    read(cast)
    other = (DATA / "march.xml").read_bytes().replace(b"110060149018010", b"999")
    refuses("other-account", lambda: file_read(by(cast), host=cast.ustc, given=GivenFile("x", other)))
    assert BankFile.objects.count() == 1
    given = GivenFile("x", other, is_other_account=True)
    assert file_read(by(cast), host=cast.ustc, given=given).account == "999"


def test_a_file_of_another_format_makes_doubts_of_what_it_brings_again(brought):
    cast, *_ = brought
    read(cast, "march.sta")
    for proposals in load_proposals(cast.ustc).values():
        assert not any(each.is_certain for each in proposals)


def test_csv_needs_a_mapping(drawn):
    cast, _ = drawn
    refuses("no-format", lambda: read(cast, "march.csv"))
    columns = {"booked_on": "交易日期", "debit": "借方金额", "credit": "贷方金额", "purpose": "摘要"}
    terms = MappingTerms(
        "ICBC",
        columns,
        encoding="gb18030",
        date_format="YYYY年MM月DD日",
        skipped_lines=1,
        account="1",
        currency="cny",
    )
    mapping = mapping_save(by(cast), host=cast.ustc, terms=terms)
    assert read(cast, "march.csv").transactions_read == 2
    refuses("required", lambda: mapping_save(by(cast), host=cast.ustc, terms=MappingTerms("x", {})))
    wrong = MappingTerms(
        "x", {"booked_on": "a", "amount": "b"}, date_format="soon", account="1", currency="CNY"
    )
    refuses("bad-date-format", lambda: mapping_save(by(cast), host=cast.ustc, terms=wrong))
    mapping_delete(by(cast), mapping_id=mapping.pk)


@pytest.mark.parametrize("who", OTHERS)
def test_only_finance_of_the_host_may(brought, who):
    cast, _, first, *_ = brought
    with pytest.raises(NotPermitted):
        file_read(by(cast, who), host=cast.ustc, given=GivenFile("x", b":20:"))
    with pytest.raises(NotFound):
        matches.proposal_book(by(cast, who), transaction_id=first.pk, number=0)
    assert not transactions_for(cast.actor(who)).exists()
    assert not Payment.objects.exists()


def test_an_auditor_reads_and_changes_nothing(brought):
    cast, _, first, *_ = brought
    assert transactions_for(cast.actor("auditor")).count() == 3
    with pytest.raises(NotPermitted):
        matches.proposal_book(by(cast, "auditor"), transaction_id=first.pk, number=0)


def test_a_report_of_the_whole_is_answered_when_its_last_part_comes(brought):
    cast, row, first, second, _ = brought
    reported = Paid(Decimal(268), date(2026, 4, 1), "FD")
    notice = payment_notice_report(by(cast, "lin"), statement_id=row.pk, paid=reported)
    for transaction_, amount, state in ((first, 218, "reported"), (second, 50, "matched")):
        given = matches.Given((Part(row.pk, Decimal(amount)),))
        matches.transaction_match(by(cast), transaction_id=transaction_.pk, given=given)
        notice.refresh_from_db()
        assert notice.state == state
    assert notice.payment.amount == 50
    row.refresh_from_db()
    assert (row.state, row.paid) == ("paid", 268)


def test_the_certain_ones_are_booked_together_on_the_bank_s_day_and_once(brought):
    cast, row, first, second, third = brought
    proposals = load_proposals(cast.ustc)
    certain = [[each.is_certain for each in proposals[one.pk]] for one in (first, second, third)]
    assert certain == [[True], [False], []]
    assert matches.matches_book(by(cast), host=cast.ustc, transactions=[first.pk]) == 1
    payment = Payment.objects.get()
    assert (payment.amount, payment.paid_on, payment.reference) == (Decimal(268), date(2026, 4, 1), "FD-4711")
    row.refresh_from_db()
    first.refresh_from_db()
    assert (row.state, first.state, first.matched) == ("paid", "matched", Decimal(268))
    again = lambda: matches.matches_book(by(cast), host=cast.ustc, transactions=[first.pk])  # noqa: E731
    refuses("no-longer-certain", again)
    refuses(
        "no-longer-certain", lambda: matches.matches_book(by(cast), host=cast.ustc, transactions=[second.pk])
    )
    assert Payment.objects.count() == 1


def test_a_reported_payment_is_matched_with_it(brought):
    cast, row, first, *_ = brought
    paid = Paid(Decimal(268), date(2026, 4, 1), "FD-4711")
    notice = payment_notice_report(By(cast.actor("lin"), LATER), statement_id=row.pk, paid=paid)
    matches.matches_book(by(cast), host=cast.ustc, transactions=[first.pk])
    notice.refresh_from_db()
    assert (notice.state, notice.payment) == (PaymentNotice.State.MATCHED, Payment.objects.get())


def test_undone_by_a_reverse_payment_and_once(brought):
    cast, row, first, *_ = brought
    matches.matches_book(by(cast), host=cast.ustc, transactions=[first.pk])
    match = BankMatch.objects.get()
    matches.match_undo(by(cast), match_id=match.pk)
    row.refresh_from_db()
    first.refresh_from_db()
    assert (row.state, row.paid, first.state, first.matched) == ("issued", 0, "to_match", 0)
    match.refresh_from_db()
    assert match.undone_by.amount == Decimal(-268)
    refuses("already-undone", lambda: matches.match_undo(by(cast), match_id=match.pk))
    matches.matches_book(by(cast), host=cast.ustc, transactions=[first.pk])
    assert Payment.objects.count() == 3


def test_by_hand_in_parts_with_the_rest_as_credit_which_is_used_and_returned(brought):
    cast, row, first, second, _ = brought
    part = (Part(row.pk, Decimal(240)),)
    given = matches.Given(part, Decimal(28), cast.fudan.pk)
    more = matches.Given(part, Decimal(29), cast.fudan.pk)
    refuses(
        "more-than-left", lambda: matches.transaction_match(by(cast), transaction_id=first.pk, given=more)
    )
    matches.transaction_match(by(cast), transaction_id=first.pk, given=given)
    first.refresh_from_db()
    assert (first.state, first.matched, first.credited) == ("credit", Decimal(240), Decimal(28))
    assert credit_of(cast.ustc.pk, cast.fudan.pk, "CNY") == Decimal(28)
    used = credit_use(by(cast), statement_id=row.pk, amount=Decimal(20))
    assert (used.balance, used.payment.amount) == (Decimal(8), Decimal(20))
    refuses("credit-used", lambda: matches.credit_take_back(by(cast), transaction_id=first.pk))
    returned = credit_return(by(cast), credit_id=used.pk)
    assert returned.balance == Decimal(28)
    refuses("already-undone", lambda: credit_return(by(cast), credit_id=used.pk))
    matches.credit_take_back(by(cast), transaction_id=first.pk)
    first.refresh_from_db()
    assert (first.state, first.credited) == ("part", 0)
    assert credit_of(cast.ustc.pk, cast.fudan.pk, "CNY") == 0
    row.refresh_from_db()
    assert row.paid == Decimal(240)
    assert second.state == "to_match"
    effects_carry_out(now=LATER)
    told = {one.kind.partition(".")[2]: one for one in Message.objects.filter(kind__startswith="credit.")}
    assert set(told) == {"kept", "used", "returned", "taken-back"}
    assert {(one.user, one.topic) for one in told.values()} == {(cast.lin, "statement")}
    kept, used, gone = (told[kind] for kind in ("kept", "used", "taken-back"))
    assert "CNY 28.00" in kept.text and "It can pay later statements" in kept.text
    assert kept.link == "/money/ageing/?side=owing" and str(row.pk) in used.link
    assert "It can pay later statements" not in gone.text


def test_what_a_transaction_gave_never_exceeds_it_in_the_database(brought):
    cast, _, first, *_ = brought
    with pytest.raises(IntegrityError), transaction.atomic():
        BankTransaction.objects.filter(pk=first.pk).update(matched=Decimal(269), state="matched")
    with pytest.raises(IntegrityError), transaction.atomic():
        BankTransaction.objects.filter(pk=first.pk).update(state="matched")
    matches.transaction_match(
        by(cast), transaction_id=first.pk, given=matches.Given((), Decimal(268), cast.fudan.pk)
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        BankCredit.objects.update(amount=1)


def test_a_returned_transfer_undoes_its_match(brought):
    cast, row, first, *_ = brought
    matches.matches_book(by(cast), host=cast.ustc, transactions=[first.pk])
    back = (
        (DATA / "march.sta")
        .read_text()
        .replace(":61:2604010401C268,00NTRFFD-4711//B-0001", ":61:2604030403RC268,00NRTIFD-4711//B-0100")
        .replace(":61:2604010401C50,00NTRFNONREF//B-0002\n:86:/NAME/Fudan University/REMI/conference\n", "")
        .replace(":61:2604010401D40,00NMSCNONREF//B-0003\n:86:Account fee\n", "")
    )
    file = file_read(by(cast), host=cast.ustc, given=GivenFile("back.sta", back.encode()))
    returned = file.transactions.get()
    proposal = load_proposals(cast.ustc)[returned.pk][0]
    assert (proposal.returns, proposal.is_certain) == (first.pk, True)
    matches.matches_book(by(cast), host=cast.ustc, transactions=[returned.pk])
    row.refresh_from_db()
    returned.refresh_from_db()
    assert (row.paid, returned.state, returned.matched) == (0, "matched", Decimal(-268))
    match = first.matches.get()
    refuses("already-undone", lambda: matches.match_undo(by(cast), match_id=match.pk))
    matches.match_undo(by(cast), match_id=returned.matches.get().pk)
    row.refresh_from_db()
    assert row.paid == Decimal(268)


def enter(cast, row, amount=268):
    paid = Paid(Decimal(amount), date(2026, 3, 31), "FD-4711")
    return statement_pay(By(cast.actor("gao"), at("2026-04-02 09:00")), statement_id=row.pk, paid=paid)


def test_a_payment_entered_before_its_file_is_linked_and_never_booked_twice(brought):
    cast, row, first, *_ = brought
    payment = enter(cast, row)
    proposal = load_proposals(cast.ustc)[first.pk][0]
    assert (proposal.entered, proposal.is_certain) == ((payment.pk,), True)
    matches.proposal_book(by(cast), transaction_id=first.pk, number=0)
    first.refresh_from_db()
    row.refresh_from_db()
    assert (first.state, row.paid, Payment.objects.count()) == ("matched", Decimal(268), 1)
    match = first.matches.get()
    assert (match.payment, match.is_linked) == (payment, True)
    matches.match_undo(by(cast), match_id=match.pk)
    first.refresh_from_db()
    row.refresh_from_db()
    assert (first.state, row.paid, Payment.objects.count()) == ("to_match", Decimal(268), 1)
    assert matches.matches_book(by(cast), host=cast.ustc, transactions=[first.pk]) == 1
    assert Payment.objects.get().bank_match.transaction == first


def test_a_payment_entered_by_mistake_and_taken_back_is_not_linked(brought):
    cast, row, first, *_ = brought
    enter(cast, row)
    enter(cast, row, -268)
    proposal = load_proposals(cast.ustc)[first.pk][0]
    assert proposal.parts and not proposal.entered and proposal.is_certain
    matches.matches_book(by(cast), host=cast.ustc, transactions=[first.pk])
    assert not first.matches.get().is_linked


def test_a_returned_transfer_reverses_the_payment_that_was_linked(brought):
    cast, row, first, *_ = brought
    enter(cast, row)
    matches.matches_book(by(cast), host=cast.ustc, transactions=[first.pk])
    back = BankTransaction.objects.create(
        file=first.file, host=first.host, account=first.account, position=99, key="back",
        booked_on=date(2026, 4, 5), amount=Decimal(-268), currency="CNY", name=first.name,
        counter_account=first.counter_account, reference=first.reference, is_return=True,
    )  # fmt: skip
    matches.matches_book(by(cast), host=cast.ustc, transactions=[back.pk])
    row.refresh_from_db()
    assert (row.paid, row.state) == (0, "issued")
    assert first.matches.get().undone_by is not None


def test_credit_on_a_statement_is_only_taken_back_with_the_credit(brought):
    cast, row, first, *_ = brought
    given = matches.Given((Part(row.pk, Decimal(100)),), Decimal(28), cast.fudan.pk)
    matches.transaction_match(by(cast), transaction_id=first.pk, given=given)
    used = credit_use(by(cast), statement_id=row.pk, amount=Decimal(20))
    enter(cast, row, 30)
    refuses("paid-by-bank", lambda: enter(cast, row, -31))
    matches.match_undo(by(cast), match_id=first.matches.get().pk)
    refuses("paid-out-of-credit", lambda: enter(cast, row, -31))
    enter(cast, row, -30)
    credit_return(by(cast), credit_id=used.pk)
    row.refresh_from_db()
    assert row.paid == 0
    assert credit_of(cast.ustc.pk, cast.fudan.pk, "CNY") == Decimal(28)


def test_what_a_bank_transaction_brought_is_taken_back_by_its_undo_only(brought):
    cast, row, first, *_ = brought
    matches.matches_book(by(cast), host=cast.ustc, transactions=[first.pk])
    refuses("paid-by-bank", lambda: enter(cast, row, -268))
    refuses("paid-by-bank", lambda: enter(cast, row, -1))
    matches.match_undo(by(cast), match_id=first.matches.get().pk)
    row.refresh_from_db()
    assert (row.paid, Payment.objects.count()) == (0, 2)
    enter(cast, row, 10)
    enter(cast, row, -10)


def test_set_aside_with_a_reason_and_back(brought):
    cast, *_, third = brought
    refuses("required", lambda: matches.transaction_set_aside(by(cast), transaction_id=third.pk, reason=" "))
    matches.transaction_set_aside(by(cast), transaction_id=third.pk, reason="Fee of the bank")
    third.refresh_from_db()
    assert (third.state, third.aside_reason) == ("set_aside", "Fee of the bank")
    refuses(
        "wrong-state", lambda: matches.transaction_set_aside(by(cast), transaction_id=third.pk, reason="x")
    )
    with pytest.raises(WrongVersion):
        matches.transaction_take_up(by(cast, version=1), transaction_id=third.pk)
    matches.transaction_take_up(by(cast), transaction_id=third.pk)
    third.refresh_from_db()
    assert third.state == "to_match"


def test_a_file_is_taken_back_only_when_nothing_of_it_is_given_away(brought):
    cast, row, first, *_ = brought
    file = first.file
    given = matches.Given((Part(row.pk, Decimal(200)),), Decimal(20), cast.fudan.pk)
    matches.transaction_match(by(cast), transaction_id=first.pk, given=given)
    refuses("something-is-matched", lambda: file_take_back(by(cast), file_id=file.pk))
    matches.match_undo(by(cast), match_id=first.matches.get().pk)
    refuses("something-is-matched", lambda: file_take_back(by(cast), file_id=file.pk))
    matches.credit_take_back(by(cast), transaction_id=first.pk)
    with pytest.raises(NotFound):
        file_take_back(by(cast, "lin"), file_id=file.pk)
    with pytest.raises(NotPermitted):
        file_take_back(by(cast, "auditor"), file_id=file.pk)
    content = (DATA / "march.xml").read_text().replace("B-0003", "B-0009")
    later = file_read(by(cast), host=cast.ustc, given=GivenFile("later.xml", content.encode()))
    refuses("later-file-overlaps", lambda: file_take_back(by(cast), file_id=file.pk))
    file_take_back(by(cast), file_id=later.pk)
    file_take_back(by(cast), file_id=file.pk)
    kept = BankTransaction.objects.get()
    assert (kept.pk, kept.state) == (first.pk, "set_aside")
    refuses("file-taken-back", lambda: matches.transaction_take_up(by(cast), transaction_id=kept.pk))
    assert not known_accounts(cast.ustc) - {cast.ustc.iban, cast.ustc.account_number}
    assert (read(cast).transactions_read, BankTransaction.objects.count()) == (3, 4)
    taken = TrailEntry.objects.filter(action="bankfile.take-back")
    assert taken.count() == 2


def test_only_statements_of_the_host_and_each_once(brought):
    cast, row, first, *_ = brought
    for parts, code in [
        ((), "nothing-chosen"),
        ((Part(row.pk, Decimal(1)),) * 2, "twice"),
        ((Part(new_id(), Decimal(1)),), "unknown-value"),
        ((Part(row.pk, Decimal(-1)),), "more-than-left"),
    ]:
        refuses(code, lambda parts=parts: matches.transaction_match(
            by(cast), transaction_id=first.pk, given=matches.Given(parts)))  # fmt: skip
    assert not Payment.objects.exists()


def transfer(file, amount, number, *, day=2, account="31001613200050", **values):
    return BankTransaction.objects.create(
        file=file, host=file.host, account=file.account, position=number, key=f"{number:064}",
        booked_on=date(2026, 4, day), amount=Decimal(amount), currency="CNY", name="复旦大学",
        counter_account=account, **values,
    )  # fmt: skip


def keep(cast, row, amount, parts=()):
    given = matches.Given(parts, Decimal(amount), cast.fudan.pk)
    matches.transaction_match(by(cast), transaction_id=row.pk, given=given)


def test_a_transfer_kept_as_credit_is_returned_once(brought):
    cast, _, first, *_ = brought
    kept, other = transfer(first.file, 70, 101), transfer(first.file, 90, 102, account="555555555")
    keep(cast, kept, 70)
    keep(cast, other, 90)
    back, again = (transfer(first.file, -70, n, day=n - 100, is_return=True) for n in (103, 104))
    matches.matches_book(by(cast), host=cast.ustc, transactions=[back.pk])
    back.refresh_from_db()
    assert (back.returns, credit_of(cast.ustc.pk, cast.fudan.pk, "CNY")) == (kept, Decimal(90))
    assert not any(each.returns for each in load_proposals(cast.ustc)[again.pk])
    refuses(
        "no-longer-certain", lambda: matches.matches_book(by(cast), host=cast.ustc, transactions=[again.pk])
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        BankTransaction.objects.filter(pk=again.pk).update(returns=kept)
    # Undone, it may be returned again.
    matches.credit_take_back(by(cast), transaction_id=back.pk)
    back.refresh_from_db()
    assert back.returns is None
    assert load_proposals(cast.ustc)[back.pk][0].returns == kept.pk


def test_credit_of_a_returned_transfer_is_not_taken_back_too(brought):
    cast, row, first, *_ = brought
    kept, other = transfer(first.file, 308, 101), transfer(first.file, 40, 102, account="555555555")
    keep(cast, kept, 40, (Part(row.pk, Decimal(268)),))
    keep(cast, other, 40)
    back = transfer(first.file, -308, 103, day=3, is_return=True)
    matches.matches_book(by(cast), host=cast.ustc, transactions=[back.pk])
    refuses("already-returned", lambda: matches.credit_take_back(by(cast), transaction_id=kept.pk))
    assert credit_of(cast.ustc.pk, cast.fudan.pk, "CNY") == Decimal(40)
    matches.credit_take_back(by(cast), transaction_id=other.pk)


def test_undoing_a_match_lets_the_payer_s_notice_wait_again(brought):
    cast, row, first, *_ = brought
    paid = Paid(Decimal(268), date(2026, 4, 1), "FD-4711")
    notice = payment_notice_report(By(cast.actor("lin"), LATER), statement_id=row.pk, paid=paid)
    matches.matches_book(by(cast), host=cast.ustc, transactions=[first.pk])
    matches.match_undo(by(cast), match_id=first.matches.get().pk)
    notice.refresh_from_db()
    assert (notice.state, notice.payment, notice.decided_at) == (PaymentNotice.State.REPORTED, None, None)
    matches.matches_book(by(cast), host=cast.ustc, transactions=[first.pk])
    notice.refresh_from_db()
    assert notice.state == PaymentNotice.State.MATCHED


def test_credit_is_whole_cents_of_another_organisation_that_is_open(brought):
    cast, _, first, *_ = brought
    refuses("too-many-decimals", lambda: keep(cast, first, "0.005"))
    own = matches.Given((), Decimal(1), cast.ustc.pk)
    refuses("own-credit", lambda: matches.transaction_match(by(cast), transaction_id=first.pk, given=own))
    nothing = matches.Given()
    refuses(
        "nothing-chosen", lambda: matches.transaction_match(by(cast), transaction_id=first.pk, given=nothing)
    )
    cast.fudan.closed_at = LATER
    cast.fudan.save(update_fields=["closed_at"])
    refuses("organisation-closed", lambda: keep(cast, first, 1))
    assert not BankCredit.objects.exists()


def test_credit_left_keeps_from_merging_and_closing_and_waiting_transactions_from_closing(brought):
    cast, _, first, *_ = brought
    keep(cast, first, 268)
    codes = lambda refusals: {each.code: each.numbers["count"] for each in refusals}  # noqa: E731
    assert codes(load_open_business(cast.fudan)) == {"credit-left": 1, "statements-unpaid": 1}
    assert codes(hindrances(cast.fudan, cast.optics, LATER)) == {"credit-left": 1}
    assert codes(hindrances(cast.ustc, cast.optics, LATER)) == {"credit-left": 1}
    waiting = load_open_business(cast.ustc)
    assert codes(waiting)["transactions-waiting"] == 2
    matches.credit_take_back(by(cast), transaction_id=first.pk)
    assert codes(hindrances(cast.fudan, cast.optics, LATER)) == {}


def test_texts_of_what_was_set_aside_are_forgotten_and_it_is_not_read_again(brought):
    cast, _, first, _, third = brought
    matches.transaction_set_aside(by(cast), transaction_id=first.pk, reason="Salary")
    assert texts_forget(now=LATER + TEXTS_KEPT) == 0
    assert texts_forget(now=LATER + TEXTS_KEPT + timedelta(days=1)) == 1
    first.refresh_from_db()
    assert (first.name, first.counter_account, first.purpose, first.reference) == ("", "", "", "")
    assert (first.amount, first.aside_reason) == (Decimal(268), "Salary")
    third.refresh_from_db()
    assert third.purpose
    assert texts_forget(now=LATER + TEXTS_KEPT + timedelta(days=1)) == 0
    content = (DATA / "march.xml").read_text() + "\n"
    again = file_read(by(cast), host=cast.ustc, given=GivenFile("again.xml", content.encode()))
    assert (again.transactions_read, again.known_before) == (0, 3)
