"""What organisations plan to buy."""

from datetime import datetime, timedelta
from decimal import Decimal

from accounts.domain.roles import By
from bookings.demo.services.files import load
from bookings.demo.services.places import Places
from bookings.planning.services.plans import PlanValues, plan_drop, plan_make

DAY = timedelta(days=1)


def plans_make(places: Places, now: datetime) -> int:
    """How many there are; some are dropped a day ago."""
    rows = load("purchases")["plans"]
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
    return len(rows)
