"""What a session was like."""

from django import forms
from django.utils.translation import gettext_lazy as _


class CheckOutForm(forms.Form):
    """What a session was like."""

    samples = forms.IntegerField(
        label=_("Samples measured"),
        required=False,
        min_value=0,
        max_value=1_000_000,
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )
    rating = forms.TypedChoiceField(
        label=_("How did it go?"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", "–"),
            (5, _("very well")),
            (4, _("well")),
            (3, _("all right")),
            (2, _("with trouble")),
            (1, _("badly")),
        ],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    remarks = forms.CharField(
        label=_("Remarks for the owner"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 2}),
    )
