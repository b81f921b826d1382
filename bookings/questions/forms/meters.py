"""Meters, readings and maintenance counters."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from bookings.questions.models import MaintenanceCounter, Meter
from instruments.forms.fields import StyledForm, VersionForm


class MeterForm(StyledForm):
    """A new meter."""

    name = forms.CharField(label=_("Name in English"), max_length=120)
    name_zh = forms.CharField(label=_("Name in Chinese"), required=False, max_length=120)
    unit = forms.CharField(label=_("Unit"), required=False, max_length=20)
    is_monotone = forms.BooleanField(label=_("It only goes up"), required=False, initial=True)


class ReadingForm(StyledForm):
    """What a meter shows now."""

    value = forms.CharField(
        label=_("It shows"),
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    reset_reason = forms.CharField(
        label=_("Replaced or set back, because"), required=False, max_length=500
    )


class CorrectionForm(StyledForm):
    """What a meter did show."""

    value = forms.CharField(
        label=_("It showed"),
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    reason = forms.CharField(label=_("Reason"), max_length=500)


class CounterForm(StyledForm):
    """A new maintenance counter."""

    name = forms.CharField(label=_("What is due, in English"), max_length=120)
    name_zh = forms.CharField(label=_("In Chinese"), required=False, max_length=120)
    meter = forms.ChoiceField(label=_("Counted by"), required=False)
    limit = forms.DecimalField(label=_("Limit"), max_digits=16, decimal_places=4, min_value=0)
    warn_percent = forms.IntegerField(
        label=_("Warn at, in per cent"), min_value=1, max_value=100, initial=90
    )
    action = forms.ChoiceField(label=_("At the limit"), choices=MaintenanceCounter.Action.choices)

    def __init__(self, data: Any = None, *, meters: Sequence[Meter], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        field: Any = self.fields["meter"]
        field.choices = [
            ("", _("hours of use")),
            *((str(m.pk), named(m)) for m in meters if m.is_monotone and not m.is_hours),
        ]


class DoneForm(VersionForm):
    """That the maintenance was done."""

    note = forms.CharField(label=_("What was done"), required=False, max_length=500)
