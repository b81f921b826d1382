"""Forms for closing an instrument and ending a closure."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from bookings.availability.models import Closure
from bookings.record.forms.fields import LocalMomentField
from bookings.usage.services.closures import Outage
from instruments.reading.forms.fields import StyledForm


class ClosureForm(StyledForm):
    """A closure of an instrument: from when, until when if that is known, and why."""

    kind = forms.ChoiceField(label=pgettext_lazy("closure", "Why"), choices=Closure.Kind.choices)
    start = LocalMomentField(label=_("From"))
    end = LocalMomentField(
        label=_("Until"),
        is_end=True,
        required=False,
        help_text=_("Empty if it is not known yet. It can be ended later."),
    )
    units = forms.TypedMultipleChoiceField(
        label=_("Units"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all of them."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        help_text=_("People whose bookings are displaced read this."),
    )
    displace = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, zone: ZoneInfo, units: int, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["start"].zone = fields["end"].zone = zone
        if units > 1:
            fields["units"].choices = [(n, str(n)) for n in range(1, units + 1)]
        else:
            del self.fields["units"]

    def outage(self) -> Outage:
        data = self.cleaned_data
        return Outage(
            kind=data["kind"],
            start=data["start"],
            end=data["end"],
            units=tuple(data.get("units") or ()),
            reason=data["reason"],
        )


class ClosureEndForm(StyledForm):
    """The end of a closure; empty means now."""

    end = LocalMomentField(label=_("Ends at"), is_end=True, required=False)

    def __init__(self, data: Any = None, *, zone: ZoneInfo) -> None:
        super().__init__(data)
        fields: Any = self.fields
        fields["end"].zone = zone
