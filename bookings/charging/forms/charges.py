"""Forms for acts on a charge: disputing it, answering, correcting it."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.dates import MONTHS
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Shape, Text
from bookings.charging.domain.corrections import Amendment
from bookings.pricing.domain.usage import Usage
from bookings.pricing.models import Charge
from bookings.record.forms.fields import LocalMomentField, local_moment
from instruments.rates.domain.ratecards import Option
from instruments.rates.messages import rate_name
from instruments.reading.forms.fields import StyledForm, VersionForm
from instruments.reading.forms.shapes import form_of


class ChargeFilterForm(StyledForm):
    """Filters for the list of charges."""

    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("all")), *Charge.State.choices]
    )
    month = forms.ChoiceField(label=_("Month"), required=False)
    party = forms.ChoiceField(label=_("Organisation"), required=False)

    def __init__(
        self, data: Any, *, months: Iterable[date], organisations: Iterable[tuple[str, str]]
    ) -> None:
        super().__init__(data)
        fields: Any = self.fields
        every = ("", _("all"))
        fields["month"].choices = [
            every, *((f"{month:%Y-%m}", f"{MONTHS[month.month]} {month.year}") for month in months)
        ]  # fmt: skip
        fields["party"].choices = [every, *organisations]

    def clean_month(self) -> date | None:
        """Return the first day of the month that was chosen."""
        text = self.cleaned_data["month"]
        return date.fromisoformat(f"{text}-01") if text else None


class DisputeBody(Shape):
    reason = Text(1000, label=_("What is wrong with it?"), style={"rows": 2})


class AnswerForm(VersionForm):
    """The reason for rejecting a dispute."""

    reason = forms.CharField(
        label=_("Why the charge is right"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )


DisputeForm = form_of(DisputeBody)


class CorrectionForm(StyledForm):
    """Corrected values of a charge; a field left unchanged stays as it was. If the booking was not used, only
    the waiver can be entered."""

    check_in = LocalMomentField(label=_("Use began"), required=False)
    check_out = LocalMomentField(label=_("Use ended"), is_end=True, required=False)
    samples = forms.IntegerField(
        label=_("Number of samples"), required=False, min_value=0, max_value=1_000_000
    )
    waive_percent = forms.DecimalField(
        label=_("Waive, in %"),
        required=False,
        min_value=0,
        max_value=100,
        max_digits=6,
        decimal_places=3,
        help_text=_("Of the computed amount, before tax. 100: nothing is owed."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The payer reads it."),
    )
    uphold = forms.BooleanField(required=False, widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        zone: ZoneInfo,
        usage: Usage | None,
        options: Sequence[Option],
        present: dict[str, Decimal],
        by_sample: bool,
        has_times: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        self.options = list(options)
        for name in ("check_in", "check_out"):
            fields[name].zone = zone
        if not has_times:
            del self.fields["check_in"], self.fields["check_out"]
        elif usage is not None:
            fields["check_in"].initial, fields["check_out"].initial = (
                local_moment(moment, zone) for moment in usage
            )
        if not by_sample:
            del self.fields["samples"]
        for option in self.options:
            self.add(
                f"option_{option.code}",
                forms.DecimalField(
                    label=rate_name(option),
                    required=False,
                    min_value=0,
                    max_value=10**6,
                    decimal_places=2 if option.unit == "hour" else 0,
                    initial=present.get(option.code),
                    help_text=_("hours") if option.unit == "hour" else _("pieces"),
                ),
            )
        self.order_fields(["check_in", "check_out", *(f"option_{o.code}" for o in self.options), "samples"])

    def place_of(self, path: str) -> str | None:
        return path.replace("options.", "option_")

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        if bool(data.get("check_in")) != bool(data.get("check_out")):
            missing = "check_out" if data.get("check_in") else "check_in"
            if missing not in self.errors:
                self.add_error(missing, forms.ValidationError("both-times", code="both-times"))

    def amendment(self) -> Amendment:
        """Return the values of the charge that were changed."""
        data = self.cleaned_data
        usage = None
        if data.get("check_in") and {"check_in", "check_out"} & set(self.changed_data):
            usage = (data["check_in"], data["check_out"])
        options = {
            option.code: data.get(f"option_{option.code}") or Decimal(0)
            for option in self.options
            if f"option_{option.code}" in self.changed_data
        }
        samples = data.get("samples")
        return Amendment(
            usage=usage,
            options=options,
            quantity=Decimal(samples) if samples is not None else None,
            waive_percent=data.get("waive_percent"),
        )
