"""The manifest of *managing*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import FOR_PLATFORM, Area, Record
from accounts.domain.messages import Topic
from accounts.domain.roles import COORDINATOR, MANAGER
from accounts.menu import FACILITY, Below, MenuEntry, Waits, may_for_some
from accounts.selectors.names import DOT, joined
from instruments.managing.messages import ACTS, REFUSALS
from instruments.managing.models import DuplicateVerdict

AREA = Area(
    "instruments.managing",
    refusals=REFUSALS,
    menu=(
        MenuEntry(
            "instruments:manage", _("Manage instruments"), "settings", FACILITY, 30,
            may_for_some("manage-instruments"),
        ),
    ),
    below=(Below("instruments:manage", "*"),),
    waits=(
        Waits(
            "drafts", 190, "instruments:manage", ngettext_lazy("draft to publish", "drafts to publish"),
            _("Nobody sees them before they are published."), may_for_some("manage-instruments"),
            query="?publication=draft",
        ),
        Waits(
            "submitted", 200, "instruments:manage",
            ngettext_lazy("submitted record to check", "submitted records to check"),
            _("Your people entered them; check and publish them."), may_for_some("manage-instruments"),
            query="?publication=submitted",
        ),
        Waits(
            "stale", 210, "instruments:manage", ngettext_lazy("record to confirm", "records to confirm"),
            _("Nobody has confirmed or changed them for a year."), may_for_some("manage-instruments"),
            query="?stale=on",
        ),
    ),
    records=(
        Record(
            DuplicateVerdict,
            joined("first__name", DOT, "second__name"),
            joined("first__name_zh", DOT, "second__name_zh"),
            acts="duplicates",
        ),
    ),
    acts=ACTS,
    topics=(Topic(
        "record", _("Records of instruments"), _("records not confirmed for a year"), 190,
        roles=frozenset({MANAGER, COORDINATOR}),
    ),),
    official={"instruments.DuplicateVerdict.decided_by": FOR_PLATFORM},
)  # fmt: skip
