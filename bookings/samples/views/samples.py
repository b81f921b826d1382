"""Samples: one's own, one of them with its steps, and the queue of a host's staff."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.csp import CSP
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csp import csp_override

from accounts.domain.errors import Invalid, NotFound, Refused, invalid
from accounts.domain.roles import By
from accounts.letters.words import named
from accounts.permissions import require_somewhere
from accounts.selectors.memberships import organisations_of, place_of
from accounts.selectors.rows import as_uuid
from accounts.views.pages import act, by_of, edits, reads, sent, shown, writes
from bookings.record.adapters.figures import Cell
from bookings.record.adapters.labels import LAYOUTS, label_sheet
from bookings.record.messages import sentence
from bookings.record.models import Reservation
from bookings.record.views.lists import ListPage
from bookings.samples.domain import samples as rules
from bookings.samples.forms.samples import (
    HOST_STEPS,
    STATES,
    JoinForm,
    LabelsForm,
    QueueForm,
    SampleForm,
    StepForm,
)
from bookings.samples.models import SampleItem
from bookings.samples.selectors import samples as selectors
from bookings.samples.selectors.labels import load_labels
from bookings.samples.services.joining import sample_leave, samples_join
from bookings.samples.services.samples import (
    photo_add,
    photo_delete,
    sample_announce,
    sample_change,
    samples_step,
)
from instruments.adapters.files import SIZES, file_open
from instruments.adapters.pictures import MEDIA_TYPE
from instruments.domain.attachments import PHOTO
from instruments.selectors.registry import managed_instruments

HEADS = (
    "code", "name", "person", "organisation", "state", "hazards", "afterwards", "announced",
)  # fmt: skip


def _cells(row: SampleItem, by: By) -> tuple[Cell, ...]:
    return (
        row.code,
        row.name,
        str(row.user),
        row.organisation.code,
        row.state,
        ", ".join(row.hazards),
        row.afterwards,
        row.created_at.isoformat(),
    )


SHEET = ("samples", HEADS, _cells)
WORDS = (
    "name", "code", "description", "user__name", "organisation__name", "organisation__name_zh",
)  # fmt: skip
SORTS = {0: "name", 1: "state"}
OWN = ListPage(
    "bookings/samples/samples.html",
    lambda actor: selectors.with_bookings(selectors.owned_samples(actor)),
    size=50,
    sheet=SHEET,
    words=WORDS,
    day="created_at",
    sorts=SORTS,
)
QUEUE = ListPage(
    "bookings/samples/queue.html",
    selectors.hosted_samples,
    waits={
        "due": selectors.due,
        "arriving": selectors.arriving,
        "here": selectors.here,
        "return": selectors.to_return,
    },
    size=50,
    sheet=SHEET,
    words=WORDS,
    day="created_at",
    sorts=SORTS,
)
TABS = {
    "due": _("Due within a week"),
    "arriving": _("Announced and on the way"),
    "here": _("Here"),
    "return": _("To be returned"),
    "": _("All samples"),
}


def says(refused: Refused) -> dict[str, Any]:
    """A refusal in words, with every rule that refuses."""
    every: Any = getattr(refused, "refusals", [refused])
    if isinstance(refused, Invalid):
        every = refused.problems
    return {"problem": " ".join(sentence(each.code, each.numbers) for each in every)}


@reads
def samples(request: HttpRequest) -> HttpResponseBase:
    """One's own and one's organisation's; a code that was typed or scanned leads to its sample."""
    by, problem = by_of(request), ""
    if typed := request.GET.get("code", "").strip()[:200]:
        try:
            found = selectors.sample_by_code(by.actor, typed)
        except Invalid as refused:
            problem = says(refused)["problem"]
        except NotFound:
            problem = gettext("There is no such sample among those you see.")
        else:
            return redirect("bookings:sample-item", code=found.code)
    return OWN.answer(
        request,
        by,
        OWN.rows(by.actor),
        labels=LabelsForm(),
        typed=typed,
        problem=problem,
        may_announce=_may_announce(by),
    )


def _may_announce(by: By) -> bool:
    return any(by.actor.may("book", place_of(one)) for one in organisations_of(by.actor))


@reads
def queue(request: HttpRequest) -> HttpResponseBase:
    return _queue(request)


