"""Forms for guaranteeing hours to an organisation."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import OrganisationField
from instruments.reading.domain.clock import day_span
from instruments.reading.forms.fields import DecimalField, StyledForm, VersionForm
from instruments.register.models import Instrument

NAMES = {"start": "first_day", "end": "last_day", "minutes": "hours", "holder": "organisation",
         "released_minutes": "released_hours"}  # fmt: skip


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


def _hours(**options: Any) -> DecimalField:
    return DecimalField(max_digits=7, decimal_places=2, min_value=0, **options)


class KeptForm(StyledForm):
    """Hours to guarantee to an organisation, on days in the instrument's time zone."""

    organisation = OrganisationField()
    hours = _hours(label=_("Hours"))
    first_day = _day(_("First day"))
    last_day = _day(_("Last day"))
    price = DecimalField(
        label=_("Price per hour"),
        required=False,
        max_digits=18,
        decimal_places=4,
        help_text=_("Empty: the price on the rate card."),
    )
    released_hours = _hours(
        label=_("Released, in hours before the start"),
        initial=48,
        help_text=_("Hours not booked by then are open to everybody."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=500)

    def place_of(self, path: str) -> str | None:
        return NAMES.get(path, path)

    def values(self, instrument: Instrument) -> dict[str, Any]:
        """Return the values that were entered, as arguments of the service that guarantees the hours."""
        data, zone = self.cleaned_data, instrument.facility.zone
        return {
            "instrument": instrument,
            "holder": data["organisation"],
            "minutes": int(data["hours"] * 60),
            "starts_at": day_span(zone, data["first_day"])[0],
            "ends_at": day_span(zone, data["last_day"])[1],
            "price": data["price"],
            "released_minutes": int(data["released_hours"] * 60),
            "reason": data["reason"],
        }


class KeptChangeForm(VersionForm):
    """The new number of guaranteed hours, and the reason."""

    hours = _hours(label=_("Hours"))
    reason = forms.CharField(label=_("Reason"), max_length=500)

    def place_of(self, path: str) -> str | None:
        return NAMES.get(path, path)


class KeptEndForm(VersionForm):
    """The confirmation, with a reason, that guaranteed hours end."""

    reason = forms.CharField(label=_("Reason"), max_length=500)
