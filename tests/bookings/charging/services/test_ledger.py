"""The books: balanced after whatever happens, and never altered."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from bookings import models
from bookings.charging.domain.corrections import Amendment
from bookings.charging.selectors.ledger import balances
from bookings.charging.selectors.replay import replay_all
from bookings.charging.services.charges import charges_finalise
from bookings.charging.services.corrections import correction_agree, correction_propose, correction_refuse
from bookings.charging.services.disputes import dispute_open, dispute_reject, dispute_withdraw
from bookings.charging.services.melting import fees_melt
from bookings.funding.domain.funding import Share
from bookings.settlement.services.payments import payment_post
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.concurrency.races import ALWAYS
from tests.conftest import DEEP
from tests.factories.cast import NOW, at, reserve
from tests.factories.charges import BY_USE, agreement, cancel, due, grant, use
from tests.factories.ledger import receivables, sums_by_currency

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
D = Decimal


@pytest.fixture
def charge(cast):
    return use(cast, "2026-03-06 10:00", "2026-03-06 12:00")


def test_a_charge_is_a_balanced_entry(cast, charge):
    agreed = {(p.account, p.amount) for p in charge.ledger_entry.postings.all()}
    assert agreed == {
        ("receivable", D("657.20")), ("revenue", D("-620.00")), ("tax", D("-37.20")),
    }  # fmt: skip
    (owed,) = receivables(host_ids=[cast.ustc.pk])
    assert (owed.payer_id, owed.amount, owed.currency) == (cast.fudan.pk, D("657.20"), "CNY")
    assert receivables(payer_ids=[cast.ustc.pk]) == []
    assert {b.account for b in balances(host_id=cast.ustc.pk)} == {"receivable", "revenue", "tax"}


def test_a_voucher_is_owed_by_the_payers_region(cast):
    agreement(cast)
    grant(cast)
    use(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    (claim,) = balances(account="subsidy")
    assert (claim.payer_region_id, claim.host_region_id, claim.amount) == (
        cast.shanghai.pk, cast.anhui.pk, D("138.00"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bookings_posting SET amount = amount",
        "UPDATE bookings_ledgerentry SET at = at",
        "DELETE FROM bookings_posting",
        "DELETE FROM bookings_ledgerentry",
        "TRUNCATE bookings_posting",
        "TRUNCATE bookings_ledgerentry CASCADE",
    ],
)
def test_the_database_refuses_to_alter_it(charge, statement):
    before = models.Posting.objects.count()
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits would hide TRUNCATE's refusal
        cursor.execute(statement)
    assert models.Posting.objects.count() == before == 3


def test_nor_do_models_get_past_it(charge):
    posting = models.Posting.objects.first()
    posting.amount += 1
    for act in (posting.save, posting.delete, charge.ledger_entry.delete,
                lambda: models.Posting.objects.update(amount=1)):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def unbalanced(charge, *amounts):
    """An entry of its own with these postings, checked as at commit."""
    models.Charge.objects.filter(pk=charge.pk).update(state="reversed", final_at=NOW, month=date(2026, 3, 1))
    other = models.Charge.objects.get(pk=charge.pk)
    other.pk, other.state, other.final_at, other.month = None, "open", None, None
    other._state.adding = True
    other.save(force_insert=True)
    entry = models.LedgerEntry.objects.create(kind="charge", charge=other, at=NOW)
    for account, currency, amount in amounts:
        models.Posting.objects.create(
            entry=entry, account=account, currency=currency, amount=D(amount),
            host=other.host, payer=other.organisation, host_region=other.host_region,
            payer_region=other.payer_region,
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    "amounts",
    [
        [("receivable", "CNY", "1.00")],
        [("receivable", "CNY", "1.00"), ("revenue", "CNY", "-0.99")],
        [("receivable", "CNY", "1.00"), ("revenue", "USD", "-1.00")],  # per currency
    ],
)
def test_what_does_not_balance_is_refused_at_commit(charge, amounts):
    with pytest.raises(IntegrityError, match="do not sum to zero"), transaction.atomic():
        unbalanced(charge, *amounts)
    assert models.LedgerEntry.objects.count() == 1


def test_what_balances_is_not(charge):
    unbalanced(charge, ("receivable", "CNY", "1.00"), ("revenue", "CNY", "-1.00"))


def test_a_posting_added_later_to_an_entry_is_refused_too(charge):
    posting = models.Posting.objects.filter(account="receivable").get()
    posting.pk = None
    posting._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():
        posting.save(force_insert=True)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def doubled(times):
    """The postings of the charge's entry once more, by SQL alone, so many statements."""
    columns = "entry_id, account, host_id, payer_id, host_region_id, payer_region_id, currency"
    with connection.cursor() as cursor:
        for account in list(models.Posting.objects.values_list("account", flat=True))[:times]:
            cursor.execute(
                f"INSERT INTO bookings_posting ({columns}, amount)"
                f" SELECT {columns}, amount FROM bookings_posting"
                " WHERE account = %s ORDER BY id LIMIT 1",
                [account],
            )


