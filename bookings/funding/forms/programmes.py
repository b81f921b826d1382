"""Forms for voucher programmes and grants."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.shapes import Choice, Day, Flag, ListOf, Number, Shape, Text
from accounts.domain.currencies import MINOR_DIGITS
from accounts.models import Organisation, Region
from bookings.funding.domain.programmes import ProgrammeTerms
from bookings.funding.forms.limits import LimitsForm
from bookings.funding.services.grants import GrantChange
from bookings.pricing.forms.agreements import region_choices, until_field
from bookings.pricing.models import VoucherGrant, VoucherProgramme
from bookings.record.domain.money import format_number, minor_digits
from instruments.reading.forms.fields import DayField, StyledForm
from instruments.reading.forms.shapes import field_of

TERMS = (
    "code",
    "name",
    "name_zh",
    "percent",
    "cap_per_booking",
    "currency",
    "budget",
    "is_for_small_only",
    "valid_from",
    "valid_until",
)


class ProgrammeTermsBody(Shape):
    code = Text(40)
    name = Text(200, label=_("Name"))
    name_zh = Text(200, default="", allow_blank=True, label=_("Name in Chinese"))
    percent = Number(
        12,
        6,
        label=_("Pays, in percent"),
        help_text="Percentage of the eligible amount, before tax, that the voucher pays.",
        style={
            "help": _("The percentage paid of the time, set-up and options that vouchers cover, before tax.")
        },
    )
    cap_per_booking = Number(24, 6, required=False, allow_null=True, label=_("At most per booking"))
    currency = Text(3, required=False, help_text="Default: the currency of the region.")
    budget = Number(
        24,
        6,
        required=False,
        allow_null=True,
        label=_("Budget"),
        help_text="Null: no limit on the sum of all grants.",
        style={"help": _("The total of all grants cannot exceed this.")},
    )
    payer_kinds = ListOf(child=Choice(Organisation.Kind.choices), required=False)
    is_for_small_only = Flag(default=False, help_text="Only small enterprises, if enterprises are eligible.")
    host_regions = ListOf(
        child=Text(40), required=False, help_text="Codes of the regions where vouchers may be used."
    )
    valid_from = Day()
    valid_until = Day(
        required=False, allow_null=True, help_text="The first day on which it is no longer valid."
    )


class ProgrammeForm(LimitsForm):
    """The terms on which a region pays for use elsewhere. `own`: the regions to choose from for a new
    programme; None for an existing one, whose region is fixed."""

    limits = ("cap_per_booking", "budget")

    region = forms.TypedChoiceField(label=_("Region"), coerce=UUID)
    name = field_of(ProgrammeTermsBody, "name")
    name_zh = field_of(ProgrammeTermsBody, "name_zh")
    code = forms.CharField(
        label=_("Short code"),
        max_length=40,
        help_text=_("Short and unique: letters, digits, dashes and underscores."),
    )
    percent = field_of(ProgrammeTermsBody, "percent")
    cap_per_booking = field_of(ProgrammeTermsBody, "cap_per_booking")
    currency = forms.ChoiceField(
        label=_("Currency"),
        choices=[(code, code) for code in sorted(MINOR_DIGITS)],
        help_text=_("The vouchers pay for instruments priced in this currency."),
    )
    budget = field_of(ProgrammeTermsBody, "budget")
    payer_kinds = forms.MultipleChoiceField(
        label=_("For whom"),
        choices=Organisation.Kind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: organisations of every kind."),
    )
    is_for_small_only = forms.BooleanField(label=_("Among enterprises, only small ones"), required=False)
    host_regions = forms.TypedMultipleChoiceField(
        label=_("Where it may be used"),
        coerce=UUID,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: everywhere. In other regions, an agreement must honour vouchers."),
    )
    valid_from = DayField(label=_("First day"))
    valid_until = until_field()
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        regions: Sequence[Region],
        own: Sequence[Region] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["host_regions"].choices = region_choices(regions)
        if own is None:
            del self.fields["region"]
        else:
            fields["region"].choices = region_choices(own)

    def place_of(self, path: str) -> str | None:
        return path.partition("[")[0]

    def values(self) -> dict[str, Any]:
        """Return the terms that were entered."""
        data = self.cleaned_data
        return {name: data[name] for name in TERMS} | {
            "payer_kinds": tuple(data["payer_kinds"]),
            "host_regions": tuple(data["host_regions"]),
        }

    def terms(self) -> ProgrammeTerms:
        return ProgrammeTerms(**self.values())


def initial_of(row: VoucherProgramme) -> dict[str, Any]:
    """Return the initial values of the form that changes a programme."""
    values = {name: getattr(row, name) for name in TERMS}
    for name in ("cap_per_booking", "budget"):
        values[name] = shown_amount(values[name], row.currency)
    return values | {
        "percent": format_number(row.percent),
        "payer_kinds": row.payer_kinds,
        "host_regions": [str(pk) for pk in row.host_regions],
        "version": row.version,
    }


def shown_amount(value: Decimal | None, currency: str) -> str:
    """Write an amount as an input shows it."""
    return "" if value is None else f"{value:.{minor_digits(currency)}f}"


class GrantBody(Shape):
    programme = serializers.UUIDField()
    organisation = Text(40, help_text="Code of an organisation in the programme's region.")
    code = Text(40, required=False, help_text="Default: generated automatically.")
    amount = Number(24, 6, label=_("Amount"))
    valid_from = Day()
    valid_until = Day(help_text="The first day on which it is no longer valid.")


class GrantChangeBody(Shape):
    amount = Number(24, 6, required=False, label=_("Amount"))
    valid_from = Day(required=False)
    valid_until = Day(required=False)
    reason = Text(500, default="", allow_blank=True)


class GrantForm(StyledForm):
    """A grant: the organisation, the amount, the days."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    amount = field_of(GrantBody, "amount")
    valid_from = DayField(label=_("First day"))
    valid_until = DayField(
        label=_("Until (exclusive)"), help_text=_("For bookings that begin before this day.")
    )
    code = forms.CharField(
        label=_("Short code"), required=False, max_length=40, help_text=_("Empty: generated automatically.")
    )

    def __init__(
        self, data: Any = None, *, payers: Sequence[Organisation], currency: str, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.payers = {str(payer.pk): payer for payer in payers}
        fields: Any = self.fields
        names = [(str(payer.pk), f"{payer.name} ({payer.code})") for payer in payers]
        fields["organisation"].choices = [("", "–"), *names]
        fields["amount"].label = _("Amount, in {currency}").format(currency=currency)

    @property
    def payer(self) -> Organisation:
        return self.payers[self.cleaned_data["organisation"]]


class GrantChangeForm(StyledForm):
    """A new amount or new days for a grant."""

    amount = field_of(GrantChangeBody, "amount", required=True)
    valid_from = DayField(label=_("First day"))
    valid_until = DayField(label=_("Until (exclusive)"))
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def change(self) -> GrantChange:
        data = self.cleaned_data
        return GrantChange(data["amount"], data["valid_from"], data["valid_until"])


def initial_of_grant(row: VoucherGrant) -> dict[str, Any]:
    """Return the initial values of the form that changes a grant."""
    return {
        "amount": shown_amount(row.amount, row.programme.currency),
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "version": row.version,
    }


class SuspendForm(StyledForm):
    """A reason to suspend or resume a programme or grant."""

    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


def year_of(day: date) -> dict[str, date]:
    """Return the days from a day to the end of its year, which is how long most grants last."""
    return {"valid_from": day, "valid_until": date(day.year + 1, 1, 1)}
