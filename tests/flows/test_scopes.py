"""A manager of one instrument reaches its rows, and none of its neighbour's in the same facility."""

from datetime import timedelta

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import Message, RoleGrant
from accounts.selectors.memberships import no_second
from bookings.availability.models import Closure
from bookings.board.models import Bid, Enquiry
from bookings.board.selectors.alarms import alarms_for, alarms_to_answer
from bookings.board.selectors.enquiries import (
    bids_for,
    enquiries_to,
    host_bids,
    instruments_for,
    is_put_aside,
)
from bookings.board.services import bids
from bookings.board.services.alarms import alarm_answer, alarms_review
from bookings.board.services.bids import BidValues, bid_make
from bookings.board.services.enquiries import enquiry_put_aside
from bookings.overview.services.effects import effects_carry_out
from bookings.plans.selectors.waiting import wishes_for
from bookings.record.selectors.reservations import requests_to_decide
from bookings.reserving.services.reservations import reservation_decide
from instruments.capabilities.selectors.capabilities import questions_to_answer
from instruments.capabilities.services.capabilities import question_ask
from instruments.managing.notifications.records import KINDS as OF_RECORDS
from instruments.managing.services.copying import instrument_copy
from instruments.managing.services.publishing import stale_records_tell
from instruments.managing.services.registry import facility_create, facility_update, instrument_create
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.selectors.ratecards import cards_to_copy, readable_card
from instruments.rates.services.ratecards import rate_card_create
from instruments.register.selectors.registry import facilities_where, managed_instruments
from instruments.search.services.search import entries_file
from instruments.training.domain.training import CourseTerms, SessionTerms
from instruments.training.selectors.qualifications import qualifications_for
from instruments.training.selectors.training import enrolments_for, managed_courses, things_of
from instruments.training.services.training import (
    course_create,
    session_cancel,
    session_change,
    session_create,
)
from tests.factories.alarms import alarm_of
from tests.factories.board import FIRST, bid_of, enquiry_of, unchanged
from tests.factories.capabilities import parameters_of
from tests.factories.cast import CARD, NOW, at, reserve
from tests.factories.qualifications import certify
from tests.factories.training import course, enrol, session
from tests.factories.waiting import wait

pytestmark = pytest.mark.django_db
TERMS = CourseTerms(name="Safety", name_zh="", months=None, places=2)


def manager(cast, name="sun", **scope):
    """An actor of USTC who manages a part of it."""
    RoleGrant.objects.create(
        user=cast.people[name], role="manager", organisation=cast.ustc, granted_at=NOW, **scope
    )
    return cast.actor(name)


@pytest.fixture
def laser(cast):
    return cast.instrument(name="Laser", policy={"approval": "manual"})


@pytest.fixture
def keeper(cast, laser):
    return manager(cast, instrument_id=laser.pk)


@pytest.fixture
def yard(cast):
    """Another facility of USTC."""
    by = By(cast.actor("zhao"), NOW)
    return facility_create(
        by, organisation=cast.ustc, name="Yard", name_zh="", time_zone="Asia/Shanghai", address=""
    )


