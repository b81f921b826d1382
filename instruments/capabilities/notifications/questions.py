"""Messages about questions on what instruments can do, and about their answers."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import MANAGER
from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import holders_of, managers_or_administrators
from instruments.capabilities.models import Capability, CapabilityQuestion
from instruments.capabilities.selectors.capabilities import askers_of


def _question_asked(question: CapabilityQuestion, row: OutboxMessage, now: datetime) -> Content:
    people = askers_of([question])[question.pk]
    return _about(question, reverse("instruments:question", args=[question.pk]), {"people": people})


def _answered(question: CapabilityQuestion, row: OutboxMessage, now: datetime) -> Content:
    capability = Capability.objects.filter(pk=UUID(row.payload["capability"]))
    page = reverse("bookings:instrument", args=[question.instrument_id])
    return _about(
        question, f"{page}#abilities-title", {"capability": capability.select_related("parameter").first()}
    )


def _about(question: CapabilityQuestion, page: str, context: dict[str, Any]) -> Content:
    words = {"instrument": question.instrument, "parameter": question.parameter}
    return Content(question.pk, page, words, {"question": question, **context})


def _answering(question: CapabilityQuestion) -> list[User]:
    """Return the people who manage the instrument that a question is about, or else the administrators."""
    host, instrument = question.instrument.organisation_id, question.instrument
    return list(holders_of(MANAGER, host, instrument)) or managers_or_administrators(host)


_question = partial(
    Kind,
    load=row_of(CapabilityQuestion.objects.select_related("parameter", "instrument__facility"), "question"),
    template="instruments/mail/question",
)
KINDS = table(
    _question(
        "question.asked",
        _("Question about {instrument}: {parameter}"),
        _("Somebody asks what {instrument} can do: {parameter}."),
        "request",
        readers=_answering,
        content=_question_asked,
        is_still_true=lambda question, row, now: question.answered_at is None,
    ),
    _question(
        "question.answered",
        _("Answer about {instrument}: {parameter}"),
        _("Your question about {instrument} has been answered: {parameter}."),
        "decision",
        readers=lambda question: askers_of([question])[question.pk],
        content=_answered,
    ),
)
