"""The waiting list: wishes for time that is taken, and what is offered for them."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import PeriodShape, operation, page
from accounts.api.shapes import (
    Choice,
    Flag,
    Instant,
    ListOf,
    Money,
    Number,
    Shape,
    Text,
    TimeOfDay,
    Whole,
    amount,
    asked,
    checked,
    rfc3339,
)
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import invalid
from bookings.plans.models import WaitingWish
from bookings.plans.selectors.waiting import (
    Entry,
    in_states,
    load_currencies,
    load_entries,
    wish_by_id,
    wishes_for,
)
from bookings.plans.services.waiting import Wanted, wish_make, wish_withdraw
from bookings.record.models import Reservation
from instruments.models import Instrument

TAG = "reservations"


class WishBody(Shape):
    instrument = serializers.UUIDField()
    organisation = Text(
        40, required=False, help_text="Who pays: a code. Your only one, unless named."
    )
    service_mode = Choice(
        Instrument.ServiceMode.choices, required=False, help_text="The first offered, unless named."
    )
    earliest = Instant(help_text="It begins no sooner.")
    latest = Instant(help_text="Latest end.")
    minutes = Whole(min_value=1, max_value=44640)
    hours_from = TimeOfDay(
        required=False,
        allow_null=True,
        help_text="It begins no sooner in the day, by the instrument's own clock. Neither named: "
        "usual working hours come first.",
    )
    hours_until = TimeOfDay(
        required=False,
        allow_null=True,
        help_text="It is over by then; at or before `hours_from`: on the next day.",
    )
    any_equivalent = Flag(
        default=False, help_text="Another instrument of the same techniques is accepted too."
    )
    regions = ListOf(
        child=Text(60),
        default=list,
        help_text="Codes: equivalent instruments of these, and of those below them, only.",
    )
    max_price = Number(
        16,
        2,
        min_value=0,
        required=False,
        allow_null=True,
        help_text="Total before tax and vouchers, in the currency of the instrument.",
    )


class WishPersonShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class WaitingOfferShape(PeriodShape):
    """A slot held for the wish. `POST reservations/` with `hold` takes it, `DELETE holds/{id}/`
    declines it; after `expires_at` it goes to the next."""

    hold = serializers.UUIDField()
    instrument = serializers.UUIDField()
    expires_at = Instant()


class WishShape(serializers.Serializer[Any]):
    """A wish on the waiting list. `max_price` is null in the wishes of others."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField()
    instrument_name = serializers.CharField()
    instrument_name_zh = serializers.CharField()
    time_zone = serializers.CharField()
    user = WishPersonShape()
    organisation = serializers.CharField(help_text="The payer.")
    service_mode = serializers.ChoiceField(Instrument.ServiceMode.choices)
    earliest = Instant()
    latest = Instant()
    minutes = serializers.IntegerField()
    hours_from = TimeOfDay(allow_null=True)
    hours_until = TimeOfDay(allow_null=True)
    any_equivalent = serializers.BooleanField()
    regions = serializers.ListField(child=serializers.CharField())
    instruments = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="Instruments that are acceptable, as of the last search.",
    )
    max_price = Money(allow_null=True)
    state = serializers.ChoiceField(WaitingWish.State.choices)
    place = serializers.IntegerField(
        allow_null=True, help_text="In the line for its instrument, from 1, while it waits."
    )
    offer = WaitingOfferShape(allow_null=True, help_text="What is held for it now.")
    reservation = serializers.UUIDField(allow_null=True, help_text="The result.")
    created_at = Instant()
    ended_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class WishQuery(Pages):
    state = Text(80, default="", help_text="One or several, separated by commas.")
    instrument = serializers.UUIDField(required=False)


def offer_json(held: Reservation) -> dict[str, Any]:
    return {
        "hold": str(held.pk),
        "instrument": str(held.instrument_id),
        "start": rfc3339(held.start_at),
        "end": rfc3339(held.end_at),
        "expires_at": rfc3339(held.deadline_at) if held.deadline_at else None,
    }


def wish_json(entry: Entry, currency: str | None) -> dict[str, Any]:
    """`currency` None: its price is not the reader's to know."""
    wish = entry.wish
    is_priced = wish.max_price is not None and currency is not None
    return {
        "id": str(wish.pk),
        "instrument": str(wish.instrument_id),
        "instrument_name": wish.instrument.name,
        "instrument_name_zh": wish.instrument.name_zh,
        "time_zone": wish.instrument.facility.time_zone,
        "user": {"id": str(wish.user_id), "name": str(wish.user)},
        "organisation": wish.organisation.code,
        "service_mode": wish.service_mode,
        "earliest": rfc3339(wish.earliest),
        "latest": rfc3339(wish.latest),
        "minutes": wish.minutes,
        "hours_from": f"{wish.hours_from:%H:%M}" if wish.hours_from else None,
        "hours_until": f"{wish.hours_until:%H:%M}" if wish.hours_until else None,
        "any_equivalent": wish.any_equivalent,
        "regions": sorted(region.code for region in wish.regions.all()),
        "instruments": [str(pk) for pk in wish.instruments],
        "max_price": amount(wish.max_price, currency) if is_priced else None,  # type: ignore[arg-type]
        "state": entry.state,
        "place": entry.rank,
        "offer": offer_json(entry.offer) if entry.offer else None,
        "reservation": str(entry.taken.pk) if entry.taken else None,
        "created_at": rfc3339(wish.created_at),
        "ended_at": rfc3339(entry.ended_at) if entry.ended_at else None,
        "version": wish.version,
    }


