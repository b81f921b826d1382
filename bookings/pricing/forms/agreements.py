"""Forms for agreements between regions: proposing, changing, signing, ending."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Day, Flag, ListOf, Number, Shape, Text
from accounts.letters.words import named
from accounts.models import Region
from bookings.pricing.domain.agreements import AgreementTerms
from bookings.pricing.models import Agreement
from instruments.reading.forms.fields import DayField, StyledForm
from instruments.reading.forms.shapes import field_of

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
    """Return id and name, in the reader's language, of each region."""
    return [(str(region.pk), named(region)) for region in regions]


def until_field() -> DayField:
    return DayField(
        label=_("Until (exclusive)"),
        required=False,
        help_text=_("The first day on which it no longer applies. Empty: no end date."),
    )


class AgreementBody(Shape):
    code = Text(40)
    name = Text(200, label=_("Name"))
    name_zh = Text(200, default="", allow_blank=True, label=_("Name in Chinese"))
    regions = ListOf(child=Text(40), help_text="Codes of the member regions.")
    valid_from = Day()
    valid_until = Day(
        required=False, allow_null=True, help_text="The first day on which it no longer applies."
    )
    discount_percent = Number(12, 6, default=Decimal(0), label=_("Discount on the time used, in percent"))
    honours_vouchers = Flag(default=False)
    recognises_qualifications = Flag(default=False)


class AgreementForm(StyledForm):
    """The terms of a proposed agreement, and its regions."""

    name = field_of(AgreementBody, "name")
    name_zh = field_of(AgreementBody, "name_zh")
    code = forms.CharField(
        label=_("Short code"),
        max_length=40,
        help_text=_("Short and unique: letters, digits, dashes and underscores."),
    )
    regions = forms.TypedMultipleChoiceField(
        label=_("Regions"),
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Two or more. Each region has to sign."),
    )
    valid_from = DayField(label=_("First day"))
    valid_until = until_field()
    discount_percent = field_of(AgreementBody, "discount_percent", required=True, initial=0)
    honours_vouchers = forms.BooleanField(
        label=_("Vouchers of one region may be used in the others"), required=False
    )
    recognises_qualifications = forms.BooleanField(
        label=_("Certificates for a technique from one region are valid in the others"), required=False
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, regions: Sequence[Region], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        field: Any = self.fields["regions"]
        field.choices = region_choices(regions)

    def place_of(self, path: str) -> str | None:
        return path.partition("[")[0]

    def values(self) -> dict[str, Any]:
        """Return the terms that were entered."""
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
    """The region to sign for, and the version that was read."""

    region = forms.UUIDField(widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class AgreementEndForm(StyledForm):
    """The day from which an agreement is no longer in force."""

    valid_until = DayField(
        label=_("First day on which it no longer applies"), required=False, help_text=_("Empty: today.")
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
