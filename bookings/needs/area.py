"""The manifest of *needs*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import GONE, KEPT, Area, Personal, Record, Told
from accounts.domain.hooks import HookEvent
from accounts.domain.messages import Topic
from accounts.domain.roles import RESEARCHER
from accounts.menu import MY_WORK, PLANNING, Below, MenuEntry, Waits, has, signed_in
from accounts.selectors.names import person
from bookings.needs.messages import ACTS, REFUSALS
from bookings.needs.models import Batch, BatchPlace, Need, Suggestion
from bookings.needs.selectors.batches import own_offers
from bookings.needs.selectors.events import NEED, of_need
from bookings.needs.selectors.needs import read_by
from bookings.needs.services.needs import need_addresses_forget, needs_forget

AREA = Area(
    "bookings.needs",
    refusals=REFUSALS,
    menu=(
        MenuEntry("bookings:needs", _("Needs and enquiries"), "bulb", MY_WORK, 50, signed_in),
        MenuEntry(
            "bookings:batches", _("Batches of needs"), "clipboard-list", PLANNING, 60, has("coordinator"),
        ),
    ),
    below=(
        Below("bookings:needs", "need need-* batch-accept batch-give-back"),
        Below("bookings:batches", "batch batch-new"),
    ),
    waits=(
        Waits(
            "places", 20, "bookings:mine", ngettext_lazy("time held for a need", "times held for needs"),
            _("A time is held for a flexible need of yours: accept it, or give it back."),
            signed_in, own_offers,
            entry="bookings:mine", group="reservation__state", until="reservation__deadline_at",
        ),
    ),
    records=(
        Record(Need, person("user__"), at="created_at"),
        Record(Batch, "region__name", "region__name_zh", "starts_at"),
        Record(BatchPlace, "instrument__name", "instrument__name_zh", "created_at"),
    ),
    acts=ACTS,
    events=(
        HookEvent(
            "need.changed", _("a need is described, changed or withdrawn"), 190, ("event.need",),
            of_need, NEED,
        ),
    ),
    topics=(
        Topic(
            "suggestion", _("Free elsewhere"), _("instruments elsewhere when yours was not available"), 210,
            roles=frozenset({RESEARCHER}),
        ),
    ),
    personal=(
        Personal(
            "needs", Need, {"user": GONE},
            "id text terms requirements sample quantity modes earliest latest minutes budget currency "
            "is_flexible state created_at reference metadata payer=organisation__code",
        ),
        Personal(
            "batch_places", BatchPlace, {},
            "id batch_id need_id reservation_id state reason currency payable created_at "
            "instrument=instrument__name",
            also="need__user",
        ),
        Personal(
            "batches", Batch, {"made_by": KEPT},
            "id starts_at ends_at state created_at region=region__code",
        ),
        Personal(
            "suggestions", Suggestion, {"user": GONE},
            "cause suggested created_at instrument=instrument__name",
        ),
        Personal(
            "needs_shared", Need, {"readers": GONE},
            "id created_at",
            where=lambda user: read_by(user.pk),
        ),
    ),
    told=(Told("suggestion.told", "suggestion", Suggestion, "user"),),
    forgets=(needs_forget, need_addresses_forget),
)  # fmt: skip
