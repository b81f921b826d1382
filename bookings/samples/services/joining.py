"""Samples on bookings: adding and removing them."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotFound, WrongState, invalid
from accounts.domain.roles import By
from accounts.selectors.memberships import place_of
from bookings.record.domain.reservations import effective_state, is_own
from bookings.record.locks import lock_reservation
from bookings.record.models import Deletion, Reservation
from bookings.samples.domain import samples as rules
from bookings.samples.locks import lock_samples
from bookings.samples.models import BookedSample, SampleItem
from bookings.samples.selectors.samples import hazards_of, may_join, require_accepted, require_owned


@transaction.atomic
def samples_join(by: By, *, reservation_id: UUID, sample_ids: Iterable[UUID]) -> Reservation:
    """Add the actor's own samples to their own booking that is not over, all or none; samples already on it
    stay.

    Raises `RulesRefuse` (`hazard-not-accepted`) if the instrument does not accept a hazard of one of them;
    `NotFound`, `WrongState`, `Invalid`. It locks the instrument, which has the list of hazards, and the
    samples, whose hazards they are.
    """
    instrument, reservation = lock_reservation(reservation_id)
    _require_own(by, reservation)
    if not may_join(by.actor, reservation, by.now):
        raise WrongState(state=effective_state(reservation.state, reservation.deadline_at, by.now))
    samples = own_samples_lock(by, sample_ids)
    require_accepted(instrument, hazards_of(samples))
    there = set(reservation.sample_items.values_list("sample_id", flat=True))
    new = [one for one in samples if one.pk not in there]
    if len(there) + len(new) > rules.MOST_AT_ONCE:
        raise invalid("samples", "too-many", most=rules.MOST_AT_ONCE)
    samples_put(by, reservation=reservation, samples=new)
    return reservation


def own_samples_lock(by: By, sample_ids: Iterable[UUID]) -> list[SampleItem]:
    """Lock the actor's own samples that can still be measured; raise `NotFound` for others' samples,
    `WrongState` for samples that are gone. No statement without samples."""
    ids = set(sample_ids)
    if not ids:
        return []
    if len(ids) > rules.MOST_AT_ONCE:
        raise invalid("samples", "too-many", most=rules.MOST_AT_ONCE)
    samples = lock_samples(ids)
    require_owned(by.actor, samples)
    for sample in samples:
        if sample.state not in rules.USABLE:
            code = rules.code_text(sample.code)
            raise WrongState("sample-gone", sample=code, state=sample.state)
    return samples


def samples_put(by: By, *, reservation: Reservation, samples: Sequence[SampleItem]) -> None:
    """Store samples on a booking after their hazards were checked under these locks. Their versions are
    raised, so that somebody who is changing their hazards meanwhile has to start again."""
    if not samples:
        return
    for sample in samples:
        sample.version += 1
        sample.changed_at = by.now
    BookedSample.objects.bulk_create(
        [
            BookedSample(sample=sample, reservation=reservation, host_id=reservation.host_id, added_at=by.now)
            for sample in samples
        ]
    )
    SampleItem.objects.bulk_update(samples, ["version", "changed_at"])
    after = {"reservation": reservation.pk}
    trail.record_many(by, changes=[("sample.join", one, {}, after, "") for one in samples])


@transaction.atomic
def sample_leave(by: By, *, reservation_id: UUID, sample_id: UUID) -> SampleItem:
    """Remove a sample from a booking while its owner has it. A sample on its way or with the host stays on
    it, so that the staff see it. A booking that took place keeps its samples even after their return, since
    its results name them."""
    (sample,) = lock_samples([sample_id])
    require_owned(by.actor, [sample])
    links = BookedSample.objects.select_related("reservation")
    row = links.filter(reservation=reservation_id, sample=sample).first()
    if row is None:
        raise NotFound
    if row.reservation.state == "completed":
        raise WrongState(state="completed")
    if sample.state not in rules.WITH_OWNER:
        code = rules.code_text(sample.code)
        raise WrongState("sample-away", sample=code, state=sample.state)
    row.delete()
    Deletion.objects.create(
        kind=Deletion.Kind.SAMPLE,
        about=sample_id,
        host=row.host_id,
        instrument_id=row.reservation.instrument_id,
    )
    sample.version += 1
    sample.changed_at = by.now
    sample.save(update_fields=["version", "changed_at"])
    trail.record(by, "sample.leave", sample, before={"reservation": reservation_id})
    return sample


def _require_own(by: By, reservation: Reservation) -> None:
    """Raise `NotFound` unless the booking is the actor's own, or that of a member for whom they book."""
    is_theirs = is_own(
        by.actor.user_id, person=reservation.user_id, maker=reservation.made_by_id
    ) or by.actor.may("book-for-members", place_of(reservation.organisation))
    if not is_theirs:
        raise NotFound
