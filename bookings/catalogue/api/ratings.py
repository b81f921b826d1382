"""What people say of an instrument after using it."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.resource import rendered
from accounts.api.schema import operation, page
from accounts.api.shapes import Day, Instant, Whole, query_values
from bookings.catalogue.selectors.ratings import ratings_of
from instruments.selectors.managing import instrument_to_manage


class RatingShape(serializers.Serializer[Any]):
    """What one person said of one session."""

    reservation = serializers.UUIDField(source="reservation_id")
    checked_in_at = Instant()
    rating = serializers.IntegerField(allow_null=True, help_text="From 1 (badly) to 5 (very well).")
    remarks = serializers.CharField()
    person = serializers.CharField(source="reservation.user")
    organisation = serializers.CharField(
        source="reservation.organisation.code", help_text="The payer's code."
    )


class RatingQuery(Pages):
    rating = Whole(min_value=1, max_value=5, required=False)
    since = Day(required=False, help_text="First day, in the instrument's zone.")
    until = Day(required=False, help_text="Last day.")


class InstrumentRatings(Endpoint):
    needs_person = True
    only_reads = True

    @operation(
        "instrument_ratings",
        _("Ratings"),
        tag="instruments",
        query=RatingQuery,
        gives=page(
            RatingShape,
            count=serializers.IntegerField(),
            mean=serializers.FloatField(allow_null=True),
        ),
        refuses=[403, 404],
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Ratings and remarks of its sessions, the latest first, for its managers. `mean` and
        `count` are of all ratings of the days, whichever are listed."""
        query = query_values(RatingQuery, request.query_params)
        chosen = {name: query.get(name) for name in ("rating", "since", "until")}
        ratings = ratings_of(instrument_to_manage(self.actor, instrument_id), **chosen)
        answer = paginated(
            request,
            ratings.sessions,
            query,
            ("-checked_in_at", "-id"),
            lambda rows: [rendered(RatingShape, row) for row in rows],
        )
        answer.data |= {"count": ratings.count, "mean": ratings.mean}
        return answer
