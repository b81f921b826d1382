"""The manifest of *capabilities*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import KEPT, Area, Personal
from accounts.domain.messages import Topic
from accounts.menu import FACILITY, Below, MenuEntry, Waits, may_for_some
from instruments.capabilities.messages import ACTS, REFUSALS
from instruments.capabilities.models import CapabilityQuestion, QuestionAsker
from instruments.capabilities.selectors.capabilities import questions_to_answer
from instruments.capabilities.services.capabilities import questions_drop

AREA = Area(
    "instruments.capabilities",
    refusals=REFUSALS,
    menu=(
        MenuEntry(
            "instruments:questions", _("Questions"), "help", FACILITY, 70,
            may_for_some("manage-instruments"),
        ),
    ),
    below=(Below("instruments:questions", "question"),),
    waits=(
        Waits(
            "questions", 70, "instruments:questions",
            ngettext_lazy("question to answer", "questions to answer"),
            _("Your answer is shown on the instrument's page from then on."),
            may_for_some("manage-instruments"), questions_to_answer,
            entry="instruments:questions", group="answered_at",
        ),
    ),
    acts=ACTS,
    topics=(
        # A person waits for the answer, so it must stay in the inbox.
        Topic(
            "decision", _("Answers to my requests"),
            _("your request was declined, or nobody answered it"), 30, stays_in_inbox=True,
        ),
    ),
    personal=(
        Personal(
            "questions", QuestionAsker, {"user": KEPT},
            "asked_at instrument=question__instrument__name parameter=question__parameter__code "
            "answered_at=question__answered_at",
            order="asked_at",
        ),
        Personal(
            "questions_answered", CapabilityQuestion, {"answered_by": KEPT},
            "id answered_at instrument=instrument__name parameter=parameter__code",
            order="answered_at",
        ),
    ),
    forgets=(questions_drop,),
)  # fmt: skip
