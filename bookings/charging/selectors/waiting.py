"""Read the charges that wait for a person."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, UUIDField
from django.db.models.functions import Coalesce

from accounts.domain.roles import CAPABILITIES, REACH_ABSORBED, Actor
from accounts.models import RoleGrant
from accounts.selectors.memberships import WHOLE
from bookings.pricing.domain.charges import ORIGINAL
from bookings.pricing.models import Charge, ClosedMonth, Correction
from bookings.pricing.selectors.charges import charges_for


def charges_to_check(actor: Actor, now: datetime) -> QuerySet[Charge]:
    """Return the charges that the actor may still dispute: those of their own bookings and courses, and those
    their organisation pays, but for its own internal ones that it has ticked as checked."""
    ours = Q(organisation__in=actor.organisations_where("manage-charges"))
    return (
        charges_for(actor)
        .filter(
            ours | Q(reservation__user_id=actor.person) | Q(enrolment__user_id=actor.person),
            kind__in=ORIGINAL,
            state=Charge.State.OPEN,
            open_until__gt=now,
        )
        .exclude(host=F("organisation"), checked_at__isnull=False)
    )


def charges_to_answer(actor: Actor, now: datetime) -> QuerySet[Charge]:
    """Return the disputed charges that the actor has to answer for the host, except those with a proposed
    correction, those of the actor's own bookings, and those that the actor disputed."""
    return _hosted(actor).filter(
        ~Exists(Correction.objects.filter(charge=OuterRef("pk"), state="proposed")),
        ~Q(disputes__state="open", disputes__opened_by_id=actor.person),
        state=Charge.State.DISPUTED,
    )


def charges_to_agree(actor: Actor, now: datetime) -> QuerySet[Charge]:
    """Return the charges for which somebody else has proposed a correction that waits for the actor's
    agreement (`side_that_agrees`): as a second person of the host or, where the host has none, as the
    payer."""
    proposed = Correction.objects.filter(charge=OuterRef("pk"), state="proposed")
    waits = Exists(proposed.exclude(proposed_by_id=actor.person))
    seconds = (
        RoleGrant.objects.filter(
            Q(organisation=OuterRef("charge__host"))
            | Q(organisation__absorbed__contains=_array_of("charge__host"), role__in=REACH_ABSORBED),
            WHOLE,
            role__in=CAPABILITIES["manage-charges"],
            revoked_at=None,
            user__is_active=True,
        )
        .exclude(user=OuterRef("proposed_by"))
        .exclude(user=_either("user", "user"))
        .exclude(user=_either("made_by", "asked_by"))
    )
    alone = Exists(proposed.exclude(Exists(seconds)))
    # The payer does not agree to what changes the part that a voucher pays.
    keeps_voucher = Exists(proposed.filter(total=F("payable") + OuterRef("covered")))
    by_payer = Q(alone, keeps_voucher, organisation__in=actor.organisations_where("manage-charges"))
    hosts = actor.organisations_where("manage-charges")
    by_host = Q(~_own(actor), host__in=hosts) & ~Q(alone)
    return charges_for(actor).filter(waits, by_host | by_payer)


def _array_of(path: str) -> Func:
    return Func(OuterRef(path), template="ARRAY[%(expressions)s]", output_field=ArrayField(UUIDField()))


def _either(of_reservation: str, of_enrolment: str) -> Coalesce:
    """Return the person of a correction's booking or, for a course, of the place in it; never NULL, of which
    no comparison is true."""
    return Coalesce(
        OuterRef(f"charge__reservation__{of_reservation}"), OuterRef(f"charge__enrolment__{of_enrolment}")
    )


def _own(actor: Actor) -> Q:
    """Return the condition that a charge is of the actor's own booking or course, or of one they entered."""
    own = Q(reservation__user_id=actor.person) | Q(reservation__made_by_id=actor.person)
    return own | Q(enrolment__user_id=actor.person) | Q(enrolment__asked_by_id=actor.person)


def _hosted(actor: Actor) -> QuerySet[Charge]:
    return charges_for(actor).filter(~_own(actor), host__in=actor.organisations_where("manage-charges"))


def charges_to_bill(actor: Actor, now: datetime) -> QuerySet[Charge]:
    """Return the final charges of hosts whose books the actor keeps, in months that are not closed yet."""
    closed = ClosedMonth.objects.filter(host=OuterRef("host"), month=OuterRef("month"))
    return charges_for(actor).filter(
        ~Exists(closed), host__in=actor.organisations_where("account"), month__isnull=False
    )
