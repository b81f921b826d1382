"""Forms for reporting a fault and confirming it."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.shapes import Number, Shape, Text
from bookings.usage.forms.closures import ClosureForm
from bookings.usage.models import FaultReport
from instruments.reading.forms.fields import StyledForm
from instruments.reading.forms.shapes import form_of


class FaultForm(StyledForm):
    """A report of a fault; `joins` is an open report to join, for which the text may be left empty."""

    severity = forms.ChoiceField(
        label=_("Can it still be used?"),
        choices=[
            (FaultReport.Severity.USABLE, _("Yes, still usable")),
            (FaultReport.Severity.UNUSABLE, _("No, not usable")),
        ],
        widget=forms.RadioSelect,
    )
    text = forms.CharField(
        label=_("What is wrong?"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    file = forms.FileField(
        label=_("Photo"),
        required=False,
        help_text=_("JPEG, PNG or WebP, up to 15 MB. Location data is removed."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )


class ConfirmForm(ClosureForm):
    """Closing the instrument for the breakdown that was reported."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, zone: ZoneInfo, units: int, **kwargs: Any) -> None:
        super().__init__(data, zone=zone, units=units, **kwargs)
        del self.fields["kind"]
        self.fields["reason"].help_text = _(
            "People whose bookings are displaced read this, and everybody on the instrument's page until it "
            "is repaired."
        )

    def clean(self) -> dict[str, Any]:
        return (super().clean() or self.cleaned_data) | {"kind": "breakdown"}


class FaultAssignBody(Shape):
    person = serializers.UUIDField(
        required=False, allow_null=True, help_text="One of the managers of the host. Null: nobody."
    )


class FaultRepairBody(Shape):
    repair = Text(1000, label=_("What was done?"), style={"rows": 2})
    cost = Number(
        max_digits=14,
        decimal_places=3,
        min_value=0,
        required=False,
        allow_null=True,
        label=_("Cost"),
        help_text="In the currency of the host's region. Shown to the host only.",
        style={"help": _("Shown to your organisation only.")},
    )


RepairForm = form_of(FaultRepairBody)
