"""The manifest of *browsing*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import GONE, Area, Merges, Personal, Record, Told
from accounts.domain.messages import Topic
from accounts.menu import MY_WORK, Below, MenuEntry, everybody
from bookings.browsing.messages import ACTS, REFUSALS
from bookings.browsing.models import InstrumentList, ListEntry, SavedSearch

AREA = Area(
    "bookings.browsing",
    is_asked_most=True,
    refusals=REFUSALS,
    menu=(MenuEntry("bookings:catalogue", _("Instruments"), "microscope", MY_WORK, 20, everybody),),
    below=(
        Below(
            "bookings:catalogue",
            "instrument week searches search-change compare lists list list-entry map"
            " instruments:techniques instruments:technique"
            " instruments:measurands instruments:measurand instruments:measurand-new",
        ),
    ),
    records=(
        Record(SavedSearch, "name", acts="search"),
    ),
    acts=ACTS,
    topics=(
        Topic("search", _("Saved searches"), _("new results of a saved search"), 200),
    ),
    personal=(
        Personal(
            "saved_searches", SavedSearch, {"user": GONE},
            "id name criteria is_paused created_at payer=organisation__code",
        ),
        Personal("lists", InstrumentList, {"user": GONE}, "id name created_at"),
        Personal(
            "list_entries", ListEntry, {},
            "id list_id instrument_id note created_at instrument=name",
            also="list__user",
        ),
    ),
    told=(Told("search.matches", "search", SavedSearch, "user"),),
    merges=(
        Merges("searches", SavedSearch, 180, _("Saved searches")),
    ),
)  # fmt: skip
