"""Needs, as far as each person may see them."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain.roles import Actor
from accounts.selectors.rows import visible
from bookings.needs.models import Need
from bookings.record.domain.money import format_number
from instruments.domain.capabilities import Requirement
from instruments.domain.needs import NeedTerm
from instruments.selectors.needs import load_vocabulary


def needs_for(actor: Actor) -> QuerySet[Need]:
    """One's own, those of organisations whose manager one is, and those that one was named a reader
    of; the newest first."""
    named = Need.readers.through.objects.filter(user=actor.user_id).values("need")
    return _all().filter(Q(pk__in=_kept_by(actor).values("pk")) | Q(pk__in=named))


def need_by_id(actor: Actor, need_id: UUID) -> Need:
    """One of them; `NotFound` if there is none, or it is not the actor's to read."""
    return visible(needs_for(actor), pk=need_id)


def need_to_share(actor: Actor, need_id: UUID) -> Need:
    """One of those whose readers the actor names: their own, and those of organisations whose
    manager they are; `NotFound` else."""
    return visible(_all().filter(pk__in=_kept_by(actor).values("pk")), pk=need_id)


def own_need(actor: Actor, need_id: UUID) -> Need:
    """One's own; `NotFound` if there is none."""
    return visible(_all().filter(user_id=actor.person), pk=need_id)


def needs_under_review(actor: Actor) -> QuerySet[Need]:
    """Those that the actor may open with a reason: of the regions they audit, and for
    administrators all."""
    if actor.has("administrator"):
        return _all()
    return _all().filter(organisation__region__lineage__overlap=list(actor.regions_where("audit")))


def load_chosen(codes: list[str]) -> list[NeedTerm]:
    """Measurands and techniques by code, in this order; those that are no more are left out.
    No statement once the vocabulary is known."""
    vocabulary = load_vocabulary()
    measurands = {row.code: row for row in vocabulary.measurands}
    chosen = []
    for code in codes:
        if row := measurands.get(code):
            chosen.append(NeedTerm(row.code, row.name, row.name_zh, row.techniques, unit=row.unit))
        elif term := vocabulary.terms.get(code):
            chosen.append(NeedTerm(code, term.name, term.name_zh, (code,), is_named=True))
    return chosen


def load_requirements(need: Need) -> tuple[Requirement, ...]:
    """What a need requires of an instrument. No statement."""

    def side(kept: Mapping[str, str | None], name: str) -> Decimal | None:
        value = kept.get(name)
        return None if value is None else Decimal(value)

    return tuple(
        Requirement(str(kept["parameter"]), side(kept, "low"), side(kept, "high"))
        for kept in need.requirements
    )


def written(requirement: Requirement) -> dict[str, str | None]:
    """A requirement as it is kept and answered."""

    def side(value: Decimal | None) -> str | None:
        return None if value is None else format_number(value)

    return {
        "parameter": requirement.parameter,
        "low": side(requirement.low),
        "high": side(requirement.high),
    }


def _kept_by(actor: Actor) -> QuerySet[Need]:
    managed = actor.organisations_where("book-for-members")
    return Need.objects.filter(Q(user=actor.user_id) | Q(organisation_id__in=managed))


def _all() -> QuerySet[Need]:
    return (
        Need.objects.select_related("user", "organisation__region")
        .prefetch_related("regions", "readers")
        .order_by("-created_at", "-id")
    )
