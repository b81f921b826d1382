"""Stating what an instrument can do, asking for what is not stated, and answering."""

from datetime import date, timedelta
from decimal import Decimal as D

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import NOBODY, By
from accounts.models import Message, OutboxMessage, TrailEntry
from accounts.selectors.waits import kinds, load_counts
from bookings.overview.services.effects import effects_carry_out
from bookings.privacy.selectors.persons import load_person
from instruments.capabilities.models import Capability, CapabilityQuestion, QuestionAsker
from instruments.capabilities.selectors.capabilities import load_capabilities, load_unstated
from instruments.capabilities.services import capabilities as services
from instruments.capabilities.services.capabilities import (
    MOST_QUESTIONS,
    TooManyQuestions,
    capability_add,
    capability_change,
    capability_remove,
    question_answer,
    question_ask,
    questions_drop,
)
from instruments.register.models import Instrument
from instruments.vocabulary.domain.parameters import Stated
from tests.factories.capabilities import parameters_of
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db
RESOLUTION = "spatial_resolution"


@pytest.fixture(autouse=True)
def parameters(cast):
    return parameters_of(cast)


def by(cast, who="zhao", version=None, now=NOW):
    return By(cast.actor(who), now, version)


def state(cast, who="zhao", **values):
    values = {"parameter": RESOLUTION, "minimum": D(2), "unit": "nm"} | values
    return capability_add(by(cast, who), instrument_id=cast.microscope.pk, **values)


def ask(cast, who="wang", parameter=RESOLUTION, now=NOW):
    return question_ask(by(cast, who, now=now), instrument_id=cast.microscope.pk, parameter=parameter)


def written():
    """What there is: statements, questions, people who ask, entries and effects about them."""
    return (
        Capability.objects.count(),
        CapabilityQuestion.objects.count(),
        QuestionAsker.objects.count(),
        TrailEntry.objects.filter(action__startswith="instrument.").count(),
        OutboxMessage.objects.filter(kind__startswith="question.").count(),
    )


def test_what_is_stated_is_kept_in_the_parameters_unit_and_known(cast):
    row = state(cast, minimum=D("0.2"), unit="um", condition=" 15  kV ", checked_on=date(2026, 3, 1))
    assert (row.minimum, row.maximum, row.unit) == (200, None, "µm")
    assert (row.condition, row.source, row.version) == ("15 kV", "owner", 1)
    stated = load_capabilities([cast.microscope.pk])[cast.microscope.pk]
    assert stated == [Stated(RESOLUTION, D(200), None, "15 kV")]
    entry = TrailEntry.objects.get(action="instrument.capability-add")
    assert entry.object_id == cast.microscope.pk
    assert entry.after == {
        "parameter": RESOLUTION, "minimum": "200", "maximum": None, "unit": "µm",
        "is_available": True, "condition": "15 kV", "checked_on": "2026-03-01",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"minimum": D(5), "maximum": D(2)}, ("maximum", "maximum-below-minimum")),
        ({"unit": "furlong"}, ("unit", "unknown-unit")),
        ({"unit": "kV"}, ("unit", "unknown-unit")),
        ({"minimum": None}, ("minimum", "required")),
        ({"minimum": D("1e12")}, ("minimum", "too-large")),
        ({"minimum": D("1e9"), "unit": "mm"}, ("minimum", "too-large")),
        ({"minimum": D("NaN")}, ("minimum", "too-large")),
        ({"minimum": D("-Infinity")}, ("minimum", "too-large")),
        ({"minimum": D(10) ** 400}, ("minimum", "too-large")),
        ({"is_available": False}, ("minimum", "none-without-values")),
        ({"parameter": "spatial_resolutoin"}, ("parameter", "no-such-parameter")),
        ({"parameter": "zzzz"}, ("parameter", "unknown-value")),
        ({"parameter": ""}, ("parameter", "unknown-value")),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(cast, values, problem):
    before = written()
    with pytest.raises(Invalid) as refused:
        state(cast, **values)
    assert [(p.field, p.code) for p in refused.value.problems] == [problem]
    assert written() == before


def test_an_unknown_parameter_is_told_the_nearest_and_a_unit_what_there_is(cast):
    with pytest.raises(Invalid) as refused:
        state(cast, parameter="Acelerating voltage")
    assert refused.value.problems[0].numbers == {"nearest": "accelerating_voltage"}
    with pytest.raises(Invalid) as refused:
        state(cast, parameter="加速电压", unit="nm")
    assert refused.value.problems[0].numbers == {"allowed": "kV, V, keV, MV"}


