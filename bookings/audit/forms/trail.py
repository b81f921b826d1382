"""Forms that choose a part of the trail."""

import re
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.record.forms.fields import DayField
from bookings.record.messages import sentence
from instruments.reading.forms.fields import StyledForm

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class RecordField(forms.CharField):
    """The id of a record, or the address of a page that ends with it."""

    default_error_messages = {"unknown": _("No record found: paste its ID or the address of its page.")}

    def clean(self, value: Any) -> UUID | None:
        text = super().clean(value)
        ids = _ID.findall(text)
        if text and not ids:
            raise forms.ValidationError(self.error_messages["unknown"], code="unknown")
        return UUID(ids[-1]) if ids else None


class TrailForm(StyledForm):
    """Filters for the trail."""

    action = forms.ChoiceField(label=_("Action"), required=False)
    person = forms.CharField(
        label=_("Person"),
        required=False,
        max_length=254,
        widget=forms.TextInput(attrs={"placeholder": _("name or e-mail address")}),
    )
    region = forms.ChoiceField(label=_("Region"), required=False)
    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("Until (exclusive)"), required=False)
    record = RecordField(
        label=_("Record"),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"placeholder": _("ID or address of its page")}),
    )

    def __init__(self, data: Any, *, acts: Any, regions: Any) -> None:
        super().__init__(data)
        fields: Any = self.fields
        fields["action"].choices = acts
        fields["region"].choices = [("", _("all")), *regions]


class BundleForm(StyledForm):
    """The first and last day of a bundle of the trail."""

    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("Until (exclusive)"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["until"] <= data["since"]:
            self.add_error("until", sentence("not-after-valid-from"))
        return data
