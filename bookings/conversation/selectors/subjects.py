"""What a conversation can be about, who takes part in it on which side, and who is told.

A further kind is a column of `Thread`, named as the kind, and a row of `SUBJECTS`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from accounts.models import User
from accounts.permissions import actor_of
from accounts.selectors.memberships import holders_of
from accounts.selectors.rows import visible
from bookings.conversation.domain.threads import HOST, REQUESTER
from bookings.needs.models import Need
from bookings.needs.selectors.needs import need_by_id
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import WITH, takes_part, taking_part
from bookings.samples.domain.samples import OWNER
from bookings.samples.models import BookedSample, SampleItem
from bookings.samples.selectors.samples import sample_by_id, sides_of


@dataclass(frozen=True)
class Subject:
    """One kind of subject.

    address: of the page that shows one, with its conversation; load: one that the actor may see, or
    `NotFound`; side_of: the actor's side of it, None for whoever takes no part; answering: the
    threads in which an actor is expected to answer, as one of a side; people: who is told on a
    side; name: what it is about, a row with a name or a text.
    """

    address: Callable[[Any], str]
    load: Callable[[Actor, UUID], Any]
    side_of: Callable[[Actor, Any], str | None]
    answering: Callable[[Actor, str], Q]
    people: Callable[[Any, str], Iterable[User]]
    name: Callable[[Any], Any]


_BOOKINGS = Reservation.objects.select_related(
    *WITH, "made_by", "organisation__region", "host__region"
).exclude(~Q(held_for="") | Q(state="held"))


def _booking_side(actor: Actor, row: Reservation) -> str | None:
    """One's own side first, also of whose host one manages; then that of the host, then the
    payer's, for those who may read its bookings. Auditors take no part."""
    if takes_part(actor, row):
        return REQUESTER
    organisations = actor.organisations_where("read-bookings")
    if row.host_id in organisations:
        return HOST
    return REQUESTER if row.organisation_id in organisations else None


def _booking_answering(actor: Actor, side: str) -> Q:
    own = taking_part(actor, "reservation__")
    if side == REQUESTER:
        return own
    return Q(reservation__host_id__in=actor.organisations_where("manage-instruments")) & ~own


def _booking_people(row: Reservation, side: str) -> list[User]:
    if side == HOST:
        return list(holders_of("manager", row.host_id))
    return [one for one in (row.user, row.made_by) if takes_part(actor_of(one), row)]


def _need_side(actor: Actor, row: Need) -> str | None:
    """That of whose need it is; readers whom they named answer as hosts."""
    managed = actor.organisations_where("book-for-members")
    if actor.user_id == row.user_id or row.organisation_id in managed:
        return REQUESTER
    return HOST if actor.user_id in {reader.pk for reader in row.readers.all()} else None


def _need_answering(actor: Actor, side: str) -> Q:
    if side == REQUESTER:
        return Q(need__user_id=actor.person)
    named = Need.readers.through.objects.filter(user_id=actor.person).values("need")
    return Q(need__in=named) & ~Q(need__user_id=actor.person)


def _sample_side(actor: Actor, row: SampleItem) -> str | None:
    """The owner's, then that of the staff of a host of one of its bookings. One statement at
    most."""
    sides = sides_of(actor, [row]).get(row.pk, set())
    return REQUESTER if OWNER in sides else HOST if sides else None


def _sample_answering(actor: Actor, side: str) -> Q:
    own = Q(sample__user_id=actor.person)
    if side == REQUESTER:
        return own
    hosts = actor.organisations_where("manage-instruments")
    hosted = BookedSample.objects.filter(host_id__in=hosts).values("sample")
    return Q(sample__in=hosted) & ~own


def _sample_people(row: SampleItem, side: str) -> list[User]:
    if side == REQUESTER:
        return [row.user]
    hosts = row.bookings.values_list("host_id", flat=True).distinct()
    return [person for host in hosts for person in holders_of("manager", host)]


SUBJECTS: dict[str, Subject] = {
    "reservation": Subject(
        address=lambda row: reverse("bookings:reservation", args=[row.pk]),
        load=lambda actor, pk: visible(_BOOKINGS, pk=pk),
        side_of=_booking_side,
        answering=_booking_answering,
        people=_booking_people,
        name=lambda row: row.instrument,
    ),
    "need": Subject(
        address=lambda row: reverse("bookings:need", args=[row.pk]),
        load=need_by_id,
        side_of=_need_side,
        answering=_need_answering,
        people=lambda row, side: row.readers.all() if side == HOST else [row.user],
        name=lambda row: row.text,
    ),
    "sample": Subject(
        address=lambda row: reverse("bookings:sample-item", args=[row.code]),
        load=sample_by_id,
        side_of=_sample_side,
        answering=_sample_answering,
        people=_sample_people,
        name=lambda row: row.name,
    ),
}


def subject_of(actor: Actor, kind: str, pk: UUID) -> tuple[Any, str]:
    """Return what a conversation is about, and the actor's side; `NotFound` where there is none, or
    it is not for the actor to read."""
    if kind not in SUBJECTS:
        raise NotFound
    subject = SUBJECTS[kind]
    row = subject.load(actor, pk)
    side = subject.side_of(actor, row)
    if side is None:
        raise NotFound
    return row, side
