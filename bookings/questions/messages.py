"""Sentences of the refusals of *questions*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "questions-open": _("Some questions have to be answered first."),
    "questions-changed": _("The questions have changed. Please read your answers again."),
    "no-questions": _("There are no questions here."),
    "answered-already": _("The questions have already been answered."),
    "only-host-skips": _("Only the host’s managers can skip questions, and only for somebody else."),
    "reading-below-last": _("This is below the last reading, {last}."),
    "reading-leaps": _(
        "The meter cannot show more than {most} by now. Is a decimal point missing? If it does "
        "show more, the owner enters the reading."
    ),
    "goes-both-ways": _(
        "This meter can go up and down: maintenance can be counted only by meters that only go up."
    ),
    "counted-by-itself": _("Hours of use are counted from the sessions, not entered."),
    "counter-retired": _("This maintenance is no longer counted."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "questionnaire.set": _("Questions set"),
    "answers.answered": _("Questions answered"),
    "answers.skipped": _("Questions skipped by the host"),
    "meter.add": _("Meter added"),
    "meter.read": _("Meter read"),
    "meter.correct": _("Meter reading corrected"),
    "counter.add": _("Maintenance counter added"),
    "counter.done": _("Maintenance done"),
    "counter.retire": _("Maintenance counter removed"),
}
