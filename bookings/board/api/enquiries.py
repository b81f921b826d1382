"""The demand board: enquiries, and the bids that answer them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, acts, changes, creates, lists, reads, tells
from accounts.api.shapes import Choice, Flag, Instant, ListOf, Money, Shape, Text, Whole
from bookings.board.models import Bid, Enquiry
from bookings.board.selectors.enquiries import (
    bid_by_id,
    enquiries_for,
    enquiries_to,
    enquiry_by_id,
    enquiry_to,
    group_at,
    host_bids,
    instruments_for,
    load_clusters,
    shown_bids,
    shown_enquiries,
)
from bookings.board.services.bids import BidValues, bid_amend, bid_make, bid_withdraw
from bookings.board.services.enquiries import (
    CLOSING,
    EnquiryValues,
    bid_decline,
    enquiry_accept,
    enquiry_close,
    enquiry_make,
    enquiry_withdraw,
)
from bookings.record.models import Reservation
from instruments.api.needs import NeedTermShape
from instruments.models import Instrument


class EnquiryBody(Shape):
    need = serializers.UUIDField(help_text="One's own.")
    is_confidential = Flag(
        required=False, help_text="Unless said: whether the payer is an enterprise."
    )
    sample = Text(200, default="", allow_blank=True, help_text="Its form, as hosts read it.")
    closes_at = Instant(required=False, help_text="Unless said: in two weeks.")
    regions = ListOf(child=Text(60), default=list, help_text="Codes; none: to all.")
    hosts = ListOf(child=Text(40), default=list, help_text="Codes of organisations.")


class BidAcceptBody(Shape):
    slot = serializers.UUIDField(help_text="Of a bid.")
    purpose = Choice(Reservation.Purpose.choices, default="research")
    house_rules = Whole(min_value=1, required=False, help_text="The version that is accepted.")


class EnquiryCloseBody(Shape):
    reason = Choice([(code, Enquiry.Reason(code).label) for code in CLOSING])


class BidBody(Shape):
    """An offer: one or two times, kept for whoever asks."""

    starts = ListOf(child=Instant())
    service_mode = Choice(Instrument.ServiceMode.choices)
    conditions = ListOf(child=Choice(Bid.Condition.choices), default=list)
    text = Text(1000, default="", allow_blank=True)
    valid_until = Instant(required=False, help_text="In 48 hours at most.")


class NewBidBody(BidBody):
    enquiry = serializers.UUIDField()
    instrument = serializers.UUIDField()


class SlotShape(serializers.Serializer[Any]):
    """A time that a bid keeps, with its price."""

    id = serializers.UUIDField()
    start = Instant(source="reservation.start_at")
    end = Instant(source="reservation.end_at")
    total = Money()


class OwnSlotShape(SlotShape):
    """With what the payer pays of it."""

    payable = Money()


class BidShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    enquiry = serializers.UUIDField(source="enquiry_id")
    instrument = serializers.UUIDField(source="instrument_id")
    host = serializers.CharField(source="host.code")
    service_mode = serializers.CharField()
    conditions = serializers.ListField(child=serializers.CharField())
    text = serializers.CharField()
    valid_until = Instant()
    state = serializers.ChoiceField(Bid.State.choices, source="shown_state")
    slots = SlotShape(many=True, source="shown_slots")
    created_at = Instant()
    version = serializers.IntegerField()


class OwnBidShape(BidShape):
    """For whoever asked."""

    slots = OwnSlotShape(many=True, source="shown_slots")


class AskedShape(serializers.Serializer[Any]):
    """An enquiry as hosts read it."""

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
    """`organisation` and `text` are null of a confidential one; `price_groups` are those of who
    asks, by the reader's instruments that fit."""

    organisation = serializers.CharField(source="shown_organisation", allow_null=True)
    text = serializers.CharField(source="shown_text", allow_null=True)
    price_groups = serializers.DictField(child=serializers.CharField())


class EnquiryShape(AskedShape):
    """One's own enquiry, with what was bid."""

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


