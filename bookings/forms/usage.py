"""What a session was like."""

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.forms.fields import DayField
from bookings.messages import RATINGS


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
            *RATINGS.items(),
        ],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    remarks = forms.CharField(
        label=_("Remarks for the owner"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 2}),
    )


class RatingsForm(forms.Form):
    """Which ratings to list: days are the instrument's."""

    rating = forms.TypedChoiceField(
        label=_("Rating"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("all")), *RATINGS.items()],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    since = DayField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}),
    )
    until = DayField(
        label=_("Until"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}),
    )
