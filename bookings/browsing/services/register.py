"""Update what stores names, codes and holidays of organisations and regions when these change."""

from datetime import datetime
from uuid import UUID

from accounts.models import OutboxMessage
from bookings.browsing.services.searches import searches_follow
from instruments.opening.services.opening import holidays_follow
from instruments.search.services.search import register_refile


def register_follow(row: OutboxMessage, *, now: datetime) -> str:
    """Index again what is found by the name or code of a changed organisation or region, and update saved
    searches and opening hours. Return `done`."""
    payload = row.payload
    old, new = payload["code"]
    if "organisation" in payload:
        register_refile(organisation_id=UUID(payload["organisation"]))
        searches_follow(facet="host", old=old, new=new)
        return "done"
    region_id, changed = UUID(payload["region"]), payload["changed"]
    if {"code", "parent"} & set(changed):
        register_refile(region_id=region_id)
        searches_follow(facet="region", old=old, new=new)
    if "holiday_calendar" in changed:
        holidays_follow(region_id=region_id, now=now)
    return "done"
