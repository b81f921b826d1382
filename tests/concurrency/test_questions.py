"""Questions that are asked and answered at the same moment."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.domain.roles import By
from accounts.models import OutboxMessage
from instruments.capabilities.models import Capability, CapabilityQuestion, QuestionAsker
from instruments.capabilities.services import capabilities as services
from instruments.capabilities.services.capabilities import question_answer, question_ask
from tests.concurrency.races import codes, time_of, won
from tests.factories.capabilities import parameters_of

pytestmark = pytest.mark.concurrency


def asking(cast, who, instrument, now, parameter="spatial_resolution"):
    actor = cast.actor(who)
    return lambda: question_ask(By(actor, now), instrument_id=instrument.pk, parameter=parameter)


def answering(cast, question, now, value):
    actor = cast.actor("zhao")
    return lambda: question_answer(By(actor, now), question_id=question.pk, minimum=Decimal(value))


def test_people_who_ask_the_same_at_once_join_one_question(real_cast, race, rounds):
    parameters_of(real_cast)
    for round_ in range(rounds(2)):
        _, now = time_of(round_)
        instrument = real_cast.instrument(name=f"Asked {round_}")
        race([asking(real_cast, who, instrument, now) for who in ("wang", "hu", "sun", "wang")])
        question = CapabilityQuestion.objects.get(instrument=instrument)
        assert {asker.user for asker in question.askers.all()} == {
            real_cast.wang, real_cast.hu, real_cast.sun,
        }  # fmt: skip
        assert OutboxMessage.objects.filter(key=f"question.asked.{question.pk}").count() == 1
        answers = [answering(real_cast, question, now, value) for value in (1, 2, 3)]
        results = race(answers)
        assert len(won(results)) == 1 and set(codes(results)) == {"question-answered"}
        assert Capability.objects.filter(instrument=instrument).count() == 1
        assert OutboxMessage.objects.filter(key=f"question.answered.{question.pk}").count() == 1


def test_nobody_asks_more_than_the_limit_by_asking_at_once(real_cast, race, rounds, monkeypatch):
    parameters_of(real_cast)
    monkeypatch.setattr(services, "MOST_QUESTIONS", 1)
    for round_ in range(rounds(2)):
        now = time_of(round_)[1] + timedelta(days=2 * round_)
        instruments = [real_cast.instrument(name=f"{round_}-{n}") for n in range(3)]
        results = race([asking(real_cast, "wang", each, now) for each in instruments])
        assert len(won(results)) == 1 and set(codes(results)) == {"too-many-questions"}
        assert QuestionAsker.objects.filter(question__instrument__in=instruments).count() == 1
