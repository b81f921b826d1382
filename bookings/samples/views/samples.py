"""Pages of samples: the reader's own, one sample with its steps, and the queue of a host's staff."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.csp import CSP
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csp import csp_override

from accounts.domain.errors import Invalid, NotFound, Refused, invalid
from accounts.domain.roles import By
from accounts.letters.words import dated, named, zone_name
from accounts.permissions import require_somewhere
from accounts.selectors.memberships import organisations_of, place_of
from accounts.selectors.rows import as_uuid
from accounts.views.pages import act, by_of, chooses, edits, reads, sent, shown, writes
from bookings.record.adapters.labels import LAYOUTS, label_sheet
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.messages import sentence
from bookings.record.models import Reservation
from bookings.record.views.lists import ListPage
from bookings.samples.domain import samples as rules
from bookings.samples.forms import samples as sample_forms
from bookings.samples.models import SampleItem
from bookings.samples.selectors import samples as selectors
from bookings.samples.selectors.labels import load_labels
from bookings.samples.services import samples as sample_services
from bookings.samples.services.joining import sample_leave, samples_join
from bookings.samples.services.sheets import sheet_put, sheet_remove
from instruments.attachments.adapters.files import SIZES, file_open
from instruments.attachments.adapters.pictures import MEDIA_TYPE
from instruments.attachments.domain.attachments import PHOTO
from instruments.attachments.services.attachments import Upload
from instruments.attachments.views.attachments import file_answer
from instruments.policy.messages import HAZARD_LABELS
from instruments.policy.selectors.policies import refused_hazards
from instruments.register.models import Instrument
from instruments.register.selectors.registry import operated_instruments
from instruments.templatetags.managing import hazards_refused, hazards_taken

MOST_JOINED = 50  # bookings from which the one that a sample is for is chosen
OWN = ListPage("bookings/samples/samples.html", selectors.OWN_SAMPLES, size=50)
QUEUE = ListPage("bookings/samples/queue.html", selectors.HOSTED_SAMPLES, size=50)
TABS = {
    "due": _("Due within a week"),
    "arriving": _("Announced and on the way"),
    "here": _("Here"),
    "return": _("To be returned"),
    "": _("All samples"),
}


def says(refused: Refused) -> dict[str, Any]:
    """Return a refusal in words, with every rule that refuses."""
    every: Any = getattr(refused, "refusals", [refused])
    if isinstance(refused, Invalid):
        every = refused.problems
    return {"problem": " ".join(sentence(each.code, each.numbers) for each in every)}


def _not_kept(form: sample_forms.SampleForm, refused: Refused) -> dict[str, Any]:
    """Say at the field, each once, which hazards the instrument does not accept: no sample was announced that
    could be named."""
    if not isinstance(refused, RulesRefuse):
        return says(refused)
    for hazard in dict.fromkeys(str(each.numbers["hazard"]) for each in refused.refusals):
        text = gettext("The instrument does not accept this hazard: {hazard}.")
        form.add_error("hazards", text.format(hazard=HAZARD_LABELS[hazard]))
    return {}


@reads
def samples(request: HttpRequest) -> HttpResponseBase:
    """List samples of the reader and their organisations; a code that was typed or scanned leads to its
    sample."""
    return _own(request)


def _own(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponseBase:
    by, problem = by_of(request), ""
    if typed := request.GET.get("code", "").strip()[:200]:
        try:
            found = selectors.sample_by_code(by.actor, typed)
        except Invalid as refused:
            problem = says(refused)["problem"]
        except NotFound:
            problem = gettext("There is no such sample, or you may not see it.")
        else:
            return redirect("bookings:sample-item", code=found.code)
        data = request.GET.copy()
        del data["code"]  # the code does not filter this list
        request.GET = data  # type: ignore[assignment]
    return OWN.answer(
        request,
        by,
        status=status,
        **{
            "labels": sample_forms.LabelsForm(),
            "steps": _steps_form(states=sample_forms.OWNER_STEPS),
            "chosen": {as_uuid(text) for text in request.POST.getlist("sample")},
            "typed": typed,
            "problem": problem,
            "may_announce": _may_announce(by),
            **context,
        },
    )


def _may_announce(by: By) -> bool:
    return any(by.actor.may("book", place_of(one)) for one in organisations_of(by.actor))


@reads
def queue(request: HttpRequest) -> HttpResponseBase:
    return _queue(request)


def _queue(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponseBase:
    """Show the samples that are announced, due, here, or to be returned, for instruments that the reader
    manages."""
    by = by_of(request)
    require_somewhere(by.actor, "operate-instruments")
    managed = list(operated_instruments(by.actor))
    form = sample_forms.QueueForm(
        request.GET,
        facilities={one.facility_id: one.facility for one in managed}.values(),
        instruments=managed,
    )
    waits, rows = QUEUE.chosen(request, by)
    query = {n: v for n in ("facility", "instrument") if (v := request.GET.get(n))}
    context = {
        "form": form,
        "is_filtered": bool(query),
        "steps": _steps_form(),
        "labels": sample_forms.LabelsForm(),
        "waits": waits,
        "tabs": [
            {
                "url": reverse("bookings:sample-queue", query=query | ({"waits": w} if w else {})),
                "label": label,
                "is_here": w == waits,
            }
            for w, label in TABS.items()
        ],
        "scope": by.actor.scope_where("operate-instruments"),
        "chosen": {as_uuid(text) for text in request.POST.getlist("sample")},
        **context,
    }
    answer = QUEUE.answer(request, by, selectors.with_bookings(rows), **context)
    answer.status_code = status
    return answer


def _steps_form(data: Any = None, states: Iterable[str] = sample_forms.HOST_STEPS) -> sample_forms.StepForm:
    """Return the form for all ticked samples. The filters above it have a field of state, too, so its fields
    have ids of their own."""
    form = sample_forms.StepForm(data, states=states)
    form.auto_id = "step_%s"
    return form


@writes
def step_many(request: HttpRequest) -> HttpResponseBase:
    """Record the same step of all ticked samples, as the staff of their host, all or none."""
    return _stepped(request, _queue, "bookings:sample-queue", sample_forms.HOST_STEPS)


@writes
def step_own(request: HttpRequest) -> HttpResponseBase:
    """Record the same step of all ticked samples, as their owner, all or none."""
    return _stepped(request, _own, "bookings:sample-items", sample_forms.OWNER_STEPS)


def _stepped(request: HttpRequest, page: Any, back: str, states: Iterable[str]) -> HttpResponseBase:
    def work(by: By, data: dict[str, Any]) -> list[SampleItem]:
        return sample_services.samples_step(by, sample_ids=_ticked(request), step=form.step())

    def done(rows: list[SampleItem]) -> str:
        text = ngettext("{n} sample: {state}.", "{n} samples: {state}.", len(rows))
        return text.format(n=len(rows), state=rows[0].get_state_display())

    form = _steps_form(request.POST, states)
    return act(
        request,
        partial(page, request),
        work,
        to=reverse(back, query=request.GET),
        done=done,
        form=form,
        name="steps",
        shows=says,
    )


def _ticked(request: HttpRequest) -> list[UUID]:
    """Return the ids of the ticked samples; raise `Invalid` for a value that is not an id."""
    given = request.POST.getlist("sample") or request.GET.getlist("sample")
    ids = [as_uuid(text) for text in given]
    if None in ids:
        raise invalid("sample", "not-an-id")
    return [pk for pk in ids if pk is not None]


@edits
def labels(request: HttpRequest) -> HttpResponse:
    """Return the labels of samples as PDF, to be printed."""
    by = by_of(request)
    form = sample_forms.LabelsForm(request.POST or request.GET)
    try:
        if not form.is_valid():
            raise invalid("layout", "unknown-value")
        rows = load_labels(by.actor, _ticked(request))
    except Invalid as refused:
        messages.error(request, says(refused)["problem"])
        return redirect("bookings:sample-items")
    data = form.cleaned_data
    content = label_sheet(
        rows, LAYOUTS[data["layout"]], start=data["start"] or 1, title=gettext("Labels of samples")
    )
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = 'inline; filename="labels.pdf"'
    return answer


@edits
def new(request: HttpRequest) -> HttpResponse:
    """Announce a sample, or several of a kind; for a booking, if the address names one."""
    by = by_of(request)
    choices = [one for one in organisations_of(by.actor) if by.actor.may("book", place_of(one))]
    booking = None
    if pk := as_uuid(request.GET.get("booking", "")):
        booking = selectors.bookings_to_join(by.actor, by.now).filter(pk=pk).first()
        if booking is None:
            raise NotFound
    open_to = [booking] if booking else list(selectors.bookings_to_join(by.actor, by.now)[:MOST_JOINED])
    form = sample_forms.SampleForm(
        sent(request),
        organisations=choices,
        bookings=[] if booking else [(one, _called(one)) for one in open_to],
        refused=refused_hazards(booking.instrument) if booking else (),
        accepted=_accepted(instruments := _instruments(open_to)),
        number=selectors.number_left(booking) if booking else 1,
    )

    def chosen() -> Reservation | None:
        return next((b for b in open_to if str(b.pk) == form.cleaned_data.get("booking")), booking)

    def to(made: list[SampleItem]) -> str:
        if joined := chosen():
            return reverse("bookings:reservation", args=[joined.pk])
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
            instruments=instruments,
            may_announce=bool(choices),
        ),
        lambda by, data: sample_services.sample_announce(
            by,
            values=form.values(),
            organisation=data.get("organisation") or (choices[0].code if choices else None),
            number=data.get("number") or 1,
            reservation_id=joined.pk if (joined := chosen()) else None,
            sheet=_sheet_sent(request),
        ),
        to=to,
        done=lambda made: ngettext("{n} sample announced.", "{n} samples announced.", len(made)).format(
            n=len(made)
        ),
        form=form,
        shows=partial(_not_kept, form),
    )


def _instruments(bookings: Iterable[Reservation]) -> list[Instrument]:
    """Return the instruments of bookings, each once."""
    return list({one.instrument_id: one.instrument for one in bookings}.values())


def _accepted(instruments: Sequence[Instrument]) -> str:
    """Say of each instrument which hazards of samples it accepts, and which it does not."""
    is_whole = len(instruments) == 1
    texts = ((hazards_taken(one, is_whole=is_whole),) for one in instruments)
    return format_html_join(mark_safe("<br>"), "{}", texts)


@edits
def change(request: HttpRequest, code: str) -> HttpResponse:
    """Change the description of the reader's own sample."""
    by = by_of(request)
    sample = _sample(by, code)
    selectors.require_owned(by.actor, [sample])
    full = selectors.with_bookings(SampleItem.objects.filter(pk=sample.pk)).get()
    booked = [one.reservation for one in full.bookings.all()]
    upcoming = [one for one in booked if selectors.may_join(by.actor, one, by.now)]
    refused = {hazard for one in upcoming for hazard in refused_hazards(one.instrument)}
    accepted = _accepted(_instruments(upcoming))
    form = sample_forms.SampleForm(sent(request), sample=sample, refused=refused, accepted=accepted)
    return act(
        request,
        partial(shown, request, "bookings/samples/edit.html", sample=sample, may_announce=True),
        lambda by, _: sample_services.sample_change(by, sample_id=sample.pk, values=form.values()),
        to=reverse("bookings:sample-item", args=[sample.code]),
        done=gettext("Saved."),
        form=form,
        shows=says,
    )


