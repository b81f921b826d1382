"""A charge is corrected by taking it back and making another; two people of the host do it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import OutboxMessage, RoleGrant, TrailEntry
from accounts.services.memberships import role_grant
from bookings import models
from bookings.charging.domain.corrections import Amendment, charged_again
from bookings.charging.selectors.waiting import charges_to_agree
from bookings.charging.services.charges import charge_make, charges_finalise
from bookings.charging.services.corrections import (
    correction_agree,
    correction_propose,
    correction_refuse,
    correction_withdraw,
)
from bookings.charging.services.disputes import dispute_open, dispute_reject
from bookings.funding.domain.funding import Share
from bookings.messaging.notifications.facts import load_charged, payer_people
from bookings.record.messages import sentence
from bookings.usage.services.usage import usage_settle
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, at, reserve
from tests.factories.charges import BY_USE, agreement, cancel, due, grant, use
from tests.factories.ledger import receivables, sums_by_currency

DAY = timedelta(days=1)
D = Decimal
LATER = at("2026-03-10 12:00")


@pytest.fixture
def by_use(cast):
    return cast.instrument(name="By use", card=BY_USE)


@pytest.fixture
def charge(cast, by_use):
    """Two hours at 260, set-up 100, tax 6 %: 657.20."""
    return use(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=by_use)


def times(start, end):
    return Amendment(usage=(at(start), at(end)))


ONE_HOUR = times("2026-03-06 10:00", "2026-03-06 11:00")


def propose(cast, charge, amendment=ONE_HOUR, who="zhao", now=LATER, **values):
    return correction_propose(
        By(cast.actor(who), now),
        charge_id=charge.pk,
        amendment=amendment,
        reason="Vented by mistake.",
        **values,
    )


def agree(cast, correction, who="gao", now=LATER):
    return correction_agree(By(cast.actor(who), now), correction_id=correction.pk)


def again(row):
    return type(row).objects.get(pk=row.pk)


def untouched(charge):
    row = again(charge)
    assert (row.state, row.total) == (charge.state, charge.total)
    assert models.Charge.objects.count() == 1


def test_an_hour_less_is_proposed_agreed_and_posted(cast, charge):
    correction = propose(cast, charge)
    assert (correction.total, correction.state) == (D("381.60"), "proposed")
    untouched(charge)
    agreed = agree(cast, correction)
    assert (agreed.state, agreed.decided_by) == ("agreed", cast.gao)

    old = again(charge)
    back = models.Charge.objects.get(kind="reversal")
    new = agreed.replacement
    assert (old.state, old.final_at, old.month) == ("reversed", LATER, date(2026, 3, 1))
    assert (back.state, back.total, back.tax, back.month, back.reverses) == (
        "final", D("-657.20"), D("-37.20"), date(2026, 3, 1), charge,
    )  # fmt: skip
    assert (new.kind, new.state, new.total) == ("use", "open", D("381.60"))
    assert new.open_until == LATER + 7 * DAY
    assert charged_again(new.kind, new.inputs).result == new.result

    (owed,) = receivables(host_ids=[cast.ustc.pk], payer_ids=[cast.fudan.pk])
    assert owed.amount == D("381.60")
    assert set(sums_by_currency().values()) == {0}
    session = models.UsageSession.objects.get()
    assert (session.checked_out_at, session.is_assumed) == (at("2026-03-06 11:00"), False)
    actions = list(TrailEntry.objects.filter(action__startswith="charge.").values_list("action", flat=True))
    assert sorted(actions) == [
        "charge.correct-propose", "charge.create", "charge.create", "charge.create",
        "charge.reverse",
    ]  # fmt: skip
    assert OutboxMessage.objects.filter(kind="mail.corrected").count() == 1
    assert OutboxMessage.objects.filter(kind="hours.dirty").count() == 2
    # The reservation still has one charge in force, and is not charged again.
    assert charge_make(reservation_id=charge.reservation_id, now=LATER).pk == charge.pk
    assert models.Charge.objects.count() == 3


def test_who_may_propose(cast, charge):
    for name, refusal in (
        ("sun", NotFound), ("xu", NotFound), ("wang", NotPermitted), ("chen", NotPermitted),
        ("lin", NotPermitted), ("auditor", NotPermitted),
    ):  # fmt: skip
        with pytest.raises(refusal):
            propose(cast, charge, who=name)
    assert not models.Correction.objects.exists()
    untouched(charge)


def test_a_second_person_agrees(cast, charge):
    correction = propose(cast, charge)
    for name, refusal in (
        ("zhao", NotPermitted), ("wang", NotPermitted), ("lin", NotPermitted),
        ("auditor", NotPermitted), ("sun", NotFound), ("coordinator", NotFound),
    ):  # fmt: skip
        with pytest.raises(refusal):
            agree(cast, correction, who=name)
        with pytest.raises(refusal):
            correction_refuse(By(cast.actor(name), LATER), correction_id=correction.pk, reason="no")
    untouched(charge)
    assert again(correction).state == "proposed"


def test_a_hosts_own_booking_is_corrected_by_a_second_person_of_the_host(cast, by_use):
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="researcher", organisation=cast.ustc)
    own = use(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="zhao", instrument=by_use)
    correction = propose(cast, own)
    with pytest.raises(NotPermitted) as refused:
        agree(cast, correction, who="zhao")
    assert refused.value.code == "own-correction"
    untouched(own)
    assert agree(cast, correction, who="gao").state == "agreed"


def test_whose_booking_it_is_does_not_agree_for_the_host(cast, by_use):
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="researcher", organisation=cast.ustc)
    own = use(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="zhao", instrument=by_use)
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="manager", organisation=cast.ustc)
    correction = propose(cast, own, who="gao")
    with pytest.raises(NotPermitted):
        agree(cast, correction, who="zhao")
    assert agree(cast, correction, who="sun").state == "agreed"


def test_where_the_host_has_one_person_the_payer_agrees(cast, charge, client):
    RoleGrant.objects.filter(user=cast.gao).update(revoked_at=NOW)
    correction = propose(cast, charge)
    for name, refusal in (
        ("zhao", NotPermitted), ("auditor", NotPermitted), ("wang", NotPermitted), ("sun", NotFound),
    ):  # fmt: skip
        with pytest.raises(refusal):
            agree(cast, correction, who=name)
    untouched(charge)
    waiting = {name: charges_to_agree(cast.actor(name), LATER).count() for name in ("zhao", "lin", "wang")}
    assert waiting == {"zhao": 0, "lin": 1, "wang": 0}
    (row,) = OutboxMessage.objects.filter(kind="mail.correction-proposed")
    about = load_charged(row, LATER)
    assert {person.pk for person in payer_people(about)} == {cast.people[name].pk for name in ("chen", "lin")}
    client.force_login(cast.zhao)
    address = reverse("bookings:money-charges-one", args=[charge.pk])
    assert 'data-agreeing="payer"' in page_of(client.get(address))
    client.force_login(cast.lin)
    assert reverse("bookings:money-charges-correction-agree", args=[correction.pk]) in page_of(
        client.get(address)
    )
    assert agree(cast, correction, who="lin").state == "agreed"
    assert not charges_to_agree(cast.actor("lin"), LATER).exists()


def test_the_payer_does_not_agree_to_what_changes_its_voucher(cast, by_use):
    agreement(cast)
    grant(cast)
    charge = use(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=by_use)
    assert charge.covered
    RoleGrant.objects.filter(user=cast.gao).update(revoked_at=NOW)
    correction = propose(cast, charge)
    assert correction.total - correction.payable != charge.covered
    assert not charges_to_agree(cast.actor("lin"), LATER).exists()
    with pytest.raises(NotPermitted) as refused:
        agree(cast, correction, who="lin")
    assert refused.value.code == "voucher-by-host"
    with pytest.raises(NotPermitted) as refused:
        agree(cast, correction, who="zhao")
    assert refused.value.code == "no-second-accountant"
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="finance", organisation=cast.ustc)
    assert charges_to_agree(cast.actor("sun"), LATER).exists()
    assert agree(cast, correction, who="sun").state == "agreed"


def test_who_proposed_for_the_host_does_not_agree_for_the_payer(cast, charge):
    RoleGrant.objects.filter(user=cast.gao).update(revoked_at=NOW)
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="manager", organisation=cast.fudan)
    RoleGrant.objects.filter(user__in=[cast.people["lin"], cast.people["chen"]]).update(revoked_at=NOW)
    correction = propose(cast, charge)
    assert not charges_to_agree(cast.actor("zhao"), LATER).exists()
    with pytest.raises(NotPermitted) as refused:
        agree(cast, correction, who="zhao")
    assert refused.value.code == "no-second-accountant"


def test_while_the_host_has_two_the_payer_does_not_agree(cast, charge):
    correction = propose(cast, charge)
    assert not OutboxMessage.objects.filter(kind="mail.correction-proposed").exists()
    assert not charges_to_agree(cast.actor("lin"), LATER).exists()
    assert charges_to_agree(cast.actor("gao"), LATER).exists()
    with pytest.raises(NotPermitted):
        agree(cast, correction, who="lin")
    assert again(correction).state == "proposed"


def test_refused_or_taken_back_nothing_changes(cast, charge):
    correction = propose(cast, charge)
    with pytest.raises(Invalid):
        correction_refuse(By(cast.actor("gao"), NOW), correction_id=correction.pk, reason="")
    with pytest.raises(NotPermitted):
        correction_withdraw(By(cast.actor("gao"), LATER), correction_id=correction.pk)
    with pytest.raises(WrongState) as refused:
        propose(cast, charge, who="gao")
    assert refused.value.code == "correction-proposed"
    correction_refuse(By(cast.actor("gao"), LATER), correction_id=correction.pk, reason="No")
    with pytest.raises(WrongState):
        agree(cast, correction)
    second = propose(cast, charge)
    correction_withdraw(By(cast.actor("zhao"), LATER), correction_id=second.pk)
    untouched(charge)
    assert models.Posting.objects.filter(account="receivable").count() == 1


@pytest.mark.parametrize(
    ("amendment", "field", "code"),
    [
        (times("2026-03-06 11:00", "2026-03-06 11:00"), "check_out", "not-after-start"),
        (times("2026-03-06 11:00", "2026-03-11 11:00"), "check_out", "in-the-future"),
        (times("2026-03-06 09:44", "2026-03-06 11:00"), "check_in", "not-near-the-booking"),
        (times("2026-03-06 12:00", "2026-03-06 13:00"), "check_in", "not-near-the-booking"),
        (times("2026-03-06 11:00", "2026-03-07 00:01"), "check_out", "not-near-the-booking"),
        (times("2026-03-06 10:00", "2026-03-06 12:00"), "", "nothing-changes"),
        (Amendment(), "", "nothing-changes"),
        (Amendment(options={"laser": D(1)}), "options.laser", "unknown-option"),
        (Amendment(options={"operator": D("0.001")}), "options.operator", "too-many-decimals"),
        (Amendment(waive_percent=D(101)), "waive_percent", "out-of-range"),
    ],
)
def test_what_cannot_be_proposed(cast, charge, amendment, field, code):
    with pytest.raises(Invalid) as refused:
        propose(cast, charge, amendment)
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == (field, code)
    assert not models.Correction.objects.exists()


def test_times_that_change_nothing_are_refused_with_the_reason(cast):
    made = use(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    assert made.inputs["card"]["charge_basis"] == "reserved"
    with pytest.raises(Invalid) as refused:
        propose(cast, made)
    (problem,) = refused.value.problems
    assert (problem.code, problem.numbers) == ("nothing-changes", {"why": "by-booking"})
    untouched(made)
    assert not models.Correction.objects.exists()


@pytest.mark.parametrize(
    ("why", "ending"),
    [
        ("by-booking", "charges the reserved time, however much of it was used."),
        ("booking-at-least", "and extra only for use after its end."),
        ("by-sample", "charges samples, not time."),
        ("same-times", "computed from these times already."),
        ("same-length", "the duration and the rates are the same."),
        ("rounding", "rounded up to 15 minutes the time is the same."),
        ("minimum", "charges at least 15 minutes."),
    ],
)
def test_each_reason_has_a_sentence(why, ending):
    text = sentence("nothing-changes", {"why": why, "minutes": 15})
    assert text.startswith("This would not change the charge: ")
    assert text.endswith(ending)


def test_an_option_more(cast, charge):
    new = agree(cast, propose(cast, charge, Amendment(options={"operator": D("1.5")}))).replacement
    assert new.total == D("657.20") + D("225.00") * D("1.06")
    assert new.inputs["options"] == {"operator": "1.5"}


def test_waived_in_part(cast, charge):
    correction = propose(cast, charge, Amendment(waive_percent=D("33.3")))
    new = agree(cast, correction).replacement
    # 620.00 less 206.46 is 413.54; 6 % of that are 24.81.
    assert (new.total, new.tax) == (D("438.35"), D("24.81"))
    assert new.result["waiver"] == {"percent": "33.3", "amount": "-206.46", "tax": "-12.39"}
    assert charged_again("use", new.inputs).total == new.total


def test_waived_whole_nothing_is_owed(cast, charge):
    agreed = agree(cast, propose(cast, charge, Amendment(waive_percent=D(100))))
    assert (agreed.replacement, agreed.inputs, agreed.total) == (None, None, 0)
    assert receivables() == []
    assert again(charge).state == "reversed"
    with pytest.raises(WrongState):
        propose(cast, charge)


def test_a_replacement_can_be_corrected_and_disputed_in_turn(cast, charge):
    new = agree(cast, propose(cast, charge)).replacement
    dispute_open(By(cast.actor("wang"), LATER + DAY), charge_id=new.pk, reason="Still")
    last = agree(cast, propose(cast, new, Amendment(waive_percent=D(50)))).replacement
    assert last.total == D("190.80")
    assert sum(c.total for c in models.Charge.objects.all()) == D("190.80")
    assert receivables()[0].amount == D("190.80")


def test_final_and_stated_charges_too_in_the_next_month_not_drawn_up(cast, charge):
    charges_finalise(now=charge.created_at + 8 * DAY)
    models.ClosedMonth.objects.create(host=cast.ustc, month=date(2026, 3, 1), closed_at=NOW)
    final = again(charge)
    agree(cast, propose(cast, charge, now=at("2026-03-31 10:00")), now=at("2026-03-31 12:00"))
    old = again(charge)
    assert (old.state, old.final_at, old.month) == ("reversed", final.final_at, date(2026, 3, 1))
    assert models.Charge.objects.get(kind="reversal").month == date(2026, 4, 1)


def test_upholding_a_dispute_takes_a_second_person(cast, charge):
    dispute_open(By(cast.actor("wang"), LATER), charge_id=charge.pk, reason="Vented")
    correction = propose(cast, charge, settles=True)
    assert again(charge).state == "disputed"
    said = models.Dispute.objects.get()
    assert (said.state, said.answer) == ("open", "Vented by mistake.")
    with pytest.raises(WrongState) as refused:
        dispute_reject(By(cast.actor("gao"), LATER), charge_id=charge.pk, answer="No")
    assert refused.value.code == "correction-proposed"
    agree(cast, correction)
    said.refresh_from_db()
    assert (said.state, said.settled_by, said.settled_at) == ("upheld", cast.gao, LATER)
    assert again(charge).state == "reversed"


def test_upholding_needs_a_dispute(cast, charge):
    with pytest.raises(WrongState):
        propose(cast, charge, settles=True)


def test_a_missed_booking_that_was_used_after_all(cast):
    instrument = cast.instrument(
        name="Watched", card=BY_USE | {"no_show_percent": "50"}, policy={"check_in_minutes": 30}
    )
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument)
    usage_settle(now=at("2026-03-06 10:30"))
    missed = due(made, at("2026-03-06 10:31"))
    assert (missed.kind, missed.total) == ("no_show", D("328.60"))
    with pytest.raises(Invalid):
        propose(cast, missed, Amendment(options={"operator": D(1)}))
    correction = propose(cast, missed, times("2026-03-06 10:10", "2026-03-06 11:40"))
    new = agree(cast, correction).replacement
    assert (new.kind, new.total) == ("use", D("519.40"))
    made.refresh_from_db()
    assert made.state == "completed"
    assert made.version == TrailEntry.objects.filter(object_id=made.pk).count()
    assert models.UsageSession.objects.get(reservation=made).checked_in_at == at("2026-03-06 10:10")


def test_a_cancellation_fee_is_waived_and_has_no_times(cast):
    fee = cancel(cast, "2026-03-06 10:00", "2026-03-06 12:00", "2026-03-06 08:00")
    assert (fee.kind, fee.total) == ("cancellation", D("657.20"))
    with pytest.raises(Invalid) as refused:
        propose(cast, fee)
    assert refused.value.problems[0].code == "was-cancelled"
    new = agree(cast, propose(cast, fee, Amendment(waive_percent=D(50)))).replacement
    assert (new.kind, new.total, new.tax) == ("cancellation", D("328.60"), D("18.60"))
    assert charged_again("cancellation", new.inputs).result == new.result


def test_sources_and_voucher_have_spent_what_is_owed(cast, by_use):
    agreement(cast)
    voucher = grant(cast)
    sources = [
        models.FundingSource.objects.create(
            organisation=cast.fudan, code=code, name=code, owner=cast.lin, is_open=True,
            currency="CNY", budget=D(5000), valid_from=date(2026, 1, 1), created_by=cast.lin,
            created_at=NOW,
        )
        for code in ("a", "b")
    ]  # fmt: skip
    charge = use(
        cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=by_use,
        funding=(Share("a", D("33.333")), Share("b", D("66.667"))),
    )  # fmt: skip
    # 400 - 40 + 100 = 460; 30 % are 138; tax 27.60.
    assert (charge.total, charge.covered, charge.payable) == (D("487.60"), D(138), D("349.60"))
    voucher.refresh_from_db()
    assert (voucher.held, voucher.redeemed) == (0, 138)

    longer = propose(cast, charge, times("2026-03-06 10:00", "2026-03-06 15:00"))
    voucher.amount = D(200)  # less is left by the time it is agreed
    voucher.save()
    new = agree(cast, longer).replacement
    assert new.covered == min(D("300.00"), D(200))
    voucher.refresh_from_db()
    assert (voucher.held, voucher.redeemed) == (0, new.covered)
    assert new.grant_id == voucher.pk
    for source in sources:
        source.refresh_from_db()
    assert sum(s.spent for s in sources) == new.payable
    assert {s.held for s in sources} == {0}
    agree(cast, propose(cast, new, Amendment(waive_percent=D(100))))
    voucher.refresh_from_db()
    assert voucher.redeemed == 0
    assert set(models.FundingSource.objects.values_list("spent", flat=True)) == {0}
    assert set(models.Earmark.objects.values_list("redeemed", flat=True)) == {0}
    assert set(sums_by_currency().values()) == {0}
    assert receivables() == []
    assert models.Reservation.objects.count() == 1


def test_without_a_second_person_it_says_whom_to_appoint(cast, by_use, client):
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="researcher", organisation=cast.ustc)
    charge = use(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="zhao", instrument=by_use)
    correction = propose(cast, charge)
    with pytest.raises(NotPermitted) as refused:
        agree(cast, correction, who="zhao")
    assert refused.value.code == "own-correction"
    RoleGrant.objects.filter(user=cast.gao).update(revoked_at=NOW)
    with pytest.raises(NotPermitted) as refused:
        agree(cast, correction, who="zhao")
    assert (refused.value.code, refused.value.numbers) == ("no-second-accountant", {"place": "USTC"})
    untouched(charge)
    client.force_login(cast.zhao)
    page = client.get(reverse("bookings:money-charges-one", args=[charge.pk])).content.decode()
    assert "USTC has nobody else who may" in page
    assert reverse("accounts:members", args=[cast.ustc.pk]) in page
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="finance", organisation=cast.ustc)
    page = client.get(reverse("bookings:money-charges-one", args=[charge.pk])).content.decode()
    assert "USTC has nobody else who may" not in page
    assert agree(cast, correction, who="sun").state == "agreed"


def test_the_vouchers_of_all_its_corrections_are_looked_up_at_once(cast, by_use, client):
    agreement(cast)
    grant(cast)
    charge = use(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=by_use)
    client.force_login(cast.people["zhao"])
    counts = []
    for _ in range(3):
        proposed = propose(cast, charge)
        assert proposed.result["voucher"] == "v-1"
        correction_withdraw(By(cast.actor("zhao"), LATER), correction_id=proposed.pk)
        with CaptureQueriesContext(connection) as seen:
            html = page_of(client.get(reverse("bookings:money-charges-one", args=[charge.pk])))
        counts.append(len([one for one in seen if "bookings_vouchergrant" in one["sql"]]))
    assert html.count("Voucher: Voucher") == 4
    assert counts[1] == counts[2]  # the first has filled caches
    assert not any('former_codes" @>' in one["sql"] for one in seen)
