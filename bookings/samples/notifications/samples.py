"""Messages about samples, to their owners and to the staff of their hosts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, table
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import staff_of
from bookings.record.models import Reservation
from bookings.samples.domain.samples import COMING
from bookings.samples.models import BookedSample, SampleItem, SampleStep

TO_HOST = frozenset({"sample.shipped", "sample.cancelled", "sample.hazard"})


@dataclass(frozen=True)
class About:
    """Samples with the same owner and hosts, the newest step of the first sample and who made it, and for a
    reminder the booking."""

    samples: Sequence[SampleItem]
    hosts: Sequence[UUID]
    step: SampleStep | None
    actor: UUID | None
    reservation: Reservation | None = None

    @property
    def owner(self) -> User:
        return self.samples[0].user


def _load(row: OutboxMessage, now: datetime) -> About | None:
    """Load the samples and people a row is about; None if the samples are gone."""
    payload = row.payload
    rows = SampleItem.objects.select_related("user", "organisation").prefetch_related("steps")
    samples = list(rows.filter(pk__in=payload["samples"]).order_by("name", "id"))
    if not samples:
        return None
    hosts = [UUID(pk) for pk in payload.get("hosts", ())]
    step = list(samples[0].steps.all())[-1]
    actor = UUID(payload["actor"]) if "actor" in payload else None
    return About(samples, hosts, step, actor)


def _load_missing(row: OutboxMessage, now: datetime) -> About | None:
    """Load the samples of an upcoming booking that have not arrived yet; None if there are none."""
    reservation = (
        Reservation.objects.select_related("instrument__facility", "host")
        .filter(pk=UUID(row.payload["reservation"]), state="confirmed", start_at__gt=now)
        .first()
    )
    if reservation is None:
        return None
    samples = SampleItem.objects.select_related("user", "organisation").filter(
        bookings__reservation=reservation, state__in=COMING
    )
    waiting = list(samples.order_by("user_id", "name", "id"))
    return About(waiting, [reservation.host_id], None, None, reservation) if waiting else None


def _hosts(about: About) -> list[User]:
    """Return who manages or operates the instruments for which the hosts have the samples, without the person
    who made the step."""
    of = {"reservation": about.reservation} if about.reservation else {"sample__in": about.samples}
    booked = BookedSample.objects.filter(**of, host__in=about.hosts).select_related("reservation__instrument")
    places = {(each.host_id, each.reservation.instrument) for each in booked}
    order = sorted(places, key=lambda place: (about.hosts.index(place[0]), place[1].pk))
    people = [person for host, instrument in order for person in staff_of(host, instrument)]
    return [person for person in dict.fromkeys(people) if person.pk != about.actor]


def _others(about: About) -> list[User]:
    """Return the other side: the hosts' managers if the owner made the step, otherwise the owner."""
    return _hosts(about) if about.actor == about.owner.pk else [about.owner]


def _everybody(about: About) -> list[User]:
    return list(dict.fromkeys([*(one.user for one in about.samples), *_hosts(about)]))


def _content(about: About, row: OutboxMessage, now: datetime) -> Content:
    first = about.samples[0]
    words: dict[str, object] = {
        "sample": first.name if len(about.samples) == 1 else f"{first.name} …",
        "person": str(about.owner),
    }
    link = reverse("bookings:sample-item", args=[first.code])
    if len(about.samples) > 1:
        is_for_host = row.kind in TO_HOST or about.actor == about.owner.pk
        link = reverse(f"bookings:sample-{'queue' if is_for_host else 'items'}")
    zone, until, days = "", None, []
    if about.reservation is not None:
        zone, until = about.reservation.instrument.facility.time_zone, about.reservation.start_at
        days = [about.reservation.start_at]
        link = reverse("bookings:reservation", args=[about.reservation.pk])
        words |= {"instrument": about.reservation.instrument}
    context = {"samples": about.samples, "step": about.step, "reservation": about.reservation}
    return Content(first.pk, link, words, context, zone=zone, matters_until=until, days=days)


_kind = partial(
    Kind,
    topic="sample",
    load=_load,
    readers=_others,
    content=_content,
    template="bookings/samples/mail/sample",
)
KINDS = table(
    _kind(
        "sample.shipped",
        _("Sample on its way: {sample}"),
        _("{person} has sent samples to you."),
        readers=_hosts,
    ),
    _kind(
        "sample.cancelled",
        _("Sample withdrawn: {sample}"),
        _("{person} will not send these samples."),
        readers=_hosts,
    ),
    _kind(
        "sample.hazard",
        _("Not accepted on your instrument: {sample}"),
        _(
            "{person} has stated a hazard of this sample that an instrument it is booked on does"
            " not accept. The booking stands; decide what to do with the sample."
        ),
        readers=_hosts,
    ),
    _kind("sample.received", _("Sample received: {sample}"), _("These samples have arrived.")),
    _kind("sample.refused", _("Sample not accepted: {sample}"), _("The host does not accept these samples.")),
    _kind("sample.measured", _("Sample measured: {sample}"), _("These samples are measured.")),
    _kind("sample.return-shipped", _("Sample on its way back: {sample}"), _("These samples were sent back.")),
    _kind("sample.returned", _("Sample returned: {sample}"), _("These samples were returned.")),
    _kind(
        "sample.lost",
        _("Sample lost: {sample}"),
        _("These samples are lost. Please contact the other party."),
    ),
    _kind(
        "sample.missing",
        _("Samples have not arrived: {instrument}"),
        _("The booking begins within a day, and these samples of it have not arrived."),
        load=_load_missing,
        readers=_everybody,
    ),
)
