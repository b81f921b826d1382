"""Where a manager goes after a step of an instrument that is not public yet."""

from datetime import datetime

from django.urls import reverse

from instruments.models import Instrument
from instruments.selectors.managing import DRAFTING, guide_of, load_standings
from instruments.selectors.registry import WITH

# The page of each step (selectors/managing.Step), in their order.
PAGES = {
    "record": "instruments:instrument-edit",
    "opening-hours": "instruments:opening",
    "policy": "instruments:policy",
    "rate-card": "instruments:rate-cards",
}


def onward(instrument: Instrument, now: datetime, after: str, otherwise: str = "") -> str:
    """Return, of a draft, the address of the next step after `after` that is to be done, from the
    first again after the last; its own page where all are. Of one that is public `otherwise`, or
    its own page. Three statements for a draft: what was just saved counts."""
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
