"""Change the organisation and region to which instruments belong."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from django.db.models import Max

from accounts.domain.jobs import Busy
from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation, OrganisationMove
from accounts.selectors.organisations import moves_due
from accounts.services.jobs import work_through
from accounts.services.organisation_moves import move_record, organisation_locked
from instruments.register.locks import lock_instruments
from instruments.register.models import Instrument, PastHost
from instruments.search.services.search import BATCH, entries_file


def moves_carry_out(*, now: datetime, most: int = 100) -> int:
    """Carry out the moves whose first day has come: the organisation and its instruments then belong to the
    new region. Return how many. A move that another worker is carrying out is skipped."""

    def act(move_id: UUID) -> int:
        rows = OrganisationMove.objects.select_for_update(of=("self",), skip_locked=True)
        move = rows.select_related("from_region", "region").filter(pk=move_id).first()
        if move is None:
            raise Busy
        if move.carried_out_at is not None or move.withdrawn_at is not None:
            return 0
        _carry_out(move, now)
        return 1

    return work_through(job="carry out moves", due=moves_due(now, most), act=act, now=now)


def _carry_out(move: OrganisationMove, now: datetime) -> None:
    # Instruments are locked before the organisation, as everywhere; new ones wait for its lock (registry).
    mine = Instrument.objects.filter(organisation_id=move.organisation_id)
    lock_instruments(mine.values_list("pk", flat=True))
    organisation = organisation_locked(move.organisation_id)
    organisation.region = move.region
    organisation.version += 1
    organisation.save(update_fields=["region", "version"])
    ids = sorted(mine.values_list("pk", flat=True))
    hosts_change(ids, organisation, move.starts_on, now)
    move.carried_out_at = now
    move.save(update_fields=["carried_out_at"])
    move_record(By(PLATFORM, now), "organisation.moved", move)


def hosts_change(
    instrument_ids: Sequence[UUID], organisation: Organisation, day: date, now: datetime
) -> None:
    """Give instruments, which the caller has locked, to an organisation and its region from a local day
    on; the days before stay with the earlier host. Eight statements, and six for each batch filed for the
    search."""
    rows = Instrument.objects.filter(pk__in=instrument_ids)
    since = Max("past_hosts__until_date")
    PastHost.objects.bulk_create(
        PastHost(instrument_id=pk, organisation_id=host, region_id=region, from_date=first, until_date=day)
        for pk, host, region, first in rows.annotate(since=since).values_list(
            "pk", "organisation_id", "region_id", "since"
        )
        if first is None or first < day
    )
    rows.update(organisation=organisation, region=organisation.region, updated_at=now)
    for start in range(0, len(instrument_ids), BATCH):
        entries_file(instrument_ids[start : start + BATCH])
