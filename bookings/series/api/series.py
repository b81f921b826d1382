"""Recurring bookings: what they would come to, making them, changing some or all of them."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import PeriodShape, RefusalShape, operation
from accounts.api.shapes import (
    Choice,
    Flag,
    Instant,
    Money,
    Query,
    ReasonBody,
    Text,
    amount,
    asked,
    checked,
    rfc3339,
)
from accounts.api.versions import etag, expected_version
from bookings.catalogue.api.asking import AskedBody, FundingBody, period_of, samples_of, shares_of
from bookings.catalogue.api.availability import period_json
from bookings.catalogue.api.refusals import refusal_json
from bookings.catalogue.selectors.parties import Booking
from bookings.pricing.selectors.fees import Asked
from bookings.reserving.api.reservations import (
    PurposeBody,
    ReservationShape,
    reservation_json,
    with_all,
)
from bookings.reserving.selectors.moves import Move
from bookings.series.domain.series import SCOPES
from bookings.series.models import Series
from bookings.series.selectors.series import (
    Occurrence,
    SeriesPreview,
    load_series_cancellation,
    load_series_preview,
    reservations_of,
    series_for,
)
from bookings.series.selectors.series_moves import load_series_move
from bookings.series.services.series import ON_CONFLICT, SeriesMade, series_book, series_cancel
from bookings.series.services.series_moves import series_move
from instruments.models import Instrument

TAG = "reservations"
LONGEST_RULE = 300
WHICH = [(scope, scope) for scope in SCOPES]


# Answers


class SkippedShape(PeriodShape):
    """A date that was left out, and why."""

    refusals = RefusalShape(many=True)


class OccurrenceShape(SkippedShape):
    """A date of a series: what refuses it, those before it counted; what it would cost."""

    total = Money(allow_null=True, help_text="Null where the group has no price on that day.")
    payable = Money(
        allow_null=True, help_text="After vouchers, with the bookings before it counted."
    )


class SeriesPreviewShape(serializers.Serializer[Any]):
    """What a series would come to."""

    rule = serializers.CharField()
    time_zone = serializers.CharField()
    occurrences = OccurrenceShape(many=True)
    bookable = serializers.IntegerField(help_text="Number of rows that pass.")
    total = Money(allow_null=True, help_text="Of those that pass.")
    payable = Money(allow_null=True, help_text="Of those that pass, after vouchers.")


class SeriesShape(serializers.Serializer[Any]):
    """Bookings of one instrument by a rule. Those that were moved alone, cancelled or ended
    are among them."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField()
    rule = serializers.CharField(
        help_text="RFC 5545. Empty: a change made it one that no rule says."
    )
    time_zone = serializers.CharField()
    start = Instant()
    minutes = serializers.IntegerField()
    split_from = serializers.UUIDField(
        allow_null=True, help_text="The series whose later part this was."
    )
    reservations = ReservationShape(many=True)
    version = serializers.IntegerField()


class SeriesMadeShape(SeriesShape):
    """A new series, with the dates that were left out."""

    skipped = SkippedShape(many=True)


class SeriesCancellationShape(serializers.Serializer[Any]):
    """What cancelling now would cost, in all; the tax is on the fee."""

    reservations = serializers.ListField(child=serializers.UUIDField())
    fee = Money()
    tax = Money()


class SeriesMoveShape(PeriodShape):
    """Where a booking would go."""

    reservation = serializers.UUIDField()
    needs_approval = serializers.BooleanField()
    refusals = RefusalShape(many=True)


class SeriesMovesShape(serializers.Serializer[Any]):
    """What a change of several would come to, in the order of the rule."""

    moves = SeriesMoveShape(many=True)


def occurrence_json(occurrence: Occurrence) -> dict[str, Any]:
    quote = occurrence.quote
    return {
        **skipped_json(occurrence),
        "total": amount(quote.total, quote.currency) if quote else None,
        "payable": amount(quote.payable, quote.currency) if quote else None,
    }


def skipped_json(occurrence: Occurrence) -> dict[str, Any]:
    return {
        **period_json(occurrence.period),
        "refusals": [refusal_json(refusal) for refusal in occurrence.refusals],
    }


def preview_json(preview: SeriesPreview) -> dict[str, Any]:
    currency = preview.currency
    sums = {"total": preview.total, "payable": preview.payable}
    return {
        "rule": preview.rule.text,
        "time_zone": preview.time_zone,
        "occurrences": [occurrence_json(occurrence) for occurrence in preview.occurrences],
        "bookable": preview.bookable,
        **{n: amount(m, currency) if m is not None and currency else None for n, m in sums.items()},
    }


