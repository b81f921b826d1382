"""Photos and documents of an instrument: managing them, and the files themselves."""

import re
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.cache import (
    get_conditional_response,
    patch_cache_control,
    patch_vary_headers,
)
from django.utils.csp import CSP
from django.utils.translation import gettext
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.errors import Invalid, NotFound
from accounts.domain.roles import By
from accounts.permissions import actor_of
from instruments.adapters.files import SIZES, file_open
from instruments.domain.attachments import MOST
from instruments.forms import AttachmentForm, AttachmentWordsForm
from instruments.models import Instrument
from instruments.selectors.attachments import attachment_by_id, attachments_of
from instruments.selectors.managing import instrument_to_manage
from instruments.selectors.registry import PUBLIC
from instruments.services.attachments import (
    attachment_add,
    attachment_change,
    attachment_delete,
)

DAY = 24 * 3600


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def attachments(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """All of them, each with its words, and a form for another."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_to_manage(actor, instrument_id)
    is_sent = request.method == "POST"
    form = AttachmentForm(request.POST, request.FILES) if is_sent else AttachmentForm()
    if is_sent and form.is_valid():
        data = dict(form.cleaned_data)
        try:
            content = data.pop("file").read()
            attachment_add(By(actor, now), instrument_id=instrument_id, content=content, **data)
        except Invalid as refused:
            form.refuse(refused.problems)
        else:
            messages.success(request, gettext("Added."))
            return redirect("instruments:attachments", instrument_id=instrument_id)
    return _page(request, instrument, form)


@login_required
@require_POST
def change(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """Save what is said of it, or move it one place forward."""
    now, actor = timezone.now(), actor_of(request.user)
    found = attachment_by_id(actor, attachment_id)
    instrument = instrument_to_manage(actor, found.instrument_id)
    form = AttachmentWordsForm(request.POST)
    if not form.is_valid():
        return _page(request, instrument, AttachmentForm(), changed=(attachment_id, form))
    changes: dict[str, Any] = dict(form.cleaned_data)
    if "earlier" in request.POST:
        changes["position"] = max(1, found.position - 1)
    try:
        attachment_change(By(actor, now), attachment_id=attachment_id, changes=changes)
    except Invalid as refused:
        form.refuse(refused.problems)
        return _page(request, instrument, AttachmentForm(), changed=(attachment_id, form))
    messages.success(request, gettext("Saved."))
    return redirect("instruments:attachments", instrument_id=instrument.pk)


@login_required
@require_POST
def delete(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    found = attachment_by_id(actor, attachment_id)
    instrument = instrument_to_manage(actor, found.instrument_id)
    attachment_delete(By(actor, now), attachment_id=attachment_id)
    messages.success(request, gettext("Deleted."))
    return redirect("instruments:attachments", instrument_id=instrument.pk)


@require_safe
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
def file(request: HttpRequest, attachment_id: UUID, size: str) -> HttpResponseBase:
    """The file, for whoever sees its instrument. A document is saved, never opened here; its
    type is what its content was found to be, and browsers are told not to guess another."""
    found = attachment_by_id(actor_of(request.user), attachment_id)
    if size not in SIZES[found.kind]:
        raise NotFound
    etag = f'"{found.digest[:32]}-{size}"'
    answer: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if answer is None:
        content = file_open(attachment_id, size)
        if content is None:
            raise NotFound
        is_chinese = (translation.get_language() or "").startswith("zh")
        title = (is_chinese and found.title_zh) or found.title or found.title_zh
        words = " ".join(re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]', " ", title).split())[:100]
        name = f"{words or found.pk}.{'pdf' if size == 'file' else 'webp'}"
        answer = FileResponse(
            content,
            as_attachment=size == "file",
            filename=name,
            content_type=found.media_type,
        )
    answer["ETag"] = etag
    patch_vary_headers(answer, ["Accept-Language", "Cookie"])
    answer["X-Content-Type-Options"] = "nosniff"
    if found.instrument.publication in PUBLIC:
        patch_cache_control(answer, public=True, max_age=DAY)
    return answer


def _page(
    request: HttpRequest,
    instrument: Instrument,
    form: AttachmentForm,
    changed: tuple[UUID, AttachmentWordsForm] | None = None,
) -> HttpResponse:
    found = attachments_of(instrument)
    rows = []
    for item in found:
        words = AttachmentWordsForm(
            initial={n: getattr(item, n) for n in ("title", "title_zh", "credit", "licence")},
            auto_id=f"id_%s_{item.pk}",
        )
        if item.kind == "document":
            words.fields["title"].help_text = ""
        if changed and changed[0] == item.pk:
            words = changed[1]
        rows.append((item, words))
    context = {
        "instrument": instrument,
        "rows": rows,
        "form": form,
        "most_photos": MOST["photo"],
        "most_documents": MOST["document"],
    }
    is_wrong = bool(form.errors or changed)
    return render(request, "instruments/attachments.html", context, status=400 if is_wrong else 200)
