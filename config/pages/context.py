"""What every page knows: who reads it, and where they may go."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.domain.roles import Actor
from accounts.permissions import actor_of
from accounts.selectors.installation import installation
from bookings.overview.selectors.home import WATCHED, load_counts
from bookings.overview.selectors.money import KINDS
from bookings.planning.selectors.map import reads_map
from bookings.record.selectors.reservations import own_reservations

# The pages of one booking.
BOOKING = {
    f"bookings:{name}"
    for name in (
        *("reservation", "cancel", "move", "check-in", "check-out", "check-in-code", "questions"),
        *("rate", "rating-answer"),
    )
}
# Pages below the one that the menu names.
PARTS = {
    f"bookings:{page}": part
    for part, pages in {
        "bookings:catalogue": (
            *("instrument", "week", "choose", "book", "quote", "waiting-new"),
            *("searches", "search-change", "techniques", "technique"),
            *("measurands", "measurand", "measurand-new"),
            *("compare", "lists", "list", "list-entry", "map", "at", "fault-new"),
        ),
        "bookings:needs": (
            "need",
            "need-new",
            "need-change",
            "need-correct",
            "need-share",
            "need-withdraw",
            "enquiry-new",
            "batch-accept",
            "batch-give-back",
        ),
        "bookings:reviews": (
            *("review", "review-new", "review-change", "review-act", "review-experts"),
            *("review-decide", "review-appeal", "review-service", "review-pledge"),
            "review-opinion",
        ),
        "bookings:planning-map": (
            *("planning-cell", "plans", "plan", "plan-new", "plan-change", "plan-drop"),
            *("plan-case", "register", "register-decision"),
        ),
        "bookings:enquiries": ("enquiry", "enquiry-accept", "enquiry-close", "bid-decline"),
        "bookings:open-enquiries": ("bids", "enquiry-answer", "bid-amend", "bid-withdraw"),
        "bookings:batches": ("batch", "batch-new"),
        "bookings:mine": (
            *("sample-items", "sample-new", "sample-item", "sample-change", "sample-step"),
            *("sample-join", "sample-photo-new"),
            "calendar",
            "kept-hours",
            "spending",
            "feeds",
            "waiting",
            "waiting-withdraw",
            "waiting-decline",
            *("conversations", "conversation", "conversation-propose", "conversation-write"),
            *("conversation-resolve", "comment-withdraw", "proposal-answer", "questions-owed"),
        ),
        "bookings:board": ("board-events", "board-close", "sample-queue", "sample-steps"),
        "bookings:results": (
            *("result", "result-upload", "result-seal", "result-release", "result-point"),
            *("result-withdraw", "result-file-remove", "result-storage", "result-storage-change"),
        ),
        "bookings:requests": ("decide",),
        "bookings:alarms": ("alarm", "alarm-thresholds"),
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
        "accounts:people": ("member-end", "people-import", "members-import"),
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
        "instruments:manage": (
            *("closures", "closure-end", "closure-delete", "what-if", "labels", "result-terms"),
            *("hosted", "faults", "fault", "fault-dismiss", "kiosks", "kiosk-revoke"),
            *("questionnaires", "answers", "meters", "meter", "reading"),
            *("counters", "counter-done", "counter-retire"),
            *("kept-hours-manage", "kept-hours-change", "kept-hours-end"),
        ),
    }.items()
    for page in pages
}

# Courses as those see them who take part.
TRAINING = {"training", "course", "enrol", "enrol-withdraw"}
PEOPLE = {
    "members", "invite", "invitation-withdraw", "join-decide", "joining", "role-give", "role-take",
    "scopes",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """An entry of the navigation: the first page of a part, its words, who has it, and what is
    counted there (kinds of bookings/overview/selectors/home and money_waiting)."""

    view: str
    label: str | Promise
    is_for: Callable[[Actor], bool]
    counted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Group:
    """Entries that stand together. Where somebody has more than two after the first `keeps`, these
    are in a menu of their own: the navigation of a wide screen stays one row."""

    label: str | Promise
    entries: tuple[Entry, ...]
    keeps: int | None = None


def _signed_in(actor: Actor) -> bool:
    return actor.user_id is not None


def _has(*roles: str) -> Callable[[Actor], bool]:
    return lambda actor: any(actor.has(role) for role in roles)


MONEY = frozenset(KINDS) - WATCHED
# All of the navigation: a new part gets its entry here, and the pages below it in `PARTS`.
MENU = (
    Group(
        gettext_lazy("Find and book"),
        (
            Entry("bookings:home", gettext_lazy("Home"), _signed_in),
            Entry("bookings:catalogue", gettext_lazy("Instruments"), lambda actor: True),
            Entry("bookings:needs", gettext_lazy("Needs"), _signed_in),
            Entry("bookings:enquiries", gettext_lazy("Enquiries"), _signed_in),
            Entry(
                "bookings:mine",
                gettext_lazy("My bookings"),
                _signed_in,
                frozenset({"offers", "places", "conversations", "answers"}),
            ),
            Entry(
                "instruments:training",
                gettext_lazy("Training"),
                _signed_in,
                frozenset({"results"}),
            ),
        ),
    ),
    Group(
        gettext_lazy("Facility"),
        (
            Entry("bookings:board", gettext_lazy("Board"), _has("manager")),
            Entry(
                "bookings:requests",
                gettext_lazy("Requests"),
                _has("manager"),
                frozenset({"requests"}),
            ),
            Entry("bookings:open-enquiries", gettext_lazy("Enquiries to answer"), _has("manager")),
            Entry(
                "instruments:questions",
                gettext_lazy("Questions"),
                _has("manager"),
                frozenset({"questions"}),
            ),
            Entry("bookings:results", gettext_lazy("Results"), _has("manager")),
            Entry("instruments:manage", gettext_lazy("Manage"), _has("manager")),
            Entry(
                "accounts:people",
                pgettext_lazy("organisation", "People"),
                _has("manager"),
                frozenset({"joining"}),
            ),
            Entry(
                "bookings:duplicates",
                gettext_lazy("Duplicates"),
                lambda actor: actor.has("coordinator") and not actor.has("manager"),
            ),
        ),
        keeps=2,
    ),
    Group(
        gettext_lazy("Money and figures"),
        (
            Entry("bookings:money", gettext_lazy("Money"), _signed_in, MONEY),
            Entry("bookings:hours", gettext_lazy("Hours"), lambda actor: True),
            Entry(
                "bookings:audit",
                gettext_lazy("Audit"),
                _has("auditor"),
                frozenset({"exceptions", "replies"}),
            ),
        ),
    ),
    Group(
        gettext_lazy("Planning"),
        (
            Entry("bookings:planning-map", gettext_lazy("Planning"), reads_map),
            Entry(
                "bookings:plans",
                gettext_lazy("Planning"),
                lambda actor: not reads_map(actor) and _has("manager", "finance")(actor),
            ),
            Entry(
                "bookings:register",
                gettext_lazy("Decisions on purchases"),
                lambda actor: not actor.user_id,
            ),
            Entry(
                "bookings:reviews",
                gettext_lazy("Purchase reviews"),
                _has("manager", "coordinator", "auditor", "administrator"),
                frozenset({"reviews", "pledges", "opinions"}),
            ),
            Entry(
                "bookings:alarms",
                gettext_lazy("Alarms"),
                _has("manager", "coordinator", "auditor"),
                frozenset({"alarms"}),
            ),
            Entry("bookings:clusters", gettext_lazy("Clusters of enquiries"), _has("coordinator")),
            Entry("bookings:batches", gettext_lazy("Batches of needs"), _has("coordinator")),
        ),
        keeps=0,
    ),
    Group(
        gettext_lazy("Administration"),
        (
            Entry(
                "accounts:people",
                pgettext_lazy("organisation", "People"),
                lambda actor: not actor.has("manager") and _has("auditor", "administrator")(actor),
                frozenset({"joining"}),
            ),
            Entry(
                "bookings:organisations-all",
                gettext_lazy("Organisations"),
                _has("coordinator", "administrator"),
                frozenset({"organisations"}),
            ),
            Entry("accounts:roles", gettext_lazy("Roles"), _has("administrator")),
            Entry("accounts:providers", gettext_lazy("External sign-in"), _has("administrator")),
            Entry("accounts:installation", gettext_lazy("Installation"), _has("administrator")),
            Entry(
                "bookings:operations", pgettext_lazy("clock", "Operations"), _has("administrator")
            ),
        ),
        keeps=0,
    ),
)
COUNTED = {entry.view for group in MENU for entry in group.entries if entry.counted}


def _version() -> str:
    """Return what a release says of itself; in a checkout what pyproject.toml does."""
    told = settings.ROOT / "VERSION"
    if told.is_file():
        return str(told.read_text("utf-8")).strip()
    project = tomllib.loads((settings.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


VERSION = _version()


def page(request: HttpRequest) -> dict[str, Any]:
    actor = actor_of(getattr(request, "user", None))
    return {
        "actor": actor,
        "now": timezone.now(),
        "reader_zone": timezone.get_current_timezone_name(),
        "installation": installation(),
        "local_mode": settings.LOCAL_MODE,
        "version": VERSION,
        # Parts of a page that htmx asks for have no navigation: nothing is counted for them.
        "menu": SimpleLazyObject(lambda: _menu(request, actor)),
    }


def _menu(request: HttpRequest, actor: Actor) -> dict[str, Any]:
    """Return the groups of which the reader has an entry, with how much waits at each."""
    match = request.resolver_match
    here = match.view_name if match else ""
    part = _part_of(request, actor)
    counts: dict[str, int] = {}
    if actor.user_id:
        # What a page lists is counted as it lists it.
        counts = load_counts(actor, timezone.now(), anew=part in COUNTED)
    groups: list[dict[str, Any]] = []
    for group in MENU:
        items: list[dict[str, Any]] = [
            {
                "url": reverse(entry.view),
                "label": entry.label,
                "count": sum(counts.get(what, 0) for what in entry.counted),
                "is_here": entry.view == part,
                "is_page": entry.view == here,
            }
            for entry in group.entries
            if entry.is_for(actor)
        ]
        keeps = group.keeps if group.keeps is not None else len(items)
        if len(items) <= keeps + 2:
            keeps = len(items)
        more = _("More") if keeps else group.label
        for label, part_items, folds in (
            (group.label, items[:keeps], False),
            (more, items[keeps:], True),
        ):
            if part_items:
                groups.append(
                    {
                        "label": label,
                        "items": part_items,
                        "count": sum(item["count"] for item in part_items),
                        "folds": folds,
                        "is_here": any(item["is_here"] for item in part_items),
                    }
                )
    shown = sum(1 if group["folds"] else len(group["items"]) for group in groups)
    return {"groups": groups, "shown": shown, "is_host": actor.has("manager")}


def _part_of(request: HttpRequest, actor: Actor) -> str:
    """Return the entry of the menu that the page belongs to; empty for none."""
    match = request.resolver_match
    if match is None:
        return ""
    if match.namespace == "instruments" and match.url_name in TRAINING:
        return "instruments:training"
    if match.namespace == "instruments" and match.url_name in {"questions", "question"}:
        return "instruments:questions"
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
    part = PARTS.get(match.view_name, match.view_name)
    if part == "bookings:planning-map" and not reads_map(actor):
        plans = actor.has("manager") or actor.has("finance")
        return "bookings:plans" if plans else "bookings:register"
    is_own = part == "bookings:results" and not actor.has("manager")
    return "bookings:mine" if is_own else part