def test_sql_that_balances_in_several_statements_or_was_taken_back_is_let_pass(charge):
    number = models.Posting.objects.count()
    with transaction.atomic():
        doubled(number)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            doubled(1)
            raise ZeroDivisionError
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert models.Posting.objects.count() == 2 * number


def test_sql_that_balances_over_two_entries_but_in_neither_is_refused(charge):
    with pytest.raises(IntegrityError, match="do not sum to zero"), transaction.atomic():
        with transaction.atomic():  # a savepoint that is kept
            doubled(1)
        unbalanced(charge, ("receivable", "CNY", "1.00"), ("revenue", "CNY", "-1.00"))
    with pytest.raises(IntegrityError, match="do not sum to zero"), transaction.atomic():
        doubled(1)
        amount = models.Posting.objects.order_by("-id").first().amount
        unbalanced(charge, ("receivable", "CNY", str(-amount)))
    assert models.LedgerEntry.objects.count() == 1


ACTS = ("use", "cancel", "resell", "dispute", "withdraw", "reject", "correct", "waive", "refuse",
        "melt", "final", "pay")  # fmt: skip


class Books:
    """A world in which money moves; everything refused is passed over."""

    def __init__(self, cast):
        self.cast, self.day, self.done = cast, 0, defaultdict(int)
        self.heard = []
        agreement(cast)
        self.grant = grant(cast, amount="900", percent="40")
        self.instrument = cast.instrument(name="By use", card=BY_USE, hours=ALWAYS)
        for code in ("a", "b", "c"):
            models.FundingSource.objects.create(
                organisation=cast.fudan, code=code, name=code, owner=cast.lin, is_open=True,
                currency="CNY", valid_from=date(2026, 1, 1), created_by=cast.lin, created_at=NOW,
            )  # fmt: skip
        thirds = (("a", "33.333"), ("b", "33.333"), ("c", "33.334"))
        self.funding = tuple(Share(code, D(percent)) for code, percent in thirds)

    @property
    def now(self):
        return at("2026-03-06 12:00") + self.day * DAY

    def span(self, start="10:00", end="12:00"):
        day = f"{at('2026-03-06 12:00') + self.day * DAY:%Y-%m-%d}"
        return f"{day} {start}", f"{day} {end}"

    def latest(self, **only):
        return models.Charge.objects.filter(**only).order_by("-created_at", "-id").first()

    def act(self, name, minutes, percent):
        try:
            with transaction.atomic():
                getattr(self, name)(minutes, percent)
            self.done[name] += 1
        except Refused as refused:
            self.done["refused"] += 1
            self.heard.append((name, refused.code, getattr(refused, "problems", refused.numbers)))

    def use(self, minutes, percent):
        self.day += 1
        start, end = self.span()
        used = (start, self.span(end=f"{10 + minutes // 60}:{minutes % 60:02}")[1])
        use(self.cast, start, end, used=used, instrument=self.instrument, funding=self.funding)

    def cancel(self, minutes, percent):
        self.day += 1
        start, end = self.span()
        cancel(
            self.cast, start, end, self.span(start="09:00")[0], instrument=self.instrument,
            funding=self.funding, now=at(start) - 2 * DAY,
        )  # fmt: skip

    def resell(self, minutes, percent):
        self.cancel(minutes, percent)
        start, end = self.span(start="11:00")

        made = reserve(self.cast, start, end, who="hu", instrument=self.instrument, now=at(start) - HOUR)
        hu = self.cast.actor("hu")
        reservation_check_in(By(hu, at(start)), reservation_id=made.pk)
        reservation_check_out(By(hu, at(end)), reservation_id=made.pk)
        due(made, at(end))

    def dispute(self, minutes, percent):
        dispute_open(By(self.cast.actor("wang"), self.now), charge_id=self._of("open"), reason="x")

    def withdraw(self, minutes, percent):
        dispute_withdraw(By(self.cast.actor("lin"), self.now), charge_id=self._of("disputed"))

    def reject(self, minutes, percent):
        dispute_reject(By(self.cast.actor("gao"), self.now), charge_id=self._of("disputed"), answer="x")

    def correct(self, minutes, percent):
        charge = self.latest(kind="use", state__in=["open", "disputed", "final"])
        if charge is not None:
            start = charge.reservation.start_at
            usage = (start, start + timedelta(minutes=minutes))
            self._agreed(charge, Amendment(usage=usage), charge.created_at + 13 * HOUR)

    def waive(self, minutes, percent):
        charge = self.latest(kind__in=models.Charge.ORIGINAL, state__in=["open", "disputed", "final"])
        if charge is not None:
            self._agreed(charge, Amendment(waive_percent=percent), self.now)

    def refuse(self, minutes, percent):
        correction = correction_propose(
            By(self.cast.actor("gao"), self.now),
            charge_id=self._of("open"),
            amendment=Amendment(waive_percent=percent),
            reason="x",
        )
        correction_refuse(By(self.cast.actor("zhao"), self.now), correction_id=correction.pk, reason="x")

    def melt(self, minutes, percent):
        fees_melt(now=self.now + 3 * HOUR)

    def final(self, minutes, percent):
        self.day += 8
        charges_finalise(now=self.now)

    def pay(self, minutes, percent):
        statement = models.Statement.objects.create(
            host=self.cast.ustc, payer=self.cast.fudan, host_region=self.cast.anhui,
            payer_region=self.cast.shanghai, month=date(2026, 3, 1), year=2026,
            number=models.Statement.objects.count() + 1, state="voided", currency="CNY", charges=0, tax=0,
            total=0, covered=0, payable=0, issued_at=self.now, due_date=date(2026, 4, 30),
        )  # fmt: skip
        payment = models.Payment.objects.create(
            statement=statement, amount=D(minutes), currency="CNY", paid_on=date(2026, 4, 1),
            entered_by=self.cast.gao, entered_at=self.now,
        )  # fmt: skip
        payment_post(payment=payment, now=self.now)

    def _of(self, state):
        charge = self.latest(state=state)
        return charge.pk if charge else self.cast.wang.pk

    def _agreed(self, charge, amendment, now):
        correction = correction_propose(
            By(self.cast.actor("gao"), now), charge_id=charge.pk, amendment=amendment, reason="x"
        )
        correction_agree(By(self.cast.actor("zhao"), now), correction_id=correction.pk)

    def holds(self):
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        assert set(sums_by_currency().values()) <= {0}
        charges = list(models.Charge.objects.all())
        paid = sum(p.amount for p in models.Payment.objects.all())
        owed = sum(b.amount for b in receivables())
        assert owed == sum(c.payable for c in charges) - paid
        assert sum(b.amount for b in balances(account="subsidy")) == sum(c.covered for c in charges)
        # What is spent of the voucher and the sources is what is owed, to the cent.
        grant = models.VoucherGrant.objects.get()
        assert grant.redeemed == sum(c.covered for c in charges)
        assert 0 <= grant.redeemed + grant.held <= grant.amount
        of_fudan = sum(c.payable for c in charges if c.organisation_id == self.cast.fudan.pk)
        assert sum(s.spent for s in models.FundingSource.objects.all()) == of_fudan
        assert sum(e.redeemed for e in models.Earmark.objects.exclude(source=None)) == of_fudan
        per_reservation = defaultdict(Decimal)
        for each in charges:
            per_reservation[each.reservation_id] += each.total
        assert all(total >= 0 for total in per_reservation.values())
        # All that is stored comes out again, whatever was corrected, waived or melted.
        assert [row for row in replay_all() if row.differences != []] == []


acts = st.lists(
    st.tuples(
        st.sampled_from(ACTS), st.integers(1, 400), st.sampled_from([D("0.5"), D("33.333"), D(50), D(100)])
    ),
    min_size=3,
    max_size=14,
)


@settings(max_examples=60 if DEEP else 12, deadline=None)
@given(acts)
def test_it_sums_to_zero_after_any_sequence(cast, sequence):
    with transaction.atomic():
        books = Books(cast)
        for name, minutes, percent in sequence:
            books.act(name, minutes, percent)
            books.holds()
        transaction.set_rollback(True)


def test_a_sequence_that_does_it_all(cast):
    """So that the property above is not true for want of anything happening."""
    books = Books(cast)
    for name in ("use", "correct", "dispute", "withdraw", "dispute", "reject", "waive", "use",
                 "refuse", "final", "correct", "resell", "melt", "waive", "melt", "pay",
                 "cancel"):  # fmt: skip
        books.act(name, 90 if name == "correct" else 75, D(50))
        books.holds()
    assert books.heard == []
    assert {c.kind for c in models.Charge.objects.all()} == {"use", "cancellation", "reversal", "melting"}
