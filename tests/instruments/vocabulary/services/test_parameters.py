"""The vocabulary of parameters: taken in, read by everybody at once."""

from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotPermitted
from accounts.domain.roles import PLATFORM, By
from accounts.models import TrailEntry
from instruments.capabilities.models import Capability
from instruments.capabilities.selectors.capabilities import load_capabilities
from instruments.vocabulary.adapters.vocabularies import shipped_parameters
from instruments.vocabulary.domain.parameters import Stated
from instruments.vocabulary.models import Parameter
from instruments.vocabulary.selectors.needs import load_parameters
from instruments.vocabulary.services.techniques import parameters_import
from tests.factories.capabilities import CODES, parameters_of
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db


def bring(cast, **changes):
    row = replace(shipped_parameters()["sample_temperature"], techniques=(cast.technique.code,), **changes)
    return parameters_import(By(PLATFORM, NOW), parameters=[row])


def entries():
    return list(TrailEntry.objects.filter(object_type="parameter").values_list("action", flat=True))


def test_what_comes_with_the_platform_is_taken_in_once(cast):
    assert bring(cast) == ["sample_temperature"]
    assert bring(cast) == []
    assert bring(cast, name="Temperature") == ["sample_temperature"]
    assert entries() == ["parameter.create", "parameter.change"]
    row = Parameter.objects.get()
    assert (row.name, row.units["°C"]) == ("Temperature", ["1", "273.15"])


def test_an_unknown_technique_changes_nothing(cast):
    row = replace(shipped_parameters()["force"], techniques=("nothing",))
    with pytest.raises(Invalid) as refused:
        parameters_import(By(PLATFORM, NOW), parameters=[row])
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == ("techniques", "unknown-technique")
    assert not Parameter.objects.exists() and entries() == []


def test_only_administrators_and_the_platform_bring_parameters(cast):
    for who in ("zhao", "coordinator", "auditor", "alice"):
        with pytest.raises(NotPermitted):
            parameters_import(By(cast.actor(who), NOW), parameters=[])


def test_a_change_is_read_at_once(cast, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        bring(cast)
    assert load_parameters()["sample_temperature"].stored(Decimal(0), "°C") == Decimal("273.15")
    with django_capture_on_commit_callbacks(execute=True):
        bring(cast, name="Temperature")
    assert load_parameters()["sample_temperature"].name == "Temperature"


def test_what_is_stated_of_several_instruments_is_one_statement(cast, django_assert_num_queries):
    assert set(parameters_of(cast)) == set(CODES)
    other = cast.instrument()
    Capability.objects.create(
        instrument=other, parameter=Parameter.objects.get(code="spatial_resolution"),
        minimum=2, condition="15 kV", source="owner", created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    with django_assert_num_queries(1):
        stated = load_capabilities([cast.microscope.pk, other.pk])
    assert stated == {
        cast.microscope.pk: [],
        other.pk: [Stated("spatial_resolution", Decimal(2), None, "15 kV")],
    }
