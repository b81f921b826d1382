"""What becomes of decided cases: hours kept for each year of a promise, a purchase in service, two
cases bought together."""

from datetime import date, timedelta

import pytest

from accounts.domain.errors import Invalid, NotFound, WrongState
from accounts.domain.roles import By
from bookings.availability.models import KeptHours
from bookings.hours.models import InstrumentDay, InstrumentDayUse
from bookings.reviews.models import HostPledge, PurchaseCase
from bookings.reviews.services import cases as services
from bookings.reviews.services.cases import Decision
from bookings.reviews.services.follow_ups import cases_follow_up
from bookings.reviews.services.promises import PledgeAnswer, pledge_answer
from instruments.managing.services.registry import facility_create, instrument_create
from instruments.register.models import Instrument
from tests.factories import reviews as make
from tests.factories.cast import NOW, Cast

pytestmark = pytest.mark.django_db

SHARE = Decision("share_instead", ["usable-by-sharing"], "The hours are there.")


def used(cast: Cast, day: date, hours: int) -> None:
    InstrumentDayUse.objects.create(
        instrument=cast.microscope,
        date=day,
        organisation=cast.fudan,
        payer_region=cast.shanghai,
        price_group="partner",
        minutes=hours * 60,
        sessions=hours,
    )


def of_fudan(cast: Cast) -> Instrument:
    """A draft of what Fudan bought."""
    chen = By(cast.actor("chen"), NOW)
    centre = facility_create(
        chen, organisation=cast.fudan, name="Centre", time_zone="Asia/Shanghai", address="Handan Rd"
    )
    return instrument_create(
        chen,
        facility=centre,
        techniques=[cast.technique],
        name="New microscope",
        description="What was bought.",
        service_modes=["self"],
    )


def promised(cast: Cast, years: int) -> PurchaseCase:
    """A case whose host promises 400 hours a year for so many years."""
    pledge = make.promise(cast, make.asked(cast), years=years)
    make.opinion(cast, PurchaseCase.objects.get(pk=pledge.case_id))
    return services.case_decide(By(cast.actor("xu"), NOW), case_id=pledge.case_id, decision=SHARE)


def test_each_year_of_a_promise_has_kept_hours_of_its_own(cast: Cast) -> None:
    case = promised(cast, 3)
    rows = list(KeptHours.objects.order_by("start_at"))
    assert [row.minutes for row in rows] == [24_000] * 3
    assert [row.end_at for row in rows[:2]] == [row.start_at for row in rows[1:]]
    assert (rows[-1].end_at - rows[0].start_at).days == 3 * 365
    pledge = HostPledge.objects.get(case=case)
    assert pledge.kept_hours == rows[0]
    assert list(pledge.later_hours.order_by("start_at")) == rows[1:]


def test_a_new_decision_ends_what_every_year_had(cast: Cast) -> None:
    case = promised(cast, 2)
    services.case_appeal(By(cast.actor("chen"), NOW), case_id=case.pk, reason="At night, too.")
    refusal = Decision("refused", ["usable-by-sharing"], "No.")
    services.case_decide(By(cast.actor("xu"), NOW), case_id=case.pk, decision=refusal)
    assert list(KeptHours.objects.values_list("ended_at", flat=True)) == [NOW, NOW]
    assert not HostPledge.objects.get(case=case).later_hours.exists()


@pytest.mark.parametrize("years", [0, 4])
def test_a_promise_is_for_one_to_three_years(cast: Cast, years: int) -> None:
    pledge = make.asked(cast)
    with pytest.raises(Invalid) as refused:
        make.promise(cast, pledge, years=years)
    assert refused.value.problems[0].field == "years"
    pledge.refresh_from_db()
    assert pledge.answer == ""


@pytest.mark.parametrize(("years", "second"), [(2, (24_000, 12_600, True)), (1, (0, 0, False))])
def test_the_second_follow_up_judges_the_second_year(
    cast: Cast, years: int, second: tuple[int, int, bool]
) -> None:
    case = promised(cast, years)
    used(cast, NOW.date() + timedelta(days=30), 100)
    used(cast, NOW.date() + timedelta(days=400), 210)
    cases_follow_up(NOW + timedelta(days=370))
    cases_follow_up(NOW + timedelta(days=740))
    figures = case.follow_ups.order_by("months").values_list("pledged_minutes", "used_minutes", "is_avoided")
    assert list(figures) == [(24_000, 6_000, False), second]


