"""Making regions and organisations."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import trail
from accounts.domain.roles import Actor, Place
from accounts.models import Organisation, Region
from accounts.permissions import require


@transaction.atomic
def region_create(
    *,
    actor: Actor | None,
    scheme: str,
    code: str,
    parent: Region | None,
    now: datetime,
    **values: Any,
) -> Region:
    """A region below `parent`. `actor` None is the platform itself (commands)."""
    if actor is not None:
        require(actor, "administer", Place(None))
    region = Region(scheme=scheme, code=code, parent=parent, **values)
    region.lineage = [region.pk, *(parent.lineage if parent else [])]
    region.save(force_insert=True)
    trail.record(
        actor=actor,
        action="region.create",
        target=region,
        now=now,
        after={"scheme": scheme, "code": code, "parent": parent.pk if parent else None},
        region_ids=region.lineage,
    )
    return region


@transaction.atomic
def organisation_create(
    *, actor: Actor | None, code: str, region: Region, now: datetime, **values: Any
) -> Organisation:
    """An organisation of a region."""
    if actor is not None:
        require(actor, "administer", Place(None))
    organisation = Organisation.objects.create(code=code, region=region, **values)
    trail.record(
        actor=actor,
        action="organisation.create",
        target=organisation,
        now=now,
        after={"code": code, "region": region.pk, "kind": organisation.kind},
        organisation_ids=[organisation.pk],
        region_ids=region.lineage,
    )
    return organisation