def test_the_lists_have_the_rows_of_the_instrument_alone(cast, laser, keeper):
    parameters_of(cast)
    near = cast.instrument(name="Neighbour", policy={"approval": "manual"})
    for n, instrument in enumerate((laser, near)):
        reserve(cast, f"2026-03-{12 + n} 10:00", f"2026-03-{12 + n} 12:00", instrument=instrument)
        question_ask(By(cast.actor("wang"), NOW), instrument_id=instrument.pk, parameter="spatial_resolution")
        alarm_of(instrument)
        enrol(cast, session(cast, course(cast, instrument, name=instrument.name)))
        certify(cast, instrument)
        wait(cast, instrument, minutes=60)
    certify(cast, cast.technique, "hu")
    enquiry = enquiry_of(cast)
    bid_of(cast, enquiry, instrument=laser)
    bid_of(cast, enquiry, instrument=cast.microscope, starts=[FIRST + timedelta(days=2)])
    found = {
        "instruments": [row.pk for row in managed_instruments(keeper)],
        "requests": [row.instrument_id for row in requests_to_decide(keeper, NOW)],
        "questions": [row.instrument_id for row in questions_to_answer(keeper)],
        "alarms": [row.instrument_id for row in alarms_for(keeper)],
        "alarms to answer": [row.instrument_id for row in alarms_to_answer(keeper, NOW)],
        "courses": [row.instrument_id for row in managed_courses(keeper)],
        "enrolments": [row.session.course.instrument_id for row in enrolments_for(keeper)],
        "certificates": [row.instrument_id for row in qualifications_for(keeper)],
        "wishes": [row.instrument_id for row in wishes_for(keeper)],
        "bids": [row.instrument_id for row in bids_for(keeper)],
        "hosted bids": [row.instrument_id for row in host_bids(keeper)],
        "to bid with": [row.pk for row in instruments_for(keeper, enquiry)],
    }
    assert found == {name: [laser.pk] for name in found}
    assert things_of(keeper, cast.ustc) == ([laser], [])


def test_requests_are_decided_at_the_instrument_alone(cast, laser, keeper):
    near = cast.instrument(name="Neighbour", policy={"approval": "manual"})
    mine = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=laser)
    other = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=near)
    by = By(keeper, NOW)
    with pytest.raises(NotFound):
        reservation_decide(by, reservation_id=other.pk, approve=True, reason="")
    assert reservation_decide(by, reservation_id=mine.pk, approve=True, reason="").state == "confirmed"
    other.refresh_from_db()
    assert other.state == "requested"


def test_who_manages_a_facility_enters_instruments_there_and_nowhere_else(cast, yard):
    RoleGrant.objects.filter(user=cast.people["sun"]).update(revoked_at=NOW)  # a researcher may everywhere
    actor = manager(cast, facility_id=yard.pk)
    by, values = By(actor, NOW), {"techniques": [], "name": "New"}
    row = instrument_create(by, facility=yard, units=2, **values)
    assert list(facilities_where(actor, "manage-instruments")) == [yard]
    assert list(managed_instruments(actor)) == [row]
    facility_update(by, facility_id=yard.pk, changes={"contact_name": "Sun Tao"})
    instrument_copy(by, instrument_id=row.pk, name="Second")
    with unchanged(type(row), type(yard)):
        for act in (
            lambda: instrument_create(by, facility=cast.facility, **values),
            lambda: facility_update(by, facility_id=cast.facility.pk, changes={"contact_name": "x"}),
            lambda: facility_create(by, organisation=cast.ustc, name="Third", time_zone="Asia/Shanghai"),
            lambda: instrument_copy(by, instrument_id=cast.microscope.pk, name="Third"),
        ):
            with pytest.raises(NotPermitted):
                act()


def test_who_manages_an_instrument_enters_no_other(cast, laser, keeper):
    RoleGrant.objects.filter(user=cast.people["sun"], instrument_id=None).update(revoked_at=NOW)
    by = By(cast.actor("sun"), NOW)
    with pytest.raises(NotPermitted):
        instrument_create(by, facility=cast.facility, techniques=[], name="New")
    with pytest.raises(NotPermitted):
        instrument_copy(by, instrument_id=laser.pk, name="Second")
    assert not facilities_where(by.actor, "manage-instruments").exists()


