"""The waiting list: entries for times that are taken, and the slots offered for them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.memberships import PersonShape
from accounts.api.pagination import Pages
from accounts.api.resource import Resource, creates, lists, reads, removes
from accounts.api.schema import PeriodShape
from accounts.api.shapes import Choice, Flag, Instant, ListOf, Money, Number, Shape, Text, TimeOfDay, Whole
from bookings.catalogue.api.asking import codes_in
from bookings.plans.models import WaitingWish
from bookings.plans.selectors.waiting import in_states, load_currencies, load_entries, wish_by_id, wishes_for
from bookings.plans.services.waiting import WishValues, wish_make, wish_withdraw
from instruments.register.models import Instrument


class WishBody(Shape):
    instrument = serializers.UUIDField()
    organisation = Text(40, required=False, help_text="Who pays: a code. Your only one, unless named.")
    service_mode = Choice(
        Instrument.ServiceMode.choices, required=False, help_text="Default: the first service mode offered."
    )
    earliest = Instant(help_text="Earliest start.")
    latest = Instant(help_text="Latest end.")
    minutes = Whole(min_value=1, max_value=44640)
    hours_from = TimeOfDay(
        required=False,
        allow_null=True,
        help_text="Earliest time of day at which the booking may begin, in the instrument's time zone. "
        "Without `hours_from` and `hours_until`, usual working hours are preferred.",
    )
    hours_until = TimeOfDay(
        required=False,
        allow_null=True,
        help_text="Time of day by which the booking must end; if not after `hours_from`, on the next day.",
    )
    any_equivalent = Flag(
        default=False, help_text="Whether another instrument with the same techniques is acceptable."
    )
    regions = ListOf(
        child=Text(60),
        default=list,
        help_text="Codes of the regions in which equivalent instruments are acceptable; the regions "
        "within them are included.",
    )
    max_price = Number(
        16,
        2,
        min_value=0,
        required=False,
        allow_null=True,
        help_text="Maximum total before tax and vouchers, in the currency of the instrument.",
    )


class WaitingOfferShape(PeriodShape):
    """A slot held for a waiting-list entry. `POST reservations/` with `hold` takes it, `DELETE holds/{id}/`
    declines it; after `expires_at` it is offered to the next in line."""

    start = Instant(source="start_at")
    end = Instant(source="end_at")
    hold = serializers.UUIDField(source="pk")
    instrument = serializers.UUIDField(source="instrument_id")
    expires_at = Instant(source="deadline_at")


class WishShape(serializers.Serializer[Any]):
    """An entry on the waiting list. `max_price` is null in other people's entries."""

    id = serializers.UUIDField()
    instrument = serializers.UUIDField(source="instrument_id")
    instrument_name = serializers.CharField(source="instrument.name")
    instrument_name_zh = serializers.CharField(source="instrument.name_zh")
    time_zone = serializers.CharField(source="instrument.facility.time_zone")
    user = PersonShape()
    organisation = serializers.CharField(
        source="organisation.code", help_text="Code of the paying organisation."
    )
    service_mode = serializers.ChoiceField(Instrument.ServiceMode.choices)
    earliest = Instant()
    latest = Instant()
    minutes = serializers.IntegerField()
    hours_from = TimeOfDay(allow_null=True)
    hours_until = TimeOfDay(allow_null=True)
    any_equivalent = serializers.BooleanField()
    regions = serializers.ListField(child=serializers.CharField(), source="region_codes")
    instruments = serializers.ListField(
        child=serializers.UUIDField(), help_text="The acceptable instruments found by the last search."
    )
    max_price = Money(allow_null=True, source="price")
    state = serializers.ChoiceField(WaitingWish.State.choices, source="entry.state")
    place = serializers.IntegerField(
        allow_null=True,
        source="entry.rank",
        help_text="Position in the line for the instrument, from 1, while waiting.",
    )
    offer = WaitingOfferShape(
        allow_null=True, source="entry.offer", help_text="The slot that is held for it now."
    )
    reservation = serializers.UUIDField(
        allow_null=True, source="entry.taken.pk", help_text="The booking made from it."
    )
    created_at = Instant()
    ended_at = Instant(allow_null=True, source="entry.ended_at")
    version = serializers.IntegerField()


class WishQuery(Pages):
    state = Text(80, default="", help_text="One or more states, separated by commas.")
    instrument = serializers.UUIDField(required=False)


class WaitingList(Resource):
    for_persons = True
    at, key, name, many = "waiting-list/", "wish_id", "waiting_wish", "waiting_list"
    tag, shape, write_scope, needs_person = "reservations", WishShape, "book", True

    def visible(self, pk: UUID) -> WaitingWish:
        return wish_by_id(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        """Return the entries with their present state; the price limit is shown only to the person whose
        entry it is."""
        own = [wish for wish in rows if wish.user_id == self.actor.user_id]
        currencies = load_currencies(own) if own else {}
        for wish, entry in zip(rows, load_entries(rows, self.now), strict=True):
            wish.entry, wish.currency = entry, currencies.get(wish.pk)
            wish.price = wish.max_price if wish.currency is not None else None
            wish.region_codes = sorted(region.code for region in wish.regions.all())
        return rows

    @lists(_("The waiting list"), WishQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[WaitingWish]:
        """Return your own entries and, for managers of a host, those for its instruments; the newest first.
        Entries are served in the order in which they were made."""
        rows = wishes_for(self.actor)
        if query["state"]:
            states = codes_in(query["state"], "state", WaitingWish.State.values)
            rows = in_states(rows, states, self.now)
        if "instrument" in query:
            rows = rows.filter(instrument_id=query["instrument"])
        return rows

    @creates(
        _("Join the waiting list"),
        WishBody,
        named="waiting_list_join",
        refuses=[404, 409, 422],
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
    def join(self, data: dict[str, Any]) -> UUID:
        """Join the waiting list. A slot that becomes free in the window is held for the first person in line
        whom it fits; they are told by mail and have until `offer.expires_at` to take it, then the next is
        offered it. A slot that is free already is offered at once. Only slots that the person could book are
        offered: all rules and the price are checked. At most ten entries at a time (409 `too-many-wishes`),
        and no entry twice (409 `already-waiting`)."""
        defaults = {"organisation": None, "service_mode": ""}
        values = WishValues(instrument_id=data.pop("instrument"), **defaults | data)
        return wish_make(self.by, values=values).pk

    @reads(_("A waiting-list entry"))
    def detail(self, pk: UUID) -> None:
        """Return an entry as it is now, with its place in line and the slot offered for it."""

    @removes(_("Leave the list"), named="waiting_list_leave", refuses=[404, 409])
    def leave(self, pk: UUID) -> None:
        """Leave the waiting list. Only the person whose entry it is may do this. A slot held for it is
        offered to the next."""
        wish_withdraw(self.by, wish_id=pk)
