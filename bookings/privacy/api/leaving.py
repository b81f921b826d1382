"""Ending a membership."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, acts, reads
from accounts.api.shapes import Choice, Instant, Money, ReasonBody
from bookings.privacy.selectors.leaving import load_ahead, load_places, membership_to_end
from bookings.privacy.services.leaving import Left, member_leave

TAG = "people"
EXAMPLE = {
    "membership": "0197a1de-0000-7000-8000-000000000008",
    "ended_at": "2026-03-06T02:00:00Z",
    "cancelled": 2,
    "places": 1,
}


class AheadShape(serializers.Serializer[Any]):
    """A booking that has not begun, and what cancelling it now would cost, tax included."""

    reservation = serializers.UUIDField(source="reservation.pk")
    cost = Money(allow_null=True)


class PlaceAheadShape(serializers.Serializer[Any]):
    """A place in a course that the organisation would pay for. It is given up with the membership."""

    enrolment = serializers.UUIDField(source="pk")
    session = serializers.UUIDField(source="session_id")


class LeavingShape(serializers.Serializer[Any]):
    ahead = AheadShape(many=True)
    places = PlaceAheadShape(many=True)


class LeftShape(serializers.Serializer[Any]):
    membership = serializers.UUIDField(source="membership.pk")
    ended_at = Instant(source="membership.ended_at")
    cancelled = serializers.IntegerField(help_text="Number of bookings cancelled.")
    places = serializers.IntegerField(help_text="Number of places in courses given up.")


class MemberEndBody(ReasonBody):
    """Why a membership ends, and what happens to the person's upcoming bookings. Managers must give a reason;
    whoever leaves by themselves need not."""

    bookings = Choice(
        [("keep", ""), ("cancel", "")],
        default="keep",
        help_text="What happens to the person's upcoming bookings for the organisation.",
    )


class MembershipEnd(Resource):
    at, key, name, tag = "memberships/", "membership_id", "membership", TAG
    needs_person = True

    @reads(_("Preview of ending a membership"), "end", named="_leaving", gives=LeavingShape)
    def leaving(self, pk: UUID) -> dict[str, Any]:
        """Return the upcoming bookings of a member, and their places in courses. Only the person and the
        organisation's managers may read
        this."""
        membership = membership_to_end(self.actor, pk)
        ahead = load_ahead(self.actor, membership, self.now)
        return {"ahead": ahead, "places": load_places(membership, self.now)}

    @acts(
        _("End a membership"),
        MemberEndBody,
        gives=LeftShape,
        refuses=[404, 409, 422],
        versioned=False,
        sends={"bookings": "keep", "reason": "Has moved to another university"},
        answers=EXAMPLE,
    )
    def end(self, pk: UUID, data: dict[str, Any]) -> Left:
        """End your own membership, or as a manager a member's. Roles at the organisation and their tokens end
        at once. With `cancel` the upcoming bookings are cancelled by their rules, all or none, even of
        somebody who has already left. Places in courses that the organisation would pay for are given up. The
        last manager cannot leave: 409 `last-manager`."""
        cancel, reason = data["bookings"] == "cancel", data["reason"]
        return member_leave(self.by, membership_id=pk, cancel=cancel, reason=reason)
