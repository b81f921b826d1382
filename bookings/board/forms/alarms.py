"""Answers to alarms, their list narrowed, and thresholds."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from accounts.models import Region
from bookings.board.models import AlarmThreshold, IdleAlarm
from bookings.record.forms.fields import DayField
from instruments.forms.fields import StyledForm


class AlarmFilterForm(StyledForm):
    kind = forms.ChoiceField(
        label=_("Alarm"), required=False, choices=[("", _("all")), *IdleAlarm.Kind.choices]
    )
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("standing")), *IdleAlarm.State.choices]
    )


class AlarmAnswerForm(StyledForm):
    reason = forms.ChoiceField(
        label=_("Why is it so?"), choices=[("", _("Please choose")), *IdleAlarm.Reason.choices]
    )
    due_date = DayField(label=_("Put right by"))
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class ThresholdForm(StyledForm):
    """`regions`: those whose thresholds the reader may enter; an administrator also for all."""

    region = forms.ChoiceField(label=_("Region"), required=False)
    parameter = forms.ChoiceField(label=_("Threshold"), choices=AlarmThreshold.Parameter)
    value = forms.IntegerField(label=_("Value"), min_value=0)
    valid_from = DayField(label=_("In force from"))
    source = forms.CharField(label=_("Source"), max_length=500)

    def __init__(self, *args: Any, regions: list[Region], for_all: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        every = [("", _("all regions"))] if for_all else []
        field: Any = self.fields["region"]
        field.choices = [*every, *((each.code, named(each)) for each in regions)]
        field.required = not for_all
