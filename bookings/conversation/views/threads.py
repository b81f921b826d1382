"""Pages of conversations: read and write them, propose another time, and answer a proposal."""

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
from accounts.views.pages import act, by_of, chooses, edits, is_part, reads, writes
from bookings.conversation.forms.threads import CommentForm
from bookings.conversation.models import Comment, ProposedTime
from bookings.conversation.selectors import threads
from bookings.conversation.selectors.subjects import SUBJECTS, subject_of
from bookings.conversation.services import comments
from bookings.conversation.services.proposals import proposal_accept, proposal_decline, proposal_make
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.forms.fields import local_moment
from bookings.reserving.forms.moves import MoveForm
from bookings.reserving.selectors.moves import load_move
from instruments.attachments.views.attachments import file_answer

UNCHANGED = 204  # htmx leaves the page as it is


@reads
def conversations(request: HttpRequest) -> HttpResponse:
    """List the conversations that wait for the reader's answer, the longest waiting first."""
    page = Paginator(threads.threads_waiting(by_of(request).actor), 30).get_page(request.GET.get("page"))
    rows = threads.with_subjects(page.object_list)  # type: ignore[arg-type]
    context = {"rows": rows, "page": page}
    return render(request, "bookings/conversation/conversations.html", context)


@reads
def conversation(request: HttpRequest, kind: str, subject_id: UUID) -> HttpResponse:
    """Show a conversation on a page of its own. htmx gets only its comments, or nothing if they are unchanged
    since the version `seen`."""
    if request.htmx:  # type: ignore[attr-defined]
        version = threads.thread_version(actor_of(request.user), kind, subject_id)
        if request.GET.get("seen") == str(version):
            return HttpResponse(status=UNCHANGED)
    return _page(request, kind, subject_id)


@writes
def write(request: HttpRequest, kind: str, subject_id: UUID) -> HttpResponse:
    """Write a comment."""

    def work(by: Any, data: dict[str, Any]) -> Comment:
        files = [(file.name or "", file.read()) for file in data["file"]]
        return comments.comment_write(
            by, kind=kind, subject_id=subject_id, text=data["text"], files=files, resolves=data["resolves"]
        )

    return act(
        request,
        partial(_page, request, kind, subject_id),
        work,
        to=partial(_address, request, kind, subject_id),
        form=CommentForm(request.POST, request.FILES),
    )


@writes
@chooses("resolve", "reopen")
def resolve(request: HttpRequest, kind: str, subject_id: UUID, choice: str) -> HttpResponse:
    """Resolve a conversation, or reopen it."""
    work = comments.thread_reopen if choice == "reopen" else comments.thread_resolve
    return act(
        request,
        partial(_page, request, kind, subject_id),
        lambda by, _: work(by, kind=kind, subject_id=subject_id),
        to=partial(_address, request, kind, subject_id),
    )


@writes
def read(request: HttpRequest, kind: str, subject_id: UUID) -> HttpResponse:
    """Mark a conversation as read by the reader up to now."""
    comments.thread_read(by_of(request), kind=kind, subject_id=subject_id)
    return HttpResponse(status=UNCHANGED)


@writes
def withdraw(request: HttpRequest, comment_id: UUID) -> HttpResponse:
    """Withdraw a comment of the reader's own."""

    def page(**context: Any) -> HttpResponse:
        return _page(
            request, *_subject_of(threads.comment_by_id(actor_of(request.user), comment_id)), **context
        )

    return act(
        request,
        page,
        lambda by, _: comments.comment_withdraw(by, comment_id=comment_id),
        to=lambda comment: _address(request, *_subject_of(comment), comment),
        done=gettext("Withdrawn."),
    )


@edits
def propose(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Show the form for proposing another time, with what moving there would cost; POST proposes it. htmx
    gets only the cost."""
    by = by_of(request)
    found = threads.conversation_by_id(by.actor, "reservation", reservation_id, by.now, with_offer=False)
    if not found.may_move:
        raise NotPermitted
    booking = found.subject
    zone = booking.instrument.facility.zone
    present = Period(booking.start_at, booking.end_at)
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
        if form.is_bound and form.is_valid() and form.period() != present:
            preview = load_move(
                by.actor, booking, form.period(), by.now, asked_by=threads.asked_by(found.side)
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
        template = "bookings/conversation/propose.html"
        if is_part(request, "preview"):
            template += "#preview"
        return render(request, template, context, status=status)

    return act(
        request,
        page,
        lambda by, data: proposal_make(
            by, reservation_id=reservation_id, period=form.period(), text=data["reason"]
        ),
        to=partial(_address, request, "reservation", reservation_id),
        done=gettext("Proposed. The time is not held until it is accepted."),
        form=form,
    )


@writes
@chooses("accept", "decline")
def answer(request: HttpRequest, proposal_id: UUID, choice: str) -> HttpResponse:
    """Accept the time that the other side proposes, or decline it."""
    by = by_of(request)
    _, booking, _ = threads.proposal_by_id(by.actor, proposal_id, by.now)
    is_taken = choice == "accept"
    work = proposal_accept if is_taken else proposal_decline

    was_requested = booking.state == "requested"

    def done(proposal: ProposedTime) -> str:
        if not is_taken:
            return gettext("Declined.")
        return gettext("Moved and confirmed.") if was_requested else gettext("Moved.")

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
    """Send a file of a comment to participants of its conversation."""
    row = threads.comment_file_by_id(actor_of(request.user), file_id)
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
    found = threads.conversation_by_id(by.actor, kind, subject_id, by.now)
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


def _subject_of(comment: Comment) -> tuple[str, UUID]:
    kind = threads.kind_of(comment.thread)
    return kind, getattr(comment.thread, f"{kind}_id")
