"""Forms for using an instrument: questions, ratings, real times."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from bookings.browsing.messages import RATINGS
from bookings.pricing.domain.usage import Usage
from bookings.questions.forms.questions import AnswersForm
from bookings.record.forms.fields import LocalMomentField
from bookings.usage.messages import MARK_LABELS, MARKS
from instruments.house_rules.models import HouseRulesAcceptance
from instruments.rates.domain.ratecards import Option
from instruments.rates.messages import rate_name
from instruments.reading.forms.fields import DecimalField, StyledForm


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

    def __init__(
        self,
        *args: Any,
        rates: bool = True,
        for_host: bool = False,
        options: Sequence[Option] = (),
        **kwargs: Any,
    ) -> None:
        """Build the form; `rates`: the reader is the person of the booking, who alone rates the session;
        `for_host`: they are the owner to whom others remark; `options`: those of the rate card that the
        reader, for the host, adds where they were used."""
        super().__init__(*args, **kwargs)
        if for_host:
            self.fields["remarks"].label = _("Remarks on the session")
        if not rates:
            del self.fields["rating"]
        self.on_use = options
        for option in options:
            is_hours = option.unit == "hour"
            field = DecimalField(
                label=capfirst(rate_name(option)),
                required=False,
                min_value=0,
                max_value=10**6,
                decimal_places=2 if is_hours else 0,
                help_text=_("Hours used: they are charged.")
                if is_hours
                else _("Number used: it is charged."),
            )
            self.add(f"added_{option.code}", field)

    def added(self) -> dict[str, Decimal]:
        """Return the quantities of options that were used, by code."""
        given = {option.code: self.cleaned_data.get(f"added_{option.code}") for option in self.on_use}
        return {code: number for code, number in given.items() if number}

    def place_of(self, path: str) -> str | None:
        return path.replace("options.", "added_") if path.startswith("options.") else super().place_of(path)


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
    """A host's answer to a rating of a session."""

    answer = forms.CharField(
        label=_("Your answer"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class BeginForm(AnswersForm):
    """The questions before use, and the house rules that are accepted with them."""

    house_rules = forms.IntegerField(required=False, min_value=1)
    means = forms.ChoiceField(
        label=_("How were the house rules accepted?"),
        required=False,
        choices=[
            ("", _("Not yet: they are asked to accept them themselves")),
            *((code, capfirst(label)) for code, label in HouseRulesAcceptance.Means.choices),
        ],
        help_text=_("Your name is recorded with it."),
    )

    def __init__(self, *args: Any, records: bool = False, **more: Any) -> None:
        """Build the form; `records`: the reader, for the host, records how the person accepted the rules."""
        super().__init__(*args, **more)
        if not records:
            del self.fields["means"]


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
