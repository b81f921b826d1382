"""House rules, in both languages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.forms.fields import VersionForm
from instruments.services.house_rules import LONGEST_RULES


class HouseRulesForm(VersionForm):
    """Both empty: there are none."""

    text = forms.CharField(
        label=_("In English"),
        required=False,
        max_length=LONGEST_RULES,
        widget=forms.Textarea(attrs={"rows": 12}),
    )
    text_zh = forms.CharField(
        label=_("In Chinese"),
        required=False,
        max_length=LONGEST_RULES,
        widget=forms.Textarea(attrs={"rows": 12}),
    )
