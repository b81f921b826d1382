"""What somebody searches for."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

SORTS = ("name", "price")
# What the catalogue can be narrowed by, each with counts: the names of criteria and of keys.
FACETS = ("region", "technique", "host", "maker", "service_mode", "kind")
# Facets whose keys are counted together, by the name of the group.
GROUPS = {
    "branch": ("technique",),
    "home": ("region", "host"),
    "makers": ("maker",),
    "form": ("service_mode", "kind"),
}


@dataclass(frozen=True)
class Criteria:
    """A parsed search request; None or empty: not asked for."""

    text: str = ""
    technique: str = ""
    region: str = ""
    host: str = ""
    facility: UUID | None = None
    maker: str = ""
    service_mode: str = ""
    kind: str = ""
    free_from: datetime | None = None
    free_until: datetime | None = None
    minutes: int | None = None
    max_price: Decimal | None = None
    currency: str = ""  # of `max_price`
    sort: str = ""  # of SORTS; empty: by nearness where words were typed, else by name

    @property
    def wants_time(self) -> bool:
        return self.free_from is not None

    @property
    def is_ranked(self) -> bool:
        """Whether the nearest to what was typed come first."""
        return bool(self.text) and not self.sort

    @property
    def keys(self) -> dict[str, str]:
        """The keys a record must be filed under, by what they narrow."""
        wanted = {name: getattr(self, name) for name in FACETS}
        return {name: key(name, value) for name, value in wanted.items() if value}


def key(name: str, value: str) -> str:
    """How a record is filed under a value of a facet."""
    return f"{name}:{' '.join(value.split())}"
