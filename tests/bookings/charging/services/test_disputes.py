"""Charges become final, or are disputed first."""

from datetime import date, timedelta

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import PLATFORM, By
from accounts.models import OutboxMessage, TrailEntry
from accounts.services.memberships import role_grant
from bookings.charging.services.charges import charge_make, charges_finalise
from bookings.charging.services.disputes import dispute_open, dispute_reject, dispute_withdraw
from bookings.models import Charge, ClosedMonth, Dispute
from tests.factories.cast import NOW, at
from tests.factories.charges import use

DAY = timedelta(days=1)


@pytest.fixture
def charge(cast):
    return use(cast, "2026-03-06 10:00", "2026-03-06 12:00")


def made_at(charge):
    return charge.created_at


def dispute(cast, charge, who="wang", reason="The laser was off.", now=None, **values):
    return dispute_open(
        By(cast.actor(who), now or made_at(charge) + DAY, values.pop("expected_version", None)),
        charge_id=charge.pk,
        reason=reason,
        **values,
    )


def reject(cast, charge, who="zhao", answer="It was on.", now=None):
    return dispute_reject(
        By(cast.actor(who), now or made_at(charge) + DAY), charge_id=charge.pk, answer=answer
    )


def again(charge):
    return Charge.objects.get(pk=charge.pk)


def test_final_after_seven_days_at_that_moment_however_late_the_job(charge):
    due = made_at(charge) + 7 * DAY
    assert charges_finalise(now=due - timedelta(seconds=1)) == 0
    assert charges_finalise(now=due + 2 * DAY) == 1
    assert charges_finalise(now=due + 2 * DAY) == 0
    final = again(charge)
    assert (final.state, final.final_at, final.month) == ("final", due, date(2026, 3, 1))
    entry = TrailEntry.objects.get(action="charge.final")
    assert entry.actor_id is None
    assert entry.after["month"] == "2026-03-01"
    assert set(entry.organisation_ids) == {charge.organisation_id, charge.host_id}


def test_the_month_is_that_of_the_hosts_zone(cast):
    """Made on 24 March, 23:30 in Shanghai; final on the 31st, when it is still March there; half
    an hour later it would be April, and by UTC still March."""
    first = use(cast, "2026-03-24 10:00", "2026-03-24 12:00")
    second = use(cast, "2026-03-24 14:00", "2026-03-24 16:00")
    Charge.objects.filter(pk=first.pk).update(open_until=at("2026-03-31 23:59"))
    Charge.objects.filter(pk=second.pk).update(open_until=at("2026-04-01 00:00"))
    assert charges_finalise(now=at("2026-04-03 00:00")) == 2
    assert (again(first).month, again(second).month) == (date(2026, 3, 1), date(2026, 4, 1))


def test_a_month_that_is_drawn_up_gets_no_more_charges(cast, charge):
    for month in (date(2026, 3, 1), date(2026, 4, 1)):
        ClosedMonth.objects.create(host=cast.ustc, month=month, closed_at=NOW)
    ClosedMonth.objects.create(host=cast.fudan, month=date(2026, 5, 1), closed_at=NOW)
    charges_finalise(now=made_at(charge) + 8 * DAY)
    assert again(charge).month == date(2026, 5, 1)


def test_only_one_host_where_somebody_draws_up_its_statements(cast, charge):
    now = made_at(charge) + 8 * DAY
    assert charges_finalise(now=now, host_id=cast.fudan.pk) == 0
    assert charges_finalise(now=now, host_id=cast.ustc.pk) == 1


def test_a_disputed_charge_does_not_become_final(cast, charge):
    dispute(cast, charge)
    assert charges_finalise(now=made_at(charge) + 30 * DAY) == 0
    assert again(charge).state == "disputed"


def test_who_may_dispute(cast, charge):
    for name, refusal in (
        ("sun", NotFound),
        ("alice", NotFound),
        ("xu", NotFound),
        ("zhao", NotPermitted),
        ("gao", NotPermitted),
        ("auditor", NotPermitted),
    ):
        with pytest.raises(refusal):
            dispute(cast, charge, who=name)
    assert again(charge).state == "open"
    assert not Dispute.objects.exists()
    for name in ("wang", "chen", "lin"):
        dispute(cast, charge, who=name)
        dispute_withdraw(By(cast.actor(name), made_at(charge) + DAY), charge_id=charge.pk)


def test_a_dispute_needs_a_reason_an_open_charge_and_is_one(cast, charge):
    with pytest.raises(Invalid):
        dispute(cast, charge, reason="  ")
    with pytest.raises(WrongVersion):
        dispute(cast, charge, expected_version=9)
    with pytest.raises(WrongState) as refused:
        dispute(cast, charge, now=made_at(charge) + 7 * DAY)  # the job has not come by yet
    assert refused.value.numbers == {"state": "final", "wanted": "disputed"}
    dispute(cast, charge)
    with pytest.raises(WrongState):
        dispute(cast, charge, who="lin")
    assert Dispute.objects.count() == 1
    assert OutboxMessage.objects.filter(kind="mail.disputed").count() == 1


def test_withdrawn_in_time_it_is_open_again_and_later_final(cast, charge):
    dispute(cast, charge)
    with pytest.raises(NotPermitted):
        dispute_withdraw(By(cast.actor("zhao"), NOW), charge_id=charge.pk)
    back = dispute_withdraw(By(cast.actor("lin"), made_at(charge) + 2 * DAY), charge_id=charge.pk)
    assert (back.state, back.final_at) == ("open", None)
    dispute(cast, charge, now=made_at(charge) + 3 * DAY)
    late = made_at(charge) + 40 * DAY
    back = dispute_withdraw(By(cast.actor("wang"), late), charge_id=charge.pk)
    assert (back.state, back.final_at, back.month) == ("final", late, date(2026, 4, 1))
    assert set(Dispute.objects.values_list("state", flat=True)) == {"withdrawn"}


def test_rejected_it_is_final_at_once(cast, charge):
    dispute(cast, charge)
    for name in ("wang", "chen", "auditor"):
        with pytest.raises(NotPermitted):
            reject(cast, charge, who=name)
    with pytest.raises(Invalid):
        reject(cast, charge, answer="")
    now = made_at(charge) + 2 * DAY
    reject(cast, charge, who="gao", now=now)
    settled = again(charge)
    assert (settled.state, settled.final_at, settled.month) == ("final", now, date(2026, 3, 1))
    said = Dispute.objects.get()
    assert (said.state, said.answer, said.settled_by) == ("rejected", "It was on.", cast.gao)
    with pytest.raises(WrongState):
        reject(cast, charge)
    with pytest.raises(WrongState):
        dispute(cast, charge)


def test_nobody_answers_a_dispute_of_their_own(cast):
    """Zhao manages the host and books at it himself; so does Gao's colleague."""
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="researcher", organisation=cast.ustc)
    own = use(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="zhao")
    dispute(cast, own, who="zhao")
    with pytest.raises(NotPermitted) as refused:
        reject(cast, own, who="zhao")
    assert refused.value.code == "own-charge"
    reject(cast, own, who="gao")
    other = use(cast, "2026-03-09 10:00", "2026-03-09 12:00", who="sun")
    dispute(cast, other, who="gao")  # finance of the payer, which is the host
    with pytest.raises(NotPermitted) as refused:
        reject(cast, other, who="gao")
    assert refused.value.code == "own-dispute"


def test_a_charge_is_made_once_also_when_it_is_disputed(cast, charge):
    dispute(cast, charge)
    assert charge_make(reservation_id=charge.reservation_id, now=NOW + 9 * DAY) == charge
    assert Charge.objects.count() == 1
