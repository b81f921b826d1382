"""Load what a host knows of a person: bookings, certificates, course sessions, what they owe, blocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Sum

from accounts.domain.roles import Actor
from accounts.models import Membership, Organisation, User
from accounts.selectors.rows import visible
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


def person_met(actor: Actor, person_id: UUID) -> User:
    """Return a person who has booked, learnt or been certified at a host that the actor manages, or is a
    member of it; `NotFound` for anybody else. `has_come`: whether they have booked or learnt there or are a
    member, so that the host knows their mail address; anybody can be certified or blocked by their id."""
    hosts = actor.organisations_where("manage-instruments")
    mine = {"user": OuterRef("pk")}
    has_come = (
        Exists(hosted_reservations(actor).order_by().filter(**mine))
        | Exists(Enrolment.objects.filter(session__course__organisation__in=hosts, **mine))
        | Exists(Membership.objects.filter(organisation__in=hosts, ended_at=None, **mine))
    )
    met = (
        Q(has_come=True)
        | Exists(Qualification.objects.filter(issuer__in=hosts, **mine))
        | Exists(HostBlock.objects.filter(host__in=hosts, **mine))
    )
    return visible(User.objects.annotate(has_come=has_come).filter(met), pk=person_id)


@dataclass(frozen=True)
class Known:
    """The knowledge that the hosts of an actor have of a person: numbers of bookings by fate and the time
    used, what is not paid by currency, and the latest rows of each kind."""

    ahead: int
    used: int
    missed: int
    cancelled: int
    minutes: int
    debts: dict[str, Decimal]
    coming: list[Reservation]
    past: list[Reservation]
    certificates: list[Qualification]
    enrolments: list[Enrolment]
    blocks: list[HostBlock]
    payers: list[Organisation]


def load_known(actor: Actor, person: User, now: datetime) -> Known:
    """Return what the hosts that the actor manages know of a person. Nine statements."""
    hosts = actor.organisations_where("manage-instruments")
    rows = hosted_reservations(actor).filter(user=person)
    is_ahead = Q(state__in=OCCUPYING - {"held"}, end_at__gt=now) | Q(state="in_use")
    counted = rows.order_by().aggregate(
        ahead=Count("pk", is_ahead),
        used=Count("pk", Q(state="completed")),
        missed=Count("pk", Q(state="no_show")),
        cancelled=Count("pk", Q(state="cancelled")),
    )
    length = ExpressionWrapper(F("checked_out_at") - F("checked_in_at"), DurationField())
    sessions = UsageSession.objects.filter(
        reservation__user=person, reservation__host__in=hosts, checked_out_at__isnull=False
    )
    time: timedelta = sessions.aggregate(time=Sum(length))["time"] or timedelta()
    payers = Organisation.objects.filter(pk__in=rows.order_by().values("organisation")).exclude(pk__in=hosts)
    managed = {"user": person, "session__course__organisation__in": hosts}
    return Known(
        **counted,
        minutes=int(time.total_seconds() // 60),
        debts=dict(_debts(actor, person)),
        coming=list(rows.filter(is_ahead).order_by("start_at", "id")[:MOST]),
        past=list(rows.exclude(is_ahead)[:MOST]),
        certificates=list(qualifications_for(actor).filter(user=person, issuer__in=hosts)[:MOST]),
        enrolments=list(
            enrolments_for(actor)
            .filter(**managed)
            .select_related("session__course", "session__facility")
            .order_by("-session__start_at", "-id")[:MOST]
        ),
        blocks=list(blocks_of(actor, person)[:MOST]),
        payers=list(payers.order_by("name", "pk")),
    )


def blocks_of(actor: Actor, person: User) -> QuerySet[HostBlock]:
    """Return the blocks that the actor's hosts made of a person or of an organisation at whose cost the
    person has booked there, the newest first."""
    payers = hosted_reservations(actor).order_by().filter(user=person).values("organisation")
    return blocks_made(actor).filter(Q(user=person) | Q(organisation__in=payers))


def _debts(actor: Actor, person: User) -> Iterator[tuple[str, Decimal]]:
    """Yield, by currency, what is payable for a person's bookings at hosts whose money the actor reads and
    was not paid: charges that are open or disputed, and final ones whose statement is not paid in full."""
    hosts = actor.organisations_where("read-money") & actor.organisations_where("manage-instruments")
    paid = Statement.objects.filter(
        host=OuterRef("host"),
        payer=OuterRef("organisation"),
        month=OuterRef("month"),
        currency=OuterRef("currency"),
        state=Statement.State.PAID,
    )
    rows = Charge.objects.filter(~Exists(paid), ~Q(organisation=F("host")), host__in=hosts)
    sums = rows.filter(reservation__user=person).order_by("currency").values_list("currency")
    for currency, amount in sums.annotate(amount=Sum("payable")):
        if amount:
            yield currency, amount
