"""Publication of instruments."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongVersion
from accounts.domain.roles import Actor
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from instruments.domain import publishing
from instruments.domain.opening import local_date
from instruments.locks import lock_instrument
from instruments.models import Instrument
from instruments.selectors.publishing import load_record
from instruments.services.opening import assignment_change
from instruments.services.search import entries_file

# act -> the state it leads to and the capability it needs
ACTS = {
    "submit": ("submitted", "register-instruments"),
    "publish": ("published", "manage-instruments"),
    "suspend": ("suspended", "manage-instruments"),
    "retire": ("retired", "manage-instruments"),
}


@transaction.atomic
def instrument_publication(
    *,
    actor: Actor,
    instrument_id: UUID,
    act: str,
    now: datetime,
    reason: str = "",
    expected_version: int | None = None,
) -> Instrument:
    """Submit, publish, suspend or retire. Publishing needs a complete record (`Incomplete`
    names what is missing); it also brings back a suspended one. Retired is final."""
    wanted, capability = ACTS[act]
    instrument = lock_instrument(instrument_id, record=True)
    require(actor, capability, place_of(instrument.organisation))
    if expected_version is not None and expected_version != instrument.version:
        raise WrongVersion(version=instrument.version)
    before = instrument.publication
    publishing.step(before, wanted)
    if wanted == "published":
        today = local_date(ZoneInfo(instrument.facility.time_zone), now)
        lacking = publishing.missing(load_record(instrument, today))
        if lacking:
            raise publishing.Incomplete(lacking)
        instrument.published_at = instrument.published_at or now
    instrument.publication = wanted
    instrument.version += 1
    instrument.updated_at = now
    instrument.save(update_fields=["publication", "published_at", "version", "updated_at"])
    if "published" in {before, wanted}:
        assignment_change(instrument=instrument, now=now)
        entries_file([instrument.pk])
    trail.record(
        actor=actor,
        action=f"instrument.{act}",
        target=instrument,
        now=now,
        before={"publication": before},
        after={"publication": wanted},
        reason=reason,
        organisation_ids=[instrument.organisation_id],
        region_ids=instrument.region.lineage,
    )
    return instrument
