"""What of the trail to read."""

from django import forms
from django.utils.translation import gettext_lazy as _


class TrailForm(forms.Form):
    """What of the trail to read."""

    action = forms.CharField(
        label=_("Act"),
        required=False,
        max_length=60,
        widget=forms.TextInput(
            attrs={"class": "form-control", "placeholder": "reservation.confirmed"}
        ),
    )
    person = forms.CharField(
        label=_("Person (e-mail)"),
        required=False,
        max_length=254,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    since = forms.DateField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}),
    )
    until = forms.DateField(
        label=_("until before"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}),
    )
