"""Amounts that limit spending: an empty field is an error, and "no limit" is a box to tick."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.record.messages import sentence
from instruments.reading.forms.fields import StyledForm


class LimitsForm(StyledForm):
    """A form whose optional amounts are named in `limits`. Each has a box `NAME_none` beside it: either the
    amount is filled in or the box is ticked."""

    limits: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.limits:
            self.add(f"{name}_none", forms.BooleanField(label=_("No limit"), required=False))
            if name in self.initial and self.initial[name] in (None, ""):
                self.initial[f"{name}_none"] = True

    def clean(self) -> dict[str, Any] | None:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for name in self.limits:
            if name in data and (data[name] is None) is not data[f"{name}_none"]:
                self.add_error(name, sentence("limit-or-none"))
        return data
