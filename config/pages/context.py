"""Add the reader and their navigation to the context of every page."""

from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts.areas import areas, computed
from accounts.domain.roles import Actor
from accounts.menu import GROUPS, Below, MenuEntry
from accounts.permissions import actor_of
from accounts.selectors.announcements import announcements_shown
from accounts.selectors.installation import installation, maintenance_now
from accounts.selectors.waits import kinds_at, load_counts


@computed
def menu_entries() -> tuple[MenuEntry, ...]:
    """Return the entries of all areas in the order of the navigation."""
    named = (entry for area in areas() for entry in area.menu)
    return tuple(sorted(named, key=lambda entry: (GROUPS.index(entry.group), entry.rank)))


@computed
def _places() -> dict[str, list[Below]]:
    """Return, for the name of each page or a pattern of names, the navigation entries that it belongs to."""
    places = {entry.view: [Below(entry.view, entry.view)] for entry in menu_entries()}
    for area in areas():
        namespace = area.package.partition(".")[0]
        for below in area.below:
            for page in below.pages.split():
                places.setdefault(page if ":" in page else f"{namespace}:{page}", []).append(below)
    return places


def part_of(view: str, values: Mapping[str, Any], actor: Actor) -> str:
    """Return the entry of the actor's navigation that a page belongs to; empty if there is none. An exact
    name takes precedence over patterns."""
    places = _places()
    alike = [below for name, found in places.items() if fnmatchcase(view, name) for below in found]
    for named in (places.get(view, []), alike):
        above = {below.entry: below for below in named}
        for entry in reversed(menu_entries()):
            below = above.get(entry.view)
            if below and entry.is_for(actor) and (not below.where or below.where(actor, values)):
                return entry.view
    return ""


def page(request: HttpRequest) -> dict[str, Any]:
    actor = actor_of(getattr(request, "user", None))
    now = timezone.now()
    return {
        "actor": actor,
        "now": now,
        "reader_zone": str(timezone.get_current_timezone()),  # a name that ZoneInfo knows
        # A form's answer cannot be asked for once more.
        "asks_zone": not actor.user_id and request.method == "GET",
        "installation": installation(),
        "local_mode": settings.LOCAL_MODE,
        "platform_version": settings.VERSION,
        # Only whole pages show them.
        "bars": SimpleLazyObject(lambda: _bars(request, actor, now)),
        # Parts of a page that htmx asks for have no navigation: nothing is counted for them.
        "menu": SimpleLazyObject(lambda: _menu(request, actor)),
    }


def _bars(request: HttpRequest, actor: Actor, now: datetime) -> dict[str, Any]:
    """Return the maintenance that holds, and the announcements for the reader that they have not closed in
    this browser. A cookie remembers those, each with its version and the end of the reader's id."""
    closed = request.COOKIES.get("closed", "").split(".")
    reader = actor.user_id.hex[-8:] if actor.user_id else "0"
    keyed = [(f"{one.id.hex[-12:]}-{one.version}-{reader}", one) for one in announcements_shown(actor, now)]
    return {
        "maintenance": maintenance_now(now),
        "announcements": [(key, one) for key, one in keyed if key not in closed],
    }


def _menu(request: HttpRequest, actor: Actor) -> dict[str, Any]:
    """Return the navigation groups in which the reader has an entry, with how much waits at each."""
    match = request.resolver_match
    here = match.view_name if match else ""
    part = part_of(here, match.kwargs, actor) if match else ""
    counts: dict[str, int] = {}
    if actor.user_id:
        # What a page lists is counted as it lists it; the home page has just counted everything.
        anew = {kind.what for kind in kinds_at(part) if here == kind.page != "bookings:home"}
        counts = load_counts(actor, timezone.now(), anew)
    groups = [
        {
            "label": group.label,
            "items": [
                {
                    "url": reverse(entry.view),
                    "label": entry.label,
                    "icon": entry.icon,
                    "count": sum(counts.get(kind.what, 0) for kind in kinds_at(entry.view)),
                    "is_here": entry.view == part,
                    "is_page": entry.view == here,
                }
                for entry in menu_entries()
                if entry.group is group and entry.is_for(actor)
            ],
        }
        for group in GROUPS
    ]
    return {"groups": [group for group in groups if group["items"]]}