@reads
def sample(request: HttpRequest, code: str) -> HttpResponse:
    return _page(request, code)


def _sample(by: By, code: str) -> SampleItem:
    """Return the sample with the code in an address; raise `NotFound` also for a text that is not a code."""
    try:
        return selectors.sample_by_code(by.actor, code)
    except Invalid:
        raise NotFound from None


def _page(request: HttpRequest, code: str, status: int = 200, **forms: Any) -> HttpResponse:
    """Show a sample with its description, its bookings and its steps; `forms` are those that came back with
    errors."""
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
        "step": _step_form(row, states, sides) if states else None,
        "awaited": sample_forms.STATES.get(rules.awaited_state(row.state, sides)),
        "join": _join_form(by, row) if is_owner and row.state in rules.USABLE else None,
        "labels": sample_forms.LabelsForm(),
        **forms,
    }
    if forms.get("step"):  # a form that was sent back offers only what is possible now
        forms["step"].fields["state"].choices = sample_forms.states_to_choose(states, row)
    return shown(request, "bookings/samples/sample.html", status=status, **context)


def _step_form(row: SampleItem, states: list[str], sides: set[str]) -> sample_forms.StepForm:
    expected = rules.expected_state(row.state, sides)
    return sample_forms.StepForm(states=states, sample=row, expected=expected)


