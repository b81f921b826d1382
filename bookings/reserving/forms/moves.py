"""The form for another time of a booking."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import OVERRIDABLE
from bookings.record.forms.fields import LocalMomentField
from bookings.record.messages import sentence
from instruments.reading.forms.fields import StyledForm


class MoveForm(StyledForm):
    """The new time of a booking, the rules that a manager overrides, and the reason."""

    start = LocalMomentField(label=_("From"))
    end = LocalMomentField(label=_("Until"), is_end=True)
    override = forms.MultipleChoiceField(
        label=_("Override"), required=False, widget=forms.CheckboxSelectMultiple
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["start"].zone = fields["end"].zone = zone
        fields["override"].choices = [(code, code) for code in OVERRIDABLE]

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        start, end = data.get("start"), data.get("end")
        if start and end and end <= start:
            self.add_error("end", sentence("not-after-start"))

    def period(self) -> Period:
        return Period(self.cleaned_data["start"], self.cleaned_data["end"])
