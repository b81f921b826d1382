"""Webhooks: an organisation's, their secrets, and the log of what was delivered."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain.errors import Invalid, WrongState
from accounts.domain.roles import By
from accounts.permissions import actor_of
from bookings.messaging.domain.webhooks import secret_text
from bookings.messaging.forms.webhooks import EVENT_NAMES, WebhookForm
from bookings.messaging.models import WebhookEndpoint
from bookings.messaging.selectors.webhooks import (
    deliveries_of,
    delivery_by_id,
    endpoint_by_id,
    endpoints_for,
    organisations_with_webhooks,
    secret_of,
)
from bookings.messaging.services import webhooks as service
from bookings.record.messages import sentence

ON_A_PAGE = 20
MOST_OFFERED = 500


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhooks(request: HttpRequest) -> HttpResponse:
    """Those one may manage, and a new one."""
    now, actor = timezone.now(), actor_of(request.user)
    own = list(organisations_with_webhooks(actor)[:MOST_OFFERED])
    form = WebhookForm(request.POST if request.method == "POST" else None, organisations=own)
    status = 200
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            made = service.webhook_add(
                By(actor, now),
                organisation_id=UUID(data["organisation"]),
                address=data["address"],
                events=data["events"],
                description=data["description"],
            )
        except Invalid as refused:
            form.refuse(refused.problems)
        except WrongState as refused:
            form.add_error(None, sentence(refused.code, refused.numbers))
            status = 409
        else:
            messages.success(request, gettext("Saved. Send a test to see whether it arrives."))
            return redirect("bookings:webhook", endpoint_id=made.pk)
    if form.errors and status == 200:
        status = 400
    context = {
        "form": form,
        "page": Paginator(endpoints_for(actor), ON_A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "bookings/messaging/webhooks.html", context, status=status)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def webhook(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """One with its secret and its log; sent, it is changed."""
    now, actor = timezone.now(), actor_of(request.user)
    endpoint = endpoint_by_id(actor, endpoint_id)
    if request.method != "POST":
        return _shown(request, endpoint)
    form = WebhookForm(request.POST, endpoint=endpoint)
    if not form.is_valid():
        return _shown(request, endpoint, form=form, status=400)
    data = form.cleaned_data
    try:
        service.webhook_change(
            By(actor, now),
            endpoint_id=endpoint_id,
            address=data["address"],
            events=data["events"],
            description=data["description"],
            is_active=data["is_active"],
        )
    except Invalid as refused:
        form.refuse(refused.problems)
        return _shown(request, endpoint, form=form, status=400)
    messages.success(request, gettext("Saved."))
    return redirect("bookings:webhook", endpoint_id=endpoint_id)


def _shown(
    request: HttpRequest,
    endpoint: WebhookEndpoint,
    *,
    form: WebhookForm | None = None,
    status: int = 200,
) -> HttpResponse:
    previous = endpoint.previous_until
    context = {
        "endpoint": endpoint,
        "form": form or WebhookForm(endpoint=endpoint),
        "secret": secret_text(secret_of(endpoint, endpoint.generation)),
        "overlaps": previous if previous and previous > timezone.now() else None,
        "events": EVENT_NAMES,
        "page": Paginator(deliveries_of(endpoint), ON_A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "bookings/messaging/webhook.html", context, status=status)


def _done(
    request: HttpRequest, endpoint_id: UUID, act: Callable[[], Any], done: str
) -> HttpResponse:
    try:
        act()
    except WrongState as refused:
        messages.error(request, sentence(refused.code, refused.numbers))
        endpoint = endpoint_by_id(actor_of(request.user), endpoint_id)
        return _shown(request, endpoint, status=409)
    messages.success(request, done)
    return redirect("bookings:webhook", endpoint_id=endpoint_id)


@login_required
@require_POST
def rotate(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    actor, now = actor_of(request.user), timezone.now()
    return _done(
        request,
        endpoint_id,
        lambda: service.webhook_rotate(By(actor, now), endpoint_id=endpoint_id),
        gettext("There is a new secret; the old one stays valid for a day."),
    )


@login_required
@require_POST
def ping(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    actor, now = actor_of(request.user), timezone.now()
    return _done(
        request,
        endpoint_id,
        lambda: service.webhook_ping(By(actor, now), endpoint_id=endpoint_id),
        gettext("The test is on its way: load this page again in a moment."),
    )


@login_required
@require_POST
def replay(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    actor, now = actor_of(request.user), timezone.now()
    found = delivery_by_id(actor, delivery_id)
    return _done(
        request,
        found.endpoint_id,
        lambda: service.webhook_replay(By(actor, now), delivery_id=delivery_id),
        gettext("It is sent again."),
    )


@login_required
@require_POST
def delete(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    service.webhook_delete(By(actor_of(request.user), timezone.now()), endpoint_id=endpoint_id)
    messages.success(request, gettext("Deleted."))
    return redirect("bookings:webhooks")
