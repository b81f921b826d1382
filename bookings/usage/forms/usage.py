"""Forms for using an instrument: questions, ratings, real times."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.browsing.messages import RATINGS
from bookings.pricing.domain.usage import Usage
from bookings.questions.forms.questions import AnswersForm
from bookings.record.forms.fields import LocalMomentField
from bookings.usage.messages import MARK_LABELS, MARKS
from instruments.reading.forms.fields import StyledForm


class CheckOutForm(AnswersForm):
    """Questions after use, and how a session went."""

    samples = forms.IntegerField(
        label=_("Samples measured"), required=False, min_value=0, max_value=1_000_000
    )
    rating = forms.TypedChoiceField(
        label=_("How did it go?"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "–"), *RATINGS.items()],
    )
    remarks = forms.CharField(
        label=_("Remarks for the owner"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, rates: bool = True, **kwargs: Any) -> None:
        """Build the form; `rates`: the reader is the person of the booking, who alone rates the session."""
        super().__init__(*args, **kwargs)
        if not rates:
            del self.fields["rating"]


class RatingForm(StyledForm):
    """A rating of a session: overall, and by single marks."""

    rating = forms.TypedChoiceField(
        label=_("How did it go?"), coerce=int, choices=[("", "–"), *RATINGS.items()]
    )
    remarks = forms.CharField(
        label=_("Remarks for the owner"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in MARK_LABELS.items():
            self.fields[name] = forms.TypedChoiceField(
                label=label,
                required=False,
                coerce=int,
                empty_value=None,
                choices=[("", "–"), *MARKS.items()],
                widget=forms.Select(attrs={"class": "form-select"}),
            )
        self.order_fields(["rating", *MARK_LABELS, "remarks"])


class RatingAnswerForm(StyledForm):
    """A host's answer to a rating."""

    answer = forms.CharField(
        label=_("Your answer"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class BeginForm(AnswersForm):
    """The questions before use, and the house rules that are accepted with them."""

    house_rules = forms.IntegerField(required=False, min_value=1)


class TimesForm(StyledForm):
    """The actual times of a booking's use, in the instrument's time zone."""

    check_in = LocalMomentField(label=_("Use began"))
    check_out = LocalMomentField(label=_("Use ended"), is_end=True)

    def __init__(self, data: Any = None, *, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["check_in"].zone = fields["check_out"].zone = zone

    def usage(self) -> Usage:
        return (self.cleaned_data["check_in"], self.cleaned_data["check_out"])
