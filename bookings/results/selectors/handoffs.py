"""Deliveries of results, as far as each person may see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import NotFound, NotPermitted
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from bookings.pricing.selectors.bookings import WORDS
from bookings.pricing.selectors.charges import BOOKING
from bookings.record.models import Reservation
from bookings.record.selectors.lists import CHOICE, FLAG, ID, Column, Filter, Listing
from bookings.record.selectors.reservations import operated_by, takes_part, taking_part, visible_to
from bookings.results.domain.handoffs import (
    AWAITED,
    CONFIRMABLE,
    DUE_DAYS,
    DUE_MODES,
    HAPPENS,
    KEEP_DAYS,
    may,
    pointer_digest,
)
from bookings.results.locks import WITH
from bookings.results.models import HandOff, HostStorage, ResultFile, ResultTerms
from instruments.register.selectors.registry import instrument_by_id


def every_hand_off() -> QuerySet[HandOff]:
    """Return all deliveries, with what their pages show; the newest first."""
    return HandOff.objects.select_related(*WITH).order_by("-created_at", "-id")


def hand_offs_for(actor: Actor) -> QuerySet[HandOff]:
    """Return the deliveries of the bookings that the actor may see."""
    seen = Reservation.objects.filter(visible_to(actor) | operated_by(actor)).order_by().values("pk")
    return every_hand_off().filter(reservation__in=seen)


def hand_off_by_id(actor: Actor, hand_off_id: UUID) -> HandOff:
    """Return a delivery that the actor may see; raise `NotFound` otherwise."""
    return visible(hand_offs_for(actor), pk=hand_off_id)


def hand_off_to_fill(actor: Actor, hand_off_id: UUID) -> HandOff:
    """Return a delivery to which the actor may upload files, as a manager of the host. Raise `NotFound`, or
    `NotPermitted` if they may only see it."""
    hand_off = hand_off_by_id(actor, hand_off_id)
    if not hands_over(actor, hand_off):
        raise NotPermitted(at=hand_off.host.pk, capability="operate-instruments")
    return hand_off


def announced_for(reservation_id: UUID) -> HandOff | None:
    """Return the latest delivery of a booking, for callers that know that the reader may see the booking;
    earlier ones were withdrawn."""
    return HandOff.objects.filter(reservation=reservation_id).order_by("-created_at", "-pk").first()


def hands_over(actor: Actor, hand_off: HandOff) -> bool:
    """Say whether the actor uploads, seals and releases results: whoever operates the instrument for the
    host."""
    return actor.may("operate-instruments", place_of(hand_off.host, hand_off.reservation.instrument))


def offers(actor: Actor, hand_off: HandOff, act: str) -> bool:
    """Return whether the actor may do this to the delivery as it is: seal, release, point, withdraw."""
    is_held = hand_off.held_at is not None
    return hands_over(actor, hand_off) and may(hand_off.state, act, is_held=is_held)


def collects(actor: Actor, hand_off: HandOff) -> bool:
    """Say whether the results are for the actor: those for whom `takes_part` holds, and the payer's
    managers."""
    booking = hand_off.reservation
    return takes_part(actor, booking) or actor.may("book-for-members", place_of(booking.organisation))


def sees_files(actor: Actor, hand_off: HandOff) -> bool:
    """Say whether the actor may see which files there are, or where they are kept: the host always, others
    once they are released."""
    return hands_over(actor, hand_off) or hand_off.state in CONFIRMABLE


def digest_of(hand_off: HandOff) -> str:
    """Return what recipients confirm: the digest of the manifest, or of where the results are kept at the
    host. It is empty while there is nothing to confirm."""
    if hand_off.state != "pointed":
        return hand_off.manifest_digest
    return pointer_digest(
        hand_off.pointer_protocol, hand_off.pointer_host, hand_off.pointer_path, hand_off.pointer_checksums
    )


def load_again(actor: Actor, hand_off: HandOff) -> dict[str, Any]:
    """Return, for a delivery that was withdrawn, the one that followed it (`follows`), or whether the actor
    may begin one (`may_again`). One statement, none for other deliveries."""
    if hand_off.state != "withdrawn":
        return {}
    last = announced_for(hand_off.reservation_id)
    if last is not None and last.pk != hand_off.pk:
        return {"follows": last}
    return {"may_again": hands_over(actor, hand_off) and hand_off.reservation.state in HAPPENS}


def overdue(now: datetime) -> Q:
    """Return the condition for deliveries that are overdue."""
    return Q(state__in=AWAITED, due_at__lte=now)


def to_collect(rows: QuerySet[HandOff], actor: Actor) -> QuerySet[HandOff]:
    """Return those of the deliveries of which the actor's side can read what nobody has collected."""
    return rows.filter(taking_part(actor, "reservation__"), state__in=CONFIRMABLE, collected_at=None)


def results_to_collect(actor: Actor, now: datetime) -> QuerySet[HandOff]:
    """Return the deliveries that wait for the actor to collect them, those of `to_collect`."""
    return to_collect(every_hand_off(), actor)


