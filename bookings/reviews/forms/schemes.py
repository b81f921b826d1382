"""The form of a new version of a review scheme."""

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.reading.forms.fields import StyledForm

MOST_SCHEME = 50_000


class SchemeForm(StyledForm):
    """The text of a scheme, and why it changes; a check needs no reason."""

    text = forms.CharField(
        label=_("Scheme as JSON"),
        max_length=MOST_SCHEME,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16, "class": "font-monospace", "spellcheck": "false"}),
    )
    reason = forms.CharField(label=_("Reason"), max_length=500, required=False)
