"""Announce sample items, describe them, and record each of their steps."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import trail
from accounts.domain.errors import NotFound, WrongState, WrongVersion, invalid
from accounts.domain.roles import By
from accounts.models import User
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import payer_for
from accounts.selectors.rows import visible
from bookings.record.domain.references import noted
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.models import Deletion
from bookings.samples.domain import samples as rules
from bookings.samples.locks import lock_samples
from bookings.samples.models import BookedSample, SafetySheet, SampleItem, SamplePhoto, SampleStep
from bookings.samples.selectors import samples as sample_selectors
from bookings.samples.services.joining import samples_join
from bookings.samples.services.sheets import require_sheet, sheet_facts, sheet_store, sheets_drop
from instruments.attachments.adapters.files import file_put, files_delete
from instruments.attachments.adapters.pictures import photo_of
from instruments.attachments.domain.attachments import PHOTO, kind_of
from instruments.attachments.services.attachments import Upload, files_put
from instruments.policy.domain.hazards import hazards_in
from instruments.register.locks import lock_instruments

MOST_OPEN = 1000  # unfinished samples of a person
MOST_PHOTOS = 6  # of a sample
TOLD_OWNER = frozenset({"received", "refused", "lost", "measured", "return_shipped", "returned"})
TOLD_HOST = frozenset({"shipped", "cancelled"})
RECORDED = ("name", "amount", "hazards", "storage", "afterwards")


@dataclass(frozen=True)
class SampleValues:
    """Description of a sample; hazards: codes of classes; afterwards: whether it is returned or disposed
    of."""

    name: str
    description: str = ""
    amount: str = ""
    hazards: Sequence[str] = ()
    storage: str = ""
    afterwards: str = SampleItem.Afterwards.RETURN

    def columns(self) -> dict[str, Any]:
        """Return the columns of the row; raise `Invalid` if a name is missing or a class of hazard
        unknown."""
        if not self.name.strip():
            raise invalid("name", "required")
        if self.afterwards not in SampleItem.Afterwards.values:
            raise invalid("afterwards", "unknown-value")
        texts = {name: text.strip() for name, text in asdict(self).items() if type(text) is str}
        return texts | {"hazards": list(hazards_in(self.hazards, "hazards")), "afterwards": self.afterwards}


@dataclass(frozen=True)
class NextStep:
    """A step of a sample: its new state, with remarks. `place`: where it is handled, if not at the usual
    place; `condition`: of a received sample."""

    state: str
    place: str = ""
    note: str = ""
    carrier: str = ""
    tracking: str = ""
    condition: str = ""


def sample_announce(
    by: By, *, values: SampleValues, sheet: Upload | None = None, **about: Any
) -> list[SampleItem]:
    """Announce samples as `_announce` does, with one safety data sheet (PDF) for all of them. The file is
    stored before anything is locked."""
    if sheet is None:
        return _announce(by, values=values, **about)
    require_sheet(sheet[1])
    with files_put(SafetySheet, [sheet]) as (row,):
        return _announce(by, values=values, sheet=row, **about)


@transaction.atomic
def _announce(
    by: By,
    *,
    values: SampleValues,
    organisation: str | None = None,
    number: int = 1,
    reservation_id: UUID | None = None,
    sheet: SafetySheet | None = None,
    given: Mapping[str, Any] | None = None,
) -> list[SampleItem]:
    """Announce one sample, or several numbered ones of a kind, for an organisation for which the actor may
    book; `given`: what is noted at each. `reservation_id`: add them to this booking, as `samples_join` does.
    Raises `Invalid`, `NotPermitted`, `WrongState` (`too-many-samples`), `RulesRefuse`."""
    owner = payer_for(by.actor, organisation)
    if owner is None:
        raise invalid("organisation", "organisation-needed")
    require(by.actor, "book", place_of(owner))
    if not 1 <= number <= rules.MOST_AT_ONCE:
        raise invalid("number", "out-of-range", least=1, most=rules.MOST_AT_ONCE)
    columns = values.columns()
    if number > 1 and len(columns["name"]) > 115:  # ` 100` follows
        raise invalid("name", "too-long", most=115)
    mine = SampleItem.objects.filter(user_id=by.actor.person, state=SampleItem.State.ANNOUNCED)
    if mine.count() + number > MOST_OPEN:
        raise WrongState("too-many-samples", most=MOST_OPEN)
    if sheet is not None:
        sheet_store(by, sheet, ())
    samples = []
    for n in range(1, number + 1):
        name = f"{columns['name']} {n}" if number > 1 else columns["name"]
        sample = SampleItem(
            **columns | {"name": name} | noted({}, given or {}),
            user_id=by.actor.person,
            organisation=owner,
            sheet=sheet,
            created_at=by.now,
            changed_at=by.now,
        )
        samples.append(_with_code(sample))
    SampleStep.objects.bulk_create(
        [SampleStep(sample=one, state=one.state, at=by.now, by_id=by.actor.person) for one in samples]
    )
    kept = {} if sheet is None else sheet_facts(sheet)
    trail.record_many(by, changes=[("sample.announce", one, {}, _facts(one) | kept, "") for one in samples])
    if reservation_id is not None:
        samples_join(by, reservation_id=reservation_id, sample_ids=[one.pk for one in samples])
    return samples


def _with_code(sample: SampleItem) -> SampleItem:
    """Store a sample under a new code that no other sample has."""
    while True:
        sample.code = rules.new_code()
        try:
            with transaction.atomic():
                sample.save(force_insert=True)
        except IntegrityError as error:
            if "code" not in str(error):
                raise
        else:
            return sample


@transaction.atomic
def sample_change(by: By, *, sample_id: UUID, values: SampleValues) -> SampleItem:
    """Change the description of the actor's own sample.

    A hazard that an instrument it is booked on does not accept is refused (`RulesRefuse`) while the owner has
    the sample, who can remove it from the booking first. If it has left the owner, the hazard is recorded and
    the host is told at once. It is decided under the locks of these instruments; raises `WrongVersion` if the
    sample joins another booking meanwhile.
    """
    visible(sample_selectors.owned_samples(by.actor), pk=sample_id)
    booked_on = _instruments_of(sample_id, by.now)
    instruments = lock_instruments(booked_on) if booked_on else []
    (sample,) = lock_samples([sample_id])
    by.require_version(sample.version)
    if _instruments_of(sample_id, by.now) - booked_on:
        raise WrongVersion(version=sample.version)
    before, known = _facts(sample), set(sample.hazards)
    for name, value in values.columns().items():
        setattr(sample, name, value)
    added = set(sample.hazards) - known
    refusals = [
        refusal
        for instrument in instruments
        for refusal in sample_selectors.refusals_of(instrument, [sample])
        if refusal.numbers["hazard"] in added
    ]
    if refusals and sample.state in rules.WITH_OWNER:
        raise RulesRefuse(refusals)
    _touch(sample, by.now)
    sample.save()
    trail.record(by, "sample.change", sample, before=before, after=_facts(sample))
    if refusals:
        key = f"sample.hazard:{sample.pk}:{sample.version}"
        about = {"samples": [str(sample.pk)], "hosts": _hosts_of(sample)}
        enqueue([Effect("sample.hazard", key, about)], now=by.now)
    return sample


@transaction.atomic
def sample_note(by: By, *, sample_id: UUID, given: Mapping[str, Any]) -> SampleItem:
    """Note `reference` and `metadata` at a sample of the actor's in any state (see `noted`). The trail has
    that it was done and not what."""
    visible(sample_selectors.owned_samples(by.actor), pk=sample_id)
    (sample,) = lock_samples([sample_id])
    by.require_version(sample.version)
    columns = noted(sample.metadata, given)
    if all(getattr(sample, name) == value for name, value in columns.items()):
        return sample
    for name, value in columns.items():
        setattr(sample, name, value)
    _touch(sample, by.now)
    sample.save(update_fields=[*columns, "changed_at", "version"])
    trail.record(by, "sample.note", sample)
    return sample


def _instruments_of(sample_id: UUID, now: datetime) -> set[UUID]:
    """Return the instruments of a sample's bookings that are not over."""
    rows = BookedSample.objects.filter(sample_selectors.open_bookings(now), sample=sample_id)
    return set(rows.values_list("reservation__instrument_id", flat=True))