def _join_form(by: By, row: SampleItem, data: Any = None) -> sample_forms.JoinForm | None:
    """Return the form with the bookings that a sample can join; None if there are none."""
    rows = selectors.bookings_to_join(by.actor, by.now).exclude(sample_items__sample=row)[:MOST_JOINED]
    return sample_forms.JoinForm(data, bookings=[(one, _called(one)) for one in rows]) if rows else None


def _called(reservation: Reservation) -> str:
    """Name a booking in a list of choices, with the hazards that its instrument does not accept."""
    zone = reservation.instrument.facility.zone
    start = dated(localtime(reservation.start_at, zone), "D j M Y, H:i", "Y年n月j日 D H:i")
    name = f"{named(reservation.instrument)} · {start} ({zone_name(zone.key)})"
    if hazards := hazards_refused(reservation.instrument):
        return gettext("{booking} (not accepted: {hazards})").format(booking=name, hazards=hazards)
    return name


@writes
def step(request: HttpRequest, code: str) -> HttpResponse:
    """Record a step of one sample."""
    by = by_of(request)
    row = _sample(by, code)
    form = sample_forms.StepForm(request.POST, states=SampleItem.State.values, sample=row)
    return act(
        request,
        partial(_page, request, code),
        lambda by, _: sample_services.samples_step(by, sample_ids=[row.pk], step=form.step()),
        to=reverse("bookings:sample-item", args=[row.code]),
        done=gettext("Saved."),
        form=form,
        name="step",
        shows=says,
    )


