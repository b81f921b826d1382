"""The inbox, and what a person chooses about messages."""

from uuid import UUID

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.errors import NotFound
from accounts.domain.roles import By
from accounts.forms import MessageSettingsForm
from accounts.letters.mails import TOPIC_NAMES, unsubscribed_by
from accounts.models import User
from accounts.permissions import actor_of
from accounts.selectors.messages import inbox_of, message_by_id, settings_of
from accounts.services import messages as service

ON_A_PAGE = 25


@login_required
@never_cache
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """One's own messages, the newest first; `?unread=1` only those not read."""
    actor, unread = actor_of(request.user), request.GET.get("unread") == "1"
    page = Paginator(inbox_of(actor, unread=unread), ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "unread": unread, "topics": TOPIC_NAMES}
    return render(request, "accounts/messages.html", context)


@login_required
@require_POST
def message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Open the thing it is about, or mark it (`act`: open, read, unread)."""
    actor, act = actor_of(request.user), request.POST.get("act")
    found = message_by_id(actor, message_id)
    service.message_read(By(actor, timezone.now()), message_id=message_id, is_read=act != "unread")
    if act == "open" and found.link:
        return redirect(found.link)
    return redirect("accounts:messages")


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    service.messages_read(By(actor_of(request.user), timezone.now()))
    return redirect("accounts:messages")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def message_settings(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request.user)
    row = settings_of(actor)
    form = MessageSettingsForm(request.POST if request.method == "POST" else None, row=row)
    if form.is_valid():
        service.choices_set(By(actor, timezone.now()), topics=form.topics(), quiet=form.quiet())
        notices.success(request, gettext("Saved."))
        return redirect("accounts:message-settings")
    status = 400 if form.errors else 200
    return render(request, "accounts/message_settings.html", {"form": form}, status=status)


@csrf_exempt  # a mail program sends it (RFC 8058); the address itself is the proof
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Mail of a topic, switched off without signing in: by the button on the page, or by a mail
    program that sends the same. Opening the address alone changes nothing."""
    said = unsubscribed_by(token)
    user = User.objects.filter(pk=said[0], is_active=True).first() if said else None
    if said is None or user is None:
        raise NotFound
    is_done = request.method == "POST"
    if is_done:
        service.topics_leave(user=user, topics=said[1], now=timezone.now())
    with translation.override(user.language):
        context = {
            "is_done": is_done,
            "names": [TOPIC_NAMES[topic] for topic in said[1] if topic in TOPIC_NAMES],
        }
        return render(request, "accounts/unsubscribe.html", context)
