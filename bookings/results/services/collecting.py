"""Collecting results: links, and receipts of what was given out."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import BigIntegerField, F, Q, Value
from django.db.models.functions import Coalesce

from accounts import trail
from accounts.domain.errors import NotFound, NotPermitted, WrongState, invalid
from accounts.domain.roles import NOBODY, Actor, By
from accounts.models.keys import new_id
from accounts.notifications import Effect, enqueue
from accounts.selectors.rows import visible
from accounts.selectors.secrets import digest_of
from bookings.results.domain.handoffs import READABLE, may, state_after
from bookings.results.domain.retention import (
    MOST_USES,
    bytes_allowed,
    check_link,
    is_collected,
)
from bookings.results.locks import lock_hand_off
from bookings.results.models import CollectLink, HandOff, Receipt
from bookings.results.selectors.collecting import (
    collect_token,
    counts_as_delivered,
    file_to_read,
    hand_off_to_read,
    links_for,
    standing,
)
from bookings.results.selectors.handoffs import hand_off_by_id

SAME_DELIVERY = timedelta(days=1)  # what is asked for again meanwhile, and was not complete


@transaction.atomic
def link_make(
    by: By,
    *,
    hand_off_id: UUID,
    label: str,
    expires_at: datetime,
    uses: int | None = None,
    file_id: UUID | None = None,
) -> CollectLink:
    """Make an address under which somebody without an account collects all files, or one. `uses`:
    downloads that may begin; any number where None. `Invalid`, `WrongState` (not-collectable,
    too-many-links)."""
    hand_off = hand_off_to_read(by.actor, hand_off_id)
    file = file_to_read(hand_off, file_id) if file_id else None
    if not label.strip():
        raise invalid("label", "required")
    if uses is not None and not 1 <= uses <= MOST_USES:
        raise invalid("uses", "out-of-range", least=1, most=MOST_USES)
    lock_hand_off(hand_off_id)
    check_link(expires_at, by.now, hand_off.links.filter(standing(by.now)).count())
    pk = new_id()
    link = CollectLink.objects.create(
        id=pk,
        hand_off=hand_off,
        path=file.path if file else "",
        digest=digest_of(collect_token(pk)),
        label=label.strip(),
        created_by_id=by.actor.person,
        created_at=by.now,
        expires_at=expires_at,
        uses_left=uses,
    )
    after = {"hand_off": hand_off.pk, "path": link.path, "expires_at": expires_at, "uses": uses}
    trail.record(by, "collectlink.make", link, after=after)
    return link


@transaction.atomic
def link_revoke(by: By, *, link_id: UUID) -> CollectLink:
    """The address stops working at once; a second time changes nothing."""
    link = visible(links_for(by.actor).select_for_update(of=("self",), no_key=True), pk=link_id)
    if link.revoked_at is None:
        link.revoked_at = by.now
        link.save(update_fields=["revoked_at"])
        trail.record(by, "collectlink.revoke", link)
    return link


@transaction.atomic
def delivery_begin(
    by: By,
    *,
    hand_off: HandOff,
    path: str,
    size: int,
    start: int = 0,
    length: int = 0,
    link: CollectLink | None = None,
    way: str = Receipt.Way.STREAMED,
) -> Receipt:
    """Note that `length` bytes from `start` on are about to be given to the actor, or to whoever
    has the link; the package where no path is named. What goes on with an earlier delivery belongs
    to that one, with a link of counted downloads as long as `bytes_allowed` has room for it; all
    else takes one of the link's uses. `NotFound` where it has none left."""
    mine = Q(link=link) if link else Q(link=None, user_id=by.actor.person)
    earlier = Receipt.objects.filter(
        mine, hand_off=hand_off, path=path, way=way, size=size, completed_at=None
    )
    is_limited = link is not None and link.uses_left is not None
    fits = Q(reached__gte=start, sent__lte=bytes_allowed(size) - length)
    begun = earlier.filter(fits if is_limited else Q(started_at__gt=by.now - SAME_DELIVERY))
    if (start or not is_limited) and (row := begun.order_by("-started_at").first()):
        return row
    if link:
        _use(link, by.now)
    return Receipt.objects.create(
        hand_off=hand_off,
        path=path,
        link=link,
        user_id=None if link else by.actor.person,
        is_delivery=link is not None or counts_as_delivered(by.actor, hand_off),
        way=way,
        size=size,
        started_at=by.now,
    )


