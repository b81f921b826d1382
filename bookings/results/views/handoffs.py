"""Pages of results: the lists of both sides, one delivery, its uploads, and an instrument's terms."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.views.pages import act, bare, by_of, edits, reads, sent, shown, writes
from bookings.record.views.lists import ListPage
from bookings.results.domain.handoffs import AWAITED, OPEN
from bookings.results.forms import handoffs
from bookings.results.forms.collecting import collecting_forms
from bookings.results.models import HandOff
from bookings.results.selectors import handoffs as handoff_selectors
from bookings.results.selectors.collecting import load_collecting
from bookings.results.services import uploads
from bookings.results.services.handoffs import hand_off_make, result_terms_set, storage_set
from instruments.register.selectors.registry import instrument_to_manage

SHOWN_FILES = 200


def _row(hand_off: HandOff, by: By) -> HandOff:
    hand_off.is_overdue = hand_off.state in AWAITED and hand_off.due_at <= by.now  # type: ignore[attr-defined]
    return hand_off


LIST = ListPage("bookings/results/results.html", handoff_selectors.RESULTS, shown=_row)


@reads
def results(request: HttpRequest) -> HttpResponseBase:
    """List results of the reader's own bookings, and of those their organisation pays or hosts."""
    by = by_of(request)
    return LIST.answer(
        request,
        by,
        is_host=bool(by.actor.scope_where("operate-instruments")),
        keeps_storage=handoff_selectors.storages_for(by.actor).exists(),
    )


@reads
def result(request: HttpRequest, hand_off_id: UUID, status: int = 200, **forms: Any) -> HttpResponse:
    """Show a delivery: its files, its state, and what can be done with it."""
    by = by_of(request)
    hand_off = _row(handoff_selectors.hand_off_by_id(by.actor, hand_off_id), by)
    is_host = handoff_selectors.hands_over(by.actor, hand_off)
    files = handoff_selectors.files_for(by.actor, hand_off)
    some = list(files[: SHOWN_FILES + 1])
    version = {"version": hand_off.version}
    return shown(
        request,
        "bookings/results/result.html",
        status=status,
        **{
            "hand_off": hand_off,
            "booking": hand_off.reservation,
            "zone": hand_off.reservation.instrument.facility.time_zone,
            "is_host": is_host,
            "collects": handoff_selectors.collects(by.actor, hand_off),
            "sees_files": handoff_selectors.sees_files(by.actor, hand_off),
            "files": some[:SHOWN_FILES],
            "file_count": files.count() if len(some) > SHOWN_FILES else len(some),
            "is_open": is_host and hand_off.state in OPEN,
            "release_form": handoffs.ReleaseForm(initial=version),
            "point_form": handoffs.PointForm(initial=version),
            "withdraw_form": handoffs.WithdrawForm(initial=version),
            "most_bytes": settings.RESULTS_MOST_BYTES,
            **load_collecting(by.actor, hand_off, by.now),
            **handoff_selectors.load_again(by.actor, hand_off),
            **collecting_forms(hand_off, some[:SHOWN_FILES]),
            **forms,
        },
    )


def acted(
    request: HttpRequest,
    hand_off_id: UUID,
    work: Callable[[By, dict[str, Any]], Any],
    done: str,
    form: Form | None = None,
    name: str = "",
    part: str = "",
) -> HttpResponse:
    """Carry out an act, show `done`, and go back to the page of the delivery, at its `part`. A refusal is
    shown there, errors in the form in the form called `name`."""
    shows = partial(bare(result), request, hand_off_id)
    to = reverse("bookings:result", args=[hand_off_id]) + part
    return act(request, shows, work, to=to, done=done, form=form, name=name)


@writes
def file_remove(request: HttpRequest, hand_off_id: UUID, file_id: UUID) -> HttpResponse:
    """Remove a file before the delivery is sealed."""
    return acted(
        request,
        hand_off_id,
        lambda by, _: uploads.file_remove(by, file_id=file_id),
        gettext("The file is removed."),
    )


@reads
def upload(request: HttpRequest, hand_off_id: UUID) -> HttpResponse:
    """Upload files and folders for a delivery with the browser; interrupted uploads are resumed."""
    by = by_of(request)
    hand_off = handoff_selectors.hand_off_to_fill(by.actor, hand_off_id)
    # Only the site's own address may be used for uploads there.
    is_ours = request.build_absolute_uri("/") == f"{settings.SITE_URL}/"
    return render(
        request,
        "bookings/results/upload.html",
        {
            "hand_off": hand_off,
            "booking": hand_off.reservation,
            "zone": hand_off.reservation.instrument.facility.time_zone,
            "code": hand_off.reservation_id.hex[-8:],
            "is_open": hand_off.state in OPEN,
            "uploads_at": settings.UPLOADS_URL if is_ours else "",
            "most_bytes": settings.RESULTS_MOST_BYTES,
        },
    )


@writes
def announce(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Announce results of a booking, and open their page."""
    made = hand_off_make(by_of(request), reservation_id=reservation_id)
    return redirect("bookings:result", made.pk)


@edits
def terms(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Set the terms for an instrument's results."""
    row = handoff_selectors.terms_of(instrument_id)
    initial = {"due_days": row.due_days, "keep_days": row.keep_days, "modes": row.modes}

    def page(**context: Any) -> HttpResponse:
        instrument = instrument_to_manage(actor_of(request.user), instrument_id)
        return shown(request, "bookings/results/terms.html", instrument=instrument, **context)

    return act(
        request,
        page,
        lambda by, data: result_terms_set(by, instrument_id=instrument_id, **data),
        to=reverse("bookings:result-terms", args=[instrument_id]),
        done=gettext("Saved."),
        form=handoffs.TermsForm(sent(request), initial=initial),
    )


@reads
def storage(request: HttpRequest) -> HttpResponse:
    """Show how much storage hosts use, and their limits."""
    return _storage(request)


def _storage(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
    by = by_of(request)
    rows = list(handoff_selectors.storages_for(by.actor)[:500])
    if not rows and not by.actor.has("administrator"):
        raise NotPermitted(capability="administer")
    for row in rows:
        quota = settings.RESULTS_QUOTA if row.quota is None else row.quota
        row.most, row.quota_gb = quota, row.quota and row.quota // handoffs.GIGABYTE  # type: ignore[attr-defined]
    context |= {"rows": rows, "sets": by.actor.has("administrator")}
    return render(request, "bookings/results/storage.html", context, status=status)


@writes
def storage_change(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Set how much a host may store."""
    form = handoffs.StorageForm(request.POST)
    return act(
        request,
        partial(_storage, request),
        lambda by, _: storage_set(by, organisation_id=organisation_id, quota=form.quota_bytes()),
        to=reverse("bookings:result-storage"),
        done=gettext("Saved."),
        form=form,
    )
