"""Questions asked at check-in and check-out."""

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.models import AnswerSheet, MeterReading, Questionnaire, UsageSession
from bookings.questions.selectors.questions import sheets_owed
from bookings.questions.services.meters import meter_add
from bookings.questions.services.questions import questionnaire_set
from bookings.record.domain.refusals import RulesRefuse
from bookings.usage.services.usage import (
    reservation_answer,
    reservation_check_in,
    reservation_check_out,
    usage_settle,
)
from instruments.models import Instrument
from tests.factories.cast import NOW, at, reserve

CLEAN = {"key": "clean", "kind": "yes_no", "label": "Clean?", "required": True}
NOTE = {"key": "note", "kind": "text", "label": "Note"}


def ask(cast, moment, *fields, who="zhao"):
    by = By(cast.actor(who), NOW)
    return questionnaire_set(
        by, instrument_id=cast.microscope.pk, moment=moment, fields=list(fields)
    )


@pytest.fixture
def booked(cast):
    return reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")


def check_in(cast, made, who="wang", when="2026-03-06 10:00", **values):
    return reservation_check_in(By(cast.actor(who), at(when)), reservation_id=made.pk, **values)


def check_out(cast, made, who="wang", when="2026-03-06 11:00", **values):
    return reservation_check_out(By(cast.actor(who), at(when)), reservation_id=made.pk, **values)


def answer(cast, made, moment, answers, who="wang", when="2026-03-06 09:00", **values):
    by = By(cast.actor(who), at(when))
    return reservation_answer(by, reservation_id=made.pk, moment=moment, answers=answers, **values)


def codes(refused):
    return [(r.code, dict(r.numbers)) for r in refused.value.refusals]


def test_required_questions_refuse_the_check_in_by_name(cast, booked):
    ask(cast, "before", CLEAN, NOTE)
    with pytest.raises(RulesRefuse) as refused:
        check_in(cast, booked)
    assert codes(refused) == [("questions-open", {"fields": "clean"})]
    with pytest.raises(Invalid) as wrong:
        check_in(cast, booked, answers={"note": "x"})
    assert [(p.field, p.code) for p in wrong.value.problems] == [("answers.clean", "required")]
    assert not UsageSession.objects.exists()
    assert not AnswerSheet.objects.exists()
    check_in(cast, booked, answers={"clean": True})
    sheet = AnswerSheet.objects.get()
    assert (sheet.moment, sheet.state, sheet.answers) == ("before", "answered", {"clean": True})
    assert sheet.answered_by == cast.wang


def test_what_was_answered_before_lets_in_by_the_version_it_was_asked_with(cast, booked):
    ask(cast, "before", CLEAN)
    answer(cast, booked, "before", {"clean": False})
    answer(cast, booked, "before", {"clean": True})  # on second thought
    ask(cast, "before", CLEAN, NOTE | {"required": True})
    check_in(cast, booked)
    sheet = AnswerSheet.objects.get()
    assert (sheet.questionnaire.version, sheet.answers) == (1, {"clean": True})
    with pytest.raises(WrongState):
        answer(cast, booked, "before", {"clean": False})


def test_what_need_not_be_answered_refuses_nobody(cast, booked):
    ask(cast, "before", NOTE)
    ask(cast, "after", NOTE)
    check_in(cast, booked)
    check_out(cast, booked)
    assert not AnswerSheet.objects.exists()


def test_check_out_asks_and_the_host_may_leave_out_with_a_reason(cast, booked):
    ask(cast, "after", CLEAN)
    check_in(cast, booked)
    with pytest.raises(RulesRefuse) as refused:
        check_out(cast, booked)
    assert codes(refused) == [("questions-open", {"fields": "clean"})]
    with pytest.raises(NotPermitted):
        check_out(cast, booked, skip_reason="no time")  # not oneself
    assert UsageSession.objects.get().checked_out_at is None
    check_out(cast, booked, who="zhao", skip_reason="left the building")
    sheet = AnswerSheet.objects.get()
    assert (sheet.state, sheet.reason, sheet.answered_by) == (
        "skipped",
        "left the building",
        cast.zhao,
    )
    entry = TrailEntry.objects.get(action="answers.skipped")
    assert entry.object_id == sheet.pk


