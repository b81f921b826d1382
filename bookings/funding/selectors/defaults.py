"""Load the funding sources that are chosen for people beforehand."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db.models import QuerySet

from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.funding.domain.defaults import NO_DEFAULT, Default, chosen
from bookings.funding.domain.funding import Share
from bookings.funding.models import DefaultSource, FundingSource
from bookings.funding.selectors.funding_sources import chargeable, oversees


def defaults_at(payer_id: UUID, person: UUID) -> QuerySet[DefaultSource]:
    """Return the default sources of a person at an organisation, in the order in which they were chosen."""
    rows = DefaultSource.objects.filter(user_id=person, source__organisation_id=payer_id)
    return rows.select_related("source").order_by("set_at", "id")


def defaults_of(person: UUID) -> QuerySet[DefaultSource]:
    """Return the default sources of a person at all organisations."""
    rows = DefaultSource.objects.filter(user_id=person).select_related("source__organisation", "set_by")
    return rows.order_by("source__organisation__name", "-is_own", "set_at", "id")


def load_default(payer_id: UUID, person: UUID, sources: Sequence[FundingSource]) -> Default:
    """Return what is preselected for a person among the sources that could pay, of which those without money
    left cannot. One statement."""
    return _chosen(list(defaults_at(payer_id, person)), sources)


def load_default_on(payer: Organisation, person: UUID, day: date) -> Default:
    """Return the default of a person for a booking that starts on a local day, among the sources that they
    may charge. One statement, two for somebody who has a default."""
    rows = list(defaults_at(payer.pk, person))
    return _chosen(rows, chargeable(payer, [person], day)) if rows else NO_DEFAULT


def _chosen(rows: Sequence[DefaultSource], sources: Sequence[FundingSource]) -> Default:
    own, given = (
        [Share(row.source.code, row.percent) for row in rows if row.is_own == is_own]
        for is_own in (True, False)
    )
    usable = {source.code for source in sources if source.left is None or source.left > 0}
    return chosen(own, given, usable)


def people_by_default(actor: Actor, source: FundingSource) -> list[DefaultSource]:
    """Return the people whose default a source is, by name; those of others only for somebody who oversees
    it. One statement."""
    rows = DefaultSource.objects.filter(source=source).select_related("user")
    rows = rows.order_by("user__name", "is_own", "id")
    return list(rows if oversees(actor, source) else rows.filter(user_id=actor.person))
