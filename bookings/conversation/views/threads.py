"""Conversations: reading, writing, proposing another time and answering one."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.csp import CSP
from django.utils.translation import gettext
from django.views.decorators.csp import csp_override

from accounts.domain.errors import NotPermitted, Refused
from accounts.permissions import actor_of
from accounts.views.pages import act, by_of, edits, reads, writes
from bookings.conversation.forms.threads import CommentForm
from bookings.conversation.models import Comment, ProposedTime
from bookings.conversation.selectors.subjects import SUBJECTS, subject_of
from bookings.conversation.selectors.threads import (
    asked_by,
    comment_by_id,
    comment_file_by_id,
    conversation_by_id,
    kind_of,
    proposal_by_id,
    thread_version,
    threads_waiting,
    with_subjects,
)
from bookings.conversation.services.comments import (
    comment_withdraw,
    comment_write,
    thread_read,
    thread_reopen,
    thread_resolve,
)
from bookings.conversation.services.proposals import (
    proposal_accept,
    proposal_decline,
    proposal_make,
)
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.forms.fields import local_moment
from bookings.reserving.forms.moves import MoveForm
from bookings.reserving.selectors.moves import load_move
from instruments.views.attachments import file_answer

UNCHANGED = 204  # htmx leaves the page as it is


@reads
def conversations(request: HttpRequest) -> HttpResponse:
    """What waits for an answer of the reader, the longest waiting first."""
    page = Paginator(threads_waiting(by_of(request).actor), 30).get_page(request.GET.get("page"))
    rows = with_subjects(page.object_list)  # type: ignore[arg-type]
    context = {"rows": rows, "page": page}
    return render(request, "bookings/conversation/conversations.html", context)


@reads
def conversation(request: HttpRequest, kind: str, subject_id: UUID) -> HttpResponse:
    """One by itself; asked for by htmx its comments, if they are not as they were `seen`."""
    if request.htmx:  # type: ignore[attr-defined]
        version = thread_version(actor_of(request.user), kind, subject_id)
        if request.GET.get("seen") == str(version):
            return HttpResponse(status=UNCHANGED)
    return _page(request, kind, subject_id)


@writes
def write(request: HttpRequest, kind: str, subject_id: UUID) -> HttpResponse:
    """Write a comment."""

    def work(by: Any, data: dict[str, Any]) -> Comment:
        files = [(file.name or "", file.read()) for file in data["file"]]
        return comment_write(
            by,
            kind=kind,
            subject_id=subject_id,
            text=data["text"],
            files=files,
            resolves=data["resolves"],
        )

    return act(
        request,
        partial(_page, request, kind, subject_id),
        work,
        to=partial(_address, request, kind, subject_id),
        form=CommentForm(request.POST, request.FILES),
    )


@writes
def resolve(request: HttpRequest, kind: str, subject_id: UUID) -> HttpResponse:
    """Nothing is left to answer, or (`act=reopen`) something is."""
    work = thread_reopen if request.POST.get("act") == "reopen" else thread_resolve
    return act(
        request,
        partial(_page, request, kind, subject_id),
        lambda by, _: work(by, kind=kind, subject_id=subject_id),
        to=partial(_address, request, kind, subject_id),
    )


@writes
def read(request: HttpRequest, kind: str, subject_id: UUID) -> HttpResponse:
    """The reader has it before them."""
    thread_read(by_of(request), kind=kind, subject_id=subject_id)
    return HttpResponse(status=UNCHANGED)


@writes
def withdraw(request: HttpRequest, comment_id: UUID) -> HttpResponse:
    """Take back what one wrote."""
    kind, subject_id = _subject_of(request, comment_id)
    return act(
        request,
        partial(_page, request, kind, subject_id),
        lambda by, _: comment_withdraw(by, comment_id=comment_id),
        to=partial(_address, request, kind, subject_id),
        done=gettext("Withdrawn."),
    )


@edits
def propose(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """The form of another time, with what moving there would come to; POST proposes it."""
    by = by_of(request)
    found = conversation_by_id(by.actor, "reservation", reservation_id, by.now, with_offer=False)
    if not found.may_move:
        raise NotPermitted
    booking = found.subject
    zone = booking.instrument.facility.zone
    initial = {
        "start": local_moment(booking.start_at, zone),
        "end": local_moment(booking.end_at, zone),
        "version": booking.version,
    }
    is_sent = request.method == "POST" or "end" in request.GET
    data = request.POST if request.method == "POST" else request.GET
    form = MoveForm(data if is_sent else None, zone=zone, initial=initial)

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        preview = None
        if form.is_bound and form.is_valid() and request.method == "GET":
            preview = load_move(
                by.actor, booking, form.period(), by.now, asked_by=asked_by(found.side)
            )
        late = refused.refusals if isinstance(refused, RulesRefuse) else ()
        context = {
            "conversation": found,
            "reservation": booking,
            "zone": zone.key,
            "form": form,
            "preview": preview,
            "refusals": (preview.refusals if preview else ()) or late,
            "refused": None if isinstance(refused, RulesRefuse) else refused,
        }
        return render(request, "bookings/conversation/propose.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: proposal_make(
            by, reservation_id=reservation_id, period=form.period(), text=data["reason"]
        ),
        to=partial(_address, request, "reservation", reservation_id),
        done=gettext("Proposed. It is not held until it is taken."),
        form=form,
    )


@writes
def answer(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Take the time that the other side proposes, or (`act=decline`) decline it."""
    by = by_of(request)
    _, booking, _ = proposal_by_id(by.actor, proposal_id, by.now)
    is_taken = request.POST.get("act") != "decline"
    work = proposal_accept if is_taken else proposal_decline

    def done(proposal: ProposedTime) -> str:
        return gettext("Moved.") if is_taken else gettext("Declined.")

    return act(
        request,
        partial(_page, request, "reservation", booking.pk),
        lambda by, _: work(by, proposal_id=proposal_id),
        to=partial(_address, request, "reservation", booking.pk),
        done=done,
    )


