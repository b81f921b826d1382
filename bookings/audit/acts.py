"""Name the acts of the trail, and the kinds of records they concern.

Each area names its own in its manifest.
"""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from django.apps import apps
from django.utils.text import capfirst
from django.utils.translation import gettext

from accounts.areas import Words, areas, computed
from bookings.audit.selectors.trail_records import records


@computed
def acts() -> Mapping[str, Words]:
    """Return the words of all acts, by code."""
    return {code: said for area in areas() for code, said in area.acts.items()}


def kind_name(kind: str) -> str:
    """Return what a kind of record is called: `Booking`, `Rate card`."""
    if kind in records() and (words := records()[kind].kind):
        return capfirst(str(words))
    for app in ("accounts", "instruments", "bookings"):
        models = apps.get_app_config(app).models
        if kind in models:
            return capfirst(str(models[kind]._meta.verbose_name))
    return kind


def group_name(prefix: str) -> str:
    """Return what the acts are about whose codes begin with this prefix: `Booking`."""
    for area in areas():
        if prefix in area.act_groups:
            return capfirst(str(area.act_groups[prefix]))
    kinds = {record.acts: code for code, record in records().items() if record.acts}
    return kind_name(kinds.get(prefix, prefix))


def act_choices() -> list[Any]:
    """Return all acts as choices, grouped by what they are about; the first choice of each group is the whole
    group."""
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    for prefix, codes in groupby(sorted(acts()), key=lambda code: code.partition(".")[0]):
        label = group_name(prefix)
        named = sorted(((code, str(acts()[code])) for code in codes), key=lambda pair: pair[1])
        every = (f"{prefix}.", gettext("{kind}: all actions").format(kind=label))
        groups.append((label, [every, *named]))
    return [("", gettext("all")), *sorted(groups, key=lambda group: group[0])]
