"""Say how a facility receives samples by post."""

from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.roles import By
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from bookings.samples.models import SampleReceiving
from bookings.samples.selectors.receiving import receiving_of
from instruments.register.models import Facility


@transaction.atomic
def receiving_set(by: By, *, facility_id: UUID, **values: str | int | None) -> SampleReceiving:
    """Set how a facility receives samples (the fields of `SampleReceiving`); for the managers of its
    organisation. `NotFound`; `NotPermitted`; `WrongVersion` if it has changed since it was read (0 if it was
    not set then)."""
    rows = Facility.objects.select_for_update(of=("self",)).select_related("organisation__region")
    facility = visible(rows, pk=facility_id)
    require(by.actor, "manage-instruments", place_of(facility.organisation, facility_id=facility.pk))
    old = receiving_of(facility_id)
    by.require_version(old.version if old else 0)
    before = {name: getattr(old, name) for name in values} if old else {}
    if old and before == values:
        return old
    row = SampleReceiving(facility=facility, version=old.version + 1 if old else 1, **values)
    row.save(force_insert=old is None, force_update=old is not None)
    trail.record(by, "facility.sample-receiving", facility, before=before, after=values)
    return row
