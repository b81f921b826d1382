"""The API for blocking people and organisations at a host."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.memberships import MANAGER, PERSON, PersonShape
from accounts.api.pagination import Pages
from accounts.api.resource import OnPage, Resource, acts, creates, lists, named, reads
from accounts.api.shapes import Day, Flag, Instant, ReasonBody, Shape, Text, TextOrNull
from accounts.selectors.organisations import organisation_by_code
from accounts.selectors.rows import visible
from instruments.policy.domain.blocks import BlockTerms
from instruments.policy.selectors.blocks import blocks_for
from instruments.policy.services.blocks import block_lift, block_make
from instruments.register.models import HostBlock
from instruments.register.selectors.blocks import is_in_force
from instruments.register.selectors.registry import facilities
from instruments.training.selectors.qualifications import person_to_certify

BLOCK = {
    "id": "0197a1de-0000-7000-8000-000000000009",
    "host": "hefei-materials",
    "facility": None,
    "user": PERSON,
    "organisation": None,
    "reason": "Left the laser on twice.",
    "contact": "zhao.min@example.org",
    "last_day": "2026-04-05",
    "in_force": True,
    "made_by": MANAGER,
    "made_at": "2026-03-06T02:00:00Z",
    "lifted_by": None,
    "lifted_at": None,
    "lift_reason": None,
    "version": 1,
}


class BlockShape(serializers.Serializer[Any]):
    """A block of a person or of an organisation, at all instruments of a host or at one facility, to the end
    of `last_day` in the host's region. `contact`: the mail address for objections."""

    id = serializers.UUIDField()
    host = serializers.CharField(source="host.code")
    facility = serializers.UUIDField(source="facility_id", allow_null=True)
    user = PersonShape(allow_null=True)
    organisation = serializers.CharField(source="organisation.code", allow_null=True)
    reason = serializers.CharField()
    contact = serializers.CharField()
    last_day = serializers.DateField()
    in_force = serializers.BooleanField(source="holds")
    made_by = PersonShape()
    made_at = Instant()
    lifted_by = PersonShape(allow_null=True)
    lifted_at = Instant(allow_null=True)
    lift_reason = TextOrNull()
    version = serializers.IntegerField()


class BlockBody(Shape):
    """Name either a person or an organisation."""

    host = Text(30, help_text="Code of the host.")
    facility = serializers.UUIDField(
        required=False, allow_null=True, help_text="Null: at all facilities of the host."
    )
    user = Text(254, required=False, allow_null=True, help_text="Id or e-mail address of the person.")
    organisation = Text(30, required=False, allow_null=True, help_text="Code of the organisation.")
    reason = Text(500, help_text="Those blocked read it.")
    contact = Text(
        254, help_text="Mail address for objections: that of a manager of the host, or of the facility."
    )
    last_day = Day(help_text="Last day on which it holds, in the host's region; at most two years ahead.")


class BlockQuery(Pages):
    host = Text(30, default="", help_text="Code of the host.")
    open = Flag(default=False, help_text="Only blocks that were not lifted.")


class Blocks(Resource):
    at, key, name, many, tag = "blocks/", "block_id", "block", "blocks", "instruments"
    shape, order = BlockShape, ("-made_at", "-id")
    needs_person, page_at = True, "manage/blocks/"

    def visible(self, pk: UUID) -> HostBlock:
        return visible(blocks_for(self.actor), pk=pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.holds = is_in_force(row, self.now)
        return rows

    @lists(_("Blocks"), BlockQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[HostBlock]:
        """List the blocks of the hosts that you manage, and those of yourself and of organisations that you
        manage, the newest first."""
        rows = blocks_for(self.actor)
        if query["host"]:
            rows = rows.filter(host__code=query["host"])
        return rows.filter(lifted_at=None) if query["open"] else rows

    @creates(
        _("Block a person or an organisation"),
        BlockBody,
        named="_make",
        refuses=[409],
        sends={
            "host": "hefei-materials",
            "user": "wang.li@example.org",
            "reason": BLOCK["reason"],
            "contact": BLOCK["contact"],
            "last_day": BLOCK["last_day"],
        },
        answers=BLOCK,
    )
    def make(self, data: dict[str, Any]) -> UUID:
        """The host's managers take no new bookings of a person, or at the cost of an organisation, until a
        day. Who tries to book is refused with the code `blocked`, the reason, the day and the contact.
        Bookings that are made already stay."""
        host = named("host", organisation_by_code, data["host"])
        facility, blocked = None, None
        if data.get("facility"):
            facility = named("facility", visible, facilities().filter(organisation=host, pk=data["facility"]))
        if data.get("organisation"):
            blocked = named("organisation", organisation_by_code, data["organisation"])
        user = person_to_certify(self.actor, host, data["user"]) if data.get("user") else None
        terms = BlockTerms(data["reason"], data["last_day"], data["contact"])
        return block_make(
            self.by, host=host, terms=terms, user=user, organisation=blocked, facility=facility
        ).pk

    @reads(_("A block"), answers=BLOCK)
    def detail(self, pk: UUID) -> None:
        """The host's managers and those who are blocked may read it."""

    @OnPage("bookings:blocks", done=_("The block is lifted."), of="")
    @acts(
        _("Lift a block"),
        ReasonBody,
        sends={"reason": "Settled"},
        answers=BLOCK
        | {
            "in_force": False,
            "lifted_by": MANAGER,
            "lifted_at": "2026-03-07T02:00:00Z",
            "lift_reason": "Settled",
            "version": 2,
        },
    )
    def lift(self, pk: UUID, data: dict[str, Any]) -> None:
        """The host's managers lift a block at once, with a reason that those blocked are told."""
        block_lift(self.by, block_id=pk, **data)