class ClusterShape(serializers.Serializer[Any]):
    """What at least three organisations of a region asked for in a quarter."""

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
    at, key, name, many, tag = "enquiries/", "enquiry_id", "enquiry", "enquiries", "instruments"
    shape, write_scope, needs_person = EnquiryShape, "book", True

    def visible(self, pk: UUID) -> Enquiry:
        return enquiry_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in shown_enquiries(rows, self.now):
            row.region_codes = sorted(each.code for each in row.regions.all())  # type: ignore[attr-defined]
            row.host_codes = sorted(each.code for each in row.hosts.all())  # type: ignore[attr-defined]
            row.shown_bids = shown_bids(row.bids.all(), self.now)  # type: ignore[attr-defined]
        return rows

    @lists(_("Enquiries"))
    def rows(self, query: dict[str, Any]) -> QuerySet[Enquiry]:
        """One's own, and for managers those of their organisation; the newest first."""
        return enquiries_for(self.actor)

    @creates(_("Make a need an enquiry"), EnquiryBody, refuses=[403, 404, 409])
    def make(self, data: dict[str, Any]) -> UUID:
        """Show one's own need to hosts. Of a confidential one they read neither who asks nor the
        need's text; of none its requirements and budget."""
        need = data.pop("need")
        return enquiry_make(self.by, need_id=need, values=EnquiryValues(**data)).pk

    @reads(_("An enquiry"))
    def detail(self, pk: UUID) -> None:
        """As it is now, with the bids for it."""

    @acts(_("Accept a bid"), BidAcceptBody, refuses=[404, 409, 422])
    def accept(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Book a slot of a bid; the other bids are declined."""
        slot = data.pop("slot")
        enquiry_accept(self.by, enquiry_id=pk, slot_id=slot, **data)
        return pk

    @acts(_("Close an enquiry as unmet"), EnquiryCloseBody)
    def close(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """It counts as unmet demand, with the reason."""
        return enquiry_close(self.by, enquiry_id=pk, **data).pk

    @acts(_("Withdraw an enquiry"))
    def withdraw(self, pk: UUID, data: Any = None) -> UUID:
        """Ask no more."""
        return enquiry_withdraw(self.by, enquiry_id=pk).pk


class OpenEnquiries(Resource):
    at, key, name, many = "board/", "enquiry_id", "open_enquiry", "open_enquiries"
    tag, shape, needs_person = "instruments", OpenEnquiryShape, True
    order = ("closes_at", "id")

    def visible(self, pk: UUID) -> Enquiry:
        return enquiry_to(self.actor, pk, self.now)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in shown_enquiries(rows, self.now):
            hidden = row.is_confidential
            row.shown_organisation = None if hidden else row.organisation.code  # type: ignore[attr-defined]
            row.shown_text = row.need.text if row.need and not hidden else None  # type: ignore[attr-defined]
            row.price_groups = {  # type: ignore[attr-defined]
                str(one.pk): group_at(row, one) for one in instruments_for(self.actor, row)
            }
        return rows

    @lists(_("Enquiries for one's instruments"))
    def rows(self, query: dict[str, Any]) -> QuerySet[Enquiry]:
        """Those open that instruments one manages could answer; the first to close first."""
        return enquiries_to(self.actor, self.now)

    @reads(_("An enquiry for one's instruments"))
    def detail(self, pk: UUID) -> None:
        """As hosts read it."""


class Bids(Resource):
    at, key, name, many, tag = "bids/", "bid_id", "bid", "bids", "instruments"
    shape, write_scope, needs_person = BidShape, "manage", True

    def visible(self, pk: UUID) -> Bid:
        return bid_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        return shown_bids(rows, self.now)

    @lists(_("Bids"))
    def rows(self, query: dict[str, Any]) -> QuerySet[Bid]:
        """Those of hosts whose instruments one manages; the newest first."""
        return host_bids(self.actor)

    @creates(_("Make a bid"), NewBidBody, refuses=[404, 409, 422])
    def make(self, data: dict[str, Any]) -> UUID:
        """Keep one or two times for whoever asked, at the ordinary price."""
        enquiry, instrument = data.pop("enquiry"), data.pop("instrument")
        return bid_make(
            self.by, enquiry_id=enquiry, instrument_id=instrument, values=BidValues(**data)
        ).pk

    @reads(_("A bid"))
    def detail(self, pk: UUID) -> None:
        """For its host, and for whoever asked."""

    @changes(_("Amend a bid"), BidBody, method="put", refuses=[404, 409, 422])
    def amend(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Put other times and terms in its place."""
        return bid_amend(self.by, bid_id=pk, values=BidValues(**data)).pk

    @acts(_("Withdraw a bid"))
    def withdraw(self, pk: UUID, data: Any = None) -> UUID:
        """Its times come free."""
        return bid_withdraw(self.by, bid_id=pk).pk

    @acts(_("Decline a bid"), versioned=False, scope="book")
    def decline(self, pk: UUID, data: Any = None) -> UUID:
        """For whoever asked."""
        return bid_decline(self.by, bid_id=pk).pk


class Clusters(Resource):
    at, name, many, tag, needs_person = "clusters/", "cluster", "clusters", "instruments", True

    @tells(_("Clusters of enquiries"), ClustersShape, below="*", named="clusters", refuses=())
    def clusters(self) -> dict[str, Any]:
        """What at least three organisations of a region one coordinates asked for in a quarter,
        none of them more than 80 % of it."""
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
                for one, _technique, region in load_clusters(self.actor)
            ]
        }
