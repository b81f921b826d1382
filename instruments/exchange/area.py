"""The manifest of *exchange*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import KEPT, Area, Merges, Personal, Record
from accounts.domain.messages import Topic
from accounts.domain.roles import ADMINISTRATOR, MANAGER
from instruments.exchange.messages import ACTS, REFUSALS
from instruments.exchange.models import Harvest, Import, ImportMapping, ImportTerm

AREA = Area(
    "instruments.exchange",
    refusals=REFUSALS,
    records=(
        Record(Import, "file_name", kind=_("import of instruments")),
        Record(ImportMapping, "name", acts="import_mapping"),
        Record(ImportTerm, "value", acts="import_term"),
        Record(Harvest, "name"),
    ),
    acts=ACTS,
    topics=(
        Topic(
            "connection", _("Connections to other systems"),
            _("harvests and webhooks that have stopped"), 230,
            roles=frozenset({MANAGER, ADMINISTRATOR}),
        ),
    ),
    personal=(
        Personal(
            "register_imports", Import, {"user": KEPT, "undone_by": KEPT},
            "id file_name size format state created_at host=organisation__code",
        ),
        Personal(
            "register_harvests", Harvest, {"user": KEPT},
            "id name address rhythm state created_at host=organisation__code",
        ),
    ),
    merges=(
        # A transaction that carries out one of these locks its row before any instrument.
        Merges(
            "harvests", Harvest, 130, _("Harvests"), is_first=True, names="name",
            closes=lambda rows, now: rows.update(state="paused"),
        ),
        Merges("mappings", ImportMapping, 140, _("Column mappings"), names="name", renamed="name"),
        # What both have decided about the same value stays with each: the other's counts from then on.
        Merges(
            "remembered values", ImportTerm, 145, _("Remembered values"),
            rows=lambda one, now: ImportTerm.objects.filter(organisation=one), names="value", renamed="value",
        ),
        Merges("imports", Import, 150, _("Imports under way"), where={"ended_at": None}, is_first=True),
    ),
)  # fmt: skip
