"""Decide about two records that may describe one instrument."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef

from accounts import trail
from accounts.domain.errors import NotFound, NotPermitted, invalid
from accounts.domain.roles import By
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.services.memberships import grants_pass
from instruments.attachments.models import Attachment
from instruments.attachments.services.attachments import photos_of
from instruments.capabilities.models import Capability
from instruments.managing.domain.duplicates import MergedAlready, SameRecord, likeness, merged
from instruments.managing.models import DuplicateVerdict
from instruments.managing.selectors.duplicates import SETTLE, has_say, traits_of
from instruments.managing.services.registry import recorded
from instruments.opening.services.opening import assignment_change
from instruments.register.locks import lock_instruments
from instruments.register.models import Instrument
from instruments.register.selectors.registry import may_see
from instruments.register.services.provenance import hand_wrote
from instruments.search.services.search import entries_file
from instruments.training.models import Qualification


@transaction.atomic
def duplicates_keep(by: By, *, instrument_ids: Iterable[UUID], note: str) -> DuplicateVerdict:
    """Decide that two records describe different instruments, so that nobody is asked again. For people who
    may decide about at least one of them. `Invalid` without a note."""
    first, second = pair_lock(by, instrument_ids)
    if not (has_say(by.actor, first) or has_say(by.actor, second)):
        raise NotPermitted(capability=SETTLE)
    _check_note(note)
    return _verdict(by, first, second, None, note)


@transaction.atomic
def instruments_merge(by: By, *, keeper_id: UUID, loser_id: UUID, note: str) -> DuplicateVerdict:
    """Merge two records. The keeper takes over what only the loser has: empty fields, list items, techniques,
    photos and documents, capabilities and, within one host, certificates and its staff. The loser is
    retired and points to the keeper. The caller checks first that no bookings stand in the way
    (bookings/organisations/services/duplicates.py)."""
    first, second = pair_lock(by, [keeper_id, loser_id])
    keeper, loser = (first, second) if first.pk == keeper_id else (second, first)
    for instrument in (keeper, loser):
        require(by.actor, SETTLE, place_of(instrument.organisation))
    _check_note(note)
    if "retired" in {keeper.publication, loser.publication}:
        raise MergedAlready
    before = recorded(keeper)
    changes = merged(before, recorded(loser))
    verdict = _verdict(by, first, second, keeper, note)
    _keeper_store(by, keeper, loser, before, changes)
    _loser_retire(by, keeper, loser, note)
    entries_file([keeper.pk, loser.pk])
    return verdict


def pair_lock(by: By, instrument_ids: Iterable[UUID]) -> tuple[Instrument, Instrument]:
    """Lock both records and return them, the lower id first. `NotFound` if one does not exist or the actor
    may not see it; `SameRecord` if both ids are the same."""
    rows = lock_instruments(instrument_ids, record=True)
    if not all(may_see(by.actor, row) for row in rows):
        raise NotFound
    if len(rows) != 2:
        raise SameRecord
    return rows[0], rows[1]


def _check_note(note: str) -> None:
    if not note.strip():
        raise invalid("note", "required")


def _verdict(
    by: By, first: Instrument, second: Instrument, keeper: Instrument | None, note: str
) -> DuplicateVerdict:
    verdict = "merged" if keeper else "kept"
    row, _ = DuplicateVerdict.objects.update_or_create(
        first=first,
        second=second,
        defaults={
            "verdict": verdict,
            "keeper": keeper,
            "reasons": list(likeness(traits_of(first), traits_of(second))),
            "note": note.strip(),
            "decided_by_id": by.actor.person,
            "decided_at": by.now,
        },
    )
    trail.record(
        by,
        f"duplicates.{verdict}",
        row,
        after={
            "first": first.pk,
            "second": second.pk,
            "keeper": keeper.pk if keeper else None,
            "reasons": row.reasons,
        },
        reason=note.strip(),
        places=(
            [first.organisation_id, second.organisation_id],
            [*first.region.lineage, *second.region.lineage],
        ),
    )
    return row


def _keeper_store(
    by: By, keeper: Instrument, loser: Instrument, before: dict[str, Any], changes: dict[str, Any]
) -> None:
    for name, value in changes.items():
        setattr(keeper, name, value)
    known = list(keeper.techniques.all())
    news = [t for t in loser.techniques.all() if t not in known]
    keeper.techniques.add(*news)
    keeper.version += 1
    keeper.updated_at = by.now
    keeper.save()
    written = sorted([*changes, *(["techniques"] if news else [])])
    hand_wrote(by, instrument=keeper, names=written)
    _attachments_move(keeper, loser)
    _capabilities_move(keeper, loser)
    if keeper.organisation_id == loser.organisation_id:
        _certificates_move(keeper, loser)
        grants_pass(by, instrument=loser.pk, to=keeper.pk, organisation=keeper.organisation)
    trail.record(
        by,
        "instrument.update",
        keeper,
        before={name: before[name] for name in changes},
        after={
            **changes,
            "merged": loser.pk,
            **({"techniques_added": [t.code for t in news]} if news else {}),
        },
    )


def _attachments_move(keeper: Instrument, loser: Instrument) -> None:
    """Move the loser's attachments behind the keeper's own, except files that the keeper already has."""
    last = keeper.attachments.aggregate(last=Max("position"))["last"] or 0
    digests = keeper.attachments.values("digest")
    Attachment.objects.filter(instrument=loser).exclude(
        digest__in=list(digests.values_list("digest", flat=True))
    ).update(instrument=keeper, position=F("position") + last + 1)
    for record in (keeper, loser):
        Instrument.objects.filter(pk=record.pk).update(photo_count=photos_of(record))


def _capabilities_move(keeper: Instrument, loser: Instrument) -> None:
    """Move the loser's capabilities for parameters about which the keeper states nothing."""
    Capability.objects.filter(instrument=loser).exclude(
        parameter__in=list(keeper.capabilities.values_list("parameter", flat=True))
    ).update(instrument=keeper)


def _certificates_move(keeper: Instrument, loser: Instrument) -> None:
    """Move the loser's certificates: whoever may operate one may operate the other, as they are the same."""
    same = Qualification.objects.filter(
        instrument=keeper,
        user=OuterRef("user"),
        issuer=OuterRef("issuer"),
        valid_from=OuterRef("valid_from"),
        revoked_at=None,
    )
    Qualification.objects.filter(~Exists(same), instrument=loser, revoked_at=None).update(instrument=keeper)


def _loser_retire(by: By, keeper: Instrument, loser: Instrument, note: str) -> None:
    before = loser.publication
    loser.publication = Instrument.Publication.RETIRED
    loser.merged_into = keeper
    loser.version += 1
    loser.updated_at = by.now
    loser.save(update_fields=["publication", "merged_into", "version", "updated_at"])
    if before == "published":
        assignment_change(instrument=loser, now=by.now)
    # A pointer never leads to another pointer.
    Instrument.objects.filter(merged_into=loser).update(merged_into=keeper)
    trail.record(
        by,
        "instrument.merge",
        loser,
        before={"publication": before},
        after={"publication": "retired", "merged_into": keeper.pk},
        reason=note.strip(),
    )
