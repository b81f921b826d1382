"""Parameters of the cast."""

from collections.abc import Iterable
from dataclasses import replace

from accounts.domain.roles import PLATFORM, By
from instruments.capabilities.models import Capability
from instruments.register.models import Instrument
from instruments.vocabulary.adapters.vocabularies import shipped_parameters
from instruments.vocabulary.domain.parameters import Parameters, Stated
from instruments.vocabulary.models import Parameter
from instruments.vocabulary.selectors.needs import load_parameters
from instruments.vocabulary.services.techniques import parameters_import
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


def state(instrument: Instrument, stated: Iterable[Stated]) -> None:
    """Nothing else is stated of it from now on; of two under one condition the first."""
    Capability.objects.filter(instrument=instrument).delete()
    ids = dict(Parameter.objects.values_list("code", "pk"))
    rows = {(one.parameter, one.condition): one for one in reversed([*stated])}
    Capability.objects.bulk_create(
        Capability(
            instrument=instrument,
            parameter_id=ids[one.parameter],
            minimum=one.minimum,
            maximum=one.maximum,
            condition=one.condition,
            is_available=one.is_available,
            source="owner",
            created_at=NOW,
            updated_at=NOW,
        )
        for one in rows.values()
    )
