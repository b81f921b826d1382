"""What narrows a list: words and days."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.forms.fields import DayField, StyledForm


class WorkingForm(StyledForm):
    """Words that a row has to contain, and the days it lies in, the last one included."""

    q = forms.CharField(
        label=_("Contains"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("Until"), required=False)

    def __init__(self, data: Any, *, with_words: bool, with_days: bool) -> None:
        super().__init__(data)
        for name in (() if with_words else ("q",)) + (() if with_days else ("since", "until")):
            del self.fields[name]
