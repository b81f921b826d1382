"""Pages to save the present view of a list under a name, and to open or delete saved ones."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.translation import gettext

from accounts.models import SavedView
from accounts.services.saved_views import LONGEST_NAME, view_delete, view_save
from accounts.views.pages import act, by_of, edits, writes

# Parameters that belong to one visit, not to a saved view.
PASSING = ("page", "after", "format")


@edits
def saved_views(request: HttpRequest) -> HttpResponse:
    """Show the reader's saved views of the list at `page` (a path of this platform). POST saves its present
    query under a name and goes back to the list."""
    data = request.POST if request.method == "POST" else request.GET
    path = data.get("page", "")
    try:
        resolve(path)
    except Resolver404:
        raise Http404 from None
    query = QueryDict(data.get("query", ""), mutable=True)
    for name in PASSING:
        query.pop(name, None)

    def page(status: int = 200, **context: Any) -> HttpResponse:
        own = SavedView.objects.filter(user_id=by_of(request).actor.person, page=path)
        context |= {
            "rows": own.order_by("name"),
            "page": path,
            "query": query.urlencode(),
            "longest": LONGEST_NAME,
        }
        part = "#menu" if request.htmx else ""  # type: ignore[attr-defined]
        return render(request, f"accounts/saved_views.html{part}", context, status=status)

    return act(
        request,
        page,
        lambda by, _: view_save(
            by, page=path, query=query.urlencode(), name=data.get("name", "").replace("\0", "")
        ),
        to=lambda row: row.address,
        done=gettext("The view is saved."),
    )


@writes
def delete(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Delete one of the reader's own views and go back to its list."""
    return act(
        request,
        lambda **_: HttpResponse(status=405),
        lambda by, _: view_delete(by, view_id=view_id),
        to=lambda row: row.page,
        done=gettext("The view is deleted."),
    )
