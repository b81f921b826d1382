"""Photos and documents of an instrument: managing them, and the files themselves."""

import re
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import (
    get_conditional_response,
    patch_cache_control,
    patch_vary_headers,
)
from django.utils.csp import CSP
from django.utils.translation import gettext
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from accounts.domain.errors import NotFound
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.views.pages import act, by_of, edits, sent, writes
from instruments.adapters.files import SIZES, file_open
from instruments.domain.attachments import MOST
from instruments.forms.attachments import AttachmentForm, AttachmentWordsForm
from instruments.models import Attachment, Instrument
from instruments.selectors.attachments import attachment_by_id, attachments_of
from instruments.selectors.managing import instrument_to_manage
from instruments.selectors.registry import PUBLIC
from instruments.services.attachments import (
    attachment_add,
    attachment_change,
    attachment_delete,
)

DAY = 24 * 3600


@edits
def attachments(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show all of an instrument, each with its words, and take another."""
    instrument = instrument_to_manage(actor_of(request.user), instrument_id)

    def add(by: By, data: dict[str, Any]) -> Attachment:
        words = {name: value for name, value in data.items() if name != "file"}
        content = data["file"].read()
        return attachment_add(by, instrument_id=instrument_id, content=content, **words)

    return act(
        request,
        partial(_page, request, instrument),
        add,
        to=reverse("instruments:attachments", args=[instrument_id]),
        done=gettext("Added."),
        form=AttachmentForm(sent(request), request.FILES or None),
    )


@writes
def change(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """Save what is said of an attachment, or move it one place forward."""
    actor = actor_of(request.user)
    attachment = attachment_by_id(actor, attachment_id)
    instrument = instrument_to_manage(actor, attachment.instrument_id)
    moved = {"position": max(1, attachment.position - 1)} if "earlier" in request.POST else {}
    return act(
        request,
        partial(_page, request, instrument, changed_id=attachment_id),
        lambda by, data: attachment_change(by, attachment_id=attachment_id, changes=data | moved),
        to=reverse("instruments:attachments", args=[instrument.pk]),
        done=gettext("Saved."),
        form=AttachmentWordsForm(request.POST),
        name="changed",
    )


@writes
def delete(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    by = by_of(request)
    attachment = attachment_by_id(by.actor, attachment_id)
    instrument = instrument_to_manage(by.actor, attachment.instrument_id)
    attachment_delete(by, attachment_id=attachment_id)
    messages.success(request, gettext("Deleted."))
    return redirect("instruments:attachments", instrument_id=instrument.pk)


@require_safe
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
def file(request: HttpRequest, attachment_id: UUID, size: str) -> HttpResponseBase:
    """Give the file, for whoever sees its instrument."""
    attachment = attachment_by_id(actor_of(request.user), attachment_id)
    is_chinese = (translation.get_language() or "").startswith("zh")
    title = (is_chinese and attachment.title_zh) or attachment.title or attachment.title_zh
    answer = file_answer(request, attachment, size, title)
    if attachment.instrument.publication in PUBLIC:
        patch_cache_control(answer, public=True, max_age=DAY)
    return answer


def file_answer(request: HttpRequest, row: Any, size: str, title: str) -> HttpResponseBase:
    """Answer with a file of an attachment, called by its title. A document is saved, never opened
    here; its type is what its content was found to be, and browsers are told not to guess
    another."""
    if size not in SIZES[row.kind]:
        raise NotFound
    etag = f'"{row.digest[:32]}-{size}"'
    answer: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if answer is None:
        content = file_open(row.pk, size)
        if content is None:
            raise NotFound
        words = " ".join(re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]', " ", title).split())[:100]
        name = f"{words or row.pk}.{'pdf' if size == 'file' else 'webp'}"
        answer = FileResponse(
            content,
            as_attachment=size == "file",
            filename=name,
            content_type=row.media_type,
        )
    answer["ETag"] = etag
    patch_vary_headers(answer, ["Accept-Language", "Cookie"])
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _page(
    request: HttpRequest,
    instrument: Instrument,
    *,
    form: AttachmentForm | None = None,
    changed_id: UUID | None = None,
    changed: AttachmentWordsForm | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    rows = []
    for item in attachments_of(instrument):
        words = AttachmentWordsForm(
            initial={n: getattr(item, n) for n in ("title", "title_zh", "credit", "licence")},
            auto_id=f"id_%s_{item.pk}",
        )
        if item.kind == "document":
            words.fields["title"].help_text = ""
        if changed and changed_id == item.pk:
            words = changed
        rows.append((item, words))
    context |= {
        "instrument": instrument,
        "rows": rows,
        "form": form or AttachmentForm(),
        "most_photos": MOST["photo"],
        "most_documents": MOST["document"],
    }
    return render(request, "instruments/attachments.html", context, status=status)
