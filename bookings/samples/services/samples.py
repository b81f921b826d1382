"""Sample items: announcing them, saying more of them, and each step they go."""

import hashlib
from collections.abc import Iterable, Sequence
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
from bookings.record.domain.refusals import RulesRefuse
from bookings.samples.domain import samples as rules
from bookings.samples.locks import lock_samples
from bookings.samples.models import BookedSample, SampleItem, SamplePhoto, SampleStep
from bookings.samples.selectors.samples import (
    open_bookings,
    owned_samples,
    refusals_of,
    reminded_of,
    sample_by_id,
    samples_for,
    sides_of,
)
from bookings.samples.services.joining import samples_join
from instruments.adapters.files import file_put, files_delete
from instruments.adapters.pictures import photo_of
from instruments.domain.attachments import PHOTO, kind_of
from instruments.domain.hazards import hazards_in
from instruments.locks import lock_instruments

MOST_OPEN = 1000  # samples of a person that are not done with
MOST_PHOTOS = 6  # of a sample
TOLD_OWNER = frozenset({"received", "refused", "lost", "measured", "return_shipped", "returned"})
TOLD_HOST = frozenset({"shipped", "cancelled"})
RECORDED = ("name", "amount", "hazards", "storage", "afterwards")


@dataclass(frozen=True)
class SampleValues:
    """What is said of a sample; hazards: codes of classes; afterwards: what becomes of it."""

    name: str
    description: str = ""
    amount: str = ""
    hazards: Sequence[str] = ()
    storage: str = ""
    afterwards: str = SampleItem.Afterwards.RETURN

    def columns(self) -> dict[str, Any]:
        """What the row holds; `Invalid` where a name is missing or a class unknown."""
        if not self.name.strip():
            raise invalid("name", "required")
        if self.afterwards not in SampleItem.Afterwards.values:
            raise invalid("afterwards", "unknown-value")
        texts = {name: text.strip() for name, text in asdict(self).items() if type(text) is str}
        return texts | {
            "hazards": list(hazards_in(self.hazards, "hazards")),
            "afterwards": self.afterwards,
        }


@dataclass(frozen=True)
class Step:
    """What a sample becomes, and what is said of it. `place`: where, if not as usual; `condition`:
    of what was received."""

    state: str
    place: str = ""
    note: str = ""
    carrier: str = ""
    tracking: str = ""
    condition: str = ""


@transaction.atomic
def sample_announce(
    by: By,
    *,
    values: SampleValues,
    organisation: str | None = None,
    number: int = 1,
    reservation_id: UUID | None = None,
) -> list[SampleItem]:
    """Announce a sample, or several of a kind that are numbered, for an organisation one may book
    for; `reservation_id`: and join them to a booking, as `samples_join`. `Invalid`,
    `NotPermitted`, `WrongState` (`too-many-samples`), `RulesRefuse`."""
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
    samples = []
    for n in range(1, number + 1):
        name = f"{columns['name']} {n}" if number > 1 else columns["name"]
        sample = SampleItem(
            **columns | {"name": name},
            user_id=by.actor.person,
            organisation=owner,
            created_at=by.now,
            changed_at=by.now,
        )
        samples.append(_with_code(sample))
    SampleStep.objects.bulk_create(
        [
            SampleStep(sample=one, state=one.state, at=by.now, by_id=by.actor.person)
            for one in samples
        ]
    )
    trail.record_many(
        by, changes=[("sample.announce", one, {}, _facts(one), "") for one in samples]
    )
    if reservation_id is not None:
        samples_join(by, reservation_id=reservation_id, sample_ids=[one.pk for one in samples])
    return samples


def _with_code(sample: SampleItem) -> SampleItem:
    """Store it under a code that no other has."""
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
    """Say something else of one's own sample.

    A class of hazard that an instrument it is booked on does not accept is refused (`RulesRefuse`)
    while the sample lies with its owner, who can take it off the booking first. One that has left
    is what it is: it is stated, and the host is told at once. Decided under the locks of these
    instruments; `WrongVersion` where it joins another meanwhile.
    """
    visible(owned_samples(by.actor), pk=sample_id)
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
        for refusal in refusals_of(instrument, [sample])
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


