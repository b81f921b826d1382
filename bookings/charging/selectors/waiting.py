"""Read the charges that wait for a person."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.domain.roles import Actor
from bookings.pricing.domain.charges import ORIGINAL
from bookings.pricing.models import Charge, ClosedMonth, Correction
from bookings.pricing.selectors.charges import charges_for


def charges_to_check(actor: Actor, now: datetime) -> QuerySet[Charge]:
    """Return the charges that the actor may still dispute: those of their own bookings, and those their
    organisation pays."""
    ours = Q(organisation__in=actor.organisations_where("manage-charges"))
    return charges_for(actor).filter(
        ours | Q(reservation__user_id=actor.person),
        kind__in=ORIGINAL,
        state=Charge.State.OPEN,
        open_until__gt=now,
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
    """Return the charges for which another person of the host has proposed a correction that waits for the
    actor's agreement."""
    proposed = Correction.objects.filter(charge=OuterRef("pk"), state="proposed")
    return _hosted(actor).filter(Exists(proposed.exclude(proposed_by_id=actor.person)))


def _hosted(actor: Actor) -> QuerySet[Charge]:
    own = Q(reservation__user_id=actor.person) | Q(reservation__made_by_id=actor.person)
    return charges_for(actor).filter(~own, host__in=actor.organisations_where("manage-charges"))


def charges_to_bill(actor: Actor, now: datetime) -> QuerySet[Charge]:
    """Return the final charges of hosts whose books the actor keeps, in months that are not closed yet."""
    closed = ClosedMonth.objects.filter(host=OuterRef("host"), month=OuterRef("month"))
    return charges_for(actor).filter(
        ~Exists(closed), host__in=actor.organisations_where("account"), month__isnull=False
    )