def test_courses_and_certificates_are_for_the_instrument_alone(cast, laser, keeper):
    by, begins = By(keeper, NOW), at("2026-03-10 09:00")
    mine = course_create(by, host=cast.ustc, terms=TERMS, instrument=laser)
    when = {"start": begins, "end": begins + timedelta(hours=3), "deadline": begins - timedelta(days=1)}
    common = {"course_id": mine.pk, "facility": cast.facility}
    terms = {"places": 2, "location": "Room 1", **when}
    session_create(by, **common, terms=SessionTerms(**terms, instrument=laser.pk))
    certify(cast, laser, by="sun")
    for thing in ({"instrument": cast.microscope}, {"technique": cast.technique}):
        with pytest.raises(NotPermitted):
            course_create(by, host=cast.ustc, terms=TERMS, **thing)
        with pytest.raises(NotPermitted):
            certify(cast, *thing.values(), by="sun")
    with pytest.raises(NotPermitted):  # a session closes the instrument that it takes
        session_create(by, **common, terms=SessionTerms(**terms, instrument=cast.microscope.pk))


def test_an_enquiry_is_answered_with_the_instrument_and_put_aside_by_the_whole_host(cast, laser, keeper):
    enquiry, by = enquiry_of(cast), By(keeper, NOW)
    assert list(enquiries_to(keeper, NOW)) == [enquiry]
    with unchanged(Enquiry), pytest.raises(NotPermitted):
        enquiry_put_aside(by, enquiry_id=enquiry.pk)
    values = BidValues(starts=[FIRST], service_mode="assisted", conditions=[], text="")
    with pytest.raises(Invalid):
        bid_make(by, enquiry_id=enquiry.pk, instrument_id=cast.microscope.pk, values=values)
    assert bid_make(by, enquiry_id=enquiry.pk, instrument_id=laser.pk, values=values).user_id == keeper.person
    enquiry_put_aside(By(cast.actor("zhao"), NOW), enquiry_id=enquiry.pk)
    assert not enquiries_to(keeper, NOW).exists()


def test_a_session_that_takes_a_neighbours_instrument_may_be_changed_but_not_moved(cast, laser, keeper):
    by = By(keeper, NOW)
    row = session(cast, course(cast, laser), instrument=cast.microscope.pk)
    kept = {"start": row.start_at, "end": row.end_at, "deadline": row.deadline_at, "places": 3}
    terms = SessionTerms(**kept, location="Room 2", instrument=cast.microscope.pk)
    assert session_change(by, session_id=row.pk, terms=terms).places == 3
    later = kept | {"end": row.end_at + timedelta(hours=1)}
    with unchanged(type(row), Closure), pytest.raises(NotPermitted):
        moved = SessionTerms(**later, location="Room 2", instrument=cast.microscope.pk)
        session_change(by, session_id=row.pk, terms=moved)
    assert Closure.objects.filter(pk=row.pk).exists()
    session_cancel(by, session_id=row.pk, reason="The trainer is ill")
    assert not Closure.objects.filter(pk=row.pk).exists()


def test_the_manager_of_an_instrument_alone_is_a_second_one_there(cast, laser, keeper):
    asked = {"besides": [cast.zhao.pk], "organisation": cast.ustc}
    assert no_second("manage-instruments", **asked, instrument=laser) is None
    for instrument in (cast.microscope, None):
        assert no_second("manage-instruments", **asked, instrument=instrument)
    RoleGrant.objects.create(user=cast.zhao, role="researcher", organisation=cast.ustc, granted_at=NOW)
    mine = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", who="zhao", instrument=laser)
    with pytest.raises(WrongState) as refused:
        reservation_decide(By(cast.actor("zhao"), NOW), reservation_id=mine.pk, approve=True, reason="")
    assert refused.value.code == "own-request"


def test_an_enquiry_is_told_to_those_whose_instrument_fits(cast, laser, keeper):
    odd = cast.instrument(name="Odd")
    odd.techniques.clear()
    entries_file([odd.pk])
    manager(cast, "lin", instrument_id=odd.pk)
    enquiry_of(cast)
    effects_carry_out(now=NOW)
    told = Message.objects.filter(kind="enquiry.made").values_list("user", flat=True)
    assert set(told) == {cast.zhao.pk, cast.sun.pk}


