"""Recurring bookings: previewing and making them, changing some or all of them."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.resource import Resource, acts, creates, reads, rendered, tells
from accounts.api.schema import PeriodShape
from accounts.api.shapes import Choice, Flag, Instant, Money, Query, ReasonBody, Text
from bookings.catalogue.api.asking import AcceptingBody, AskedBody, FundingBody, period_of
from bookings.catalogue.api.refusals import Refusals
from bookings.questions.selectors.questions import owing_at_booking
from bookings.record.api.shapes import IdOf
from bookings.reserving.api.reservations import PurposeBody, ReservationShape, booking_of, prepared, with_all
from bookings.series.domain.series import SCOPES
from bookings.series.models import Series
from bookings.series.selectors import series
from bookings.series.selectors.series_moves import load_series_move
from bookings.series.services.series import ON_CONFLICT, series_book, series_cancel
from bookings.series.services.series_moves import series_move
from instruments.register.models import Instrument

LONGEST_RULE = 300
WHICH = [(scope, scope) for scope in SCOPES]


# Answers


class SkippedShape(PeriodShape):
    """A date that was left out, and why."""

    start = Instant(source="period.start")
    end = Instant(source="period.end")
    refusals = Refusals()


class OccurrenceShape(SkippedShape):
    """A date of a series: what refuses it, counting the dates before it, and what it would cost."""

    total = Money(
        allow_null=True,
        source="quote.total",
        currency="quote.currency",
        help_text="Null if the price group has no price on that day.",
    )
    payable = Money(
        allow_null=True,
        source="quote.payable",
        currency="quote.currency",
        help_text="After vouchers, allowing for the bookings before it.",
    )


class SeriesPreviewShape(serializers.Serializer[Any]):
    """The bookings that a series would make."""

    rule = serializers.CharField(source="rule.text")
    time_zone = serializers.CharField()
    occurrences = OccurrenceShape(many=True)
    bookable = serializers.IntegerField(help_text="Number of rows that can be booked.")
    owes_answers = serializers.BooleanField(
        default=False,
        help_text="Whether the owner's questions must be answered for each date before check-in.",
    )
    total = Money(allow_null=True, help_text="Total of the rows that can be booked.")
    payable = Money(allow_null=True, help_text="Total of the rows that can be booked, after vouchers.")


class SeriesShape(serializers.Serializer[Any]):
    """Bookings of one instrument by a rule, including those that were moved separately, were cancelled or
    have ended."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id")
    rule = serializers.CharField(
        help_text="RFC 5545 rule. Empty: after a change, no single rule describes the series."
    )
    time_zone = serializers.CharField()
    start = Instant(source="starts_at")
    minutes = serializers.IntegerField()
    split_from = serializers.UUIDField(
        allow_null=True, source="split_from_id", help_text="Id of the series from which this one was split."
    )
    reservations = ReservationShape(many=True, source="bookings")
    version = serializers.IntegerField()


class SeriesMadeShape(SeriesShape):
    """A new series, with the dates that were left out."""

    skipped = SkippedShape(many=True)


class SeriesCancellationShape(serializers.Serializer[Any]):
    """The total cost of cancelling bookings of a series now; the tax is on the fee."""

    reservations = serializers.ListField(child=IdOf())
    fee = Money()
    tax = Money()


class SeriesMoveShape(PeriodShape):
    """The time to which a booking would move."""

    start = Instant(source="period.start")
    end = Instant(source="period.end")
    reservation = serializers.UUIDField()
    needs_approval = serializers.BooleanField()
    refusals = Refusals()


class SeriesMovesShape(serializers.Serializer[Any]):
    """The result of moving several bookings, in the order of the rule."""

    moves = SeriesMoveShape(many=True)


# Requests


class SeriesBody(AskedBody, FundingBody, AcceptingBody):
    """A recurring booking to make; `start` and `end` are those of the first date."""

    service_mode = Choice(Instrument.ServiceMode.choices)
    purpose = PurposeBody()
    rule = Text(
        LONGEST_RULE,
        help_text="RFC 5545 rule: DAILY, WEEKLY or MONTHLY, with INTERVAL, BYDAY, BYMONTHDAY, and COUNT "
        "or UNTIL.",
    )
    on_conflict = Choice(
        [(way, way) for way in ON_CONFLICT],
        default="refuse",
        help_text="`refuse`: book all rows or none. `skip`: book only the rows that can be booked.",
    )
    dry_run = Flag(default=False, help_text="Only compute the result; nothing is saved.")


class SeriesCancelBody(ReasonBody):
    scope = Choice(WHICH)
    reservation = serializers.UUIDField(
        required=False, allow_null=True, help_text="Id of the booking to start from; not needed for `all`."
    )


class SeriesCancelQuery(Query):
    scope = Choice(WHICH)
    reservation = serializers.UUIDField(required=False)


class SeriesMoveBody(ReasonBody):
    """The new time of one booking; the others in scope change by the same amount."""

    scope = Choice(WHICH)
    reservation = serializers.UUIDField()
    start = Instant()
    end = Instant()