def _instruments_of(sample_id: UUID, now: datetime) -> set[UUID]:
    """The instruments of the bookings ahead of a sample."""
    rows = BookedSample.objects.filter(open_bookings(now), sample=sample_id)
    return set(rows.values_list("reservation__instrument_id", flat=True))


def _hosts_of(sample: SampleItem) -> list[str]:
    rows = BookedSample.objects.filter(sample=sample).order_by("host_id").distinct()
    return [str(pk) for pk in rows.values_list("host_id", flat=True)]


def _touch(sample: SampleItem, now: datetime) -> None:
    sample.changed_at = now
    sample.version += 1


@transaction.atomic
def samples_step(by: By, *, sample_ids: Iterable[UUID], step: Step) -> list[SampleItem]:
    """Make one step of a sample, or of many at once: all or none.

    `NotFound` where one is not the actor's to see, `WrongState` (`sample-step`, with its code)
    where it cannot become so or that is not theirs to say, `Invalid`. A version counts for one
    alone.
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
    if samples_for(by.actor).filter(pk__in=ids).count() != len(ids):
        raise NotFound
    samples = lock_samples(ids)
    if len(samples) == 1:
        by.require_version(samples[0].version)
    sides = sides_of(by.actor, samples)
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


def _row(by: By, sample: SampleItem, step: Step, places: dict[UUID, str]) -> SampleStep:
    """The row of a step; what says nothing of it is left out."""
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
    """Where the host's staff act on each sample: at the facility of its next booking."""
    hosted = [one.pk for one in samples if rules.HOST in sides[one.pk]]
    if not hosted:
        return {}
    rows = BookedSample.objects.filter(sample__in=hosted).order_by("-reservation__start_at")
    return dict(rows.values_list("sample_id", "reservation__instrument__facility__name"))


def _tell(by: By, samples: Sequence[SampleItem], state: str, key: str) -> None:
    """Tell the other side, once of all samples that have the same owner and the same hosts."""
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
    """Remind of samples that have not arrived for bookings of the next day, once for each booking
    and start; how many bookings there are."""
    missing: dict[tuple[UUID, datetime], list[str]] = {}
    for row in reminded_of(now):
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
    """Put a picture beside a sample, re-encoded: its owner and the host's staff. `Invalid` for what
    is no picture, too large, there already, or one too many. The picture is worked on while nobody
    waits for a lock."""
    sample_by_id(by.actor, sample_id)
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
    """Take away a picture that one has put there oneself. `NotFound` for any other."""
    row = visible(SamplePhoto.objects, pk=photo_id, added_by_id=by.actor.person)
    sample_by_id(by.actor, row.sample_id)
    (sample,) = lock_samples([row.sample_id])
    if not SamplePhoto.objects.filter(pk=photo_id).delete()[0]:
        raise NotFound
    trail.record(by, "sample.photo-delete", sample, before={"photo": photo_id})
    transaction.on_commit(lambda: files_delete(photo_id, PHOTO), robust=True)
    return sample


def samples_forget(*, user: User) -> None:
    """Take what somebody said of their samples away, and their pictures; those that are with no
    host go altogether. Called within the transaction that closes the account."""
    photos = [*SamplePhoto.objects.filter(sample__user=user).values_list("pk", flat=True)]
    SamplePhoto.objects.filter(pk__in=photos).delete()
    mine = SampleItem.objects.filter(user=user)
    mine.filter(bookings=None).delete()
    mine.update(description="", storage="")
    for photo in photos:
        transaction.on_commit(partial(files_delete, photo, PHOTO), robust=True)


def _facts(sample: SampleItem) -> dict[str, Any]:
    """What the trail keeps: not the description, which is private."""
    return {name: getattr(sample, name) for name in RECORDED}
