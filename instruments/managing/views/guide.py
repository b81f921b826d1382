"""Choose the page to show after a step of an instrument that is not public yet."""

from datetime import datetime

from django.urls import reverse

from instruments.managing.selectors.managing import DRAFTING, guide_of, load_standings
from instruments.register.models import Instrument
from instruments.register.selectors.registry import WITH

# The page of each step (selectors/managing.PublicationStep), in their order.
PAGES = {
    "record": "instruments:instrument-edit",
    "opening-hours": "instruments:opening",
    "policy": "instruments:policy",
    "rate-card": "instruments:rate-cards",
}


def onward(instrument: Instrument, now: datetime, after: str, otherwise: str = "") -> str:
    """Return an address. For a draft: that of the next unfinished step after `after`, continuing from the
    first step after the last; its own page if no step is left. For a public instrument: that of `otherwise`,
    or its own page. Three statements for a draft, because what was just saved counts."""
    page = "instruments:instrument-manage"
    if instrument.publication in DRAFTING:
        fresh = Instrument.objects.select_related(*WITH).get(pk=instrument.pk)
        guide = guide_of(load_standings([fresh], now)[0])
        todo = [step.code for step in guide.steps if not step.is_done] if guide else []
        codes = list(PAGES)
        at = codes.index(after) + 1
        page = next((PAGES[code] for code in codes[at:] + codes[:at] if code in todo), page)
    else:
        page = otherwise or page
    return reverse(page, args=[instrument.pk])
