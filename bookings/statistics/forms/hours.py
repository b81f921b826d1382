"""Forms for filtering and grouping hours, and for norms."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.hours.domain.hours import LONGEST
from bookings.hours.domain.norms import MOST_HOURS
from bookings.hours.models import NormHours
from bookings.hours.selectors.behind import BOOKINGS, DEMAND, FLOWS
from bookings.record.forms.fields import DayField
from bookings.record.messages import sentence
from bookings.statistics.models import HoursExport
from bookings.statistics.selectors.tables import STATES, TABLES
from instruments.reading.forms.fields import StyledForm
from instruments.register.models import Instrument

EARLIEST, LATEST = 1990, 2190  # years


class HoursForm(StyledForm):
    """A span of local days, filters, and groups."""

    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("Until (exclusive)"), required=False)
    by = forms.ChoiceField(
        label=_("Grouped by"),
        required=False,
        choices=[
            ("region", _("region")),
            ("organisation", _("organisation")),
            ("facility", _("facility")),
            ("instrument", _("instrument")),
            ("technique", _("technique")),
            ("year", _("year")),
            ("month", _("month")),
            ("week", _("week")),
            ("day", _("day")),
        ],
    )
    scheme = forms.ChoiceField(
        label=_("Norm scheme"),
        required=False,
        choices=[("nrii", _("national network (NRII)")), ("survey", _("national survey"))],
    )
    measure = forms.ChoiceField(
        label=_("Measured in"),
        required=False,
        choices=[
            ("hours", _("hours")),
            ("money", _("money")),
            ("sessions", _("sessions")),
            ("users", _("people")),
        ],
    )
    state = forms.ChoiceField(required=False, choices=[(name, name) for name in STATES])
    of = forms.ChoiceField(required=False, choices=[(name, name) for name in (*DEMAND, *FLOWS, *BOOKINGS)])
    table = forms.ChoiceField(required=False, choices=[(name, name) for name in (*TABLES, "report")])
    format = forms.ChoiceField(required=False, choices=HoursExport.Format.choices)
    after = forms.CharField(required=False, max_length=60)
    price_group = forms.CharField(required=False, max_length=10)
    payer_region = forms.CharField(required=False, max_length=20)
    host_region = forms.CharField(required=False, max_length=20)
    currency = forms.CharField(required=False, max_length=3)
    payer = forms.CharField(required=False, max_length=40)
    region = forms.CharField(required=False, max_length=20)
    organisation = forms.CharField(required=False, max_length=40)
    technique = forms.CharField(required=False, max_length=60)
    # Codes, joined by commas: only the unmet demand for these techniques from these regions.
    techniques = forms.CharField(required=False, max_length=1000)
    regions = forms.CharField(required=False, max_length=1000)
    # Those of "region" and "technique" that exclude what is below them, as in a row of a table.
    exact = forms.CharField(required=False, max_length=40)
    facility = forms.UUIDField(required=False)
    instrument = forms.UUIDField(required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("since", "until"):
            if data.get(name) and not EARLIEST <= data[name].year <= LATEST:
                self.add_error(name, _("There are no hours for dates so far away."))
        if data.get("since") and data.get("until") and data["until"] <= data["since"]:
            self.add_error("until", sentence("not-after-valid-from"))
        elif data.get("since") and data.get("until") and data["until"] - data["since"] > LONGEST:
            self.add_error("until", sentence("span-too-long", {"days": LONGEST.days}))
        return data


class NormForm(StyledForm):
    """Norm hours to enter, which hold from a day on."""

    scheme = forms.ChoiceField(label=_("Norm scheme"), choices=NormHours.Scheme.choices)
    kind = forms.ChoiceField(label=_("Kind of instrument"), choices=Instrument.Kind.choices)
    hours = forms.IntegerField(label=_("Hours a year"), min_value=1, max_value=MOST_HOURS)
    valid_from = DayField(label=_("From"))
    reason = forms.CharField(label=_("Why"), required=False, max_length=500)
