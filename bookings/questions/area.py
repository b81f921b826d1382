"""The manifest of *questions*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import FOR_HOST, GONE, KEPT, Area, Personal, Record
from accounts.menu import Below, Waits, signed_in
from bookings.questions.messages import ACTS, REFUSALS
from bookings.questions.models import (
    AnswerFile,
    AnswerSheet,
    MaintenanceCounter,
    Meter,
    MeterReading,
    Questionnaire,
)
from bookings.questions.selectors.questions import sheets_owed
from bookings.questions.services.questions import answer_files_forget, questionnaires_copy
from instruments.managing.services.copying import copiers

AREA = Area(
    "bookings.questions",
    refusals=REFUSALS,
    below=(
        Below("bookings:mine", "questions-owed"),
        Below(
            "instruments:manage",
            "questionnaires answers meters meter meter-read instrument-new-meter reading reading-correct"
            " counters counter-*",
        ),
    ),
    waits=(
        Waits(
            "answers", 170, "bookings:questions-owed",
            ngettext_lazy("booking with open questions", "bookings with open questions"),
            _("Questions asked at booking or after use have no answers yet."),
            signed_in, lambda actor, now: sheets_owed(actor), entry="bookings:mine", group="state",
        ),
    ),
    records=(
        Record(Questionnaire, "instrument__name", "instrument__name_zh"),
        Record(
            AnswerSheet, "reservation__instrument__name", "reservation__instrument__name_zh",
            "reservation__start_at", acts="answers",
        ),
        Record(Meter, "name", "name_zh"),
        Record(MaintenanceCounter, "name", "name_zh", acts="counter"),
    ),
    acts=ACTS,
    joins=((copiers, questionnaires_copy),),
    personal=(
        Personal(
            "answers", AnswerSheet, {"answered_by": KEPT},
            "reservation_id moment state answers reason answered_at version=questionnaire__version",
            also="reservation__user",
        ),
        Personal(
            "answer_files", AnswerFile, {"added_by": GONE},
            "id reservation_id moment key title media_type size",
            order="id", also="reservation__user",
        ),
        Personal(
            "meter_readings", MeterReading, {"entered_by": KEPT},
            "value read_at reset_reason meter=meter__name",
            order="read_at",
        ),
    ),
    official={
        "bookings.CounterCycle.ended_by": FOR_HOST,
        "bookings.Questionnaire.made_by": FOR_HOST,
    },
    forgets=(answer_files_forget,),
    files=(AnswerFile.objects.values_list("pk", "kind"),),
)  # fmt: skip
