"""Merging an organisation into another, and closing one."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.memberships import PersonShape
from accounts.api.resource import Resource, acts, named
from accounts.api.shapes import Flag, Instant, Money, Shape, Text, replaced_by
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
    "roles_left_out": [
        {
            "user": {"id": "0199b1de-7c1e-7d02-9a51-0d7f0c1a4d11", "name": "Gao Lei"},
            "person": "Gao Lei",
            "role": "finance",
        }
    ],
    "in_the_way": [],
    "carried_out": False,
}


class MergerPartShape(serializers.Serializer[Any]):
    """The number of things of one kind that move to the other organisation, with the first twenty names, if
    they have names."""

    kind = serializers.CharField()
    count = serializers.IntegerField()
    names = serializers.ListField(child=serializers.CharField())


class MergerPurseShape(serializers.Serializer[Any]):
    """A funding source or voucher, with the amount that moves to a new one; null: it has no budget."""

    code = serializers.CharField()
    left = Money(source="amount", allow_null=True)


class RoleLeftOutShape(serializers.Serializer[Any]):
    """A role that is not given at the other organisation, because its duties exclude those of another
    role."""

    user = PersonShape()
    person = serializers.CharField(source="user", style=replaced_by("user"))
    role = serializers.CharField()


class HindranceShape(serializers.Serializer[Any]):
    """A reason why the merger is not possible."""

    code = serializers.CharField()
    message = Sentence()


class MergerShape(serializers.Serializer[Any]):
    """Everything that moves from one organisation to the other."""

    organisation = serializers.CharField(source="gone.code")
    into = serializers.CharField(source="into.code")
    parts = MergerPartShape(many=True)
    purses = MergerPurseShape(many=True)
    roles_left_out = RoleLeftOutShape(many=True, source="left_out")
    in_the_way = HindranceShape(many=True)
    carried_out = serializers.BooleanField()


class MergeBody(Shape):
    into = Text(30, help_text="Code of the organisation that remains.")
    dry_run = Flag(default=False, help_text="Only report what would be transferred; nothing is saved.")


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
        """Merge an organisation into another. Only administrators and people who coordinate the regions of
        both may do this. People and roles, instruments, upcoming bookings and remaining money move; what has
        begun or is over stays, and the other organisation accounts for it. 422 with the reasons if it is not
        possible; with `dry_run` they are only listed."""
        into = named("into", organisation_by_code, data["into"])
        if not data["dry_run"]:
            return organisations_merge(self.by, organisation_id=pk, into=into)
        merger = merger_for(self.actor, pk, into, self.now)
        self.by.require_version(merger.version)
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
        """Close an organisation for good: memberships, roles and invitations end. 422 with the number of
        bookings that are ahead or to be charged, published instruments, charges that are not final or not on
        a statement, and unpaid statements. Only administrators and coordinators of its region may do this."""
        return organisation_close(self.by, organisation_id=pk)
