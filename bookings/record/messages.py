"""Turn codes into sentences, in the reader's language. Codes never change; sentences may.

Each area brings the sentences of its own refusals (`REFUSALS` in its `messages.py`).
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from django.apps import apps
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.areas import Plural, Sentence, Words, areas, computed, ngettext_lazy
from accounts.domain.errors import Invalid, Refused
from accounts.letters.words import day_words, zone_name
from instruments.policy.messages import HAZARD_LABELS

# Why a request is refused, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "not-a-month": _("This must be a month such as 2026-03."),
    "too-many-for-workbook": _("This list is too long for an XLSX file. Narrow it, or export it as CSV."),
    "rated-already": _("This session has already been rated."),
    "rating-too-late": _("A session can be rated within {days} days of its end."),
    "rating-answered": _("This rating has already been answered; an answer can be edited for a day."),
    "rules-refuse": _("The rules of this instrument refuse the booking."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "reservation.held": _("Held"),
    "reservation.requested": _("Requested"),
    "reservation.confirmed": _("Confirmed"),
    "reservation.in_use": _("Checked in"),
    "reservation.completed": _("Completed"),
    "reservation.cancelled": _("Cancelled"),
    "reservation.rejected": _("Declined"),
    "reservation.expired": _("Expired without an answer"),
    "reservation.no_show": _("Not used"),
    "reservation.displaced": _("Displaced by a closure"),
    "reservation.note": _("Reference noted"),
}

STATES = {
    "begun": _("started"),
    "closed": _("closed"),
    "coming": _("coming"),
    "ended": _("ended"),
    "in_force": _("in force"),
    "agreed": pgettext_lazy("action", "agreed"),
    "verified": pgettext_lazy("action", "verified"),
    "over": _("over"),
    "proposed": _("proposed"),
    "replaced": _("replaced"),
    "revoked": _("revoked"),
    "signed": _("signed"),
    "suspended": _("suspended"),
    "valid": _("valid"),
}

# The unit and the span of each quota.
COUNTS = {
    ("hours", "day"): ngettext_lazy("hour a day", "hours a day"),
    ("hours", "week"): ngettext_lazy("hour a week", "hours a week"),
    ("hours", "month"): ngettext_lazy("hour a month", "hours a month"),
    ("hours", "upcoming"): ngettext_lazy("hour ahead", "hours ahead"),
    ("bookings", "day"): ngettext_lazy("booking a day", "bookings a day"),
    ("bookings", "week"): ngettext_lazy("booking a week", "bookings a week"),
    ("bookings", "month"): ngettext_lazy("booking a month", "bookings a month"),
    ("bookings", "upcoming"): ngettext_lazy("booking ahead", "bookings ahead"),
}


@computed
def sentences() -> Mapping[str, Sentence]:
    """Return the sentence of every code that a page or the API may answer with. A test checks that none is
    missing."""
    return {code: said for area in areas() for code, said in area.refusals.items()}


def sentence(code: str, numbers: Mapping[str, object] | None = None) -> str:
    """Return the sentence of a code with its numbers; a code without a sentence is returned itself."""
    numbers = dict(numbers or {})
    if code == "too-long" and "max_minutes" in numbers:
        code = "too-long-booking"
    if f"{code}-{numbers.get('why')}" in sentences():
        code = f"{code}-{numbers['why']}"
    if code == "not-an-object" and "fields" in numbers:
        code = "not-an-object-of"
    if code == "organisation-needed" and "choices" in numbers:
        code = "organisation-needed-of"
    if code == "unknown-field" and numbers.get("nearest"):
        code = "unknown-field-near"
    if code == "too-soon" and not numbers.get("notice_minutes"):
        code = "begun"
    if code == "too-far" and "latest" in numbers:
        code, numbers["latest"] = "too-far-now", day_words(date.fromisoformat(str(numbers["latest"])))
    if code.startswith("blocked") and "until" in numbers:
        numbers["until"] = day_words(date.fromisoformat(str(numbers["until"])))
    counted = COUNTS.get((str(numbers.get("unit")), str(numbers.get("per"))))
    if counted is not None:
        numbers["what"] = counted.of(numbers.get("limit"))
    if code == "wrong-state" or code.startswith("sample-"):
        for name in numbers.keys() & {"state", "wanted"}:
            numbers[name] = _state_words().get(str(numbers[name]), numbers[name])
    if "zone" in numbers:
        numbers["zone"] = zone_name(str(numbers["zone"]))
    if "hazard" in numbers:
        numbers["hazard"] = HAZARD_LABELS.get(str(numbers["hazard"]), numbers["hazard"])
    return template_of(code, numbers).format_map(_Missing(numbers))


def refusal_sentence(refused: Refused) -> str:
    """Return the sentence of a refusal; of a request with the wrong form that of its first problem."""
    first = refused.problems[0] if isinstance(refused, Invalid) else refused
    return sentence(first.code, first.numbers)


@cache
def _state_words() -> Mapping[str, Any]:
    """Return the names of states: those of table fields, and those that follow from dates."""
    fields = (field for model in apps.get_models() for field in model._meta.fields)
    named = (field for field in fields if field.name in {"state", "publication"})
    return dict(pair for field in named for pair in field.flatchoices) | STATES


def template_of(code: str, numbers: Mapping[str, object]) -> str:
    """Return the sentence of a code before its numbers are filled in, singular or plural."""
    template = sentences().get(code, code)
    if isinstance(template, Plural):
        return template.of(numbers.get(template.number))
    return str(template)


class _Missing(dict[str, object]):
    """Numbers for a sentence, of which a missing one is shown as a dash instead of raising an error."""

    def __missing__(self, key: str) -> str:
        return "–"
