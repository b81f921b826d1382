"""Read the links to results, the receipts of downloads, and the contents of a delivery's package."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db.models import (
    BooleanField,
    Case,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.urls import reverse
from django.utils.text import slugify

from accounts.domain.errors import NotFound, NotPermitted, WrongState
from accounts.domain.roles import CAPABILITIES, REACH_ABSORBED, Actor
from accounts.models import Membership, Organisation, RoleGrant, User
from accounts.selectors.memberships import WHOLE, in_scope, load_actor, place_of
from accounts.selectors.rows import any_of, visible
from accounts.selectors.secrets import digest_of, link_token
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import taking_part
from bookings.results.domain.handoffs import CONFIRMABLE, READABLE
from bookings.results.domain.packages import Measurement, Result, Thing, package
from bookings.results.domain.ranges import covered, joined
from bookings.results.domain.retention import is_recipient
from bookings.results.domain.zips import Piece, pieces
from bookings.results.locks import WITH
from bookings.results.models import CollectLink, HandOff, KeepRequest, Receipt, ResultFile
from bookings.results.selectors import handoffs
from bookings.samples.domain.samples import code_text
from bookings.samples.models import SampleItem, SampleStep
from instruments.register.models import Instrument

SALT = "bookings.collect"
UNMEASURED = frozenset({"refused", "lost", "cancelled"})
MOST_SHOWN = 50


def hand_off_to_read(actor: Actor, hand_off_id: UUID) -> HandOff:
    """Return a delivery whose files the actor may read: a recipient once it is released, or the host. Raise
    `NotFound`; `NotPermitted` if they may only know that it exists; or `WrongState`."""
    hand_off = handoffs.hand_off_by_id(actor, hand_off_id)
    if not (handoffs.collects(actor, hand_off) or handoffs.hands_over(actor, hand_off)):
        raise NotPermitted
    if hand_off.state not in READABLE:
        raise WrongState("not-collectable")
    return hand_off


def file_to_read(hand_off: HandOff, file_id: UUID) -> ResultFile:
    """Return a file of a delivery; raise `NotFound` if it has no such file."""
    return visible(hand_off.files, pk=file_id, state=ResultFile.State.CHECKED)


def files_of_link(link: CollectLink) -> QuerySet[ResultFile]:
    """Return the files that a link is for, by path."""
    rows = link.hand_off.files.filter(state=ResultFile.State.CHECKED).order_by("path_key")
    return rows.filter(path=link.path) if link.path else rows


def counts_as_delivered(actor: Actor, hand_off: HandOff) -> bool:
    """Say whether results count as delivered when the actor reads them: they do for the person of the
    booking, and for others on the payer's side unless they deliver for the host."""
    return is_recipient(
        is_person=actor.user_id == hand_off.reservation.user_id,
        is_with_payer=handoffs.collects(actor, hand_off),
        is_of_host=handoffs.hands_over(actor, hand_off),
    )


def maker_of(link: CollectLink) -> Actor:
    """Return the person who made a link as an actor, with their current roles."""
    return load_actor(link.created_by)


def may_hold(actor: Actor, hand_off: HandOff) -> bool:
    """Say whether the actor may place a legal hold: the host, the auditors of either region,
    administrators."""
    return handoffs.hands_over(actor, hand_off) or may_lift_any(actor, hand_off)


def may_lift(actor: Actor, hand_off: HandOff) -> bool:
    """Return whether the actor may lift the hold: who placed it and may still do so, auditors and
    administrators."""
    is_own = hand_off.held_by_id == actor.user_id and may_hold(actor, hand_off)
    return is_own or may_lift_any(actor, hand_off)


def may_lift_any(actor: Actor, hand_off: HandOff) -> bool:
    booking = hand_off.reservation
    places = (place_of(hand_off.host), place_of(booking.organisation))
    return actor.has("administrator") or any(actor.may("audit", place) for place in places)


def hand_offs_to_hold(actor: Actor) -> QuerySet[HandOff]:
    """Return the deliveries that the actor may see, or all of them for administrators, who place legal
    holds."""
    if actor.has("administrator"):
        return HandOff.objects.select_related(*WITH).order_by("-created_at", "-id")
    return handoffs.hand_offs_for(actor)


# Links


def collect_token(link_id: UUID, digest: bytes | None = None) -> str:
    """Return the secret of a link's address; with a `digest`, the secret that has it, or an empty text if
    none does."""
    return link_token(SALT, link_id, digest)


