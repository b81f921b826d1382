"""What of the trail to read."""

import re
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.record.forms.fields import DayField
from bookings.record.messages import sentence

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TEXT = {"class": "form-control"}
_SELECT = {"class": "form-select"}


class RecordField(forms.CharField):
    """The id of a record, or an address of a page that ends with it."""

    default_error_messages = {
        "unknown": _("This names no record: paste its ID or the address of its page.")
    }

    def clean(self, value: Any) -> UUID | None:
        text = super().clean(value)
        found = _ID.findall(text)
        if text and not found:
            raise forms.ValidationError(self.error_messages["unknown"], code="unknown")
        return UUID(found[-1]) if found else None


class TrailForm(forms.Form):
    """What of the trail to read."""

    action = forms.ChoiceField(
        label=_("Action"), required=False, widget=forms.Select(attrs=_SELECT)
    )
    person = forms.CharField(
        label=_("Person"),
        required=False,
        max_length=254,
        widget=forms.TextInput(attrs=_TEXT | {"placeholder": _("name or e-mail address")}),
    )
    region = forms.ChoiceField(
        label=_("Region"), required=False, widget=forms.Select(attrs=_SELECT)
    )
    since = DayField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", **_TEXT}),
    )
    until = DayField(
        label=_("until (exclusive)"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", **_TEXT}),
    )
    record = RecordField(
        label=_("Record"),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs=_TEXT | {"placeholder": _("ID or address of its page")}),
    )

    def __init__(self, data: Any, *, acts: Any, regions: Any) -> None:
        super().__init__(data)
        fields: Any = self.fields
        fields["action"].choices = acts
        fields["region"].choices = [("", _("all")), *regions]


class BundleForm(forms.Form):
    """Which days of the trail to take along."""

    since = DayField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}),
    )
    until = DayField(
        label=_("until (exclusive)"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["until"] <= data["since"]:
            self.add_error("until", sentence("not-after-valid-from"))
        return data
