"""Moving an organisation to another region from a day on."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.shapes import Day, Instant, Shape, Text, checked, rfc3339
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import NotFound, invalid
from accounts.models import OrganisationMove
from accounts.selectors.organisations import region_by_code
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
    """From the day `starts_on` in the new region's time zone on, an organisation belongs to
    `region`."""

    id = serializers.UUIDField()
    organisation = serializers.CharField()
    from_region = serializers.CharField()
    region = serializers.CharField()
    starts_on = serializers.DateField()
    decided_at = Instant()
    carried_out_at = Instant(allow_null=True)
    withdrawn_at = Instant(allow_null=True)


class OrganisationMoveBody(Shape):
    region = Text(40, help_text="The code of the new region.")
    starts_on = Day()


def move_json(move: OrganisationMove) -> dict[str, Any]:
    return {
        "id": str(move.pk),
        "organisation": move.organisation.code,
        "from_region": move.from_region.code,
        "region": move.region.code,
        "starts_on": move.starts_on.isoformat(),
        "decided_at": rfc3339(move.decided_at),
        "carried_out_at": rfc3339(move.carried_out_at) if move.carried_out_at else None,
        "withdrawn_at": rfc3339(move.withdrawn_at) if move.withdrawn_at else None,
    }


class OrganisationMoves(Endpoint):
    needs_person = True

    @operation(
        "organisation_move",
        _("Move an organisation to another region"),
        tag=TAG,
        takes=OrganisationMoveBody,
        gives=OrganisationMoveShape,
        status=201,
        refuses=[404],
        versioned=True,
        once=True,
        sends={"region": "CN-SH", "starts_on": "2026-09-01"},
        answers=MOVE,
    )
    def post(self, request: Request, organisation_id: UUID) -> HttpResponseBase:
        """Administrators, and whoever coordinates both regions. Bookings that begin from that day
        on are priced by the new region; those made keep theirs. One move at a time
        (`move-ahead`), from today on, at most two years ahead. `If-Match` and `ETag` name the
        version of the organisation."""
        data = checked(OrganisationMoveBody, request.data)
        code = data["region"]
        try:
            region = region_by_code("" if "\0" in code else code)
        except NotFound:
            raise invalid("region", "unknown-region", region=code) from None

        def decide() -> Response:
            move = move_decide(
                actor=self.actor,
                organisation_id=organisation_id,
                region=region,
                starts_on=data["starts_on"],
                now=self.now,
                expected_version=expected_version(request),
            )
            return Response(move_json(move), status=201, headers=etag(move.organisation.version))

        return self.once(decide)


class OrganisationMoveWithdraw(Endpoint):
    needs_person = True

    @operation(
        "organisation_move_withdraw",
        _("Withdraw a move"),
        tag=TAG,
        gives=OrganisationMoveShape,
        refuses=[404, 409],
        versioned=True,
        answers=MOVE | {"withdrawn_at": "2026-03-07T02:00:00Z"},
    )
    def post(self, request: Request, organisation_id: UUID, move_id: UUID) -> Response:
        """While it has not been carried out, for whoever could decide it. Bookings made meanwhile
        for days after it keep the regions they were made with."""
        move = move_withdraw(
            actor=self.actor,
            organisation_id=organisation_id,
            move_id=move_id,
            now=self.now,
            expected_version=expected_version(request),
        )
        return Response(move_json(move), headers=etag(move.organisation.version))
