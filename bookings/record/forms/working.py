"""A form that filters and sorts a list."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.record.domain.months import month_read
from bookings.record.selectors.lists import CHOICE, DAY, FLAG, ID, MONTH, Filter, Listing
from instruments.reading.forms.fields import DayField, StyledForm


class MonthField(forms.CharField):
    """A month such as 2026-03; its value is the first day."""

    widget = forms.TextInput(attrs={"type": "month", "placeholder": "2026-03"})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        month = month_read(text) if text else None
        if text and month is None:
            raise forms.ValidationError(_("This must be a month such as 2026-03."), code="not-a-month")
        return month


class WorkingForm(StyledForm):
    """The filters of a list: those that it declares, words to search for, and a range of days, the last one
    included; and the order, for lists that are not tables. A value that is no day filters nothing; one
    that a filter does not know lists nothing (`ListPage.narrowed`)."""

    def __init__(self, data: Any, listing: Listing, *, orders: Mapping[str, Any]) -> None:
        super().__init__(data)
        for one in listing.filters:
            self.add(one.name, _field_of(one))
        if listing.words:
            search = forms.TextInput(attrs={"type": "search"})
            self.add("q", forms.CharField(label=_("Contains"), required=False, max_length=100, widget=search))
        if listing.day:
            self.add("since", DayField(label=_("From"), required=False))
            self.add("until", DayField(label=_("Until"), required=False))
        if listing.waits:
            self.add("waits", forms.CharField(required=False, widget=forms.HiddenInput))
        if orders:
            choices = [("", _("as usual")), *orders.items()]
            self.add("sort", forms.ChoiceField(label=_("Sort by"), required=False, choices=choices))

    @property
    def narrowing(self) -> dict[str, Any]:
        """Return the values that filter the list."""
        self.is_valid()
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if value and name not in ("sort", "waits")
        }


def _field_of(one: Filter) -> forms.Field:
    field: forms.Field
    if one.kind == CHOICE:
        field = forms.ChoiceField(choices=[("", _("all")), *one.choices], required=False)
    elif one.kind == DAY:
        field = DayField(required=False)
    elif one.kind == MONTH:
        field = MonthField(required=False)
    elif one.kind == ID:
        field = forms.UUIDField(required=False)
    elif one.kind == FLAG:
        field = forms.BooleanField(required=False)
    else:
        text = forms.TextInput(attrs={"spellcheck": "false"})
        field = forms.CharField(required=False, max_length=one.most, widget=text)
    field.label = one.label
    if not one.label:
        field.widget = forms.HiddenInput()
    return field
