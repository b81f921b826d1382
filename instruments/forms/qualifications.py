"""Granting and revoking certificates."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from instruments.domain.training import THIS_INSTRUMENT
from instruments.forms.fields import DayField, StyledForm, VersionForm, day_input
from instruments.models import Technique

# field of the service -> ours that shows it
NAMES = {"instrument": "thing", "technique": "thing", "issuer": "thing"}


def technique_choices(techniques: Sequence[Technique]) -> list[tuple[str, str]]:
    """Return code and name in the reader's language of each."""
    return [(technique.code, named(technique)) for technique in techniques]


class GrantForm(StyledForm):
    """Who may operate what, from when, until when."""

    user = forms.CharField(
        label=_("Their e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=_("The address they sign in with."),
    )
    thing = forms.ChoiceField(label=_("What they may operate alone"))
    valid_from = DayField(label=_("First day"), widget=day_input())
    valid_until = DayField(
        label=_("Last day"), required=False, widget=day_input(), help_text=_("Empty: no end.")
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=500,
        help_text=_("The person reads it too."),
    )

    def __init__(
        self, data: Any = None, *, techniques: Sequence[Technique], today: date, needed: str
    ) -> None:
        """`needed`: what the instrument's policy asks for, which is chosen first."""
        initial = {"thing": needed or THIS_INSTRUMENT, "valid_from": today}
        super().__init__(data, initial=initial)
        self.techniques = {t.code: t for t in techniques}
        thing: Any = self.fields["thing"]
        thing.choices = [(THIS_INSTRUMENT, _("this instrument")), *technique_choices(techniques)]

    def place_of(self, path: str) -> str | None:
        return NAMES.get(path, path)

    @property
    def technique(self) -> Technique | None:
        """The one that was chosen; None: the instrument itself."""
        return self.techniques.get(self.cleaned_data["thing"])


class RevokeForm(VersionForm):
    """Why a certificate is revoked."""

    reason = forms.CharField(label=_("Reason"), max_length=500)


class PeopleForm(StyledForm):
    """Which certificates to show."""

    q = forms.CharField(label=_("Name or e-mail address"), required=False, max_length=100)
