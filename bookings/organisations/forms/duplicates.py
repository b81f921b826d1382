"""What a manager decides about two records."""

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.forms.fields import StyledForm


class DuplicatesForm(StyledForm):
    """Keep two records apart, or keep one of them and merge the other into it."""

    first = forms.UUIDField()
    second = forms.UUIDField()
    act = forms.ChoiceField(choices=[(a, a) for a in ("apart", "first", "second")])
    note = forms.CharField(label=_("Your reason"), max_length=500)