def test_digests_name_to_each_the_instruments_that_they_manage(cast, laser, keeper):
    manager(cast, "zhao", instrument_id=laser.pk)  # who manages all of them gets one letter
    later = NOW + timedelta(days=400)
    for told in (alarms_review, stale_records_tell):
        assert told(now=later)
    effects_carry_out(now=later)
    for kind in ("alarm.raised", "record.stale"):
        texts = dict(Message.objects.filter(kind=kind).values_list("user", "text"))
        assert texts.keys() == {cast.zhao.pk, cast.sun.pk}
        assert "Laser" in texts[cast.sun.pk] and cast.microscope.name not in texts[cast.sun.pk]
        assert cast.microscope.name in texts[cast.zhao.pk]
    assert Message.objects.filter(kind__in=["alarm.raised", "record.stale"]).count() == 4


def test_who_manages_an_instrument_no_longer_once_it_is_locked_makes_no_bid(
    cast, laser, keeper, yard, monkeypatch
):
    grant = RoleGrant.objects.get(user=cast.people["sun"], instrument_id=laser.pk)
    RoleGrant.objects.filter(pk=grant.pk).update(instrument_id=None, facility_id=cast.facility.pk)
    enquiry, lock = enquiry_of(cast), bids.lock_instrument

    def late(pk):
        type(laser).objects.filter(pk=pk).update(facility=yard)  # it moves at this moment
        return lock(pk)

    monkeypatch.setattr(bids, "lock_instrument", late)
    values = BidValues(starts=[FIRST], service_mode="assisted", conditions=[], text="")
    with unchanged(Bid), pytest.raises(NotFound):
        bid_make(By(cast.actor("sun"), NOW), enquiry_id=enquiry.pk, instrument_id=laser.pk, values=values)


def test_who_manages_one_host_and_an_instrument_of_another_puts_aside_for_the_one(cast, laser):
    enquiry = enquiry_of(cast)
    actor = manager(cast, "chen", instrument_id=laser.pk)
    enquiry_put_aside(By(actor, NOW), enquiry_id=enquiry.pk)
    enquiry.refresh_from_db()
    assert enquiry.put_aside_by == [cast.fudan.pk] and is_put_aside(actor, enquiry)
    assert not enquiries_to(actor, NOW).exists()


def test_an_enquiry_that_names_a_host_goes_to_whose_instrument_fits(cast, laser, keeper):
    laser.techniques.clear()
    entries_file([laser.pk])
    enquiry_of(cast, hosts=["ustc"])
    assert not enquiries_to(keeper, NOW).exists()
    assert enquiries_to(cast.actor("zhao"), NOW).exists()


def test_alarms_are_answered_at_the_instrument_alone(cast, laser, keeper):
    mine, other = alarm_of(laser), alarm_of(cast.microscope)
    answer = {"reason": "no_demand", "due_date": (NOW + timedelta(days=20)).date(), "note": "Few ask."}
    with pytest.raises(NotFound):
        alarm_answer(By(keeper, NOW), alarm_id=other.pk, **answer)
    assert alarm_answer(By(keeper, NOW), alarm_id=mine.pk, **answer).state == "answered"


def test_drafts_of_prices_are_read_and_copied_at_the_instrument_alone(cast, laser, keeper):
    drafts = [
        rate_card_create(
            By(cast.actor("zhao"), NOW),
            instrument_id=row.pk,
            card=parse_rate_card(CARD | {"valid_from": "2026-06-01"}),
            publish=False,
        )
        for row in (laser, cast.microscope)
    ]
    assert readable_card(keeper, laser, drafts[0].version)
    with pytest.raises(NotFound):
        readable_card(keeper, cast.microscope, drafts[1].version)
    assert drafts[1] not in cards_to_copy(keeper, laser, "").rows


def test_a_submitted_record_is_told_to_its_managers(cast, laser, keeper):
    told = OF_RECORDS["record.submitted"].readers
    assert {person.pk for person in told(laser)} == {cast.zhao.pk, cast.sun.pk}
    assert {person.pk for person in told(cast.microscope)} == {cast.zhao.pk}