def test_the_same_parameter_is_stated_once_under_each_condition(cast):
    state(cast)
    state(cast, condition="1 kV", minimum=D(3))
    before = written()
    with pytest.raises(Invalid) as refused:
        state(cast, condition=" 1 kV")
    assert refused.value.problems[0].code == "capability-there-already"
    assert written() == before


def test_there_are_only_so_many(cast, monkeypatch):
    monkeypatch.setattr(services, "MOST", 1)
    state(cast)
    with pytest.raises(Invalid) as refused:
        state(cast, condition="x")
    assert refused.value.problems[0].code == "too-many"


@pytest.mark.parametrize("who", ["alice", "wang", "sun", "chen", "auditor", "coordinator", "admin"])
def test_only_the_hosts_managers_state_change_and_remove(cast, who):
    row = state(cast)
    before = written()
    for act in (
        lambda: state(cast, who, condition="x"),
        lambda: capability_change(by(cast, who), capability_id=row.pk, changes={}),
        lambda: capability_remove(by(cast, who), capability_id=row.pk),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert written() == before


def test_nothing_is_stated_or_asked_of_a_retired_instrument(cast):
    row = state(cast)
    question = ask(cast, parameter="accelerating_voltage")
    Instrument.objects.filter(pk=cast.microscope.pk).update(publication="retired")
    before = written()
    for act in (
        lambda: state(cast, condition="x"),
        lambda: capability_change(by(cast), capability_id=row.pk, changes={"minimum": D(1)}),
        lambda: capability_remove(by(cast), capability_id=row.pk),
        lambda: ask(cast, "sun", "sample_temperature"),
        lambda: question_answer(by(cast), question_id=question.pk, maximum=D(30)),
    ):
        with pytest.raises(WrongState) as refused:
            act()
        assert refused.value.code == "instrument-retired"
    assert written() == before
    assert "questions" not in load_counts(cast.actor("zhao"), NOW, anew=kinds())


def test_a_change_keeps_what_is_not_named_and_is_told(cast):
    row = state(cast, minimum=D("0.2"), unit="µm", condition="15 kV")
    row = capability_change(by(cast, version=1), capability_id=row.pk, changes={"minimum": D("0.3")})
    assert (row.minimum, row.unit, row.condition, row.version) == (300, "µm", "15 kV", 2)
    # Another unit means other values, as they are written.
    row = capability_change(by(cast, version=2), capability_id=row.pk, changes={"unit": "nm"})
    assert (row.minimum, row.unit) == (D("0.3"), "nm")
    assert capability_change(by(cast), capability_id=row.pk, changes={}).version == 3
    assert TrailEntry.objects.filter(action="instrument.capability-change").count() == 2


def test_a_stale_version_changes_and_removes_nothing(cast):
    row = state(cast)
    capability_change(by(cast), capability_id=row.pk, changes={"minimum": D(1)})
    for act in (
        lambda: capability_change(by(cast, version=1), capability_id=row.pk, changes={}),
        lambda: capability_remove(by(cast, version=1), capability_id=row.pk),
    ):
        with pytest.raises(WrongVersion):
            act()
    assert Capability.objects.get().minimum == 1


def test_what_is_removed_is_unknown_again(cast):
    row = state(cast)
    capability_remove(by(cast, version=1), capability_id=row.pk)
    assert load_capabilities([cast.microscope.pk]) == {cast.microscope.pk: []}
    with pytest.raises(NotFound):
        capability_remove(by(cast), capability_id=row.pk)


def test_a_change_does_not_make_two_of_one_condition(cast):
    state(cast)
    other = state(cast, condition="1 kV")
    with pytest.raises(Invalid) as refused:
        capability_change(by(cast), capability_id=other.pk, changes={"condition": ""})
    assert refused.value.problems[0].code == "capability-there-already"


# Questions


def test_one_question_is_open_for_a_parameter_and_later_askers_join_it(cast):
    question = ask(cast, "wang")
    assert ask(cast, "wang") == question
    assert ask(cast, "hu", "空间分辨率") == question
    assert {asker.user for asker in question.askers.all()} == {cast.wang, cast.hu}
    assert OutboxMessage.objects.filter(kind="question.asked").count() == 1
    assert TrailEntry.objects.filter(action="instrument.question-ask").count() == 2
    unstated = load_unstated(cast.microscope, [], cast.wang.pk)
    assert {row.parameter.code: (row.askers, row.is_mine) for row in unstated} == {
        "accelerating_voltage": (0, False), "magnification": (0, False),
        "sample_temperature": (0, False), RESOLUTION: (2, True),
    }  # fmt: skip


def test_the_managers_are_told_and_the_askers_get_the_answer(cast):
    question = ask(cast, "wang")
    ask(cast, "hu")
    effects_carry_out(now=NOW)
    (told,) = Message.objects.filter(kind="question.asked")
    assert (told.user, told.link) == (cast.zhao, f"/questions/{question.pk}/")
    assert load_counts(cast.actor("zhao"), NOW, anew=kinds())["questions"] == 1
    row = question_answer(
        by(cast, version=1), question_id=question.pk, minimum=D("0.8"), unit="nm", condition="15 kV"
    )
    assert (row.source, row.minimum, row.condition) == ("answer", D("0.8"), "15 kV")
    assert "questions" not in load_counts(cast.actor("zhao"), NOW, anew=kinds())
    effects_carry_out(now=NOW)
    answers = Message.objects.filter(kind="question.answered")
    assert {message.user for message in answers} == {cast.wang, cast.hu}
    assert all("0.8 nm (15 kV)" in message.text for message in answers)
    assert {m.link for m in answers} == {f"/instruments/{cast.microscope.pk}/#abilities-title"}
    with pytest.raises(WrongState) as refused:
        question_answer(by(cast), question_id=question.pk, minimum=D(1))
    assert refused.value.code == "question-answered"


def test_not_available_is_an_answer_too(cast):
    question = ask(cast)
    question_answer(by(cast), question_id=question.pk, is_available=False)
    stated = load_capabilities([cast.microscope.pk])[cast.microscope.pk]
    assert stated == [Stated(RESOLUTION, None, None, "", is_available=False)]


def test_stating_a_parameter_answers_the_question_about_it(cast):
    question = ask(cast)
    state(cast)
    question.refresh_from_db()
    assert (question.answered_at, question.answered_by) == (NOW, cast.zhao)
    assert OutboxMessage.objects.filter(kind="question.answered").count() == 1


def test_an_answer_that_does_not_fit_leaves_the_question_open(cast):
    question = ask(cast)
    before = written()
    with pytest.raises(Invalid):
        question_answer(by(cast), question_id=question.pk, minimum=D(1), unit="kV")
    with pytest.raises(WrongVersion):
        question_answer(by(cast, version=7), question_id=question.pk, minimum=D(1))
    for who in ("wang", "chen", "admin"):
        with pytest.raises(NotFound):
            question_answer(by(cast, who), question_id=question.pk, minimum=D(1))
    question.refresh_from_db()
    assert question.answered_at is None and written() == before


def test_what_cannot_be_asked(cast):
    state(cast)
    with pytest.raises(WrongState) as refused:
        ask(cast)
    assert refused.value.code == "stated-already"
    with pytest.raises(NotPermitted):
        question_ask(By(NOBODY, NOW), instrument_id=cast.microscope.pk, parameter=RESOLUTION)
    with pytest.raises(Invalid):
        ask(cast, parameter="zzzz")
    Instrument.objects.filter(pk=cast.microscope.pk).update(publication="draft")
    with pytest.raises(NotFound):
        ask(cast, parameter="accelerating_voltage")
    assert not CapabilityQuestion.objects.exists()


def test_a_person_asks_only_so_much_in_a_day(cast, monkeypatch):
    assert MOST_QUESTIONS == 20
    monkeypatch.setattr(services, "MOST_QUESTIONS", 1)
    ask(cast)
    ask(cast)  # the same again is no other question
    with pytest.raises(TooManyQuestions) as refused:
        ask(cast, parameter="accelerating_voltage")
    assert refused.value.numbers == {"most": 1}
    assert CapabilityQuestion.objects.count() == 1
    ask(cast, "hu", "accelerating_voltage")
    ask(cast, parameter="magnification", now=NOW + timedelta(days=1))
    assert CapabilityQuestion.objects.count() == 3


def test_who_leaves_takes_their_open_questions_along_and_has_them_before(cast):
    ask(cast, "wang")
    ask(cast, "hu")
    ask(cast, "wang", "accelerating_voltage")
    tables = load_person(cast.wang)["questions"]
    assert [row["parameter"] for row in tables] == [RESOLUTION, "accelerating_voltage"]
    questions_drop(By(cast.actor("wang"), NOW), user=cast.wang)
    (left,) = CapabilityQuestion.objects.all()
    assert [asker.user for asker in left.askers.all()] == [cast.hu]
