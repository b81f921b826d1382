"""Questions asked at check-in and check-out."""

from datetime import timedelta
from functools import partial

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.models import AnswerFile, AnswerSheet, MeterReading, Questionnaire, UsageSession
from bookings.questions.selectors.questions import answer_file_by_id, answered, sheets_owed
from bookings.questions.services.meters import meter_add
from bookings.questions.services.questions import answer_files_expire, answer_files_forget, questionnaire_set
from bookings.record.domain.refusals import RulesRefuse
from bookings.usage.services import usage
from instruments.attachments.adapters.files import file_open
from instruments.register.models import Instrument
from tests.factories.attachments import PDF, picture
from tests.factories.cast import NOW, at, reserve

CLEAN = {"key": "clean", "kind": "yes_no", "label": "Clean?", "required": True}
NOTE = {"key": "note", "kind": "text", "label": "Note"}


def ask(cast, moment, *fields, who="zhao"):
    by = By(cast.actor(who), NOW)
    return questionnaire_set(by, instrument_id=cast.microscope.pk, moment=moment, fields=list(fields))


@pytest.fixture
def booked(cast):
    return reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")


def check_in(cast, made, who="wang", when="2026-03-06 10:00", **values):
    return usage.reservation_check_in(By(cast.actor(who), at(when)), reservation_id=made.pk, **values)


def check_out(cast, made, who="wang", when="2026-03-06 11:00", **values):
    return usage.reservation_check_out(By(cast.actor(who), at(when)), reservation_id=made.pk, **values)


def answer(cast, made, moment, answers, who="wang", when="2026-03-06 09:00", **values):
    by = By(cast.actor(who), at(when))
    return usage.reservation_answer(by, reservation_id=made.pk, moment=moment, answers=answers, **values)


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


def test_answers_to_questions_that_have_changed_are_refused(cast, booked):
    ask(cast, "before", CLEAN)
    ask(cast, "before", CLEAN | {"label": "Was it dirty?"})
    for act in (check_in, partial(answer, moment="before")):
        with pytest.raises(WrongState) as refused:
            act(cast, booked, answers={"clean": True}, questions_version=1)
        assert (refused.value.code, refused.value.numbers) == ("questions-changed", {"version": 2})
    assert not AnswerSheet.objects.exists()
    check_in(cast, booked, answers={"clean": True}, questions_version=2)
    assert AnswerSheet.objects.get().state == "answered"


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
    assert (sheet.state, sheet.reason, sheet.answered_by) == ("skipped", "left the building", cast.zhao)
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
    usage.usage_settle(now=at("2026-03-07 10:00"))
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
            By(cast.actor("zhao"), NOW, 1), instrument_id=cast.microscope.pk, moment="before", fields=[]
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
    meter = meter_add(By(cast.actor("zhao"), NOW), instrument_id=cast.microscope.pk, name="Filament")
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
    assert [str(r.value) for r in MeterReading.objects.order_by("read_at")] == ["100.5000", "102.0000"]


STAGE = {"key": "stage", "kind": "file", "label": "Picture of the stage", "required": True}


def upload(cast, made, moment="before", key="stage", content=PDF, who="wang"):
    by = By(cast.actor(who), at("2026-03-06 09:00"))
    return usage.reservation_answer_file(
        by, reservation_id=made.pk, moment=moment, key=key, name="stage.pdf", content=content
    )