def _hosts_of(sample: SampleItem) -> list[str]:
    rows = BookedSample.objects.filter(sample=sample).order_by("host_id").distinct()
    return [str(pk) for pk in rows.values_list("host_id", flat=True)]


def _touch(sample: SampleItem, now: datetime) -> None:
    sample.changed_at = now
    sample.version += 1


@transaction.atomic
def samples_step(by: By, *, sample_ids: Iterable[UUID], step: NextStep) -> list[SampleItem]:
    """Record a step of one sample, or the same step of many, all or none.

    Raises `NotFound` if the actor may not see one of them, `WrongState` (`sample-step`, with its code) if it
    cannot take this step or the actor may not record it, `Invalid`. The version is checked only for a single
    sample.
    """
    ids = sorted(set(sample_ids))
    if not 1 <= len(ids) <= rules.MOST_AT_ONCE:
        raise invalid("samples", "out-of-range", least=1, most=rules.MOST_AT_ONCE)
    if step.state not in SampleItem.State.values:
        raise invalid("state", "unknown-value")
    if step.state in rules.NEEDS_NOTE and not step.note.strip():
        raise invalid("note", "required")
    if step.condition and step.condition not in SampleStep.Condition.values:
        raise invalid("condition", "unknown-value")
    if sample_selectors.samples_for(by.actor).filter(pk__in=ids).count() != len(ids):
        raise NotFound
    samples = lock_samples(ids)
    if len(samples) == 1:
        by.require_version(samples[0].version)
    sides = sample_selectors.sides_of(by.actor, samples)
    if len(sides) != len(ids):  # meanwhile it left the booking through which the actor saw it
        raise NotFound
    places = _places(samples, sides) if not step.place.strip() else {}
    rows, changes = [], []
    for sample in samples:
        rules.require_step(sample.code, sample.state, step.state, sides[sample.pk])
        before, sample.state = {"state": sample.state}, step.state
        _touch(sample, by.now)
        row = _row(by, sample, step, places)
        rows.append(row)
        after = {"state": row.state, "place": row.place, "condition": row.condition}
        changes.append(("sample.step", sample, before, after, row.note))
    SampleStep.objects.bulk_create(rows)
    SampleItem.objects.bulk_update(samples, ["state", "changed_at", "version"])
    trail.record_many(by, changes=changes)
    _tell(by, samples, step.state, key=str(rows[0].pk))
    return samples


