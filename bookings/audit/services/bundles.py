"""Give auditors bundles of the trail: streamed at once, or written by a worker and fetched later."""

import gzip
from datetime import datetime
from typing import BinaryIO

from django.conf import settings
from django.core.files import File
from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from accounts.models import Region, User
from accounts.notifications import nudge
from accounts.permissions import require_somewhere
from accounts.selectors.seals import Range, bundle_lines, bundle_size
from accounts.services.file_jobs import counted, file_open, files_work
from accounts.services.seals import trail_seal
from bookings.audit.models import TrailBundle

TASK = "bookings.tasks.write_bundles"
MOST_OPEN = 3  # of one person
State = TrailBundle.State


def bundle_ask(by: By, *, since: datetime | None, until: datetime | None) -> Range:
    """Return the range that `accounts.selectors.seals.bundle_lines` has to write for an auditor. Before,
    everything up to now is sealed, and the trail records that the auditor took the bundle."""
    require_somewhere(by.actor, "read-trail")
    regions = sorted(by.actor.regions_where("read-trail"))
    with transaction.atomic():
        trail.record(
            by,
            "user.bundle",
            User.objects.get(pk=by.actor.person),
            after={"from": since, "until": until},
            places=((), regions),
        )
    trail_seal(now=by.now)
    codes = Region.objects.filter(pk__in=regions).values_list("code", flat=True)
    return Range(since, until, regions, list(codes), by.actor.person)


def bundle_start(by: By, *, since: datetime | None, until: datetime | None) -> TrailBundle:
    """Have a worker write a bundle; raise `WrongState` if the person has as many unfinished ones as
    allowed."""
    require_somewhere(by.actor, "read-trail")
    mine = TrailBundle.objects.filter(user_id=by.actor.person)
    if mine.filter(state__in=[State.WAITING, State.WORKING]).count() >= MOST_OPEN:
        raise WrongState("bundles-waiting", most=MOST_OPEN)
    span = bundle_ask(by, since=since, until=until)
    with transaction.atomic():
        row = TrailBundle.objects.create(
            user_id=by.actor.person,
            since=since,
            until=until,
            region_ids=list(span.regions or ()),
            region_codes=list(span.region_codes),
            created_at=by.now,
        )
        transaction.on_commit(lambda: nudge(TASK), robust=True)
    return row


def bundles_work(*, now: datetime) -> int:
    """Write the bundles that wait; return how many were written."""

    def write(row: TrailBundle, stream: BinaryIO) -> int:
        return _write(row, stream, now)

    return files_work(job="bundles", model=TrailBundle, write=write, now=now)


def bundle_open(row: TrailBundle) -> "File[bytes]":
    """Return the finished file; raise `WrongState` if it is not finished."""
    return file_open(row, WrongState("bundle-not-ready"))


def _write(row: TrailBundle, stream: BinaryIO, now: datetime) -> int:
    span = Range(row.since, row.until, row.region_ids, row.region_codes, row.user_id)
    TrailBundle.objects.filter(pk=row.pk).update(entries_total=bundle_size(span))
    lines = bundle_lines(span, site=settings.SITE_URL, now=now)
    with gzip.open(stream, "wb", compresslevel=5) as out:
        for line in counted(row, lines):
            out.write(line)
    return bundle_size(span)
