"""House rules: accepted before the first booking, asked again at check-in when they change."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongVersion
from accounts.domain.roles import By
from accounts.models import Message, OutboxMessage, TrailEntry
from bookings.models import Reservation, UsageSession
from bookings.overview.services.effects import effects_carry_out
from bookings.record.domain.refusals import RulesRefuse
from bookings.usage.services.usage import house_rules_record, reservation_check_in
from instruments.house_rules.models import HouseRules, HouseRulesAcceptance
from instruments.house_rules.selectors.house_rules import load_house_rules
from instruments.house_rules.services.house_rules import house_rules_accept, house_rules_set
from instruments.register.models import Instrument
from tests.factories.cast import NOW, at, reserve

TEN, TWELVE = "2026-03-06 10:00", "2026-03-06 12:00"


def set_rules(cast, text="Wear gloves.", who="zhao", **of):
    of = of or {"instrument_id": cast.microscope.pk}
    return house_rules_set(By(cast.actor(who), NOW), text=text, text_zh="", **of)


def refusal(work):
    with pytest.raises(RulesRefuse) as refused:
        work()
    return [(r.code, dict(r.numbers)) for r in refused.value.refusals]


def check_in(cast, made, who="wang", **values):
    by = By(cast.actor(who), at(TEN))
    return reservation_check_in(by, reservation_id=made.pk, **values)


def test_the_first_booking_needs_them_accepted_and_later_ones_do_not(cast):
    set_rules(cast)
    code = ("house-rules-not-accepted", {"version": 1})
    assert refusal(lambda: reserve(cast, TEN, TWELVE)) == [code]
    assert refusal(lambda: reserve(cast, TEN, TWELVE, house_rules=7)) == [code]
    assert not Reservation.objects.exists()
    assert not HouseRulesAcceptance.objects.exists()
    reserve(cast, TEN, TWELVE, house_rules=1)
    accepted = HouseRulesAcceptance.objects.get()
    assert (accepted.user, accepted.rules.version, accepted.accepted_at) == (cast.wang, 1, NOW)
    assert TrailEntry.objects.filter(action="houserules.accept").count() == 1
    reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00")
    assert Reservation.objects.count() == 2


def test_a_new_version_cancels_nothing_and_is_asked_for_at_check_in(cast):
    set_rules(cast)
    made = reserve(cast, TEN, TWELVE, house_rules=1)
    set_rules(cast, "Wear gloves and goggles.")
    made.refresh_from_db()
    assert made.state == "confirmed"
    reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00")  # not the first
    assert refusal(lambda: check_in(cast, made)) == [("house-rules-not-accepted", {"version": 2})]
    assert not UsageSession.objects.exists()
    check_in(cast, made, house_rules=2)
    assert [a.rules.version for a in HouseRulesAcceptance.objects.order_by("rules")] == [1, 2]


def test_what_is_booked_for_somebody_they_accept_when_they_check_in(cast):
    set_rules(cast)
    made = reserve(cast, TEN, TWELVE, who="chen", organisation="fudan", on_behalf_of="wang@fudan.example")
    code = ("house-rules-not-accepted", {"version": 1})
    assert refusal(lambda: check_in(cast, made)) == [code]
    check_in(cast, made, house_rules=1)
    assert HouseRulesAcceptance.objects.get().user == cast.wang


@pytest.mark.parametrize("who", ["zhao", "chen"])
@pytest.mark.parametrize("named", [{}, {"house_rules": 2}])
def test_whom_somebody_else_checks_in_owes_them_and_is_told(cast, who, named):
    """Nobody accepts for another, and nobody is kept out for it: a new version cancels nothing."""
    set_rules(cast)
    reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00", house_rules=1)
    made = reserve(cast, TEN, TWELVE, who="chen", organisation="fudan", on_behalf_of="wang@fudan.example")
    set_rules(cast, "Wear gloves and goggles.")
    check_in(cast, made, who=who, **named)
    made.refresh_from_db()
    assert made.state == "in_use"
    assert [a.rules.version for a in HouseRulesAcceptance.objects.all()] == [1]
    entry = TrailEntry.objects.get(action="reservation.in_use")
    assert entry.after["house_rules_open"] == 2
    effects_carry_out(now=at(TEN))
    assert Message.objects.get(kind="mail.house-rules-open").user == cast.wang
    house_rules_accept(By(cast.actor("wang"), at(TEN)), instrument_id=cast.microscope.pk, version=2)
    assert OutboxMessage.objects.filter(kind="mail.house-rules-open").count() == 1


def test_who_has_accepted_them_owes_nothing_when_the_host_checks_them_in(cast):
    set_rules(cast)
    made = reserve(cast, TEN, TWELVE, house_rules=1)
    check_in(cast, made, who="zhao")
    assert "house_rules_open" not in TrailEntry.objects.get(action="reservation.in_use").after
    assert not OutboxMessage.objects.filter(kind="mail.house-rules-open").exists()


def test_the_host_records_how_they_were_accepted_and_who_recorded_it(cast):
    set_rules(cast)
    made = reserve(cast, TEN, TWELVE, who="chen", organisation="fudan", on_behalf_of="wang@fudan.example")
    check_in(cast, made, who="zhao", house_rules=1, house_rules_means="paper")
    accepted = HouseRulesAcceptance.objects.get()
    assert (accepted.user, accepted.means, accepted.recorded_by) == (cast.wang, "paper", cast.zhao)
    entry = TrailEntry.objects.get(action="houserules.record")
    assert (entry.actor_id, entry.after["user"]) == (cast.zhao.pk, str(cast.wang.pk))
    assert "house_rules_open" not in TrailEntry.objects.get(action="reservation.in_use").after
    assert not OutboxMessage.objects.filter(kind="mail.house-rules-open").exists()


@pytest.mark.parametrize("version", [None, 1, 3])
def test_only_the_version_in_force_is_recorded(cast, version):
    set_rules(cast)
    made = reserve(cast, TEN, TWELVE, who="chen", organisation="fudan", on_behalf_of="wang@fudan.example")
    set_rules(cast, "Wear gloves and goggles.")
    assert refusal(
        lambda: check_in(cast, made, who="zhao", house_rules=version, house_rules_means="paper")
    ) == [("house-rules-not-accepted", {"version": 2})]
    assert not UsageSession.objects.exists() and not HouseRulesAcceptance.objects.exists()


@pytest.mark.parametrize("who", ["chen", "wang"])
def test_only_the_hosts_managers_record_it(cast, who):
    set_rules(cast)
    made = reserve(cast, TEN, TWELVE, who="chen", organisation="fudan", on_behalf_of="wang@fudan.example")
    with pytest.raises(NotPermitted):
        check_in(cast, made, who=who, house_rules=1, house_rules_means="read_out")
    with pytest.raises(NotPermitted):
        record(cast, made, who=who)
    assert not UsageSession.objects.exists() and not HouseRulesAcceptance.objects.exists()


def record(cast, made, who="zhao", version=1, means="read_out"):
    by = By(cast.actor(who), at(TEN))
    return house_rules_record(by, reservation_id=made.pk, version=version, means=means)


def test_it_is_recorded_after_the_check_in_too_and_only_once(cast):
    set_rules(cast)
    made = reserve(cast, TEN, TWELVE, who="chen", organisation="fudan", on_behalf_of="wang@fudan.example")
    check_in(cast, made, who="zhao")
    for version, means, error in ((2, "paper", WrongVersion), (1, "nonsense", Invalid)):
        with pytest.raises(error):
            record(cast, made, version=version, means=means)
    record(cast, made)
    record(cast, made, means="paper")
    assert HouseRulesAcceptance.objects.get().means == "read_out"
    assert TrailEntry.objects.filter(action="houserules.record").count() == 1
    effects_carry_out(now=at(TEN))
    (told,) = Message.objects.filter(kind="mail.house-rules-recorded")
    assert told.user == cast.wang and "read out and agreed to" in told.text
    stranger = By(cast.actor("hu"), at(TEN))
    with pytest.raises(NotFound):
        house_rules_record(stranger, reservation_id=made.pk, version=1, means="paper")


def test_samples_that_are_sent_in_need_no_rules_at_check_in(cast):
    instrument = cast.instrument(name="X", service_modes=["entrusted", "self"])
    set_rules(cast, instrument_id=instrument.pk)
    made = reserve(
        cast, TEN, TWELVE, who="chen", organisation="fudan", instrument=instrument,
        on_behalf_of="wang@fudan.example", service_mode="entrusted",
    )  # fmt: skip
    check_in(cast, made, who="zhao")
    assert UsageSession.objects.count() == 1


def test_an_instruments_own_rules_come_before_those_of_its_facility(cast):
    set_rules(cast, "The house.", facility_id=cast.facility.pk)
    instrument = Instrument.objects.select_related("facility").get(pk=cast.microscope.pk)
    assert load_house_rules(instrument).text == "The house."
    set_rules(cast, "The room.")
    instrument.refresh_from_db()
    assert load_house_rules(instrument).text == "The room."
    set_rules(cast, "")  # withdrawn
    instrument = Instrument.objects.select_related("facility").get(pk=cast.microscope.pk)
    assert load_house_rules(instrument).text == "The house."
    assert HouseRules.objects.filter(instrument=instrument).count() == 2


def test_saving_the_same_again_is_no_version_and_versions_are_heeded(cast):
    set_rules(cast)
    assert set_rules(cast) is None
    with pytest.raises(WrongVersion):
        house_rules_set(
            By(cast.actor("zhao"), NOW, 0), instrument_id=cast.microscope.pk, text="x", text_zh=""
        )
    assert HouseRules.objects.count() == 1


@pytest.mark.parametrize("who", ["wang", "sun", "chen", "gao"])
def test_only_the_hosts_managers_set_them(cast, who):
    for of in ({"instrument_id": cast.microscope.pk}, {"facility_id": cast.facility.pk}):
        with pytest.raises(NotPermitted):
            set_rules(cast, who=who, **of)
    assert not HouseRules.objects.exists()


def test_accepting_by_itself(cast):
    by = By(cast.actor("wang"), NOW)
    with pytest.raises(NotFound):
        house_rules_accept(by, instrument_id=cast.microscope.pk, version=1)
    set_rules(cast)
    with pytest.raises(WrongVersion):
        house_rules_accept(by, instrument_id=cast.microscope.pk, version=2)
    for _ in range(2):
        house_rules_accept(by, instrument_id=cast.microscope.pk, version=1)
    assert HouseRulesAcceptance.objects.count() == 1
    reserve(cast, TEN, TWELVE)


def test_a_booking_costs_two_statements_more_the_first_time_and_one_later(cast):
    def count(start, end, **values):
        cast.actor("wang")
        with CaptureQueriesContext(connection) as captured:
            reserve(cast, start, end, **values)
        return len(captured)

    reserve(cast, "2026-03-09 08:00", "2026-03-09 09:00")  # the first of a process reads what it keeps
    plain = count("2026-03-06 08:00", "2026-03-06 09:00")
    set_rules(cast)
    first = count(TEN, TWELVE, house_rules=1)
    later = count("2026-03-06 14:00", "2026-03-06 15:00")
    assert later - plain == 1
    assert first > later
