"""Voucher programmes and grants: made, changed, suspended, and what bookings do to them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.charging.services.charges import charge_make
from bookings.funding.services import grants
from bookings.funding.services.programmes import (
    programme_change,
    programme_create,
    programme_resume,
    programme_suspend,
)
from bookings.models import Earmark, VoucherGrant, VoucherProgramme
from bookings.record.domain.periods import Period
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel, reservations_lapse
from bookings.usage.services.usage import usage_settle
from tests.factories.agreements import agree, grant, programme, programme_terms
from tests.factories.cast import NOW, at, reserve

D = Decimal
# One hour in Anhui for Shanghai under the agreement: 200 + 100 set-up - 20, before tax.
ELIGIBLE = D(280)


def problems(refused):
    return [(problem.field, problem.code) for problem in refused.value.problems]


def alter(cast, row, who="xu", **values):
    return grants.grant_change(By(cast.actor(who), NOW), grant_id=row.pk, change=grants.GrantChange(**values))


def amounts(row):
    row.refresh_from_db()
    return row.amount, row.held, row.redeemed


@pytest.fixture
def shanghai(cast):
    """An agreement that honours vouchers, and a programme with 2000 yuan."""
    agree(cast)
    return programme(cast, budget=D(2000))


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"percent": D(0)}, [("percent", "out-of-range")]),
        ({"percent": D("100.5")}, [("percent", "out-of-range")]),
        ({"currency": "XXX"}, [("currency", "unknown-currency")]),
        ({"budget": D("0.001")}, [("budget", "too-many-decimals")]),
        ({"budget": D(0)}, [("budget", "out-of-range")]),
        ({"cap_per_booking": D(-1)}, [("cap_per_booking", "out-of-range")]),
        ({"currency": "JPY", "budget": D("10.5")}, [("budget", "too-many-decimals")]),
        ({"payer_kinds": ("university", "club")}, [("payer_kinds[1]", "unknown-value")]),
        ({"payer_kinds": ("university",) * 2}, [("payer_kinds[1]", "repeated")]),
        ({"valid_until": date(2026, 3, 1)}, [("valid_until", "in-the-past")]),
        ({"valid_until": date(2025, 3, 1)}, [("valid_until", "not-after-valid-from")]),
        ({"code": "", "name": ""}, [("code", "not-a-code"), ("name", "required")]),
    ],
)
def test_a_programme_that_does_not_fit(cast, changes, wrong):
    with pytest.raises(Invalid) as refused:
        programme(cast, **changes)
    assert problems(refused) == wrong
    assert not VoucherProgramme.objects.exists()


def test_unknown_host_region_and_a_code_twice(cast):
    with pytest.raises(Invalid) as refused:
        programme(cast, host_regions=(cast.fudan.pk,))
    assert problems(refused) == [("host_regions[0]", "unknown-value")]
    programme(cast, host_regions=(cast.anhui.pk,))
    with pytest.raises(Invalid) as refused:
        programme(cast)
    assert problems(refused) == [("code", "code-taken")]


@pytest.mark.parametrize("who", ["wang", "lin", "chen", "coordinator", "auditor", "admin"])
def test_only_the_regions_coordinator(cast, shanghai, who):
    given = grant(cast, shanghai)
    actor = cast.actor(who)
    with pytest.raises(NotPermitted):
        programme_create(By(actor, NOW), region=cast.shanghai, terms=programme_terms(code="b"))
    with pytest.raises(NotFound):
        programme_change(By(actor, NOW), programme_id=shanghai.pk, changes={})
    with pytest.raises(NotFound):
        programme_suspend(By(actor, NOW), programme_id=shanghai.pk)
    with pytest.raises(NotFound):
        grants.grant_create(
            By(actor, NOW),
            programme_id=shanghai.pk,
            organisation=cast.fudan,
            amount=D(1),
            valid_from=date(2026, 1, 1),
            valid_until=date(2027, 1, 1),
        )
    refusal = NotPermitted if who in {"wang", "lin", "chen"} else NotFound  # its people see a grant
    with pytest.raises(refusal):
        alter(cast, given, who, amount=D(900))
    with pytest.raises(refusal):
        grants.grant_suspend(By(actor, NOW), grant_id=given.pk)
    assert VoucherGrant.objects.count() == 1
    assert VoucherProgramme.objects.get().version == 1


def test_a_programme_changes_for_bookings_to_come(cast, shanghai):
    given = grant(cast, shanghai)
    reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    changed = programme_change(
        By(cast.actor("xu"), NOW), programme_id=shanghai.pk, changes={"percent": D(10)}
    )
    assert (changed.percent, changed.version) == (D(10), 2)
    assert amounts(given)[1] == ELIGIBLE / 2
    reserve(cast, "2026-03-06 12:00", "2026-03-06 13:00")
    assert amounts(given)[1] == ELIGIBLE / 2 + ELIGIBLE / 10
    (entry,) = TrailEntry.objects.filter(action="programme.change")
    assert (entry.before, entry.after) == ({"percent": "50.000"}, {"percent": "10"})


def test_a_budget_stays_above_what_is_granted_and_the_currency_stays(cast, shanghai):
    grant(cast, shanghai, "1500")
    for changes, wrong in (
        ({"budget": D(1499)}, [("budget", "below-granted")]),
        ({"currency": "EUR"}, [("currency", "granted-already")]),
        ({"code": "other"}, [("code", "granted-already")]),
    ):
        with pytest.raises(Invalid) as refused:
            programme_change(By(cast.actor("xu"), NOW), programme_id=shanghai.pk, changes=changes)
        assert problems(refused) == wrong
    shanghai.refresh_from_db()
    assert (shanghai.budget, shanghai.currency, shanghai.granted) == (2000, "CNY", 1500)


def test_grants_come_to_the_budget_and_no_more(cast, shanghai):
    first = grant(cast, shanghai, "1500")
    assert first.code == "sh-vouchers-fudan-2026"
    with pytest.raises(Invalid) as refused:
        grant(cast, shanghai, "500.01")
    (problem,) = refused.value.problems
    assert (problem.code, problem.numbers) == ("programme-short", {"amount": "500.00", "currency": "CNY"})
    assert grant(cast, shanghai, "500").code == "sh-vouchers-fudan-2026-2"
    with pytest.raises(Invalid):
        alter(cast, first, amount=D("1500.01"))
    alter(cast, first, amount=D(1000))
    shanghai.refresh_from_db()
    assert shanghai.granted == 1500
    grant(cast, shanghai, "500")
    shanghai.refresh_from_db()
    assert shanghai.granted == 2000 == sum(g.amount for g in VoucherGrant.objects.all())


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"amount": D(0)}, [("amount", "out-of-range")]),
        ({"amount": D("0.001")}, [("amount", "too-many-decimals")]),
        ({"valid_from": date(2025, 1, 1)}, [("valid_from", "outside-programme")]),
        ({"valid_until": date(2026, 1, 1)}, [("valid_until", "not-after-valid-from")]),
        ({"valid_until": date(2026, 3, 5)}, [("valid_until", "in-the-past")]),
        ({"code": "a b"}, [("code", "not-a-code")]),
    ],
)
def test_a_grant_that_does_not_fit(cast, shanghai, changes, wrong):
    with pytest.raises(Invalid) as refused:
        grant(cast, shanghai, **changes)
    assert problems(refused) == wrong
    shanghai.refresh_from_db()
    assert shanghai.granted == 0


def test_grants_are_for_the_regions_organisations_of_the_right_kind(cast):
    for_small = programme(cast, payer_kinds=("enterprise",), is_for_small_only=True)
    for organisation, code in ((cast.ustc, "not-of-the-region"), (cast.fudan, "kind-not-served")):
        with pytest.raises(Invalid) as refused:
            grant(cast, for_small, organisation=organisation)
        assert problems(refused) == [("organisation", code)]
    assert not VoucherGrant.objects.exists()


def test_never_lowered_below_what_is_set_aside_and_spent(cast, shanghai):
    given = grant(cast, shanghai)
    reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    assert amounts(given) == (1000, 140, 0)
    with pytest.raises(Invalid) as refused:
        alter(cast, given, amount=D("139.99"))
    assert problems(refused) == [("amount", "below-used")]
    assert alter(cast, given, amount=D(140)).version == 2
    shanghai.refresh_from_db()
    assert shanghai.granted == 140
    # Nothing is left: the next booking pays all of it.
    reserve(cast, "2026-03-06 12:00", "2026-03-06 13:00")
    assert amounts(given) == (140, 140, 0)


def test_one_of_which_nothing_was_spent_is_lowered_to_nothing(cast, shanghai):
    given = grant(cast, shanghai)
    with pytest.raises(Invalid):
        alter(cast, given, amount=D(-1))
    alter(cast, given, amount=D(0))
    shanghai.refresh_from_db()
    assert shanghai.granted == 0


def test_suspended_it_covers_nothing_more_and_keeps_its_word(cast, shanghai):
    given = grant(cast, shanghai)
    xu = cast.actor("xu")
    reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    grants.grant_suspend(By(xu, NOW), grant_id=given.pk, reason="late report")
    with pytest.raises(WrongState):
        grants.grant_suspend(By(xu, NOW), grant_id=given.pk)
    reserve(cast, "2026-03-06 12:00", "2026-03-06 13:00")
    assert amounts(given) == (1000, 140, 0)
    grants.grant_resume(By(xu, NOW), grant_id=given.pk)
    programme_suspend(By(xu, NOW), programme_id=shanghai.pk)
    reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00")
    assert amounts(given) == (1000, 140, 0)
    programme_resume(By(xu, NOW), programme_id=shanghai.pk)
    with pytest.raises(WrongState):
        programme_resume(By(xu, NOW), programme_id=shanghai.pk)
    reserve(cast, "2026-03-06 16:00", "2026-03-06 17:00")
    assert amounts(given) == (1000, 280, 0)


def test_versions(cast, shanghai):
    given = grant(cast, shanghai)
    xu = cast.actor("xu")
    with pytest.raises(WrongVersion):
        grants.grant_suspend(By(xu, NOW, 2), grant_id=given.pk)
    with pytest.raises(WrongVersion):
        programme_change(By(xu, NOW, 2), programme_id=shanghai.pk, changes={})


# Release at cancellation and expiry


def test_a_request_that_expires_gives_all_of_it_back(cast, shanghai):
    given = grant(cast, shanghai)
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    asked = reserve(cast, "2026-03-09 10:00", "2026-03-09 11:00", instrument=asks)
    assert (asked.state, amounts(given)) == ("requested", (1000, 140, 0))
    reservations_lapse(now=asked.deadline_at - timedelta(seconds=1))
    assert amounts(given) == (1000, 140, 0)
    reservations_lapse(now=asked.deadline_at)
    assert amounts(given) == (1000, 0, 0)
    assert Earmark.objects.get().released_at == asked.deadline_at


def test_a_cancelled_booking_gives_it_back_and_its_fee_is_not_covered(cast, shanghai):
    given = grant(cast, shanghai)
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    later = NOW + timedelta(minutes=11)  # second thoughts are over
    reservation_cancel(By(cast.actor("wang"), later), reservation_id=booked.pk, reason="")
    charge = charge_make(reservation_id=booked.pk, now=later)
    assert (charge.covered, charge.grant_id) == (0, None)
    assert amounts(given) == (1000, 0, 0)


def test_a_booking_made_in_its_days_is_paid_after_it_has_expired(cast, shanghai):
    """The grant ends on the day after; what was set aside stays so until the charge."""
    given = grant(cast, shanghai, valid_until=date(2026, 3, 7))
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    later = at("2026-03-10 10:00")
    reservations_lapse(now=later)
    usage_settle(now=later)
    booked.refresh_from_db()
    assert (booked.state, amounts(given)) == ("completed", (1000, 140, 0))
    charge = charge_make(reservation_id=booked.pk, now=later)
    assert (charge.covered, charge.grant_id) == (140, given.pk)
    assert amounts(given) == (1000, 0, 140)


def test_a_no_show_that_costs_nothing_gives_it_back(cast, shanghai):
    given = grant(cast, shanghai)
    free = cast.instrument(
        name="Free to miss", card={"no_show_percent": "0"}, policy={"check_in_minutes": 15}
    )
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00", instrument=free)
    usage_settle(now=at("2026-03-06 12:00"))
    booked.refresh_from_db()
    assert booked.state == "no_show"
    assert charge_make(reservation_id=booked.pk, now=at("2026-03-06 12:00")) is None
    assert amounts(given) == (1000, 0, 0)


def test_moved_past_its_last_day_it_is_given_back(cast, shanghai):
    given = grant(cast, shanghai, valid_until=date(2026, 3, 7))
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    assert amounts(given) == (1000, 140, 0)
    reservation_move(
        By(cast.actor("wang"), NOW),
        reservation_id=booked.pk,
        period=Period(at("2026-03-09 10:00"), at("2026-03-09 11:00")),
    )
    assert amounts(given) == (1000, 0, 0)


def test_days_cut_short_leave_what_bookings_have_set_aside(cast, shanghai):
    given = grant(cast, shanghai)
    reserve(cast, "2026-03-09 10:00", "2026-03-09 11:00")
    alter(cast, given, valid_until=date(2026, 3, 7))
    reserve(cast, "2026-03-09 12:00", "2026-03-09 13:00")
    assert amounts(given) == (1000, 140, 0)
    with pytest.raises(Invalid) as refused:
        alter(cast, given, valid_until=date(2026, 3, 5))
    assert problems(refused) == [("valid_until", "in-the-past")]
