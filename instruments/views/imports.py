"""Files in and out: what an import will do, how far it is, what it did."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted, Refused
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.organisations import organisation_by_code, organisations
from accounts.views.pages import act, by_of, edits, reads, sent, writes
from instruments.adapters.table import load_entries, own_mappings
from instruments.domain.delimited import FileRefused
from instruments.forms.fields import StyledForm, VersionForm
from instruments.forms.imports import ColumnsForm, ImportForm, ReadAgainForm
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


@edits
def imports(request: HttpRequest) -> HttpResponse:
    """Show the imports there were, and take a file."""
    actor = actor_of(request.user)
    own = actor.organisations_where("manage-instruments")
    if not own:
        raise NotPermitted(capability="manage-instruments")
    choices = list(organisations().filter(pk__in=own, closed_at=None))
    saved = list(mappings_for(actor))
    form = ImportForm(
        sent(request),
        request.FILES or None,
        organisations=choices,
        mappings=saved,
        own=own_mappings(),
    )

    def page(status: int = 200, refused: Refused | None = None, **context: Any) -> HttpResponse:
        refused = _at_form(form, "file", refused)
        rows = imports_for(actor).order_by("-created_at", "-pk")
        context |= {
            "refused": refused,
            "saved": saved,
            "organisations": choices,
            "page": Paginator(rows, 20).get_page(request.GET.get("page")),
        }
        return render(request, "instruments/imports.html", context, status=status)

    def start(by: By, data: dict[str, Any]) -> Import:
        chosen = form.mapping_chosen()
        if isinstance(chosen, str):
            mapping, mapping_name = load_entries(chosen), chosen
        else:
            mapping, mapping_name = (chosen.content, chosen.name) if chosen else (None, "")
        return import_start(
            by,
            organisation_id=UUID(data["organisation"]),
            file=data["file"],
            file_name=data["file"].name,
            format=data["format"],
            encoding=data["encoding"],
            mapping=mapping,
            mapping_name=mapping_name,
            facility=data["facility"],
            hand_changes=data["hand_changes"],
        )

    return act(
        request,
        page,
        start,
        to=lambda job: reverse("instruments:import", args=[job.pk]),
        form=form,
    )


@reads
def one(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show how far an import is, and row by row what it will do, or did."""
    return _page(request, import_id)


def _page(
    request: HttpRequest,
    import_id: UUID,
    *,
    form: ColumnsForm | None = None,
    again_form: ReadAgainForm | None = None,
    refused: Refused | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    job = import_by_id(actor_of(request.user), import_id)
    result = request.GET.get("result", "")
    if form is not None:
        refused = _at_form(form, None, refused)
    if job.state == Import.State.UNMAPPED and form is None:
        name = job.file_name.rpartition(".")[0][:34]
        form = ColumnsForm(columns=job.columns, name=name)
    context |= {
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


def _at_form(form: StyledForm, field: str | None, refused: Refused | None) -> Refused | None:
    """Say at a form what is wrong with its file; return any other refusal."""
    if not isinstance(refused, FileRefused):
        return refused
    form.add_error(field, file_sentence(refused.code, refused.numbers))
    return None


def _percent(job: Import) -> int:
    """How much of the pass at work is done."""
    done, whole = (
        (job.read_bytes, job.size)
        if job.state == Import.State.READING
        else (job.done_rows, job.read_rows)
    )
    return min(100, done * 100 // whole) if whole else 0


@writes
def columns(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Say which column is which; the table is then read."""
    job = import_by_id(actor_of(request.user), import_id)
    form = ColumnsForm(request.POST, columns=job.columns, name="")
    return act(
        request,
        partial(_page, request, import_id),
        lambda by, data: import_map(
            by, import_id=import_id, mapping=form.mapping(delimiter_of(job)), name=data["name"]
        ),
        to=reverse("instruments:import", args=[import_id]),
        form=form,
    )


@writes
def read_again(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Read the kept file otherwise."""
    return _step(
        request,
        import_id,
        lambda by, data: import_read_again(
            by,
            import_id=import_id,
            encoding=data["encoding"] or None,
            header_row=data["header_row"],
        ),
        form=ReadAgainForm(request.POST),
        name="again_form",
    )


@writes
def apply(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Have what was looked at carried out."""
    return _step(request, import_id, lambda by, _: import_apply(by, import_id=import_id))


@writes
def cancel(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Stop an import."""
    done = gettext("Stopped.")
    return _step(request, import_id, lambda by, _: import_cancel(by, import_id=import_id), done)


def _step(
    request: HttpRequest,
    import_id: UUID,
    work: Callable[[By, dict[str, Any]], Import],
    done: str = "",
    form: VersionForm | None = None,
    name: str = "step_form",
) -> HttpResponse:
    """Carry out a step of an import and go back to its page; a refusal is shown there."""
    page = partial(_page, request, import_id)
    to = reverse("instruments:import", args=[import_id])
    form = form or VersionForm(request.POST)
    return act(request, page, work, to=to, done=done, form=form, name=name)


@writes
def mapping_forget(request: HttpRequest, mapping_id: UUID) -> HttpResponse:
    mapping_delete(by_of(request), mapping_id=mapping_id)
    messages.success(request, gettext("Deleted. Imports that used it keep its values."))
    return redirect("instruments:imports")


@reads
def export(request: HttpRequest) -> HttpResponseBase:
    """Give all instruments of an organisation as a file."""
    by = by_of(request)
    organisation = organisation_by_code(request.GET.get("organisation", ""))
    format = request.GET.get("format", "")
    file = export_for(by.actor, organisation, format if format in FORMATS else "csv", by.now)
    answer = StreamingHttpResponse(file.content, content_type=file.media)
    answer["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return answer
