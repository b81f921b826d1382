"""The form of a holding period."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Day, Shape, Text, Whole
from accounts.work import kept
from bookings.privacy.domain.periods import MOST_DAYS
from instruments.reading.forms.fields import StyledForm
from instruments.reading.forms.shapes import field_of


class PeriodBody(Shape):
    kind = Text(30, help_text="The `code` of a holding period of `GET operations/settings/`.")
    days = Whole(label=_("Number of days"), min_value=1, max_value=MOST_DAYS)
    valid_from = Day(label=_("Holds from"), help_text="Today at the earliest.")
    reason = Text(500, label=_("Why"))


class PeriodForm(StyledForm):
    """A holding period of the kinds that may be changed."""

    kind = forms.ChoiceField(label=_("Records"))
    days = field_of(PeriodBody, "days")
    valid_from = field_of(PeriodBody, "valid_from")
    reason = field_of(PeriodBody, "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["kind"]
        field.choices = [(each.kind, each.words) for each in kept() if each.least]
