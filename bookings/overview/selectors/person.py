"""Load what a host knows of a person: bookings, certificates, course sessions, what they owe, blocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Sum

from accounts.domain.roles import Actor
from accounts.models import Membership, Organisation, User
from accounts.selectors.memberships import in_scope
from accounts.selectors.rows import visible
from bookings.funding.models import DefaultSource
from bookings.funding.selectors.defaults import defaults_of
from bookings.pricing.domain.charges import ORIGINAL
from bookings.pricing.models import Charge
from bookings.record.domain.reservations import OCCUPYING
from bookings.record.models import Reservation, UsageSession
from bookings.record.selectors.reservations import hosted_reservations
from bookings.settlement.models import Statement
from instruments.policy.selectors.blocks import blocks_made
from instruments.register.models import HostBlock
from instruments.training.models import Enrolment, Qualification
from instruments.training.selectors.qualifications import qualifications_for
from instruments.training.selectors.training import enrolments_for

MOST = 10  # of each list
MOST_COMING = 50  # bookings ahead, which can be cancelled together
# Host and instrument of a place in a course.
_COURSE = ("session__course__organisation", "session__course__instrument")


def defaults_seen(actor: Actor, person: User) -> list[DefaultSource]:
    """Return the default sources of a person at organisations whose money the actor reads. One statement,
    none for who reads no money."""
    ours = actor.organisations_where("read-money")
    return list(defaults_of(person.pk).filter(source__organisation__in=ours)) if ours else []


def person_met(actor: Actor, person_id: UUID) -> User:
    """Return a person who has booked, learnt or been certified at a host that the actor manages, or is a
    member of it; for who manages a part of a host, those of that part. `NotFound` for anybody else.
    `has_come`: whether they have booked or learnt there or are a member, so that the host knows their mail
    address; anybody can be certified or blocked by their id."""
    scope = actor.scope_where("manage-instruments")
    hosts = scope.organisations
    mine = {"user": OuterRef("pk")}
    has_come = (
        Exists(hosted_reservations(actor).order_by().filter(**mine))
        | Exists(Enrolment.objects.filter(in_scope(scope, *_COURSE), **mine))
        | Exists(Membership.objects.filter(organisation__in=hosts, ended_at=None, **mine))
    )
    met = (
        Q(has_come=True)
        | Exists(Qualification.objects.filter(in_scope(scope, "issuer"), **mine))
        | Exists(HostBlock.objects.filter(host__in=hosts, **mine))
    )
    return visible(User.objects.annotate(has_come=has_come).filter(met), pk=person_id)


@dataclass(frozen=True)
class Fee:
    """The fee of a place in a course: its charge, if there is one that stands, else the price for which it
    was taken."""

    payable: Decimal
    currency: str
    payer: Organisation
    charge: Charge | None = None


@dataclass(frozen=True)
class Known:
    """The knowledge that the hosts of an actor have of a person: numbers of bookings by fate and the time
    used, what is not paid by currency, the latest rows of each kind, and by enrolment what the place costs,
    if the actor reads the host's money. `dropped` are bookings of times to come that do not take place:
    declined, cancelled, displaced or expired."""

    ahead: int
    used: int
    missed: int
    cancelled: int
    minutes: int
    debts: dict[str, Decimal]
    coming: list[Reservation]
    past: list[Reservation]
    dropped: list[Reservation]
    certificates: list[Qualification]
    enrolments: list[Enrolment]
    blocks: list[HostBlock]
    payers: list[Organisation]
    fees: dict[UUID, Fee]


def load_known(actor: Actor, person: User, now: datetime) -> Known:
    """Return what the hosts, or the parts of hosts, that the actor manages know of a person: what they owe,
    and blocks, of whole hosts alone. Ten statements."""
    scope = actor.scope_where("manage-instruments")
    rows = hosted_reservations(actor).filter(user=person)
    is_ahead = Q(state__in=OCCUPYING - {"held"}, end_at__gt=now) | Q(state="in_use")
    is_dropped = Q(state__in=("rejected", "cancelled", "expired", "displaced"), start_at__gt=now)
    counted = rows.order_by().aggregate(
        ahead=Count("pk", is_ahead),
        used=Count("pk", Q(state="completed")),
        missed=Count("pk", Q(state="no_show")),
        cancelled=Count("pk", Q(state="cancelled")),
    )
    length = ExpressionWrapper(F("checked_out_at") - F("checked_in_at"), DurationField())
    sessions = UsageSession.objects.filter(
        in_scope(scope, "reservation__host", "reservation__instrument"),
        reservation__user=person,
        checked_out_at__isnull=False,
    )
    time: timedelta = sessions.aggregate(time=Sum(length))["time"] or timedelta()
    payers = Organisation.objects.filter(pk__in=rows.order_by().values("organisation"))
    payers = payers.exclude(pk__in=scope.hosts)
    enrolments = list(
        enrolments_for(actor)
        .filter(in_scope(scope, *_COURSE), user=person)
        .select_related("session__course", "session__facility", "organisation")
        .order_by("-session__start_at", "-id")[:MOST]
    )
    return Known(
        **counted,
        minutes=int(time.total_seconds() // 60),
        debts=dict(_debts(actor, person)),
        coming=list(rows.filter(is_ahead).order_by("start_at", "id")[:MOST_COMING]),
        past=list(rows.exclude(is_ahead | is_dropped)[:MOST]),
        dropped=list(rows.filter(is_dropped).order_by("start_at", "id")[:MOST]),
        certificates=list(qualifications_for(actor).filter(in_scope(scope, "issuer"), user=person)[:MOST]),
        enrolments=enrolments,
        blocks=list(blocks_of(actor, person)[:MOST]),
        payers=list(payers.order_by("name", "pk")),
        fees=_fees(actor, enrolments),
    )


def _fees(actor: Actor, enrolments: list[Enrolment]) -> dict[UUID, Fee]:
    """Return what places with a price cost at hosts whose money the actor reads; nothing for a place that was
    given up, or not attended. One statement."""
    hosts = actor.organisations_where("read-money")
    priced = [e for e in enrolments if e.price and e.session.course.organisation_id in hosts]
    if not priced:
        return {}
    standing = Charge.objects.filter(enrolment__in=priced, kind__in=ORIGINAL).exclude(state="reversed")
    charges = {charge.enrolment_id: charge for charge in standing.select_related("organisation")}
    fees = {}
    for row in priced:
        if charge := charges.get(row.pk):
            fees[row.pk] = Fee(charge.payable, charge.currency, charge.organisation, charge)
        elif row.state in ("enrolled", "waiting") and row.organisation and row.payable is not None:
            fees[row.pk] = Fee(row.payable, row.currency or "", row.organisation)
    return fees


def blocks_of(actor: Actor, person: User) -> QuerySet[HostBlock]:
    """Return the blocks that the actor's hosts made of a person or of an organisation at whose cost the
    person has booked there, the newest first."""
    payers = hosted_reservations(actor).order_by().filter(user=person).values("organisation")
    return blocks_made(actor).filter(Q(user=person) | Q(organisation__in=payers))


def debts_read(actor: Actor) -> frozenset[UUID]:
    """Return the hosts at which the actor manages instruments and reads the money: whole organisations."""
    return actor.organisations_where("read-money") & actor.organisations_where("manage-instruments")


def _debts(actor: Actor, person: User) -> Iterator[tuple[str, Decimal]]:
    """Yield, by currency, what is payable for a person's bookings and courses at hosts whose money the actor
    reads and was not paid: charges that are open or disputed, and final ones whose statement is not paid in
    full."""
    hosts = debts_read(actor)
    paid = Statement.objects.filter(
        host=OuterRef("host"),
        payer=OuterRef("organisation"),
        month=OuterRef("month"),
        currency=OuterRef("currency"),
        state=Statement.State.PAID,
    )
    rows = Charge.objects.filter(~Exists(paid), ~Q(organisation=F("host")), host__in=hosts)
    theirs = Q(reservation__user=person) | Q(enrolment__user=person)
    sums = rows.filter(theirs).order_by("currency").values_list("currency")
    for currency, amount in sums.annotate(amount=Sum("payable")):
        if amount:
            yield currency, amount
