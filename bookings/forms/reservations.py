"""Acts on a reservation: a reason, a manager's word."""

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.forms.fields import StyledForm


class ReasonForm(forms.Form):
    """A reason and the version of the record that was read."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput())


class DecideForm(StyledForm):
    """A manager's word on a request, and the version of it that was read."""

    approve = forms.TypedChoiceField(
        choices=[("1", "1"), ("0", "0")], coerce=lambda given: given == "1"
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        if data.get("approve") is False and not data.get("reason", "").strip():
            self.add_error("reason", _("Say why: the person reads it."))
