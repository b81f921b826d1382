"""Pages on which photos and capabilities of many instruments are added at once."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.domain.errors import NotPermitted, Refused
from accounts.models import Organisation
from accounts.permissions import actor_of
from accounts.selectors.organisations import organisations
from accounts.views.pages import by_of, chooses, edits, sent
from instruments.exchange.domain.many import MOST_PHOTOS, statements_counted
from instruments.exchange.forms.many import CapabilitiesForm, PhotosForm
from instruments.exchange.selectors.numbers import photos_match
from instruments.exchange.services.many import capabilities_bring, columns_unread, photos_add


def _own(request: HttpRequest) -> list[Organisation]:
    """Return the organisations whose instruments the reader manages. `NotPermitted` if there are none."""
    own = actor_of(request.user).organisations_where("manage-instruments")
    if not own:
        raise NotPermitted(capability="manage-instruments")
    return list(organisations().filter(pk__in=own, closed_at=None))


@edits
def photos(request: HttpRequest) -> HttpResponse:
    """Add photos by their file names. `check` only says, from their names, which instrument each belongs
    to."""
    choices = _own(request)
    names = request.POST.getlist("names")[:MOST_PHOTOS]
    if request.method == "POST" and "check" in request.POST:
        chosen = [each for each in choices if str(each.pk) == request.POST.get("organisation")]
        outcomes = photos_match(chosen[0], names) if chosen else []
        context: dict[str, Any] = {"outcomes": outcomes, "is_preview": True}
        return render(request, "instruments/photos_matched.html", context)
    form = PhotosForm(sent(request), request.FILES or None, organisations=choices)
    context = {"form": form, "outcomes": None, "refused": None}
    status = 200
    if form.is_bound and form.is_valid():
        by = by_of(request)
        organisation = next(o for o in choices if o.pk == UUID(form.cleaned_data["organisation"]))
        files = [(each.name, each.read()) for each in form.cleaned_data["photos"]]
        try:
            context["outcomes"] = photos_add(by, organisation=organisation, files=files)
        except Refused as refused:
            context["refused"], status = refused, 400
    elif form.is_bound:
        status = 400
    return render(request, "instruments/photos_many.html", context, status=status)


@edits
@chooses("preview", "bring")
def capabilities(request: HttpRequest, choice: str) -> HttpResponse:
    """State capabilities of many instruments from a table: first a preview of each row, then all of it."""
    choices = _own(request)
    form = CapabilitiesForm(sent(request), request.FILES or None, organisations=choices)
    context: dict[str, Any] = {"form": form, "outcomes": None, "is_preview": choice == "preview"}
    status = 200
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        organisation = next(o for o in choices if o.pk == UUID(data["organisation"]))
        try:
            context["outcomes"] = capabilities_bring(
                by_of(request),
                organisation=organisation,
                content=data["bytes"],
                file_name=data["name"],
                header_row=data["header_row"] or 0,
                dry_run=choice == "preview",
            )
            context["unread"] = columns_unread(data["bytes"], data["header_row"] or 0)
            context["counts"] = counts = statements_counted(context["outcomes"])
            context["n_stated"] = counts["added"] + counts["changed"]
        except Refused as refused:
            context["refused"], status = refused, 400
    elif form.is_bound:
        status = 400
    return render(request, "instruments/capabilities_many.html", context, status=status)
