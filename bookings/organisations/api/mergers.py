"""Merging an organisation into another, and closing one."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.shapes import Flag, Instant, Money, Shape, Text, amount, checked, rfc3339
from accounts.api.versions import etag, expected_version, require_version
from accounts.domain.errors import NotFound, invalid
from accounts.models import Organisation
from accounts.selectors.organisations import organisation_by_code
from bookings.organisations.selectors.mergers import Merger, merger_for
from bookings.organisations.services.mergers import organisation_close, organisations_merge
from bookings.record.messages import sentence

TAG = "people"
MERGER = {
    "organisation": "hefei-materials",
    "into": "jianghuai-metrology",
    "parts": [{"kind": "instruments", "count": 12, "names": ["Titan"]}],
    "purses": [{"code": "NSFC-17", "left": {"amount": "1200.00", "currency": "CNY"}}],
    "roles_left_out": [{"person": "Gao Lei", "role": "finance"}],
    "in_the_way": [],
    "carried_out": False,
}


class MergerPartShape(serializers.Serializer[Any]):
    """So many of a kind go over; the first twenty by name, where they have one."""

    kind = serializers.CharField()
    count = serializers.IntegerField()
    names = serializers.ListField(child=serializers.CharField())


class MergerPurseShape(serializers.Serializer[Any]):
    """A funding source or voucher with what goes over to a new one; null: no budget."""

    code = serializers.CharField()
    left = Money(allow_null=True)


class RoleLeftOutShape(serializers.Serializer[Any]):
    """A role that is not given at the other organisation: its duties exclude another."""

    person = serializers.CharField()
    role = serializers.CharField()


class HindranceShape(serializers.Serializer[Any]):
    """What stands in the way."""

    code = serializers.CharField()
    message = serializers.CharField()


class MergerShape(serializers.Serializer[Any]):
    """What goes over from one organisation to the other."""

    organisation = serializers.CharField()
    into = serializers.CharField()
    parts = MergerPartShape(many=True)
    purses = MergerPurseShape(many=True)
    roles_left_out = RoleLeftOutShape(many=True)
    in_the_way = HindranceShape(many=True)
    carried_out = serializers.BooleanField()


class MergeBody(Shape):
    into = Text(30, help_text="The code of the organisation that goes on.")
    dry_run = Flag(default=False, help_text="Say what would go over, and do nothing.")


class ClosedShape(serializers.Serializer[Any]):
    """An organisation that was closed."""

    organisation = serializers.CharField()
    closed_at = Instant()


def merger_json(merger: Merger, *, carried_out: bool) -> dict[str, Any]:
    return {
        "organisation": merger.gone.code,
        "into": merger.into.code,
        "parts": [
            {"kind": part.kind, "count": part.count, "names": list(part.names)}
            for part in merger.parts
        ],
        "purses": [
            {
                "code": purse.code,
                "left": None if purse.amount is None else amount(purse.amount, purse.currency),
            }
            for purse in merger.purses
        ],
        "roles_left_out": [
            {"person": str(grant.user), "role": grant.role} for grant in merger.left_out
        ],
        "in_the_way": [
            {"code": refusal.code, "message": sentence(refusal.code, refusal.numbers)}
            for refusal in merger.in_the_way
        ],
        "carried_out": carried_out,
    }


class OrganisationMerge(Endpoint):
    needs_person = True

    @operation(
        "organisation_merge",
        _("Merge an organisation into another"),
        tag=TAG,
        takes=MergeBody,
        gives=MergerShape,
        refuses=[404],
        versioned=True,
        once=True,
        sends={"into": "jianghuai-metrology", "dry_run": True},
        answers=MERGER,
    )
    def post(self, request: Request, organisation_id: UUID) -> HttpResponseBase:
        """Administrators, and whoever coordinates the regions of both. People and roles,
        instruments, upcoming bookings and remaining money go over; what has begun or is over
        stays and is accounted for by the other. 422 with what stands in the way; with `dry_run`
        that is only listed."""
        data = checked(MergeBody, request.data)
        try:
            into = organisation_by_code("" if "\0" in data["into"] else data["into"])
        except NotFound:
            raise invalid("into", "unknown-value") from None

        def merge() -> Response:
            if data["dry_run"]:
                merger = merger_for(self.actor, organisation_id, into, self.now)
                require_version(request, merger.gone.version)
            else:
                merger = organisations_merge(
                    actor=self.actor,
                    organisation_id=organisation_id,
                    into=into,
                    now=self.now,
                    expected_version=expected_version(request),
                )
            return Response(
                merger_json(merger, carried_out=not data["dry_run"]),
                headers=etag(merger.gone.version),
            )

        return self.once(merge)


class OrganisationClose(Endpoint):
    needs_person = True

    @operation(
        "organisation_close",
        _("Close an organisation"),
        tag=TAG,
        gives=ClosedShape,
        refuses=[404, 409, 422],
        versioned=True,
        answers={"organisation": "hefei-materials", "closed_at": "2026-03-06T02:00:00Z"},
    )
    def post(self, request: Request, organisation_id: UUID) -> Response:
        """For good: memberships, roles and invitations end. 422 with how many bookings are ahead
        or to be charged, instruments published, charges not final or not on a statement,
        statements unpaid. Administrators, and whoever
        coordinates its region."""
        row: Organisation = organisation_close(
            actor=self.actor,
            organisation_id=organisation_id,
            now=self.now,
            expected_version=expected_version(request),
        )
        closed_at = rfc3339(row.closed_at) if row.closed_at else None
        return Response(
            {"organisation": row.code, "closed_at": closed_at}, headers=etag(row.version)
        )
