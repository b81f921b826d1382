"""Closing instruments."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from accounts.domain.errors import Invalid, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import Message, OutboxMessage, TrailEntry
from accounts.services.memberships import role_grant
from bookings.availability.selectors.availability import FOREVER, to_period
from bookings.availability.selectors.cuts import InTheWay
from bookings.availability.selectors.misfits import find_unkept_when_closed, load_unkept
from bookings.charging.domain.corrections import Amendment
from bookings.charging.selectors.replay import replay_all
from bookings.charging.services.charges import charge_make
from bookings.charging.services.corrections import correction_agree, correction_propose
from bookings.charging.services.melting import fees_melt
from bookings.models import BookingImport, Charge, Closure, ImportedBooking, Occupancy, UsageSession
from bookings.overview.services.effects import effects_carry_out
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel
from bookings.usage.services.closures import Outage, closure_create, closure_delete, closure_end
from bookings.usage.services.usage import reservation_check_in, reservation_check_out, usage_settle
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from instruments.register.selectors.registry import instrument_to_manage
from tests.factories import kept_hours
from tests.factories.cast import NOW, at, reserve
from tests.factories.charges import agreement, due, grant, use


def close(cast, start, end, *, displace=False, who="zhao", instrument=None, now=NOW, **values):
    outage = Outage(values.pop("kind", "maintenance"), at(start), at(end) if end else None, **values)
    return closure_create(
        By(cast.actor(who), now),
        instrument_id=(instrument or cast.microscope).pk,
        outage=outage,
        displace=displace,
    )


def test_it_blocks_its_time_alone(cast):
    close(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    with pytest.raises(RulesRefuse) as refused:
        reserve(cast, "2026-03-06 11:00", "2026-03-06 13:00")
    assert [r.code for r in refused.value.refusals] == ["instrument-closed"]
    assert reserve(cast, "2026-03-06 12:00", "2026-03-06 13:00").state == "confirmed"


def test_bookings_in_the_way_are_named_and_nothing_changes(cast):
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    with pytest.raises(InTheWay) as refused:
        close(cast, "2026-03-06 11:00", None)
    assert refused.value.reservations == (made,)
    assert not Closure.objects.exists()


def test_displacing_is_free_and_told(cast):
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    close(cast, "2026-03-06 11:00", None, kind="breakdown", reason="真空泄漏", displace=True)
    made.refresh_from_db()
    assert (made.state, made.is_ended_by_host, made.reason) == ("displaced", True, "真空泄漏")
    assert OutboxMessage.objects.filter(kind="mail.displaced").count() == 1
    assert not OutboxMessage.objects.filter(kind="charge.due").exists()
    assert to_period(Occupancy.objects.get().span).end == FOREVER


def test_what_fits_another_unit_is_seated_there(cast):
    pair = cast.instrument(name="Pair", policy={"units": 2})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=pair)
    close(cast, "2026-03-06 09:00", "2026-03-06 18:00", instrument=pair, units=(1,), displace=True)
    made.refresh_from_db()
    assert (made.state, made.unit, made.occupancy.unit) == ("confirmed", 2, 2)


def test_who_is_using_it_stops_where_it_breaks(cast):
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    reservation_check_in(By(cast.actor("wang"), at("2026-03-06 10:00")), reservation_id=made.pk)
    close(cast, "2026-03-06 10:40", None, kind="breakdown", displace=True, now=at("2026-03-06 10:45"))
    made.refresh_from_db()
    assert made.state == "completed"
    assert UsageSession.objects.get().checked_out_at == at("2026-03-06 10:40")


def test_the_past_is_recorded_but_occupies_nothing(cast):
    close(cast, "2026-03-02 10:00", "2026-03-02 12:00")
    assert Closure.objects.count() == 1
    assert not Occupancy.objects.exists()
    assert OutboxMessage.objects.filter(kind="hours.dirty").count() == 1


def test_ending_one_that_was_open(cast):
    closure = close(cast, "2026-03-06 10:00", None, kind="breakdown")
    later = at("2026-03-06 11:00")
    closure_end(By(cast.actor("zhao"), later), closure_id=closure.pk, end=None)
    assert to_period(Occupancy.objects.get().span).end == later
    with pytest.raises(WrongState):
        closure_end(By(cast.actor("zhao"), later + timedelta(minutes=1)), closure_id=closure.pk, end=None)


def test_deleting_only_before_it_begins(cast):
    closure = close(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    with pytest.raises(WrongState):
        closure_delete(By(cast.actor("zhao"), at("2026-03-06 10:00")), closure_id=closure.pk)
    closure_delete(By(cast.actor("zhao"), NOW), closure_id=closure.pk)
    assert not Occupancy.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": "holiday"}, "kind"),
        ({"units": (2,)}, "units"),
        ({"end": "2026-03-06 10:00"}, "end"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_shape(cast, values, field):
    end = values.pop("end", "2026-03-06 12:00")
    with pytest.raises(Invalid) as refused:
        close(cast, "2026-03-06 10:00", end, **values)
    assert refused.value.problems[0].field == field
    assert not Closure.objects.exists()


@pytest.mark.parametrize("who", ["wang", "sun", "chen", "auditor", "admin"])
def test_only_the_hosts_manager(cast, who):
    with pytest.raises(NotPermitted):
        close(cast, "2026-03-06 10:00", "2026-03-06 12:00", who=who)


def test_two_closures_of_one_time_share_it(cast):
    """The breakdown's end is not known; maintenance is planned behind it. Whichever ends, the
    other goes on blocking what it covers."""
    zhao = cast.actor("zhao")
    maintenance = close(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    breakdown = close(cast, "2026-03-06 10:00", None, kind="breakdown")
    with pytest.raises(RulesRefuse):
        reserve(cast, "2026-03-11 10:00", "2026-03-11 11:00")
    closure_delete(By(zhao, NOW), closure_id=maintenance.pk)
    with pytest.raises(RulesRefuse):
        reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00")
    closure_end(By(zhao, at("2026-03-06 11:00")), closure_id=breakdown.pk, end=at("2026-03-09 10:00"))
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00", now=at("2026-03-06 11:00"))
    assert made.state == "confirmed"


def test_a_finished_sessions_teardown_gives_way(cast):
    slow = cast.instrument(name="Slow", policy={"teardown_minutes": 60, "units": 2})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=slow)
    wang = cast.actor("wang")
    reservation_check_in(By(wang, at("2026-03-06 10:00")), reservation_id=made.pk)
    reservation_check_out(By(wang, at("2026-03-06 11:00")), reservation_id=made.pk)
    now = at("2026-03-06 11:05")
    close(cast, "2026-03-06 11:05", None, kind="breakdown", instrument=slow, now=now)
    made.refresh_from_db()
    assert (made.state, made.unit) == ("completed", 1)
    assert to_period(made.occupancy.span).end == now


def test_who_is_using_it_when_a_later_closure_is_set_pays_until_it_begins(cast):
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 14:00")
    wang = cast.actor("wang")
    reservation_check_in(By(wang, at("2026-03-06 10:00")), reservation_id=made.pk)
    close(cast, "2026-03-06 11:00", "2026-03-06 12:00", displace=True, now=at("2026-03-06 10:30"))
    reservation_check_out(By(wang, at("2026-03-06 13:30")), reservation_id=made.pk)
    assert UsageSession.objects.get().checked_out_at == at("2026-03-06 11:00")


def test_a_closure_in_the_second_of_check_in(cast):
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    now = at("2026-03-06 10:00")
    reservation_check_in(By(cast.actor("wang"), now), reservation_id=made.pk)
    close(cast, "2026-03-06 10:00", None, kind="breakdown", displace=True, now=now)
    made.refresh_from_db()
    assert made.state == "completed"


def test_moving_to_another_unit_is_on_record(cast):
    pair = cast.instrument(name="Pair", policy={"units": 2})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=pair)
    close(cast, "2026-03-06 09:00", "2026-03-06 18:00", instrument=pair, units=(1,), displace=True)
    made.refresh_from_db()
    assert made.version == 2
    entry = TrailEntry.objects.get(action="reservation.reseat")
    assert (entry.before, entry.after) == ({"unit": 1}, {"unit": 2, "version": 2})


def test_a_closure_ended_as_of_the_past_has_all_its_days_made_anew(cast):
    closure = close(cast, "2026-03-06 10:00", None, kind="breakdown")
    closure_end(
        By(cast.actor("zhao"), at("2026-03-13 10:00")), closure_id=closure.pk, end=at("2026-03-07 10:00")
    )
    dirty = OutboxMessage.objects.get(kind="hours.dirty")
    assert dirty.payload["end"] == at("2026-03-13 10:00").isoformat()


def test_fewer_units_than_are_in_use(cast):
    pair = cast.instrument(name="Pair", policy={"units": 2})
    for who in ("wang", "sun"):
        reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who=who, instrument=pair)
    one = parse_policy({"units": 1, "max_minutes": 480})
    with pytest.raises(WrongState) as refused:
        policy_set(By(cast.actor("zhao"), NOW), instrument_id=pair.pk, policy=one)
    assert refused.value.code == "units-in-use"
    policy_set(By(cast.actor("zhao"), at("2026-03-06 12:00")), instrument_id=pair.pk, policy=one)


class TestAUseCutShort:
    """It is charged, by every basis, for the time from check-in to the closure at most."""

    def used(self, cast, basis="reserved", card=(), check_in="2026-03-06 10:00", **values):
        card = {"charge_basis": basis} | dict(card)
        instrument = cast.instrument(name=f"By {basis}", card=card)
        made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument, **values)
        reservation_check_in(By(cast.actor("wang"), at(check_in)), reservation_id=made.pk)
        return made

    def cut(self, cast, made, start, now=None, **values):
        values = {"kind": "breakdown", "displace": True} | values
        return closure_create(
            By(cast.actor("zhao"), now or start),
            instrument_id=made.instrument_id,
            outage=Outage(values.pop("kind"), start, None, **values.pop("outage", {})),
            **values,
        )

    @pytest.mark.parametrize("basis", ["reserved", "used", "greater"])
    @pytest.mark.parametrize(
        ("seconds", "minutes", "total"),
        # 260.00 an hour and 6 % tax; no minimum of an hour, no set-up fee of 100.00.
        [(0, 0, "0.00"), (3, 0, "0.00"), (53, 0, "0.00"), (2400, 40, "183.73")],
    )
    def test_by_every_basis(self, cast, basis, seconds, minutes, total):
        made = self.used(cast, basis)
        now = made.start_at + timedelta(seconds=seconds)
        self.cut(cast, made, now)
        charge = charge_make(reservation_id=made.pk, now=now)
        assert (charge.kind, str(charge.total), charge.result["billed_minutes"]) == ("use", total, minutes)
        assert charge.inputs["cut_at"] == now.isoformat()
        assert [r for r in replay_all(instrument_id=made.instrument_id) if r.differences] == []

    def test_late_and_early_check_in(self, cast):
        made = self.used(cast, check_in="2026-03-06 10:50")
        self.cut(cast, made, at("2026-03-06 11:20"))
        charge = charge_make(reservation_id=made.pk, now=at("2026-03-06 11:20"))
        assert str(charge.total) == "137.80"  # half an hour
        early = self.used(cast, "greater", check_in="2026-03-06 09:50")
        self.cut(cast, early, at("2026-03-06 09:55"))
        charge = charge_make(reservation_id=early.pk, now=at("2026-03-06 09:55"))
        assert str(charge.total) == "0.00"

    def test_begun_before_it_was_entered(self, cast):
        made = self.used(cast)
        self.cut(cast, made, at("2026-03-06 10:30"), now=at("2026-03-06 11:00"))
        charge = charge_make(reservation_id=made.pk, now=at("2026-03-06 11:00"))
        assert str(charge.total) == "137.80"

    def test_still_to_begin_and_then_taken_back(self, cast):
        made = self.used(cast)
        closure = self.cut(cast, made, at("2026-03-06 11:00"), now=at("2026-03-06 10:10"))
        assert UsageSession.objects.get().cut_at == at("2026-03-06 11:00")
        closure_delete(By(cast.actor("zhao"), at("2026-03-06 10:20")), closure_id=closure.pk)
        now = at("2026-03-06 11:30")
        reservation_check_out(By(cast.actor("wang"), now), reservation_id=made.pk)
        # They stayed; what they were told they would pay at most stays, too.
        assert UsageSession.objects.get().checked_out_at == now
        assert str(charge_make(reservation_id=made.pk, now=now).total) == "275.60"

    def test_left_open_until_the_next_check_in(self, cast):
        made = self.used(cast)
        self.cut(cast, made, at("2026-03-06 11:00"), now=at("2026-03-06 10:10"))
        assert usage_settle(now=at("2026-03-07 00:00")) == 1
        session = UsageSession.objects.get()
        assert (session.checked_out_at, session.is_assumed) == (at("2026-03-06 11:00"), True)
        charge = charge_make(reservation_id=made.pk, now=at("2026-03-07 00:00"))
        assert str(charge.total) == "275.60"

    def test_who_checked_out_before_the_closure_was_entered(self, cast):
        made = self.used(cast)
        now = at("2026-03-06 10:40")
        reservation_check_out(By(cast.actor("wang"), now), reservation_id=made.pk)
        self.cut(cast, made, now, displace=False)
        assert UsageSession.objects.get().cut_at == now
        assert str(charge_make(reservation_id=made.pk, now=now).total) == "183.73"

    def test_who_had_all_their_time_is_charged_as_ever(self, cast):
        made = self.used(cast)
        self.cut(cast, made, at("2026-03-06 12:20"), displace=False)
        now = at("2026-03-06 12:30")
        reservation_check_out(By(cast.actor("wang"), now), reservation_id=made.pk)
        session = UsageSession.objects.get()
        assert (session.checked_out_at, session.cut_at) == (at("2026-03-06 12:20"), None)
        assert str(charge_make(reservation_id=made.pk, now=now).total) == "657.20"

    def test_closed_for_a_minute(self, cast):
        made = self.used(cast)
        now = at("2026-03-06 10:40")
        closure = self.cut(cast, made, now)
        later = now + timedelta(minutes=1)
        closure_end(By(cast.actor("zhao"), later), closure_id=closure.pk, end=None)
        assert str(charge_make(reservation_id=made.pk, now=later).total) == "183.73"

    def test_a_voucher_covers_its_part_of_that(self, cast):
        agreement(cast, discount="0")
        held = grant(cast)
        made = self.used(cast)
        now = at("2026-03-06 10:40")
        self.cut(cast, made, now)
        charge = charge_make(reservation_id=made.pk, now=now)
        # 200.00 an hour as partner: 30 % of 133.33.
        assert (str(charge.total), str(charge.covered)) == ("141.33", "40.00")
        held.refresh_from_db()
        assert (held.held, held.redeemed) == (0, charge.covered)

    def test_samples_in_part(self, cast):
        instrument = cast.instrument(
            name="Sent in", service_modes=["entrusted"], card={"rate_unit": "sample"}
        )
        made = reserve(
            cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=instrument,
            service_mode="entrusted", quantity=Decimal(10),
        )  # fmt: skip
        reservation_check_in(By(cast.actor("wang"), made.start_at), reservation_id=made.pk)
        now = at("2026-03-06 10:40")
        self.cut(cast, made, now)
        charge = charge_make(reservation_id=made.pk, now=now)
        (line,) = charge.result["lines"]
        assert (line["quantity"], line["amount"]) == ("3", "780.00")  # of ten, for a third

    def test_nobody_is_re_seated_out_of_a_use_and_the_other_unit_goes_on(self, cast):
        pair = cast.instrument(name="Pair", policy={"units": 2})
        wang = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=pair)
        sun = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun", instrument=pair)
        for who, made in (("wang", wang), ("sun", sun)):
            reservation_check_in(By(cast.actor(who), made.start_at), reservation_id=made.pk)
        now = at("2026-03-06 10:40")
        self.cut(cast, wang, now, outage={"units": (wang.unit,)})
        assert UsageSession.objects.get(reservation=wang).cut_at == now
        assert UsageSession.objects.get(reservation=sun).cut_at is None
        wang.refresh_from_db()
        sun.refresh_from_db()
        assert (wang.state, wang.unit, sun.state) == ("completed", 1, "in_use")

    def test_corrected_times_are_cut_too(self, cast):
        made = self.used(cast)
        now = at("2026-03-06 10:40")
        self.cut(cast, made, now)
        charge = charge_make(reservation_id=made.pk, now=now)
        role_grant(By(PLATFORM, now), user=cast.sun, role="manager", organisation=cast.ustc)
        usage = (at("2026-03-06 10:20"), at("2026-03-06 11:30"))
        proposed = correction_propose(
            By(cast.actor("zhao"), at("2026-03-06 12:00")),
            charge_id=charge.pk,
            amendment=Amendment(usage=usage),
            reason="She came later",
        )
        done = correction_agree(By(cast.actor("sun"), at("2026-03-06 12:00")), correction_id=proposed.pk)
        assert str(done.replacement.total) == "91.87"  # twenty minutes
        assert [r for r in replay_all(instrument_id=made.instrument_id) if r.differences] == []

    def test_a_charge_made_before_is_corrected_by_the_rule(self, cast):
        """Of a use that was charged in full: the same times, and what the closure leaves."""
        made = self.used(cast)
        now = at("2026-03-06 10:40")
        reservation_check_out(By(cast.actor("wang"), now), reservation_id=made.pk)
        charge = charge_make(reservation_id=made.pk, now=now)
        assert str(charge.total) == "657.20"
        self.cut(cast, made, now, displace=False)
        proposed = correction_propose(
            By(cast.actor("zhao"), now),
            charge_id=charge.pk,
            amendment=Amendment(usage=(made.start_at, now)),
            reason="It broke",
        )
        assert str(proposed.total) == "183.73"

    def test_its_person_is_told_why_what_it_costs_and_where_to_go(self, cast):
        other = cast.instrument(name="Other")
        made = self.used(cast)
        now = at("2026-03-06 10:40")
        self.cut(cast, made, now, outage={"reason": "Vacuum leak"})
        effects_carry_out(now=now)
        (letter,) = [m for m in mail.outbox if m.subject.startswith("Cut short")]
        for text in (letter.body, letter.alternatives[0][0]):
            assert "Fri 6 Mar 2026, 10:40 (Beijing time), breakdown" in text
            assert "Vacuum leak" in text and "CNY 183.73" in text and str(other.pk) in text

    def test_told_of_one_to_come(self, cast):
        made = self.used(cast)
        now = at("2026-03-06 10:10")
        self.cut(cast, made, at("2026-03-06 11:00"), now=now, kind="maintenance")
        effects_carry_out(now=now)
        (letter,) = [m for m in mail.outbox if m.subject.startswith("Cut short")]
        assert "11:00 (Beijing time), maintenance" in letter.body and "CNY 275.60" in letter.body


# Escaping one's own late fee


LATE = at("2026-03-06 08:00")  # two hours before: all of it, by the usual card


@pytest.fixture
def manager(cast):
    """Zhao, who manages the host, books there too."""
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="researcher", organisation=cast.ustc)
    return cast


@pytest.fixture
def second(manager):
    """Sun manages the host as well."""
    role_grant(By(PLATFORM, NOW), user=manager.sun, role="manager", organisation=manager.ustc)
    return manager


def own(cast, **values):
    return reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="zhao", **values)


def displace(cast, **values):
    span = ("2026-03-06 10:00", "2026-03-06 12:00")
    return close(cast, *span, **{"displace": True, "now": LATE, **values})


def kinds():
    return set(OutboxMessage.objects.values_list("kind", flat=True))


def test_displacing_ones_own_costs_what_cancelling_would(manager):
    made = own(manager)
    with pytest.raises(InTheWay) as refused:
        displace(manager, displace=False)
    preview = refused.value.reservations[0].owed
    displace(manager)
    made.refresh_from_db()
    assert (made.state, made.is_ended_by_host) == ("displaced", False)
    charge = due(made, LATE)
    assert (charge.kind, charge.total) == ("cancellation", preview.total)
    assert preview.total > 0
    again = own(manager, now=LATE - timedelta(days=1), instrument=manager.instrument(name="B"))
    reservation_cancel(By(manager.actor("zhao"), LATE), reservation_id=again.pk, reason="")
    assert due(again, LATE).total == charge.total


def test_another_manager_displaces_it_for_nothing(second):
    made = own(second)
    with pytest.raises(InTheWay) as refused:
        displace(second, who="sun", displace=False)
    assert refused.value.reservations[0].owed is None
    displace(second, who="sun")
    made.refresh_from_db()
    assert (made.state, made.is_ended_by_host) == ("displaced", True)
    assert charge_make(reservation_id=made.pk, now=LATE) is None
    assert "charge.due" not in kinds()


def test_what_a_manager_made_for_another_person_is_their_own_too(manager):
    made = own(manager, on_behalf_of="sun@ustc.example", organisation="ustc")
    assert made.user_id == manager.sun.pk
    displace(manager)
    made.refresh_from_db()
    assert not made.is_ended_by_host
    assert due(made, LATE).kind == "cancellation"


def test_a_manager_elsewhere_who_is_the_person_is_displaced_for_nothing(cast):
    role_grant(By(PLATFORM, NOW), user=cast.chen, role="researcher", organisation=cast.fudan)
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="chen")
    displace(cast)
    assert charge_make(reservation_id=made.pk, now=LATE) is None


def test_ones_own_request_that_waits_is_displaced_for_nothing(manager):
    pair = manager.instrument(name="Asks", policy={"approval": "manual"})
    made = own(manager, instrument=pair)
    assert made.state == "requested"
    displace(manager, instrument=pair)
    made.refresh_from_db()
    assert (made.state, made.is_ended_by_host) == ("displaced", False)
    assert charge_make(reservation_id=made.pk, now=LATE) is None


def test_ones_own_that_fits_another_unit_is_seated_there_for_nothing(manager):
    pair = manager.instrument(name="Pair", policy={"units": 2})
    made = own(manager, instrument=pair)
    displace(manager, instrument=pair, units=(1,))
    made.refresh_from_db()
    assert (made.state, made.unit) == ("confirmed", 2)


def test_ones_own_that_was_missed_is_missed_and_not_displaced(manager):
    strict = manager.instrument(name="Strict", policy={"check_in_minutes": 15})
    made = own(manager, instrument=strict)
    missed = at("2026-03-06 10:20")
    with pytest.raises(InTheWay) as refused:
        displace(manager, instrument=strict, displace=False, now=missed)
    preview = refused.value.reservations[0].owed
    displace(manager, instrument=strict, now=missed)
    made.refresh_from_db()
    assert made.state == "no_show"
    charge = due(made, missed)
    assert (charge.kind, charge.total) == ("no_show", preview.total)


def test_ones_own_that_is_over_is_charged_as_used(manager):
    slow = manager.instrument(name="Slow", policy={"teardown_minutes": 60})
    made = own(manager, instrument=slow)
    over = at("2026-03-06 12:10")
    close(manager, "2026-03-06 12:10", "2026-03-06 14:00", instrument=slow, displace=True, now=over)
    made.refresh_from_db()
    assert made.state == "completed"
    assert due(made, over).kind == "use"


def test_moving_it_first_is_no_way_out(manager):
    made = own(manager)
    reservation_move(
        By(manager.actor("zhao"), LATE),
        reservation_id=made.pk,
        period=Period(at("2026-03-20 10:00"), at("2026-03-20 12:00")),
    )
    close(manager, "2026-03-20 10:00", "2026-03-20 12:00", displace=True, now=LATE)
    made.refresh_from_db()
    charge = due(made, LATE)
    assert (charge.kind, charge.result["percent"]) == ("cancellation", "100")


def test_ones_own_fee_melts_when_others_use_the_time(manager):
    made = own(manager)
    closure = displace(manager)
    fee = due(made, LATE)
    closure_delete(By(manager.actor("zhao"), LATE), closure_id=closure.pk)
    use(manager, "2026-03-06 11:00", "2026-03-06 12:00", who="sun")
    assert fees_melt(now=at("2026-03-06 18:00")) == 1
    assert Charge.objects.get(kind="melting").total == -fee.total / 2


def test_the_letter_says_what_displacing_ones_own_costs(manager):
    own(manager)
    displace(manager)
    effects_carry_out(now=LATE)
    (letter,) = [m for m in mail.outbox if m.subject.startswith("Displaced")]
    assert "It costs what cancelling it would have cost." in letter.body
    assert "Charged: CNY" in letter.body
    assert "costs nothing" not in letter.body


def test_what_a_manager_brought_in_for_others_is_displaced_for_nothing(manager):
    made = own(manager, on_behalf_of="sun@ustc.example", organisation="ustc")
    run = BookingImport.objects.create(
        organisation=manager.ustc,
        user=manager.zhao,
        file_name="calendar.csv",
        booked=1,
        unchanged=0,
        refused=0,
        created_at=NOW,
    )
    ImportedBooking.objects.create(
        reservation=made, run=run, organisation=manager.ustc, reference="A-1", line=2
    )
    with pytest.raises(InTheWay) as refused:
        displace(manager, displace=False)
    assert refused.value.reservations[0].owed is None
    displace(manager)
    made.refresh_from_db()
    assert (made.state, made.is_ended_by_host) == ("displaced", True)
    assert charge_make(reservation_id=made.pk, now=LATE) is None


def test_closing_over_ones_own_use_is_no_way_out(manager):
    """Checked in and closed at once: charged as if they had checked out."""
    made = own(manager)
    zhao = manager.actor("zhao")
    reservation_check_in(By(zhao, made.start_at), reservation_id=made.pk)
    now = made.start_at + timedelta(minutes=1)
    close(manager, "2026-03-06 10:01", "2026-03-06 12:00", displace=True, now=now)
    assert UsageSession.objects.get().cut_at is None
    charge = charge_make(reservation_id=made.pk, now=now)
    assert charge.result["billed_minutes"] == 120


def test_thinking_again_by_a_closure_is_free_once_a_day(manager):
    late = at("2026-03-06 08:00")
    first = own(manager, now=late)
    soon = late + timedelta(minutes=5)
    displace(manager, now=soon)
    first.refresh_from_db()
    assert (first.state, first.is_second_thought) == ("displaced", True)
    assert charge_make(reservation_id=first.pk, now=soon) is None
    other = manager.instrument(name="B")
    for span in (("10:00", "11:00"), ("11:00", "12:00")):
        start, end = (f"2026-03-06 {clock}" for clock in span)
        made = reserve(manager, start, end, who="zhao", instrument=other, now=late)
        close(manager, start, end, instrument=other, displace=True, now=soon)
        made.refresh_from_db()
    assert (made.is_second_thought, due(made, soon).kind) == (False, "cancellation")


@pytest.mark.parametrize(("until", "short"), [("14:00", 0), ("16:00", 120)])
def test_whose_kept_hours_no_longer_fit_is_said_before_and_told(cast, client, monkeypatch, until, short):
    """Eight hours are kept of a day that is open for twelve; closed for four they fit, for six two
    do not."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    kept = kept_hours.grant(cast)
    start, end = "2026-03-06 10:00", f"2026-03-06 {until}"
    instrument = instrument_to_manage(cast.actor("zhao"), cast.microscope.pk)
    said = find_unkept_when_closed(instrument, Period(at(start), at(end)), (), NOW)
    assert said == ([kept] if short else [])
    close(cast, start, end)
    assert load_unkept(instrument, NOW).get(kept.pk, 0) == short
    effects_carry_out(now=NOW)
    told = Message.objects.filter(kind="kept-hours.short", user=cast.people["chen"])
    assert told.count() == bool(short)
    client.force_login(cast.zhao)
    page = client.get(reverse("bookings:kept-hours-manage", args=[instrument.pk])).content.decode()
    assert ('data-unkept="120"' in page) == bool(short)


def test_what_cannot_be_booked_any_more_anyway_is_not_told_again(cast):
    kept_hours.grant(cast)
    for start, end in (("10:00", "16:00"), ("06:00", "07:00")):
        close(cast, f"2026-03-06 {start}", f"2026-03-06 {end}")
    assert OutboxMessage.objects.filter(kind="kept-hours.short").count() == 1


def test_holders_whose_bookings_are_displaced_count_them_as_left(cast):
    kept_hours.grant(cast, minutes=600)
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    close(cast, "2026-03-06 10:00", "2026-03-06 12:00", displace=True)
    assert not OutboxMessage.objects.filter(kind="kept-hours.short").exists()
    close(cast, "2026-03-06 12:00", "2026-03-06 13:00")
    assert OutboxMessage.objects.filter(kind="kept-hours.short").count() == 1
