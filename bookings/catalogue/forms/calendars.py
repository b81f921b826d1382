"""Forms that choose a part of the board or a calendar. Values that cannot be parsed count as not given."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.record.forms.fields import DayField
from instruments.managing.selectors.managing import Managed


class _AskedForm(forms.Form):
    def value(self, name: str) -> Any:
        """Return the value of a field, if it could be parsed."""
        value = self.cleaned_data.get(name)
        if isinstance(value, date) and not 2000 <= value.year <= 2200:
            return None
        return value


class BoardForm(_AskedForm):
    """The instruments and days of the board."""

    date = DayField(label=_("Day"), required=False)
    start = DayField(required=False)
    end = DayField(required=False)
    view = forms.ChoiceField(required=False, choices=[("week", _("Week")), ("day", _("Day"))])
    q = forms.CharField(required=False, max_length=100)
    facility = forms.ChoiceField(label=_("Facility"), required=False)
    technique = forms.ChoiceField(label=_("Technique"), required=False)
    present = forms.ChoiceField(
        label=_("At present"),
        required=False,
        choices=[("", _("all")), ("idle", _("open, not in use")), ("used", _("in use")), ("down", _("down"))],
    )
    zone = forms.CharField(label=_("Time zone"), required=False, max_length=64)

    def __init__(self, data: Any, *, instruments: Iterable[Managed]) -> None:
        super().__init__(data)
        self.choices: dict[str, dict[str, Any]] = {
            "facility": {i.facility.code: i.facility for i in instruments},
            "technique": {t.code: t for i in instruments for t in i.techniques},
        }
        fields: Any = self.fields
        for name, choices in self.choices.items():
            fields[name].choices = [("", ""), *((code, code) for code in choices)]
        self.is_valid()


class CalendarForm(_AskedForm):
    """The part of a person's own calendar to show."""

    date = DayField(required=False)
    view = forms.ChoiceField(required=False, choices=[("week", _("Week")), ("month", _("Month"))])

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.is_valid()
