"""Forms for a person's lists of instruments."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.services.users import name_kept
from bookings.browsing.domain.lists import LONGEST_NAME, LONGEST_NOTE
from instruments.reading.forms.fields import StyledForm


class ListForm(StyledForm):
    """The name of a list."""

    name = forms.CharField(label=_("Name of the list"), max_length=LONGEST_NAME)

    def clean_name(self) -> str:
        return name_kept(self.cleaned_data["name"])


class NoteForm(StyledForm):
    """A note beside an instrument."""

    note = forms.CharField(
        label=_("Note"), required=False, max_length=LONGEST_NOTE, widget=forms.Textarea(attrs={"rows": 2})
    )