def collect_address(link: CollectLink) -> str:
    """Return the address of a link; empty for one made under an earlier secret of the platform, which still
    works but cannot be shown any more."""
    token = collect_token(link.pk, bytes(link.digest))
    return settings.SITE_URL + reverse("bookings:collect", args=[token]) if token else ""


def link_by_token(token: str, now: datetime) -> CollectLink:
    """Return a link that is in force, made by a person who may still read the results, to results that can be
    downloaded. Raise `NotFound` for all others, without saying why."""
    row = (
        with_makers(CollectLink.objects.select_related("created_by", *(f"hand_off__{name}" for name in WITH)))
        .filter(standing(now), digest=digest_of(token), hand_off__state__in=READABLE)
        .first()
    )
    if row is None:
        raise NotFound
    return row


def standing(now: datetime) -> Q:
    """Return the condition that a link is in force, for rows of `with_makers`; its last download may have
    begun already. A link works only as long as its maker may read the results."""
    return Q(revoked_at=None, expires_at__gt=now, created_by__is_active=True, is_entitled=True)


def with_makers(rows: QuerySet[CollectLink]) -> QuerySet[CollectLink]:
    """Return the links, each with `is_entitled`: whether its maker may read the results now, as `collects`
    and `hands_over` decide for an actor."""
    booking = "hand_off__reservation__"
    payer, host = OuterRef(f"{booking}organisation"), OuterRef("hand_off__host")
    # The host of the booking: whoever booked for somebody else may belong to it, too.
    sides = payer, OuterRef(f"{booking}host")
    grants = RoleGrant.objects.filter(user=OuterRef("created_by"), revoked_at=None)
    members = Membership.objects.filter(user=OuterRef("created_by"), ended_at=None)

    def held(place: OuterRef) -> Q:
        absorbed = Q(organisation__absorbed__contains=[place], role__in=REACH_ABSORBED)
        return Q(organisation=place) | absorbed

    manages = grants.filter(held(payer), WHOLE, role__in=CAPABILITIES["book-for-members"])
    instrument = f"{booking}instrument"
    of_part = Q(facility_id=OuterRef(f"{instrument}__facility")) | Q(instrument_id=OuterRef(instrument))
    hands = grants.filter(held(host), WHOLE | of_part, role__in=CAPABILITIES["operate-instruments"])
    near = Exists(members.filter(any_of([Q(organisation=side) for side in sides]))) | Exists(
        grants.filter(any_of([held(side) for side in sides]))
    )
    return rows.annotate(
        is_entitled=Case(
            When(created_by=F(f"{booking}user"), then=True),
            When(Exists(manages) | Exists(hands), then=True),
            When(Q(created_by=F(f"{booking}made_by")) & near, then=True),
            default=False,
            output_field=BooleanField(),
        )
    )


def link_stands(link_id: UUID, now: datetime) -> bool:
    """Say whether a link is still in force; asked repeatedly during a download. One statement."""
    rows = with_makers(CollectLink.objects.all())
    return rows.filter(standing(now), pk=link_id, hand_off__state__in=READABLE).exists()


