"""Moving an organisation to another region from a given day on."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.organisations import region_named
from accounts.api.resource import Resource, acts
from accounts.api.shapes import Day, Instant, Shape, Text
from accounts.models import OrganisationMove
from accounts.services.organisation_moves import move_decide, move_withdraw

TAG = "people"
MOVE = {
    "id": "0197a1de-0000-7000-8000-00000000000a",
    "organisation": "hefei-materials",
    "from_region": "CN-AH",
    "region": "CN-SH",
    "starts_on": "2026-09-01",
    "decided_at": "2026-03-06T02:00:00Z",
    "carried_out_at": None,
    "withdrawn_at": None,
}


class OrganisationMoveShape(serializers.Serializer[Any]):
    """A move: the organisation belongs to `region` from the day `starts_on`, in that region's time zone."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    from_region = serializers.CharField(source="from_region.code")
    region = serializers.CharField(source="region.code")
    starts_on = serializers.DateField()
    decided_at = Instant()
    carried_out_at = Instant(allow_null=True)
    withdrawn_at = Instant(allow_null=True)


class OrganisationMoveBody(Shape):
    region = Text(40, help_text="The code of the new region.")
    starts_on = Day()


class OrganisationMoves(Resource):
    at, key, name, tag = "organisations/", "organisation_id", "organisation", TAG
    shape = OrganisationMoveShape
    needs_person = True

    def location(self, row: OrganisationMove) -> str:
        return ""  # none has an address

    @acts(
        _("Move an organisation to another region"),
        OrganisationMoveBody,
        below="moves",
        named="_move",
        status=201,
        refuses=[404],
        sends={"region": "CN-SH", "starts_on": "2026-09-01"},
        answers=MOVE,
    )
    def decide(self, pk: UUID, data: dict[str, Any]) -> OrganisationMove:
        """Decide a move; administrators, and people who coordinate both regions, may do this. Bookings that
        begin on that day or later are priced by the new region; those already made keep their regions. An
        organisation can have one move ahead (`move-ahead`), dated from today to two years ahead. `If-Match`
        and `ETag` name the version of the organisation."""
        data["region"] = region_named(data["region"])
        return move_decide(self.by, organisation_id=pk, **data)

    @acts(
        _("Withdraw a move"),
        below="moves/<uuid:move_id>/withdraw",
        address="api-organisation-move-withdraw",
        named="_move_withdraw",
        once=False,
        answers=MOVE | {"withdrawn_at": "2026-03-07T02:00:00Z"},
    )
    def withdraw(self, pk: UUID, move_id: UUID) -> OrganisationMove:
        """Withdraw a move that has not been carried out; whoever could decide it may do this. Bookings made
        in the meantime for days after the move keep the regions they were made with."""
        return move_withdraw(self.by, organisation_id=pk, move_id=move_id)
