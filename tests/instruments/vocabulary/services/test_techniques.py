"""The vocabulary of measurands: taken in, curated, read by everybody at once."""

from dataclasses import asdict, replace

import pytest

from accounts.domain.errors import Invalid, NotPermitted, WrongVersion
from accounts.domain.roles import PLATFORM, By
from accounts.models import TrailEntry
from instruments.vocabulary.domain.needs import FIELDS
from instruments.vocabulary.models import Measurand
from instruments.vocabulary.selectors.needs import load_need_terms
from instruments.vocabulary.services.techniques import measurand_set, measurands_import
from tests.factories.cast import NOW
from tests.factories.needs import values

pytestmark = pytest.mark.django_db


def bring(*rows):
    return measurands_import(By(PLATFORM, NOW), measurands=rows)


def curate(cast, code="grain-size", who="admin", version=None, **changes):
    given = {k: v for k, v in asdict(values(cast.technique.code)).items() if k in FIELDS}
    given = {k: list(v) if isinstance(v, tuple) else v for k, v in given.items()} | changes
    return measurand_set(By(cast.actor(who), NOW, version), code=code, values=given)


def entries():
    return list(TrailEntry.objects.filter(object_type="measurand").values_list("action", flat=True))


def test_what_comes_with_the_platform_is_taken_in_once(cast):
    row = values(cast.technique.code)
    assert bring(row) == ["grain-size"]
    assert bring(row) == []
    assert bring(replace(row, unit="nm"), replace(row, code="texture")) == ["grain-size", "texture"]
    # The table has no order of its own.
    assert sorted(entries()) == ["measurand.change", "measurand.create", "measurand.create"]
    assert Measurand.objects.get(code="grain-size").version == 2


def test_an_unknown_technique_changes_nothing(cast):
    row = values(cast.technique.code)
    with pytest.raises(Invalid) as refused:
        bring(row, replace(row, code="texture", techniques=("nothing",)))
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == ("techniques", "unknown-technique")
    assert not Measurand.objects.exists() and entries() == []


def test_what_a_curator_changed_stays(cast):
    row = values(cast.technique.code)
    bring(row)
    assert curate(cast, version=1, name="Size of grains").version == 2
    assert bring(replace(row, unit="nm")) == []
    assert Measurand.objects.get().name == "Size of grains"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"name": ""}, ("name", "required")),
        ({"name_zh": ""}, ("name_zh", "required")),
        ({"techniques": []}, ("techniques", "required")),
        ({"techniques": ["nothing"]}, ("techniques", "unknown-technique")),
    ],
)
def test_a_curator_is_refused(cast, values, problem):
    with pytest.raises(Invalid) as refused:
        curate(cast, **values)
    assert [(p.field, p.code) for p in refused.value.problems] == [problem]
    assert not Measurand.objects.exists() and entries() == []


def test_only_administrators_curate_and_only_what_they_have_read(cast):
    for who in ("zhao", "coordinator", "auditor", "alice"):
        with pytest.raises(NotPermitted):
            curate(cast, who=who)
    bring(values(cast.technique.code))
    with pytest.raises(WrongVersion):
        curate(cast, version=0, name="x")
    assert Measurand.objects.get().name == "Grain size"


def test_a_change_is_understood_at_once(cast, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        bring(values(cast.technique.code))
    assert [term.code for term in load_need_terms("退火以后晶粒多大")] == ["grain-size"]
    with django_capture_on_commit_callbacks(execute=True):
        curate(cast, code="burr-height", name="Burr height", name_zh="毛刺高度")
    assert load_need_terms("毛刺有多高")[0].code == "burr-height"
