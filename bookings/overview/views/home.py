"""The page after signing in: what comes next, and what needs the reader's attention."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import ADMINISTRATOR, AUDITOR, COORDINATOR, FINANCE, MANAGER, Actor
from accounts.permissions import actor_of
from accounts.selectors.access import load_access_requests
from accounts.selectors.joining import first_step_of, organisations_by_mail, usual_answer
from accounts.selectors.memberships import people_in_conflict
from accounts.selectors.seals import unsealed_since
from accounts.selectors.verification import last_verified
from accounts.selectors.waits import Waiting, kinds, load_work
from accounts.views.pages import reads
from bookings.audit.models import AuditFinding
from bookings.audit.selectors.audit import findings_for
from bookings.availability.selectors.kept_hours import kept_today
from bookings.browsing.selectors.searches import own_searches
from bookings.browsing.views.searches import address_of
from bookings.catalogue.selectors.catalogue import first_day_done
from bookings.funding.selectors.programmes import left_in, open_grants
from bookings.funding.views.programmes import grants_shown
from bookings.operations.services.health import load_standing
from bookings.overview.selectors.home import Today, last_used, load_today
from bookings.overview.selectors.standing import (
    load_accounted,
    load_administered,
    load_audited,
    load_booked,
    load_coordinated,
    load_hosted,
)
from bookings.overview.views.reservations import load_ahead
from bookings.record.domain.periods import Period
from bookings.record.selectors.reservations import own_reservations, requests_to_decide
from bookings.settlement.selectors.papers import load_invoicing
from bookings.settlement.selectors.statements import statements_to_pay
from instruments.managing.selectors.managing import load_first_offer, managed_counts
from instruments.reading.domain.clock import day_span, local_date

# How much of each part is shown; its own page has all of it.
AHEAD = REQUESTS = AGAIN = GRANTS = KEPT = SEARCHES = STATEMENTS = FINDINGS = 5
INSTRUMENTS = 10
ACCESS = 20


@reads
def home(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    """Show one page whose parts depend on the reader's roles, the most urgent first."""
    now, actor = timezone.now(), actor_of(request.user)
    waiting = load_work(actor, now)
    by_kind = {each.what: each for each in waiting}
    manages = bool(actor.scope_where("manage-instruments"))
    works = bool(actor.scope_where("operate-instruments"))
    ahead = load_ahead(actor, now, AHEAD)
    used = last_used(actor, AGAIN)
    books = bool(actor.organisations_where("book")) or bool(ahead or used)
    context: dict[str, Any] = {
        "now": now,
        "today": local_date(ZoneInfo(actor.time_zone), now),
        "urgent": [row for row in ahead if row.is_urgent],  # type: ignore[attr-defined]
        "coming": [row for row in ahead if not row.is_urgent],  # type: ignore[attr-defined]
        "books": books,
        "used": used,
        "manages": manages,
        "works": works,
        "accounts": actor.has(FINANCE),
        "coordinates": actor.has(COORDINATOR),
        "audits": actor.has(AUDITOR),
        "administers": actor.has(ADMINISTRATOR),
        **_first_steps(actor, now, is_new=not (ahead or used)),
    }
    if "access" in by_kind:
        context["access"] = load_access_requests(actor, ACCESS)
    if books:
        context |= _of_booking(actor, now)
    if manages:
        counted = managed_counts(actor, now)
        waiting += _some(**{name: counted[name] for name in ("drafts", "submitted", "stale")})
        context |= _of_managing(actor, now, by_kind.get("requests"))
        if not counted["offered"]:
            context["offer"] = load_first_offer(actor, now)
    if works:
        context["board"] = _of_today(actor, now)
    if actor.has(AUDITOR):
        context |= {
            "verified": last_verified(),
            "unsealed_since": unsealed_since(),
            "findings": _findings(actor),
        }
    if actor.has(FINANCE):
        context["invoicing"] = load_invoicing(actor)
        to_pay = statements_to_pay(actor, now).order_by("due_date", "id")
        context["statements"] = list(to_pay[:STATEMENTS])
    if actor.has(ADMINISTRATOR):
        context["standing"] = load_standing(now)
        context["is_empty"] = not first_day_done(actor.person)["instrument"]
        waiting += _some(conflicts=len(people_in_conflict()))
    context |= _standing(actor, now, context)
    # Requests have parts of their own.
    shown = [each for each in waiting if each.what not in ("requests", "access")]
    context |= {
        "waiting": [each for each in shown if not kinds()[each.what].watched],
        "watched": [each for each in shown if kinds()[each.what].watched],
        "shortcuts": [each for each in SHORTCUTS if actor.has(each.role)],
    }
    match = request.resolver_match
    if status == 400 and match and match.view_name == "accounts:access-decline":
        context["declined"] = match.kwargs["request_id"]  # why not is shown at its reason
    return render(request, "bookings/overview/home.html", context | more, status=status)