def reader_stands(user_id: UUID, hand_off_id: UUID) -> bool:
    """Say whether a signed-in person may still read the files; asked repeatedly during a download. Three
    statements."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    hand_off = handoffs.every_hand_off().filter(pk=hand_off_id, state__in=READABLE).first()
    if user is None or hand_off is None:
        return False
    actor = load_actor(user)
    return handoffs.collects(actor, hand_off) or handoffs.hands_over(actor, hand_off)


def links_of(hand_off: HandOff) -> QuerySet[CollectLink]:
    """Return the links of a delivery, the newest first."""
    rows = with_makers(hand_off.links.select_related("created_by"))
    return rows.order_by("-created_at", "-id")


def links_for(actor: Actor) -> QuerySet[CollectLink]:
    """Return the links that the actor may see, to results that they collect or deliver; people who only read
    the accounts see none. `is_shown`: they also see the address, as it was made on their side."""
    seen = handoffs.hand_offs_for(actor).order_by()
    booking = "hand_off__reservation"
    own = taking_part(actor, f"{booking}__")
    payer = Q(**{f"{booking}__organisation__in": actor.organisations_where("book-for-members")})
    scope = actor.scope_where("operate-instruments")
    host = in_scope(scope, "hand_off__host", f"{booking}__instrument")
    recipient = Q(**{f"{booking}__user": actor.person}) | ((own | payer) & ~host)
    is_shown = Q(is_delivery=True) & recipient | Q(is_delivery=False) & host
    return (
        CollectLink.objects.filter(own | payer | host, hand_off__in=seen.values("pk"))
        .annotate(is_shown=ExpressionWrapper(is_shown, BooleanField()))
        .select_related("created_by", *(f"hand_off__{name}" for name in WITH))
        .order_by("-created_at", "-id")
    )


# Receipts


def receipts_of(hand_off: HandOff) -> QuerySet[Receipt]:
    """Return the receipts of a delivery, the newest first, without those for which no byte was taken."""
    return (
        hand_off.receipts.select_related("link__created_by", "user")
        .exclude(way=Receipt.Way.STREAMED, reached=0, completed_at=None)
        .order_by("-started_at", "-id")
    )


def parts_of(receipt: Receipt) -> list[list[int]]:
    """Return the parts that were taken of a delivery; if only `reached` was recorded, the part up to
    there."""
    return receipt.parts or ([[0, receipt.reached]] if receipt.reached else [])


def deliveries_to(
    actor: Actor, hand_off: HandOff, path: str, size: int, link: CollectLink | None
) -> QuerySet[Receipt]:
    """Return the receipts of one file for one reader: the actor, or everybody who uses the link."""
    mine = Q(link=link) if link else Q(link=None, user_id=actor.person)
    return Receipt.objects.filter(mine, hand_off=hand_off, path=path, size=size)


def parts_taken(rows: QuerySet[Receipt]) -> list[list[int]]:
    """Return the union of the parts taken by those of these receipts that are not complete. One statement."""
    begun = rows.filter(way=Receipt.Way.STREAMED, completed_at=None)
    return joined(*(parts_of(row) for row in begun.only("parts", "reached")))


def has_everything(receipt: Receipt) -> bool:
    """Say whether the reader has taken all of the file, by this receipt together with their others that are
    not complete: by a link with counted downloads, each may take only a part."""
    if covered(parts_of(receipt)) == receipt.size:
        return True
    reader = Actor(receipt.user_id)
    rows = deliveries_to(reader, receipt.hand_off, receipt.path, receipt.size, receipt.link)
    return covered(parts_taken(rows.filter(is_delivery=receipt.is_delivery))) == receipt.size


def _to_recipients(hand_off_id: UUID) -> QuerySet[Receipt]:
    return Receipt.objects.filter(hand_off=hand_off_id, is_delivery=True)


def is_with_recipients(receipt: Receipt) -> bool:
    """Say whether the recipients together have taken all of the file, signed in and by their links."""
    rows = _to_recipients(receipt.hand_off_id).filter(path=receipt.path, size=receipt.size)
    return covered(parts_taken(rows)) == receipt.size


def delivered_paths(hand_off: HandOff) -> set[str]:
    """Return the paths of the files that were delivered completely, by one receipt or several; the empty path
    means the package. One statement."""
    taken: dict[tuple[str, int], list[list[int]]] = {}
    paths: set[str] = set()
    for row in _to_recipients(hand_off.pk).exclude(way=Receipt.Way.HANDED_OUT):
        if row.completed_at:
            paths.add(row.path)
        else:
            of = row.path, row.size
            taken[of] = joined(taken.get(of, []), parts_of(row))
    return paths | {path for (path, size), parts in taken.items() if covered(parts) == size}


def delivery_of(reservation_id: UUID) -> HandOff | None:
    """Return the delivery of a booking with its receipts (`given`), as evidence; None where there is none.
    Two statements."""
    hand_off = (
        HandOff.objects.select_related(*WITH)
        .filter(reservation_id=reservation_id)
        .order_by("-created_at", "-pk")
        .first()
    )
    if hand_off is not None:
        hand_off.given = list(receipts_of(hand_off)[:20])  # type: ignore[attr-defined]
    return hand_off


def keep_requests_of(hand_off: HandOff) -> QuerySet[KeepRequest]:
    """Return the requests to keep a delivery longer, the newest first."""
    return hand_off.keep_requests.select_related("asked_by", "decided_by").order_by("-asked_at")


def keep_requests_for(actor: Actor) -> QuerySet[KeepRequest]:
    """Return the requests about results of bookings that the actor may see."""
    return KeepRequest.objects.filter(hand_off__in=handoffs.hand_offs_for(actor).order_by().values("pk"))


def load_collecting(actor: Actor, hand_off: HandOff, now: datetime) -> dict[str, Any]:
    """Return what the page of a delivery shows about collecting it, and what the actor may do. Two
    statements, four for readers of the files."""
    is_host, is_readable = handoffs.hands_over(actor, hand_off), hand_off.state in READABLE
    may_read = is_host or handoffs.collects(actor, hand_off)
    is_for_actor = counts_as_delivered(actor, hand_off)
    receipts = list(receipts_of(hand_off)[:MOST_SHOWN])
    links = []
    for link in links_of(hand_off)[:MOST_SHOWN] if may_read else ():
        link.stands = link.revoked_at is None and link.expires_at > now and link.is_entitled  # type: ignore[attr-defined]
        # People with a link collect on behalf of the side that made it.
        is_shown = is_for_actor if link.is_delivery else is_host
        links.append((link, collect_address(link) if is_shown else ""))
    return {
        "may_read": may_read and is_readable,
        "links": links,
        "receipts": receipts,
        "is_confirmed": any(row.way == Receipt.Way.CONFIRMED for row in receipts),
        "may_confirm": is_for_actor and hand_off.state in CONFIRMABLE,
        "digest": handoffs.digest_of(hand_off),
        "keep_requests": list(keep_requests_of(hand_off)[:5]) if may_read else [],
        "may_keep": (is_host or is_for_actor) and is_readable,
        "may_hold": is_readable and hand_off.held_at is None and may_hold(actor, hand_off),
    }


# The package


def load_package(hand_off: HandOff) -> list[Piece]:
    """Return the package of a delivery, in the parts of `domain/zips.py`. Four statements."""
    rows = hand_off.files.filter(state=ResultFile.State.CHECKED).order_by("path_key")
    results = [Result(r.path, r.size, r.sha256, r.crc32 or 0, key=r.storage) for r in rows]
    assert hand_off.sealed_at is not None
    return pieces(package(_measurement(hand_off), results), hand_off.sealed_at)


def reference_of(hand_off: HandOff) -> str:
    """Return the name of the folder in a delivery's package, which never changes."""
    return f"results-{hand_off.pk.hex[-8:]}"


