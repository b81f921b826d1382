"""Pages of the inbox, and of a person's choices about messages."""

from functools import partial
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import NotFound
from accounts.forms import MessageSettingsForm
from accounts.letters.mails import unsubscribed_by
from accounts.models import User
from accounts.permissions import actor_of
from accounts.selectors.messages import all_topics, inbox_of, settings_of, topics_for
from accounts.selectors.rows import visible
from accounts.services import messages as service
from accounts.views.pages import act, by_of, chooses, edits, reads, shown, writes

ON_A_PAGE = 25


@never_cache
@reads
def inbox(request: HttpRequest) -> HttpResponse:
    """Show the reader's messages, newest first; with `?unread=1` only the unread ones."""
    actor, unread = actor_of(request.user), request.GET.get("unread") == "1"
    page = Paginator(inbox_of(actor, unread=unread), ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "unread": unread}
    return render(request, "accounts/messages.html", context)


@writes
@chooses("open", "read", "unread")
def message(request: HttpRequest, message_id: UUID, choice: str) -> HttpResponse:
    """Open the page that a message leads to, or mark the message as read or unread."""
    row = service.message_read(by_of(request), message_id=message_id, is_read=choice != "unread")
    if choice == "open" and row.link:
        return redirect(row.link)
    return redirect("accounts:messages")


@writes
def read_all(request: HttpRequest) -> HttpResponse:
    service.messages_read(by_of(request))
    return redirect("accounts:messages")


@edits
def message_settings(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request.user)
    row = settings_of(actor)
    sent = request.POST if request.method == "POST" else None
    form = MessageSettingsForm(sent, row=row, topics=topics_for(actor, row))
    return act(
        request,
        partial(shown, request, "accounts/message_settings.html"),
        lambda by, _: service.choices_set(by, topics=form.topics(), quiet=form.quiet()),
        to=reverse("accounts:message-settings"),
        done=gettext("Saved."),
        form=form,
    )


@csrf_exempt  # a mail program sends it (RFC 8058); the address itself is the proof
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Switch off mail of a topic without signing in, when the button on the page is pressed or a mail program
    sends the same request. Opening the address alone changes nothing."""
    signed = unsubscribed_by(token)
    if signed is None:
        raise NotFound
    user_id, topics = signed
    user = visible(User.objects, pk=user_id, is_active=True)
    is_done = request.method == "POST"
    if is_done:
        service.topics_leave(user=user, topics=topics, now=timezone.now())
    with translation.override(user.language):
        context = {
            "is_done": is_done,
            "names": [rule.label for topic in topics if (rule := all_topics().get(topic))],
        }
        return render(request, "accounts/unsubscribe.html", context)
