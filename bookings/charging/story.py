"""The demonstration's work for a second approver of the host: a charge that its payer disputes, and a
correction that the manager has proposed."""

from datetime import timedelta
from decimal import Decimal

from django.db.models import QuerySet

from accounts.domain.roles import By
from bookings.charging.domain.corrections import Amendment
from bookings.charging.services.corrections import correction_propose
from bookings.charging.services.disputes import dispute_open
from bookings.pricing.models import Charge
from bookings.world import World

HOUR = timedelta(hours=1)
MANAGER, PAYER = "manager@demo.test", "finance@demo.test"


def begin(world: World) -> str:
    """Dispute a charge of the payer, and propose to correct another."""
    manager, payer, now = world.places.people[MANAGER], world.places.people[PAYER], world.now
    rows = (
        Charge.objects.filter(
            kind="use", reservation__host=manager.organisation, reservation__organisation=payer.organisation
        )
        .exclude(reservation__user__in=[manager.user, payer.user])
        .order_by("-created_at", "pk")
    )
    count = _dispute(rows, By(payer.actor, now - 9 * HOUR)) + _correct(
        rows, By(manager.actor, now - 5 * HOUR)
    )
    return f"{count} charges that wait for a second person"


def _dispute(rows: "QuerySet[Charge]", by: By) -> int:
    row = rows.filter(state="open", created_at__lt=by.now, open_until__gt=by.now).first()
    if row is None:
        return 0
    text = "上机记录为三小时，账单为四小时。 / The log of the instrument says an hour less."
    dispute_open(by, charge_id=row.pk, reason=text)
    return 1


def _correct(rows: "QuerySet[Charge]", by: By) -> int:
    row = rows.filter(state="final", created_at__lt=by.now).first()
    if row is None:
        return 0
    correction_propose(
        by,
        charge_id=row.pk,
        amendment=Amendment(waive_percent=Decimal(25)),
        reason="束流不稳，前半小时无法使用。 / The beam was unstable for the first half hour.",
    )
    return 1
