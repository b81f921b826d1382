"""Agreements between regions: proposing, changing, signing, ending."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from accounts.models import Region
from bookings.pricing.domain.agreements import AgreementTerms
from bookings.pricing.models import Agreement
from instruments.forms.fields import DayField, StyledForm

TERMS = (
    "code",
    "name",
    "name_zh",
    "valid_from",
    "valid_until",
    "discount_percent",
    "honours_vouchers",
    "recognises_qualifications",
)


def region_choices(regions: Sequence[Region]) -> list[tuple[str, str]]:
    """Id and name in the reader's language of each."""
    return [(str(region.pk), named(region)) for region in regions]


def until_field() -> DayField:
    return DayField(
        label=_("Until (exclusive)"),
        required=False,
        help_text=_("The first day on which it no longer applies. Empty: no end date."),
    )


class AgreementForm(StyledForm):
    """What is proposed, to whom."""

    name = forms.CharField(label=_("Name"), max_length=200)
    name_zh = forms.CharField(label=_("Name in Chinese"), max_length=200, required=False)
    code = forms.CharField(
        label=_("Short code"),
        max_length=40,
        help_text=_("Short and unique: letters, digits, dashes and underscores."),
    )
    regions = forms.TypedMultipleChoiceField(
        label=_("Regions"),
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Two or more. Each of them signs."),
    )
    valid_from = DayField(label=_("First day"))
    valid_until = until_field()
    discount_percent = forms.DecimalField(
        label=_("Discount on the time used, in percent"), initial=0
    )
    honours_vouchers = forms.BooleanField(
        label=_("Vouchers of one region may be used in the others"), required=False
    )
    recognises_qualifications = forms.BooleanField(
        label=_("Certificates of one region for a technique count in the others"), required=False
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, regions: Sequence[Region], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        field: Any = self.fields["regions"]
        field.choices = region_choices(regions)

    def place_of(self, path: str) -> str | None:
        return path.partition("[")[0]

    def values(self) -> dict[str, Any]:
        """The fields of the terms."""
        data = self.cleaned_data
        return {name: data[name] for name in TERMS} | {"regions": tuple(data["regions"])}

    def terms(self) -> AgreementTerms:
        return AgreementTerms(**self.values())


def initial_of(row: Agreement) -> dict[str, Any]:
    """Return the initial values of the form that changes a proposal."""
    members = [str(member.region_id) for member in row.members.all()]
    values = {name: getattr(row, name) for name in TERMS}
    values["discount_percent"] = values["discount_percent"].normalize()
    return values | {"regions": members, "version": row.version}


class SignForm(forms.Form):
    """For which region one signs, and what one has read."""

    region = forms.UUIDField(widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class AgreementEndForm(StyledForm):
    """From which day on it is no longer in force."""

    valid_until = DayField(
        label=_("First day on which it no longer applies"),
        required=False,
        help_text=_("Empty: today."),
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
