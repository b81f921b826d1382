"""Forms for publishing a need as an enquiry, and for bidding."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Choice, Shape
from accounts.letters.words import named
from accounts.models import Organisation, Region
from bookings.board.domain.enquiries import LONGEST_REASON
from bookings.board.models import Bid, Enquiry
from bookings.board.services.bids import BidValues
from bookings.board.services.enquiries import CLOSING, DECLINING, EnquiryValues
from bookings.funding.domain.defaults import NO_DEFAULT, Default
from bookings.funding.forms.funding import PaysFrom
from bookings.funding.models import FundingSource
from bookings.record.forms.fields import LocalMomentField, local_moment
from bookings.record.models import Reservation
from instruments.reading.forms.fields import DecimalField, StyledForm
from instruments.reading.forms.shapes import form_of
from instruments.register.models import Instrument


class EnquiryForm(StyledForm):
    """An enquiry: its contents, and to whom it goes. Times are in the time zone of the person who
    enquires."""

    is_confidential = forms.BooleanField(
        label=_("Confidential"),
        required=False,
        help_text=_("Hosts learn who you are only once you accept their bid."),
    )
    sample = forms.CharField(label=_("Form of the sample"), required=False, max_length=200)
    closes_at = LocalMomentField(label=_("Open until"), is_end=True)
    regions = forms.MultipleChoiceField(
        label=_("All hosts in these regions"), required=False, widget=forms.CheckboxSelectMultiple
    )
    hosts = forms.MultipleChoiceField(label=_("These hosts"), required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        zone: ZoneInfo,
        regions: Iterable[Region],
        hosts: Iterable[Organisation],
        closes_at: datetime,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["closes_at"].zone = zone
        fields["regions"].choices = [(region.code, named(region)) for region in regions]
        fields["hosts"].choices = [(host.code, named(host)) for host in hosts]
        self.initial["closes_at"] = local_moment(closes_at, zone)

    def place_of(self, path: str) -> str | None:
        return path.partition("[")[0]

    def values(self) -> EnquiryValues:
        return EnquiryValues(**self.cleaned_data)


class BidForm(StyledForm):
    """A bid. `starts` are the free times to choose from."""

    instrument = forms.ChoiceField(label=_("Instrument"))
    service_mode = forms.ChoiceField(label=_("Way of working"), choices=Instrument.ServiceMode.choices)
    starts = forms.MultipleChoiceField(
        label=_("Times to offer"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("A time that you ticked is no longer free: choose another.")},
    )
    conditions = forms.MultipleChoiceField(
        label=_("Conditions"),
        required=False,
        choices=Bid.Condition.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    discount_percent = DecimalField(
        label=_("Discount on the rate card"),
        required=False,
        min_value=0,
        max_value=100,
        decimal_places=2,
        help_text=_(
            "It applies to everything except options and guaranteed hours, after an agreement's discount. "
            "The booking keeps it when it is moved; you approve a longer time first."
        ),
    )
    discount_reason = forms.CharField(
        label=_("Reason for the discount"), required=False, max_length=LONGEST_REASON
    )
    text = forms.CharField(
        label=_("Message"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
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
        return BidValues(
            starts,
            data["service_mode"],
            data["conditions"],
            data["text"],
            discount_percent=data["discount_percent"] or Decimal(0),
            discount_reason=data["discount_reason"],
        )


class BidDeclineBody(Shape):
    reason = Choice(
        [(code, Bid.Reason(code).label) for code in DECLINING],
        default="",
        allow_blank=True,
        help_text="The host reads it.",
    )


DeclineForm = form_of(BidDeclineBody)


class AcceptForm(PaysFrom, StyledForm):
    """The acceptance of a bid, with what pays for it; `read` is the currency and the amount payable that the
    page showed."""

    slot = forms.UUIDField(widget=forms.HiddenInput)
    purpose = forms.ChoiceField(
        label=_("Purpose"),
        choices=Reservation.Purpose.choices,
        initial=Reservation.Purpose.RESEARCH,
        required=False,
    )
    reason = forms.ChoiceField(
        label=_("What to tell the other hosts"),
        choices=[
            ("", Bid.Reason.OTHER_CHOSEN.label),
            *((code, Bid.Reason(code).label) for code in DECLINING),
        ],
        required=False,
        help_text=_("They read this reason, but not which bid you chose nor what it costs."),
    )
    house_rules = forms.IntegerField(required=False, min_value=1, max_value=10**8)
    read = forms.RegexField(r"^[A-Z]{3} -?\d{1,15}(\.\d+)?$", required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        sources: Sequence[FundingSource] = (),
        default: Default = NO_DEFAULT,
        initial: dict[str, Any],
    ) -> None:
        super().__init__(data, initial=initial)
        self.offer(sources, default)

    def place_of(self, path: str) -> str:
        """Return the form's field for a path in the rules' problems."""
        return "funding" if path.startswith("funding") else path

    def at_most(self) -> tuple[Decimal, str] | None:
        currency, _, amount = self.cleaned_data["read"].partition(" ")
        return (Decimal(amount), currency) if amount else None


class EnquiryCloseBody(Shape):
    reason = Choice([(code, Enquiry.Reason(code).label) for code in CLOSING])


CloseForm = form_of(EnquiryCloseBody)
