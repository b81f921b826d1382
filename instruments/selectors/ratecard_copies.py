"""Rate cards of other instruments to begin a new one with."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Q, QuerySet

from accounts.domain.roles import Actor
from accounts.selectors.rows import visible
from instruments.models import Instrument, RateCard
from instruments.selectors.registry import PUBLIC

MOST = 12


@dataclass(frozen=True)
class Found:
    """Cards that fit what was looked for; `is_all` False: there are more."""

    rows: list[RateCard]
    is_all: bool


def _copyable(actor: Actor) -> QuerySet[RateCard]:
    """Whatever the actor manages; of others what is published."""
    managed = Q(instrument__organisation_id__in=actor.organisations_where("manage-instruments"))
    public = Q(published_at__isnull=False, instrument__publication__in=PUBLIC)
    return RateCard.objects.filter(managed | public, replaced_at=None).select_related(
        "instrument__organisation"
    )


def cards_to_copy(actor: Actor, instrument: Instrument, text: str) -> Found:
    """Of each other instrument whose name, model or owner contains the text the newest published
    card, or the newest draft; one's own organisation's first. Two statements."""
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
    """`NotFound` if there is none, or it is not the actor's to copy."""
    return visible(_copyable(actor), pk=card_id)
