"""Pages of imports and exports: what an import will do, its progress, and its outcome."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from accounts.domain.errors import NotPermitted, Refused
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.organisations import organisation_by_code, organisations
from accounts.views.pages import act, bare, by_of, edits, reads, sent, writes
from instruments.exchange.adapters.table import load_entries, own_mappings
from instruments.exchange.domain.mappings import LONGEST_NAME
from instruments.exchange.forms.imports import ColumnsForm, ImportForm, ReadAgainForm, TermsForm
from instruments.exchange.messages import FIELD_LABELS, file_sentence
from instruments.exchange.models import Import
from instruments.exchange.selectors import imports as import_selectors
from instruments.exchange.selectors.exports import FORMATS, TEMPLATES, Export, export_for, template_for
from instruments.exchange.selectors.terms import names_in, terms_for
from instruments.exchange.selectors.undoing import load_undoing
from instruments.exchange.services.jobs import import_map, import_start, import_terms
from instruments.reading.domain.delimited import FileRefused
from instruments.reading.forms.fields import StyledForm

PAGE = 50
MOST_TERMS = 200  # remembered values on one page
AT_WORK = (Import.State.READING, Import.State.APPLYING, Import.State.UNDOING)


@edits
def imports(request: HttpRequest, **shown: Any) -> HttpResponse:
    """List the imports; POST starts one with an uploaded file."""
    actor = actor_of(request.user)
    own = actor.organisations_where("manage-instruments")
    if not own:
        raise NotPermitted(capability="manage-instruments")
    choices = list(organisations().filter(pk__in=own, closed_at=None))
    saved = list(import_selectors.mappings_for(actor))
    data = None if shown else sent(request)
    form = ImportForm(data, request.FILES or None, organisations=choices, mappings=saved, own=own_mappings())

    def page(status: int = 200, refused: Refused | None = None, **context: Any) -> HttpResponse:
        refused = _at_form(form, "file", refused)
        rows = import_selectors.imports_for(actor).order_by("-created_at", "-pk")
        context |= {
            "refused": refused,
            "saved": saved,
            "terms": terms_for(actor)[:MOST_TERMS],
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

    if shown:
        return page(form=form, **shown)
    return act(request, page, start, to=lambda job: reverse("instruments:import", args=[job.pk]), form=form)


@reads
def one(
    request: HttpRequest,
    import_id: UUID,
    *,
    form: ColumnsForm | None = None,
    again_form: ReadAgainForm | None = None,
    terms_form: TermsForm | None = None,
    refused: Refused | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """Show how far an import is, and row by row what it will do, or did."""
    job = import_selectors.import_by_id(actor_of(request.user), import_id)
    result = request.GET.get("result", "")
    if form is not None:
        refused = _at_form(form, None, refused)
    if job.state == Import.State.UNMAPPED and form is None:
        name = job.mapping_name or job.file_name.rpartition(".")[0][:LONGEST_NAME]
        before = import_selectors.mapping_before(job)
        form = ColumnsForm(
            columns=job.columns,
            name=name,
            facility=job.facility,
            facilities=import_selectors.facility_names(job),
            before=before,
        )
    if job.state == Import.State.READY and job.unknown_values and terms_form is None:
        terms_form = _terms_form(job)
    page = Paginator(import_selectors.rows_of(job, result), PAGE).get_page(request.GET.get("page"))
    context |= {
        "job": job,
        "form": form,
        "terms_form": terms_form,
        "refused": refused,
        "result": result,
        "is_at_work": job.state in AT_WORK,
        "again_form": again_form
        or ReadAgainForm(
            initial={"encoding": job.encoding, "header_row": job.header_row or None, "version": job.version}
        ),
        "percent": _percent(job),
        "drafts": import_selectors.drafts_of(job).count() if job.state == Import.State.DONE else 0,
        "page": page,
        "facilities": import_selectors.facility_names(job) if job.state == Import.State.READY else None,
        "techniques": import_selectors.techniques_in(page.object_list),
    }
    template = "instruments/import.html"
    if getattr(request, "htmx", False):
        template = "instruments/import_state.html"
    return render(request, template, context, status=status)


def _at_form(form: StyledForm, field: str | None, refused: Refused | None) -> Refused | None:
    """Show in the form why its file was refused and return None; return any other refusal unchanged."""
    if not isinstance(refused, FileRefused):
        return refused
    form.add_error(field, file_sentence(refused.code, refused.numbers))
    return None


def _percent(job: Import) -> int:
    """Return how much of an import's current pass is done, in percent."""
    match job.state:
        case Import.State.READING:
            done, whole = job.read_bytes, job.size
        case Import.State.UNDOING:
            done, whole = job.read_rows - job.done_rows, job.read_rows
        case _:
            done, whole = job.done_rows, job.read_rows
    return min(100, done * 100 // whole) if whole else 0


@writes
def columns(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Save which column fills which field, and have the table read."""
    job = import_selectors.import_by_id(actor_of(request.user), import_id)
    names = import_selectors.facility_names(job)
    form = ColumnsForm(request.POST, columns=job.columns, name="", facilities=names)
    return act(
        request,
        partial(bare(one), request, import_id),
        lambda by, data: import_map(
            by,
            import_id=import_id,
            mapping=form.mapping(import_selectors.delimiter_of(job)),
            name=data["name"],
            facility=data["facility"],
        ),
        to=reverse("instruments:import", args=[import_id]),
        form=form,
    )


def _terms_form(job: Import, data: Any = None) -> TermsForm:
    fields = {each["field"] for each in job.unknown_values}
    terms = {field: names_in(job.organisation, field) for field in sorted(fields)}
    return TermsForm(data, unknown=job.unknown_values, terms=terms, version=job.version)


@writes
def terms(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Save what unknown values mean, and have the file read again with that."""
    job = import_selectors.import_by_id(actor_of(request.user), import_id)
    form = _terms_form(job, request.POST)
    return act(
        request,
        partial(bare(one), request, import_id),
        lambda by, data: import_terms(by, import_id=import_id, terms=form.chosen()),
        to=reverse("instruments:import", args=[import_id]),
        form=form,
        name="terms_form",
    )


@reads
def undo(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show what undoing an import would delete and put back, and what must stay and why."""
    job = import_selectors.import_by_id(actor_of(request.user), import_id)
    context = {"job": job, "undoing": load_undoing(job)}
    return render(request, "instruments/import_undo.html", context)


@reads
def export(request: HttpRequest) -> HttpResponseBase:
    """Return all instruments of an organisation as a file."""
    by = by_of(request)
    organisation = organisation_by_code(request.GET.get("organisation", ""))
    format = request.GET.get("format", "")
    return _sent(export_for(by.actor, organisation, format if format in FORMATS else "csv", by.now))


@reads
def template(request: HttpRequest) -> HttpResponseBase:
    """Return a table to fill in with an organisation's instruments."""
    organisation = organisation_by_code(request.GET.get("organisation", ""))
    format = request.GET.get("format", "")
    actor = actor_of(request.user)
    return _sent(template_for(actor, organisation, format if format in TEMPLATES else "csv", FIELD_LABELS))


def _sent(file: Export) -> HttpResponseBase:
    answer = StreamingHttpResponse(file.content, content_type=file.media)
    answer["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return answer
