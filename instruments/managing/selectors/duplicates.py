"""Find records that look like the same instrument, and read the decisions about them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.domain.roles import Actor
from accounts.selectors.memberships import people_limited_to, place_of
from instruments.managing.domain.duplicates import Traits, likeness, traits
from instruments.managing.models import DuplicateVerdict
from instruments.register.models import Instrument
from instruments.register.selectors.registry import WITH

SETTLE = "settle-duplicates"
MOST = 200  # pairs shown
_MOST_CANDIDATES = 5000


@dataclass(frozen=True)
class Pair:
    """Two records, the lower id first, and the reasons why they look alike. `may_merge`: the actor may decide
    about both; one is enough to keep them apart. `limited`: how many people hold a role limited to one of
    them, which does not pass to another host."""

    first: Instrument
    second: Instrument
    reasons: tuple[str, ...]
    may_merge: bool
    limited: int = 0


def load_likely_duplicates(actor: Actor) -> list[Pair]:
    """Return undecided pairs of which the actor may decide about at least one record and may see the other;
    those with most reasons first. Three statements at most."""
    candidates = _candidates(actor)
    rows = Instrument.objects.select_related(*WITH, "organisation__region").in_bulk(
        {pk for pair in candidates for pk in pair}
    )
    pairs = []
    for one, other in candidates:
        first, second = rows[one], rows[other]
        if reasons := likeness(traits_of(first), traits_of(second)):
            pairs.append(Pair(first, second, reasons, has_say(actor, first) and has_say(actor, second)))
    abroad = [p for p in pairs if p.may_merge and p.first.organisation_id != p.second.organisation_id]
    if abroad:
        held = people_limited_to(one.pk for p in abroad for one in (p.first, p.second))
        of = {id(p): len(held[p.first.pk] | held[p.second.pk]) for p in abroad}
        pairs = [replace(p, limited=of.get(id(p), 0)) for p in pairs]
    pairs.sort(key=lambda p: (-len(p.reasons), p.first.name, p.first.pk, p.second.pk))
    return pairs[:MOST]


def has_say(actor: Actor, instrument: Instrument) -> bool:
    return actor.may(SETTLE, place_of(instrument.organisation))


def traits_of(instrument: Instrument) -> Traits:
    return traits(
        facility=instrument.facility_id,
        host=instrument.organisation_id,
        model=instrument.model,
        manufacturers=instrument.manufacturers,
        alternate_identifiers=instrument.alternate_identifiers,
    )


def verdicts_for(actor: Actor) -> QuerySet[DuplicateVerdict]:
    """Return the decisions about records that the actor may decide about, the newest first."""
    organisations = actor.organisations_where(SETTLE)
    regions = list(actor.regions_where(SETTLE))
    theirs = Q()
    for side in ("first", "second"):
        theirs |= Q(**{f"{side}__organisation_id__in": organisations})
        theirs |= Q(**{f"{side}__region__lineage__overlap": regions})
    return (
        DuplicateVerdict.objects.filter(theirs)
        .select_related(
            "first__organisation__region",
            "second__organisation__region",
            "first__facility",
            "second__facility",
            "keeper",
            "decided_by",
        )
        .order_by("-decided_at", "-id")
    )


def successor_of(instrument_id: UUID) -> UUID | None:
    """Return the id of the record into which a once public record was merged; None if it was not."""
    return (
        Instrument.objects.filter(pk=instrument_id, published_at__isnull=False)
        .values_list("merged_into_id", flat=True)
        .first()
    )


def _candidates(actor: Actor) -> Sequence[tuple[UUID, UUID]]:
    """Return pairs of ids that may be alike: with an equal number, or an equal model at one site without two
    serial numbers. `likeness` makes the decision; this spares it from comparing every pair."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH seen AS MATERIALIZED (
                SELECT i.id, i.facility_id, i.alternate_identifiers AS numbers, i.model,
                    i.organisation_id = ANY(%(organisations)s)
                        OR r.lineage && %(regions)s AS is_own
                FROM instruments_instrument i JOIN accounts_region r ON r.id = i.region_id
                WHERE i.publication <> 'retired' AND (
                    i.organisation_id = ANY(%(organisations)s) OR r.lineage && %(regions)s
                    OR i.publication IN ('published', 'suspended'))
            ), modelled AS MATERIALIZED (
                SELECT s.id, s.is_own, s.facility_id, s.numbers,
                    lower(regexp_replace(s.model, '[[:space:][:punct:]]+', '', 'g')) AS model
                FROM seen s WHERE s.facility_id IN (SELECT facility_id FROM seen WHERE is_own)
            ), numbered AS MATERIALIZED (
                SELECT s.id, s.is_own, n->>'identifier_type' AS kind,
                    lower(regexp_replace(n->>'identifier', '[[:space:][:punct:]]+', '', 'g'))
                        AS number
                FROM seen s, jsonb_array_elements(s.numbers) n
                WHERE s.numbers <> '[]'
                    AND n->>'identifier_type' IN ('SerialNumber', 'InventoryNumber')
            ), pairs AS (
                SELECT a.id AS first, b.id AS second FROM numbered a
                JOIN numbered b ON a.kind = b.kind AND a.number = b.number AND a.id < b.id
                WHERE (a.is_own OR b.is_own) AND length(a.number) > 2
                UNION
                SELECT a.id, b.id FROM modelled a
                JOIN modelled b
                    ON a.facility_id = b.facility_id AND a.model = b.model AND a.id < b.id
                WHERE a.is_own AND a.model <> '' AND NOT (
                    a.numbers @> '[{"identifier_type": "SerialNumber"}]'
                    AND b.numbers @> '[{"identifier_type": "SerialNumber"}]')
            )
            SELECT first, second FROM pairs p
            WHERE NOT EXISTS (
                SELECT 1 FROM instruments_duplicateverdict v
                WHERE v.first_id = p.first AND v.second_id = p.second)
            LIMIT %(most)s
            """,
            {
                "organisations": list(actor.organisations_where(SETTLE)),
                "regions": list(actor.regions_where(SETTLE)),
                "most": _MOST_CANDIDATES,
            },
        )
        pairs: list[tuple[UUID, UUID]] = cursor.fetchall()
        return pairs
