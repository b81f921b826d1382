"""What the command palette finds: each kind only as far as the page behind it shows it."""

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
from instruments.domain.search import Criteria, is_han
from instruments.models import Instrument
from instruments.selectors.search import entries, page

MOST = 6  # of a kind
LONGEST = 100


@dataclass(frozen=True)
class Hits:
    """What a text names: instruments, the actor's bookings, organisations, and people of those
    whose members the actor may read."""

    instruments: tuple[Instrument, ...] = ()
    bookings: tuple[Reservation, ...] = ()
    organisations: tuple[Organisation, ...] = ()
    people: tuple[Membership, ...] = ()


def load_hits(actor: Actor, text: str) -> Hits:
    """Look for a text of two letters or one Chinese character at least. One statement for
    visitors, four at most for others."""
    text = text.replace("\0", "").strip()[:LONGEST]
    if len(text) < 2 and not is_han(text):
        return Hits()
    criteria = Criteria(text=text)
    instruments = tuple(page(criteria, entries(criteria), 0, MOST))
    if actor.user_id is None:
        return Hits(instruments)
    of_instrument = Q(instrument__name__icontains=text) | Q(instrument__name_zh__icontains=text)
    # Looked for among the actor's own: the database might look among all instruments first.
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
    return tuple(
        rows.select_related("user", "organisation").order_by("user__name", "user__email")[:MOST]
    )
