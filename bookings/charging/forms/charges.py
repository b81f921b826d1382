"""Forms for acts on a charge: disputing it, answering, correcting it."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.utils.dates import MONTHS
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Shape, Text
from accounts.forms import PersonField
from accounts.letters.words import named
from accounts.selectors.rows import as_uuid
from bookings.charging.domain.corrections import Amendment
from bookings.charging.domain.no_shows import WAS_THERE
from bookings.charging.selectors.charges import SIDES
from bookings.charging.selectors.obstacles import NARROWING, books_read
from bookings.funding.forms.funding import PaysFrom
from bookings.funding.models import FundingSource
from bookings.pricing.domain.usage import Usage
from bookings.pricing.forms.bookings import InstrumentFilterForm
from bookings.pricing.models import Charge
from bookings.record.forms.fields import LocalMomentField, local_moment
from bookings.record.models import Reservation
from instruments.rates.domain.ratecards import Option
from instruments.rates.messages import rate_name
from instruments.reading.forms.fields import DecimalField, StyledForm, VersionForm
from instruments.reading.forms.shapes import form_of
from instruments.register.models import Instrument

# By what hidden filters narrow.
PATHS = {
    "payer": "organisation_id",
    "course": "enrolment__session__course_id",
    "instrument": "reservation__instrument_id",
}
MOST_AT_ONCE = 200  # charges that are ticked


class ChargeFilterForm(InstrumentFilterForm):
    """Filters for the list of charges; of the host by its instruments and what it has not checked."""

    side = forms.ChoiceField(label=_("Direction"), required=False, choices=[("", _("all")), *SIDES])
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("all")), *Charge.State.choices]
    )
    month = forms.ChoiceField(label=_("Month"), required=False)
    party = forms.ChoiceField(label=_("Organisation"), required=False)
    person = PersonField(required=False)
    by = forms.ChoiceField(
        label=_("Added up by"),
        required=False,
        choices=[
            ("", _("nothing")),
            ("instrument", _("Instrument")),
            ("person", _("Person")),
            ("payer", _("Payer")),
        ],
    )
    unchecked = forms.BooleanField(label=_("Not checked yet"), required=False)
    # Of a sum by instrument.
    course = forms.UUIDField(label=_("Course"), required=False, widget=forms.HiddenInput)
    # Of a sum by payer.
    payer = forms.UUIDField(label=_("Payer"), required=False, widget=forms.HiddenInput)
    # Of what is still to be done in a month of a journal.
    books = forms.CharField(label=_("Month"), required=False, max_length=60, widget=forms.HiddenInput)
    obstacle = forms.ChoiceField(
        label=_("Still to do"), required=False, choices=[("", _("all")), *NARROWING], widget=forms.HiddenInput
    )
    # Of any sum.
    currency = forms.CharField(label=_("Currency"), required=False, max_length=3, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any,
        *,
        months: Iterable[date],
        organisations: Iterable[tuple[str, str]],
        instruments: Iterable[Instrument],
    ) -> None:
        instruments = list(instruments)
        super().__init__(data, instruments=instruments)
        fields: Any = self.fields
        if not instruments:
            # Of a sum by instrument, for those who manage none.
            fields["instrument"].widget = forms.HiddenInput()
            del fields["unchecked"]
        every = ("", _("all"))
        fields["month"].choices = [
            every, *((f"{month:%Y-%m}", f"{MONTHS[month.month]} {month.year}") for month in months)
        ]  # fmt: skip
        fields["party"].choices = [every, *organisations]

    @property
    def by_label(self) -> str:
        """Return by what the charges are added up, in words."""
        fields: Any = self.fields
        return str(dict(fields["by"].choices).get(self.cleaned_data.get("by"), ""))

    def name_hidden(self, rows: QuerySet[Charge]) -> None:
        """Name in the labels of hidden filters what they narrow to, read from the charges that the reader may
        see."""
        for field in self.hidden_fields():
            word = value = self.cleaned_data.get(field.name)
            if value and field.name in PATHS:
                row = rows.filter(**{PATHS[field.name]: value}).first()
                word = named(row.organisation if field.name == "payer" else row.thing) if row else ""
            if value and field.name == "books" and (named_as := books_read(value)):
                word = f"{named_as[0]}{_(', ')}{named_as[2]:%Y-%m}"
            if value and field.name == "obstacle":
                word = dict(NARROWING)[value]
            if word:
                field.label = f"{field.label}{_(': ')}{word}"

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


class RecodeForm(PaysFrom, VersionForm):
    """The payer's sources that pay for a charge from now on, and why others than before."""

    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, data: Any = None, *, sources: Sequence[FundingSource], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.offer(sources)
        if sources:
            self.fields["funding"].help_text = ""

    def place_of(self, path: str) -> str | None:
        return "funding" if path.startswith("funding") and self.sources else None


class NoShowForm(StyledForm):
    """Why a no-show is removed; the times of use are only read if the person was there."""

    cause = forms.ChoiceField(
        label=_("Why"),
        choices=[("", "–"), *((code, capfirst(label)) for code, label in Reservation.Struck.choices)],
    )
    check_in = LocalMomentField(label=_("Use began"), required=False)
    check_out = LocalMomentField(
        label=_("Use ended"),
        is_end=True,
        required=False,
        help_text=_("Only if the person was there: the booking is then charged for its use."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The person reads it."),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, zone: ZoneInfo, reserved: Usage, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        for name, moment in zip(("check_in", "check_out"), reserved, strict=True):
            fields[name].zone, fields[name].initial = zone, local_moment(moment, zone)

    def usage(self) -> Usage | None:
        """Return the times of use; None if the person was not there, or if one is missing."""
        given = (self.cleaned_data["check_in"], self.cleaned_data["check_out"])
        return given if self.cleaned_data["cause"] == WAS_THERE and all(given) else None


class CorrectionForm(StyledForm):
    """Corrected values of a charge; a field left unchanged stays as it was. If the booking was not used, only
    the waiver can be entered."""

    check_in = LocalMomentField(label=_("Use began"), required=False)
    check_out = LocalMomentField(label=_("Use ended"), is_end=True, required=False)
    samples = forms.IntegerField(
        label=_("Number of samples"), required=False, min_value=0, max_value=1_000_000
    )
    waive_percent = DecimalField(
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
                DecimalField(
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


class CheckManyForm(StyledForm):
    """Charges of a list that are ticked as checked at once, or whose ticks are taken back."""

    chosen = forms.TypedMultipleChoiceField(coerce=UUID)
    checked = forms.TypedChoiceField(choices=[("1", "1"), ("0", "0")], coerce=lambda given: given == "1")

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        chosen: Any = self.fields["chosen"]
        given = [text for text in data.getlist("chosen")[:MOST_AT_ONCE] if as_uuid(text)]
        chosen.choices = [(text, text) for text in given]
