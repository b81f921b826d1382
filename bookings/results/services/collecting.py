"""Collecting results: links, and receipts of what was given out."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import BigIntegerField, F, Q, Value
from django.db.models.functions import Coalesce

from accounts import trail
from accounts.domain.errors import NotFound, NotPermitted, WrongState, invalid
from accounts.domain.roles import NOBODY, PLATFORM, Actor, By
from accounts.models import User
from accounts.models.keys import new_id
from accounts.notifications import Effect, enqueue
from accounts.selectors.rows import visible
from accounts.selectors.secrets import digest_of
from accounts.services.jobs import work_through
from bookings.results.domain.handoffs import CONFIRMABLE, may, state_after
from bookings.results.domain.ranges import covered, joined
from bookings.results.domain.retention import MOST_USES, bytes_allowed, check_link, is_collected
from bookings.results.locks import lock_hand_off
from bookings.results.models import CollectLink, HandOff, Receipt
from bookings.results.selectors import collecting
from bookings.results.selectors.handoffs import digest_of as digest_to_confirm
from bookings.results.selectors.handoffs import hand_off_by_id, hands_over

MOST_AT_ONCE = 500  # links that end in one run
SAME_DELIVERY = timedelta(days=1)  # time within which a repeated download is the same delivery


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
    """Make a link by which somebody without an account collects all files, or one. `uses`: downloads that may
    begin; None for any number. Raises `Invalid`, `WrongState` (not-collectable, too-many-links)."""
    hand_off = collecting.hand_off_to_read(by.actor, hand_off_id)
    file = collecting.file_to_read(hand_off, file_id) if file_id else None
    if not label.strip():
        raise invalid("label", "required")
    if uses is not None and not 1 <= uses <= MOST_USES:
        raise invalid("uses", "out-of-range", least=1, most=MOST_USES)
    lock_hand_off(hand_off_id)
    check_link(
        expires_at,
        by.now,
        collecting.with_makers(hand_off.links.all()).filter(collecting.standing(by.now)).count(),
    )
    pk = new_id()
    link = CollectLink.objects.create(
        id=pk,
        hand_off=hand_off,
        path=file.path if file else "",
        digest=digest_of(collecting.collect_token(pk)),
        label=label.strip(),
        created_by_id=by.actor.person,
        created_at=by.now,
        expires_at=expires_at,
        uses_left=uses,
        is_delivery=collecting.counts_as_delivered(by.actor, hand_off),
        is_of_host=hands_over(by.actor, hand_off),
    )
    after = {
        "hand_off": hand_off.pk,
        "path": link.path,
        "expires_at": expires_at,
        "uses": uses,
        "is_delivery": link.is_delivery,
    }
    trail.record(by, "collectlink.make", link, after=after)
    return link


@transaction.atomic
def link_revoke(by: By, *, link_id: UUID) -> CollectLink:
    """Revoke a link, which stops working at once. Doing so again changes nothing."""
    link = visible(collecting.links_for(by.actor).select_for_update(of=("self",), no_key=True), pk=link_id)
    by.require_version(link.version)
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
    """Record that `length` bytes from `start` on are about to be given to the actor, or to somebody by the
    link; without `path`, of the package. All that one reader takes of a file belongs to one receipt until it
    is complete, and for a day after that no other is begun. By a link with counted downloads, a part belongs
    to the receipt under way as long as `bytes_allowed` permits; anything else takes one of the link's uses.
    Raises `NotFound` if none is left."""
    taker = collecting.maker_of(link) if link else by.actor
    is_delivery = collecting.counts_as_delivered(taker, hand_off) and (link is None or link.is_delivery)
    # Downloads of a reader who has changed sides are another delivery.
    mine = collecting.deliveries_to(by.actor, hand_off, path, size, link)
    mine = mine.filter(way=way, is_delivery=is_delivery)
    if link is None or link.uses_left is None:
        is_open = Q(completed_at=None, way=Receipt.Way.STREAMED)
        begun = mine.filter(is_open | Q(started_at__gt=by.now - SAME_DELIVERY))
    elif start or 0 < length < size:
        begun = mine.filter(completed_at=None, sent__lte=bytes_allowed(size) - length)
    else:
        begun = mine.none()
    begun = begun.order_by("-started_at", "-id")
    if row := begun.first():
        return row
    # If several begin at once, the others find the receipt that the first has made.
    lock_hand_off(hand_off.pk)
    if row := begun.all().first():
        return row
    if link:
        _use(link, by.now)
    return Receipt.objects.create(
        hand_off=hand_off,
        path=path,
        link=link,
        user_id=None if link else by.actor.person,
        is_delivery=is_delivery,
        is_of_host=hands_over(taker, hand_off) or (link is not None and link.is_of_host),
        way=way,
        size=size,
        started_at=by.now,
    )


def _use(link: CollectLink, now: datetime) -> None:
    """Take one of the link's uses if it is in force and has one left; raise `NotFound` otherwise. One
    statement does both, so that simultaneous downloads never take more uses than there are. It reads no other
    table, since PostgreSQL would not evaluate a joined row again after waiting for another download."""
    rows = CollectLink.objects.filter(
        Q(uses_left=None) | Q(uses_left__gt=0), pk=link.pk, revoked_at=None, expires_at__gt=now
    )
    if not rows.update(uses_left=F("uses_left") - 1, first_used_at=Coalesce(F("first_used_at"), now)):
        raise NotFound
    if link.first_used_at is None:
        enqueue(
            [Effect("results.link-used", f"results.link-used:{link.pk}", {"link": str(link.pk)})], now=now
        )


def delivery_send(*, receipt_id: UUID, size: int, count: int) -> bool:
    """Count bytes that are about to be sent for a receipt; return False if they would exceed `bytes_allowed`.
    One statement decides, so that simultaneous downloads together stay below it."""
    room = Receipt.objects.filter(pk=receipt_id, sent__lte=bytes_allowed(size) - count)
    return bool(room.update(sent=F("sent") + Value(count, BigIntegerField())))


def links_end(*, now: datetime) -> int:
    """End links for good whose makers may not read the results any more, and tell the makers and those who
    remain on their side; return how many."""
    due = collecting.with_makers(CollectLink.objects.filter(revoked_at=None, expires_at__gt=now))
    due = due.filter(Q(created_by__is_active=True, is_entitled=False))
    return work_through(
        job="links of former members",
        due=due.order_by("created_at", "pk"),
        act=lambda pk: _end(pk, now),
        now=now,
        most=MOST_AT_ONCE,
    )


def _end(link_id: UUID, now: datetime) -> int:
    rows = CollectLink.objects.select_for_update(of=("self",), no_key=True)
    link = collecting.with_makers(rows).filter(Q(pk=link_id, revoked_at=None, is_entitled=False)).first()
    if link is None:
        return 0
    link.revoked_at = now
    link.save(update_fields=["revoked_at"])
    trail.record(By(PLATFORM, now), "collectlink.end", link)
    about = {"link": str(link.pk)}
    enqueue([Effect("results.link-ended", f"results.link-ended:{link.pk}", about)], now=now)
    return 1


def delivery_note(*, receipt_id: UUID, start: int, end: int, now: datetime, is_last: bool = True) -> None:
    """Record that the bytes from `start` up to `end` were taken. If they were the last of a transfer, and the
    reader has now taken everything, in whatever order and by whichever transfers, the file is delivered; once
    every file is, the results are collected."""
    if _take(receipt_id, start, end) and is_last:
        _settle(receipt_id, now)


@transaction.atomic
def _take(receipt_id: UUID, start: int, end: int) -> bool:
    """Add bytes to those taken of a file; return False if everything was taken before."""
    receipt = Receipt.objects.select_for_update(no_key=True).get(pk=receipt_id)
    if receipt.completed_at:
        return False
    parts = joined(collecting.parts_of(receipt), [[start, end]])
    if parts != receipt.parts:
        receipt.parts, receipt.reached = parts, covered(parts)
        receipt.save(update_fields=["parts", "reached"])
    return True


@transaction.atomic
def _settle(receipt_id: UUID, now: datetime) -> None:
    """Decide whether a receipt is complete, after its bytes are stored and visible to all: of two transfers
    that end at the same time, the later one sees both."""
    receipt = Receipt.objects.select_related("link").get(pk=receipt_id)
    is_complete = collecting.has_everything(receipt)
    if not (is_complete or (receipt.is_delivery and collecting.is_with_recipients(receipt))):
        return
    hand_off = lock_hand_off(receipt.hand_off_id)
    receipt = Receipt.objects.select_for_update(no_key=True).get(pk=receipt_id)
    by = By(Actor(receipt.user_id) if receipt.user_id else NOBODY, now)
    if is_complete and not receipt.completed_at:
        receipt.parts, receipt.reached = joined([[0, receipt.size]]), receipt.size
        receipt.completed_at = now
        receipt.save(update_fields=["parts", "reached", "completed_at"])
        _delivered(by, hand_off, receipt)
    if receipt.is_delivery:
        _collect(by, hand_off)


@transaction.atomic
def receipt_confirm(by: By, *, hand_off_id: UUID, manifest_digest: str) -> Receipt:
    """Confirm, as a recipient, that everything was received and matches the manifest with this digest; doing
    so again changes nothing. Results kept at the host have the digest of where they are and of their
    checksums. Raises `Invalid` (digest-differs) for another digest, `NotPermitted` for others."""
    hand_off = hand_off_by_id(by.actor, hand_off_id)
    if not collecting.counts_as_delivered(by.actor, hand_off):
        raise NotPermitted
    hand_off = lock_hand_off(hand_off_id)
    if hand_off.state not in CONFIRMABLE:
        raise WrongState("not-collectable")
    digest = digest_to_confirm(hand_off)
    if manifest_digest.strip().lower() != digest:
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
        is_of_host=hands_over(by.actor, hand_off),
        manifest_digest=digest,
    )
    _delivered(by, hand_off, receipt)
    _collect(by, hand_off)
    return receipt


def _delivered(by: By, hand_off: HandOff, receipt: Receipt) -> None:
    """Record in the trail that a file or the package of a delivery was given out completely."""
    after = {
        "receipt": receipt.pk,
        "way": receipt.way,
        "path": receipt.path,
        "link": receipt.link_id,
        "size": receipt.size,
        "is_delivery": receipt.is_delivery,
    }
    trail.record(by, "handoff.deliver", hand_off, after=after)


def _collect(by: By, hand_off: HandOff) -> None:
    """Mark results, which are locked, as collected if everything was delivered."""
    if hand_off.collected_at or not may(hand_off.state, "collect"):
        return
    if is_collected([each["path"] for each in hand_off.manifest], collecting.delivered_paths(hand_off)):
        before = hand_off.state
        hand_off.state = state_after(before, "collect")
        hand_off.collected_at = by.now
        hand_off.version += 1
        hand_off.save(update_fields=["state", "collected_at", "version"])
        after = {"state": hand_off.state, "manifest": digest_to_confirm(hand_off)}
        trail.record(by, "handoff.collect", hand_off, before={"state": before}, after=after)


def links_forget(by: By, *, user: User) -> None:
    """Revoke all links that somebody made, within the transaction that closes the account."""
    CollectLink.objects.filter(created_by=user, revoked_at=None).update(revoked_at=by.now)