@reads
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
def file(request: HttpRequest, file_id: UUID, size: str) -> HttpResponseBase:
    """Give a file of a comment, for those who take part in its conversation."""
    row = comment_file_by_id(actor_of(request.user), file_id)
    answer = file_answer(request, row, size, row.title.rpartition(".")[0] or row.title)
    patch_cache_control(answer, private=True, no_cache=True)
    return answer


def _page(
    request: HttpRequest,
    kind: str,
    subject_id: UUID,
    *,
    status: int = 200,
    form: CommentForm | None = None,
    refused: Refused | None = None,
) -> HttpResponse:
    by = by_of(request)
    found = conversation_by_id(by.actor, kind, subject_id, by.now)
    subject = SUBJECTS[kind]
    context = {
        "conversation": found,
        "name": subject.name(found.subject),
        "back": subject.address(found.subject),
        "comment_form": form or CommentForm(),
        "refused": refused,
        "refusals": refused.refusals if isinstance(refused, RulesRefuse) else (),
    }
    template = "bookings/conversation/conversation.html"
    if request.htmx:  # type: ignore[attr-defined]
        template = "bookings/conversation/comments.html"
    return render(request, template, context, status=status)


def _address(request: HttpRequest, kind: str, subject_id: UUID, result: Any) -> str:
    subject, _ = subject_of(actor_of(request.user), kind, subject_id)
    return f"{SUBJECTS[kind].address(subject)}#conversation"


def _subject_of(request: HttpRequest, comment_id: UUID) -> tuple[str, UUID]:
    thread = comment_by_id(actor_of(request.user), comment_id).thread
    kind = kind_of(thread)
    return kind, getattr(thread, f"{kind}_id")
