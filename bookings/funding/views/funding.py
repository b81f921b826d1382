"""Pages of funding sources: what they have left, what was charged to them, and their terms."""

from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import By
from accounts.forms import known_to, person_choice
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisations
from accounts.views.pages import act, by_of, edits, reads
from accounts.views.pages import shown as page_shown
from bookings.funding.domain.funding_sources import SourceTerms
from bookings.funding.forms.funding import DefaultPeopleForm, SourceForm, SuspendForm, source_initial
from bookings.funding.models import FundingSource
from bookings.funding.selectors import funding_sources
from bookings.funding.selectors.defaults import people_by_default
from bookings.funding.selectors.spending import load_spending
from bookings.funding.services.funding import source_change, source_create
from bookings.record.selectors.reservations import shown
from bookings.record.views.lists import ListPage, amount_cell, csv_answer, wants_csv
from instruments.reading.domain.clock import local_date

PAGE = 50
MOST_SPENT = 60  # lines by month and person; the file has all
FORM = "bookings/funding/funding_form.html"
LABELS = {"valid": _("valid"), "coming": _("not valid yet"), "ended": _("ended"), "suspended": _("suspended")}
# The badge of each state.
BADGES = {"valid": "confirmed", "coming": "held", "ended": "expired", "suspended": "suspended"}


@dataclass(frozen=True)
class Shown:
    """A source as the pages show it: `spent` and `held` as hundredths of its budget, for a bar."""

    row: FundingSource
    state: str
    left: Decimal | None
    may_account: bool

    @property
    def label(self) -> Any:
        return LABELS[self.state]

    @property
    def badge(self) -> str:
        return BADGES[self.state]

    @property
    def overrun(self) -> Decimal | None:
        """Return the amount by which use has exceeded the budget; None if it has not."""
        return -self.left if self.left is not None and self.left < 0 else None

    @property
    def spent_share(self) -> str:
        return self._share(self.row.spent)

    @property
    def held_share(self) -> str:
        return self._share(self.row.held)

    def _share(self, amount: Decimal) -> str:
        budget = self.row.budget
        whole = max(budget or Decimal(0), self.row.spent + self.row.held)
        return f"{amount / whole * 100:.2f}" if budget is not None and whole else "0"


def _shown(row: FundingSource, by: By) -> Shown:
    may_account = by.actor.may("account", place_of(row.organisation))
    return Shown(row, funding_sources.state_of(row, by.now), row.left, may_account)


LIST = ListPage("bookings/funding/funding.html", funding_sources.SOURCES, shown=_shown, size=PAGE)


@reads
def sources(request: HttpRequest) -> HttpResponseBase:
    """List the sources that the reader may charge or looks after, and what their own bookings cost."""
    by = by_of(request)
    return LIST.answer(
        request,
        by,
        may_add=bool(by.actor.organisations_where("account")),
        spending=load_spending(by.actor.person, ZoneInfo(by.actor.time_zone), by.now),
    )


SPENT_HEADS = ("source", "month", "person", "currency", "spent")


@reads
def source(request: HttpRequest, source_id: UUID, *, status: int = 200, **more: Any) -> HttpResponseBase:
    """Show one source with the bookings that are charged to it, and what it spent by month and person, also
    as a file."""
    by = by_of(request)
    row = funding_sources.source_by_id(by.actor, source_id)
    spent = funding_sources.load_spent_by(by.actor, row)
    if wants_csv(request):
        cells = (
            (row.code, f"{one.month:%Y-%m}", one.name, row.currency, amount_cell(one.spent, row.currency))
            for one in spent
        )
        return csv_answer(request, "funding-spent", SPENT_HEADS, cells)
    page = Paginator(funding_sources.entries_of(by.actor, row), PAGE).get_page(request.GET.get("page"))
    for entry in page.object_list:
        if entry.reservation:
            shown(entry.reservation, by.now)
    defaults = people_by_default(by.actor, row)
    given = [person_choice(each.user) for each in defaults if not each.is_own]
    default_form = DefaultPeopleForm(initial={"people": given, "version": row.version})
    known_to(default_form, by.actor)
    context = {
        "source": _shown(row, by),
        "page": page,
        "sees_all": funding_sources.oversees(by.actor, row),
        "spent": spent[:MOST_SPENT],
        "more_spent": len(spent) > MOST_SPENT,
        "form": SuspendForm(initial={"version": row.version}),
        "defaults": defaults,
        "default_form": default_form,
        "gives_default": by.actor.user_id == row.owner_id
        or by.actor.may("account", place_of(row.organisation)),
        **more,
    }
    return render(request, "bookings/funding/funding_source.html", context, status=status)


def _address(source_id: UUID) -> str:
    return reverse("bookings:money-funding-source", args=[source_id])


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Create a source."""
    by = by_of(request)
    accounted = by.actor.organisations_where("account")
    mine = {row.code: row for row in organisations().filter(pk__in=accounted, closed_at=None)}
    if not mine:
        raise NotPermitted(capability="account")
    first = next(iter(mine.values()))
    form = SourceForm(
        request.POST if request.method == "POST" else None,
        actor=by.actor,
        organisations=[(code, row.name) for code, row in mine.items()],
        initial={
            "organisation": first.code,
            "currency": first.region.currency,
            "valid_from": local_date(ZoneInfo(first.region.time_zone), by.now),
        },
    )

    def create(by: By, data: dict[str, Any]) -> FundingSource:
        organisation = mine[data["organisation"]]
        terms = SourceTerms(**funding_sources.terms_given(form.given(), organisation))
        code = data["code"].strip()
        return source_create(by, organisation=organisation, code=code, terms=terms)

    return act(
        request,
        partial(page_shown, request, FORM),
        create,
        to=lambda created: _address(created.pk),
        done=gettext("The source can be charged from now on."),
        form=form,
    )


@edits
def change(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Change the terms of a source."""
    by = by_of(request)
    row = funding_sources.source_by_id(by.actor, source_id)
    require(by.actor, "account", place_of(row.organisation))
    form = SourceForm(
        request.POST if request.method == "POST" else None,
        actor=by.actor,
        is_used=funding_sources.is_used(row),
        initial=source_initial(row),
    )
    return act(
        request,
        partial(page_shown, request, FORM, source=_shown(row, by)),
        lambda by, _: source_change(by, source_id=row.pk, changes=_changes(form, row)),
        to=_address(row.pk),
        done=gettext("Saved."),
        form=form,
    )


def _changes(form: SourceForm, row: FundingSource) -> dict[str, Any]:
    """Return the changes that the form makes; people who were named already stay named, members or not."""
    given, known = form.given(), {row.owner.email.lower(): row.owner_id}
    known |= {user.email.lower(): user.pk for user in row.users.all()}
    kept = frozenset(known[name.lower()] for name in given["users"] if name.lower() in known)
    given["users"] = [name for name in given["users"] if name.lower() not in known]
    owner = known.get(given["owner"].strip().lower())
    if owner is not None:
        del given["owner"]
    changes = funding_sources.terms_given(given, row.organisation)
    if owner is not None:
        changes["owner"] = owner
    return changes | {"users": changes["users"] | kept}