def _queue(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponseBase:
    """What was announced, is due, is here, is to go back: of instruments that one manages."""
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    managed = list(managed_instruments(by.actor))
    form = QueueForm(
        request.GET,
        facilities={one.facility_id: one.facility for one in managed}.values(),
        instruments=managed,
    )
    form.is_valid()
    facility, instrument = (
        as_uuid(form.cleaned_data.get(name, "")) for name in ("facility", "instrument")
    )
    waits, rows = QUEUE.chosen(request, by)
    rows = selectors.on_instrument(rows, facility, instrument)
    query = {n: v for n in ("facility", "instrument") if (v := request.GET.get(n))}
    context = {
        "form": form,
        "is_filtered": bool(query),
        "steps": StepForm(states=HOST_STEPS),
        "labels": LabelsForm(),
        "waits": waits,
        "tabs": [
            {
                "url": reverse("bookings:sample-queue", query=query | ({"waits": w} if w else {})),
                "label": label,
                "is_here": w == waits,
            }
            for w, label in TABS.items()
        ],
        "hosts": by.actor.organisations_where("manage-instruments"),
        **context,
    }
    answer = QUEUE.answer(request, by, selectors.with_bookings(rows), **context)
    answer.status_code = status
    return answer


@writes
def step_many(request: HttpRequest) -> HttpResponseBase:
    """Make the same step of all that are ticked: all or none."""

    def work(by: By, data: dict[str, Any]) -> list[SampleItem]:
        return samples_step(by, sample_ids=_ticked(request), step=form.step())

    def done(rows: list[SampleItem]) -> str:
        text = ngettext("{n} sample: {state}.", "{n} samples: {state}.", len(rows))
        return text.format(n=len(rows), state=rows[0].get_state_display())

    form = StepForm(request.POST, states=HOST_STEPS)
    return act(
        request,
        partial(_queue, request),
        work,
        to=reverse("bookings:sample-queue", query=request.GET),
        done=done,
        form=form,
        name="steps",
        shows=says,
    )


def _ticked(request: HttpRequest) -> list[UUID]:
    """The samples that are ticked; `Invalid` for what is no id."""
    given = request.POST.getlist("sample") or request.GET.getlist("sample")
    ids = [as_uuid(text) for text in given]
    if None in ids:
        raise invalid("sample", "not-an-id")
    return [pk for pk in ids if pk is not None]


@edits
def labels(request: HttpRequest) -> HttpResponse:
    """The labels of samples as PDF, to be printed."""
    by = by_of(request)
    form = LabelsForm(request.POST or request.GET)
    try:
        if not form.is_valid():
            raise invalid("layout", "unknown-value")
        rows = load_labels(by.actor, _ticked(request))
    except Invalid as refused:
        messages.error(request, says(refused)["problem"])
        return redirect("bookings:sample-items")
    data = form.cleaned_data
    content = label_sheet(
        rows,
        LAYOUTS[data["layout"]],
        start=data["start"] or 1,
        title=gettext("Labels of samples"),
    )
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = 'inline; filename="labels.pdf"'
    return answer


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Announce a sample, or several of a kind; for a booking, where the address names one."""
    by = by_of(request)
    choices = [one for one in organisations_of(by.actor) if by.actor.may("book", place_of(one))]
    booking = None
    if pk := as_uuid(request.GET.get("booking", "")):
        booking = selectors.bookings_to_join(by.actor, by.now).filter(pk=pk).first()
        if booking is None:
            raise NotFound
    form = SampleForm(sent(request), organisations=choices)

    def to(made: list[SampleItem]) -> str:
        if booking is not None:
            return reverse("bookings:reservation", args=[booking.pk])
        if len(made) > 1:
            return reverse("bookings:sample-items")
        return reverse("bookings:sample-item", args=[made[0].code])

    return act(
        request,
        partial(
            shown,
            request,
            "bookings/samples/edit.html",
            booking=booking,
            may_announce=bool(choices),
        ),
        lambda by, data: sample_announce(
            by,
            values=form.values(),
            organisation=data.get("organisation") or (choices[0].code if choices else None),
            number=data.get("number") or 1,
            reservation_id=booking.pk if booking else None,
        ),
        to=to,
        done=lambda made: ngettext(
            "{n} sample announced.", "{n} samples announced.", len(made)
        ).format(n=len(made)),
        form=form,
        shows=says,
    )


@edits
def change(request: HttpRequest, code: str) -> HttpResponse:
    """Say something else of one's own sample."""
    by = by_of(request)
    sample = _sample(by, code)
    selectors.require_owned(by.actor, [sample])
    form = SampleForm(sent(request), sample=sample)
    return act(
        request,
        partial(shown, request, "bookings/samples/edit.html", sample=sample, may_announce=True),
        lambda by, _: sample_change(by, sample_id=sample.pk, values=form.values()),
        to=reverse("bookings:sample-item", args=[sample.code]),
        done=gettext("Saved."),
        form=form,
        shows=says,
    )


@reads
def sample(request: HttpRequest, code: str) -> HttpResponse:
    return _page(request, code)


def _sample(by: By, code: str) -> SampleItem:
    """The sample of a code in an address; `NotFound` for what is none, too."""
    try:
        return selectors.sample_by_code(by.actor, code)
    except Invalid:
        raise NotFound from None


def _page(request: HttpRequest, code: str, status: int = 200, **forms: Any) -> HttpResponse:
    """A sample with what is said of it, its bookings and its steps; `forms` are those that came
    back with something wrong."""
    by = by_of(request)
    row = _sample(by, code)
    sides = selectors.sides_of(by.actor, [row])[row.pk]
    full = selectors.with_bookings(SampleItem.objects.filter(pk=row.pk)).get()
    booked = [
        (one.reservation, selectors.refusals_of(one.reservation.instrument, [row]))
        for one in selectors.bookings_shown(by.actor, full, sides)
    ]
    states = rules.next_states(row.state, sides)
    is_owner = rules.OWNER in sides
    context = {
        "sample": row,
        "is_owner": is_owner,
        "booked": booked,
        "may_leave": is_owner and row.state in rules.WITH_OWNER,
        "history": list(row.steps.select_related("by").order_by("-at", "-id")),
        "photos": list(row.photos.all()),
        "step": StepForm(states=states, sample=row) if states else None,
        "join": _join_form(by, row) if is_owner and row.state not in rules.GONE else None,
        "labels": LabelsForm(),
        **forms,
    }
    if forms.get("step"):  # of what was sent only these are still to choose
        forms["step"].fields["state"].choices = [(one, STATES[one]) for one in states]
    return shown(request, "bookings/samples/sample.html", status=status, **context)


def _join_form(by: By, row: SampleItem, data: Any = None) -> JoinForm | None:
    """The bookings that a sample can join; None without any."""
    rows = selectors.bookings_to_join(by.actor, by.now).exclude(sample_items__sample=row)[:50]
    return JoinForm(data, bookings=[(one, _called(one)) for one in rows]) if rows else None


def _called(reservation: Reservation) -> str:
    start = localtime(reservation.start_at, reservation.instrument.facility.zone)
    return f"{named(reservation.instrument)} · {start:%Y-%m-%d %H:%M}"


@writes
def step(request: HttpRequest, code: str) -> HttpResponse:
    """Make a step of one sample."""
    by = by_of(request)
    row = _sample(by, code)
    form = StepForm(request.POST, states=SampleItem.State.values, sample=row)
    return act(
        request,
        partial(_page, request, code),
        lambda by, _: samples_step(by, sample_ids=[row.pk], step=form.step()),
        to=reverse("bookings:sample-item", args=[row.code]),
        done=gettext("Saved."),
        form=form,
        name="step",
        shows=says,
    )


@writes
def join(request: HttpRequest, code: str) -> HttpResponse:
    """Join a sample to a booking, or take it off one (`act=leave`)."""
    by = by_of(request)
    row = _sample(by, code)
    booking = as_uuid(request.POST.get("booking", ""))
    if booking is None:
        raise NotFound

    def work(by: By, _: Any) -> Any:
        if request.POST.get("act") == "leave":
            return sample_leave(by, reservation_id=booking, sample_id=row.pk)
        return samples_join(by, reservation_id=booking, sample_ids=[row.pk])

    return act(
        request,
        partial(_page, request, code),
        work,
        to=reverse("bookings:sample-item", args=[row.code]),
        done=gettext("Saved."),
        shows=says,
    )


@writes
def join_many(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Join the samples that are ticked on a booking's page."""
    back = reverse("bookings:reservation", args=[reservation_id])

    def refused(refusal: Refused) -> dict[str, Any]:
        messages.error(request, says(refusal)["problem"])
        return {}

    return act(
        request,
        lambda **_: redirect(back),
        lambda by, _: samples_join(by, reservation_id=reservation_id, sample_ids=_ticked(request)),
        to=back,
        done=gettext("Saved."),
        shows=refused,
    )


@writes
def photo_new(request: HttpRequest, code: str) -> HttpResponse:
    """Put a picture beside a sample."""
    by = by_of(request)
    row = _sample(by, code)
    file = request.FILES.get("file")

    def work(by: By, _: Any) -> Any:
        if file is None:
            raise invalid("file", "required")
        return photo_add(by, sample_id=row.pk, content=file.read())

    return act(
        request,
        partial(_page, request, code),
        work,
        to=reverse("bookings:sample-item", args=[row.code]),
        done=gettext("Added."),
        shows=says,
    )


@writes
def photo_remove(request: HttpRequest, photo_id: UUID) -> HttpResponse:
    """Take away a picture that one has put there."""
    row = photo_delete(by_of(request), photo_id=photo_id)
    messages.success(request, gettext("Deleted."))
    return redirect("bookings:sample-item", code=row.code)


@reads
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
def photo(request: HttpRequest, photo_id: UUID, size: str) -> HttpResponseBase:
    """The picture, for whoever sees its sample, and for nobody else's cache."""
    selectors.photo_by_id(by_of(request).actor, photo_id)
    content = file_open(photo_id, size) if size in SIZES[PHOTO] else None
    if content is None:
        raise NotFound
    answer = FileResponse(content, filename=f"{photo_id}.webp", content_type=MEDIA_TYPE)
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
