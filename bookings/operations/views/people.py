"""Pages of people's accounts for administrators, and of looking at pages as somebody."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.domain.administration import LOOKING
from accounts.domain.roles import Place
from accounts.forms import FindForm
from accounts.models import Viewing
from accounts.permissions import actor_of, require
from accounts.selectors.administration import STATES, accounts_for, accounts_in, load_account, marked
from accounts.services.users import session_renew
from accounts.views.pages import act, bare, by_of, reads, writes
from bookings.operations.services.people import look_begin, look_end
from bookings.privacy.selectors.leaving import bookings_ahead

PAGE = 50
MOST_AHEAD = 20


def recently(view: Callable[..., Any]) -> Callable[..., Any]:
    """Ask administrators to confirm who they are, unless they have done so within the last minutes."""
    confirmed = reauthentication_required(view)

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.is_authenticated:
            return view(request, *args, **kwargs)  # asks to sign in
        require(actor_of(request.user), "administer", Place(None))
        return confirmed(request, *args, **kwargs)

    return asked


def all_recently(patterns: list[URLPattern]) -> list[URLPattern]:
    """Ask for this at all of some addresses."""
    for pattern in patterns:
        pattern.callback = recently(pattern.callback)
    return patterns


class AccountForm(FindForm):
    """A search for accounts of people."""

    state = forms.ChoiceField(choices=[("", _("all")), *STATES.items()], required=False)


@reads
def people(request: HttpRequest) -> HttpResponse:
    """Find people's accounts by name, address or organisation."""
    search, now = AccountForm(request.GET), timezone.now()
    asked = search.cleaned_data if search.is_valid() else {"q": "", "state": ""}
    found = accounts_in(accounts_for(actor_of(request.user), asked["q"]), asked["state"], now)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {"search": search, "is_narrowed": any(asked.values()), "page": page, "rows": marked(page, now)}
    return render(request, "bookings/operations/people.html", context)


@reads
def person(request: HttpRequest, user_id: UUID, *, status: int = 200, **shown: Any) -> HttpResponse:
    """Show everything about a person's account, with what an administrator can do."""
    now = timezone.now()
    account = load_account(actor_of(request.user), user_id, now)
    context = {"account": account, "ahead": bookings_ahead(user_id, now)[:MOST_AHEAD], "now": now, **shown}
    return render(request, "bookings/operations/person.html", context, status=status)


@recently
@writes
def look(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Begin to look at pages as somebody."""

    def begun(viewing: Viewing) -> str:
        request.session[LOOKING] = str(viewing.pk)
        session_renew(request.session)
        return "/"

    return act(
        request,
        lambda **more: bare(person)(request, user_id, **more),
        lambda by, _: look_begin(by, user_id=user_id, reason=request.POST.get("reason", "")[:600]),
        to=begun,
    )


@writes
def look_stop(request: HttpRequest) -> HttpResponse:
    """Stop looking at pages as somebody. The forms of pages that were opened meanwhile no longer work."""
    rotate_token(request)
    viewing = look_end(by_of(request), viewing_id=UUID(request.session.pop(LOOKING, str(UUID(int=0)))))
    return redirect("bookings:operations-person", viewing.user_id) if viewing else redirect("/")
