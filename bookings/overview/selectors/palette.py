"""Search for the command palette; each kind is found only as far as its own page would show it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor, By, Place
from accounts.models import Membership, Organisation
from accounts.selectors.memberships import organisations_to_read
from accounts.selectors.organisations import organisations_listed
from accounts.selectors.rows import among, as_uuid, first_of
from bookings.charging.selectors.charges import CHARGES
from bookings.pricing.selectors.charges import charges_for, first_charges_for, listed_charges
from bookings.record.models import Reservation
from bookings.record.selectors.lists import Listing
from bookings.record.selectors.reservations import own_reservations
from bookings.settlement.models import Payment
from bookings.settlement.selectors import statements as statement_selectors
from bookings.settlement.selectors.payments import PAYMENTS, listed_payments
from bookings.settlement.selectors.settlements import SETTLEMENTS, settlements_with_amounts
from bookings.settlement.selectors.statements import NEWEST, STATEMENTS, statements_for
from instruments.register.models import Instrument
from instruments.search.domain.search import Criteria
from instruments.search.selectors.search import entries, page
from instruments.vocabulary.domain.words import is_han

MOST = 6  # of a kind
LONGEST = 100
# Parts of words and numbers are looked for among so many of the newest that the actor may see, so that a text
# costs the same however many there are; whole numbers and ids are found among all.
NEWEST_CHARGES = 1000


@dataclass(frozen=True)
class Hits:
    """The matches of a text: instruments, the actor's bookings, organisations, people of organisations whose
    members the actor may read, and by the names of their lists, what the actor may see of money."""

    instruments: tuple[Instrument, ...] = ()
    bookings: tuple[Reservation, ...] = ()
    organisations: tuple[Organisation, ...] = ()
    people: tuple[Membership, ...] = ()
    money: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    are_accounts: bool = False  # the people lead to their accounts
    most = MOST


def load_hits(by: By, text: str) -> Hits:
    """Return the matches of a text of at least two letters or one Chinese character. One statement for
    visitors, at most five for others, and three more for who reads the money of organisations or regions."""
    actor = by.actor
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
        _money(by, text),
        actor.may("administer", Place(None)),
    )


def _money(by: By, text: str) -> dict[str, tuple[Any, ...]]:
    """Return what fits a text of the charges that the actor may see; for who reads the money of organisations
    or regions, also of statements and payments; for coordinators and auditors, of settlements."""
    actor, charge = by.actor, as_uuid(text)
    newest = first_of(listed_charges(), first_charges_for(actor), ("-created_at", "-id"), NEWEST_CHARGES)
    whole = charges_for(actor).filter(Q(pk=charge) | Q(reservation=charge)) if charge else None
    listed = listed_charges().select_related("reservation__user", "enrolment__user")
    found = {"charges": _fitting(by, text, CHARGES, listed, newest, whole)}
    regions = actor.regions_where("read-money")
    if regions or actor.organisations_where("read-money"):
        statements = statement_selectors.newest_statements(actor)
        number = statement_selectors.numbered(text)
        numbered = statements_for(actor).filter(number) if number else None
        every = statement_selectors.listed_statements()
        found["statements"] = _fitting(by, text, STATEMENTS, every, statements, numbered)
        payments = Payment.objects.filter(among("statement", statements.values("pk")))
        found["payments"] = _fitting(by, text, PAYMENTS, listed_payments(), payments)
    if regions or actor.regions_where("coordinate"):
        settlements = settlements_with_amounts(actor)
        found["settlements"] = _fitting(by, text, SETTLEMENTS, settlements, settlements[:NEWEST])
    # The statement whose number the text is comes before its charges and payments.
    first = "statements" if statement_selectors.numbered(text) else ""
    return {
        name: rows for name in sorted(found, key=lambda name: name != first) if (rows := tuple(found[name]))
    }


def _fitting(
    by: By,
    text: str,
    listing: Listing,
    rows: QuerySet[Any],
    newest: QuerySet[Any],
    whole: QuerySet[Any] | None = None,
) -> QuerySet[Any]:
    """Return the first rows in which a list's search finds a text among the newest, and those whose whole
    number or id it is. One statement."""
    among_newest = newest.model._default_manager.filter(among("pk", newest.values("pk")))
    ids = listing.narrowed(among_newest, {"q": text}, by).order_by().values("pk")
    if whole is not None:
        ids = ids.union(whole.order_by().values("pk"))
    return rows.filter(among("pk", ids))[:MOST]


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
