"""The public register of decisions on purchases."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Left

from accounts.models import Region
from accounts.selectors.rows import visible
from bookings.planning.domain.register import band_of
from bookings.reviews.models import PurchaseCase, ReviewScheme
from bookings.reviews.selectors.cases import cases
from bookings.reviews.selectors.comparison import Evidence, evidence_of
from instruments.models import Technique

KEY = 16  # hexadecimal digits of the digest of the comparison; no id of a case, which others know


@dataclass(frozen=True)
class Decided:
    """What is told of a decided case. key: names it in the register; region: that of the applicant,
    None where too few organisations are there; least, most: the band of its price; month: of the
    decision, its first day; hours: needed a year."""

    key: str
    techniques: tuple[Technique, ...]
    region: Region | None
    money: str
    least: Decimal
    most: Decimal | None
    currency: str
    decision: str
    grounds: tuple[str, ...]
    month: date
    hours: int
    scheme: ReviewScheme

    @property
    def label(self) -> Any:
        return PurchaseCase.State(self.decision).label


def decided_cases() -> QuerySet[PurchaseCase]:
    """Cases that are decided and not under appeal, the newest decision first."""
    return (
        cases()
        .exclude(decision="")
        .exclude(state="under_review")
        .annotate(key=Left("comparison__digest", KEY))
        .order_by("-decided_at", "key")
    )


def decided_by_key(key: str) -> PurchaseCase:
    """One of them; `NotFound` if there is none."""
    return visible(decided_cases(), key=key.replace("\0", ""))


def load_decided(rows: list[PurchaseCase]) -> list[Decided]:
    """What is told of cases of `decided_cases`. One statement."""
    regions = {row.organisation.region_id for row in rows}
    number = Count("organisations", filter=Q(organisations__closed_at=None))
    large = set(
        Region.objects.filter(pk__in=regions)
        .annotate(number=number)
        .filter(number__gte=settings.PUBLIC_LEAST_ORGANISATIONS)
        .values_list("pk", flat=True)
    )
    return [
        Decided(
            row.key,  # type: ignore[attr-defined]
            tuple(row.techniques.all()),
            row.organisation.region if row.organisation.region_id in large else None,
            row.money,
            *band_of(row.price),
            row.currency,
            row.decision,
            tuple(row.grounds),
            row.decided_at.date().replace(day=1),  # type: ignore[union-attr]
            row.hours,
            row.scheme,
        )
        for row in rows
    ]


def load_figures(case: PurchaseCase) -> dict[str, Any]:
    """The figures by which a case was decided, without names, prices or costs: instruments
    compared and fitting, and hours as whole numbers. Two statements."""
    evidence: Evidence | None = evidence_of(case)
    if evidence is None:
        return {}
    figures = evidence.figures
    return {
        "compared": len(evidence.rows),
        "fitting": sum(row["fit"] == "meets" for row in evidence.rows),
        "mean_hours": None if figures.mean is None else round(figures.mean),
        "spare_hours": round(figures.spare),
        "unmet_hours": sum(evidence.unmet[name] for name in ("refused", "searched", "waited"))
        // 60,
        "coverage": f"{float(figures.coverage):.4f}",
        "promised_hours": round(figures.promised),
        "break_even_hours": figures.break_even,
    }
