"""Read rate cards as values, and those of other instruments from which a new one can be copied."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from accounts.prepared import Prepared
from accounts.selectors.memberships import in_scope, place_of
from accounts.selectors.rows import visible
from instruments.rates.domain.ratecards import RateCardValues, parse_rate_card
from instruments.rates.models import RateCard
from instruments.register.models import Instrument
from instruments.register.selectors.registry import PUBLIC


@dataclass(frozen=True)
class CardInForce:
    """A published card with its id, its version and the local days [from, until) on which it holds."""

    id: UUID
    version: int
    values: RateCardValues
    valid_from: date
    valid_until: date | None


def rate_cards_of(instrument: Instrument) -> QuerySet[RateCard]:
    """Return the rate cards of an instrument, newest first."""
    return RateCard.objects.filter(instrument=instrument).order_by("-version")


def rate_card_by_version(instrument: Instrument, version: int) -> RateCard:
    """Return a rate card. `NotFound` if the instrument has no such version."""
    return visible(rate_cards_of(instrument), version=version)


def readable_card(actor: Actor, instrument: Instrument, version: int) -> RateCard:
    """Return a rate card of an instrument that the actor may see. Drafts are only for those who may read the
    host's finances. `NotFound` otherwise."""
    row = rate_card_by_version(instrument, version)
    if row.published_at is None and not actor.may(
        "read-money", place_of(instrument.organisation, instrument)
    ):
        raise NotFound
    row.instrument = instrument
    return row


def load_card_in_force(instrument_id: UUID, day: date) -> CardInForce | None:
    """Return the published card that is in force on a local date, or None. One statement."""
    row = _IN_FORCE.first(instrument_id=instrument_id, day=day)
    return load_card(row) if row else None


_IN_FORCE = Prepared(
    lambda instrument_id, day: RateCard.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=day),
        instrument_id=instrument_id,
        published_at__isnull=False,
        valid_from__lte=day,
    ).order_by("-version")[:1]
)


def load_card(row: RateCard) -> CardInForce:
    """Return a row as a value. Its days are taken from the row, as a later version may have ended it
    early."""
    if row.published_at is None:
        values = parse_rate_card(row.card)
    else:
        values = _values(_Published(row.pk, row.published_at, row.card))
    return CardInForce(row.pk, row.version, values, row.valid_from, row.valid_until)


@dataclass(frozen=True)
class _Published:
    """A published card as a cache key. Its id and the time of publication identify its content, because it is
    never edited."""

    id: UUID
    published_at: datetime
    card: Any = field(compare=False)


@lru_cache(maxsize=4096)
def _values(published: _Published) -> RateCardValues:
    return parse_rate_card(published.card)


MOST = 12


@dataclass(frozen=True)
class Found:
    """The cards that match a search; `is_all` is False if there are more."""

    rows: list[RateCard]
    is_all: bool


def _copyable(actor: Actor) -> QuerySet[RateCard]:
    """Return the rate cards of instruments that the actor manages, and published ones of public
    instruments."""
    managed = in_scope(actor.scope_where("manage-instruments"), "instrument__organisation_id")
    public = Q(published_at__isnull=False, instrument__publication__in=PUBLIC)
    return RateCard.objects.filter(managed | public, replaced_at=None).select_related(
        "instrument__organisation"
    )


def cards_to_copy(actor: Actor, instrument: Instrument, text: str) -> Found:
    """Return, for each other instrument whose name, model or owner contains the words of the text, its newest
    published card or else its newest draft; those of the same organisation first. Two statements."""
    named = Q()
    for word in text.split()[:5]:
        named &= (
            Q(instrument__name__icontains=word)
            | Q(instrument__name_zh__icontains=word)
            | Q(instrument__model__icontains=word)
            | Q(instrument__organisation__name__icontains=word)
            | Q(instrument__organisation__name_zh__icontains=word)
        )
    newest = (
        _copyable(actor)
        .filter(named)
        .exclude(instrument=instrument)
        .order_by("instrument_id", F("published_at").desc(nulls_last=True), "-version")
        .distinct("instrument_id")
    )
    own = list(newest.filter(instrument__organisation=instrument.organisation_id)[: MOST + 1])
    others = list(newest.exclude(instrument__organisation=instrument.organisation_id)[: MOST + 1])
    rows = [*_sorted(own), *_sorted(others)]
    return Found(rows[:MOST], len(rows) <= MOST)


def _sorted(rows: list[RateCard]) -> list[RateCard]:
    return sorted(rows, key=lambda row: (row.instrument.name, row.instrument_id))


def card_to_copy(actor: Actor, card_id: UUID) -> RateCard:
    """Return a rate card. `NotFound` if there is none, or the actor may not copy it."""
    return visible(_copyable(actor), pk=card_id)
