"""The manifest of *results*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import FOR_HOST, KEPT, Area, Personal, Record
from accounts.domain.hooks import HookEvent
from accounts.menu import FACILITY, Below, MenuEntry, Waits, operates, signed_in
from bookings.results.messages import ACTS, REFUSALS
from bookings.results.models import CollectLink, HandOff, KeepRequest, Receipt, ResultFile
from bookings.results.selectors.events import HAND_OFF, of_hand_off
from bookings.results.selectors.handoffs import hand_offs_for, results_to_collect, results_to_deliver
from bookings.results.services.collecting import links_forget

AREA = Area(
    "bookings.results",
    refusals=REFUSALS,
    menu=(MenuEntry("bookings:results", _("Results"), "package", FACILITY, 50, operates),),
    below=(
        # For people who manage no instruments these are results of their bookings.
        *(
            Below(
                entry,
                "results result result-upload result-seal result-release result-point result-withdraw"
                " result-file-remove result-storage result-storage-change",
            )
            for entry in ("bookings:mine", "bookings:results")
        ),
        Below("instruments:manage", "result-terms"),
    ),
    waits=(
        Waits(
            "deliver", 65, "bookings:results", ngettext_lazy("result to deliver", "results to deliver"),
            _("They were promised by a day that has passed."), operates, results_to_deliver,
            query="?to_deliver=on", entry="bookings:results", group="state",
        ),
        Waits(
            "collect", 176, "bookings:results", ngettext_lazy("result to collect", "results to collect"),
            _("The host has released them, and deletes them when they have been kept long enough."),
            signed_in, results_to_collect,
            query="?to_collect=on", entry="bookings:mine", group="state", until="retain_until",
        ),
    ),
    records=(
        Record(
            HandOff, "reservation__instrument__name", "reservation__instrument__name_zh",
            "reservation__start_at", page="bookings:result", seen=hand_offs_for,
        ),
        Record(
            CollectLink, "hand_off__reservation__instrument__name",
            "hand_off__reservation__instrument__name_zh", "created_at",
        ),
    ),
    acts=ACTS,
    personal=(
        Personal(
            "results", HandOff, {"created_by": KEPT, "sealed_by": KEPT},
            "id reservation_id state due_at released_at collected_at retain_until note "
            "host=host__code",
            also="reservation__user",
        ),
        Personal(
            "results_uploaded", ResultFile, {"uploaded_by": KEPT},
            "id hand_off_id size created_at",
            order="created_at id",
        ),
        Personal(
            "results_links", CollectLink, {"created_by": KEPT},
            "id hand_off_id path label created_at expires_at first_used_at revoked_at",
        ),
        Personal(
            "results_received", Receipt, {"user": KEPT},
            "id hand_off_id path way size reached started_at completed_at",
            order="started_at id",
        ),
        Personal(
            "results_kept_longer", KeepRequest, {"asked_by": KEPT},
            "id hand_off_id days reason state asked_at decided_at",
            order="asked_at",
        ),
    ),
    official={
        "bookings.HandOff.held_by": FOR_HOST,
        "bookings.KeepRequest.decided_by": FOR_HOST,
    },
    forgets=(links_forget,),
    events=(
        HookEvent(
            "results.released", _("results are ready"), 104, ("results.ready",), of_hand_off, HAND_OFF,
        ),
        HookEvent(
            "results.withdrawn", _("results are withdrawn"), 106,
            ("results.withdrawn",),
            of_hand_off, HAND_OFF,
        ),
        HookEvent(
            "results.overdue", _("results are overdue"), 108, ("results.overdue",), of_hand_off, HAND_OFF,
        ),
    ),
)  # fmt: skip
