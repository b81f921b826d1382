"""Hand-offs of results, as far as each person may see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from accounts.domain.errors import NotFound, NotPermitted
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import takes_part, visible_to
from bookings.results.domain.handoffs import (
    AWAITED,
    DUE_DAYS,
    DUE_MODES,
    KEEP_DAYS,
    READABLE,
)
from bookings.results.locks import WITH
from bookings.results.models import HandOff, HostStorage, ResultFile, ResultTerms
from instruments.selectors.registry import instrument_by_id


def every_hand_off() -> QuerySet[HandOff]:
    """Return all of them, with what their pages show; the newest first."""
    return HandOff.objects.select_related(*WITH).order_by("-created_at", "-id")


def hand_offs_for(actor: Actor) -> QuerySet[HandOff]:
    """Return those of the bookings that the actor may see."""
    seen = Reservation.objects.filter(visible_to(actor)).order_by().values("pk")
    return every_hand_off().filter(reservation__in=seen)


def hand_off_by_id(actor: Actor, hand_off_id: UUID) -> HandOff:
    """Return one of them; `NotFound` if there is none, or it is not the actor's to see."""
    return visible(hand_offs_for(actor), pk=hand_off_id)


def hand_off_to_fill(actor: Actor, hand_off_id: UUID) -> HandOff:
    """Return one whose files the actor uploads: a manager of the host. `NotFound`, or
    `NotPermitted` for whoever may only see it."""
    hand_off = hand_off_by_id(actor, hand_off_id)
    if not hands_over(actor, hand_off):
        raise NotPermitted(capability="manage-instruments")
    return hand_off


def announced_for(reservation_id: UUID) -> HandOff | None:
    """Return the last hand-off of a booking, for whoever may see the booking: any before it was
    withdrawn."""
    return HandOff.objects.filter(reservation=reservation_id).order_by("-created_at").first()


def hands_over(actor: Actor, hand_off: HandOff) -> bool:
    """Return whether the actor uploads, seals and releases: a manager of the host."""
    return actor.may("manage-instruments", place_of(hand_off.host))


def collects(actor: Actor, hand_off: HandOff) -> bool:
    """Return whether the results are for the actor: who `takes_part`, and the payer's managers."""
    booking = hand_off.reservation
    return takes_part(actor, booking) or actor.may(
        "book-for-members", place_of(booking.organisation)
    )


def sees_files(actor: Actor, hand_off: HandOff) -> bool:
    """Return whether the actor is told which files there are: the host always, the others once
    they are released."""
    return hands_over(actor, hand_off) or hand_off.state in READABLE


def overdue(now: datetime) -> Q:
    """The condition for a hand-off that should be there and is not."""
    return Q(state__in=AWAITED, due_at__lte=now)


def with_sizes(rows: QuerySet[HandOff]) -> QuerySet[HandOff]:
    """The hand-offs with the number of their files, their bytes, and how many of these came."""
    of = ResultFile.objects.filter(hand_off=OuterRef("pk")).order_by().values("hand_off")

    def one(value: Count | Sum) -> Coalesce:
        return Coalesce(Subquery(of.annotate(x=value).values("x")), Value(0), output_field=_BIG)

    return rows.annotate(
        file_count=one(Count("pk")), bytes_total=one(Sum("size")), bytes_here=one(Sum("received"))
    )


_BIG = BigIntegerField()


def terms_of(instrument_id: UUID) -> ResultTerms:
    """Return what is promised of an instrument's results; as usual, where nothing else is said."""
    return ResultTerms.objects.filter(pk=instrument_id).first() or ResultTerms(
        instrument_id=instrument_id, due_days=DUE_DAYS, keep_days=KEEP_DAYS, modes=[*DUE_MODES]
    )


def hand_offs_of(rows: QuerySet[HandOff], query: Mapping[str, Any]) -> QuerySet[HandOff]:
    """The hand-offs of one booking, or in one state, where a query names them."""
    if reservation := query.get("reservation"):
        rows = rows.filter(reservation=reservation)
    if state := query.get("state"):
        rows = rows.filter(state=state)
    return rows


def files_for(actor: Actor, hand_off: HandOff) -> QuerySet[ResultFile]:
    """Return the files of a hand-off, by path, as far as the actor is told of them."""
    rows = ResultFile.objects.filter(hand_off=hand_off).order_by("path_key", "id")
    return rows if sees_files(actor, hand_off) else rows.none()


def terms_for(actor: Actor, instrument_id: UUID) -> ResultTerms:
    """Return what is promised of the results of an instrument that the actor may see."""
    return terms_of(instrument_by_id(actor, instrument_id).pk)


def bytes_coming() -> int:
    """Return how many bytes are still to come of all files that were begun."""
    rows = ResultFile.objects.filter(state=ResultFile.State.UPLOADING)
    total: int | None = rows.aggregate(bytes=Sum(F("size") - F("received")))["bytes"]
    return total or 0


def storages_for(actor: Actor) -> QuerySet[HostStorage]:
    """Return the storage of hosts whose managers the actor is one of; for administrators all."""
    rows = HostStorage.objects.select_related("organisation").order_by("organisation__code")
    if actor.has("administrator"):
        return rows
    return rows.filter(organisation_id__in=actor.organisations_where("manage-instruments"))


def storage_for(actor: Actor, organisation_id: UUID) -> HostStorage:
    """Return one of them; empty where the host has none yet. `NotFound` for everybody else."""
    row = storages_for(actor).filter(pk=organisation_id).first()
    if row is not None:
        return row
    mine = organisation_id in actor.organisations_where("manage-instruments")
    if not (mine or actor.has("administrator")):
        raise NotFound
    return HostStorage(organisation=visible(Organisation.objects, pk=organisation_id))
