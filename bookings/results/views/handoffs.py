"""Results: the lists of both sides, one hand-off, its uploads, and what a host promises."""

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
from accounts.views.pages import act, by_of, edits, reads, sent, shown, writes
from bookings.record.adapters.figures import Cell
from bookings.record.views.bookings import WORDS
from bookings.record.views.lists import ListPage
from bookings.results.domain.handoffs import AWAITED, OPEN, may
from bookings.results.forms.collecting import collecting_forms
from bookings.results.forms.handoffs import (
    GIGABYTE,
    FilterForm,
    PointForm,
    ReleaseForm,
    StorageForm,
    TermsForm,
    WithdrawForm,
)
from bookings.results.models import HandOff
from bookings.results.selectors.collecting import load_collecting
from bookings.results.selectors.handoffs import (
    collects,
    files_for,
    hand_off_by_id,
    hand_off_to_fill,
    hand_offs_for,
    hand_offs_of,
    hands_over,
    overdue,
    sees_files,
    storages_for,
    terms_of,
    with_sizes,
)
from bookings.results.services import uploads
from bookings.results.services.handoffs import (
    hand_off_make,
    hand_off_point,
    hand_off_release,
    hand_off_seal,
    hand_off_withdraw,
    result_terms_set,
    storage_set,
)
from instruments.selectors.managing import instrument_to_manage

SHOWN_FILES = 200


def _row(hand_off: HandOff, by: By) -> HandOff:
    hand_off.is_overdue = hand_off.state in AWAITED and hand_off.due_at <= by.now  # type: ignore[attr-defined]
    return hand_off


HEADS = (
    "result", "booking", "instrument", "start", "person", "payer", "state", "due", "kept_until",
    "files", "bytes",
)  # fmt: skip


def _cells(row: HandOff, by: By) -> tuple[Cell, ...]:
    booking = row.reservation
    return (
        str(row.pk),
        str(booking.pk),
        booking.instrument.name,
        booking.start_at.isoformat(),
        str(booking.user),
        booking.organisation.code,
        row.state,
        row.due_at.isoformat(),
        row.retain_until.isoformat() if row.retain_until else "",
        row.file_count,  # type: ignore[attr-defined]
        row.bytes_total,  # type: ignore[attr-defined]
    )


LIST = ListPage(
    "bookings/results/results.html",
    hand_offs_for,
    shown=_row,
    sheet=("results", HEADS, _cells),
    words=tuple(f"reservation__{name}" for name in WORDS),
    day="reservation__start_at",
    sorts={0: "reservation__start_at", 1: "reservation__user__name", 2: "due_at", 3: "bytes_total"},
)


@reads
def results(request: HttpRequest) -> HttpResponseBase:
    """Results of one's own bookings, and of those one's organisation pays or hosts."""
    by = by_of(request)
    form = FilterForm(request.GET)
    form.is_valid()
    rows = hand_offs_of(LIST.rows(by.actor), form.cleaned_data)
    if form.cleaned_data.get("overdue"):
        rows = rows.filter(overdue(by.now)).order_by("due_at", "id")
    return LIST.answer(
        request,
        by,
        with_sizes(rows),
        form=form,
        is_filtered=any(form.cleaned_data.values()),
        is_host=bool(by.actor.organisations_where("manage-instruments")),
        keeps_storage=storages_for(by.actor).exists(),
    )


@reads
def result(request: HttpRequest, hand_off_id: UUID) -> HttpResponse:
    """One hand-off: its files, where it stands, and what can be done with it."""
    return page(request, hand_off_id)


def page(request: HttpRequest, hand_off_id: UUID, status: int = 200, **forms: Any) -> HttpResponse:
    by = by_of(request)
    hand_off = _row(hand_off_by_id(by.actor, hand_off_id), by)
    is_host = hands_over(by.actor, hand_off)
    files = files_for(by.actor, hand_off)
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
            "collects": collects(by.actor, hand_off),
            "sees_files": sees_files(by.actor, hand_off),
            "files": some[:SHOWN_FILES],
            "file_count": files.count() if len(some) > SHOWN_FILES else len(some),
            "is_open": is_host and hand_off.state in OPEN,
            "may_release": is_host and may(hand_off.state, "release"),
            "may_point": is_host and may(hand_off.state, "point"),
            "may_withdraw": is_host and may(hand_off.state, "withdraw"),
            "release_form": ReleaseForm(initial=version),
            "point_form": PointForm(initial=version),
            "withdraw_form": WithdrawForm(initial=version),
            "most_bytes": settings.RESULTS_MOST_BYTES,
            **load_collecting(by.actor, hand_off, by.now),
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
    """Carry out an act, say `done`, and go back to the page of the hand-off, to its `part`; a
    refusal is shown there, what is wrong with the form as `name`."""
    shows = partial(page, request, hand_off_id)
    to = reverse("bookings:result", args=[hand_off_id]) + part
    return act(request, shows, work, to=to, done=done, form=form, name=name)