def _first_steps(actor: Actor, now: datetime, *, is_new: bool) -> dict[str, Any]:
    """Return the steps to the first booking, for somebody who never booked; empty once they have, or for
    people who are here for something else. At most three statements."""
    first = first_step_of(actor, now)
    is_researcher = bool(actor.grants) and all(g.role == "researcher" for g in actor.grants)
    if not first and not (is_researcher and is_new and not own_reservations(actor).exists()):
        return {}
    steps: dict[str, Any] = {"first": first, "is_led": True}
    if first and first.step == "asked" and first.organisation:
        steps["usually"] = usual_answer(first.organisation)
    if first and first.step in {"join", "declined"}:
        steps["by_mail"] = organisations_by_mail(actor)
    return steps


def _standing(actor: Actor, now: datetime, context: dict[str, Any]) -> dict[str, Any]:
    """Return the figures with which the home page begins: of the instruments that the reader manages, else of
    an administrator, an auditor, a coordinator or finance, by the first of these roles; else of their
    bookings, once they have some. Managers who are finance as well see both."""
    if context.get("board") and actor.organisations_where("manage-instruments"):
        hosted = {"hosted": load_hosted(actor, now, context["today"])}
        if actor.has(FINANCE):  # sees both
            return hosted | {"accounted": load_accounted(actor, now, context["today"])}
        return hosted
    if actor.has(ADMINISTRATOR):
        return {"administered": load_administered(now)}
    if actor.has(AUDITOR):
        return {"audited": load_audited(actor, now)}
    if actor.has(COORDINATOR):
        return {"coordinated": load_coordinated(actor, context["today"])}
    if actor.has(FINANCE):
        return {"accounted": load_accounted(actor, now, context["today"])}
    if context["books"] and not context.get("is_led"):
        return {"booked": load_booked(actor, now, left_in(context["usable"]))}
    return {}


def _of_booking(actor: Actor, now: datetime) -> dict[str, Any]:
    usable = open_grants(actor, now)
    return {
        "kept_hours": kept_today(actor.own_organisations, now)[:KEPT],
        "usable": usable,
        "grants": grants_shown(usable[:GRANTS], now),
        "searches": [(row, address_of(row)) for row in own_searches(actor)[:SEARCHES]],
    }


def _of_managing(actor: Actor, now: datetime, waiting: Waiting | None) -> dict[str, Any]:
    return {
        "requests": list(requests_to_decide(actor, now)[:REQUESTS]) if waiting else [],
        "requests_number": waiting.number if waiting else 0,
    }


def _of_today(actor: Actor, now: datetime) -> list[Today]:
    zone = ZoneInfo(actor.time_zone)
    day = Period(*day_span(zone, local_date(zone, now)))
    return load_today(actor, day, now, INSTRUMENTS)


def _findings(actor: Actor) -> list[AuditFinding]:
    """Return findings that are not closed: those with a reply first, then those due first."""
    rows = findings_for(actor).exclude(state=AuditFinding.State.CLOSED)
    return list(rows.order_by("-state", "due_date", "id")[:FINDINGS])


def _some(**numbers: int) -> Iterator[Waiting]:
    return (Waiting(what, number) for what, number in numbers.items() if number)


@dataclass(frozen=True)
class Shortcut:
    """A page from which people with a role usually start."""

    view: str
    label: str | Promise
    icon: str
    role: str


SHORTCUTS = (
    Shortcut("instruments:instrument-new", _("New instrument"), "plus", MANAGER),
    Shortcut("bookings:board", _("Close an instrument for a time"), "lock", MANAGER),
    Shortcut("accounts:people", _("Invite somebody"), "users", MANAGER),
    Shortcut("bookings:money-charges", _("All charges"), "receipt", FINANCE),
    Shortcut("bookings:money-statements", _("Statements"), "file-text", FINANCE),
    Shortcut("bookings:money-funding", _("Funding"), "coin", FINANCE),
    Shortcut("bookings:money-agreements-new", _("Propose an agreement"), "file-text", COORDINATOR),
    Shortcut("bookings:money-vouchers", _("Vouchers"), "ticket", COORDINATOR),
    Shortcut("bookings:hours", _("Hours"), "chart-bar", COORDINATOR),
    Shortcut("bookings:samples", _("Draw a sample"), "clipboard-list", AUDITOR),
    Shortcut("bookings:trail", _("The trail"), "history", AUDITOR),
    Shortcut("accounts:roles", _("Roles"), "lock", ADMINISTRATOR),
    Shortcut("accounts:providers", _("External sign-in"), "link", ADMINISTRATOR),
)
