"""Input of merging organisations."""

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.forms.fields import StyledForm


class MergeIntoForm(StyledForm):
    """The organisation that goes on, by its code."""

    into = forms.CharField(
        label=_("Code of the organisation to merge into"),
        max_length=30,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
