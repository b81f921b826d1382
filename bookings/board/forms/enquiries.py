"""Making a need an enquiry, and bidding for one."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from accounts.models import Region
from bookings.board.models import Bid, Enquiry
from bookings.board.services.bids import BidValues
from bookings.board.services.enquiries import CLOSING, EnquiryValues
from bookings.record.forms.fields import LocalMomentField, local_moment
from instruments.forms.fields import StyledForm
from instruments.models import Instrument


class EnquiryForm(StyledForm):
    """To whom, and what they read. Times are by the clock of the reader."""

    is_confidential = forms.BooleanField(
        label=_("Confidential"),
        required=False,
        help_text=_("Hosts learn who asks only once you accept their bid."),
    )
    sample = forms.CharField(label=_("Form of the sample"), required=False, max_length=200)
    closes_at = LocalMomentField(label=_("Open until"), is_end=True)
    regions = forms.MultipleChoiceField(
        label=_("To hosts in these regions"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: everywhere."),
    )
    hosts = forms.CharField(
        label=_("To these hosts"),
        required=False,
        max_length=800,
        help_text=_("Codes of organisations, with spaces between them."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        zone: ZoneInfo,
        regions: Iterable[Region],
        closes_at: datetime,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["closes_at"].zone = zone
        fields["regions"].choices = [(region.code, named(region)) for region in regions]
        self.initial["closes_at"] = local_moment(closes_at, zone)

    def place_of(self, path: str) -> str | None:
        return path.partition("[")[0]

    def values(self) -> EnquiryValues:
        data = self.cleaned_data | {"hosts": self.cleaned_data["hosts"].split()}
        return EnquiryValues(**data)


class BidForm(StyledForm):
    """Which of the free times a bid keeps. starts: these, as the field's choices."""

    instrument = forms.ChoiceField(label=_("Instrument"))
    service_mode = forms.ChoiceField(
        label=_("Way of working"), choices=Instrument.ServiceMode.choices
    )
    starts = forms.MultipleChoiceField(
        label=_("Times you keep"), widget=forms.CheckboxSelectMultiple
    )
    conditions = forms.MultipleChoiceField(
        label=_("Conditions"),
        required=False,
        choices=Bid.Condition.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    text = forms.CharField(
        label=_("Message"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        instruments: Iterable[Instrument],
        starts: Iterable[datetime] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["instrument"].choices = [(str(one.pk), named(one)) for one in instruments]
        fields["starts"].choices = [(start.isoformat(), start.isoformat()) for start in starts]

    def place_of(self, path: str) -> str | None:
        return {"valid_until": "starts"}.get(path, path)

    def values(self) -> BidValues:
        data = self.cleaned_data
        starts = [datetime.fromisoformat(start) for start in data["starts"]]
        return BidValues(starts, data["service_mode"], data["conditions"], data["text"])


class CloseForm(forms.Form):
    reason = forms.ChoiceField(choices=[(code, Enquiry.Reason(code).label) for code in CLOSING])
