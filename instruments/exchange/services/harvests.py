"""Fetch files from addresses on a timetable, and start an import of each new one.

How a worker claims and requests an address: `instruments.exchange.services.polling`.
"""

import hashlib
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from accounts import trail
from accounts.adapters.calling import Limits, RemoteResponse, Resolve, resolve
from accounts.domain.addresses import AddressRefused
from accounts.domain.errors import NotFound, NotPermitted, Refused, WrongState, invalid
from accounts.domain.file_names import NAMELESS, file_name_of
from accounts.domain.jobs import Busy
from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation
from accounts.notifications import Effect, enqueue, nudge
from accounts.permissions import require
from accounts.selectors.jobs import held_back
from accounts.selectors.memberships import load_actor, place_of
from accounts.selectors.organisations import require_open
from accounts.services.jobs import act_on, failures_keep
from instruments.exchange.adapters.oai import is_list
from instruments.exchange.domain import harvests
from instruments.exchange.models import Fetching, Harvest, Import
from instruments.exchange.selectors.harvests import load_plan
from instruments.exchange.selectors.imports import kept_file, load_mapping, load_rows
from instruments.exchange.services.jobs import import_cancel, import_start
from instruments.exchange.services.polling import (
    address_ask,
    address_claim,
    address_release,
    address_remember,
    list_ask,
)
from instruments.reading.domain.delimited import MAX_BYTES, FileRefused

TASK = "instruments.tasks.work_harvests"
JOB = "harvests"
LIMITS = Limits(size=MAX_BYTES)
State, Outcome = Harvest.State, Fetching.Outcome
# States of earlier imports that nobody applied: a newer file replaces them.
_WAITING = (Import.State.READING, Import.State.UNMAPPED, Import.State.READY)


@transaction.atomic
def harvest_add(by: By, *, organisation_id: UUID, plan: harvests.Plan) -> Harvest:
    """Add a harvest, whose file is fetched at once and then on its timetable. `Invalid`, `NotFound`,
    `NotPermitted`."""
    organisation = (
        Organisation.objects.select_related("region")
        .select_for_update(of=("self",), no_key=True)
        .filter(pk=organisation_id)
        .first()
    )
    if organisation is None:
        raise NotFound(organisation=str(organisation_id))
    require(by.actor, "manage-instruments", place_of(organisation))
    require_open(organisation)
    plan = _checked(plan, organisation)
    if Harvest.objects.filter(organisation=organisation).count() >= harvests.MOST_HARVESTS:
        raise invalid("organisation", "too-many", most=harvests.MOST_HARVESTS)
    harvest = Harvest(
        organisation=organisation, user_id=by.actor.person, due_at=by.now, created_at=by.now, **asdict(plan)
    )
    harvest.save(force_insert=True)
    _record(by, harvest, "harvest.add", after=asdict(plan))
    transaction.on_commit(lambda: nudge(TASK), robust=True)
    return harvest


@transaction.atomic
def harvest_change(by: By, *, harvest_id: UUID, plan: harvests.Plan) -> Harvest:
    """Change the plan of a harvest; it then has the rights of whoever changed it. `Invalid`,
    `WrongVersion`."""
    harvest = _locked(by, harvest_id)
    plan, before = _checked(plan, harvest.organisation), load_plan(harvest)
    harvest.user_id = by.actor.person
    for name, value in asdict(plan).items():
        setattr(harvest, name, value)
    if _what(plan) != _what(before):  # another file, or read differently: the old answers no longer count
        harvest.etag = harvest.modified = harvest.sha256 = ""
        _let_go(harvest)
    if harvest.state == State.ACTIVE and harvest.failures == 0:
        harvest.due_at = harvests.next_due(plan, _zone(harvest), by.now)
    harvest.version += 1
    harvest.save()
    if plan != before:
        _record(by, harvest, "harvest.change", before=asdict(before), after=asdict(plan))
    return harvest


