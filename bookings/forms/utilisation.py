"""Which hours to sum up, and how."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class HoursForm(forms.Form):
    """A span of local dates and how to sum up."""

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
    by = forms.ChoiceField(
        label=_("Summed up by"),
        required=False,
        choices=[
            ("region", _("region")),
            ("organisation", _("organisation")),
            ("facility", _("facility")),
            ("instrument", _("instrument")),
            ("technique", _("technique")),
            ("month", _("month")),
            ("day", _("day")),
        ],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    region = forms.CharField(required=False, max_length=20)
    organisation = forms.CharField(required=False, max_length=40)
    technique = forms.CharField(required=False, max_length=60)
    facility = forms.UUIDField(required=False)
    instrument = forms.UUIDField(required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["until"] <= data["since"]:
            self.add_error("until", _("This must be after the first day."))
        return data
