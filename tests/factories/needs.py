"""Measurands of the cast, and needs described through the service."""

from typing import Any

from accounts.domain.roles import PLATFORM, By
from bookings.needs.models import Need
from bookings.needs.services.needs import NeedValues, need_make
from instruments.vocabulary.domain.needs import Measurand as Values
from instruments.vocabulary.models import Measurand
from instruments.vocabulary.selectors.needs import vocabulary_changed
from instruments.vocabulary.services.techniques import measurands_import
from tests.factories.cast import NOW, Cast, at


def values(technique: str, code: str = "grain-size") -> Values:
    """What comes with the platform, say."""
    return Values(
        code,
        "Grain size",
        "晶粒尺寸",
        "µm",
        ("solid",),
        (technique,),
        ("how large the grains of a metal are",),
        ("金属的晶粒有多大",),
        ("grain growth after annealing",),
        ("退火后晶粒长大",),
        "ASTM E112",
    )


def measurand_of(cast: Cast) -> Measurand:
    """Grain size, which the cast's technique answers."""
    measurands_import(By(PLATFORM, NOW), measurands=[values(cast.technique.code)])
    return Measurand.objects.get(code="grain-size")


def need_values(**changed: Any) -> NeedValues:
    """Two hours in the three weeks from Friday on."""
    usual: dict[str, Any] = {
        "text": "grain size of an annealed steel",
        "earliest": at("2026-03-06 08:00"),
        "latest": at("2026-03-27 20:00"),
        "minutes": 120,
    }
    return NeedValues(**usual | changed)


def need_of(cast: Cast, who: str = "wang", **changed: Any) -> Need:
    """A need for grain size, unless said otherwise."""
    measurand_of(cast)
    vocabulary_changed()  # what comes at the commit of a test comes never
    return need_make(By(cast.actor(who), NOW), values=need_values(**changed))