class SeriesMoveQuery(Query):
    scope = Choice(WHICH)
    reservation = serializers.UUIDField()
    start = Instant()
    end = Instant()


class SeriesCollection(Resource):
    at, key, name, many, tag = "series/", "series_id", "series", "series", "reservations"
    shape, write_scope, needs_person = SeriesShape, "book", True

    def visible(self, pk: UUID) -> Series:
        return series.series_for(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            bookings = with_all(series.reservations_of(self.actor, row))
            row.bookings = prepared(bookings, self.actor, self.now)
        return rows

    def location(self, row: Series) -> str:
        return reverse("api-series-one", kwargs={self.key: row.pk})

    @creates(
        _("Book a series"),
        SeriesBody,
        gives=SeriesMadeShape,
        also={200: SeriesPreviewShape},
        refuses=[404, 409, 422],
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
    def create(self, data: dict[str, Any]) -> Response:
        """Book at most 200 dates by a rule, in the instrument's time zone: weekly 09:00 stays 09:00 across
        clock changes. A time that a change skips moves forward; of one that occurs twice the first counts.
        Each date is checked by all rules, counting the dates before it.

        With `dry_run` 200 and the result of each date; otherwise 201, or a refusal that names its date with
        `booking`, counted from 0. Your own hold on the instrument is released for it.
        """
        booking = booking_of(data)
        if data["dry_run"]:
            preview = series.load_series_preview(
                self.actor,
                booking.instrument_id,
                booking.organisation,
                booking.enquiry,
                data["rule"],
                self.now,
                shares=booking.funding,
                accepts=booking.house_rules,
                asks_rules=True,
            )
            shown = rendered(SeriesPreviewShape, preview)
            asked = Instrument.objects.only("booking_questions").filter(pk=booking.instrument_id)
            return Response(shown | {"owes_answers": bool(owing_at_booking(asked))})
        rule, on_conflict = data["rule"], data["on_conflict"]
        booked = series_book(self.by, booking=booking, rule=rule, on_conflict=on_conflict)
        answer = self.one(booked.series, status=201)
        answer.data["skipped"] = [rendered(SkippedShape, each) for each in booked.skipped]
        return answer

    @reads(_("A series"), address="api-series-one")
    def detail(self, pk: UUID) -> None:
        """Return a series with all its bookings, in the order of the rule."""

    @tells(
        _("Cost of cancelling dates of a series now"),
        SeriesCancellationShape,
        below="cancel",
        named="_cancellation",
        query=SeriesCancelQuery,
        refuses=[404, 409],
    )
    def cancellation(self, pk: UUID, query: dict[str, Any]) -> series.SeriesCancellation:
        """Return the fees for cancelling the bookings in scope, added up. 409 if none is left."""
        this = query.get("reservation")
        return series.load_series_cancellation(self.actor, pk, query["scope"], this, self.now)

    @acts(
        _("Cancel one date, the following ones as well, or all"),
        SeriesCancelBody,
        refuses=[404, 409, 422],
        sends={"scope": "all", "reason": "The project has ended."},
    )
    def cancel(self, pk: UUID, data: dict[str, Any]) -> Series:
        """Cancel the bookings in scope, each by the rules for cancelling one, all or none. Bookings that have
        begun stay."""
        this = data.pop("reservation", None)
        return series_cancel(self.by, series_id=pk, reservation_id=this, **data)

    @tells(
        _("Preview of new times"),
        SeriesMovesShape,
        below="move",
        named="_move_preview",
        query=SeriesMoveQuery,
        refuses=[404, 409],
    )
    def preview(self, pk: UUID, query: dict[str, Any]) -> dict[str, Any]:
        """Preview a move: where each booking in scope would go and what refuses it, counting those before it.
        Nothing changes."""
        scope, this = query["scope"], query["reservation"]
        moves = load_series_move(self.actor, pk, scope, this, period_of(query), self.now)
        return {"moves": [vars(move) | {"reservation": row.pk} for row, move in moves]}

    @acts(
        _("Move one date, the following ones as well, or all"),
        SeriesMoveBody,
        refuses=[404, 409, 422],
        sends={
            "scope": "following",
            "reservation": "0197a1de-0000-7000-8000-000000000009",
            "start": "2026-03-24T09:00:00+08:00",
            "end": "2026-03-24T11:00:00+08:00",
        },
    )
    def move(self, pk: UUID, data: dict[str, Any]) -> Series:
        """Move one booking to the new time and the others in scope by the same amount on the wall clock, all
        or none: a refusal names its booking among those to move with `booking`, counted from 0. Bookings that
        have begun stay. The answer is the series to which they then belong, a new one if some bookings stay
        behind before them."""
        return series_move(
            self.by,
            series_id=pk,
            scope=data["scope"],
            reservation_id=data["reservation"],
            period=period_of(data),
            reason=data["reason"],
        )
