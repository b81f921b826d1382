"""Taking the trail along."""

from datetime import datetime

from django.db import transaction

from accounts import trail
from accounts.domain.roles import Actor
from accounts.models import Region, User
from accounts.permissions import require_somewhere
from accounts.selectors.seals import Range
from accounts.services.seals import trail_seal


def bundle_ask(
    *, actor: Actor, since: datetime | None, until: datetime | None, now: datetime
) -> Range:
    """What `accounts.selectors.seals.bundle_lines` is to write for an auditor: everything up to
    now is sealed first, and that they took it is in the trail."""
    require_somewhere(actor, "read-trail")
    regions = sorted(actor.regions_where("read-trail"))
    with transaction.atomic():
        trail.record(
            actor=actor,
            action="user.bundle",
            target=User.objects.get(pk=actor.person),
            now=now,
            after={"from": since, "until": until},
            region_ids=regions,
        )
    trail_seal(now=now)
    codes = Region.objects.filter(pk__in=regions).values_list("code", flat=True)
    return Range(since, until, regions, list(codes), actor.person)