def test_a_purchase_is_followed_up_by_the_use_of_what_was_bought(cast: Cast) -> None:
    case = make.submitted(cast)
    make.opinion(cast, case)
    xu, chen = By(cast.actor("xu"), NOW), By(cast.actor("chen"), NOW)
    own = of_fudan(cast)
    with pytest.raises(WrongState, match="case-not-so-far"):
        services.case_in_service(chen, case_id=case.pk, instrument_id=own.pk, in_service_on=NOW.date())
    approval = Decision("approved", ["area-full"], "It is full.")
    services.case_decide(xu, case_id=case.pk, decision=approval)
    services.case_order(chen, case_id=case.pk)
    with pytest.raises(WrongState, match="case-not-so-far"):
        services.case_order(chen, case_id=case.pk)
    tomorrow = NOW.date() + timedelta(days=1)
    with pytest.raises(Invalid) as refused:
        services.case_in_service(chen, case_id=case.pk, instrument_id=own.pk, in_service_on=tomorrow)
    assert refused.value.problems[0].code == "in-future"
    with pytest.raises(NotFound):
        services.case_in_service(
            By(cast.actor("zhao"), NOW), case_id=case.pk, instrument_id=own.pk, in_service_on=NOW.date()
        )
    case = services.case_in_service(chen, case_id=case.pk, instrument_id=own.pk, in_service_on=NOW.date())
    assert (case.state, case.instrument) == ("in_service", own)
    for days, minutes in ((-5, 999), (30, 600), (400, 60)):
        InstrumentDay.objects.create(
            instrument=own,
            date=NOW.date() + timedelta(days=days),
            total_minutes=1440,
            open_minutes=minutes,
            productive_minutes=minutes,
            unscheduled_down_minutes=0,
            scheduled_down_minutes=0,
            engineering_minutes=0,
            standby_minutes=0,
            no_show_minutes=0,
            non_scheduled_minutes=1440 - minutes,
        )
    assert cases_follow_up(NOW + timedelta(days=370)) == 1
    assert cases_follow_up(NOW + timedelta(days=740)) == 1
    rows = case.follow_ups.order_by("months").values_list("own_minutes", "is_avoided")
    assert list(rows) == [(600, False), (60, False)]
    case.refresh_from_db()
    assert case.state == "followed_up"


def test_two_cases_that_fill_one_instrument_are_bought_together(cast: Cast) -> None:
    ours = make.submitted(cast)
    make.opinion(cast, ours)
    other = make.submitted(cast)
    xu = By(cast.actor("xu"), NOW)
    pooled = Decision("pooled", ["spare-short"], "One is enough.", pooled_with=other.pk)
    with pytest.raises(WrongState, match="nothing-to-pool"):  # of the same applicant
        services.case_decide(xu, case_id=ours.pk, decision=pooled)
    PurchaseCase.objects.filter(pk=other.pk).update(organisation=cast.optics)
    content = ours.comparison.content
    content["instruments"][0] |= {"open_minutes": 900 * 60}  # as though its hours were rolled up
    ours.comparison.content = content
    ours.comparison.save()
    case = services.case_decide(xu, case_id=ours.pk, decision=pooled)
    assert (case.state, case.pooled_with) == ("pooled", other)
    case = services.case_order(By(cast.actor("chen"), NOW), case_id=ours.pk)
    assert case.state == "ordered"


def test_hours_that_do_not_fit_are_refused_and_nothing_is_decided(cast: Cast) -> None:
    pledge = make.promise(cast, make.asked(cast), hours=8000)
    make.opinion(cast, PurchaseCase.objects.get(pk=pledge.case_id))
    with pytest.raises(Invalid) as refused:
        services.case_decide(By(cast.actor("xu"), NOW), case_id=pledge.case_id, decision=SHARE)
    assert refused.value.problems[0].code == "more-than-fits"
    assert PurchaseCase.objects.get(pk=pledge.case_id).state == "under_review"
    assert not KeptHours.objects.exists()


def test_what_is_kept_cannot_be_answered_anew(cast: Cast) -> None:
    case = promised(cast, 1)
    pledge = HostPledge.objects.get(case=case)
    with pytest.raises(WrongState, match="case-not-so-far"):
        pledge_answer(
            By(cast.actor("zhao"), NOW), pledge_id=pledge.pk, answer=PledgeAnswer("denial", reason="full")
        )
    pledge.refresh_from_db()
    assert pledge.answer == "promise"
