"""Parameters of the cast."""

from dataclasses import replace

from accounts.domain.roles import PLATFORM, By
from instruments.adapters.vocabularies import shipped_parameters
from instruments.domain.capabilities import Parameters
from instruments.selectors.needs import load_parameters
from instruments.services.techniques import parameters_import
from tests.factories.cast import NOW, Cast

CODES = ("spatial_resolution", "accelerating_voltage", "sample_temperature", "magnification")


def parameters_of(cast: Cast) -> Parameters:
    """Some of those that come with the platform, asked of the cast's technique."""
    shipped = shipped_parameters()
    parameters_import(
        By(PLATFORM, NOW),
        parameters=[replace(shipped[code], techniques=(cast.technique.code,)) for code in CODES],
    )
    return load_parameters()
