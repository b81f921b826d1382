"""Parameters, read once and kept until they change, and what is stated of instruments."""

from collections.abc import Collection
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from django.core.cache import cache

from instruments.domain import capabilities
from instruments.domain.capabilities import Parameters, Stated
from instruments.models import Capability, Parameter
from instruments.selectors.needs import VERSION


def load_parameters() -> Parameters:
    """All, by code. One statement after the vocabulary has changed, then none."""
    return _parameters(cache.get(VERSION, ""))


@lru_cache(maxsize=1)
def _parameters(version: str) -> Parameters:
    return read_parameters()


def read_parameters() -> Parameters:
    """All as they stand in the database, by code."""
    return Parameters(
        (
            row.code,
            capabilities.Parameter(
                row.code,
                row.name,
                row.name_zh,
                row.unit,
                row.direction,
                {unit: (Decimal(a), Decimal(b)) for unit, (a, b) in row.units.items()},
                tuple(row.synonyms),
                tuple(row.synonyms_zh),
                tuple(row.techniques),
                tuple(row.bare_units),
                row.source,
            ),
        )
        for row in Parameter.objects.order_by("code")
    )


def load_capabilities(instrument_ids: Collection[UUID]) -> dict[UUID, list[Stated]]:
    """What is stated of each of these instruments; empty lists where nothing is. One statement."""
    stated: dict[UUID, list[Stated]] = {pk: [] for pk in instrument_ids}
    rows = Capability.objects.filter(instrument__in=stated).values_list(
        "instrument_id", "parameter__code", "minimum", "maximum", "condition", "is_available"
    )
    for instrument_id, code, *values in rows.order_by("parameter__code", "condition"):
        stated[instrument_id].append(Stated(code, *values))
    return stated
