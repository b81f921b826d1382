"""Lists in which a person keeps instruments."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.services.users import name_kept
from bookings.browsing.domain.lists import LONGEST_NAME, LONGEST_NOTE
from instruments.forms.fields import StyledForm


class ListForm(StyledForm):
    """What a list is called."""

    name = forms.CharField(label=_("Name of the list"), max_length=LONGEST_NAME)

    def clean_name(self) -> str:
        return name_kept(self.cleaned_data["name"])


class NoteForm(StyledForm):
    """What somebody notes beside an instrument."""

    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
