"""A span of time, chosen or typed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from bookings.record.domain.periods import Period
from bookings.record.forms.fields import LocalMomentField, local_moment, of_our_time
from instruments.models import Instrument


def modes_of(instrument: Instrument) -> list[tuple[str, Any]]:
    """The ways of working that an instrument offers, with their labels, to choose from."""
    labels = dict(Instrument.ServiceMode.choices)
    return [(mode, labels[mode]) for mode in instrument.service_modes]


class PeriodForm(forms.Form):
    """A start and a length, as links carry them."""

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


def with_start(data: QueryDict, zone: ZoneInfo) -> QueryDict:
    """The same, with `start` as an instant where `at` names it by the clock of a zone, as
    `<input type=datetime-local>` sends it. A `start` of the same minute stays: of an hour that
    exists twice it says which. What is no time is left to `PeriodForm`."""
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
