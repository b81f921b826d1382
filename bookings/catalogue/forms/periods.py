"""Forms for a period of time, chosen in a calendar or typed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from bookings.record.domain.periods import Period
from bookings.record.forms.fields import LocalMomentField, local_moment, of_our_time
from instruments.register.models import Instrument


def modes_of(instrument: Instrument) -> list[tuple[str, Any]]:
    """Return the service modes that an instrument offers as choices, with their labels."""
    labels = dict(Instrument.ServiceMode.choices)
    return [(mode, labels[mode]) for mode in instrument.service_modes]


SAMPLES = forms.IntegerField(required=False, min_value=1, max_value=100_000)  # a number of them


class PeriodForm(forms.Form):
    """A start and a length, as links contain them."""

    start = forms.CharField(max_length=40)
    minutes = forms.IntegerField(min_value=1, max_value=44640)
    organisation = forms.CharField(required=False, max_length=40)

    def clean_start(self) -> datetime:
        try:
            moment = datetime.fromisoformat(self.cleaned_data["start"])
        except ValueError:
            raise forms.ValidationError(_("This is not a time.")) from None
        if moment.tzinfo is None:
            raise forms.ValidationError(_("This is not a time."))
        return of_our_time(moment).astimezone(UTC)

    def period(self) -> Period:
        start = self.cleaned_data["start"]
        return Period(start, start + timedelta(minutes=self.cleaned_data["minutes"]))


def quantity_of(data: QueryDict) -> Decimal | None:
    """Return the number of samples given in an address; None if there is none."""
    try:
        return Decimal(SAMPLES.clean(data.get("quantity", "")) or 0) or None
    except forms.ValidationError:
        return None


def with_start(data: QueryDict, zone: ZoneInfo) -> QueryDict:
    """Return the data with `start` as an instant if `at` gives it as local time of a zone, as `<input
    type=datetime-local>` sends it. A `start` in the same minute is kept, because it says which of two equal
    hours of a clock change is meant. `PeriodForm` reports a time that is invalid."""
    given = data.get("at", "")
    if not given:
        return data
    field = LocalMomentField(label="")
    field.zone = zone
    try:
        moment = field.clean(given)
    except forms.ValidationError:
        moment = None
    before = PeriodForm(data)
    if before.is_valid() and local_moment(before.cleaned_data["start"], zone) == given[:16]:
        return data
    values = data.copy()
    values["start"] = f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else given
    return values
