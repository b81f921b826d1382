"""The demand board: enquiries, and the bids that answer them."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import OnPage, Resource, acts, changes, creates, reads, tells
from accounts.api.shapes import Choice, Flag, Instant, ListOf, Money, Number, Shape, Text, Whole
from accounts.domain.roles import By
from bookings.board.domain.enquiries import LONGEST_REASON, is_standing
from bookings.board.forms.enquiries import BidDeclineBody, CloseForm, DeclineForm, EnquiryCloseBody
from bookings.board.models import Bid, Enquiry
from bookings.board.selectors import enquiries as enquiry_selectors
from bookings.board.services import enquiries as enquiry_services
from bookings.board.services.bids import BidValues, bid_amend, bid_make, bid_withdraw
from bookings.catalogue.api.asking import FundingBody, shares_or_default
from bookings.record.api.lists import listed
from bookings.record.models import Reservation
from bookings.reserving.api.reservations import AmountBody
from instruments.register.models import Instrument
from instruments.vocabulary.api.needs import NeedTermShape


class EnquiryBody(Shape):
    need = serializers.UUIDField(help_text="Id of one of your own needs.")
    is_confidential = Flag(required=False, help_text="Default: true if the payer is an enterprise.")
    sample = Text(200, default="", allow_blank=True, help_text="Form of the sample, as hosts read it.")
    closes_at = Instant(required=False, help_text="Default: in two weeks.")
    regions = ListOf(child=Text(60), default=list, help_text="Codes of regions. Empty: all regions.")
    hosts = ListOf(child=Text(40), default=list, help_text="Codes of organisations.")


class BidAcceptBody(FundingBody):
    slot = serializers.UUIDField(help_text="Id of one of the bid's slots.")
    purpose = Choice(Reservation.Purpose.choices, default="research")
    house_rules = Whole(
        min_value=1, required=False, help_text="The version of the house rules that you accept."
    )
    at_most = AmountBody(
        required=False,
        help_text="The amount `payable` that you read. If the price is now higher, the answer is 409 "
        "`price-changed`.",
    )
    reason = Choice(
        [(code, Bid.Reason(code).label) for code in enquiry_services.DECLINING],
        default="",
        allow_blank=True,
        help_text="Why the other bids are declined, as their hosts read it. Empty: another was chosen.",
    )


class BidBody(Shape):
    """A bid with one or two times, which are held for the person who enquired."""

    starts = ListOf(child=Instant())
    service_mode = Choice(Instrument.ServiceMode.choices)
    conditions = ListOf(child=Choice(Bid.Condition.choices), default=list)
    text = Text(1000, default="", allow_blank=True)
    valid_until = Instant(required=False, help_text="Default and maximum: 48 hours from now.")
    discount_percent = Number(
        default=Decimal(0),
        max_digits=5,
        decimal_places=2,
        min_value=0,
        max_value=100,
        help_text="By how much it is below the price by the rate card, of everything but options and "
        "guaranteed hours, after an agreement's discount.",
    )
    discount_reason = Text(
        LONGEST_REASON, default="", allow_blank=True, help_text="Why; required with a discount."
    )


class NewBidBody(BidBody):
    enquiry = serializers.UUIDField()
    instrument = serializers.UUIDField()


class SlotShape(serializers.Serializer[Any]):
    """A time that a bid holds, with its price."""

    id = serializers.UUIDField()
    start = Instant(source="reservation.start_at")
    end = Instant(source="reservation.end_at")
    total = Money()


class OwnSlotShape(SlotShape):
    """A time that a bid holds, with the amount that the payer pays for it."""

    payable = Money()


class BidShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    enquiry = serializers.UUIDField(source="enquiry_id")
    instrument = serializers.UUIDField(source="instrument_id")
    host = serializers.CharField(source="host.code")
    service_mode = serializers.CharField()
    conditions = serializers.ListField(child=serializers.CharField())
    text = serializers.CharField()
    discount_percent = serializers.CharField()
    discount_reason = serializers.CharField()
    valid_until = Instant()
    state = serializers.ChoiceField(Bid.State.choices, source="shown_state")
    reason = serializers.CharField(
        source="shown_reason", help_text="Why it was declined or lapsed, as a code; empty if nobody said."
    )
    slots = SlotShape(many=True, source="shown_slots")
    created_at = Instant()
    version = serializers.IntegerField()


class OwnBidShape(BidShape):
    """A bid as the person who enquired sees it."""

    slots = OwnSlotShape(many=True, source="shown_slots")


class AskedShape(serializers.Serializer[Any]):
    """An enquiry as hosts see it."""

    id = serializers.UUIDField()
    terms = NeedTermShape(many=True, source="chosen")
    sample = serializers.CharField()
    quantity = serializers.IntegerField(allow_null=True)
    modes = serializers.ListField(child=serializers.CharField())
    earliest = Instant()
    latest = Instant()
    minutes = serializers.IntegerField()
    closes_at = Instant()
    state = serializers.ChoiceField(Enquiry.State.choices, source="shown_state")


class OpenEnquiryShape(AskedShape):
    """An open enquiry as hosts see it. `organisation` and `text` are null if it is confidential.
    `price_groups` gives the payer's price group at each of the reader's instruments that fit."""

    organisation = serializers.CharField(source="shown_organisation", allow_null=True)
    text = serializers.CharField(source="shown_text", allow_null=True)
    price_groups = serializers.DictField(child=serializers.CharField())


class EnquiryShape(AskedShape):
    """An enquiry of your own, with its bids."""

    need = serializers.UUIDField(source="need_id", allow_null=True)
    organisation = serializers.CharField(source="organisation.code")
    is_confidential = serializers.BooleanField()
    regions = serializers.ListField(child=serializers.CharField(), source="region_codes")
    hosts = serializers.ListField(child=serializers.CharField(), source="host_codes")
    reason = serializers.CharField()
    reservation = serializers.UUIDField(source="reservation_id", allow_null=True)
    bids = OwnBidShape(many=True, source="shown_bids")
    created_at = Instant()
    version = serializers.IntegerField()
    modified = Instant(
        help_text="When it was changed last, by the clock of the database: for `updated_since`."
    )


class ClusterShape(serializers.Serializer[Any]):
    """The enquiries of at least three organisations of a region for one technique in a quarter."""

    technique = serializers.CharField()
    region = serializers.CharField()
    quarter = serializers.DateField()
    organisations = serializers.IntegerField()
    enquiries = serializers.IntegerField()
    minutes = serializers.IntegerField()
    yearly_minutes = serializers.IntegerField()


class ClustersShape(serializers.Serializer[Any]):
    clusters = ClusterShape(many=True)


class Enquiries(Resource):
    for_persons = True
    at, key, name, many, tag = "enquiries/", "enquiry_id", "enquiry", "enquiries", "instruments"
    shape, write_scope, needs_person = EnquiryShape, "book", True

    def visible(self, pk: UUID) -> Enquiry:
        return enquiry_selectors.enquiry_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in enquiry_selectors.shown_enquiries(rows, self.now):
            row.region_codes = sorted(each.code for each in row.regions.all())  # type: ignore[attr-defined]
            row.host_codes = sorted(each.code for each in row.hosts.all())  # type: ignore[attr-defined]
            row.shown_bids = enquiry_selectors.shown_bids(row.bids.all(), self.now)  # type: ignore[attr-defined]
        return rows

    @listed(_("Enquiries"), enquiry_selectors.ENQUIRIES)
    def rows(self, query: dict[str, Any]) -> QuerySet[Enquiry]:
        """List your own enquiries; managers also see those of their organisation. Newest first."""
        return enquiry_selectors.enquiries_for(self.actor)

    @creates(_("Turn a need into an enquiry"), EnquiryBody, refuses=[403, 404, 409])
    def make(self, data: dict[str, Any]) -> UUID:
        """Publish your own need to hosts as an enquiry. If it is confidential, hosts see neither who enquires
        nor the need's text. They never see its requirements and its budget."""
        need = data.pop("need")
        return enquiry_services.enquiry_make(
            self.by, need_id=need, values=enquiry_services.EnquiryValues(**data)
        ).pk

    @reads(_("An enquiry"))
    def detail(self, pk: UUID) -> None:
        """Return an enquiry with its present state and its bids."""

    @acts(_("Accept a bid"), BidAcceptBody, refuses=[404, 409, 422])
    def accept(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Book one of the times of a bid; the other bids are declined."""
        slot, most = data.pop("slot"), data.pop("at_most", None)
        shares = shares_or_default(data)
        data.pop("funding", None)
        enquiry_services.enquiry_accept(
            self.by,
            enquiry_id=pk,
            slot_id=slot,
            at_most=(most["amount"], most["currency"]) if most else None,
            funding=shares,
            **data,
        )
        return pk

    @OnPage("bookings:enquiry", done=_("The enquiry is closed."), form=CloseForm, name="close")
    @acts(_("Close an enquiry as unmet"), EnquiryCloseBody)
    def close(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Close an enquiry without accepting a bid. It counts as unmet demand, with the reason."""
        return enquiry_services.enquiry_close(self.by, enquiry_id=pk, **data).pk

    @OnPage("bookings:enquiry", done=_("The enquiry is closed."))
    @acts(_("Withdraw an enquiry"))
    def withdraw(self, pk: UUID, data: Any = None) -> UUID:
        """Withdraw an enquiry; it does not count as unmet demand."""
        return enquiry_services.enquiry_withdraw(self.by, enquiry_id=pk).pk


class OpenEnquiries(Resource):
    at, key, name, many = "board/", "enquiry_id", "open_enquiry", "open_enquiries"
    tag, shape, write_scope, needs_person = "instruments", OpenEnquiryShape, "manage", True
    order, page_at = ("closes_at", "id"), "open-enquiries/"

    def visible(self, pk: UUID) -> Enquiry:
        return enquiry_selectors.enquiry_to(self.actor, pk, self.now)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in enquiry_selectors.shown_enquiries(rows, self.now):
            hidden = row.is_confidential
            row.shown_organisation = None if hidden else row.organisation.code  # type: ignore[attr-defined]
            row.shown_text = row.need.text if row.need and not hidden else None  # type: ignore[attr-defined]
            own = enquiry_selectors.instruments_for(self.actor, row)
            groups = enquiry_selectors.groups_at(row, own)
            row.price_groups = {str(pk): group for pk, group in groups.items()}  # type: ignore[attr-defined]
        return rows

    @listed(_("Enquiries for your instruments"), enquiry_selectors.OPEN_ENQUIRIES)
    def rows(self, query: dict[str, Any]) -> QuerySet[Enquiry]:
        """List the open enquiries that instruments you manage could answer, the first to close first."""
        return enquiry_selectors.enquiries_to(self.actor, self.now)

    @reads(_("An enquiry for your instruments"))
    def detail(self, pk: UUID) -> None:
        """Return an enquiry as hosts see it."""

    @OnPage("bookings:open-enquiries", done=_("Put aside."), of="")
    @acts(_("Put an enquiry aside"), versioned=False)
    def put_aside(self, pk: UUID, data: Any = None) -> UUID:
        """Put an enquiry aside that your organisations will not answer: it is listed with `waits=aside` only.
        The person who enquired is not told."""
        return enquiry_services.enquiry_put_aside(self.by, enquiry_id=pk).pk

    @OnPage("bookings:open-enquiries", done=_("Taken back."), of="")
    @acts(_("Take an enquiry back"), versioned=False)
    def take_back(self, pk: UUID, data: Any = None) -> UUID:
        """List an enquiry again that your organisations had put aside."""
        return enquiry_services.enquiry_put_aside(self.by, enquiry_id=pk, is_back=True).pk


def _stands(by: By, bid: Bid) -> bool:
    return is_standing(bid.state, bid.valid_until, by.now)


class Bids(Resource):
    at, key, name, many, tag = "bids/", "bid_id", "bid", "bids", "instruments"
    shape, write_scope, needs_person = BidShape, "manage", True

    def visible(self, pk: UUID) -> Bid:
        return enquiry_selectors.bid_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        return enquiry_selectors.shown_bids(rows, self.now)

    @listed(_("Bids"), enquiry_selectors.BIDS)
    def rows(self, query: dict[str, Any]) -> QuerySet[Bid]:
        """List the bids of hosts whose instruments you manage, newest first."""
        return enquiry_selectors.host_bids(self.actor)

    @creates(_("Make a bid"), NewBidBody, refuses=[404, 409, 422])
    def make(self, data: dict[str, Any]) -> UUID:
        """Bid with one or two times, which are held for the person who enquired, at your ordinary price or
        below it."""
        enquiry, instrument = data.pop("enquiry"), data.pop("instrument")
        return bid_make(self.by, enquiry_id=enquiry, instrument_id=instrument, values=BidValues(**data)).pk

    @reads(_("A bid"))
    def detail(self, pk: UUID) -> None:
        """Return a bid. The host and the person who enquired may read it."""

    @changes(_("Amend a bid"), BidBody, method="put", refuses=[404, 409, 422])
    def amend(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Replace the times and the terms of a bid."""
        return bid_amend(self.by, bid_id=pk, values=BidValues(**data)).pk

    @OnPage("bookings:bids", _("Withdraw"), _("The bid is withdrawn."), of="", offered=_stands)
    @acts(_("Withdraw a bid"))
    def withdraw(self, pk: UUID, data: Any = None) -> UUID:
        """Withdraw a bid; the times it held are released."""
        return bid_withdraw(self.by, bid_id=pk).pk

    @OnPage(
        "bookings:enquiry", _("Decline"), _("The bid is declined."), of="enquiry_id", offered=_stands,
        form=DeclineForm, name="decline",
    )  # fmt: skip
    @acts(_("Decline a bid"), BidDeclineBody, versioned=False, scope="book")
    def decline(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Decline a bid. Only the person who enquired may do this."""
        return enquiry_services.bid_decline(self.by, bid_id=pk, **data).pk


class Clusters(Resource):
    at, name, many, tag, needs_person = "clusters/", "cluster", "clusters", "instruments", True

    @tells(_("Clusters of enquiries"), ClustersShape, below="*", named="clusters", refuses=())
    def clusters(self) -> dict[str, Any]:
        """List the clusters in regions you coordinate: enquiries of at least three organisations in a
        quarter, none of which accounts for more than 80 % of the time."""
        return {
            "clusters": [
                {
                    "technique": one.technique,
                    "region": region.code,
                    "quarter": one.quarter,
                    "organisations": one.organisations,
                    "enquiries": one.enquiries,
                    "minutes": one.minutes,
                    "yearly_minutes": one.yearly_minutes,
                }
                for one, _technique, region in enquiry_selectors.load_clusters(self.actor)
            ]
        }
