"""A purchase that became shared hours: from the draft over the promise and the bookings that use it
to its follow-up a year later."""

from datetime import timedelta

import pytest

from accounts.domain.roles import By
from accounts.selectors.verification import trail_verify
from bookings.availability.models import KeptHours
from bookings.hours.models import InstrumentDayUse
from bookings.overview.services.effects import effects_carry_out
from bookings.reviews.models import HostPledge, PurchaseCase
from bookings.reviews.selectors.comparison import evidence_of
from bookings.reviews.services import cases as services
from bookings.reviews.services.follow_ups import cases_follow_up
from tests.factories import reviews as make
from tests.factories.cast import NOW, Cast, reserve

pytestmark = pytest.mark.django_db


def test_from_a_draft_to_what_was_used_of_the_promise(cast: Cast) -> None:
    case = make.decided(cast)
    pledge = HostPledge.objects.get(case=case)
    kept = pledge.kept_hours
    assert kept is not None
    assert case.state == "share_instead"
    assert (kept.organisation, kept.minutes) == (cast.fudan, 400 * 60)
    evidence = evidence_of(PurchaseCase.objects.get(pk=case.pk))
    assert evidence is not None and evidence.figures.promised == 400
    # A booking of the applicant uses it up.
    booked = reserve(cast, "2026-03-06 09:00", "2026-03-06 12:00")
    assert booked.organisation == cast.fudan
    # A year later: half of it was used.
    InstrumentDayUse.objects.create(
        instrument=cast.microscope,
        date=NOW.date() + timedelta(days=30),
        organisation=cast.fudan,
        payer_region=cast.shanghai,
        price_group="partner",
        minutes=200 * 60,
        sessions=60,
    )
    assert cases_follow_up(NOW + timedelta(days=300)) == 0
    later = NOW + timedelta(days=370)
    assert cases_follow_up(later) == 1
    first = case.follow_ups.get()
    assert (first.months, first.pledged_minutes, first.used_minutes) == (12, 24_000, 12_000)
    assert first.is_avoided
    assert cases_follow_up(later + timedelta(days=366)) == 1
    case.refresh_from_db()
    assert case.state == "followed_up"
    assert not case.follow_ups.get(months=24).is_avoided
    assert effects_carry_out(now=later) > 0
    assert not trail_verify().problems


def test_an_appeal_gives_back_what_was_kept_once_it_is_decided_anew(cast: Cast) -> None:
    case = make.decided(cast)
    chen, xu = By(cast.actor("chen"), NOW), By(cast.actor("xu"), NOW)
    services.case_appeal(chen, case_id=case.pk, reason="We need it at night.")
    approval = services.Decision("approved", ["area-full"], "At night nobody opens.")
    services.case_decide(xu, case_id=case.pk, decision=approval)
    kept = KeptHours.objects.get(organisation=cast.fudan)
    assert kept.ended_at == NOW
    assert HostPledge.objects.get(case=case).kept_hours is None