def to_deliver(rows: QuerySet[HandOff], actor: Actor, now: datetime) -> QuerySet[HandOff]:
    """Return the overdue deliveries among `rows` whose instruments the actor operates."""
    operated = Reservation.objects.filter(operated_by(actor)).order_by().values("pk")
    return rows.filter(overdue(now), reservation__in=operated)


def results_to_deliver(actor: Actor, now: datetime) -> QuerySet[HandOff]:
    """Return the deliveries that wait for the actor to deliver them, those of `to_deliver`."""
    return to_deliver(every_hand_off(), actor, now)


def with_sizes(rows: QuerySet[HandOff]) -> QuerySet[HandOff]:
    """Return the deliveries with the number of their files, their bytes, and how many bytes have arrived."""
    of = ResultFile.objects.filter(hand_off=OuterRef("pk")).order_by().values("hand_off")

    def one(value: Count | Sum) -> Coalesce:
        return Coalesce(Subquery(of.annotate(x=value).values("x")), Value(0), output_field=_BIG)

    return rows.annotate(
        file_count=one(Count("pk")), bytes_total=one(Sum("size")), bytes_here=one(Sum("received"))
    )


_BIG = BigIntegerField()


def terms_of(instrument_id: UUID) -> ResultTerms:
    """Return the terms of an instrument for its results; the usual ones if its host has set none."""
    return ResultTerms.objects.filter(pk=instrument_id).first() or ResultTerms(
        instrument_id=instrument_id, due_days=DUE_DAYS, keep_days=KEEP_DAYS, modes=[*DUE_MODES]
    )


def files_for(actor: Actor, hand_off: HandOff) -> QuerySet[ResultFile]:
    """Return the files of a delivery that the actor may know of, by path."""
    rows = ResultFile.objects.filter(hand_off=hand_off).order_by("path_key", "id")
    return rows if sees_files(actor, hand_off) else rows.none()


def terms_for(actor: Actor, instrument_id: UUID) -> ResultTerms:
    """Return the terms for the results of an instrument that the actor may see."""
    return terms_of(instrument_by_id(actor, instrument_id).pk)


def bytes_coming() -> int:
    """Return how many bytes are still missing of all files that were begun."""
    rows = ResultFile.objects.filter(state=ResultFile.State.UPLOADING)
    total: int | None = rows.aggregate(bytes=Sum(F("size") - F("received")))["bytes"]
    return total or 0


def storages_for(actor: Actor) -> QuerySet[HostStorage]:
    """Return the storage of hosts that the actor manages; for administrators all."""
    rows = HostStorage.objects.select_related("organisation").order_by("organisation__code")
    if actor.has("administrator"):
        return rows
    return rows.filter(organisation_id__in=actor.organisations_where("manage-instruments"))


def storage_for(actor: Actor, organisation_id: UUID) -> HostStorage:
    """Return a host's storage settings, empty if it has none yet; raise `NotFound` for people who may not
    read them."""
    row = storages_for(actor).filter(pk=organisation_id).first()
    if row is not None:
        return row
    mine = organisation_id in actor.organisations_where("manage-instruments")
    if not (mine or actor.has("administrator")):
        raise NotFound
    return HostStorage(organisation=visible(Organisation.objects, pk=organisation_id))


RESULTS = Listing(
    "results",
    lambda actor: with_sizes(hand_offs_for(actor)),
    (
        Column("result", "pk"),
        Column("booking", "reservation.pk"),
        Column("instrument", "reservation.instrument.name"),
        Column("start", "reservation.start_at", _("Booking"), "reservation__start_at"),
        Column("person", "reservation.user", _("Person"), "reservation__user__name"),
        Column("payer", "reservation.organisation.code"),
        Column("state", "state", _("State"), "state"),
        Column("due", "due_at", sort="due_at"),
        Column("kept_until", "retain_until"),
        Column("files", "file_count", _("Files"), "file_count"),
        Column("bytes", "bytes_total"),
    ),
    words=(*(f"reservation__{name}" for name in WORDS), "booking"),
    aliases={"booking": BOOKING},
    q_help="Part of the booking's id, or of the name of the instrument, person or payer.",
    day="reservation__start_at",
    filters=(
        Filter("reservation", "reservation", ID, help="Only results of this booking."),
        Filter("state", "state", CHOICE, _("State"), choices=HandOff.State.choices),
        Filter(
            "overdue",
            lambda rows, value, by: rows.filter(overdue(by.now)).order_by("due_at", "id"),
            FLAG,
            _("Overdue"),
            help="Only results that were not delivered in time.",
        ),
        Filter(
            "to_deliver",
            lambda rows, value, by: to_deliver(rows, by.actor, by.now).order_by("due_at", "id"),
            FLAG,
            _("To deliver"),
            help="Only results of instruments you operate that were not delivered in time.",
        ),
        Filter(
            "to_collect",
            lambda rows, value, by: to_collect(rows, by.actor),
            FLAG,
            _("To collect"),
            help="Only results of your own bookings that can be read and are not collected.",
        ),
    ),
    copied=Q(),
)
