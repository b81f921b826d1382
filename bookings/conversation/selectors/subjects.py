"""The kinds of subjects of conversations: who takes part on which side, and who is told.

To add a kind, add a column with its name to `Thread`, and a row to `SUBJECTS`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from accounts.models import User
from accounts.permissions import actor_of
from accounts.selectors.memberships import holders_of, in_scope, staff_of
from accounts.selectors.rows import visible
from bookings.board.models import Bid
from bookings.board.selectors.enquiries import bid_by_id, bids_among
from bookings.conversation.domain.threads import HOST, REQUESTER
from bookings.needs.models import Need
from bookings.needs.selectors.needs import need_by_id, read_by, readers_of
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import WITH, manages, takes_part, taking_part
from bookings.samples.domain.samples import OWNER
from bookings.samples.models import BookedSample, SampleItem
from bookings.samples.selectors.samples import sample_by_id, sides_of


@dataclass(frozen=True)
class Subject:
    """A kind of subject, as functions.

    address: of the page that shows the subject with its conversation; load: a subject that the actor may see,
    or `NotFound`; side_of: the actor's side, None if they take no part; answering: the condition for threads
    in which an actor is expected to answer on a side; people: who is told on a side; name: what the
    conversation is about, a row with a name or a text; hidden_as: what the host reads in place of the
    requesters' names, None where it reads these.
    """

    address: Callable[[Any], str]
    load: Callable[[Actor, UUID], Any]
    side_of: Callable[[Actor, Any], str | None]
    answering: Callable[[Actor, str], Q]
    people: Callable[[Any, str], Iterable[User]]
    name: Callable[[Any], Any]
    hidden_as: Callable[[Any], Any] = lambda row: None


_BOOKINGS = Reservation.objects.select_related(
    *WITH, "made_by", "organisation__region", "host__region"
).exclude(~Q(held_for="") | Q(state="held"))


def _booking_side(actor: Actor, row: Reservation) -> str | None:
    """Return the actor's side in the conversation about a booking: their own first, even if they manage the
    host; then the host's, then the payer's, for those who may read its bookings. Auditors take no part."""
    if takes_part(actor, row):
        return REQUESTER
    organisations = actor.organisations_where("read-bookings")
    if row.host_id in organisations or manages(actor, row):
        return HOST
    return REQUESTER if row.organisation_id in organisations else None


def _booking_answering(actor: Actor, side: str) -> Q:
    own = taking_part(actor, "reservation__")
    if side == REQUESTER:
        return own
    managed = actor.scope_where("manage-instruments")
    return in_scope(managed, "reservation__host_id", "reservation__instrument") & ~own


def _booking_people(row: Reservation, side: str) -> list[User]:
    if side == HOST:
        return list(holders_of("manager", row.host_id, row.instrument))
    return [one for one in (row.user, row.made_by) if takes_part(actor_of(one), row)]


def _need_side(actor: Actor, row: Need) -> str | None:
    """Return the actor's side in the conversation about a need: that of its author and the payer's managers,
    or the answering side for its named readers; None for anybody else."""
    managed = actor.organisations_where("book-for-members")
    if actor.user_id == row.user_id or row.organisation_id in managed:
        return REQUESTER
    return HOST if Need.objects.filter(read_by(actor.user_id), pk=row.pk).exists() else None


def _need_answering(actor: Actor, side: str) -> Q:
    if side == REQUESTER:
        return Q(need__user_id=actor.person)
    return read_by(actor.person, "need__") & ~Q(need__user_id=actor.person)


def _sample_side(actor: Actor, row: SampleItem) -> str | None:
    """Return the actor's side in the conversation about a sample: the owner's first, then that of staff of a
    host where it is booked. It takes at most one statement."""
    sides = sides_of(actor, [row]).get(row.pk, set())
    return REQUESTER if OWNER in sides else HOST if sides else None


def _sample_answering(actor: Actor, side: str) -> Q:
    own = Q(sample__user_id=actor.person)
    if side == REQUESTER:
        return own
    reach = in_scope(actor.scope_where("operate-instruments"), "host", "reservation__instrument")
    return Q(sample__in=BookedSample.objects.filter(reach).values("sample")) & ~own


def _sample_people(row: SampleItem, side: str) -> list[User]:
    if side == REQUESTER:
        return [row.user]
    booked = row.bookings.select_related("reservation__instrument").order_by("pk")
    places = {(one.host_id, one.reservation.instrument_id): one.reservation.instrument for one in booked}
    staff = (person for (host, _), itself in places.items() for person in staff_of(host, itself))
    return list(dict.fromkeys(staff))


def _bid_side(actor: Actor, row: Bid) -> str | None:
    """Return the actor's side in the conversation about a bid: that of the person who enquired, then that of
    the host's managers, then that of the managers of the payer, who read the enquiry."""
    if actor.user_id == row.enquiry.user_id:
        return REQUESTER
    if bids_among(actor, [row]):
        return HOST
    is_payer = row.enquiry.organisation_id in actor.organisations_where("book-for-members")
    return REQUESTER if is_payer else None


def _bid_answering(actor: Actor, side: str) -> Q:
    own = Q(bid__enquiry__user_id=actor.person)
    if side == REQUESTER:
        return own
    return in_scope(actor.scope_where("manage-instruments"), "bid__host_id", "bid__instrument") & ~own


def _bid_hidden_as(row: Bid) -> Any:
    """Return what the host reads in place of the names of those who enquire, until it is their bid that is
    accepted: the payer, unless the enquiry is confidential."""
    if row.state == Bid.State.ACCEPTED:
        return None
    if row.enquiry.is_confidential:
        return gettext_lazy("The enquirer")
    return row.enquiry.organisation


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
        people=lambda row, side: readers_of(row) if side == HOST else [row.user],
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
    "bid": Subject(
        address=lambda row: reverse("bookings:bid", args=[row.pk]),
        load=bid_by_id,
        side_of=_bid_side,
        answering=_bid_answering,
        people=lambda row, side: (
            holders_of("manager", row.host_id, row.instrument) if side == HOST else [row.enquiry.user]
        ),
        name=lambda row: row.instrument,
        hidden_as=_bid_hidden_as,
    ),
}


def subject_of(actor: Actor, kind: str, pk: UUID) -> tuple[Any, str]:
    """Return the subject of a conversation, and the actor's side; raise `NotFound` if there is none or the
    actor takes no part."""
    if kind not in SUBJECTS:
        raise NotFound
    subject = SUBJECTS[kind]
    row = subject.load(actor, pk)
    side = subject.side_of(actor, row)
    if side is None:
        raise NotFound
    return row, side
