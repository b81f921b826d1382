"""Forms that filter the lists of bookings of one's instruments."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import OrganisationField, PersonField
from accounts.letters.words import name_order, named
from accounts.models import Region
from bookings.pricing.selectors.bookings import HOSTED_BOOKINGS
from instruments.reading.forms.fields import StyledForm
from instruments.register.models import Instrument

ALL = ("", _("all"))


class InstrumentFilterForm(StyledForm):
    """One of the instruments that the reader manages, by name."""

    instrument = forms.UUIDField(label=_("Instrument"), required=False, widget=forms.Select)

    def __init__(self, data: Any, *, instruments: Iterable[Instrument]) -> None:
        super().__init__(data)
        fields: Any = self.fields
        by_name = sorted(instruments, key=name_order)
        fields["instrument"].widget.choices = [ALL, *((str(each.pk), named(each)) for each in by_name)]


class HostedFilterForm(InstrumentFilterForm):
    """The filters of the bookings of one's instruments, chosen by names; codes in the address are understood
    too."""

    state = forms.ChoiceField(label=_("State"), required=False)
    mode = forms.ChoiceField(label=_("Way of working"), required=False)
    person = PersonField(required=False)
    organisation = OrganisationField(required=False)
    region = forms.ChoiceField(label=_("Region"), required=False)

    def __init__(self, data: Any, *, instruments: Iterable[Instrument], regions: Iterable[Region]) -> None:
        super().__init__(data, instruments=instruments)
        fields: Any = self.fields
        for one in HOSTED_BOOKINGS.filters:
            if one.choices:
                fields[one.name].choices = [ALL, *one.choices]
        fields["region"].choices = [
            ALL,
            *((each.code, named(each)) for each in sorted(regions, key=name_order)),
        ]

    def clean_organisation(self) -> str:
        """Return the code of the organisation that was chosen."""
        organisation = self.cleaned_data["organisation"]
        return organisation.code if organisation else ""
