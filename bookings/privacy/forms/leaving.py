"""The form for ending a membership."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.reading.forms.fields import StyledForm


class LeaveForm(StyledForm):
    """A choice between keeping and cancelling the bookings of whoever leaves, and the reason."""

    bookings = forms.ChoiceField(choices=[("keep", ""), ("cancel", "")], initial="keep")
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)

    def __init__(self, data: Any = None, *, owes_reason: bool) -> None:
        super().__init__(data)
        self.fields["reason"].required = owes_reason
