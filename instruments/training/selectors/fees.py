"""Read what places in courses cost. This app does not know money: functions that price places join here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain.roles import Actor
from accounts.models import Organisation, User
from accounts.selectors.memberships import organisations_of
from accounts.selectors.organisations import organisations
from instruments.register.models import Instrument
from instruments.training.models import CourseSession


@dataclass(frozen=True)
class PlacePrice:
    """The price of a place in a session for a paying organisation.

    `result` is the quote: currency, lines, tax, total, payable; `inputs` compute it again. Both are None if
    the rate card has no price for the payer's `price_group`.
    """

    organisation: Organisation
    price_group: str
    inputs: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None

    @property
    def payable(self) -> Decimal | None:
        """Return what the organisation pays once the place was attended; None if it has no price."""
        return None if self.result is None else Decimal(self.result["payable"])

    @property
    def currency(self) -> str | None:
        """Return the currency of the price."""
        return None if self.result is None else self.result["currency"]

    @property
    def stored(self) -> dict[str, Any]:
        """Return the price in the form in which a place keeps it."""
        return {"inputs": dict(self.inputs or {}), "result": dict(self.result or {})}


type Prices = dict[UUID, list[PlacePrice]]
# Takes sessions and paying organisations (read only if some session has a price), and returns for each
# session that has a price those for all of the organisations.
Pricer = Callable[[Sequence[CourseSession], Iterable[Organisation]], Prices]
pricers: list[Pricer] = []


THEIRS = "*"  # the choice of the default of the person a place is for


@dataclass(frozen=True)
class SourceChoice:
    """A funding source that a payer offers for a place, by its code; empty: several sources as a whole, which
    are the default of the person."""

    code: str
    label: str
    is_default: bool = False


# Takes a person, the payers and the days on which sessions begin; returns the choices of each payer.
Chooser = Callable[[UUID, Iterable[Organisation], date], dict[UUID, list[SourceChoice]]]
choosers: list[Chooser] = []


def sources_to_choose(
    person: UUID, payers: Iterable[Organisation], day: date
) -> dict[UUID, list[SourceChoice]]:
    """Return the funding sources that a person may choose for a place that begins on a day, by payer; payers
    without one are left out."""
    return {pk: found for chooser in choosers for pk, found in chooser(person, payers, day).items()}


def places_priced(sessions: Sequence[CourseSession], payers: Iterable[Organisation]) -> Prices:
    """Return the prices of places by session, for each of some paying organisations. Places in a session that
    is missing cost nothing."""
    prices: Prices = {}
    for pricer in pricers:
        prices |= pricer(sessions, payers)
    return prices


def sessions_about(instruments: Iterable[UUID] | QuerySet[Instrument, Any]) -> QuerySet[CourseSession]:
    """Return the sessions in which a place costs what the card of one of the instruments says: that of the
    course or, if it has none, the one that the session uses."""
    of_session = Q(course__instrument=None, instrument__in=instruments)
    return CourseSession.objects.filter(Q(course__instrument__in=instruments) | of_session)


def own_payers(actor: Actor) -> QuerySet[Organisation]:
    """Return the organisations at whose cost the actor may take a place: those of which they are a member."""
    return organisations_of(actor)


def payers_for(actor: Actor, user: User, host: Organisation) -> QuerySet[Organisation]:
    """Return the organisations at whose cost the actor may give somebody else a place: the host, and those
    of the person for which the actor may book on behalf of members."""
    managed = actor.organisations_where("book-for-members")
    theirs = user.memberships.filter(ended_at=None, organisation__in=managed).values("organisation")
    return organisations().filter(Q(pk=host.pk) | Q(pk__in=theirs))


def payers_to_name(actor: Actor, host: Organisation) -> list[Organisation]:
    """Return the organisations that the actor may name as payers of somebody else's place, the host first; a
    member of each of the others must be enrolled then. One statement, none if there is only the host."""
    managed = actor.organisations_where("book-for-members") - {host.pk}
    return [host, *(organisations().filter(pk__in=managed).order_by("name", "id") if managed else ())]
