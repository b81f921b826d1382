"""Questions asked when an instrument is booked."""

from base64 import b64encode
from functools import partial

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.board.services import enquiries
from bookings.catalogue.selectors.parties import Booking
from bookings.models import AnswerSheet, Questionnaire, Reservation, UsageSession
from bookings.plans.services.imports import bookings_import
from bookings.questions.selectors.questions import booking_answers, booking_answers_said, sheets_owed
from bookings.questions.services.questions import questionnaire_set
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.reservations import reservation_cancel, reservations_request
from bookings.series.services.series import series_book
from bookings.usage.services import kiosks, usage
from tests.factories.board import bid_of, enquiry_of
from tests.factories.cast import NOW, at, reserve

TEN, TWELVE = "2026-03-06 10:00", "2026-03-06 12:00"
TOXIC = {"key": "toxic", "kind": "yes_no", "label": "Toxic?", "required": True}
NOTE = {"key": "note", "kind": "text", "label": "Note"}


@pytest.fixture
def cast(shared_cast, db):
    return shared_cast


def ask(cast, *fields, instrument=None, who="zhao"):
    instrument = instrument or cast.microscope
    by = By(cast.actor(who), NOW)
    row = questionnaire_set(by, instrument_id=instrument.pk, moment="booking", fields=list(fields))
    for each in (instrument, cast.microscope):
        each.refresh_from_db()
    return row


def answer(cast, made, answers, who="wang", when="2026-03-05 12:00", **values):
    by = By(cast.actor(who), at(when))
    return usage.reservation_answer(by, reservation_id=made.pk, moment="booking", answers=answers, **values)


def problems(refused):
    return [(each.field, each.code) for each in refused.value.problems]


def test_a_required_question_refuses_the_booking_by_its_field(cast):
    ask(cast, TOXIC, NOTE)
    for answers, wrong in (
        (None, ("answers.toxic", "required")),
        ({"note": "x"}, ("answers.toxic", "required")),
        ({"toxic": "yes"}, ("answers.toxic", "not-a-boolean")),
        ({"toxic": True, "other": 1}, ("answers.other", "unknown-field")),
        (["toxic"], ("answers", "not-an-object")),
    ):
        with pytest.raises(Invalid) as refused:
            reserve(cast, TEN, TWELVE, answers=answers)
        assert problems(refused) == [wrong]
    assert not Reservation.objects.exists() and not AnswerSheet.objects.exists()
    made = reserve(cast, TEN, TWELVE, answers={"toxic": False})
    sheet = AnswerSheet.objects.get(reservation=made)
    assert (sheet.moment, sheet.state, sheet.answers) == ("booking", "answered", {"toxic": False})
    assert TrailEntry.objects.get(action="answers.answered").after["moment"] == "booking"


def test_what_need_not_be_answered_refuses_nobody_and_is_answered_later_once(cast):
    ask(cast, NOTE)
    made = reserve(cast, TEN, TWELVE)
    assert not AnswerSheet.objects.exists()
    answer(cast, made, {"note": "glass"})
    with pytest.raises(WrongState) as twice:
        answer(cast, made, {"note": "steel"})
    assert twice.value.code == "answered-already"
    assert AnswerSheet.objects.get().answers == {"note": "glass"}


def test_answers_to_another_version_are_refused_with_the_present_one(cast):
    ask(cast, TOXIC)
    ask(cast, TOXIC | {"label": "Harmless?"})
    with pytest.raises(WrongState) as refused:
        reserve(cast, TEN, TWELVE, answers={"toxic": True}, questions_version=1)
    assert (refused.value.code, refused.value.numbers) == ("questions-changed", {"version": 2})
    assert not Reservation.objects.exists()
    reserve(cast, TEN, TWELVE, answers={"toxic": True}, questions_version=2)
    ask(cast)
    with pytest.raises(Invalid) as refused:
        reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00", answers={"toxic": True})
    assert problems(refused) == [("answers", "no-questions")]


def test_a_completed_hold_asks_too(cast):
    ask(cast, TOXIC)
    booking = Booking(cast.microscope.pk, Period(at(TEN), at(TWELVE)), None, "self")
    hold = hold_take(By(cast.actor("wang"), NOW), booking=booking)
    assert not AnswerSheet.objects.exists()
    with pytest.raises(Invalid):
        reserve(cast, TEN, TWELVE, hold=hold.pk)
    assert reserve(cast, TEN, TWELVE, hold=hold.pk, answers={"toxic": True}).pk == hold.pk


def test_of_several_bookings_it_names_the_one(cast):
    ask(cast, TOXIC)
    several = [
        Booking(
            cast.microscope.pk,
            Period(at(f"2026-03-{day} 10:00"), at(f"2026-03-{day} 12:00")),
            None,
            "self",
            answers=answers,
        )
        for day, answers in (("06", {"toxic": True}), ("09", None))
    ]
    with pytest.raises(Invalid) as refused:
        reservations_request(By(cast.actor("wang"), NOW), bookings=several)
    assert problems(refused) == [("bookings[1].answers.toxic", "required")]
    assert not Reservation.objects.exists()


def test_files_and_meters_cannot_be_asked_for_and_only_managers_ask(cast):
    for kind in ("file", "meter"):
        with pytest.raises(Invalid) as refused:
            ask(cast, {"key": "a", "kind": kind, "label": "x"})
        assert problems(refused) == [("questions[0].kind", "unknown-choice")]
    with pytest.raises(NotPermitted):
        ask(cast, NOTE, who="sun")
    assert not Questionnaire.objects.exists()


