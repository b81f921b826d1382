"""Read announcements and maintenance: those that pages show, and the lists of administrators."""

from datetime import datetime
from uuid import UUID

from django.core.cache import cache
from django.db.models import Q, QuerySet

from accounts.domain.announcements import REGION
from accounts.domain.announcements import Announcement as Notice
from accounts.domain.roles import Actor, Place
from accounts.models import Announcement, Maintenance, Organisation, Region
from accounts.selectors.installation import KEPT_FOR, installation

MAY = "administer"


def announcements_shown(actor: Actor, now: datetime) -> list[Notice]:
    """Return the announcements that are for the actor at a moment, oldest first. It takes no statement, but
    one each minute for a person while there is an announcement to a region."""
    current = [each for each in installation().announcements if each.starts_at <= now < each.ends_at]
    is_signed_in = actor.user_id is not None
    is_regional = is_signed_in and any(each.audience == REGION for each in current)
    regions = _regions_of(actor) if is_regional else frozenset()
    roles = {grant.role for grant in actor.grants}
    shown = (each for each in current if each.is_for(is_signed_in=is_signed_in, roles=roles, regions=regions))
    return sorted(shown, key=lambda each: (each.starts_at, each.id))


def _regions_of(actor: Actor) -> frozenset[UUID]:
    """Return the regions of the actor's organisations and roles, with all above them, from the cache or else
    from the rows."""
    key = f"regions-of:{actor.user_id}"
    regions: frozenset[UUID] | None = cache.get(key)
    if regions is None:
        own = Q(pk__in=[grant.region_id for grant in actor.grants if grant.region_id]) | Q(
            pk__in=Organisation.objects.filter(pk__in=actor.own_organisations).values("region")
        )
        lineages = Region.objects.filter(own).values_list("lineage", flat=True)
        regions = frozenset(pk for lineage in lineages for pk in lineage)
        cache.set(key, regions, KEPT_FOR)
    return regions


def announcements_for(actor: Actor) -> QuerySet[Announcement]:
    """Return all announcements for administrators, and none for others, who read those on their pages."""
    rows = Announcement.objects.select_related("region", "entered_by")
    return rows if _may(actor) else rows.none()


def maintenance_for(actor: Actor) -> QuerySet[Maintenance]:
    """Return all times of maintenance for administrators, and none for others."""
    rows = Maintenance.objects.select_related("announcement", "entered_by")
    return rows if _may(actor) else rows.none()


def _may(actor: Actor) -> bool:
    return actor.is_platform or actor.may(MAY, Place(None))
