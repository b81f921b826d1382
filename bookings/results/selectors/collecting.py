"""Links to results, what was given out, and what the package of a hand-off is made of."""

from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from accounts.domain.errors import NotFound, NotPermitted, WrongState
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from accounts.selectors.secrets import digest_of, link_token
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import takes_part, taking_part
from bookings.results.domain.handoffs import READABLE
from bookings.results.domain.packages import Measurement, Result, Thing, package
from bookings.results.domain.zips import Piece, pieces
from bookings.results.locks import WITH
from bookings.results.models import CollectLink, HandOff, KeepRequest, Receipt, ResultFile
from bookings.results.selectors.handoffs import collects, hand_off_by_id, hand_offs_for, hands_over
from bookings.samples.domain.samples import code_text
from bookings.samples.models import SampleItem, SampleStep
from instruments.models import Instrument

SALT = "bookings.collect"
UNMEASURED = frozenset({"refused", "lost", "cancelled"})
MOST_SHOWN = 50


def hand_off_to_read(actor: Actor, hand_off_id: UUID) -> HandOff:
    """Return one whose files the actor may read: whom it is for, once it is released, and the host.
    `NotFound`, `NotPermitted` for whoever may only see that there is one, `WrongState`."""
    hand_off = hand_off_by_id(actor, hand_off_id)
    if not (collects(actor, hand_off) or hands_over(actor, hand_off)):
        raise NotPermitted
    if hand_off.state not in READABLE:
        raise WrongState("not-collectable")
    return hand_off


def file_to_read(hand_off: HandOff, file_id: UUID) -> ResultFile:
    """Return one of its files; `NotFound` else."""
    return visible(hand_off.files, pk=file_id, state=ResultFile.State.CHECKED)


def files_of_link(link: CollectLink) -> QuerySet[ResultFile]:
    """Return the files that a link is for, by path."""
    rows = link.hand_off.files.filter(state=ResultFile.State.CHECKED).order_by("path_key")
    return rows.filter(path=link.path) if link.path else rows


def counts_as_delivered(actor: Actor, hand_off: HandOff) -> bool:
    """Return whether what the actor is given is delivered: not where the host reads what it has
    handed over itself."""
    booking = hand_off.reservation
    return takes_part(actor, booking) or (
        collects(actor, hand_off) and not hands_over(actor, hand_off)
    )


def may_hold(actor: Actor, hand_off: HandOff) -> bool:
    """Return whether the actor may keep results from being deleted: the host, the auditors of
    either region, administrators."""
    return hands_over(actor, hand_off) or may_lift_any(actor, hand_off)


def may_lift_any(actor: Actor, hand_off: HandOff) -> bool:
    booking = hand_off.reservation
    places = (place_of(hand_off.host), place_of(booking.organisation))
    return actor.has("administrator") or any(actor.may("audit", place) for place in places)


def hand_offs_to_hold(actor: Actor) -> QuerySet[HandOff]:
    """Return those that the actor sees; administrators see all, to hold them."""
    if actor.has("administrator"):
        return HandOff.objects.select_related(*WITH).order_by("-created_at", "-id")
    return hand_offs_for(actor)


# Links


def collect_token(link_id: UUID, digest: bytes | None = None) -> str:
    """The secret of a link's address, or the one of its digest."""
    return link_token(SALT, link_id, digest)


def collect_address(link: CollectLink) -> str:
    """Empty for one made with a platform's secret that is no more: it works, and is not known."""
    token = collect_token(link.pk, bytes(link.digest))
    return settings.SITE_URL + reverse("bookings:collect", args=[token]) if token else ""


def link_by_token(token: str, now: datetime) -> CollectLink:
    """Return a link that is in force, of an active person, to results that can be collected;
    `NotFound` else: why is nobody's business who has not the right one."""
    row = (
        CollectLink.objects.select_related(*(f"hand_off__{name}" for name in WITH))
        .filter(standing(now), digest=digest_of(token), hand_off__state__in=READABLE)
        .first()
    )
    if row is None:
        raise NotFound
    return row


