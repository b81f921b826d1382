"""When two records look alike, and what a merged one says."""

from datetime import date
from uuid import UUID

import pytest

from instruments.managing.domain.duplicates import comparable_number, likeness, merged, traits

SITE, OTHER_SITE = UUID(int=1), UUID(int=2)
HOST, OTHER_HOST = UUID(int=3), UUID(int=4)


def record(maker="Zeiss", model="LSM 980", serial="", inventory="", site=SITE, host=HOST):
    numbers = []
    if serial:
        numbers.append({"identifier": serial, "identifier_type": "SerialNumber"})
    if inventory:
        numbers.append({"identifier": inventory, "identifier_type": "InventoryNumber"})
    return traits(
        facility=site, host=host, model=model, manufacturers=[{"name": maker}], alternate_identifiers=numbers
    )


@pytest.mark.parametrize(
    ("one", "other", "reasons"),
    [
        (record(), record(), ("maker-model-site",)),
        (record(), record(maker="ZEISS GmbH", model="lsm-980"), ("maker-model-site",)),
        (record(maker="蔡司"), record(maker="蔡司有限公司"), ("maker-model-site",)),
        (record(), record(site=OTHER_SITE), ()),
        (record(model=""), record(model=""), ()),
        (record(), record(maker="Leica"), ()),
        # Sites own several of a kind: their serial numbers tell them apart.
        (record(serial="A-100"), record(serial="A-101"), ()),
        (record(serial="A-100"), record(), ("maker-model-site",)),
        (record(serial="SN 12-34"),
         record("Leica", "X", "sn1234", site=OTHER_SITE, host=OTHER_HOST), ("serial-number",)),
        (record(serial="SN1234"), record(serial="sn-1234"), ("serial-number", "maker-model-site")),
        (record(model="A", inventory="2020-77"), record(model="B", inventory="202077"),
         ("inventory-number",)),
        (record(model="A", inventory="2020-77"),
         record(model="B", inventory="202077", host=OTHER_HOST, site=OTHER_SITE), ()),
    ],
)  # fmt: skip
def test_likeness(one, other, reasons):
    assert likeness(one, other) == likeness(other, one) == reasons


@pytest.mark.parametrize("nothing", ["", "0000", "N/A", "unknown", "--", "12", "ｘｘｘ"])
def test_a_number_that_says_nothing(nothing):
    assert comparable_number(nothing) == ""


BLANK = {
    "name_zh": "", "model": "", "model_identifier": "", "model_identifier_type": "",
    "description": "", "description_zh": "",
    "landing_page": "", "classification_code": "", "acquisition_date": None, "room": "",
    "manufacturers": [], "acquisition_cost": None, "acquisition_currency": "",
    "instrument_types": [], "measured_variables": [], "dates": [], "related_identifiers": [],
    "alternate_identifiers": [], "identifier": "", "identifier_type": "",
}  # fmt: skip


def test_what_only_the_lost_one_knows_is_taken_and_nothing_overwritten():
    number = {"identifier": "SN-1", "identifier_type": "SerialNumber"}
    kept = BLANK | {"model": "Titan", "alternate_identifiers": [number], "identifier": "10.1/a"}
    lost = BLANK | {
        "model": "Spectra",
        "room": "101",
        "acquisition_date": date(2020, 1, 1),
        "alternate_identifiers": [{**number, "identifier": "sn1"}, {"identifier": "B2"}],
        "identifier": "10.1/b",
        "identifier_type": "DOI",
    }
    assert merged(kept, lost) == {
        "room": "101",
        "acquisition_date": date(2020, 1, 1),
        "alternate_identifiers": [
            number,
            {"identifier": "B2"},
            {"identifier": "10.1/b", "identifier_type": "Other", "name": "DOI"},
        ],
    }


def test_merging_a_copy_changes_nothing():
    same = BLANK | {"model": "Titan", "dates": [{"date": "2020-01-01", "date_type": "Commissioned"}]}
    assert merged(same, dict(same)) == {}
