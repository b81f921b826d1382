"""The public register of decisions on purchases."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Left
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Region, User
from accounts.selectors.rows import visible
from bookings.planning.domain.register import band_of, without_names
from bookings.record.domain.months import month_of
from bookings.record.selectors.lists import CHOICE, Column, Filter, Listing
from bookings.reviews.domain.reviews import DECISIONS as OUTCOMES
from bookings.reviews.models import CaseExpert, CaseStep, PurchaseCase, ReviewScheme
from bookings.reviews.selectors.cases import cases
from bookings.reviews.selectors.comparison import Evidence, evidence_of
from instruments.vocabulary.models import Technique

DECIDED = [(state.value, state.label) for state in PurchaseCase.State if state.value in OUTCOMES]
KEY = 16  # hexadecimal digits of the digest of the comparison; no id of a case, which others know


@dataclass(frozen=True)
class Decided:
    """A decided case as everybody may read it. key: its name in the register; region: the applicant's, None
    if it has too few organisations; least, most: the band of its price; month: the first day of the month of
    the decision; hours: hours needed a year; reason, conditions: with names masked."""

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
    reason: str
    conditions: str

    @property
    def label(self) -> Any:
        return PurchaseCase.State(self.decision).label


def decided_cases() -> QuerySet[PurchaseCase]:
    """Return the cases that are decided and not under appeal, the newest decision first."""
    return (
        cases()
        .exclude(decision="")
        .exclude(state="under_review")
        .annotate(key=Left("comparison__digest", KEY))
        .order_by("-decided_at", "key")
    )


def decided_by_key(key: str) -> PurchaseCase:
    """Return a decided case by its key; raise `NotFound` if there is none."""
    return visible(decided_cases(), key=key.replace("\0", ""))


def load_decided(rows: list[PurchaseCase]) -> list[Decided]:
    """Return the public form of cases from `decided_cases`. Two statements."""
    names = _names(rows)
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
            month_of(row.decided_at, row.organisation.region.time_zone),  # type: ignore[arg-type]
            row.hours,
            row.scheme,
            without_names(row.decision_reason, names),
            without_names(row.conditions, names),
        )
        for row in rows
    ]


DECISIONS = Listing(
    "decisions",
    lambda actor: decided_cases(),
    (
        Column("key", "key"),
        Column("month", "month", _("Decided in")),
        Column(
            "techniques",
            lambda row, by: " ".join(one.code for one in row.techniques),
            _("Class of instrument"),
        ),
        Column("region", lambda row, by: row.region and row.region.code, _("Region")),
        Column("money", "money"),
        Column("price_from", "least", _("Price"), kind="end"),
        Column("price_below", "most"),
        Column("currency", "currency"),
        Column("decision", "decision", _("Decision")),
        Column("grounds", lambda row, by: " ".join(row.grounds)),
        Column("hours", "hours", _("Hours needed a year"), kind="end"),
        Column("scheme", "scheme.code"),
        Column("scheme_version", "scheme.version"),
        Column("reason", "reason"),
        Column("conditions", "conditions"),
    ),
    filters=(Filter("decision", "decision", CHOICE, _("Decision"), choices=DECIDED),),
    completed=load_decided,
)


def _names(rows: list[PurchaseCase]) -> set[str]:
    """Return the names that must never be published: of the applicants, of their members, and of everybody
    involved in these cases. One statement."""
    applicants = [row.organisation for row in rows]
    took_part = CaseStep.objects.filter(case__in=rows).values("user")
    advised = CaseExpert.objects.filter(case__in=rows).values("user")
    people = User.objects.filter(
        Q(pk__in={*(row.user_id for row in rows), *(row.decided_by_id for row in rows)})
        | Q(pk__in=took_part)
        | Q(pk__in=advised)
        | Q(pk__in=Membership.objects.filter(organisation__in=applicants).values("user"))
    )
    return {
        *people.values_list("name", flat=True),
        *(name for one in applicants for name in (one.name, one.name_zh)),
    }


def load_figures(case: PurchaseCase, *, least: int = 0) -> dict[str, Any]:
    """Return the figures by which a case was decided, without names, prices or costs: instruments compared
    and fitting, and hours as whole numbers. Hours used and spare hours of the fitting instruments, and unmet
    hours, are None and named in `hidden` if fewer than `least` organisations are behind them (for the first
    two: hosts). Two statements."""
    evidence: Evidence | None = evidence_of(case)
    if evidence is None:
        return {}
    figures = evidence.figures
    fitting = [row for row in evidence.rows if row["fit"] == "meets"]
    told = {
        "compared": len(evidence.rows),
        "fitting": len(fitting),
        "mean_hours": None if figures.mean is None else round(figures.mean),
        "spare_hours": round(figures.spare),
        "unmet_hours": sum(evidence.unmet[name] for name in ("refused", "searched", "waited")) // 60,
        "coverage": f"{float(figures.coverage):.4f}",
        "promised_hours": round(figures.promised),
        "break_even_hours": figures.break_even,
    }
    hosts = len({row["host"] for row in fitting})
    behind = (("mean_hours", hosts), ("spare_hours", hosts), ("unmet_hours", evidence.unmet["organisations"]))
    hidden = [name for name, number in behind if number and number < least]
    return told | dict.fromkeys(hidden) | {"hidden": hidden}
