"""The manifest of *results*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import FOR_HOST, KEPT, Area, Personal, Record
from accounts.menu import FACILITY, Below, MenuEntry, has
from bookings.results.messages import ACTS, REFUSALS
from bookings.results.models import CollectLink, HandOff, KeepRequest, Receipt, ResultFile
from bookings.results.selectors.handoffs import hand_offs_for
from bookings.results.services.collecting import links_forget

AREA = Area(
    "bookings.results",
    refusals=REFUSALS,
    menu=(MenuEntry("bookings:results", _("Results"), "package", FACILITY, 50, has("manager")),),
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
)  # fmt: skip