@transaction.atomic
def harvest_pause(by: By, *, harvest_id: UUID) -> Harvest:
    """Stop fetching until the harvest is resumed. `WrongState`, `WrongVersion`."""
    harvest = _locked(by, harvest_id)
    if harvest.state != State.ACTIVE:
        raise WrongState(state=harvest.state)
    harvest.state, harvest.due_at = State.PAUSED, None
    _let_go(harvest)
    harvest.version += 1
    harvest.save()
    _record(by, harvest, "harvest.pause")
    return harvest


@transaction.atomic
def harvest_resume(by: By, *, harvest_id: UUID) -> Harvest:
    """Resume a harvest: its file is fetched at once and then on the timetable. `WrongState`,
    `WrongVersion`."""
    harvest = _locked(by, harvest_id)
    if harvest.state != State.PAUSED:
        raise WrongState(state=harvest.state)
    harvest.state, harvest.due_at, harvest.failures = State.ACTIVE, by.now, 0
    harvest.version += 1
    harvest.save()
    _record(by, harvest, "harvest.resume")
    transaction.on_commit(lambda: nudge(TASK), robust=True)
    return harvest


@transaction.atomic
def harvest_fetch(by: By, *, harvest_id: UUID) -> Harvest:
    """Make a harvest due now; changes nothing while its file is being fetched. `WrongState` if it is
    paused."""
    harvest = _locked(By(by.actor, by.now), harvest_id)
    if harvest.state != State.ACTIVE:
        raise WrongState(state=harvest.state)
    if harvest.claimed_until is not None and harvest.claimed_until > by.now:
        return harvest
    harvest.due_at = by.now
    harvest.save(update_fields=["due_at"])
    _record(by, harvest, "harvest.fetch")
    transaction.on_commit(lambda: nudge(TASK), robust=True)
    return harvest


@transaction.atomic
def harvest_delete(by: By, *, harvest_id: UUID) -> None:
    """Delete a harvest and its history of fetchings. Its imports stay and keep its name. `WrongVersion`."""
    harvest = _locked(by, harvest_id)
    _record(by, harvest, "harvest.delete", before=asdict(load_plan(harvest)))
    harvest.delete()


# The work


def harvest_work(*, now: datetime, limits: Limits = LIMITS, resolve: Resolve = resolve) -> bool:
    """Fetch the file of the harvest that has been due longest; return whether one was due."""
    due = Harvest.objects.filter(state=State.ACTIVE).exclude(pk__in=held_back(JOB, now))
    harvest = address_claim(due, _again_at, harvests.MOST_FAILURES, now)
    if harvest is None:
        failures_keep(JOB, Harvest.objects.filter(state=State.ACTIVE).values("pk"))
        return False

    def act(harvest: Harvest) -> int:
        try:
            answer = address_ask(harvest, limits=limits, resolve=resolve)
            if answer and harvest.format == Import.Format.PIDINST and is_list(answer.body):
                answer = list_ask(harvest, answer, limits=limits, resolve=resolve)
        except (AddressRefused, FileRefused) as refused:
            _store(harvest, now, refused=refused)
            return 1
        with answer.body if answer else nullcontext():
            _store(harvest, now, answer=answer)
        return 1

    with suppress(Busy):
        act_on(JOB, harvest, act, now)  # if this fails the claim stays until it expires
    return True


def _again_at(failures: int, now: datetime) -> datetime | None:
    """Return when to fetch again after failures that left no stored outcome; such a harvest is never
    paused."""
    return harvests.again_at(min(failures, harvests.MOST_FAILURES - 1), now)


@transaction.atomic
def _store(
    claimed: Harvest, now: datetime, *, answer: RemoteResponse | None = None, refused: Refused | None = None
) -> None:
    """Store the outcome of a fetching: an answer, a refusal, or (neither given) no change."""
    rows = Harvest.objects.select_related("organisation__region", "user")
    harvest = address_release(rows, claimed)
    if harvest is None:  # another worker has it, or managers changed or deleted it
        return
    job: Import | None = None
    if answer is not None:
        digest = _digest(answer.body)
        if digest != harvest.sha256:
            try:
                with transaction.atomic():
                    job = _bring(harvest, answer, now)
            except (FileRefused, NotPermitted) as no:
                refused = no
        if refused is None:
            harvest.sha256 = digest
            address_remember(harvest, answer)
    fetching = Fetching.objects.create(
        harvest=harvest,
        at=now,
        outcome=Outcome.FAILED if refused else Outcome.FETCHED if job else Outcome.UNCHANGED,
        problem={"code": refused.code, "numbers": refused.numbers} if refused else {},
        size=answer.size if answer is not None else None,
        job=job,
    )
    if refused is None:
        harvest.failures = 0
        harvest.due_at = harvests.next_due(load_plan(harvest), _zone(harvest), now)
    else:
        harvest.due_at = harvests.again_at(harvest.failures, now)
        if harvest.due_at is None:
            _give_up(harvest, fetching, now)
    harvest.save()


