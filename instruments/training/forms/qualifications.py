"""Forms to grant and revoke certificates, and to filter them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from accounts.forms import known_to
from accounts.letters.words import name_order, named
from instruments.reading.forms.fields import DayField, PeopleField, StyledForm, VersionForm, day_input
from instruments.training.domain.training import MOST_AT_ONCE, THIS_INSTRUMENT
from instruments.vocabulary.models import Technique

# field of the service -> the form field that shows it
NAMES = {"instrument": "thing", "technique": "thing", "issuer": "thing"}


def technique_choices(techniques: Sequence[Technique]) -> list[tuple[str, str]]:
    """Return the code and the name in the reader's language of each technique, sorted by name."""
    return [(technique.code, named(technique)) for technique in sorted(techniques, key=name_order)]


class GrantForm(StyledForm):
    """A certificate: the people, the instrument or technique, the first and last day."""

    user = PeopleField(
        label=_("People"),
        least=1,
        most=MOST_AT_ONCE,
        required=True,
        help_text=_("Names, or a pasted list of mail addresses."),
    )
    thing = forms.ChoiceField(label=_("What they may operate alone"))
    valid_from = DayField(label=_("First day"), widget=day_input())
    valid_until = DayField(
        label=_("Last day"), required=False, widget=day_input(), help_text=_("Empty: no end.")
    )
    note = forms.CharField(
        label=_("Note"), required=False, max_length=500, help_text=_("The person reads it too.")
    )

    def __init__(
        self, data: Any = None, *, actor: Actor, techniques: Sequence[Technique], today: date, needed: str
    ) -> None:
        """Offer these techniques. `needed`: what the instrument's policy requires, which is preselected."""
        initial = {"thing": needed or THIS_INSTRUMENT, "valid_from": today}
        super().__init__(data, initial=initial)
        known_to(self, actor)
        self.techniques = {t.code: t for t in techniques}
        thing: Any = self.fields["thing"]
        thing.choices = [(THIS_INSTRUMENT, _("this instrument")), *technique_choices(techniques)]

    def place_of(self, path: str) -> str | None:
        return NAMES.get(path, path)

    @property
    def technique(self) -> Technique | None:
        """Return the chosen technique; None stands for the instrument itself."""
        return self.techniques.get(self.cleaned_data["thing"])


class RevokeForm(VersionForm):
    """The reason why a certificate is revoked."""

    reason = forms.CharField(label=_("Reason"), max_length=500)


class PeopleForm(StyledForm):
    """Filters for the list of certificates."""

    q = forms.CharField(label=_("Name or e-mail address"), required=False, max_length=100)
