"""The form of a waiting-list entry."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.catalogue.forms.periods import modes_of
from bookings.plans.services.waiting import WishValues
from bookings.record.forms.fields import LocalMomentField
from instruments.policy.domain.policies import Policy
from instruments.reading.forms.fields import DecimalField, StyledForm
from instruments.register.models import Instrument


class WaitingForm(StyledForm):
    """A waiting-list entry, with times in the instrument's time zone. `regions` are the codes to choose
    from."""

    minutes = forms.TypedChoiceField(label=_("For how long"), coerce=int)
    earliest = LocalMomentField(label=_("Not before"))
    latest = LocalMomentField(label=_("Not after"), is_end=True)
    hours_from = forms.TimeField(
        label=_("Daily from"), required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )
    hours_until = forms.TimeField(
        label=_("until"), required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )
    service_mode = forms.ChoiceField(label=_("How will you work?"))
    max_price = DecimalField(
        label=_("Price at most"),
        required=False,
        min_value=0,
        max_digits=16,
        decimal_places=2,
        help_text=_("In all, before tax and vouchers. Empty: any price."),
    )
    any_equivalent = forms.BooleanField(
        label=_("Another instrument with the same techniques is fine, too"), required=False
    )
    regions = forms.MultipleChoiceField(
        label=_("In these regions"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("For equivalent instruments. None ticked: everywhere."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        instrument: Instrument,
        policy: Policy | None,
        regions: Iterable[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        zone = instrument.facility.zone
        fields["earliest"].zone = fields["latest"].zone = zone
        lengths = policy.lengths if policy else ()
        fields["minutes"].choices = [(m, m) for m in lengths]
        if policy and self.initial.get("minutes") is None:
            self.initial["minutes"] = policy.usual_minutes
        fields["service_mode"].choices = modes_of(instrument)
        fields["regions"].choices = [(code, code) for code in regions]

    def place_of(self, path: str) -> str | None:
        return path.partition("[")[0]

    def say(self, code: str, numbers: Mapping[str, Any]) -> None:
        """Show a refusal that concerns the whole form."""
        self.add_error(None, forms.ValidationError(code, code=code, params=dict(numbers)))

    def values(self, instrument: Instrument, organisation: str) -> WishValues:
        """Return the entry's values, for an organisation by code."""
        data = self.cleaned_data
        return WishValues(
            instrument_id=instrument.pk,
            organisation=organisation,
            service_mode=data["service_mode"],
            earliest=data["earliest"],
            latest=data["latest"],
            minutes=data["minutes"],
            hours_from=data["hours_from"],
            hours_until=data["hours_until"],
            any_equivalent=data["any_equivalent"],
            regions=tuple(data["regions"]),
            max_price=data["max_price"],
        )
