"""Forms of auditors' reports and working papers."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.audit.forms.audit import AuditForm
from bookings.record.forms.fields import DayField


class PeriodForm(AuditForm):
    """The region and the days of working papers."""

    region = forms.ChoiceField(label=_("Region"))
    since = DayField(label=_("From"))
    until = DayField(label=_("Until (exclusive)"))

    def __init__(self, data: Any = None, *, regions: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["region"].choices = regions
