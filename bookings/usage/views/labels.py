"""Labels with a QR code for instruments."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.letters.words import named
from accounts.views.pages import by_of, reads
from bookings.record.adapters.labels import LAYOUTS, Label, label_sheet
from bookings.usage.forms.kiosks import FacilityForm, LabelsForm
from bookings.usage.selectors.kiosks import facilities_to_mark, instruments_to_mark
from instruments.register.models import Instrument

# Printed in both languages: whoever reads a label has not chosen one.
SCANNING = ("扫码：签到、签退、报修", "Scan: check in or out, report a fault")


@reads
def labels(request: HttpRequest) -> HttpResponse:
    """Choose instruments of a facility, at first all of them; with `layout` return their labels as a PDF."""
    actor = by_of(request).actor
    if not (actor.scope_where("manage-instruments") or actor.has("administrator")):
        raise NotPermitted(capability="manage-instruments")
    place = FacilityForm(request.GET, facilities=facilities_to_mark(actor))
    facility = place.chosen()
    rows = instruments_to_mark(actor, facility) if facility else []
    is_sent = "layout" in request.GET
    ticked = request.GET.getlist("instrument") or [str(row.pk) for row in rows]
    form = LabelsForm(request.GET if is_sent else None, instruments=rows, initial={"instrument": ticked})
    if is_sent and form.is_valid():
        chosen = set(form.cleaned_data["instrument"])
        pdf = label_sheet(
            [label_of(row) for row in rows if str(row.pk) in chosen],
            LAYOUTS[form.cleaned_data["layout"]],
            title=gettext("Labels"),
        )
        answer = HttpResponse(pdf, content_type="application/pdf")
        answer["Content-Disposition"] = 'inline; filename="labels.pdf"'
        return answer
    context = {"place": place, "facility": facility, "form": form, "rows": rows}
    return render(request, "bookings/usage/labels.html", context, status=400 if is_sent else 200)


def label_of(instrument: Instrument) -> Label:
    """Return the label of an instrument: its names in both languages, that of the reader first, its inventory
    numbers, its place, and what scanning it does."""
    code = instrument.short_code or ""
    numbers = [
        item["identifier"]
        for item in instrument.alternate_identifiers
        if item.get("identifier_type") == "InventoryNumber"
    ]
    where = [named(instrument.facility), instrument.room]
    other = {instrument.name, instrument.name_zh} - {named(instrument), ""}
    lines = [gettext("No. {n}").format(n=number) for number in numbers]
    return Label(
        link=settings.SITE_URL + reverse("bookings:at", args=[code]),
        code=code,
        title=named(instrument),
        lines=[*other, *lines, " · ".join(filter(None, where))],
        foot=SCANNING,
    )
