"""Searching the register."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from accounts.domain.roles import Actor
from accounts.models import Region
from instruments.domain.criteria import Criteria, query_tokens
from instruments.models import Instrument, Technique
from instruments.selectors.registry import instruments_for


def search(actor: Actor, criteria: Criteria) -> QuerySet[Instrument]:
    """Published instruments that fit, by name. A region includes those below it, a technique
    those narrower than it. Codes that name nothing find nothing."""
    found = instruments_for(actor).filter(publication=Instrument.Publication.PUBLISHED)
    if criteria.text:
        found = found.filter(search_tokens__contains=query_tokens(criteria.text) or [""])
    if criteria.technique:
        found = found.filter(techniques__in=branch(criteria.technique)).distinct()
    if criteria.region:
        found = found.filter(region__lineage__overlap=_region_ids(criteria.region))
    if criteria.host:
        found = found.filter(organisation__code=criteria.host)
    if criteria.facility:
        found = found.filter(facility_id=criteria.facility)
    if criteria.service_mode:
        found = found.filter(service_modes__contains=[criteria.service_mode])
    return found.order_by("name", "id")


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


def _region_ids(code: str) -> list[UUID]:
    return list(Region.objects.filter(code=code).values_list("pk", flat=True))


def facets(actor: Actor) -> dict[str, list[dict[str, Any]]]:
    """What the catalogue can be narrowed to, with counts of published instruments: regions,
    techniques, hosts. Three statements."""
    published = instruments_for(actor).filter(publication=Instrument.Publication.PUBLISHED)
    bare = published.select_related(None).order_by()
    return {
        "regions": _counted(bare, "region__code", "region__name", "region__name_zh"),
        "techniques": _counted(
            bare.filter(techniques__isnull=False),
            "techniques__code",
            "techniques__name",
            "techniques__name_zh",
        ),
        "hosts": _counted(
            bare, "organisation__code", "organisation__name", "organisation__name_zh"
        ),
    }


def _counted(rows: QuerySet[Instrument], *fields: str) -> list[dict[str, Any]]:
    counted: Iterable[tuple[Any, ...]] = (
        rows.values(*fields).annotate(n=Count("pk", distinct=True)).values_list(*fields, "n")
    )
    return sorted(
        (
            {"code": code, "name": name, "name_zh": name_zh, "count": count}
            for code, name, name_zh, count in counted
        ),
        key=lambda item: (-item["count"], item["name"]),
    )