def move_json(reservation_id: UUID, move: Move) -> dict[str, Any]:
    return {
        **period_json(move.period),
        "reservation": str(reservation_id),
        "needs_approval": move.needs_approval,
        "refusals": [refusal_json(refusal) for refusal in move.refusals],
    }


# Requests


class SeriesBody(AskedBody, FundingBody):
    """`start` and `end` are of the first date that is tried."""

    service_mode = Choice(Instrument.ServiceMode.choices)
    purpose = PurposeBody()
    rule = Text(
        LONGEST_RULE,
        help_text="RFC 5545: DAILY, WEEKLY or MONTHLY, with INTERVAL, BYDAY, BYMONTHDAY, and COUNT "
        "or UNTIL.",
    )
    on_conflict = Choice(
        [(way, way) for way in ON_CONFLICT],
        default="refuse",
        help_text="`refuse`: all rows or none. `skip`: only rows that pass.",
    )
    dry_run = Flag(default=False, help_text="Only compute the result; nothing is saved.")


class SeriesCancelBody(ReasonBody):
    scope = Choice(WHICH)
    reservation = serializers.UUIDField(
        required=False, allow_null=True, help_text="The booking meant; not needed for `all`."
    )


class SeriesCancelQuery(Query):
    scope = Choice(WHICH)
    reservation = serializers.UUIDField(required=False)


class SeriesMoveBody(ReasonBody):
    """The new time of one; the others change by as much."""

    scope = Choice(WHICH)
    reservation = serializers.UUIDField()
    start = Instant()
    end = Instant()


class SeriesMoveQuery(Query):
    scope = Choice(WHICH)
    reservation = serializers.UUIDField()
    start = Instant()
    end = Instant()


class SeriesEndpoint(Endpoint):
    write_scope = "book"
    needs_person = True

    def series_json(self, series: Series) -> dict[str, Any]:
        rows = with_all(reservations_of(self.actor, series))
        return {
            "id": str(series.pk),
            "instrument": str(series.instrument_id),
            "rule": series.rule,
            "time_zone": series.time_zone,
            "start": rfc3339(series.starts_at),
            "minutes": series.minutes,
            "split_from": str(series.split_from_id) if series.split_from_id else None,
            "reservations": [reservation_json(row, self.actor, self.now) for row in rows],
            "version": series.version,
        }

    def answer(self, series: Series) -> Response:
        return Response(self.series_json(series), headers=etag(series.version))

    def made(self, made: SeriesMade) -> Response:
        series = made.series
        return Response(
            {
                **self.series_json(series),
                "skipped": [skipped_json(occurrence) for occurrence in made.skipped],
            },
            status=201,
            headers=etag(series.version)
            | {"Location": reverse("api-series-one", kwargs={"series_id": series.pk})},
        )


