"""The manifest of *usage*."""

from django.db.models import Value
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import EMPTIED, FOR_HOST, Area, Personal, Record
from accounts.domain.messages import Topic
from accounts.domain.roles import MANAGER, OPERATOR, RESEARCHER
from accounts.menu import FACILITY, Below, MenuEntry, Waits, operates, signed_in
from bookings.record.selectors.reservations import is_own
from bookings.usage.messages import ACTS, REFUSALS
from bookings.usage.models import CheckInCode, FaultNote, FaultReport, Kiosk
from bookings.usage.selectors.faults import faults_to_decide, faults_to_repair
from bookings.usage.selectors.sessions import sessions_to_complete
from bookings.usage.services.closures import closures_fill
from bookings.usage.services.faults import faults_forget
from bookings.usage.services.training import training_keep
from instruments.policy.services.policies import followers
from instruments.training.services.training import keepers

AREA = Area(
    "bookings.usage",
    refusals=REFUSALS,
    menu=(MenuEntry("bookings:board", _("Board"), "layout-kanban", FACILITY, 10, operates),),
    below=(
        Below("bookings:catalogue", "at fault-new"),
        Below("bookings:mine", "check-in check-out check-in-code questions rate rating-answer", where=is_own),
        Below("bookings:board", "board-events board-close"),
        Below(
            "instruments:manage",
            "closures closure-end closure-delete labels faults fault fault-dismiss fault-assign fault-repair "
            "kiosks kiosk-revoke",
        ),
    ),
    waits=(
        Waits(
            "faults", 50, "bookings:faults", ngettext_lazy("fault report to check", "fault reports to check"),
            _("Nothing is closed, and people with the next bookings are not notified, until you confirm "
              "a report."),
            operates, faults_to_decide, query="?waits=faults",
            entry="instruments:manage bookings:faults", group="state",
        ),
        Waits(
            "repairs", 57, "bookings:faults",
            ngettext_lazy("fault for you to repair", "faults for you to repair"),
            _("It is a known issue on the instrument's page until you state that it is repaired."),
            operates, faults_to_repair, query="?waits=repairs",
            entry="instruments:manage bookings:faults", group="state",
        ),
        Waits(
            "complete", 350, "bookings:money-sessions",
            ngettext_lazy("session to complete", "sessions to complete"),
            _("They cannot be charged before the times of use are entered."),
            signed_in, lambda actor, now: sessions_to_complete(actor), entry="bookings:money", group="state",
        ),
    ),
    records=(
        Record(FaultReport, "instrument__name", "instrument__name_zh", "created_at", acts="fault"),
        Record(Kiosk, "name"),
        Record(CheckInCode, "instrument__name", "instrument__name_zh", "expires_at"),
    ),
    acts=ACTS,
    topics=(
        # Otherwise somebody would come for nothing.
        Topic(
            "displacement", _("Displaced by a closure"),
            _("your booking cannot take place, so you need not come"), 70, is_required=True,
            roles=frozenset({RESEARCHER}),
        ),
        Topic(
            "expiry", _("About to expire"),
            _("a request nobody answered, a certificate about to expire"), 90,
            roles=frozenset({RESEARCHER, MANAGER}),
        ),
        # It costs money, and the time to object begins on the day it is sent.
        Topic(
            "no-show", _("Bookings not used"),
            _("nobody checked in, which may cost something"), 100, is_required=True,
            roles=frozenset({RESEARCHER}),
        ),
        Topic(
            "use", _("During and after use"),
            _("running over time, the previous user is late, use has finished"), 130,
            roles=frozenset({RESEARCHER, MANAGER, OPERATOR}),
        ),
    ),
    joins=(
        (followers, closures_fill),
        (keepers, training_keep),
    ),
    personal=(
        Personal(
            "fault_reports", FaultNote, {"user": EMPTIED},
            "id text severity has_photo created_at state=fault__state "
            "instrument=fault__instrument__name",
        ),
    ),
    official={
        "bookings.FaultReport.decided_by": FOR_HOST,
        "bookings.FaultReport.assignee": FOR_HOST,
        "bookings.Kiosk.created_by": FOR_HOST,
    },
    forgets=(faults_forget,),
    files=(FaultNote.objects.filter(has_photo=True).values_list("pk", Value("photo")),),
)  # fmt: skip
