"""Funding sources: what they have left, what was charged to them, and what finance says of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.errors import Invalid, NotPermitted, Refused, WrongState, WrongVersion
from accounts.domain.roles import Actor, By
from accounts.models import Organisation
from accounts.permissions import actor_of, require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisations
from bookings.funding.domain.funding_sources import SourceTerms
from bookings.funding.forms.funding import SourceForm, SuspendForm, source_initial
from bookings.funding.models import FundingSource
from bookings.funding.selectors.funding_sources import (
    entries_of,
    is_used,
    oversees,
    source_by_id,
    sources_for,
    sources_nearly_used,
    state_of,
    terms_given,
)
from bookings.funding.selectors.spending import load_spending
from bookings.funding.services.funding import (
    source_change,
    source_create,
    source_resume,
    source_suspend,
)
from bookings.record.selectors.reservations import shown
from bookings.record.views.lists import waits_of
from instruments.domain.opening import local_date

PAGE = 50
LABELS = {
    "valid": _("valid"),
    "coming": _("not valid yet"),
    "ended": _("ended"),
    "suspended": _("suspended"),
}
# The badge of each.
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
        """What use has cost beyond the budget, if it has."""
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


@login_required
@require_safe
def sources(request: HttpRequest) -> HttpResponse:
    """Those one may charge or looks after, and what one's own bookings cost."""
    now, actor = timezone.now(), actor_of(request.user)
    waits = waits_of(request, "sources")
    rows = sources_nearly_used(actor, now) if waits else sources_for(actor)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "waits": waits,
        "sources": [_shown(actor, row, now) for row in page.object_list],
        "several": len({row.organisation_id for row in page.object_list}) > 1,
        "may_add": bool(actor.organisations_where("account")),
        "spending": load_spending(actor.person, ZoneInfo(actor.time_zone), now),
    }
    return render(request, "bookings/funding/funding.html", context)


@login_required
@require_safe
def source(request: HttpRequest, source_id: UUID) -> HttpResponse:
    return _page(request, source_id)


def _page(request: HttpRequest, source_id: UUID, *, status: int = 200, **more: Any) -> HttpResponse:
    """One source with the bookings that are charged to it."""
    now, actor = timezone.now(), actor_of(request.user)
    row = source_by_id(actor, source_id)
    page = Paginator(entries_of(actor, row), PAGE).get_page(request.GET.get("page"))
    for entry in page.object_list:
        shown(entry.reservation, now)
    context = {
        "source": _shown(actor, row, now),
        "page": page,
        "sees_all": oversees(actor, row),
        "form": SuspendForm(initial={"version": row.version}),
        **more,
    }
    return render(request, "bookings/funding/funding_source.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form for a new source; POST makes it."""
    now, actor = timezone.now(), actor_of(request.user)
    own = actor.organisations_where("account")
    mine = list(organisations().filter(pk__in=own, closed_at=None))
    if not mine:
        raise NotPermitted(capability="account")
    first = mine[0]
    form = SourceForm(
        request.POST if request.method == "POST" else None,
        organisations=[(each.code, each.name) for each in mine],
        initial={
            "organisation": first.code,
            "currency": first.region.currency,
            "valid_from": local_date(ZoneInfo(first.region.time_zone), now),
        },
    )
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        organisation = _named(mine, data["organisation"])
        try:
            made = source_create(
                By(actor, now),
                organisation=organisation,
                code=data["code"].strip(),
                terms=SourceTerms(**terms_given(form.given(), organisation)),
            )
        except Invalid as refused:
            form.refuse(refused.problems)
        else:
            messages.success(request, gettext("The source can be charged from now on."))
            return redirect("bookings:money-funding-source", source_id=made.pk)
    context = {"form": form, "source": None}
    status = 400 if form.errors else 200
    return render(request, "bookings/funding/funding_form.html", context, status=status)


def _named(mine: Iterable[Organisation], code: str) -> Organisation:
    return next(each for each in mine if each.code == code)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """What finance says of a source; POST changes it."""
    now, actor = timezone.now(), actor_of(request.user)
    row = source_by_id(actor, source_id)
    require(actor, "account", place_of(row.organisation))
    form = SourceForm(
        request.POST if request.method == "POST" else None,
        is_used=is_used(row),
        initial=source_initial(row),
    )
    refused: Refused | None = None
    status = 200
    if form.is_bound and form.is_valid():
        try:
            source_change(
                By(actor, now, form.cleaned_data["version"]),
                source_id=row.pk,
                changes=_changes(form, row),
            )
        except Invalid as problem:
            form.refuse(problem.problems)
        except WrongVersion as problem:
            refused, status = problem, 412
        else:
            messages.success(request, gettext("Saved."))
            return redirect("bookings:money-funding-source", source_id=row.pk)
    if form.errors:
        status = 400
    context = {"form": form, "source": _shown(actor, row, now), "refused": refused}
    return render(request, "bookings/funding/funding_form.html", context, status=status)


def _changes(form: SourceForm, row: FundingSource) -> dict[str, Any]:
    """People who were named already stay so, members or not."""
    given, known = form.given(), {row.owner.email.lower(): row.owner_id}
    known |= {user.email.lower(): user.pk for user in row.users.all()}
    kept = frozenset(known[name.lower()] for name in given["users"] if name.lower() in known)
    given["users"] = [name for name in given["users"] if name.lower() not in known]
    owner = known.get(given["owner"].strip().lower())
    if owner is not None:
        del given["owner"]
    changes = terms_given(given, row.organisation)
    if owner is not None:
        changes["owner"] = owner
    return changes | {"users": changes["users"] | kept}


@login_required
@require_POST
def suspend(request: HttpRequest, source_id: UUID) -> HttpResponse:
    done = gettext("Suspended: nothing new is charged to it until it is resumed.")
    return _decided(request, source_id, source_suspend, done)


@login_required
@require_POST
def resume(request: HttpRequest, source_id: UUID) -> HttpResponse:
    return _decided(request, source_id, source_resume, gettext("It can be charged again."))


def _decided(request: HttpRequest, source_id: UUID, act: Any, done: str) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    form, refused, status = SuspendForm(request.POST), None, 400
    if form.is_valid():
        data = form.cleaned_data
        try:
            act(By(actor, now, data["version"]), source_id=source_id, reason=data["reason"])
        except Invalid as problem:
            form.refuse(problem.problems)
        except (WrongState, WrongVersion) as problem:
            refused, status = problem, 412 if isinstance(problem, WrongVersion) else 409
        else:
            messages.success(request, done)
            return redirect("bookings:money-funding-source", source_id=source_id)
    return _page(request, source_id, status=status, form=form, refused=refused)


def _shown(actor: Actor, row: FundingSource, now: datetime) -> Shown:
    may_account = actor.may("account", place_of(row.organisation))
    return Shown(row, state_of(row, now), row.left, may_account)
