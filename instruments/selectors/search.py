"""Searching the register."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from instruments.domain.criteria import Criteria, query_tokens
from instruments.models import Instrument, Technique
from instruments.selectors.registry import WITH


def published() -> QuerySet[Instrument]:
    """What is on offer; anyone may see it. With what its calendars need."""
    return Instrument.objects.filter(publication=Instrument.Publication.PUBLISHED).select_related(
        *WITH
    )


def search(criteria: Criteria) -> QuerySet[Instrument]:
    """Published instruments that fit, by name. A region includes those
    below it, a technique those narrower than it. Codes that name nothing find nothing.

    One statement where a technique or region is named: with their ids at hand the database
    knows how many instruments to expect, and whether to begin with them or with the names.
    """
    found = published()
    if criteria.text:
        found = found.filter(search_tokens__contains=query_tokens(criteria.text) or [""])
    if criteria.technique or criteria.region:
        techniques, regions = _below(criteria.technique, criteria.region)
        if criteria.technique:
            through = Instrument.techniques.through
            found = found.filter(
                pk__in=through.objects.filter(technique_id__in=techniques).values("instrument_id")
            )
        if criteria.region:
            found = found.filter(region_id__in=regions)
    if criteria.host:
        found = found.filter(organisation__code=criteria.host)
    if criteria.facility:
        found = found.filter(facility_id=criteria.facility)
    if criteria.service_mode:
        found = found.filter(service_modes__contains=[criteria.service_mode])
    return found.order_by("name", "id")


def _below(technique: str, region: str) -> tuple[list[UUID], list[UUID]]:
    """The ids of a technique and a region, by code, with all below either. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE below(id) AS (
                SELECT id FROM instruments_technique WHERE code = %s
                UNION
                SELECT p.from_technique_id FROM instruments_technique_parents p
                JOIN below b ON p.to_technique_id = b.id
            )
            SELECT true, id FROM below
            UNION ALL
            SELECT false, id FROM accounts_region
            WHERE lineage && ARRAY(SELECT id FROM accounts_region WHERE code = %s)
            """,
            [technique, region],
        )
        rows = cursor.fetchall()
    return (
        [pk for is_technique, pk in rows if is_technique],
        [pk for is_technique, pk in rows if not is_technique],
    )


def branch(code: str) -> list[UUID]:
    """A technique and all that is narrower. One statement."""
    rows = Technique.objects.raw(
        """
        WITH RECURSIVE below(id) AS (
            SELECT id FROM instruments_technique WHERE code = %s
            UNION
            SELECT p.from_technique_id FROM instruments_technique_parents p
            JOIN below b ON p.to_technique_id = b.id
        )
        SELECT id FROM below
        """,
        [code],
    )
    return [row.id for row in rows]


def facets() -> dict[str, list[dict[str, Any]]]:
    """What the catalogue can be narrowed to, with counts of published instruments: regions,
    techniques, hosts; the most frequent first. One statement, which counts keys alone and
    looks up names last."""
    found: dict[str, list[dict[str, Any]]] = {"regions": [], "techniques": [], "hosts": []}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT 'regions', r.code, r.name, r.name_zh, c.number
            FROM (
                SELECT region_id, count(*) AS number FROM instruments_instrument
                WHERE publication = 'published' GROUP BY region_id
            ) c JOIN accounts_region r ON r.id = c.region_id
            UNION ALL
            SELECT 'hosts', o.code, o.name, o.name_zh, c.number
            FROM (
                SELECT organisation_id, count(*) AS number FROM instruments_instrument
                WHERE publication = 'published' GROUP BY organisation_id
            ) c JOIN accounts_organisation o ON o.id = c.organisation_id
            UNION ALL
            SELECT 'techniques', t.code, t.name, t.name_zh, c.number
            FROM (
                SELECT technique_id, count(*) AS number
                FROM instruments_instrument_techniques k
                JOIN instruments_instrument i ON i.id = k.instrument_id
                WHERE i.publication = 'published' GROUP BY technique_id
            ) c JOIN instruments_technique t ON t.id = c.technique_id
            """
        )
        for kind, code, name, name_zh, count in cursor.fetchall():
            found[kind].append({"code": code, "name": name, "name_zh": name_zh, "count": count})
    for items in found.values():
        items.sort(key=lambda item: (-item["count"], item["name"]))
    return found
