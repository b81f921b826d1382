"""The form that chooses a year of the planning map."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.reading.forms.fields import StyledForm


class MapForm(StyledForm):
    """The year to show; without one, the usual year."""

    year = forms.TypedChoiceField(label=_("Year"), coerce=int, required=False, empty_value=None)

    def __init__(self, data: Any, *, now: datetime, year: int) -> None:
        super().__init__({"year": data.get("year", year)})
        fields: Any = self.fields
        years = {*range(now.year - 5, now.year + 1), year}
        fields["year"].choices = [(n, n) for n in sorted(years, reverse=True)]