def test_a_file_is_an_answer_once_the_answers_name_it(cast, booked, django_capture_on_commit_callbacks):
    ask(cast, "before", STAGE, NOTE)
    with pytest.raises(RulesRefuse):
        check_in(cast, booked)
    first, file = upload(cast, booked), upload(cast, booked, content=picture())
    assert not AnswerFile.objects.filter(pk=first.pk).exists()
    with pytest.raises(RulesRefuse):  # it is there, and no answer yet
        check_in(cast, booked)
    for wrong in ("x", "", str(first.pk), True):
        with pytest.raises(Invalid):
            check_in(cast, booked, answers={"stage": wrong})
    assert not AnswerSheet.objects.exists()
    check_in(cast, booked, answers={"stage": str(file.pk)})
    sheet = AnswerSheet.objects.get()
    assert [(field.key, answer) for field, answer in answered(sheet)] == [
        ("stage", file), ("note", None),
    ]  # fmt: skip
    recorded = TrailEntry.objects.get(action="answers.answered").after
    assert recorded["files"] == [file.digest]
    for who in ("wang", "zhao"):
        assert answer_file_by_id(cast.actor(who), file.pk) == file
    with pytest.raises(NotFound):
        answer_file_by_id(cast.actor("sun"), file.pk)
    assert file_open(file.pk, "small") is not None
    with django_capture_on_commit_callbacks(execute=True):
        answer_files_forget(By(cast.actor("wang"), NOW), user=cast.wang)
    assert file_open(file.pk, "small") is None
    sheet = AnswerSheet.objects.get()
    assert (sheet.answers, answered(sheet)[0][1]) == ({"stage": str(file.pk)}, str(file.pk))


def test_answering_again_drops_the_file_before(cast, booked, django_capture_on_commit_callbacks):
    ask(cast, "before", STAGE | {"required": False})
    old = upload(cast, booked)
    answer(cast, booked, "before", {"stage": str(old.pk)})
    new = upload(cast, booked, content=picture())
    assert AnswerFile.objects.count() == 2  # the answer stays until it is answered again
    with django_capture_on_commit_callbacks(execute=True):
        answer(cast, booked, "before", {"stage": str(new.pk)})
    assert list(AnswerFile.objects.values_list("pk", "sheet__state")) == [(new.pk, "answered")]
    assert file_open(old.pk, "file") is None
    answer(cast, booked, "before", {})
    assert not AnswerFile.objects.exists()


def test_a_file_that_no_answer_names_goes_after_a_day(cast, booked, django_capture_on_commit_callbacks):
    ask(cast, "before", STAGE)
    named = upload(cast, booked)
    answer(cast, booked, "before", {"stage": str(named.pk)})
    forgotten = upload(cast, booked)
    at_last = at("2026-03-07 09:00")
    assert answer_files_expire(now=at_last - timedelta(seconds=1)) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert answer_files_expire(now=at_last) == 1
    assert AnswerFile.objects.get() == named
    assert file_open(forgotten.pk, "file") is None
    assert answer_files_expire(now=at_last) == 0


def test_a_file_of_another_booking_or_question_is_none(cast, booked):
    ask(cast, "before", STAGE, STAGE | {"key": "other", "required": False})
    other = reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00")
    elsewhere, file = upload(cast, other), upload(cast, booked)
    for given in ({"stage": str(elsewhere.pk)}, {"stage": str(file.pk), "other": str(file.pk)}):
        with pytest.raises(Invalid):
            answer(cast, booked, "before", given)
    assert not AnswerSheet.objects.exists()


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"key": "note"}, Invalid),
        ({"key": "gone"}, Invalid),
        ({"content": b"<html>"}, Invalid),
        ({"content": b""}, Invalid),
        ({"moment": "after"}, WrongState),
        ({"who": "sun"}, NotFound),
    ],
)
def test_what_is_not_asked_for_is_not_taken(cast, booked, values, refused, settings):
    ask(cast, "before", STAGE, NOTE)
    with pytest.raises(refused):
        upload(cast, booked, **values)
    assert not AnswerFile.objects.exists()


def test_files_after_use_are_taken_while_in_use_and_where_owed(cast, booked):
    ask(cast, "after", STAGE)
    with pytest.raises(WrongState):
        upload(cast, booked, "after")
    check_in(cast, booked)
    file = upload(cast, booked, "after")
    check_out(cast, booked, answers={"stage": str(file.pk)})
    with pytest.raises(WrongState):
        upload(cast, booked, "after")


def test_at_most_two_files_are_asked_for(cast):
    with pytest.raises(Invalid) as refused:
        ask(cast, "before", *({"key": f"f{n}", "kind": "file", "label": "x"} for n in range(3)))
    assert [(p.field, p.code) for p in refused.value.problems] == [("questions[2].kind", "too-many")]