def file_name_of(hand_off: HandOff) -> str:
    """Return the name under which a delivery's package is saved: the instrument, the local day of the booking
    and the last digits of the booking, for example `cryo-em-2026-05-04-7f3a9c21.zip`."""
    booking = hand_off.reservation
    zone = ZoneInfo(booking.instrument.facility.time_zone)
    name = slugify(booking.instrument.name, allow_unicode=True)[:60] or "results"
    return f"{name}-{booking.start_at.astimezone(zone):%Y-%m-%d}-{booking.pk.hex[-8:]}.zip"


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
    """Describe an instrument by its PIDINST identifier, or by its page here if it has none that is an
    address."""
    page = settings.SITE_URL + reverse("bookings:instrument", args=[row.pk])
    more = {"url": row.landing_page or page}
    if row.identifier:
        more["propertyID"] = row.identifier_type
    if row.model:
        more["model"] = row.model
    makers = [maker["name"] for maker in row.manufacturers if maker.get("name")]
    return Thing(row.name, identifier_address(row) or page, more | {"manufacturer": makers})


def identifier_address(row: Instrument) -> str:
    """Return the address that a PIDINST identifier leads to; empty if it is not an address."""
    if row.identifier.startswith(("https://", "http://")):
        return row.identifier
    kinds = {"doi": "https://doi.org/", "handle": "https://hdl.handle.net/"}
    start = kinds.get(row.identifier_type.lower(), "")
    return start + row.identifier if row.identifier and start else ""


def _agent(booking: Reservation) -> Thing | None:
    """Return the person who did the measurement, with their ORCID iD if they sign in with it; None if their
    account is not active."""
    if not booking.user.is_active:
        return None
    orcid = SocialAccount.objects.filter(user=booking.user_id, provider="orcid").first()
    return Thing(booking.user.name, f"https://orcid.org/{orcid.uid}" if orcid else "")


def _samples(hand_off: HandOff) -> list[Thing]:
    """Describe what was measured: in the booking's words, and its samples by their codes, except for those
    that were refused, lost or withdrawn when the results were sealed."""
    booking = hand_off.reservation
    last = SampleStep.objects.filter(sample=OuterRef("pk"), at__lte=hand_off.sealed_at)
    items = SampleItem.objects.filter(bookings__reservation=booking).annotate(
        stood=Subquery(last.order_by("-at", "-id").values("state")[:1])
    )
    shown = items.exclude(stood__in=UNMEASURED).order_by("name", "code")
    described = [Thing(booking.samples)] if booking.samples else []
    return described + [Thing(one.name, more={"identifier": code_text(one.code)}) for one in shown]
