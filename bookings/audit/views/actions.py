"""Pages of the actions agreed on findings, and the files of findings."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.csp import CSP
from django.utils.translation import gettext
from django.views.decorators.csp import csp_override

from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.views.pages import act, bare, by_of, reads, writes
from bookings.audit.forms.actions import AttachForm, DoneForm
from bookings.audit.models import AuditAction
from bookings.audit.selectors import actions as selectors
from bookings.audit.services.actions import action_done, finding_attach
from bookings.audit.views.audit import finding
from bookings.record.views.lists import ListPage
from instruments.attachments.views.attachments import file_answer


def _about(rows: list[Any], by: By) -> dict[str, Any]:
    return {"overdue": {row.pk for row in rows if selectors.is_action_overdue(row, by.now)}}


LIST = ListPage("bookings/audit/actions.html", selectors.ACTIONS, about=_about, size=50)


@reads
def actions(request: HttpRequest) -> HttpResponseBase:
    """List the actions on the findings that the reader may see."""
    return LIST.answer(request, by_of(request))


@writes
def attach(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    """Attach files to a finding."""

    def work(by: By, data: dict[str, Any]) -> Any:
        return finding_attach(by, finding_id=finding_id, files=_read(data))

    return act(
        request,
        partial(bare(finding), request, finding_id),
        work,
        to=reverse("bookings:finding", args=[finding_id]) + "#files",
        done=gettext("Attached."),
        form=AttachForm(request.POST, request.FILES),
        name="attach_form",
    )


@writes
def done(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """Report an action as done, with files."""
    finding_id = selectors.action_for(actor_of(request.user), action_id).finding_id

    def work(by: By, data: dict[str, Any]) -> AuditAction:
        return action_done(by, action_id=action_id, note=data["note"], files=_read(data))

    return act(
        request,
        partial(bare(finding), request, finding_id, about=action_id),
        work,
        to=reverse("bookings:finding", args=[finding_id]) + "#actions",
        done=gettext("Noted. The auditor has been told."),
        form=DoneForm(request.POST, request.FILES),
        name="done_form",
    )


@reads
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
def file(request: HttpRequest, file_id: UUID, size: str) -> HttpResponseBase:
    """Send a file of a finding to those who may see the finding."""
    row = selectors.file_for(actor_of(request.user), file_id)
    answer = file_answer(request, row, size, row.title.rpartition(".")[0] or row.title)
    patch_cache_control(answer, private=True, no_cache=True)
    return answer


def _read(data: dict[str, Any]) -> list[tuple[str, bytes]]:
    return [(file.name or "", file.read()) for file in data["file"]]