def standing(now: datetime) -> Q:
    """The condition that a link is in force; its last download may have begun."""
    return Q(revoked_at=None, expires_at__gt=now, created_by__is_active=True)


def link_stands(link_id: UUID, now: datetime) -> bool:
    """Return whether a link is still in force, asked again while something is given out. One
    statement."""
    return CollectLink.objects.filter(
        standing(now), pk=link_id, hand_off__state__in=READABLE
    ).exists()


def is_readable(hand_off_id: UUID) -> bool:
    """Return whether the files are still there to be read. One statement."""
    return HandOff.objects.filter(pk=hand_off_id, state__in=READABLE).exists()


def links_of(hand_off: HandOff) -> QuerySet[CollectLink]:
    """Return its links, the newest first."""
    return hand_off.links.select_related("created_by").order_by("-created_at", "-id")


def links_for(actor: Actor) -> QuerySet[CollectLink]:
    """Return the links to results that the actor collects or hands over, and may see: not those of
    whom only reads the books."""
    seen = hand_offs_for(actor).order_by()
    booking = "hand_off__reservation"
    own = taking_part(actor, f"{booking}__")
    payer = Q(**{f"{booking}__organisation__in": actor.organisations_where("book-for-members")})
    host = Q(hand_off__host__in=actor.organisations_where("manage-instruments"))
    return (
        CollectLink.objects.filter(own | payer | host, hand_off__in=seen.values("pk"))
        .select_related("created_by", *(f"hand_off__{name}" for name in WITH))
        .order_by("-created_at", "-id")
    )


# Receipts


def receipts_of(hand_off: HandOff) -> QuerySet[Receipt]:
    """Return what was given out of it, the newest first; not what nobody has taken a byte of."""
    return (
        hand_off.receipts.select_related("link", "user")
        .exclude(way=Receipt.Way.STREAMED, reached=0, completed_at=None)
        .order_by("-started_at", "-id")
    )


def delivery_of(reservation_id: UUID) -> HandOff | None:
    """Return the hand-off of a booking with its receipts (`given`), as evidence; None where there
    is none. Two statements."""
    hand_off = (
        HandOff.objects.select_related(*WITH)
        .filter(reservation_id=reservation_id)
        .order_by("-created_at")
        .first()
    )
    if hand_off is not None:
        hand_off.given = list(receipts_of(hand_off)[:20])  # type: ignore[attr-defined]
    return hand_off


def keep_requests_of(hand_off: HandOff) -> QuerySet[KeepRequest]:
    """Return the requests to keep it longer, the newest first."""
    return hand_off.keep_requests.select_related("asked_by", "decided_by").order_by("-asked_at")


def keep_requests_for(actor: Actor) -> QuerySet[KeepRequest]:
    """Return the requests about results of bookings that the actor may see."""
    return KeepRequest.objects.filter(hand_off__in=hand_offs_for(actor).order_by().values("pk"))


def load_collecting(actor: Actor, hand_off: HandOff, now: datetime) -> dict[str, Any]:
    """Return what the page of a hand-off says of collecting it, and what the actor may do. Two
    statements, four for whoever may read the files."""
    is_host, is_readable = hands_over(actor, hand_off), hand_off.state in READABLE
    may_read = is_host or collects(actor, hand_off)
    is_for_actor = counts_as_delivered(actor, hand_off)
    receipts = list(receipts_of(hand_off)[:MOST_SHOWN])
    links = [(link, collect_address(link)) for link in links_of(hand_off)] if may_read else []
    for link, _address in links:
        link.stands = link.revoked_at is None and link.expires_at > now  # type: ignore[attr-defined]
    return {
        "may_read": may_read and is_readable,
        "links": links[:MOST_SHOWN],
        "receipts": receipts,
        "is_confirmed": any(row.way == Receipt.Way.CONFIRMED for row in receipts),
        "may_confirm": is_for_actor and is_readable,
        "keep_requests": list(keep_requests_of(hand_off)[:5]) if may_read else [],
        "may_keep": (is_host or is_for_actor) and is_readable,
        "may_hold": is_readable and hand_off.held_at is None and may_hold(actor, hand_off),
        "may_lift": hand_off.held_at is not None
        and (hand_off.held_by_id == actor.user_id or may_lift_any(actor, hand_off)),
    }


