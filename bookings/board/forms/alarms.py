"""Forms for answering alarms, filtering their list, and entering thresholds."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Choice, Day, Shape, Text, Whole
from accounts.letters.words import named
from accounts.models import Region
from bookings.board.models import AlarmThreshold, IdleAlarm
from instruments.reading.forms.fields import StyledForm
from instruments.reading.forms.shapes import field_of, form_of


class AlarmFilterForm(StyledForm):
    kind = forms.ChoiceField(
        label=_("Alarm"), required=False, choices=[("", _("all")), *IdleAlarm.Kind.choices]
    )
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("standing")), *IdleAlarm.State.choices]
    )


class AlarmAnswerBody(Shape):
    reason = Choice(
        IdleAlarm.Reason.choices, label=_("What is the reason?"), style={"choice": _("Please choose")}
    )
    due_date = Day(
        label=_("Resolved by"), help_text="The day by which the problem will be resolved, within a year."
    )
    note = Text(
        1000,
        default="",
        allow_blank=True,
        label=_("Note"),
        help_text="Required if the reason is `other`.",
        style={"rows": 2},
    )


AlarmAnswerForm = form_of(AlarmAnswerBody)


class ThresholdBody(Shape):
    region = Text(40, required=False, allow_null=True, help_text="Code of the region. Null: all regions.")
    parameter = Choice(AlarmThreshold.Parameter.choices)
    value = Whole(min_value=0, max_value=10_000, label=_("Value"))
    valid_from = Day(label=_("In force from"), help_text="Today or later.")
    source = Text(500, label=_("Source"), help_text="The document that sets this threshold.")  # type: ignore[assignment]


class ThresholdForm(StyledForm):
    """A threshold. `regions`: those whose thresholds the reader may enter; administrators may also enter one
    for all."""

    region = forms.ChoiceField(label=_("Region"), required=False)
    parameter = forms.ChoiceField(label=_("Threshold"), choices=AlarmThreshold.Parameter)
    value = field_of(ThresholdBody, "value")
    valid_from = field_of(ThresholdBody, "valid_from")
    source = field_of(ThresholdBody, "source")

    def __init__(self, *args: Any, regions: list[Region], for_all: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        every = [("", _("all regions"))] if for_all else []
        field: Any = self.fields["region"]
        field.choices = [*every, *((each.code, named(each)) for each in regions)]
        field.required = not for_all