def test_a_series_owes_its_answers_until_they_are_given(cast):
    ask(cast, TOXIC)
    booking = Booking(cast.microscope.pk, Period(at(TEN), at(TWELVE)), None, "self")
    series = series_book(
        By(cast.actor("wang"), NOW), booking=booking, rule="FREQ=WEEKLY;COUNT=2", on_conflict="refuse"
    )
    first, second = series.reservations
    assert sheets_owed(cast.actor("wang")).count() == 2
    assert not sheets_owed(cast.actor("zhao")).exists()  # the host waits; it is not theirs to answer
    ask(cast, NOTE)  # what is owed keeps its version
    for who, refused in (("hu", NotFound), ("chen", NotPermitted)):
        with pytest.raises(refused):
            answer(cast, first, {"toxic": True}, who=who)
    with pytest.raises(WrongState):
        answer(cast, first, {"toxic": True}, questions_version=2)
    answer(cast, first, {"toxic": True}, questions_version=1)
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=second.pk, reason="")
    with pytest.raises(WrongState):
        answer(cast, second, {"toxic": True})
    assert not sheets_owed(cast.actor("wang")).exists()


def test_an_accepted_bid_and_an_import_owe_their_answers(cast):
    enquiry = enquiry_of(cast)
    bid = bid_of(cast, enquiry)
    ask(cast, TOXIC)
    slot = bid.slots.order_by("pk")[0]
    awarded = enquiries.enquiry_accept(By(cast.actor("hu"), NOW), enquiry_id=enquiry.pk, slot_id=slot.pk)
    name = cast.microscope.name
    file = f"instrument,starts,ends,person\n{name},2026-03-30 10:00,2026-03-30 12:00,\n"
    report = bookings_import(
        By(cast.actor("wang"), NOW), content=file.encode(), file_name="old.csv", organisation=None
    )
    owed = AnswerSheet.objects.filter(moment="booking", state="owed").values_list("reservation", flat=True)
    assert set(owed) == {awarded.pk, *report.reservation_ids.values()} and len(owed) == 2


def test_the_host_skips_them_for_somebody_and_reads_answers_with_the_request(cast):
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    ask(cast, TOXIC, NOTE, instrument=asks)
    made = reserve(cast, TEN, TWELVE, instrument=asks, answers={"toxic": True})
    assert made.state == "requested"
    assert booking_answers_said(booking_answers(made)) == [("Toxic?", "yes"), ("Note", "–")]
    by = By(cast.actor("wang"), NOW)
    booking = Booking(asks.pk, Period(at("2026-03-09 10:00"), at("2026-03-09 12:00")), None, "self")
    (one,) = series_book(by, booking=booking, rule="FREQ=WEEKLY;COUNT=1", on_conflict="refuse").reservations
    with pytest.raises(NotPermitted):
        answer(cast, one, {}, skip_reason="known")  # not oneself
    answer(cast, one, {}, who="zhao", skip_reason="known")
    assert AnswerSheet.objects.get(reservation=one).state == "skipped"


def test_nobody_checks_in_before_the_answers_of_the_booking_are_given(cast):
    ask(cast, TOXIC)
    booking = Booking(cast.microscope.pk, Period(at(TEN), at(TWELVE)), None, "self")
    by = By(cast.actor("wang"), NOW)
    series = series_book(by, booking=booking, rule="FREQ=WEEKLY;COUNT=2", on_conflict="refuse")
    first, second = series.reservations
    ten = By(cast.actor("wang"), first.start_at)
    with pytest.raises(RulesRefuse) as refused:
        usage.reservation_check_in(ten, reservation_id=first.pk)
    (why,) = refused.value.refusals
    assert (why.code, why.numbers) == ("questions-open", {"fields": "toxic", "moment": "booking"})
    _, code = kiosks.kiosk_create(
        By(cast.actor("zhao"), NOW), name="Room 214", instrument_ids=[cast.microscope.pk]
    )
    token = kiosks.kiosk_enrol(code=code, now=NOW)[1]
    _, digits = kiosks.check_in_code(ten, reservation_id=first.pk)
    enter = partial(
        kiosks.kiosk_check_in, token=token, instrument_id=cast.microscope.pk, code=digits, now=ten.now
    )
    with pytest.raises(RulesRefuse):
        enter()
    assert not UsageSession.objects.exists()
    answer(cast, first, {"toxic": True})
    assert enter().reservation == first  # with the same code
    # Questions that are no longer asked keep nobody out.
    ask(cast)
    usage.reservation_check_in(By(cast.actor("wang"), second.start_at), reservation_id=second.pk)


def test_programs_read_that_answers_will_be_owed(cast, program, clock):
    asked = {
        "instrument": str(cast.microscope.pk), "start": "2026-03-09T02:00:00Z", "end": "2026-03-09T04:00:00Z",
        "service_mode": "self", "purpose": {"code": "research"}, "rule": "FREQ=WEEKLY;COUNT=2",
        "dry_run": True,
    }  # fmt: skip
    line = f"instrument,starts,ends\n{cast.microscope.name},2026-03-30 10:00,2026-03-30 12:00\n"
    wang = program("wang")
    for owes in (False, True):
        if owes:
            ask(cast, TOXIC)
        assert wang.post("series/", asked).body["owes_answers"] is owes
        sent = {"file": b64encode(line.encode()).decode(), "dry_run": True}
        assert wang.post("reservations/import/", sent).body["owes_answers"] is owes