def _bring(harvest: Harvest, answer: RemoteResponse, now: datetime) -> Import:
    """Start an import of the file that was fetched for a harvest, and return it. `FileRefused`,
    `NotPermitted`."""
    actor = load_actor(harvest.user)
    if not harvest.user.is_active or not actor.may("manage-instruments", place_of(harvest.organisation)):
        raise NotPermitted("no-longer-manager")
    mapping = None
    if harvest.mapping:
        mapping = load_mapping(harvest.organisation, harvest.mapping)
    answer.body.seek(0)
    harvests.check_content(harvest.format, answer.body.read(512))
    answer.body.seek(0)
    job = import_start(
        By(actor, now),
        organisation_id=harvest.organisation_id,
        file=answer.body,
        file_name=_file_name(answer.address),
        format=harvest.format,
        encoding=harvest.encoding,
        mapping=mapping,
        mapping_name=harvest.mapping,
        facility=harvest.facility,
        hand_changes=harvest.hand_changes,
        harvest=harvest,
    )
    with kept_file(job) as stream:  # refuse a file that cannot be opened before keeping it
        next(iter(load_rows(job, stream).rows), None)
    earlier = harvest.imports.filter(state__in=_WAITING).exclude(pk=job.pk)
    for old in earlier.values_list("pk", flat=True):
        import_cancel(By(PLATFORM, now), import_id=old)
    return job


def _give_up(harvest: Harvest, fetching: Fetching, now: datetime) -> None:
    harvest.state = State.PAUSED
    harvest.version += 1
    _record(By(PLATFORM, now), harvest, "harvest.pause", after={"failures": harvest.failures})
    payload = {"harvest": str(harvest.pk), "fetching": str(fetching.pk)}
    enqueue([Effect("harvest.paused", f"harvest.paused:{fetching.pk}", payload)], now=now)


def _let_go(harvest: Harvest) -> None:
    harvest.claim = harvest.claimed_until = None


def _locked(by: By, harvest_id: UUID) -> Harvest:
    harvest = (
        Harvest.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region", "user")
        .filter(pk=harvest_id)
        .first()
    )
    if harvest is None or not by.actor.may("manage-instruments", place_of(harvest.organisation)):
        raise NotFound
    by.require_version(harvest.version)
    return harvest


def _checked(plan: harvests.Plan, organisation: Organisation) -> harvests.Plan:
    plan = harvests.check_plan(plan, formats=Import.Format.values, loopback=settings.CALLS_LOOPBACK)
    if plan.mapping:
        try:
            load_mapping(organisation, plan.mapping)
        except FileRefused:
            raise invalid("mapping", "unknown-value") from None
    return plan


def _what(plan: harvests.Plan) -> tuple[str, ...]:
    return plan.address, plan.format, plan.encoding, plan.mapping, plan.facility, plan.hand_changes


def _zone(harvest: Harvest) -> ZoneInfo:
    return ZoneInfo(harvest.organisation.region.time_zone)


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    pieces: Iterator[bytes] = iter(lambda: file.read(1 << 20), b"")
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _file_name(address: str) -> str:
    parts = urlsplit(address)
    name = file_name_of(unquote(parts.path.rpartition("/")[2]))
    return parts.hostname or NAMELESS if name == NAMELESS else name


def _record(
    by: By,
    harvest: Harvest,
    action: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    trail.record(by, action, harvest, before=before or {}, after=after or {"name": harvest.name})