def _row(by: By, sample: SampleItem, step: NextStep, places: dict[UUID, str]) -> SampleStep:
    """Return the row of a step; fields that do not apply to its state are left empty."""
    is_carried, is_here = step.state in rules.CARRIED, step.state == "received"
    condition = step.condition or SampleStep.Condition.INTACT
    return SampleStep(
        sample=sample,
        state=step.state,
        at=by.now,
        by_id=by.actor.person,
        place=step.place.strip() or places.get(sample.pk, ""),
        note=step.note.strip(),
        carrier=step.carrier.strip() if is_carried else "",
        tracking=step.tracking.strip() if is_carried else "",
        condition=condition if is_here else "",
    )


def _places(samples: Sequence[SampleItem], sides: dict[UUID, set[str]]) -> dict[UUID, str]:
    """Return where the host's staff handle each sample: at the facility of its next booking."""
    hosted = [one.pk for one in samples if rules.HOST in sides[one.pk]]
    if not hosted:
        return {}
    rows = BookedSample.objects.filter(sample__in=hosted).order_by("-reservation__start_at")
    return dict(rows.values_list("sample_id", "reservation__instrument__facility__name"))


def _tell(by: By, samples: Sequence[SampleItem], state: str, key: str) -> None:
    """Tell the other side, with one message for all samples with the same owner and hosts."""
    if state not in TOLD_OWNER | TOLD_HOST:
        return
    hosts: dict[UUID, set[str]] = {}
    links = BookedSample.objects.filter(sample__in=samples).values_list("sample_id", "host_id")
    for sample_id, host_id in links:
        hosts.setdefault(sample_id, set()).add(str(host_id))
    alike: dict[tuple[UUID, tuple[str, ...]], list[str]] = {}
    for sample in samples:
        of = (sample.user_id, tuple(sorted(hosts.get(sample.pk, ()))))
        alike.setdefault(of, []).append(str(sample.pk))
    enqueue(
        [
            Effect(
                f"sample.{state.replace('_', '-')}",
                f"sample.{state}:{key}:{n}",
                {"samples": ids, "hosts": list(of), "actor": str(by.actor.person)},
            )
            for n, ((_, of), ids) in enumerate(alike.items())
        ],
        now=by.now,
    )


