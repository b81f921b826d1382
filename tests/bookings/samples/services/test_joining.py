"""Samples on bookings: joining them, taking them off, and what refuses."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.domain.errors import Invalid, NotFound, WrongState
from accounts.domain.roles import By
from bookings.catalogue.selectors.parties import Booking
from bookings.catalogue.selectors.quotes import load_quotation
from bookings.models import BookedSample, Reservation, SampleItem
from bookings.pricing.selectors.fees import PriceRequest
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.messages import sentence
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from bookings.samples.selectors.samples import find_hazardous, load_hazards
from bookings.samples.services.joining import sample_leave
from bookings.samples.services.samples import SampleValues, sample_announce
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from instruments.managing.services.registry import facility_update
from instruments.policy.domain.policies import Policy
from instruments.policy.selectors.policies import refused_hazards
from instruments.register.selectors.registry import instrument_to_book
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, at, reserve
from tests.factories.samples import announce, join, refuse, step
from tests.instruments.conftest import typed

pytestmark = pytest.mark.django_db
FRIDAY = Period(at("2026-03-06 10:00"), at("2026-03-06 12:00"))


def leave(cast, booking, sample, who="wang"):
    by = By(cast.actor(who), NOW)
    return sample_leave(by, reservation_id=booking.pk, sample_id=sample.pk)


def test_a_booking_has_several_samples_and_a_sample_several_bookings(cast):
    first = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    second = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    one, other = announce(cast), announce(cast)
    join(cast, first, one, other)
    join(cast, second, one)
    join(cast, second, one)  # once more changes nothing
    assert BookedSample.objects.count() == 3
    assert {row.host for row in BookedSample.objects.all()} == {cast.ustc}


@pytest.mark.parametrize(("who", "owner"), [("sun", "sun"), ("wang", "sun"), ("chen", "sun")])
def test_what_is_not_ones_own_is_not_joined(cast, who, owner):
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    sample = announce(cast, owner)
    with pytest.raises(NotFound):
        join(cast, booking, sample, who=who)
    assert not BookedSample.objects.exists()


def test_a_manager_joins_for_a_member(cast):
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    join(cast, booking, announce(cast), who="chen")
    assert BookedSample.objects.count() == 1


def test_nothing_joins_a_booking_that_is_over_or_only_held(cast):
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=booking.pk, reason="")
    held = hold_take(By(cast.actor("wang"), NOW), booking=Booking(cast.microscope.pk, FRIDAY, None, "self"))
    sample = announce(cast)
    for row in (booking, held):
        with pytest.raises(WrongState):
            join(cast, row, sample)
    assert not BookedSample.objects.exists()


def test_what_is_gone_joins_no_booking(cast):
    first = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    second = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    sample = announce(cast)
    join(cast, first, sample)
    step(cast, "wang", "cancelled", sample)
    with pytest.raises(WrongState) as refused:
        join(cast, second, sample)
    assert refused.value.code == "sample-gone"
    assert BookedSample.objects.count() == 1


def test_it_is_taken_off_while_it_lies_with_its_owner(cast):
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    sample = announce(cast)
    join(cast, booking, sample)
    with pytest.raises(NotFound):
        leave(cast, booking, sample, "zhao")
    step(cast, "wang", "shipped", sample)
    with pytest.raises(WrongState) as refused:
        leave(cast, booking, sample)
    assert refused.value.code == "sample-away"
    step(cast, "wang", "announced", sample)
    leave(cast, booking, sample)
    assert not BookedSample.objects.exists()


def test_a_booking_that_took_place_keeps_its_samples(cast):
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    sample = announce(cast)
    join(cast, booking, sample)
    reservation_check_in(By(cast.actor("wang"), at("2026-03-06 10:00")), reservation_id=booking.pk)
    reservation_check_out(By(cast.actor("wang"), at("2026-03-06 11:00")), reservation_id=booking.pk)
    for who, state in (("zhao", "received"), ("zhao", "measured"), ("wang", "returned")):
        step(cast, who, state, sample)
    with pytest.raises(WrongState):
        leave(cast, booking, sample)
    assert BookedSample.objects.get().sample == sample


# Hazards that refuse


def ask(cast, *samples, **values):
    return reservation_request(
        By(cast.actor("wang"), NOW),
        booking=Booking(
            instrument_id=cast.microscope.pk,
            period=FRIDAY,
            organisation=None,
            service_mode="self",
            sample_items=tuple(one.pk for one in samples),
            **values,
        ),
    )


def test_a_booking_with_samples_keeps_them(cast):
    one, other = announce(cast, hazards=["toxic"]), announce(cast)
    made = ask(cast, one, other)
    assert {row.sample for row in made.sample_items.all()} == {one, other}


def test_a_booking_with_a_sample_that_is_not_accepted_is_refused(cast):
    refuse(cast, cast.microscope, "magnetic", "radioactive")
    plain = announce(cast)
    sample = announce(cast, name="钴铁合金", hazards=["magnetic", "toxic"])
    with pytest.raises(RulesRefuse) as refused:
        ask(cast, plain, sample)
    (refusal,) = refused.value.refusals
    code = f"{sample.code[:4]}-{sample.code[4:]}"
    assert (refusal.code, refusal.numbers) == (
        "hazard-not-accepted",
        {"hazard": "magnetic", "sample": code, "name": "钴铁合金"},
    )
    assert sentence(refusal.code, refusal.numbers) == (
        f"The instrument does not accept this hazard: strongly magnetic (sample {code}, 钴铁合金)."
    )
    assert not Reservation.objects.exists()
    assert not BookedSample.objects.exists()


def test_it_is_named_with_every_other_rule_that_refuses(cast):
    refuse(cast, cast.microscope, "magnetic")
    sample = announce(cast, hazards=["magnetic"])
    night = Period(at("2026-03-06 21:00"), at("2026-03-06 22:00"))
    with pytest.raises(RulesRefuse) as refused:
        reservation_request(
            By(cast.actor("wang"), NOW),
            booking=Booking(cast.microscope.pk, night, None, "self", sample_items=(sample.pk,)),
        )
    codes = {refusal.code for refusal in refused.value.refusals}
    assert codes == {"hazard-not-accepted", "outside-opening-hours"}


def test_a_hold_is_completed_only_with_samples_that_are_accepted(cast):
    refuse(cast, cast.microscope, "magnetic")
    sample = announce(cast, hazards=["magnetic"])
    by = By(cast.actor("wang"), NOW)
    held = hold_take(by, booking=Booking(cast.microscope.pk, FRIDAY, None, "self"))
    for values in ({"hold": held.pk}, {}):  # named, or their own in the way
        with pytest.raises(RulesRefuse) as refused:
            ask(cast, sample, **values)
        assert {r.code for r in refused.value.refusals} == {"hazard-not-accepted"}
    held.refresh_from_db()
    assert held.state == "held"
    assert ask(cast, announce(cast), hold=held.pk).pk == held.pk


def test_others_samples_are_not_booked(cast):
    with pytest.raises(NotFound):
        ask(cast, announce(cast, "sun"))
    assert not Reservation.objects.exists()


def test_a_quote_says_so_too(cast):
    refuse(cast, cast.microscope, "magnetic")
    sample = announce(cast, hazards=["magnetic"])
    actor = cast.actor("wang")
    quotation = load_quotation(
        instrument_to_book(actor, cast.microscope.pk),
        cast.fudan,
        PriceRequest(FRIDAY),
        NOW,
        user_id=cast.wang.pk,
        hazards=load_hazards(actor, [sample.pk]),
    )
    assert [refusal.code for refusal in quotation.refusals] == ["hazard-not-accepted"]
    assert quotation.quote is not None
    with pytest.raises(NotFound):
        load_hazards(cast.actor("hu"), [sample.pk])


def test_joining_asks_again(cast):
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    refuse(cast, cast.microscope, "magnetic")
    sample = announce(cast, hazards=["magnetic"])
    with pytest.raises(RulesRefuse) as refused:
        join(cast, booking, announce(cast), sample)
    assert refused.value.refusals[0].code == "hazard-not-accepted"
    assert not BookedSample.objects.exists()
    assert SampleItem.objects.get(pk=sample.pk).version == 1


def test_a_new_list_cancels_nothing_and_names_who_is_concerned(cast):
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    join(cast, booking, announce(cast, hazards=["magnetic"]))
    microscope = instrument_to_book(cast.actor("zhao"), cast.microscope.pk)
    policy = Policy(refused_hazards=("magnetic",))
    (misfit,) = find_hazardous(microscope, None, policy, NOW)
    assert (misfit.reservation, misfit.codes) == (booking.pk, ("hazard-not-accepted",))
    assert find_hazardous(microscope, None, replace(policy, refused_hazards=("toxic",)), NOW) == []
    after = booking.end_at + timedelta(minutes=1)
    assert find_hazardous(microscope, None, policy, after) == []
    refuse(cast, cast.microscope, "magnetic")
    booking.refresh_from_db()
    assert booking.state == "confirmed"
    assert BookedSample.objects.count() == 1


def test_what_the_facility_refuses_none_of_its_instruments_accepts(cast):
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    by = By(cast.actor("zhao"), NOW)
    changes = {"refused_hazards": ["radioactive", "toxic", "toxic"]}
    assert facility_update(by, facility_id=cast.facility.pk, changes=changes).refused_hazards == [
        "toxic",
        "radioactive",
    ]
    values = SampleValues("Ore", hazards=["radioactive"])
    with pytest.raises(RulesRefuse) as refused:
        sample_announce(By(cast.actor("wang"), NOW), values=values, reservation_id=booking.pk)
    assert [(r.code, r.numbers["hazard"]) for r in refused.value.refusals] == [
        ("hazard-not-accepted", "radioactive")
    ]
    assert not SampleItem.objects.exists()
    sample = announce(cast, hazards=["radioactive"])  # for no booking yet
    for act in (lambda: join(cast, booking, sample), lambda: ask(cast, sample)):
        with pytest.raises(RulesRefuse):
            act()
    assert not BookedSample.objects.exists()
    microscope = instrument_to_book(cast.actor("zhao"), cast.microscope.pk)
    assert refused_hazards(microscope) == ("toxic", "radioactive")
    assert find_hazardous(microscope, None, Policy(refused_hazards=("toxic",)), NOW) == []


def test_a_facility_s_page_shows_the_bookings_first_that_a_new_hazard_concerns(cast, client, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    join(cast, booking, announce(cast, hazards=["magnetic"]))
    client.force_login(cast.people["zhao"])
    address = reverse("instruments:facility-edit", args=[cast.facility.pk])
    sent = typed(client.get(address).context["form"], refused_hazards=["magnetic"])
    shown = client.post(address, sent)
    html = page_of(shown, 409)
    assert f'data-misfit="{booking.pk}"' in html and "1 booking would no longer comply" in html
    cast.facility.refresh_from_db()
    assert cast.facility.refused_hazards == []
    other = client.post(address, sent | {"refused_hazards": ["toxic"]})
    assert other.status_code == 302  # no sample has it
    sent["version"] = "2"
    sent["refused_hazards"] = ["toxic", "magnetic"]
    assert client.post(address, sent | {"seen": "stale"}).status_code == 409
    assert client.post(address, sent | {"seen": shown.context["seen"]}).status_code == 302
    cast.facility.refresh_from_db()
    assert set(cast.facility.refused_hazards) == {"toxic", "magnetic"}


def test_a_facility_refuses_only_hazards_that_there_are(cast):
    by = By(cast.actor("zhao"), NOW)
    with pytest.raises(Invalid):
        facility_update(by, facility_id=cast.facility.pk, changes={"refused_hazards": ["dull"]})
    cast.facility.refresh_from_db()
    assert cast.facility.refused_hazards == []
