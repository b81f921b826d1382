"""Webhooks: an organisation's, their secrets, and the log of what was delivered."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.views.pages import act, by_of, edits, writes
from bookings.catalogue.views.refusals import refusal_text
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

ON_A_PAGE = 20
MOST_OFFERED = 500


@edits
def webhooks(request: HttpRequest) -> HttpResponse:
    """List those one may manage; POST adds one."""
    actor = actor_of(request.user)
    own = list(organisations_with_webhooks(actor)[:MOST_OFFERED])
    form = WebhookForm(request.POST if request.method == "POST" else None, organisations=own)

    def page(status: int = 200, **_: Any) -> HttpResponse:
        rows = Paginator(endpoints_for(actor), ON_A_PAGE).get_page(request.GET.get("page"))
        context = {"form": form, "page": rows}
        return render(request, "bookings/messaging/webhooks.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: service.webhook_add(
            by,
            organisation_id=UUID(data["organisation"]),
            address=data["address"],
            events=data["events"],
            description=data["description"],
        ),
        to=lambda endpoint: reverse("bookings:webhook", args=[endpoint.pk]),
        done=gettext("Saved. Send a test to see whether it arrives."),
        form=form,
        shows=lambda refused: form.add_error(None, refusal_text(refused)),
    )


@never_cache
@edits
def webhook(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """One with its secret and its log; sent, it is changed."""
    endpoint = endpoint_by_id(actor_of(request.user), endpoint_id)
    return act(
        request,
        partial(_page, request, endpoint_id, endpoint),
        lambda by, data: service.webhook_change(
            by,
            endpoint_id=endpoint_id,
            address=data["address"],
            events=data["events"],
            description=data["description"],
            is_active=data["is_active"],
        ),
        to=reverse("bookings:webhook", args=[endpoint_id]),
        done=gettext("Saved."),
        form=WebhookForm(request.POST if request.method == "POST" else None, endpoint=endpoint),
    )


def _page(
    request: HttpRequest,
    endpoint_id: UUID,
    endpoint: WebhookEndpoint | None = None,
    *,
    form: WebhookForm | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    by = by_of(request)
    endpoint = endpoint or endpoint_by_id(by.actor, endpoint_id)
    if refused is not None:
        messages.error(request, refusal_text(refused))
    previous = endpoint.previous_until
    context = {
        "endpoint": endpoint,
        "form": form or WebhookForm(endpoint=endpoint),
        "secret": secret_text(secret_of(endpoint, endpoint.generation)),
        "overlaps": previous if previous and previous > by.now else None,
        "events": EVENT_NAMES,
        "page": Paginator(deliveries_of(endpoint), ON_A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "bookings/messaging/webhook.html", context, status=status)


@writes
def rotate(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    return _acted(
        request,
        endpoint_id,
        lambda by, _: service.webhook_rotate(by, endpoint_id=endpoint_id),
        gettext("There is a new secret; the old one stays valid for a day."),
    )


@writes
def ping(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    return _acted(
        request,
        endpoint_id,
        lambda by, _: service.webhook_ping(by, endpoint_id=endpoint_id),
        gettext("The test is on its way: load this page again in a moment."),
    )


@writes
def replay(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    return _acted(
        request,
        delivery_by_id(actor_of(request.user), delivery_id).endpoint_id,
        lambda by, _: service.webhook_replay(by, delivery_id=delivery_id),
        gettext("It is sent again."),
    )


@writes
def delete(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    return _acted(
        request,
        endpoint_id,
        lambda by, _: service.webhook_delete(by, endpoint_id=endpoint_id),
        gettext("Deleted."),
        to=reverse("bookings:webhooks"),
    )


def _acted(
    request: HttpRequest,
    endpoint_id: UUID,
    work: Callable[[By, Any], Any],
    done: str,
    to: str = "",
) -> HttpResponse:
    """Carry out an act on a webhook and go back to its page; a refusal is said there."""
    page = partial(_page, request, endpoint_id)
    return act(
        request, page, work, to=to or reverse("bookings:webhook", args=[endpoint_id]), done=done
    )
