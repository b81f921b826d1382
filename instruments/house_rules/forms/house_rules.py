"""A form for house rules in both languages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.house_rules.services.house_rules import LONGEST_RULES
from instruments.reading.forms.fields import VersionForm


class HouseRulesForm(VersionForm):
    """The text of house rules. If both languages are empty, there are no rules."""

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
