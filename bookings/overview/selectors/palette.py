"""Search for the command palette; each kind is found only as far as its own page would show it."""

from dataclasses import dataclass

from django.db.models import Q

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor
from accounts.models import Membership, Organisation
from accounts.selectors.memberships import organisations_to_read
from accounts.selectors.organisations import organisations_listed
from accounts.selectors.rows import among
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import own_reservations
from instruments.register.models import Instrument
from instruments.search.domain.search import Criteria
from instruments.search.selectors.search import entries, page
from instruments.vocabulary.domain.words import is_han

MOST = 6  # of a kind
LONGEST = 100


@dataclass(frozen=True)
class Hits:
    """The matches of a text: instruments, the actor's bookings, organisations, and people of organisations
    whose members the actor may read."""

    instruments: tuple[Instrument, ...] = ()
    bookings: tuple[Reservation, ...] = ()
    organisations: tuple[Organisation, ...] = ()
    people: tuple[Membership, ...] = ()


def load_hits(actor: Actor, text: str) -> Hits:
    """Return the matches of a text of at least two letters or one Chinese character. One statement for
    visitors, at most four for others."""
    text = text.replace("\0", "").strip()[:LONGEST]
    if len(text) < 2 and not is_han(text):
        return Hits()
    criteria = Criteria(text=text)
    instruments = tuple(page(criteria, entries(criteria), 0, MOST))
    if actor.user_id is None:
        return Hits(instruments)
    of_instrument = Q(instrument__name__icontains=text) | Q(instrument__name_zh__icontains=text)
    # Searched among the actor's own bookings first: the database might search all instruments first.
    own = among("pk", Reservation.objects.filter(user_id=actor.user_id).values("pk"))
    return Hits(
        instruments,
        tuple(own_reservations(actor).filter(own, of_instrument)[:MOST]),
        tuple(organisations_listed(text)[:MOST]),
        _people(actor, text),
    )


def _people(actor: Actor, text: str) -> tuple[Membership, ...]:
    try:
        readable = organisations_to_read(actor)
    except NotPermitted:
        return ()
    rows = Membership.objects.filter(
        Q(user__name__icontains=text) | Q(user__email__icontains=text),
        organisation__in=readable.order_by().values("pk"),
        ended_at=None,
    )
    return tuple(rows.select_related("user", "organisation").order_by("user__name", "user__email")[:MOST])
