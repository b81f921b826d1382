"""Files in and out: what an import will do, how far it is, what it did."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.errors import NotPermitted, Refused, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.organisations import organisation_by_code, organisations
from instruments.adapters.table import load_entries, own_mappings
from instruments.domain.delimited import FileRefused
from instruments.forms import ColumnsForm, ImportForm, ReadAgainForm
from instruments.messages import file_sentence
from instruments.models import Import
from instruments.selectors.exports import FORMATS, export_for
from instruments.selectors.imports import (
    delimiter_of,
    import_by_id,
    imports_for,
    mappings_for,
    rows_of,
)
from instruments.services.import_jobs import (
    import_apply,
    import_cancel,
    import_map,
    import_read_again,
    import_start,
    mapping_delete,
)

PAGE = 50
AT_WORK = (Import.State.READING, Import.State.APPLYING)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """Bring a file, take one away, and what was brought before."""
    now, actor = timezone.now(), actor_of(request.user)
    own = actor.organisations_where("manage-instruments")
    if not own:
        raise NotPermitted(capability="manage-instruments")
    choices = list(organisations().filter(pk__in=own, closed_at=None))
    saved = list(mappings_for(actor))
    is_sent = request.method == "POST"
    form = ImportForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        organisations=choices,
        mappings=saved,
        own=own_mappings(),
    )
    if form.is_bound and form.is_valid():
        chosen = form.mapping_chosen()
        data = form.cleaned_data
        try:
            job = import_start(
                By(actor, now),
                organisation_id=UUID(data["organisation"]),
                file=data["file"],
                file_name=data["file"].name,
                format=data["format"],
                encoding=data["encoding"],
                mapping=load_entries(chosen) if isinstance(chosen, str) else _content(chosen),
                mapping_name=chosen if isinstance(chosen, str) else chosen.name if chosen else "",
                facility=data["facility"],
                hand_changes=data["hand_changes"],
            )
        except FileRefused as refused:
            form.add_error("file", file_sentence(refused.code, refused.numbers))
        else:
            return redirect("instruments:import", import_id=job.pk)
    context = {
        "form": form,
        "saved": saved,
        "organisations": choices,
        "page": Paginator(imports_for(actor).order_by("-created_at", "-pk"), 20).get_page(
            request.GET.get("page")
        ),
    }
    return render(request, "instruments/imports.html", context, status=400 if form.errors else 200)


def _content(mapping: Any) -> Any:
    return mapping.content if mapping else None


@login_required
@require_safe
def one(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """How far an import is; row by row what it will do, or did."""
    return _shown(request, import_by_id(actor_of(request.user), import_id))


def _shown(
    request: HttpRequest,
    job: Import,
    *,
    form: ColumnsForm | None = None,
    again_form: ReadAgainForm | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    result = request.GET.get("result", "")
    if job.state == Import.State.UNMAPPED and form is None:
        name = job.file_name.rpartition(".")[0][:34]
        form = ColumnsForm(columns=job.columns, name=name)
    context = {
        "job": job,
        "form": form,
        "refused": refused,
        "result": result,
        "is_at_work": job.state in AT_WORK,
        "again_form": again_form
        or ReadAgainForm(
            initial={
                "encoding": job.encoding,
                "header_row": job.header_row,
                "version": job.version,
            }
        ),
        "percent": _percent(job),
        "page": Paginator(rows_of(job, result), PAGE).get_page(request.GET.get("page")),
    }
    template = "instruments/import.html"
    if getattr(request, "htmx", False):
        template = "instruments/import_state.html"
    return render(request, template, context, status=status)


def _percent(job: Import) -> int:
    """How much of the pass at work is done."""
    done, whole = (
        (job.read_bytes, job.size)
        if job.state == Import.State.READING
        else (job.done_rows, job.read_rows)
    )
    return min(100, done * 100 // whole) if whole else 0


@login_required
@require_POST
def columns(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Say which column is which; the table is then read."""
    now, actor = timezone.now(), actor_of(request.user)
    job = import_by_id(actor, import_id)
    form = ColumnsForm(request.POST, columns=job.columns, name="")
    if job.columns and form.is_valid():
        try:
            import_map(
                By(actor, now),
                import_id=import_id,
                mapping=form.mapping(delimiter_of(job)),
                name=form.cleaned_data["name"],
            )
        except FileRefused as refused:
            form.add_error(None, file_sentence(refused.code, refused.numbers))
        except WrongState as refused:
            return _shown(request, job, refused=refused, status=409)
        else:
            return redirect("instruments:import", import_id=import_id)
    return _shown(request, job, form=form, status=400)


@login_required
@require_POST
def read_again(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Read the kept file otherwise."""
    now, actor = timezone.now(), actor_of(request.user)
    job = import_by_id(actor, import_id)
    form = ReadAgainForm(request.POST)
    if not form.is_valid():
        return _shown(request, job, again_form=form, status=400)
    try:
        import_read_again(
            By(actor, now, form.cleaned_data["version"]),
            import_id=import_id,
            encoding=form.cleaned_data["encoding"] or None,
            header_row=form.cleaned_data["header_row"],
        )
    except (WrongState, WrongVersion) as refused:
        status = 412 if isinstance(refused, WrongVersion) else 409
        return _shown(request, import_by_id(actor, import_id), refused=refused, status=status)
    return redirect("instruments:import", import_id=import_id)


@login_required
@require_POST
def apply(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Have what was looked at carried out."""
    return _step(request, import_id, import_apply, "")


@login_required
@require_POST
def cancel(request: HttpRequest, import_id: UUID) -> HttpResponse:
    return _step(request, import_id, import_cancel, gettext("Stopped."))


def _step(
    request: HttpRequest, import_id: UUID, act: Callable[..., Import], done: str
) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    version = request.POST.get("version", "")
    try:
        read = int(version) if version.isdecimal() and len(version) < 10 else None
        act(By(actor, now, read), import_id=import_id)
    except (WrongState, WrongVersion) as refused:
        status = 412 if isinstance(refused, WrongVersion) else 409
        job = import_by_id(actor, import_id)
        return _shown(request, job, refused=refused, status=status)
    if done:
        messages.success(request, done)
    return redirect("instruments:import", import_id=import_id)


@login_required
@require_POST
def mapping_forget(request: HttpRequest, mapping_id: UUID) -> HttpResponse:
    mapping_delete(By(actor_of(request.user), timezone.now()), mapping_id=mapping_id)
    messages.success(request, gettext("Deleted. Imports that used it keep its values."))
    return redirect("instruments:imports")


@login_required
@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """All instruments of an organisation as a file."""
    now, actor = timezone.now(), actor_of(request.user)
    organisation = organisation_by_code(request.GET.get("organisation", ""))
    format = request.GET.get("format", "")
    made = export_for(actor, organisation, format if format in FORMATS else "csv", now)
    answer = StreamingHttpResponse(made.content, content_type=made.media)
    answer["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return answer
