"""What of the trail to read."""

from typing import Any

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
    region = forms.CharField(
        label=_("Region (code)"),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"class": "form-control", "placeholder": "CN-AH"}),
    )
    record = forms.UUIDField(
        label=_("Record (ID)"),
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    since = forms.DateField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}),
    )
    until = forms.DateField(
        label=_("until before"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}),
    )


class BundleForm(forms.Form):
    """Which days of the trail to take along."""

    since = forms.DateField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}),
    )
    until = forms.DateField(
        label=_("until before"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["until"] <= data["since"]:
            self.add_error("until", _("This must be after the first day."))
        return data
