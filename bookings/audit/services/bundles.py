"""Bundles of the trail: streamed at once, or written by a worker and fetched by whoever asked.

A worker that dies leaves a file half written and its job at work; another begins it anew, a few
times at most. Files are kept for some days.
"""

import gzip
import logging
from contextlib import suppress
from datetime import datetime, timedelta
from tempfile import TemporaryFile

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from accounts import trail
from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from accounts.models import Region, User
from accounts.notifications import nudge
from accounts.permissions import require_somewhere
from accounts.selectors.seals import Range, bundle_lines, bundle_size
from accounts.services.seals import trail_seal
from bookings.audit.models import TrailBundle
from bookings.record.domain.retention import FILES

log = logging.getLogger(__name__)

TASK = "bookings.tasks.write_bundles"
STALLED = timedelta(minutes=10)
MOST_ATTEMPTS = 3
MOST_OPEN = 3  # of one person
STEP = 5000  # lines, between two words of progress
State = TrailBundle.State


def bundle_ask(by: By, *, since: datetime | None, until: datetime | None) -> Range:
    """What `accounts.selectors.seals.bundle_lines` is to write for an auditor: everything up to
    now is sealed first, and that they took it is in the trail."""
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
    """Have a bundle written; `WrongState` where a person has as many at work as one may."""
    require_somewhere(by.actor, "read-trail")
    mine = TrailBundle.objects.filter(user_id=by.actor.person)
    if mine.filter(state__in=[State.WAITING, State.WORKING]).count() >= MOST_OPEN:
        raise WrongState("bundles-waiting", most=MOST_OPEN)
    part = bundle_ask(by, since=since, until=until)
    with transaction.atomic():
        row = TrailBundle.objects.create(
            user_id=by.actor.person,
            since=since,
            until=until,
            region_ids=list(part.regions or ()),
            region_codes=list(part.region_codes),
            created_at=by.now,
        )
        transaction.on_commit(lambda: nudge(TASK), robust=True)
    return row


def bundles_work(*, now: datetime) -> int:
    """Write what waits, one after the other, on as many workers as there are; the number
    written."""
    done = 0
    while (row := _claimed(now)) is not None:
        try:
            _write(row, now)
            done += 1
        except Exception:
            log.exception("bundle failed")
            state = State.FAILED if row.attempts >= MOST_ATTEMPTS else State.WAITING
            TrailBundle.objects.filter(pk=row.pk).update(state=state)
            break
    return done


def bundles_clear(*, now: datetime) -> int:
    """Delete files that nobody needs any more; how many."""
    old = TrailBundle.objects.filter(created_at__lt=now - FILES)
    for row in old.exclude(file=""):
        default_storage.delete(row.file)
    return old.delete()[0]


def bundle_open(row: TrailBundle) -> "File[bytes]":
    """The finished file. `WrongState` before."""
    if row.state == State.DONE:
        with suppress(FileNotFoundError):
            return default_storage.open(row.file)
    raise WrongState("bundle-not-ready")


@transaction.atomic
def _claimed(now: datetime) -> TrailBundle | None:
    due = Q(state=State.WAITING) | Q(state=State.WORKING, worked_at__lt=now - STALLED)
    row = (
        TrailBundle.objects.select_for_update(skip_locked=True)
        .filter(due, attempts__lt=MOST_ATTEMPTS)
        .order_by("created_at", "pk")
        .first()
    )
    if row is None:
        return None
    row.state, row.attempts = State.WORKING, row.attempts + 1
    row.worked_at, row.entries_done = now, 0
    row.save(update_fields=["state", "attempts", "worked_at", "entries_done"])
    return row


def _write(row: TrailBundle, now: datetime) -> None:
    part = Range(row.since, row.until, row.region_ids, row.region_codes, row.user_id)
    mine = TrailBundle.objects.filter(pk=row.pk)
    mine.update(entries_total=bundle_size(part))
    lines = bundle_lines(part, site=settings.SITE_URL, now=now)
    with TemporaryFile() as file:
        with gzip.open(file, "wb", compresslevel=5) as out:
            for number, line in enumerate(lines):
                out.write(line)
                if number % STEP == 0:
                    mine.update(entries_done=number, worked_at=Now())
        file.seek(0)
        name = default_storage.save(f"bundles/{row.pk}-{row.attempts}.jsonl.gz", File(file))
    mine.update(state=State.DONE, file=name, entries_done=bundle_size(part), ended_at=Now())
