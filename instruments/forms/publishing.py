"""Looking through one's instruments, and publishing one."""

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.forms.fields import StyledForm, VersionForm
from instruments.models import Instrument


class FilterForm(StyledForm):
    """Which of one's instruments to list."""

    q = forms.CharField(
        label=_("Name, model or facility"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    publication = forms.ChoiceField(
        label=_("Publication"),
        required=False,
        choices=[("", _("any")), *Instrument.Publication.choices],
    )
    stale = forms.BooleanField(label=_("Only records to confirm"), required=False)


class PublicationForm(VersionForm):
    """A step of publication; taking an instrument out of the catalogue needs a reason."""

    act = forms.ChoiceField(
        choices=[(a, a) for a in ("submit", "return", "publish", "suspend", "retire")]
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)

    def clean(self) -> None:
        data = super().clean() or {}
        if data.get("act") in {"suspend", "retire"} and not data.get("reason"):
            self.add_error("reason", _("Give a reason: those who booked it will ask."))
        if data.get("act") == "return" and not data.get("reason"):
            self.add_error("reason", _("Enter what has to be done first."))
