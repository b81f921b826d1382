"""The API for ratings that people give an instrument after using it."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PersonShape
from accounts.api.pagination import Pages, paginated
from accounts.api.resource import rendered
from accounts.api.schema import operation, page
from accounts.api.shapes import Day, Instant, Whole, query_values, replaced_by
from bookings.browsing.selectors.ratings import load_rating, ratings_of
from bookings.record.models import InstrumentRating
from instruments.register.selectors.registry import instrument_by_id, instrument_to_manage


class RatingShape(serializers.Serializer[Any]):
    """A person's rating of one usage session."""

    reservation = serializers.UUIDField(source="reservation_id")
    checked_in_at = Instant()
    rating = serializers.IntegerField(allow_null=True, help_text="From 1 (very poor) to 5 (very good).")
    usable = serializers.IntegerField(source="marks.usable", allow_null=True)
    support = serializers.IntegerField(source="marks.support", allow_null=True)
    on_time = serializers.IntegerField(source="marks.on_time", allow_null=True)
    price_as_quoted = serializers.IntegerField(source="marks.price_as_quoted", allow_null=True)
    remarks = serializers.CharField()
    answer = serializers.CharField(source="marks.answer", allow_null=True)
    user = PersonShape(source="reservation.user")
    person = serializers.CharField(source="reservation.user", style=replaced_by("user"))
    organisation = serializers.CharField(
        source="reservation.organisation.code", help_text="Code of the paying organisation."
    )


class ShownRatingShape(serializers.Serializer[Any]):
    """The ratings of an instrument in the last 24 months, which everybody may read; all values are null
    unless at least five people of three organisations rated it. Shares are decimals from 0 to 1."""

    mean = serializers.DecimalField(
        max_digits=3,
        decimal_places=2,
        allow_null=True,
        help_text="(10 m + sum) / (10 + n), where m is the mean rating of its techniques and n the "
        "number of ratings.",
    )
    ratings = serializers.IntegerField(allow_null=True, help_text="Number of ratings, n.")
    raters = serializers.IntegerField(allow_null=True)
    organisations = serializers.IntegerField(allow_null=True)
    not_usable = serializers.DecimalField(
        max_digits=4,
        decimal_places=3,
        allow_null=True,
        help_text="Share of rated results that were given 1 or 2.",
    )
    response = serializers.DecimalField(
        max_digits=4, decimal_places=3, allow_null=True, help_text="Share of sessions that were rated."
    )
    as_of = Instant(allow_null=True)


class InstrumentRatingEndpoint(Endpoint):
    only_reads = True

    @operation(
        "instrument_rating",
        _("Rating of an instrument"),
        tag="instruments",
        gives=ShownRatingShape,
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Return the ratings of an instrument, which everybody may read. The values are computed each night;
        ratings by members of the host do not count."""
        instrument = instrument_by_id(self.actor, instrument_id)
        return Response(rendered(ShownRatingShape, load_rating(instrument.pk) or InstrumentRating()))


class RatingQuery(Pages):
    rating = Whole(min_value=1, max_value=5, required=False)
    since = Day(required=False, help_text="First day, in the instrument's time zone.")
    until = Day(required=False, help_text="Last day, in the instrument's time zone.")


class InstrumentRatings(Endpoint):
    needs_person = True
    only_reads = True

    @operation(
        "instrument_ratings",
        _("Ratings"),
        tag="instruments",
        query=RatingQuery,
        gives=page(
            RatingShape, count=serializers.IntegerField(), mean=serializers.FloatField(allow_null=True)
        ),
        refuses=[403, 404],
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """List the ratings and remarks of an instrument's sessions, latest first, for its managers. `mean`
        and `count` cover all ratings of the days, whichever are listed."""
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
