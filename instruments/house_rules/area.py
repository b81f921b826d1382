"""The manifest of *house_rules*."""

from django.db.models.functions import Coalesce

from accounts.areas import FOR_HOST, KEPT, Area, Personal, Record
from accounts.selectors.names import DOT, joined
from instruments.house_rules.messages import ACTS
from instruments.house_rules.models import HouseRules, HouseRulesAcceptance
from instruments.house_rules.services.house_rules import house_rules_copy
from instruments.managing.services.copying import copiers

AREA = Area(
    "instruments.house_rules",
    records=(
        Record(
            HouseRules,
            joined(Coalesce("instrument__name", "facility__name"), DOT, "version"),
            joined(Coalesce("instrument__name_zh", "facility__name_zh"), DOT, "version"),
        ),
    ),
    acts=ACTS,
    joins=((copiers, house_rules_copy),),
    personal=(
        Personal(
            "house_rules", HouseRulesAcceptance, {"user": KEPT},
            "accepted_at means version=rules__version instrument=rules__instrument__name "
            "facility=rules__facility__name",
            order="accepted_at",
        ),
    ),
    official={
        "instruments.HouseRules.made_by": FOR_HOST,
        "instruments.HouseRulesAcceptance.recorded_by": FOR_HOST,
    },
)  # fmt: skip
