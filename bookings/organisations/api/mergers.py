"""Merging an organisation into another, and closing one."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, acts, named
from accounts.api.shapes import Flag, Instant, Money, Shape, Text
from accounts.api.versions import require_version
from accounts.models import Organisation
from accounts.selectors.organisations import organisation_by_code
from bookings.organisations.selectors.mergers import Merger, merger_for
from bookings.organisations.services.mergers import organisation_close, organisations_merge
from bookings.record.api.shapes import Sentence

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
    left = Money(source="amount", allow_null=True)


class RoleLeftOutShape(serializers.Serializer[Any]):
    """A role that is not given at the other organisation: its duties exclude another."""

    person = serializers.CharField(source="user")
    role = serializers.CharField()


class HindranceShape(serializers.Serializer[Any]):
    """What stands in the way."""

    code = serializers.CharField()
    message = Sentence()


class MergerShape(serializers.Serializer[Any]):
    """What goes over from one organisation to the other."""

    organisation = serializers.CharField(source="gone.code")
    into = serializers.CharField(source="into.code")
    parts = MergerPartShape(many=True)
    purses = MergerPurseShape(many=True)
    roles_left_out = RoleLeftOutShape(many=True, source="left_out")
    in_the_way = HindranceShape(many=True)
    carried_out = serializers.BooleanField()


class MergeBody(Shape):
    into = Text(30, help_text="The code of the organisation that goes on.")
    dry_run = Flag(default=False, help_text="Say what would go over, and do nothing.")


class ClosedShape(serializers.Serializer[Any]):
    """An organisation that was closed."""

    organisation = serializers.CharField(source="code")
    closed_at = Instant()


class OrganisationMerge(Resource):
    at, key, name, tag = "organisations/", "organisation_id", "organisation", TAG
    shape = MergerShape
    needs_person = True

    @acts(
        _("Merge an organisation into another"),
        MergeBody,
        refuses=[404],
        sends={"into": "jianghuai-metrology", "dry_run": True},
        answers=MERGER,
    )
    def merge(self, pk: UUID, data: dict[str, Any]) -> Merger:
        """Administrators, and whoever coordinates the regions of both. People and roles,
        instruments, upcoming bookings and remaining money go over; what has begun or is over
        stays and is accounted for by the other. 422 with what stands in the way; with `dry_run`
        that is only listed."""
        into = named("into", organisation_by_code, data["into"])
        if not data["dry_run"]:
            return organisations_merge(self.by, organisation_id=pk, into=into)
        merger = merger_for(self.actor, pk, into, self.now)
        require_version(self.request, merger.version)
        return merger


class OrganisationClose(Resource):
    at, key, name, tag = "organisations/", "organisation_id", "organisation", TAG
    shape = ClosedShape
    needs_person = True

    @acts(
        _("Close an organisation"),
        refuses=[404, 409, 422],
        once=False,
        answers={"organisation": "hefei-materials", "closed_at": "2026-03-06T02:00:00Z"},
    )
    def close(self, pk: UUID) -> Organisation:
        """For good: memberships, roles and invitations end. 422 with how many bookings are ahead
        or to be charged, instruments published, charges not final or not on a statement,
        statements unpaid. Administrators, and whoever
        coordinates its region."""
        return organisation_close(self.by, organisation_id=pk)