# The package


def load_package(hand_off: HandOff) -> list[Piece]:
    """Return the package of a hand-off, as `domain/zips.py` cuts it. Four statements."""
    rows = hand_off.files.filter(state=ResultFile.State.CHECKED).order_by("path_key")
    results = [Result(r.path, r.size, r.sha256, r.crc32 or 0, key=r.storage) for r in rows]
    assert hand_off.sealed_at is not None
    return pieces(package(_measurement(hand_off), results), hand_off.sealed_at)


def reference_of(hand_off: HandOff) -> str:
    """What a hand-off's package is called; safe as the name of a file."""
    return f"results-{hand_off.pk.hex[-8:]}"


def _measurement(hand_off: HandOff) -> Measurement:
    booking = hand_off.reservation
    session = getattr(booking, "session", None)
    assert hand_off.sealed_at is not None
    instrument = booking.instrument
    return Measurement(
        reference=reference_of(hand_off),
        title=f"{instrument.name}, {booking.start_at:%Y-%m-%d}",
        host=_organisation(hand_off.host),
        instrument=_instrument(instrument),
        agent=_agent(booking),
        samples=_samples(hand_off),
        started_at=(session and session.checked_in_at) or booking.start_at,
        ended_at=(session and session.checked_out_at) or booking.end_at,
        sealed_at=hand_off.sealed_at,
        page=settings.SITE_URL + reverse("bookings:result", args=[hand_off.pk]),
    )


def _organisation(row: Organisation) -> Thing:
    return Thing(row.name, row.ror, {"alternateName": row.name_zh} if row.name_zh else None)


def _instrument(row: Instrument) -> Thing:
    """By its PIDINST identifier; by its page here where it has none that is an address."""
    page = settings.SITE_URL + reverse("bookings:instrument", args=[row.pk])
    more = {"url": row.landing_page or page}
    if row.identifier:
        more["propertyID"] = row.identifier_type
    if row.model:
        more["model"] = row.model
    makers = [maker["name"] for maker in row.manufacturers if maker.get("name")]
    return Thing(row.name, identifier_address(row) or page, more | {"manufacturer": makers})


def identifier_address(row: Instrument) -> str:
    """The address that a PIDINST identifier leads to, empty for one that is none."""
    if row.identifier.startswith(("https://", "http://")):
        return row.identifier
    kinds = {"doi": "https://doi.org/", "handle": "https://hdl.handle.net/"}
    start = kinds.get(row.identifier_type.lower(), "")
    return start + row.identifier if row.identifier and start else ""


def _agent(booking: Reservation) -> Thing | None:
    """Who worked, by their ORCID iD where they sign in with it."""
    if not booking.user.is_active:
        return None
    orcid = SocialAccount.objects.filter(user=booking.user_id, provider="orcid").first()
    return Thing(booking.user.name, f"https://orcid.org/{orcid.uid}" if orcid else "")


def _samples(hand_off: HandOff) -> list[Thing]:
    """What was measured: as the booking says it, and its samples by their codes, but for those that
    were refused, lost or withdrawn when the results were sealed."""
    booking = hand_off.reservation
    last = SampleStep.objects.filter(sample=OuterRef("pk"), at__lte=hand_off.sealed_at)
    items = SampleItem.objects.filter(bookings__reservation=booking).annotate(
        stood=Subquery(last.order_by("-at", "-id").values("state")[:1])
    )
    shown = items.exclude(stood__in=UNMEASURED).order_by("name", "code")
    described = [Thing(booking.samples)] if booking.samples else []
    return described + [Thing(one.name, more={"identifier": code_text(one.code)}) for one in shown]
