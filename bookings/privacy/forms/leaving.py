"""Input of ending a membership."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.forms.fields import StyledForm


class LeaveForm(StyledForm):
    """What becomes of the bookings, and why."""

    bookings = forms.ChoiceField(choices=[("keep", ""), ("cancel", "")], initial="keep")
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)

    def __init__(self, data: Any = None, *, owes_reason: bool) -> None:
        super().__init__(data)
        self.fields["reason"].required = owes_reason
