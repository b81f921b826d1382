"""Sentences of the refusals of *reading*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, ngettext_lazy

# Why a door refuses, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "unknown-choice": _("This is not one of: {allowed}."),
    "too-small": _("This is too small: at least {least}."),
    "too-large": _("This is too large: at most {most}."),
    "span-too-long": ngettext_lazy(
        "This span is too long: at most {days} day.", "This span is too long: at most {days} days.", "days"
    ),
    "not-after-valid-from": _("This must be after the first day."),
    "not-after-start": _("This must be after the start."),
    "before-valid-from": _("This must not be before the first day."),
    "name-taken": _("This name is already taken."),
}
