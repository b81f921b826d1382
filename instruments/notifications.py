"""Messages about harvests that have given up, and about what is asked of instruments."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import OutboxMessage
from accounts.selectors.memberships import managers_or_administrators
from instruments.models import Capability, CapabilityQuestion, Fetching, Harvest
from instruments.selectors.capabilities import askers_of


def _paused(fetching: Fetching, row: OutboxMessage, now: datetime) -> Content:
    harvest = fetching.harvest
    return Content(
        harvest.pk,
        reverse("instruments:harvest", args=[harvest.pk]),
        {"harvest": harvest.name},
        {"harvest": harvest, "at": fetching.at, "problem": fetching.problem},
    )


def _question_asked(question: CapabilityQuestion, row: OutboxMessage, now: datetime) -> Content:
    people = askers_of([question])[question.pk]
    return _about(question, reverse("instruments:question", args=[question.pk]), {"people": people})


def _answered(question: CapabilityQuestion, row: OutboxMessage, now: datetime) -> Content:
    capability = Capability.objects.filter(pk=UUID(row.payload["capability"]))
    page = reverse("bookings:instrument", args=[question.instrument_id])
    return _about(
        question,
        f"{page}#abilities-title",
        {"capability": capability.select_related("parameter").first()},
    )


def _about(question: CapabilityQuestion, page: str, context: dict[str, Any]) -> Content:
    words = {"instrument": question.instrument, "parameter": question.parameter}
    return Content(question.pk, page, words, {"question": question, **context})


_question = partial(
    Kind,
    load=row_of(
        CapabilityQuestion.objects.select_related("parameter", "instrument__facility"), "question"
    ),
    template="instruments/mail/question",
)
_PAUSED = Fetching.objects.filter(harvest__state=Harvest.State.PAUSED)
KINDS = table(
    Kind(
        "harvest.paused",
        _("Paused: {harvest}"),
        topic="connection",
        load=row_of(_PAUSED.select_related("harvest__organisation"), "fetching"),
        readers=lambda fetching: managers_or_administrators(fetching.harvest.organisation_id),
        content=_paused,
        template="instruments/mail/harvest",
    ),
    _question(
        "question.asked",
        _("Question about {instrument}: {parameter}"),
        _("Somebody asks what {instrument} can do: {parameter}."),
        "request",
        readers=lambda question: managers_or_administrators(question.instrument.organisation_id),
        content=_question_asked,
        is_still_true=lambda question, row, now: question.answered_at is None,
    ),
    _question(
        "question.answered",
        _("Answer about {instrument}: {parameter}"),
        _("What you asked about {instrument} is answered: {parameter}."),
        "decision",
        readers=lambda question: askers_of([question])[question.pk],
        content=_answered,
    ),
)
