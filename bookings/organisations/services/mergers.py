"""Merging an organisation into another, and closing one for good.

Order of locks: harvests and imports, the instruments concerned, then whatever else the areas say moves, by
its turn (series, bookings, chains, guaranteed hours, grants after their programmes, sources, people, the
rest), and last the two organisations. Whatever is written in an organisation's name takes its row FOR KEY
SHARE (trigger `organisation_open`), which waits for the FOR UPDATE of the merger and is then refused. Some
hold that row while they wait for an instrument (imports), so the merger never waits for it: if it does not
get the row at once, or finds that something was added in between, it releases all locks and begins again.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import OperationalError, transaction
from django.db.models import F

from accounts import trail
from accounts.areas import Merges
from accounts.database import is_busy
from accounts.domain.errors import WrongState
from accounts.domain.roles import By, Places
from accounts.models import Organisation
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisation_by_id, require_open
from accounts.services.invitations import invitations_end
from accounts.services.joining import requests_hand_over
from accounts.services.memberships import members_let_go
from accounts.services.organisation_moves import CAPABILITY
from bookings.funding.models import DefaultSource, Earmark, FundingSource, PurseTransfer
from bookings.organisations.selectors import mergers
from bookings.pricing.models import VoucherGrant
from bookings.programs.services.accounts import accounts_end
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.locks import locked
from bookings.record.models import Reservation
from bookings.reserving.services.occupancy import lineage_of
from instruments.managing.services.hosts import hosts_change
from instruments.policy.services.blocks import blocks_hand_over
from instruments.reading.domain.clock import local_date
from instruments.register.locks import lock_instruments
from instruments.register.models import Facility, Instrument

TRIES = 60


class _Overtaken(Exception):
    """The organisation was in use, or something changed meanwhile."""


def organisations_merge(by: By, *, organisation_id: UUID, into: Organisation) -> mergers.Merger:
    """Merge an organisation into another, in one transaction: what it has and its upcoming bookings move;
    what has begun or is over stays, and the other organisation accounts for it.

    Raises `NotPermitted` unless the actor manages organisations at both sides; `RulesRefuse` with what
    prevents it; `WrongVersion`; `WrongState` (`organisation-busy`) if the organisation stays in use.
    """
    merger = _undisturbed(lambda: _merge(by, organisation_id, into.pk))
    return replace(merger, carried_out=True)


def organisation_close(by: By, *, organisation_id: UUID) -> Organisation:
    """Close an organisation for good: memberships, roles, invitations and other open matters end.

    Raises `RulesRefuse` with the number of bookings ahead, published instruments, charges that are not final
    and unpaid statements; otherwise what `organisations_merge` raises.
    """
    return _undisturbed(lambda: _close(by, organisation_id))


def _undisturbed[Result](act: Callable[[], Result]) -> Result:
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                return act()
        except _Overtaken:
            time.sleep(min(0.02 * (attempt + 1), 0.2))
    raise WrongState("organisation-busy")


def _load(by: By, organisation_id: UUID) -> Organisation:
    row = organisation_by_id(organisation_id)
    require(by.actor, CAPABILITY, place_of(row))
    by.require_version(row.version)
    return row


def _lock(gone: Organisation, into: Organisation | None, now: datetime) -> None:
    """Lock all rows that pass to the other organisation, and then both organisations. Raise `_Overtaken` if a
    lock is taken, or if a row has appeared meanwhile that is not locked."""
    kinds = mergers.belongings(gone, now)
    known: dict[str, list[UUID]] = {}

    def lock(kind: Merges) -> None:
        if kind.behind is not None:
            list(locked(kind.behind(gone)).values_list("pk"))
        known[kind.kind] = [pk for (pk,) in locked(kinds[kind.kind]).values_list("pk")]

    for kind in mergers.kinds_going():
        if kind.is_first:
            lock(kind)
    instruments = mergers.instruments_concerned(gone, now)
    lock_instruments(instruments)
    for kind in mergers.kinds_going():
        if not kind.is_first:
            lock(kind)
    try:
        mine = Organisation.objects.select_for_update(of=("self",), nowait=True)
        other = Organisation.objects.select_for_update(of=("self",), nowait=True, no_key=True)
        mine.only("pk").get(pk=gone.pk)
        if into is not None:
            other.only("pk").get(pk=into.pk)
    except OperationalError as error:
        if not is_busy(error):
            raise
        raise _Overtaken from None
    for row in filter(None, (gone, into)):
        row.refresh_from_db()
    now_there = {kind: list(rows.values_list("pk", flat=True)) for kind, rows in kinds.items()}
    if now_there != known or mergers.instruments_concerned(gone, now) != instruments:
        raise _Overtaken


def _require_none(refusals: Iterable[Refusal]) -> None:
    if all_of_them := tuple(refusals):
        raise RulesRefuse(all_of_them)


def _merge(by: By, gone_id: UUID, into_id: UUID) -> mergers.Merger:
    gone, into = _load(by, gone_id), _load(replace(by, version=None), into_id)
    _require_none(mergers.hindrances(gone, into, by.now))
    _lock(gone, into, by.now)
    _require_none(mergers.hindrances(gone, into, by.now))
    merger = mergers.load_merger(gone, into, by.now, by=by.actor)
    kinds = mergers.belongings(gone, by.now)
    ahead = [row.pk for row in kinds["bookings"]]
    _purses_transfer(by, gone, into, ahead)
    _bookings_hand_over(by, gone, into, ahead)
    for kind in mergers.kinds_going():
        if kind.renamed:
            _rename(kind, gone, into)
        if kind.is_handed_over:
            kinds[kind.kind].update(**{kind.owner: into})
    blocks_hand_over(by, gone=gone, into=into)
    _instruments_hand_over(by, gone, into)
    invitations_end(by, organisation=gone)
    accounts_end(by, organisation=gone)
    members_let_go(by, organisation=gone, into=into)
    requests_hand_over(by, organisation=gone, into=into)
    into.absorbed = sorted({*into.absorbed, gone.pk, *gone.absorbed})
    for name, admits in (("scopes", "admits_by_scope"), ("mail_domains", "admits_by_mail")):
        # Somebody who had to ask for membership before does not get it now without asking.
        if getattr(gone, admits) or not getattr(into, admits):
            setattr(into, name, sorted({*getattr(into, name), *getattr(gone, name)}))
        setattr(gone, name, [])
    into.version += 1
    into.save(update_fields=["absorbed", "scopes", "mail_domains", "version"])
    gone.merged_into = into
    _shut(gone, by.now, "scopes", "mail_domains", "merged_into")
    trail.record(
        by,
        "organisation.merge",
        gone,
        after={
            "into": into.pk,
            "closed_at": by.now,
            **{part.kind: part.count for part in merger.parts},
            "roles_left_out": [grant.pk for grant in merger.left_out],
        },
        places=_both(gone, into),
    )
    payload = {"organisation": str(gone.pk), "by": str(by.actor.person)}
    enqueue([Effect("people.merged", f"people.merged.{gone.pk}", payload)], now=by.now)
    return merger


def _both(gone: Organisation, into: Organisation) -> Places:
    """Return the places of a merger: both organisations and all their regions."""
    return (gone.pk, into.pk), (*gone.region.lineage, *into.region.lineage)


def _bookings_hand_over(by: By, gone: Organisation, into: Organisation, ahead: list[UUID]) -> None:
    """Change host and payer of upcoming bookings from one organisation to the other; price, quote and regions
    stay."""
    rows = list(
        Reservation.objects.filter(pk__in=ahead).select_related("payer_region", "host_region").order_by("pk")
    )
    mine = Reservation.objects.filter(pk__in=ahead)
    mine.filter(organisation=gone).update(organisation=into)
    mine.filter(host=gone).update(host=into)
    mine.update(version=F("version") + 1)
    for row in rows:
        sides = {"payer": row.organisation_id, "host": row.host_id}
        before = {name: pk for name, pk in sides.items() if pk == gone.pk}
        trail.record(
            by,
            "reservation.merged",
            row,
            before=before,
            after=dict.fromkeys(before, into.pk),
            places=({*sides.values(), into.pk}, lineage_of(row)),
        )


def _purses_transfer(by: By, gone: Organisation, into: Organisation, ahead: list[UUID]) -> None:
    """Move what sources and grants have left to new ones, with what upcoming bookings have reserved there. In
    the old ones the amount and what is spent or redeemed stay as they are."""
    chosen = set(DefaultSource.objects.filter(source__organisation=into).values_list("user_id", "is_own"))
    for row, amount, set_aside in mergers.purses_going(gone, by.now):
        earmarks = Earmark.objects.filter(reservation__in=ahead, released_at=None)
        purse: Any = type(row).objects.get(pk=row.pk)  # a copy, which is saved as a new row
        purse.pk = type(row)._meta.pk.get_default()
        purse._state.adding = True
        purse.organisation, purse.held, purse.transferred = into, set_aside, 0
        purse.version = 1
        type(row).objects.filter(pk=row.pk).update(
            held=F("held") - set_aside, transferred=F("transferred") + (amount or 0), version=F("version") + 1
        )
        if isinstance(row, VoucherGrant):
            purse.amount, purse.redeemed = amount, 0
            purse.former_codes = [row.code, *row.former_codes]
            purse.code = _free_code(VoucherGrant.objects.all(), f"{row.code[:30]}-m", 40)
            purse.granted_by_id, purse.granted_at = by.actor.person, by.now
            purse.save(force_insert=True)
            earmarks.filter(grant=row).update(grant=purse)
            transfer = PurseTransfer(grant_from=row, grant_to=purse)
        else:
            purse.budget, purse.spent = amount, 0
            theirs = FundingSource.objects.filter(organisation=into)
            purse.code = _free_code(theirs, row.code, 40, gone.code)
            purse.created_by_id, purse.created_at = by.actor.person, by.now
            purse.save(force_insert=True)
            purse.users.set(row.users.all())
            earmarks.filter(source=row).update(source=purse)
            _defaults_transfer(row, purse, chosen)
            transfer = PurseTransfer(source_from=row, source_to=purse)
        transfer.amount, transfer.at, transfer.made_by_id = amount, by.now, by.actor.person
        transfer.save(force_insert=True)
        kind = "grant" if isinstance(row, VoucherGrant) else "source"
        changes: list[tuple[str, Any, Mapping[str, Any], Mapping[str, Any], str]] = [
            (f"{kind}.transfer", row, {}, {"to": purse.pk, "amount": amount}, ""),
            (f"{kind}.receive", purse, {}, {"from": row.pk, "amount": amount}, ""),
        ]
        trail.record_many(by, changes=changes, places=_both(gone, into))


def _defaults_transfer(
    row: FundingSource, purse: FundingSource, chosen: Collection[tuple[UUID, bool]]
) -> None:
    """Let a new source pay what the old one paid for people beforehand, except for those who have
    `chosen`, or were given, something else at the other organisation."""
    for default in DefaultSource.objects.filter(source=row):
        if (default.user_id, default.is_own) in chosen:
            default.delete()
        else:
            default.source = purse
            default.save(update_fields=["source"])


def _free_code(rows: Any, code: str, most: int, suffix: str = "") -> str:
    """Return a code that no row has: the given one or, if it is taken, that with a suffix or number."""
    taken = set(rows.values_list("code", flat=True))
    candidate, number = code, 1
    while candidate in taken:
        tail = f"-{suffix}" if suffix and number == 1 else f"-{number}"
        candidate, number = f"{code[: most - len(tail)]}{tail}", number + 1
    return candidate


def _instruments_hand_over(by: By, gone: Organisation, into: Organisation) -> None:
    mine = Instrument.objects.filter(organisation=gone)
    keys = Instrument.objects.filter(organisation=into).exclude(source="")
    for row in mine.exclude(source="").only("pk", "source", "source_key"):
        if keys.filter(source=row.source, source_key=row.source_key).exists():
            key = f"{row.source_key[:160]} ({gone.code})"
            Instrument.objects.filter(pk=row.pk).update(source_key=key)
    rows = list(mine.select_related("region").order_by("pk"))
    Facility.objects.filter(organisation=gone).update(organisation=into, version=F("version") + 1)
    hosts_change([row.pk for row in rows], into, local_date(ZoneInfo(into.region.time_zone), by.now), by.now)
    trail.record_many(
        by,
        changes=[
            ("instrument.host", row, {"organisation": gone.pk}, {"organisation": into.pk}, "") for row in rows
        ],
        places=_both(gone, into),
    )


def _rename(kind: Merges, gone: Organisation, into: Organisation) -> None:
    """Add the code of the organisation that is merged to those of its names that the other organisation uses
    already."""
    model: Any = kind.model
    name = kind.renamed
    taken = set(model.objects.filter(**{kind.owner: into}).values_list(name, flat=True))
    most = model._meta.get_field(name).max_length
    tail = f" ({gone.code})"
    for row in model.objects.filter(**{kind.owner: gone, f"{name}__in": taken}):
        setattr(row, name, f"{getattr(row, name)[: most - len(tail)]}{tail}")
        row.save(update_fields=[name])


def _close(by: By, organisation_id: UUID) -> Organisation:
    row = _load(by, organisation_id)
    require_open(row)
    _require_none(mergers.load_open_business(row))
    _lock(row, None, by.now)
    require_open(row)
    _require_none(mergers.load_open_business(row))
    for kind in mergers.kinds_going():
        if kind.closes is not None:
            kind.closes(mergers.rows_going(kind, row, by.now), by.now)
    invitations_end(by, organisation=row)
    accounts_end(by, organisation=row)
    members_let_go(by, organisation=row, into=None)
    requests_hand_over(by, organisation=row, into=None)
    _shut(row, by.now)
    trail.record(by, "organisation.close", row, after={"closed_at": by.now})
    return row


def _shut(row: Organisation, now: datetime, *names: str) -> None:
    row.closed_at = now
    row.version += 1
    row.save(update_fields=["closed_at", "version", *names])
