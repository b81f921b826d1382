"""Keeping hours for an organisation."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import NotFound, invalid
from accounts.selectors.organisations import organisation_by_code
from instruments.domain.opening import day_span
from instruments.forms.fields import StyledForm, VersionForm
from instruments.models import Instrument

NAMES = {"start": "first_day", "end": "last_day", "minutes": "hours", "holder": "organisation",
         "released_minutes": "released_hours"}  # fmt: skip


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


def _hours(**options: Any) -> forms.DecimalField:
    return forms.DecimalField(max_digits=7, decimal_places=2, min_value=0, **options)


class KeptForm(StyledForm):
    """Hours to keep, in days of the instrument's zone."""

    organisation = forms.CharField(
        label=_("Organisation"), max_length=40, help_text=_("Its code, such as ustc.")
    )
    hours = _hours(label=_("Hours"))
    first_day = _day(_("First day"))
    last_day = _day(_("Last day"))
    price = forms.DecimalField(
        label=_("Price of an hour"),
        required=False,
        max_digits=18,
        decimal_places=4,
        help_text=_("Empty: as the rate card says."),
    )
    released_hours = _hours(
        label=_("Released, in hours before"),
        initial=48,
        help_text=_("What is not booked this long before is everybody's."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=500)

    def place_of(self, path: str) -> str | None:
        return NAMES.get(path, path)

    def values(self, instrument: Instrument) -> dict[str, Any]:
        """What the service takes. `Invalid` where no organisation has the code."""
        data, zone = self.cleaned_data, instrument.facility.zone
        try:
            holder = organisation_by_code(data["organisation"].strip())
        except NotFound:
            raise invalid("holder", "unknown-value") from None
        return {
            "instrument": instrument,
            "holder": holder,
            "minutes": int(data["hours"] * 60),
            "starts_at": day_span(zone, data["first_day"])[0],
            "ends_at": day_span(zone, data["last_day"])[1],
            "price": data["price"],
            "released_minutes": int(data["released_hours"] * 60),
            "reason": data["reason"],
        }


class KeptChangeForm(VersionForm):
    """Other hours."""

    hours = _hours(label=_("Hours"))
    reason = forms.CharField(label=_("Reason"), max_length=500)

    def place_of(self, path: str) -> str | None:
        return NAMES.get(path, path)


class KeptEndForm(VersionForm):
    """That they end."""

    reason = forms.CharField(label=_("Reason"), max_length=500)