class SeriesCollection(SeriesEndpoint):
    @operation(
        "series_create",
        _("Book a series"),
        tag=TAG,
        takes=SeriesBody,
        gives=SeriesMadeShape,
        status=201,
        also={200: SeriesPreviewShape},
        refuses=[404, 409, 422],
        once=True,
        sends={
            "instrument": "0197a1de-0000-7000-8000-000000000002",
            "start": "2026-03-09T10:00:00+08:00",
            "end": "2026-03-09T12:00:00+08:00",
            "organisation": "wusong-tech",
            "service_mode": "self",
            "purpose": {"code": "research", "text": ""},
            "rule": "FREQ=WEEKLY;BYDAY=MO;COUNT=8",
            "on_conflict": "skip",
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """At most 200 dates by a rule, in the wall clock of the instrument: weekly 09:00 stays
        09:00 across clock changes. A time that a change skips moves forward; of one that exists
        twice the first counts. Each date is judged by all rules, those before it counted.

        With `dry_run` 200 and what it would come to, date by date; else 201, or a refusal that
        says with `booking`, from 0, which date it is of. Your own hold on the instrument is
        given back for it."""
        data = checked(SeriesBody, request.data)
        quantity, samples = samples_of(data)
        booking = Booking(
            instrument_id=data["instrument"],
            period=period_of(data),
            organisation=data.get("organisation"),
            service_mode=data["service_mode"],
            purpose=data["purpose"]["code"],
            purpose_text=data["purpose"]["text"],
            samples=samples,
            options=data.get("options", {}),
            quantity=quantity,
            funding=shares_of(data),
        )
        wanted: Asked = booking.asked

        def act() -> Response:
            if data["dry_run"]:
                preview = load_series_preview(
                    self.actor,
                    booking.instrument_id,
                    booking.organisation,
                    wanted,
                    data["rule"],
                    self.now,
                    shares=booking.funding,
                )
                return Response(preview_json(preview))
            return self.made(
                series_book(
                    actor=self.actor,
                    booking=booking,
                    rule=data["rule"],
                    on_conflict=data["on_conflict"],
                    now=self.now,
                )
            )

        return self.once(act)


class SeriesDetail(SeriesEndpoint):
    @operation("series", _("One series"), tag=TAG, gives=SeriesShape, refuses=[404])
    def get(self, request: Request, series_id: UUID) -> Response:
        """With all its bookings, in the order of the rule."""
        return self.answer(series_for(self.actor, series_id))


class SeriesCancel(SeriesEndpoint):
    @operation(
        "series_cancellation",
        _("What cancelling them now would cost"),
        tag=TAG,
        query=SeriesCancelQuery,
        gives=SeriesCancellationShape,
        refuses=[404, 409],
    )
    def get(self, request: Request, series_id: UUID) -> Response:
        """The fees of all that would be cancelled, added up. 409 if none is left."""
        query = asked(SeriesCancelQuery, request.query_params)
        found = load_series_cancellation(
            self.actor, series_id, query["scope"], query.get("reservation"), self.now
        )
        return Response(
            {
                "reservations": [str(row.pk) for row in found.reservations],
                "fee": amount(found.fee, found.currency),
                "tax": amount(found.tax, found.currency),
            }
        )

    @operation(
        "series_cancel",
        _("Cancel this, those that follow, or all"),
        tag=TAG,
        takes=SeriesCancelBody,
        gives=SeriesShape,
        refuses=[404, 409, 422],
        versioned=True,
        once=True,
        sends={"scope": "all", "reason": "The project has ended."},
    )
    def post(self, request: Request, series_id: UUID) -> HttpResponseBase:
        """Each by the rules of cancelling one, all or none. What has begun stays."""
        expected, data = expected_version(request), checked(SeriesCancelBody, request.data)

        def act() -> Response:
            return self.answer(
                series_cancel(
                    actor=self.actor,
                    series_id=series_id,
                    scope=data["scope"],
                    reservation_id=data.get("reservation"),
                    reason=data["reason"],
                    expected_version=expected,
                    now=self.now,
                )
            )

        return self.once(act)


class SeriesMove(SeriesEndpoint):
    @operation(
        "series_move_preview",
        _("Preview of other times"),
        tag=TAG,
        query=SeriesMoveQuery,
        gives=SeriesMovesShape,
        refuses=[404, 409],
    )
    def get(self, request: Request, series_id: UUID) -> Response:
        """Where each would go and what refuses it, those before it counted. Nothing is done."""
        query = asked(SeriesMoveQuery, request.query_params)
        found = load_series_move(
            self.actor,
            series_id,
            query["scope"],
            query["reservation"],
            period_of(query),
            self.now,
        )
        return Response({"moves": [move_json(row.pk, move) for row, move in found]})

    @operation(
        "series_move",
        _("Move this, those that follow, or all"),
        tag=TAG,
        takes=SeriesMoveBody,
        gives=SeriesShape,
        refuses=[404, 409, 422],
        versioned=True,
        once=True,
        sends={
            "scope": "following",
            "reservation": "0197a1de-0000-7000-8000-000000000009",
            "start": "2026-03-24T09:00:00+08:00",
            "end": "2026-03-24T11:00:00+08:00",
        },
    )
    def post(self, request: Request, series_id: UUID) -> HttpResponseBase:
        """One gets the new time, the others the same change on the wall clock, all or none: a
        refusal says with `booking`, from 0, which of those to be moved it is of. What has begun
        stays. The answer is the series they then belong to: one of its own, if some stay behind
        before them."""
        expected, data = expected_version(request), checked(SeriesMoveBody, request.data)
        period = period_of(data)

        def act() -> Response:
            return self.answer(
                series_move(
                    actor=self.actor,
                    series_id=series_id,
                    scope=data["scope"],
                    reservation_id=data["reservation"],
                    period=period,
                    reason=data["reason"],
                    expected_version=expected,
                    now=self.now,
                )
            )

        return self.once(act)
