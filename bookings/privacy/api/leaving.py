"""Ending a membership."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Instant, Money, ReasonBody, amount, checked, rfc3339
from bookings.privacy.selectors.leaving import load_ahead, membership_to_end
from bookings.privacy.services.leaving import member_leave

TAG = "people"
EXAMPLE = {
    "membership": "0197a1de-0000-7000-8000-000000000008",
    "ended_at": "2026-03-06T02:00:00Z",
    "cancelled": 2,
}


class AheadShape(serializers.Serializer[Any]):
    """A booking that has not begun, and what cancelling it now would cost, tax included."""

    reservation = serializers.UUIDField()
    cost = Money(allow_null=True)


class LeavingShape(serializers.Serializer[Any]):
    ahead = AheadShape(many=True)


class LeftShape(serializers.Serializer[Any]):
    membership = serializers.UUIDField()
    ended_at = Instant()
    cancelled = serializers.IntegerField(help_text="How many bookings were cancelled.")


class MemberEndBody(ReasonBody):
    """Managers owe a reason."""

    bookings = Choice(
        [("keep", ""), ("cancel", "")],
        default="keep",
        help_text="What happens to the person's upcoming bookings for the organisation.",
    )


class MembershipEnd(Endpoint):
    needs_person = True

    @operation(
        "membership_leaving",
        _("Preview of ending a membership"),
        tag=TAG,
        gives=LeavingShape,
        refuses=[404],
    )
    def get(self, request: Request, membership_id: UUID) -> Response:
        """The bookings that lie ahead. For the person and the organisation's managers."""
        membership = membership_to_end(self.actor, membership_id)
        ahead = [
            {
                "reservation": str(item.reservation.pk),
                "cost": amount(item.cost, item.currency) if item.currency else None,
            }
            for item in load_ahead(self.actor, membership, self.now)
        ]
        return Response({"ahead": ahead})

    @operation(
        "membership_end",
        _("End a membership"),
        tag=TAG,
        takes=MemberEndBody,
        gives=LeftShape,
        refuses=[404, 409, 422],
        once=True,
        sends={"bookings": "keep", "reason": "Has moved to another university"},
        answers=EXAMPLE,
    )
    def post(self, request: Request, membership_id: UUID) -> HttpResponseBase:
        """One's own, or for managers a member's. Roles at the organisation end at once, tokens
        included. With `cancel` the bookings ahead are cancelled by their rules, all or none; of
        somebody who has left already too. The last manager stays: 409 `last-manager`."""
        data = checked(MemberEndBody, request.data)

        def end() -> Response:
            left = member_leave(
                actor=self.actor,
                membership_id=membership_id,
                cancel=data["bookings"] == "cancel",
                reason=data["reason"],
                now=self.now,
            )
            ended_at = left.membership.ended_at
            return Response(
                {
                    "membership": str(left.membership.pk),
                    "ended_at": rfc3339(ended_at) if ended_at else None,
                    "cancelled": left.cancelled,
                }
            )

        return self.once(end)
