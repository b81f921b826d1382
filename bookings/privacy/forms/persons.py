"""The form for closing the user's own account for good."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.reading.forms.fields import StyledForm


class CloseForm(StyledForm):
    """The account's own address, typed once more."""

    confirmed = forms.CharField(
        label=_("Your e-mail address, to confirm"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "email"}),
    )

    def __init__(self, data: Any = None, *, address: str) -> None:
        super().__init__(data)
        self.address = address

    def clean_confirmed(self) -> str:
        given: str = self.cleaned_data["confirmed"].strip()
        if given.lower() != self.address.lower():
            raise forms.ValidationError(_("This is not the address of the account."))
        return given