def _use(link: CollectLink, now: datetime) -> None:
    """Take one of its uses, if it is in force and has one left: in one statement, so that of many
    at once only so many do. It asks its own row alone: what is joined to it would be asked in a
    statement below, which is not asked again where another was first."""
    rows = CollectLink.objects.filter(
        Q(uses_left=None) | Q(uses_left__gt=0), pk=link.pk, revoked_at=None, expires_at__gt=now
    )
    if not rows.update(
        uses_left=F("uses_left") - 1, first_used_at=Coalesce(F("first_used_at"), now)
    ):
        raise NotFound
    if link.first_used_at is None:
        enqueue(
            [Effect("results.link-used", f"results.link-used:{link.pk}", {"link": str(link.pk)})],
            now=now,
        )


def delivery_send(*, receipt_id: UUID, size: int, count: int) -> bool:
    """Count bytes of a delivery of so many that are about to be sent; False where they would be
    more than `bytes_allowed`. One statement decides, whoever else is sent the same at that time."""
    room = Receipt.objects.filter(pk=receipt_id, sent__lte=bytes_allowed(size) - count)
    return bool(room.update(sent=F("sent") + Value(count, BigIntegerField())))


@transaction.atomic
def delivery_note(*, receipt_id: UUID, start: int, end: int, now: datetime) -> None:
    """Note that the bytes from `start` up to `end` were taken from us. Where these were the last,
    all is delivered; and collected, once every file is."""
    receipt = Receipt.objects.get(pk=receipt_id)
    if end == receipt.size:
        hand_off = lock_hand_off(receipt.hand_off_id)
    receipt = Receipt.objects.select_for_update(no_key=True).get(pk=receipt_id)
    if receipt.completed_at or start > receipt.reached or end < receipt.reached:
        return
    receipt.reached = end
    if end == receipt.size:
        receipt.completed_at = now
    receipt.save(update_fields=["reached", "completed_at"])
    if receipt.completed_at:
        _delivered(
            By(Actor(receipt.user_id) if receipt.user_id else NOBODY, now), hand_off, receipt
        )


@transaction.atomic
def receipt_confirm(by: By, *, hand_off_id: UUID, manifest_digest: str) -> Receipt:
    """Confirm, as one of those whom the results are for, that all was received and compared with
    the manifest of this digest; a second time changes nothing. `Invalid` (digest-differs) for the
    digest of another manifest, `NotPermitted` for others."""
    hand_off = hand_off_by_id(by.actor, hand_off_id)
    if not counts_as_delivered(by.actor, hand_off):
        raise NotPermitted
    hand_off = lock_hand_off(hand_off_id)
    if hand_off.state not in READABLE:
        raise WrongState("not-collectable")
    if manifest_digest.strip().lower() != hand_off.manifest_digest:
        raise invalid("manifest_digest", "digest-differs")
    mine = {"user_id": by.actor.person, "way": Receipt.Way.CONFIRMED}
    if earlier := hand_off.receipts.filter(**mine).first():
        return earlier
    size = sum(each["size"] for each in hand_off.manifest)
    receipt = Receipt.objects.create(
        hand_off=hand_off,
        **mine,
        size=size,
        reached=size,
        started_at=by.now,
        completed_at=by.now,
        manifest_digest=hand_off.manifest_digest,
    )
    _delivered(by, hand_off, receipt)
    return receipt


def _delivered(by: By, hand_off: HandOff, receipt: Receipt) -> None:
    """Record a complete delivery of a hand-off that is locked, and whether it is collected now."""
    after = {
        "receipt": receipt.pk,
        "way": receipt.way,
        "path": receipt.path,
        "link": receipt.link_id,
        "size": receipt.size,
    }
    trail.record(by, "handoff.deliver", hand_off, after=after)
    given = hand_off.receipts.filter(is_delivery=True, completed_at__isnull=False)
    delivered = set(given.values_list("path", flat=True))
    if hand_off.collected_at or not may(hand_off.state, "collect"):
        return
    if receipt.is_delivery and is_collected(
        [each["path"] for each in hand_off.manifest], delivered
    ):
        before = hand_off.state
        hand_off.state = state_after(before, "collect")
        hand_off.collected_at = by.now
        hand_off.version += 1
        hand_off.save(update_fields=["state", "collected_at", "version"])
        after = {"state": hand_off.state, "manifest": hand_off.manifest_digest}
        trail.record(by, "handoff.collect", hand_off, before={"state": before}, after=after)
