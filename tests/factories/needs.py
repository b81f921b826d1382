"""Measurands of the cast."""

from accounts.domain.roles import PLATFORM, By
from instruments.domain.needs import Measurand as Values
from instruments.models import Measurand
from instruments.services.techniques import measurands_import
from tests.factories.cast import NOW, Cast


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