def samples_remind(*, now: datetime) -> int:
    """Remind people of samples that have not arrived for bookings of the next day, once for each booking and
    start; return how many bookings there are."""
    missing: dict[tuple[UUID, datetime], list[str]] = {}
    for row in sample_selectors.reminded_of(now):
        key = row.reservation_id, row.reservation.start_at
        missing.setdefault(key, []).append(str(row.sample_id))
    with transaction.atomic():
        enqueue(
            [
                Effect(
                    "sample.missing",
                    f"sample.missing:{reservation}:{start.isoformat()}",
                    {"samples": ids, "reservation": str(reservation)},
                )
                for (reservation, start), ids in missing.items()
            ],
            now=now,
        )
    return len(missing)


# Photos


def photo_add(by: By, *, sample_id: UUID, content: bytes) -> SamplePhoto:
    """Add a picture to a sample, re-encoded, as its owner or the host's staff. Raises `Invalid` for a file
    that is no picture, too large, there already, or one too many. The picture is processed before any lock is
    taken."""
    sample_selectors.sample_by_id(by.actor, sample_id)
    if kind_of(content) != PHOTO:
        raise invalid("file", "unknown-file")
    photo = photo_of(content)
    row = SamplePhoto(
        sample_id=sample_id,
        digest=hashlib.sha256(content).hexdigest(),
        width=photo.width,
        height=photo.height,
        added_by_id=by.actor.person,
        added_at=by.now,
    )
    try:
        file_put(row.pk, "large", photo.large)
        file_put(row.pk, "small", photo.small)
        _photo_store(by, row)
    except BaseException:  # whatever it is, nothing refers to the files
        with suppress(OSError):
            files_delete(row.pk, PHOTO)
        raise
    return row


@transaction.atomic
def _photo_store(by: By, row: SamplePhoto) -> None:
    (sample,) = lock_samples([row.sample_id])
    others = sample.photos.all()
    if others.filter(digest=row.digest).exists():
        raise invalid("file", "file-there-already")
    if others.count() >= MOST_PHOTOS:
        raise invalid("file", "too-many-photos", most=MOST_PHOTOS)
    row.save(force_insert=True)
    trail.record(by, "sample.photo-add", sample, after={"photo": row.pk, "digest": row.digest})


@transaction.atomic
def photo_delete(by: By, *, photo_id: UUID) -> SampleItem:
    """Delete a picture that the actor added. Raise `NotFound` for any other."""
    row = visible(SamplePhoto.objects, pk=photo_id, added_by_id=by.actor.person)
    sample_selectors.sample_by_id(by.actor, row.sample_id)
    (sample,) = lock_samples([row.sample_id])
    if not SamplePhoto.objects.filter(pk=photo_id).delete()[0]:
        raise NotFound
    trail.record(by, "sample.photo-delete", sample, before={"photo": photo_id})
    transaction.on_commit(lambda: files_delete(photo_id, PHOTO), robust=True)
    return sample


def samples_forget(by: By, *, user: User) -> None:
    """Delete the descriptions, pictures and safety data sheets of somebody's samples, and those samples that
    are on no booking. Call this within the transaction that closes the account."""
    photos = [*SamplePhoto.objects.filter(sample__user=user).values_list("pk", flat=True)]
    SamplePhoto.objects.filter(pk__in=photos).delete()
    mine = SampleItem.objects.filter(user=user)
    sheets = list(mine.exclude(sheet=None).values_list("sheet_id", flat=True))
    free = mine.filter(bookings=None)
    Deletion.objects.bulk_create(
        Deletion(kind=Deletion.Kind.SAMPLE, about=pk, payer=organisation)
        for pk, organisation in list(free.values_list("pk", "organisation_id"))
    )
    free.delete()
    mine.update(description="", storage="", sheet=None, reference="", metadata={})
    sheets_drop(sheets)
    for photo in photos:
        transaction.on_commit(partial(files_delete, photo, PHOTO), robust=True)


def _facts(sample: SampleItem) -> dict[str, Any]:
    """Describe a sample for the trail, without its description, which is private."""
    return {name: getattr(sample, name) for name in RECORDED}