@writes
@chooses("join", "leave")
def join(request: HttpRequest, code: str, choice: str) -> HttpResponse:
    """Add a sample to a booking, or remove it from one."""
    by = by_of(request)
    row = _sample(by, code)
    booking = as_uuid(request.POST.get("booking", ""))
    if booking is None:
        raise NotFound

    def work(by: By, _: Any) -> Any:
        if choice == "leave":
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
    """Add the samples that are ticked on a booking's page."""
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


def _sheet_sent(request: HttpRequest) -> Upload | None:
    file = request.FILES.get("sheet")
    return (file.name or "", file.read()) if file else None


@writes
@chooses("put", "remove")
def sheet(request: HttpRequest, sample_id: UUID, choice: str) -> HttpResponse:
    """Put a safety data sheet with the reader's own sample, or remove it."""

    def work(by: By, _: Any) -> SampleItem:
        if choice == "remove":
            return sheet_remove(by, sample_id=sample_id)
        file = _sheet_sent(request)
        if file is None:
            raise invalid("file", "required")
        return sheet_put(by, sample_id=sample_id, file=file)

    def page(**context: Any) -> HttpResponse:
        row = selectors.sample_by_id(by_of(request).actor, sample_id)
        return _page(request, row.code, **context)

    return act(
        request,
        page,
        work,
        to=lambda row: reverse("bookings:sample-item", args=[row.code]),
        done=gettext("Saved."),
        shows=says,
    )


@reads
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
def sheet_file(request: HttpRequest, file_id: UUID, size: str) -> HttpResponseBase:
    """Return a safety data sheet to anybody who sees its sample; shared caches do not store it."""
    row = selectors.sheet_by_id(by_of(request).actor, file_id)
    answer = file_answer(request, row, size, row.title.rpartition(".")[0] or row.title)
    patch_cache_control(answer, private=True, no_cache=True)
    return answer


@writes
def photo_new(request: HttpRequest, code: str) -> HttpResponse:
    """Add a picture to a sample."""
    by = by_of(request)
    row = _sample(by, code)
    file = request.FILES.get("file")

    def work(by: By, _: Any) -> Any:
        if file is None:
            raise invalid("file", "required")
        return sample_services.photo_add(by, sample_id=row.pk, content=file.read())

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
    """Delete a picture that the reader added."""
    row = sample_services.photo_delete(by_of(request), photo_id=photo_id)
    messages.success(request, gettext("Deleted."))
    return redirect("bookings:sample-item", code=row.code)


@reads
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
def photo(request: HttpRequest, photo_id: UUID, size: str) -> HttpResponseBase:
    """Return the picture to anybody who sees its sample; shared caches do not store it."""
    selectors.photo_by_id(by_of(request).actor, photo_id)
    content = file_open(photo_id, size) if size in SIZES[PHOTO] else None
    if content is None:
        raise NotFound
    answer = FileResponse(content, filename=f"{photo_id}.webp", content_type=MEDIA_TYPE)
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
