"""What a column of a file states of instruments."""

import csv
import io
from decimal import Decimal as D

import pytest

from accounts.domain.roles import By
from accounts.models import OutboxMessage
from instruments.capabilities.models import Capability
from instruments.capabilities.services.capabilities import capability_change, question_ask
from instruments.exchange.domain.imports import Result, read_row
from instruments.exchange.selectors.exports import export_of
from instruments.exchange.services.rows import load_run, rows_decide
from instruments.register.models import Instrument
from tests.factories.capabilities import parameters_of
from tests.factories.cast import NOW
from tests.factories.imports import bring_rows, keep

pytestmark = pytest.mark.django_db
TEXT = "分辨率：1.0 nm@15 kV，1.4 nm@1 kV；加速电压：0.02–30 kV；配有EDS"


@pytest.fixture(autouse=True)
def parameters(cast):
    return parameters_of(cast)


def bring(cast, text, key="1", **texts):
    row = read_row({"name": "SEM", "capabilities": text, **texts}, key=key)
    report = bring_rows(cast.ustc, [(2, row)], source="table:lab", now=NOW)
    return {result.value: number for result, number in report.counts.items() if number}


def stated():
    rows = Capability.objects.order_by("parameter__code", "-minimum")
    return [
        (row.parameter.code, row.minimum, row.maximum, row.unit, row.condition, row.source)
        for row in rows.select_related("parameter")
    ]


def test_a_column_is_read_and_what_is_not_understood_is_named_and_kept(cast):
    assert bring(cast, TEXT, description="新购") == {"created": 1}
    assert stated() == [
        ("accelerating_voltage", D("0.02"), D(30), "kV", "", "import"),
        ("spatial_resolution", D("1.4"), None, "nm", "1 kV", "import"),
        ("spatial_resolution", D(1), None, "nm", "15 kV", "import"),
    ]
    made = Instrument.objects.get(source_key="1")
    assert made.description == "新购\n配有EDS"
    assert bring(cast, TEXT, description="新购") == {"unchanged": 1}
    assert len(stated()) == 3


def test_the_preview_names_what_is_not_understood(cast):
    job = keep(cast.ustc.pk, b"id,name\n1,SEM\n", actor=cast.actor("zhao"), format="table")
    row = read_row({"name": "SEM", "capabilities": TEXT}, key="1")
    (decision,) = rows_decide(load_run(job, "table:lab", now=NOW), [(2, row)])
    assert decision.result is Result.CREATED
    assert decision.differences_json == [
        {"field": "facility", "before": "", "after": "USTC"},
        {"field": "capabilities", "before": [], "after": ["配有EDS"], "kept": "not-understood",
         "is_kept": True},
    ]  # fmt: skip


def test_a_later_file_changes_what_it_states_and_removes_nothing(cast):
    bring(cast, "resolution 2 nm; voltage 5-30 kV")
    assert bring(cast, "resolution 1 nm") == {"changed": 1}
    assert stated() == [
        ("accelerating_voltage", D(5), D(30), "kV", "", "import"),
        ("spatial_resolution", D(1), None, "nm", "", "import"),
    ]
    assert Capability.objects.get(parameter__code="spatial_resolution").version == 2
    bring(cast, "")
    assert len(stated()) == 2


def test_what_a_person_wrote_stays(cast):
    bring(cast, "resolution 2 nm")
    row = Capability.objects.get()
    zhao = By(cast.actor("zhao"), NOW)
    capability_change(zhao, capability_id=row.pk, changes={"minimum": D(3)})
    bring(cast, "resolution 1 nm")
    assert stated() == [("spatial_resolution", D(3), None, "nm", "", "owner")]


def test_a_file_answers_the_question_about_what_it_states(cast):
    bring(cast, "", techniques="")
    made = Instrument.objects.get(source_key="1")
    Instrument.objects.filter(pk=made.pk).update(publication="published")
    wang = By(cast.actor("wang"), NOW)
    question = question_ask(wang, instrument_id=made.pk, parameter="spatial_resolution")
    bring(cast, "resolution 1 nm")
    question.refresh_from_db()
    assert (question.answered_at, question.answered_by) == (NOW, None)
    told = OutboxMessage.objects.get(kind="question.answered")
    assert told.payload["capability"] == str(Capability.objects.get().pk)


def test_an_export_says_it_in_words_that_are_read_again(cast):
    bring(cast, "resolution 0.7 nm (15 kV); sample temperature down to -20 °C")
    content = b"".join(export_of(cast.ustc, "csv", NOW).content).decode("utf-8-sig")
    texts = {row["name"]: row["capabilities"] for row in csv.DictReader(io.StringIO(content))}
    assert texts["SEM"] == ("Sample temperature down to -20 °C; Spatial resolution 0.7 nm (15 kV)")


def test_a_text_that_is_too_long_is_refused(cast):
    problem = read_row({"name": "SEM", "capabilities": "x" * 4001}, key="1")
    assert (problem.reason, problem.numbers["most"]) == ("too-long", 4000)
