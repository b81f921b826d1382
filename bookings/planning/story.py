"""Tell the part of the demonstration in which organisations plan to buy instruments."""

from datetime import timedelta
from decimal import Decimal

from accounts.domain.roles import By
from bookings.planning.services.plans import PlanValues, plan_drop, plan_make
from bookings.world import World, lines_of

DAY = timedelta(days=1)


def tell(world: World) -> str:
    """Enter planned purchases; some of them were dropped a day ago."""
    places, now = world.places, world.now
    rows = lines_of(__file__)["plans"]
    for row in rows:
        actor = places.people[row["person"]].actor
        values = PlanValues(
            technique=row["technique"],
            name=row["name"],
            year=now.year + row["after"],
            quarter=row.get("quarter"),
            price=Decimal(row["price"]),
            hours=row["hours"],
            place=row.get("place", ""),
            confidence=row["confidence"],
        )
        made = By(actor, now - row["days"] * DAY)
        plan = plan_make(made, organisation=row["organisation"], values=values)
        if reason := row.get("dropped"):
            plan_drop(By(actor, now - DAY), plan_id=plan.pk, reason=reason)
    return f"{len(rows)} planned purchases"
