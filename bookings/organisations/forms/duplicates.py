"""The form for a manager's verdict on two records."""

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.reading.forms.fields import StyledForm


class DuplicatesForm(StyledForm):
    """Keep two records apart, or keep one of them and merge the other into it."""

    first = forms.UUIDField()
    second = forms.UUIDField()
    note = forms.CharField(label=_("Your reason"), max_length=500)
