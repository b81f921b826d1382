"""Pages on which photos and documents of an instrument are managed, and the files themselves."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.csp import CSP
from django.utils.translation import gettext
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from accounts.domain.errors import NotFound
from accounts.domain.file_names import NAMELESS, file_name_of
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.views.pages import act, edits, sent, writes
from instruments.attachments.adapters.files import SIZES, file_open
from instruments.attachments.domain.attachments import MOST, ending_of
from instruments.attachments.forms.attachments import AttachmentForm, AttachmentWordsForm
from instruments.attachments.models import Attachment
from instruments.attachments.selectors.attachments import attachment_by_id, attachments_of
from instruments.attachments.services.attachments import attachment_add, attachment_change
from instruments.register.selectors.registry import PUBLIC, instrument_to_manage

DAY = 24 * 3600


@edits
def attachments(request: HttpRequest, instrument_id: UUID, **shown: Any) -> HttpResponse:
    """Show all attachments of an instrument with forms for their descriptions; POST adds another."""
    if shown:
        return _page(request, instrument_id, **shown)

    def add(by: By, data: dict[str, Any]) -> Attachment:
        content = data.pop("file").read()
        return attachment_add(by, instrument_id=instrument_id, content=content, **data)

    return act(
        request,
        partial(_page, request, instrument_id),
        add,
        to=reverse("instruments:attachments", args=[instrument_id]),
        done=gettext("Added."),
        form=AttachmentForm(sent(request), request.FILES or None),
    )


@writes
def change(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """Save the description of an attachment, or move it one place forward."""

    def page(**context: Any) -> HttpResponse:
        row = attachment_by_id(actor_of(request.user), attachment_id)
        return _page(request, row.instrument_id, changed_id=attachment_id, **context)

    return act(
        request,
        page,
        lambda by, data: attachment_change(
            by, attachment_id=attachment_id, changes=data, earlier="earlier" in request.POST
        ),
        to=lambda row: reverse("instruments:attachments", args=[row.instrument_id]),
        done=gettext("Saved."),
        form=AttachmentWordsForm(request.POST),
        name="changed",
    )


@require_safe
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
def file(request: HttpRequest, attachment_id: UUID, size: str) -> HttpResponseBase:
    """Return the file to anybody who may see its instrument."""
    attachment = attachment_by_id(actor_of(request.user), attachment_id)
    is_chinese = (translation.get_language() or "").startswith("zh")
    title = (is_chinese and attachment.title_zh) or attachment.title or attachment.title_zh
    answer = file_answer(request, attachment, size, title)
    if attachment.instrument.publication in PUBLIC:
        patch_cache_control(answer, public=True, max_age=DAY)
    return answer


def file_answer(request: HttpRequest, row: Any, size: str, title: str) -> HttpResponseBase:
    """Return a response with an attachment's file, named by its title. A document is saved, never opened in
    the page. Its media type is the one found from its content, and browsers are told not to guess another."""
    if size not in SIZES[row.kind]:
        raise NotFound
    etag = f'"{row.digest[:32]}-{size}"'
    answer: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if answer is None:
        content = file_open(row.pk, size)
        if content is None:
            raise NotFound
        words = file_name_of(title, 100, is_title=True)
        name = f"{row.pk if words == NAMELESS else words}.{ending_of(row.media_type, row.title)}"
        answer = FileResponse(
            content, as_attachment=size == "file", filename=name, content_type=row.media_type
        )
    answer["ETag"] = etag
    patch_vary_headers(answer, ["Accept-Language", "Cookie"])
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _page(
    request: HttpRequest,
    instrument_id: UUID,
    *,
    form: AttachmentForm | None = None,
    changed_id: UUID | None = None,
    changed: AttachmentWordsForm | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    instrument, rows = instrument_to_manage(actor_of(request.user), instrument_id), []
    for item in attachments_of(instrument):
        words = AttachmentWordsForm(
            initial={n: getattr(item, n) for n in ("title", "title_zh", "credit", "licence", "version")},
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