def _states(text: str) -> list[str]:
    states = [state.strip() for state in text.split(",") if state.strip()]
    if not set(states) <= set(WaitingWish.State.values):
        raise invalid("state", "unknown-value")
    return states


class WaitingEndpoint(Endpoint):
    """What the addresses of the waiting list share."""

    write_scope = "book"
    needs_person = True

    def shown(self, wishes: list[WaitingWish]) -> list[dict[str, Any]]:
        """As they are now."""
        own = [wish for wish in wishes if wish.user_id == self.actor.user_id]
        currencies = load_currencies(own) if own else {}
        return [
            wish_json(entry, currencies.get(entry.wish.pk))
            for entry in load_entries(wishes, self.now)
        ]

    def one(self, wish_id: UUID, status: int = 200) -> Response:
        wish = wish_by_id(self.actor, wish_id)
        headers = etag(wish.version)
        if status == 201:
            headers["Location"] = reverse("api-waiting-wish", kwargs={"wish_id": wish.pk})
        return Response(self.shown([wish])[0], status=status, headers=headers)


class WaitingList(WaitingEndpoint):
    @operation(
        "waiting_list", _("The waiting list"), tag=TAG, query=WishQuery, gives=page(WishShape)
    )
    def get(self, request: Request) -> Response:
        """One's own wishes, and for managers of a host those for its instruments; the newest
        first. They are served in the order in which they were made."""
        query = asked(WishQuery, request.query_params)
        rows = wishes_for(self.actor)
        if query["state"]:
            rows = in_states(rows, _states(query["state"]), self.now)
        if "instrument" in query:
            rows = rows.filter(instrument_id=query["instrument"])
        return paginated(request, rows, query, ("-created_at", "-id"), self.shown)

    @operation(
        "waiting_list_join",
        _("Join the waiting list"),
        tag=TAG,
        takes=WishBody,
        gives=WishShape,
        status=201,
        refuses=[404, 409, 422],
        once=True,
        sends={
            "instrument": "0197a1de-0000-7000-8000-000000000002",
            "organisation": "wusong-tech",
            "service_mode": "self",
            "earliest": "2026-03-06T08:00:00+08:00",
            "latest": "2026-03-13T20:00:00+08:00",
            "minutes": 120,
            "any_equivalent": True,
            "regions": ["CN-SH"],
            "max_price": "800.00",
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """What comes free in the window is held for the first in line whom it fits, who is
        told by mail and has until `offer.expires_at` to take it; then it goes to the next. What
        is free already is offered at once. Nobody is offered what they could not book: all
        rules are asked, and the price. At most ten at a time (409 `too-many-wishes`), none
        twice (409 `already-waiting`)."""
        data = checked(WishBody, request.data)
        wanted = Wanted(
            instrument_id=data["instrument"],
            organisation=data.get("organisation"),
            service_mode=data.get("service_mode", ""),
            earliest=data["earliest"],
            latest=data["latest"],
            minutes=data["minutes"],
            hours_from=data.get("hours_from"),
            hours_until=data.get("hours_until"),
            any_equivalent=data["any_equivalent"],
            regions=tuple(data["regions"]),
            max_price=data.get("max_price"),
        )

        def join() -> Response:
            made = wish_make(actor=self.actor, wanted=wanted, now=self.now)
            return self.one(made.pk, status=201)

        return self.once(join)


class WaitingWishDetail(WaitingEndpoint):
    @operation("waiting_wish", _("One waiting-list entry"), tag=TAG, gives=WishShape, refuses=[404])
    def get(self, request: Request, wish_id: UUID) -> Response:
        """As it is now, with its place in line and what is offered for it."""
        return self.one(wish_id)

    @operation(
        "waiting_list_leave",
        _("Leave the list"),
        tag=TAG,
        gives=None,
        status=204,
        refuses=[404, 409],
        versioned=True,
    )
    def delete(self, request: Request, wish_id: UUID) -> Response:
        """For the person whose wish it is. What is held for it goes to the next."""
        wish_withdraw(
            actor=self.actor,
            wish_id=wish_id,
            expected_version=expected_version(request),
            now=self.now,
        )
        return Response(status=204)