def test_the_host_answers_for_somebody(cast, booked):
    ask(cast, "after", CLEAN)
    check_in(cast, booked)
    check_out(cast, booked, who="zhao", answers={"clean": False})
    assert AnswerSheet.objects.get().answered_by == cast.zhao


def test_a_use_that_nobody_ended_owes_its_answers_until_they_are_given_once(cast, booked):
    ask(cast, "after", CLEAN)
    check_in(cast, booked)
    usage_settle(now=at("2026-03-07 10:00"))
    sheet = AnswerSheet.objects.get()
    assert (sheet.state, sheet.answered_at) == ("owed", None)
    for who, number in {"wang": 1, "zhao": 1, "sun": 0, "chen": 0}.items():
        assert sheets_owed(cast.actor(who)).count() == number
    ask(cast, "after")  # asks nothing any more; what is owed keeps its version
    with pytest.raises(NotFound):
        answer(cast, booked, "after", {"clean": True}, who="hu", when="2026-03-07 11:00")
    answer(cast, booked, "after", {"clean": True}, when="2026-03-07 11:00")
    with pytest.raises(WrongState) as twice:
        answer(cast, booked, "after", {"clean": False}, when="2026-03-07 11:00")
    assert twice.value.code == "answered-already"
    sheet.refresh_from_db()
    assert (sheet.state, sheet.answers) == ("answered", {"clean": True})


def test_answers_where_nothing_is_asked_are_refused(cast, booked):
    with pytest.raises(Invalid):
        check_in(cast, booked, answers={"clean": True})
    assert not UsageSession.objects.exists()


def test_versions_of_the_questions(cast):
    ask(cast, "before", CLEAN)
    assert ask(cast, "before", CLEAN) is None
    ask(cast, "before", NOTE)
    ask(cast, "after", NOTE)
    with pytest.raises(WrongVersion):
        questionnaire_set(
            By(cast.actor("zhao"), NOW, 1),
            instrument_id=cast.microscope.pk,
            moment="before",
            fields=[],
        )
    with pytest.raises(NotPermitted):
        ask(cast, "before", who="sun")
    kept = Questionnaire.objects.values_list("moment", "version").order_by("moment", "version")
    assert list(kept) == [("after", 1), ("before", 1), ("before", 2)]
    instrument = Instrument.objects.get(pk=cast.microscope.pk)
    assert (instrument.before_questions, instrument.after_questions) == (2, 1)
    ask(cast, "before")
    instrument.refresh_from_db()
    assert instrument.before_questions is None


def test_a_meter_is_read_by_an_answer_and_goes_up_only(cast, booked):
    meter = meter_add(
        By(cast.actor("zhao"), NOW), instrument_id=cast.microscope.pk, name="Filament"
    )
    field = {"key": "f", "kind": "meter", "label": "Filament", "meter": str(meter.pk)}
    ask(cast, "before", field)
    ask(cast, "after", field | {"required": True})
    answer(cast, booked, "before", {"f": "90"})
    answer(cast, booked, "before", {"f": "100.5"})  # takes the place of the first
    check_in(cast, booked)
    assert [str(r.value) for r in MeterReading.objects.all()] == ["100.5000"]
    with pytest.raises(Invalid) as refused:
        check_out(cast, booked, answers={"f": "100.4"})
    (problem,) = refused.value.problems
    assert (problem.field, problem.code, problem.numbers) == (
        "answers.f",
        "reading-below-last",
        {"last": "100.5"},
    )
    assert MeterReading.objects.count() == 1
    check_out(cast, booked, answers={"f": "102"})
    assert [str(r.value) for r in MeterReading.objects.order_by("read_at")] == [
        "100.5000",
        "102.0000",
    ]
