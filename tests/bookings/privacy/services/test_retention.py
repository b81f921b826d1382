"""Each kind of record goes after its time, and not before; bookings and the trail never."""

import hashlib
from datetime import timedelta

from django.contrib.sessions.models import Session

from accounts.domain.roles import By
from accounts.models import ApiToken, IdempotencyKey, JobFailure, JobRun, OutboxMessage, TrailEntry
from accounts.services.invitations import invitation_send
from accounts.work import kept
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Reservation
from bookings.privacy.services.retention import records_remove
from bookings.record.domain.periods import Period
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.reservations import reservations_lapse
from instruments.exchange.models import Import, ImportChunk, ImportRow
from tests.factories.cast import NOW, at, reserve
from tests.factories.imports import keep
from tests.factories.jobs import failed

SECOND = timedelta(seconds=1)


def one_of_each(cast):
    """Of every kind in the table, counted from NOW."""
    for key, outcome in (("1", "sent"), ("2", "failed")):
        OutboxMessage.objects.create(
            kind="k", key=key, due_at=NOW, created_at=NOW, done_at=NOW, outcome=outcome
        )
    IdempotencyKey.objects.create(
        user_id=cast.wang.pk, method="POST", path="/", key="k", body_digest=b"", status=200,
        headers={}, body="", created_at=NOW,
    )  # fmt: skip
    JobRun.objects.create(entry="hours", started_at=NOW, ended_at=NOW, outcome="done")
    failed(cast.ustc.pk)
    job = keep(cast.ustc.pk, b"id,name\n1,One\n", format="table")
    Import.objects.filter(pk=job.pk).update(state="cancelled", ended_at=NOW)
    slot = Period(at("2026-03-06 10:00"), at("2026-03-06 11:00"))
    hold_take(By(cast.actor("wang"), NOW), booking=Booking(cast.microscope.pk, slot, None, "self"))
    reservations_lapse(now=NOW + timedelta(days=1))
    Reservation.objects.update(ended_at=NOW)
    Session.objects.create(session_key="s" * 32, session_data="", expire_date=NOW)
    ApiToken.objects.create(
        user=cast.wang, label="x", digest=hashlib.sha256(b"x").digest(), scopes=[], created_at=NOW,
        expires_at=NOW,
    )  # fmt: skip
    invited = invitation_send(
        By(cast.actor("chen"), NOW), organisation=cast.fudan, email="n@n.example", roles=[]
    )
    type(invited).objects.filter(pk=invited.pk).update(expires_at=NOW)


def test_after_its_time_and_not_before(cast):
    one_of_each(cast)
    kept_for_good = reserve(cast, "2026-03-09 10:00", "2026-03-09 11:00")
    OutboxMessage.objects.filter(done_at=None).delete()
    entries = TrailEntry.objects.count()
    # Tried where they are made.
    elsewhere = {"fetchings", "messages", "trail-bundles", "hours-exports", "webhook-deliveries"}
    elsewhere |= {"audit-papers", "availability-items", "events", "deletions", "oauth-tokens"}
    made = {each.kind for each in kept()} - elsewhere
    gone = set()
    for each in sorted(kept(), key=lambda each: each.span):
        assert each.kind not in records_remove(now=NOW + each.span)
        gone |= records_remove(now=NOW + each.span + SECOND).keys()
    assert gone == made
    assert records_remove(now=NOW + timedelta(days=5000)) == {}
    assert not ImportRow.objects.exists() and not ImportChunk.objects.exists()
    assert Import.objects.exists()
    assert list(Reservation.objects.all()) == [kept_for_good]
    assert not JobFailure.objects.exists()
    assert TrailEntry.objects.count() == entries
