"""Pages of a person's profile and their API tokens."""

import zoneinfo
from functools import cache, partial
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.forms import ProfileForm, TokenForm
from accounts.middleware import remember_language
from accounts.models import ApiToken, User
from accounts.permissions import actor_of
from accounts.selectors.programs import described, programs_of
from accounts.selectors.tokens import token_of, tokens_of
from accounts.selectors.users import places_of
from accounts.services import tokens, users
from accounts.views.pages import act, edits, shown

# In the session, until the page that shows it: the id of a new token and the token itself.
MADE_KEY = "token_made"


def person(request: HttpRequest) -> User:
    """Return the person signed in, without whom the views below cannot be reached."""
    assert isinstance(request.user, User)
    return request.user


@edits
def profile(request: HttpRequest, **given: Any) -> HttpResponse:
    user = person(request)
    places = places_of(user)
    own = [place.organisation for place in places if place.is_member and place.organisation]
    present = {
        "name": user.name,
        "language": user.language,
        "time_zone": user.time_zone,
        "organisation": next((p.organisation.code for p in places if p.organisation and p.is_default), ""),
    }
    form = ProfileForm(None if given else request.POST or None, initial=present, organisations=own)

    def page(status: int = 200, **forms: Any) -> HttpResponse:
        context = {
            "places": places,
            "tokens": tokens_of(user),
            "programs": described(programs_of(user, timezone.now())),
            "now": timezone.now(),
            "zones": zone_names(),
            **forms,
        }
        return render(request, "accounts/profile.html", context, status=status)

    def saved(language: str) -> HttpResponse:
        with translation.override(language):
            messages.success(request, gettext("Your profile is saved."))
        response = redirect("accounts:profile")
        remember_language(response, language)
        return response

    if given:
        return page(form=form, **given)
    return act(
        request,
        page,
        lambda by, data: users.profile_update(by, user=user, **data).language,
        to=saved,
        form=form,
    )


@edits
@never_cache
@reauthentication_required  # type: ignore[untyped-decorator]
def token_make(request: HttpRequest) -> HttpResponse:
    """Show the form for a new token, and issue it. The token is shown by another page, so that reloading that
    page does not issue a second."""
    provisions = bool(actor_of(request.user).organisations_where("manage-members"))
    form = TokenForm(request.POST or None, provisions=provisions)

    def issued(result: tuple[ApiToken, str]) -> HttpResponse:
        token, secret = result
        request.session[MADE_KEY] = [str(token.pk), secret]
        return redirect("accounts:token-made")

    return act(
        request,
        partial(shown, request, "accounts/token.html"),
        lambda by, data: tokens.token_issue(
            user=person(request),
            label=data["label"],
            lifetime=form.lifetime(),
            scopes=data["scopes"],
            now=by.now,
        ),
        to=issued,
        form=form,
    )


@login_required
@require_http_methods(["GET"])  # HEAD would use the one showing up
@never_cache
def token_made(request: HttpRequest) -> HttpResponse:
    """Show a new token, once; no other page ever shows it."""
    token_id, secret = request.session.pop(MADE_KEY, ("", ""))
    token = token_of(person(request), token_id) if secret else None
    if token is None:
        return redirect("accounts:profile")
    return render(request, "accounts/token.html", {"made": token, "secret": secret})


@cache
def zone_names() -> tuple[str, ...]:
    """Return the time zones to choose from: those named after a place, and UTC."""
    names = (name for name in zoneinfo.available_timezones() if "/" in name)
    old = ("Etc/", "SystemV/", "US/", "Canada/", "Brazil/", "Chile/", "Mexico/", "posix/", "right/")
    return ("UTC", *sorted(name for name in names if not name.startswith(old)))
