"""What narrows a list, and what it is sorted by."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.forms.fields import DayField, StyledForm


class WorkingForm(StyledForm):
    """Words that a row has to contain, the days it lies in, the last one included, its state, and
    the order of a list that is no table."""

    q = forms.CharField(
        label=_("Contains"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("Until"), required=False)
    state = forms.ChoiceField(label=_("State"), required=False)
    sort = forms.CharField(label=_("Sort by"), required=False, widget=forms.Select)

    def __init__(
        self,
        data: Any,
        *,
        with_words: bool,
        with_days: bool,
        states: Sequence[tuple[str, Any]],
        orders: Mapping[str, Any],
    ) -> None:
        super().__init__(data)
        state: Any = self.fields["state"]
        state.choices = [("", _("all")), *states]
        if not states:
            del self.fields["state"]
        sort: Any = self.fields["sort"]
        sort.widget.choices = [("", _("as usual")), *orders.items()]
        if not orders:
            del self.fields["sort"]
        for name in (() if with_words else ("q",)) + (() if with_days else ("since", "until")):
            del self.fields[name]