@writes
def seal(request: HttpRequest, hand_off_id: UUID) -> HttpResponse:
    """Seal what was uploaded."""
    return acted(
        request,
        hand_off_id,
        lambda by, _: hand_off_seal(by, hand_off_id=hand_off_id),
        gettext("The files are sealed."),
    )


@writes
def file_remove(request: HttpRequest, hand_off_id: UUID, file_id: UUID) -> HttpResponse:
    """Take a file away before it is sealed."""
    return acted(
        request,
        hand_off_id,
        lambda by, _: uploads.file_remove(by, file_id=file_id),
        gettext("The file is removed."),
    )


@writes
def release(request: HttpRequest, hand_off_id: UUID) -> HttpResponse:
    """Let those whom they are for collect them."""
    return acted(
        request,
        hand_off_id,
        lambda by, data: hand_off_release(by, hand_off_id=hand_off_id, note=data["note"]),
        gettext("The results are released."),
        ReleaseForm(request.POST),
        "release_form",
    )


@writes
def point(request: HttpRequest, hand_off_id: UUID) -> HttpResponse:
    """Say where results lie that stay with the host."""
    return acted(
        request,
        hand_off_id,
        lambda by, data: hand_off_point(
            by,
            hand_off_id=hand_off_id,
            **{name: value for name, value in data.items() if name != "version"},
        ),
        gettext("Saved. Those whom the results are for are told where they lie."),
        PointForm(request.POST),
        "point_form",
    )


@writes
def withdraw(request: HttpRequest, hand_off_id: UUID) -> HttpResponse:
    """Take results back."""
    return acted(
        request,
        hand_off_id,
        lambda by, data: hand_off_withdraw(by, hand_off_id=hand_off_id, reason=data["reason"]),
        gettext("The results are withdrawn."),
        WithdrawForm(request.POST),
        "withdraw_form",
    )


@reads
def upload(request: HttpRequest, hand_off_id: UUID) -> HttpResponse:
    """Files and folders for a hand-off, sent by the browser; what broke off goes on."""
    by = by_of(request)
    hand_off = hand_off_to_fill(by.actor, hand_off_id)
    # Only the site's own address may ask there.
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
    """Announce results of a booking, and go on to them."""
    made = hand_off_make(by_of(request), reservation_id=reservation_id)
    return redirect("bookings:result", made.pk)


@edits
def terms(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """What is promised of an instrument's results."""
    by = by_of(request)
    instrument = instrument_to_manage(by.actor, instrument_id)
    row = terms_of(instrument_id)
    initial = {"due_days": row.due_days, "keep_days": row.keep_days, "modes": row.modes}
    return act(
        request,
        partial(shown, request, "bookings/results/terms.html", instrument=instrument),
        lambda by, data: result_terms_set(by, instrument_id=instrument_id, **data),
        to=reverse("bookings:result-terms", args=[instrument_id]),
        done=gettext("Saved."),
        form=TermsForm(sent(request), initial=initial),
    )


@reads
def storage(request: HttpRequest) -> HttpResponse:
    """How much hosts keep, and may."""
    return _storage(request)


def _storage(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
    by = by_of(request)
    rows = list(storages_for(by.actor)[:500])
    if not rows and not by.actor.has("administrator"):
        raise NotPermitted(capability="administer")
    for row in rows:
        quota = settings.RESULTS_QUOTA if row.quota is None else row.quota
        row.most, row.quota_gb = quota, row.quota and row.quota // GIGABYTE  # type: ignore[attr-defined]
    context |= {"rows": rows, "sets": by.actor.has("administrator")}
    return render(request, "bookings/results/storage.html", context, status=status)


@writes
def storage_change(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Say how much a host may keep."""
    form = StorageForm(request.POST)
    return act(
        request,
        partial(_storage, request),
        lambda by, _: storage_set(by, organisation_id=organisation_id, quota=form.quota_bytes()),
        to=reverse("bookings:result-storage"),
        done=gettext("Saved."),
        form=form,
    )
