"""Forms for meters, readings and maintenance counters."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.shapes import Choice, Flag, Instant, Number, Shape, Text, Whole
from accounts.letters.words import named
from bookings.questions.models import MaintenanceCounter, Meter
from instruments.reading.forms.fields import StyledForm
from instruments.reading.forms.shapes import field_of, form_of


class MeterBody(Shape):
    name = Text(120, label=_("Name in English"))
    name_zh = Text(120, default="", allow_blank=True, label=_("Name in Chinese"))
    unit = Text(20, default="", allow_blank=True, label=_("Unit"))
    is_monotone = Flag(
        default=True, label=_("Readings only go up"), help_text="Whether readings can only increase."
    )


class CounterBody(Shape):
    meter = serializers.UUIDField(required=False, allow_null=True, help_text="Default: the hours of use.")
    name = Text(120, label=_("What is due (English)"))
    name_zh = Text(120, default="", allow_blank=True, label=_("In Chinese"))
    limit = Number(16, 4, label=_("Limit"))
    warn_percent = Whole(default=90, min_value=1, max_value=100, label=_("Warn at, in per cent"))
    action = Choice(MaintenanceCounter.Action.choices, default="warn")
    since = Instant(required=False, allow_null=True, help_text="When the maintenance was last done.")


MeterForm = form_of(MeterBody)


class ReadingForm(StyledForm):
    """The value that a meter shows now."""

    value = forms.CharField(
        label=_("Current reading"), max_length=30, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    reset_reason = forms.CharField(label=_("Replaced or reset because"), required=False, max_length=500)


class CorrectionForm(StyledForm):
    """The value that a meter really showed."""

    value = forms.CharField(
        label=_("Actual reading"), max_length=30, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    reason = forms.CharField(label=_("Reason"), max_length=500)


class CounterForm(StyledForm):
    """A new maintenance counter."""

    name = field_of(CounterBody, "name")
    name_zh = field_of(CounterBody, "name_zh")
    meter = forms.ChoiceField(label=_("Counted by"), required=False)
    limit = field_of(CounterBody, "limit")
    warn_percent = field_of(CounterBody, "warn_percent", required=True)
    action = forms.ChoiceField(label=_("At the limit"), choices=MaintenanceCounter.Action.choices)

    def __init__(self, data: Any = None, *, meters: Sequence[Meter], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        field: Any = self.fields["meter"]
        field.choices = [
            ("", _("hours of use")),
            *((str(m.pk), named(m)) for m in meters if m.is_monotone and not m.is_hours),
        ]
