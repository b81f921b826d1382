"""Voucher programmes and grants."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.currencies import MINOR_DIGITS
from accounts.models import Organisation, Region
from bookings.funding.domain.programmes import ProgrammeTerms
from bookings.funding.services.grants import GrantChange
from bookings.pricing.forms.agreements import region_choices, until_field
from bookings.pricing.models import VoucherGrant, VoucherProgramme
from bookings.record.domain.money import format_number, minor_digits
from instruments.forms.fields import DayField, StyledForm

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


class ProgrammeForm(StyledForm):
    """On what terms a region pays for use elsewhere. `own`: the regions one may choose from for
    a new one; None: it has its region."""

    region = forms.TypedChoiceField(label=_("Region"), coerce=UUID)
    name = forms.CharField(label=_("Name"), max_length=200)
    name_zh = forms.CharField(label=_("Name in Chinese"), max_length=200, required=False)
    code = forms.CharField(
        label=_("Short code"),
        max_length=40,
        help_text=_("Short and unique: letters, digits, dashes and underscores."),
    )
    percent = forms.DecimalField(
        label=_("Pays, in percent"),
        help_text=_("Of the time, the set-up and the options that may be paid so, before tax."),
    )
    cap_per_booking = forms.DecimalField(
        label=_("At most per booking"), required=False, help_text=_("Empty: no limit.")
    )
    currency = forms.ChoiceField(
        label=_("Currency"),
        choices=[(code, code) for code in sorted(MINOR_DIGITS)],
        help_text=_("It pays for instruments priced in it."),
    )
    budget = forms.DecimalField(
        label=_("Budget"),
        required=False,
        help_text=_("All grants together come to this at most. Empty: no limit."),
    )
    payer_kinds = forms.MultipleChoiceField(
        label=_("For whom"),
        choices=Organisation.Kind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: organisations of every kind."),
    )
    is_for_small_only = forms.BooleanField(
        label=_("Of enterprises, only the small ones"), required=False
    )
    host_regions = forms.TypedMultipleChoiceField(
        label=_("Where it may be used"),
        coerce=UUID,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "None ticked: everywhere. In another region an agreement has to honour vouchers."
        ),
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
        """The fields of the terms."""
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


class GrantForm(StyledForm):
    """Who is granted how much, for which days."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    amount = forms.DecimalField(label=_("Amount"))
    valid_from = DayField(label=_("First day"))
    valid_until = DayField(
        label=_("Until (exclusive)"), help_text=_("For bookings that begin before this day.")
    )
    code = forms.CharField(
        label=_("Short code"),
        required=False,
        max_length=40,
        help_text=_("Empty: generated automatically."),
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
    """Raised or lowered, or for other days."""

    amount = forms.DecimalField(label=_("Amount"))
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
    """Suspending, with a reason, or resuming."""

    act = forms.ChoiceField(choices=[("suspend", "suspend"), ("resume", "resume")])
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


def year_of(day: date) -> dict[str, date]:
    """Return the days from a day to the end of its year, as most grants are for."""
    return {"valid_from": day, "valid_until": date(day.year + 1, 1, 1)}
