"""Real inventories in, out again and in once more, in every format: nothing lost that it can
carry. `make test-deep` takes the files whole, `make test` their first rows."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.conf import settings
from lxml import etree

from accounts.models import Organisation
from instruments.exchange.adapters import table
from instruments.exchange.adapters.pidinst import SCHEMAS
from instruments.exchange.domain.imports import Result
from instruments.exchange.selectors.exports import export_of
from instruments.register.models import Instrument
from instruments.vocabulary.models import Technique
from tests.conftest import DEEP
from tests.factories.imports import NOW, bring
from tests.instruments.exchange.services.test_rows import House, make_house, real_file

ROWS = 100_000 if DEEP else 12
XML_SCHEMA = etree.XMLSchema(etree.parse(SCHEMAS / "pidinst-schema-1_0.xsd"))
# What is read of each: the format to import by, and whether an export of it may be shown again.
OUT = {
    "csv": "table",
    "xlsx": "table",
    "uniquip": "uniquip",
    "pidinst-json": "pidinst",
    "pidinst-xml": "pidinst",
}


@pytest.fixture
def house(db: None) -> House:
    return make_house()


@pytest.fixture
def other(house: House) -> Organisation:
    return Organisation.objects.create(code="dale", name="Dale", kind="institute", region=house.region)


def first_rows(name: str) -> bytes:
    lines = list(csv.reader(io.StringIO(real_file(name).read_text("utf-8"))))
    out = io.StringIO()
    csv.writer(out).writerows(lines[: ROWS + 1])
    return out.getvalue().encode()


def pidinst_file() -> bytes:
    """The real records, under one element."""
    folder = real_file("pidinst/hzb-mx-14-1.xml").parent
    records = [etree.tostring(etree.parse(path).getroot()) for path in sorted(folder.glob("*.xml"))]
    return b"<instruments>" + b"".join(records) + b"</instruments>"


def written(organisation: Organisation, format: str) -> bytes:
    return b"".join(export_of(organisation, format, NOW).content)


FIELDS = [
    *("name", "description", "landing_page", "manufacturers", "instrument_types", "dates"),
    *("measured_variables", "alternate_identifiers", "room", "model", "model_identifier"),
    *("model_identifier_type", "identifier", "identifier_type", "related_identifiers", "kind"),
    *("owners", "service_modes", "acquisition_cost", "norm_hours"),
    *("facility__name", "facility__address", "facility__contact_email", "facility__website"),
    "facility__contact_phone",
]
# What each format has no place for.
LOST = {
    "csv": {"related_identifiers", "owners"},
    "xlsx": {"related_identifiers", "owners"},
    "uniquip": {
        *("related_identifiers", "owners", "identifier", "identifier_type", "manufacturers"),
        *("model", "model_identifier", "model_identifier_type", "dates", "measured_variables"),
        "alternate_identifiers",
    },
    "pidinst-json": {"room", "kind", "service_modes", "norm_hours", *FIELDS[-5:]},
    "pidinst-xml": {"room", "kind", "service_modes", "norm_hours", *FIELDS[-5:]},
}


def carried(organisation: Organisation, format: str) -> list[str]:
    """The records as far as the format can say them, in an order of their own."""
    names = [name for name in FIELDS if name not in LOST[format]]
    found = list(Instrument.objects.filter(organisation=organisation).values(*names))
    for record in found:
        if format in ("csv", "xlsx", "uniquip"):  # by name alone
            for name in ("manufacturers", "instrument_types", "measured_variables"):
                if name in record:
                    record[name] = [item["name"] for item in record[name]]
        if format in ("csv", "xlsx"):
            record["alternate_identifiers"] = sorted(
                i["identifier"] for i in record["alternate_identifiers"] if "name" not in i
            )
        # What is nowhere said of a site is that of the organisation.
        if record.get("facility__name") in ("Hill University", organisation.name):
            record["facility__name"] = ""
    return sorted(json.dumps(record, sort_keys=True, default=str) for record in found)


SOURCES = {
    "st-andrews": ("uk_st_andrews_uniquip.csv", "uniquip", None),
    "pnnl": ("us_pnnl_instruments.csv", "table", "pnnl"),
    "emsl": ("us_emsl_instruments.csv", "table", "emsl"),
    "xas": ("world_xas_beamlines.csv", "table", "xas"),
    "pidinst": ("", "pidinst", None),
}


def brought(house: House, source: str) -> int:
    """How many instruments a real file makes."""
    name, format, mapping = SOURCES[source]
    content = first_rows(name) if name else pidinst_file()
    entries = table.load_entries(mapping) if mapping else None
    _job, report = bring(house.organisation.pk, content, format=format, mapping=entries)
    return report.counts[Result.CREATED]


@pytest.mark.parametrize("source", SOURCES)
def test_in_out_and_in_again(house: House, other: Organisation, source: str) -> None:
    number = brought(house, source)
    assert number >= 3
    before = list(Instrument.objects.order_by("pk").values())
    for format, reader in OUT.items():
        content = written(house.organisation, format)
        _job, again = bring(house.organisation.pk, content, format=reader)
        assert again.counts == dict.fromkeys(Result, 0) | {Result.UNCHANGED: number}, format
        assert again.kept == 0
        _job, elsewhere = bring(other.pk, content, format=reader)
        assert elsewhere.counts == dict.fromkeys(Result, 0) | {Result.CREATED: number}, format
        assert carried(other, format) == carried(house.organisation, format), format
        Instrument.objects.filter(organisation=other).delete()
        other.facilities.all().delete()
    mine = Instrument.objects.filter(organisation=house.organisation)
    assert list(mine.order_by("pk").values()) == before


def test_pidinst_as_xml_fits_the_schema_and_says_what_came(house: House) -> None:
    brought(house, "pidinst")
    root = etree.fromstring(written(house.organisation, "pidinst-xml"))
    assert [child.tag for child in root] == ["instrument"] * 3
    for child in root:
        XML_SCHEMA.assertValid(etree.fromstring(etree.tostring(child)))
    folder = real_file("pidinst/hzb-mx-14-1.xml").parent

    def said(element: Any) -> Iterator[Any]:
        for node in element.iter():
            if isinstance(node.tag, str) and not len(node):
                yield node.tag, (node.text or "").strip(), dict(node.attrib)

    by_name = {child.findtext("identifier"): child for child in root}
    for path in folder.glob("*.xml"):
        real = etree.parse(path).getroot()
        mine = by_name[real.findtext("identifier")]
        assert sorted(map(str, said(mine))) == sorted(map(str, said(real))), path.name


def test_every_field_goes_out_and_comes_back_in_our_own_table(house: House) -> None:
    Technique.objects.create(code="PaNET1", name="Raman spectroscopy")
    texts = {
        "id": "x-1",
        "name": "=SUM(1;2) Raman",
        "name_zh": "拉曼",
        "description": "-one\n+two",
        "manufacturers": "A\\; B; C",
        "instrument_types": "Raman microscope",
        "commissioned_date": "2020-01-31",
        "serial_number": "'=1",
        "inventory_number": "+44",
        "techniques": "PaNET1",
        "acquisition_cost": "12.50",
        "acquisition_currency": "CNY",
        "acquisition_date": "2020-02-29",
        "service_modes": "self; remote",
        "kind": "dedicated",
        "norm_hours": "1600",
        "facility": "@home",
        "contact_phone": "+44 1334",
    }
    out = io.StringIO()
    csv.writer(out).writerows([texts, texts.values()])
    _job, report = bring(house.organisation.pk, out.getvalue().encode(), format="table")
    assert report.counts[Result.CREATED] == 1
    instrument = Instrument.objects.get()
    assert instrument.manufacturers == [{"name": "A; B"}, {"name": "C"}]
    assert [t.code for t in instrument.techniques.all()] == ["PaNET1"]
    first = written(house.organisation, "csv").decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(first))
    assert row["name"] == "'=SUM(1;2) Raman"  # no spreadsheet computes it
    book = openpyxl.load_workbook(io.BytesIO(written(house.organisation, "xlsx")))
    assert all(cell.data_type != "f" for cells in book.active.iter_rows() for cell in cells)
    for format in ("csv", "xlsx"):
        _job, again = bring(house.organisation.pk, written(house.organisation, format), format="table")
        assert again.counts[Result.UNCHANGED] == 1
    assert written(house.organisation, "csv").decode("utf-8-sig") == first


def test_the_chinese_inventory_gets_its_own_fields(house: House) -> None:
    content = (
        "id,name,name_zh,acquisition_cost,acquisition_currency,commissioned_date,kind,service_modes\n"
        "1,SEM,扫描电镜,1234500,CNY,2020-01-31,dedicated,self; entrusted\n"
    )
    bring(house.organisation.pk, content.encode(), format="table")
    (row,) = csv.DictReader(io.StringIO(written(house.organisation, "nrii").decode("utf-8-sig")))
    assert {name: text for name, text in row.items() if text} == {
        "所在单位仪器编号": str(Instrument.objects.get().pk),
        "仪器名称（中文）": "扫描电镜",
        "仪器名称（英文）": "SEM",
        "所属单位标识": "hill",
        "所属单位": "山大学",
        "原值（万元）": "123.45",
        "启用日期": "2020-01-31",
        "仪器设备类别": "专用",
        "服务内容": "用户上机操作；委托测试",
        "预约服务网址": f"{settings.SITE_URL}/instruments/{Instrument.objects.get().pk}/",
        "所属单位内部门": "Hill University",
        "共享模式": "不共享",
        "运行状态": "正常",
    }


def test_the_schema_files_are_those_of_the_working_group() -> None:
    for path in real_file("pidinst/pidinst-schema-1_0.xsd").parent.glob("pidinst-schema*"):
        assert (SCHEMAS / path.name).read_bytes() == Path(path).read_bytes()
