"""What every page knows: who reads it, and where they may go."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext

from accounts.domain.roles import Actor
from accounts.permissions import actor_of
from accounts.selectors.installation import installation
from bookings.selectors.reservations import own_reservations, requests_to_decide

# The pages of one booking.
BOOKING = {
    f"bookings:{name}" for name in ("reservation", "cancel", "move", "check-in", "check-out")
}
# Pages below the one that the menu names.
PARTS = {
    f"bookings:{page}": part
    for part, pages in {
        "bookings:catalogue": (
            *("instrument", "week", "choose", "book", "quote", "waiting-new"),
            *("searches", "search-change", "techniques", "technique"),
        ),
        "bookings:mine": (
            "calendar",
            "spending",
            "feeds",
            "waiting",
            "waiting-withdraw",
            "waiting-decline",
        ),
        "bookings:board": ("board-events", "board-close"),
        "bookings:requests": ("decide",),
        "bookings:hours": (
            *("hours-rows", "hours-days", "hours-weeks", "hours-payers", "hours-flows"),
            *("hours-demand", "hours-definitions", "hours-exports"),
        ),
        "bookings:audit": (
            *("exceptions", "exceptions-run", "exception", "exception-decide", "exception-confirm"),
            *("findings", "finding", "finding-reply", "finding-return", "finding-close"),
            *("samples", "sample", "trail", "story", "seals", "seal-now"),
            *("bundle", "bundle-later", "bundle-file", "proof"),
        ),
        "accounts:people": ("member-end",),
        "bookings:organisations-all": (
            *("organisation-new", "organisation", "organisation-change", "organisation-import"),
            *(
                "organisation-requests",
                "organisation-request",
                "regions",
                "regions-import",
                "region-new",
                "region",
            ),
        ),
        "instruments:manage": ("closures", "closure-end", "closure-delete", "what-if"),
    }.items()
    for page in pages
}

# Courses as those see them who take part.
TRAINING = {"training", "course", "enrol", "enrol-withdraw"}
PEOPLE = {
    "members", "invite", "invitation-withdraw", "join-decide", "joining", "role-give", "role-take",
    "roles", "scopes", "providers", "installation",
}  # fmt: skip


def page(request: HttpRequest) -> dict[str, Any]:
    actor = actor_of(getattr(request, "user", None))
    return {
        "actor": actor,
        "now": timezone.now(),
        "reader_zone": timezone.get_current_timezone_name(),
        "installation": installation(),
        "local_mode": settings.LOCAL_MODE,
        "menu": _menu(request, actor),
    }


def _menu(request: HttpRequest, actor: Actor) -> list[dict[str, Any]]:
    """The entries, each with its group; entries of a group stand together."""
    you, facility = gettext("Find and book"), gettext("Facility")
    figures, running = gettext("Money and figures"), gettext("Administration")
    items = [(you, "bookings:catalogue", gettext("Instruments"), 0)]
    if actor.user_id:
        items.append((you, "bookings:mine", gettext("My bookings"), 0))
        # Managers have no room for it beside theirs: it is in the menu of the person, too.
        if not actor.has("manager"):
            items.append((you, "instruments:training", gettext("Training"), 0))
    if actor.has("manager"):
        items.append((facility, "bookings:board", gettext("Board"), 0))
        waiting = requests_to_decide(actor, timezone.now()).count()
        items.append((facility, "bookings:requests", gettext("Requests"), waiting))
        items.append((facility, "instruments:manage", gettext("Manage"), 0))
    elif actor.has("coordinator"):
        items.append((facility, "bookings:duplicates", gettext("Duplicates"), 0))
    if actor.user_id:
        items.append((figures, "bookings:money", gettext("Money"), 0))
    items.append((figures, "bookings:hours", gettext("Hours"), 0))
    if actor.has("auditor"):
        items.append((figures, "bookings:audit", gettext("Audit"), 0))
    if any(actor.has(role) for role in ("manager", "auditor", "administrator")):
        items.append((running, "accounts:people", pgettext("organisation", "People"), 0))
    if actor.has("coordinator") or actor.has("administrator"):
        register = gettext("Organisations")
        items.append((running, "bookings:organisations-all", register, 0))
    if actor.has("administrator"):
        items.append((running, "bookings:operations", pgettext("clock", "Operations"), 0))
    match = request.resolver_match
    here = match.view_name if match else ""
    part = _part_of(request, actor)
    return [
        {
            "group": group,
            "url": reverse(name),
            "label": label,
            "count": count,
            "is_here": name == part,
            "is_page": name == here,
        }
        for group, name, label, count in items
    ]


def _part_of(request: HttpRequest, actor: Actor) -> str:
    """The entry of the menu that the page belongs to; empty for none."""
    match = request.resolver_match
    if match is None:
        return ""
    if match.namespace == "instruments" and match.url_name in TRAINING:
        return "instruments:training"
    if match.namespace == "instruments" and match.url_name != "qualifications":
        return "instruments:manage"
    if match.view_name.startswith("bookings:webhook"):
        return "instruments:manage" if actor.has("manager") else "accounts:people"
    if match.view_name in {"bookings:duplicates", "bookings:duplicates-decide"}:
        return "instruments:manage" if actor.has("manager") else "bookings:duplicates"
    if match.view_name.startswith("bookings:money"):
        return "bookings:money"
    if match.namespace == "accounts" and match.url_name in PEOPLE:
        return "accounts:people"
    if match.view_name in BOOKING and actor.user_id:
        # Others' bookings belong to no entry.
        own = own_reservations(actor).filter(pk=match.kwargs["reservation_id"])
        return "bookings:mine" if own.exists() else ""
    return PARTS.get(match.view_name, match.view_name)
