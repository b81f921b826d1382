"""Pages of an organisation's webhooks: their secrets, and the log of deliveries."""

from datetime import timedelta
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
from accounts.permissions import actor_of
from accounts.views.pages import act, bare, by_of, edits, reads, writes
from bookings.catalogue.views.refusals import refusal_text
from bookings.messaging.domain.webhooks import secret_text
from bookings.messaging.forms.webhooks import NewWebhookForm, ReplayForm, WebhookForm, initial_of
from bookings.messaging.selectors import webhooks as webhook_selectors
from bookings.messaging.services import webhooks as service

ON_A_PAGE = 20
MOST_OFFERED = 500


@edits
def webhooks(request: HttpRequest) -> HttpResponse:
    """List the webhooks that the reader may manage; POST adds one."""
    actor = actor_of(request.user)
    own = list(webhook_selectors.organisations_with_webhooks(actor)[:MOST_OFFERED])
    form = NewWebhookForm(request.POST if request.method == "POST" else None, organisations=own)

    def page(status: int = 200, **_: Any) -> HttpResponse:
        rows = Paginator(webhook_selectors.endpoints_for(actor), ON_A_PAGE).get_page(request.GET.get("page"))
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
@reads
def webhook(
    request: HttpRequest,
    endpoint_id: UUID,
    status: int = 200,
    refused: Refused | None = None,
    form: WebhookForm | None = None,
    replay_form: ReplayForm | None = None,
    **_: Any,
) -> HttpResponse:
    """Show one webhook with its secret and its log."""
    by = by_of(request)
    endpoint = webhook_selectors.endpoint_by_id(by.actor, endpoint_id)
    if refused is not None:
        messages.error(request, refusal_text(refused))
    previous = endpoint.previous_until
    context = {
        "endpoint": endpoint,
        "form": form or WebhookForm(initial=initial_of(endpoint)),
        "replay_form": replay_form
        or ReplayForm(initial={"since": by.now - timedelta(days=1), "until": by.now}),
        "secret": secret_text(webhook_selectors.secret_of(endpoint, endpoint.generation)),
        "overlaps": previous if previous and previous > by.now else None,
        "page": Paginator(webhook_selectors.deliveries_of(endpoint), ON_A_PAGE).get_page(
            request.GET.get("page")
        ),
    }
    return render(request, "bookings/messaging/webhook.html", context, status=status)


@writes
def replay(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    def page(**context: Any) -> HttpResponse:
        delivery = webhook_selectors.delivery_by_id(actor_of(request.user), delivery_id)
        return bare(webhook)(request, delivery.endpoint_id, **context)

    return act(
        request,
        page,
        lambda by, _: service.webhook_replay(by, delivery_id=delivery_id),
        to=lambda delivery: reverse("bookings:webhook", args=[delivery.endpoint_id]),
        done=gettext("It is sent again."),
    )
