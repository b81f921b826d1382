"""The register of organisations: the list, a record, entering and changing one."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import WrongState
from accounts.domain.invoice_details import BANK
from accounts.domain.organisations import PAPER
from accounts.domain.roles import CAPABILITIES
from accounts.models import Organisation, Region
from accounts.permissions import actor_of, require, require_somewhere
from accounts.selectors import organisations
from accounts.selectors.memberships import has_manager, place_of
from accounts.selectors.organisations import may_set_invoice_details
from accounts.services.organisations import organisation_change, organisation_create
from accounts.views.pages import act, chooses, edits, reads, shown
from bookings.charging.selectors.stories import StoryEntry, story_of
from bookings.organisations.adapters.register_files import organisations_csv
from bookings.organisations.forms.organisations import OrganisationFilterForm, OrganisationForm, RorForm
from bookings.record.views.lists import wants_csv

PAGE = 50
MANAGING = CAPABILITIES["manage-organisations"]


def tabs_of(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the tabs of the register's pages."""
    here = request.resolver_match.view_name if request.resolver_match else ""
    return [
        {"url": reverse(name), "label": label, "is_here": name == here}
        for name, label in (
            ("bookings:organisations-all", gettext("Organisations")),
            ("bookings:regions", gettext("Regions")),
            ("bookings:organisation-requests", gettext("Missing organisations")),
        )
    ]


def story_rows(steps: list[StoryEntry], form: type[Form]) -> list[dict[str, Any]]:
    """Return the history of a record, the newest first, with the changes in the words of its form."""
    labels = {name: field.label for name, field in form.base_fields.items()}
    ids = {
        str(value)
        for step in steps
        for values in (step.entry.before, step.entry.after)
        for name, value in values.items()
        if name in {"parent", "region"} and value
    }
    places = {str(pk): row for pk, row in Region.objects.in_bulk(list(ids)).items()}
    kinds = dict(Organisation.Kind.choices)

    def in_words(name: str, value: Any) -> Any:
        if name in {"parent", "region"}:
            return places.get(str(value), "")
        if isinstance(value, bool):
            return gettext("yes") if value else gettext("no")
        return kinds.get(value, value) if name == "kind" else value

    return [
        {
            "step": step,
            "is_new": not step.entry.before,
            "changes": [
                (labels[name], in_words(name, step.entry.before.get(name)), in_words(name, value))
                for name, value in step.entry.after.items()
                if name in labels
            ],
        }
        for step in reversed(steps)
    ]


@reads
def listed(request: HttpRequest) -> HttpResponse:
    """List all organisations, for coordinators and administrators; also as a file that can be imported
    again."""
    actor = actor_of(request.user)
    require_somewhere(actor, "manage-organisations")
    form = OrganisationFilterForm(request.GET, regions=organisations.regions().order_by("name", "code"))
    criteria = form.criteria()
    rows = organisations.organisations_listed(**criteria)
    if wants_csv(request):
        with transaction.atomic():  # keeps the cursor open
            pairs = ((row, organisations.reads_paper(actor, row)) for row in rows.iterator(1000))
            answer = HttpResponse(organisations_csv(pairs), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="organisations.csv"'
        return answer
    context = {
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "form": form,
        "is_narrowed": any(
            (criteria["text"], criteria["region"], criteria["kind"], criteria["state"] != "open")
        ),
        "tabs": tabs_of(request),
    }
    return render(request, "bookings/organisations/organisations_all.html", context)


@edits
@chooses("enter", "ror")
def new(request: HttpRequest, choice: str) -> HttpResponse:
    """Enter an organisation; a ROR record can fill in the form."""
    actor = actor_of(request.user)
    require_somewhere(actor, "manage-organisations")
    choices = list(organisations.managed_regions(actor))
    is_ror = choice == "ror"
    record = RorForm(request.POST if is_ror else None, request.FILES if is_ror else None)
    initial: dict[str, Any] = {}
    if is_ror and record.is_valid():
        initial = dict(record.cleaned_data["values"])
        codes = initial.pop("places").split()
        by_code = {region.code: region for region in choices}
        region = next((by_code[code] for code in codes if code in by_code), None)
        initial["region"] = str(region.pk) if region else ""
    form = OrganisationForm(request.POST if choice == "enter" else None, regions=choices, initial=initial)

    def page(**context: Any) -> HttpResponse:
        context |= {
            "record": record,
            "is_filled": bool(initial),
            "alike": organisations.likely_same(initial["name"], initial["name_zh"], initial["ror"])
            if initial
            else [],
            "has_regions": bool(choices),
        }
        return shown(request, "bookings/organisations/organisation_new.html", **context)

    if is_ror:
        return page(form=form, status=400 if record.errors else 200)
    return act(
        request,
        page,
        lambda by, _: organisation_create(by, **form.values()),
        to=lambda row: reverse("bookings:organisation", args=[row.pk]),
        done=gettext("The organisation is entered."),
        form=form,
    )


@reads
def organisation(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Show one organisation: what everybody may know, and to some readers what its statements print and its
    history."""
    actor = actor_of(request.user)
    row = organisations.organisation_by_id(organisation_id)
    manages = actor.may("manage-organisations", place_of(row))
    context = {
        "organisation": row,
        "manages": manages,
        "reads_paper": organisations.reads_paper(actor, row),
        "sets_paper": not row.closed_at and may_set_invoice_details(actor, row),
        "has_paper": any(getattr(row, name) for name in PAPER),
        "accounts": [(name, getattr(row, name)) for name in BANK if getattr(row, name)],
        "reads_members": actor.may("read-members", place_of(row)),
        "invites": manages and not row.closed_at and not has_manager(row.pk),
        "story": story_rows(story_of(actor, row.pk), OrganisationForm) if manages else [],
        "manages_somewhere": any(grant.role in MANAGING for grant in actor.grants),
    }
    return render(request, "bookings/organisations/organisation.html", context)


@edits
def change(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Change an organisation's record."""
    row = organisations.organisation_by_id(organisation_id)
    require(actor_of(request.user), "manage-organisations", place_of(row))
    initial = {name: getattr(row, name) for name in OrganisationForm.base_fields}
    is_sent = request.method == "POST"
    form = OrganisationForm(request.POST if is_sent else None, regions=None, initial=initial)
    template = "bookings/organisations/organisation_change.html"
    page = partial(shown, request, template, organisation=row)
    if row.closed_at is not None and not is_sent:
        return page(form=form, refused=WrongState("organisation-closed"), status=409)
    return act(
        request,
        page,
        lambda by, _: organisation_change(by, organisation_id=organisation_id, **form.values()),
        to=reverse("bookings:organisation", args=[organisation_id]),
        done=gettext("Saved."),
        form=form,
    )
