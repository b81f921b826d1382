"""Rows of a file: their values, their digest, and what becomes of each."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.exchange.domain import fields as import_fields
from instruments.exchange.domain import imports
from instruments.exchange.domain.fields import clean, clean_lines, is_name
from instruments.reading.domain.delimited import RowProblem, header_name

HOURS = {"weekly": [{"weekday": 1, "opens": "08:00", "closes": "18:00"}]}


def row(key="1", **changes) -> imports.RowValues:
    values = imports.RowValues(key, {"name": "Raman microscope"}, imports.FacilityValues("Physics"))
    return replace(values, **changes)


# --- text ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  SEM \t 2 ", "SEM 2"),
        ("SEM\r\n2", "SEM 2"),
        ("S\x00E\x07M\x1b[31m", "SEM[31m"),
        ("\ufeffSEM\u200b \u202eX\u202c", "SEM X"),
        ("Cafe\u0301", "Café"),
        ("电子\u3000显微镜", "电子 显微镜"),
        ("UNKNOWN", ""),
        (" n/a ", ""),
        ("无", ""),
        ("---", ""),
        ("None of these", "None of these"),
    ],
)
def test_cleaning(text, cleaned):
    assert clean(text) == cleaned


def test_cleaning_several_lines_keeps_their_breaks():
    assert clean_lines(" one \r\n\r\n two  x\nUNKNOWN\n") == "one\ntwo x"


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text):
    once = clean(text)
    assert clean(once) == once
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in once)


@pytest.mark.parametrize(
    ("text", "answer"), [("97108", False), ("12/34-5", False), ("", False), ("镜", True), ("7T", True)]
)
def test_a_number_alone_is_no_name(text, answer):
    assert is_name(text) is answer


# --- fields -------------------------------------------------------------------------------


def test_a_row_becomes_values():
    values = imports.read_row(
        {
            "name": " NMR  600 ",
            "description": "First line\n\nSecond",
            "landing_page": "www.example.org/nmr",
            "manufacturers": "Bruker; JEOL;Bruker",
            "service_modes": "Assisted;self",
            "acquisition_cost": "120000.50",
            "acquisition_currency": "gbp",
            "acquisition_date": "2019-03-01 00:00:00",
            "commissioned_date": "2019-04-01",
            "decommissioned_date": "",
            "serial_number": "S-1",
            "norm_hours": "1600",
            "kind": "Dedicated",
            "facility": "Chemistry",
            "contact_email": "mailto:nmr@example.org",
            "contact_phone": "unknown",
        },
        key="7",
    )
    assert values == imports.RowValues(
        "7",
        {
            "name": "NMR 600",
            "description": "First line\nSecond",
            "landing_page": "https://www.example.org/nmr",
            "manufacturers": [{"name": "Bruker"}, {"name": "JEOL"}],
            "service_modes": ["assisted", "self"],
            "acquisition_cost": Decimal("120000.50"),
            "acquisition_currency": "GBP",
            "acquisition_date": date(2019, 3, 1),
            "norm_hours": 1600,
            "kind": "dedicated",
            "dates": [{"date": "2019-04-01", "date_type": "Commissioned"}],
            "alternate_identifiers": [{"identifier": "S-1", "identifier_type": "SerialNumber"}],
        },
        imports.FacilityValues("Chemistry", "", {"contact_email": "nmr@example.org", "contact_phone": ""}),
    )


def test_blank_texts_are_the_fields_empty_values():
    values = imports.read_row(dict.fromkeys(import_fields.INSTRUMENT_FIELDS, "") | {"name": "X"}, key="1")
    assert isinstance(values, imports.RowValues)
    empty = {name: value for name, value in values.record.items() if value not in ("", [], None)}
    assert empty == {"name": "X", "kind": "general"}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("landing_page", "javascript:alert(1)"),
        ("landing_page", "ftp://example.org/"),
        ("landing_page", "https://user:secret@example.org/"),
        ("landing_page", "https://[::1"),
        ("landing_page", "ask at reception"),
        ("landing_page", "https://exa mple.org"),
        ("website", "http://"),
        ("contact_email", "nobody"),
        ("contact_email", "a@example.org, b@example.org"),
        ("contact_email", "a@example.org\nBcc: b@example.org"),
        ("acquisition_date", "2019-02-30"),
        ("acquisition_date", "01/02/2019"),
        ("acquisition_date", "2021.13"),
        ("acquisition_date", "20211315"),
        ("acquisition_date", "2021.1"),  # October, if a spreadsheet took it for a number
        ("acquisition_cost", "-1"),
        ("acquisition_cost", "NaN"),
        ("acquisition_cost", "1e9"),
        ("acquisition_cost", "58.12345万6"),
        ("acquisition_cost", "1.234"),
        ("acquisition_cost", "١٢"),
        ("norm_hours", "many"),
    ],
)
def test_an_optional_value_of_the_wrong_form_is_a_remark_and_stays_empty(field, text):
    row = imports.read_row({"name": "SEM", "room": "B1", field: text}, key="1")
    assert isinstance(row, imports.RowValues) and row.record["room"] == "B1"
    assert field not in row.record and field not in row.facility.contact
    assert row.remarks == (imports.Remark(field, " ".join(text.split()), imports.UNREADABLE),)
    assert imports.values_of("1", imports.values_json(row)).remarks == row.remarks


@pytest.mark.parametrize("field", ["acquisition_date", "commissioned_date"])
@pytest.mark.parametrize(
    ("text", "day"), [("43215", "2018-04-25"), ("43215.5", "2018-04-25"), ("20000", "1954-10-03")]
)
def test_the_day_number_of_a_spreadsheet_is_a_date_and_said(field, text, day):
    row = imports.read_row({"name": "SEM", field: text}, key="1")
    assert isinstance(row, imports.RowValues)
    read = row.record.get("acquisition_date") or date.fromisoformat(row.record["dates"][0]["date"])
    assert read == date.fromisoformat(day)
    assert row.remarks == (imports.Remark(field, text, imports.DAY_NUMBER, day),)


@pytest.mark.parametrize("text", ["19999", "60000", "4321", "432155", "-43215", "2022"])
def test_other_numbers_are_no_dates(text):
    row = imports.read_row({"name": "SEM", "acquisition_date": text}, key="1")
    assert isinstance(row, imports.RowValues) and "acquisition_date" not in row.record
    assert [remark.because for remark in row.remarks] == [imports.UNREADABLE]


@given(st.integers(20_000, 59_999))
def test_each_day_number_is_the_day_after_the_one_before(number):
    one, next_one = import_fields.serial_day(str(number)), import_fields.serial_day(str(number + 1))
    assert one and (next_one is None or next_one - one == timedelta(days=1))


def test_everything_that_is_wrong_with_a_row_is_said():
    texts = {"name": "x" * 251, "model": "y" * 201, "acquisition_cost": "约30"}
    problem = imports.read_row(texts, key="")
    assert [each.reason for each in (problem, *problem.more)] == [
        "too-long",
        "too-long",
        "no-key",
        "bad-value",
    ]
    assert [each.numbers.get("field") for each in (problem, *problem.more)] == [
        "name", "model", None, "acquisition_cost",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "most"), [("name", 250), ("model", 200), ("room", 80), ("facility", 200), ("contact_phone", 60)]
)
def test_a_text_too_long_for_its_field_refuses_the_row(field, most):
    assert isinstance(imports.read_row({"name": "SEM", field: "x" * most}, key="1"), imports.RowValues)
    problem = imports.read_row({"name": "SEM", field: "x" * (most + 1)}, key="1")
    assert problem == RowProblem("too-long", {"field": field, "length": most + 1, "most": most})


def test_a_row_needs_a_name_and_a_key():
    assert imports.read_row({"name": "UNKNOWN"}, key="1") == RowProblem("no-name")
    assert imports.read_row({"description": "A fine one"}, key="1") == RowProblem("no-name")
    assert imports.read_row({"name": "SEM"}, key="") == RowProblem("no-key")


def test_a_chinese_name_is_a_name():
    values = imports.read_row({"name": "", "name_zh": "扫描电镜"}, key="1")
    assert isinstance(values, imports.RowValues)
    assert (values.record["name"], values.record["name_zh"]) == ("扫描电镜", "扫描电镜")


def test_techniques_are_split_at_chinese_signs():
    values = imports.read_row({"name": "SEM", "techniques": "扫描电镜；能谱、衍射，形貌; LC-MS/MS"}, key="1")
    assert isinstance(values, imports.RowValues)
    assert set(values.record["techniques"]) == {"扫描电镜", "能谱", "衍射", "形貌", "LC-MS/MS"}


# --- digest -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"record": {"name": "Raman"}}, "record"),
        ({"facility": imports.FacilityValues("Chemistry")}, "facility"),
        ({"facility": imports.FacilityValues("Physics", "", {"contact_phone": "1"})}, "contact"),
        ({"hours": HOURS}, "hours"),
    ],
)
def test_the_digest_says_which_part_of_a_row_changed(change, part):
    assert len(imports.digest(row())) == 64
    assert imports.changed_parts(imports.digest(row()), imports.digest(row(**change))) == {part}


def test_key_time_zone_and_order_of_fields_are_no_content():
    one = row(record={"name": "X", "room": "1"})
    other = row(key="2", record={"room": "1", "name": "X"})
    assert imports.digest(one) == imports.digest(other)
    assert imports.digest(row(facility=imports.FacilityValues("Physics", "Europe/London"))) == imports.digest(
        row()
    )


def test_a_digest_from_elsewhere_means_everything_changed():
    assert imports.changed_parts("", imports.digest(row())) == set(imports.PARTS)


def test_a_made_key_sees_content_and_not_spaces():
    assert imports.content_key("SEM", "Physics") == imports.content_key(" SEM ", "Physics ")
    assert imports.content_key("SEM", "Physics") != imports.content_key("SEMPhysics", "")


# --- keys ---------------------------------------------------------------------------------


def admitted(*rows):
    """The keys a file's rows are stored by, or why not; and which keys came again."""
    keys = imports.Keys()
    found = [keys.admit(line, row) for line, row in enumerate(rows, start=2)]
    return [r.key if isinstance(r, imports.RowValues) else r for r in found], keys.again


def test_rows_without_a_key_that_say_the_same_are_several_pieces():
    twin, other = row("row-a", repeats=True), row("row-b", repeats=True)
    assert admitted(twin, other, twin) == (["row-a-1", "row-b-1", "row-a-2"], {})
    # In another order, with one more.
    assert admitted(other, twin, twin, twin)[0] == ["row-b-1", "row-a-1", "row-a-2", "row-a-3"]


def test_a_key_that_comes_again_is_told_where():
    problem = RowProblem("duplicate-key", {"key": "1", "first": 2})
    assert admitted(row("1"), row("2"), row("1"), row("1")) == (["1", "2", problem, problem], {"1": 4})


def test_a_key_too_long_for_its_column_refuses_the_row():
    assert admitted(row("k" * 201))[0] == [
        RowProblem("too-long", {"field": "key", "length": 201, "most": 200})
    ]


# --- waiting ------------------------------------------------------------------------------


def test_a_row_waits_to_be_applied_as_it_is():
    texts = {
        "name": "NMR",
        "acquisition_cost": "12.50",
        "acquisition_date": "2020-02-29",
        "serial_number": "S",
        "facility": "Hill",
    }
    values = imports.read_row(texts, key="1", hours=HOURS, time_zone="Europe/London")
    again = imports.values_of("1", json.loads(json.dumps(imports.values_json(values))))
    assert again == values
    assert (again.kinds, again.names_only) == (values.kinds, True)


# Heads of registers as Chinese organisations keep them, each with the field that it fills.
REGISTERS = {
    "assets": """
        序号 资产编号=inventory_number 资产名称=name 资产分类代码=classification_code
        资产分类名称=instrument_types 规格 型号=model 单价(元)=acquisition_cost 总价 数量 取得日期
        入账日期 购置日期=acquisition_date 使用状况 使用部门=facility 领用人=contact_name 保管人
        放置地点=room 生产厂家=manufacturers 供货商 出厂编号=serial_number 备注
        """,
    "instruments": """
        仪器编号=inventory_number 仪器中文名称=name_zh 仪器英文名称=name 仪器型号=model 仪器规格
        分类=instrument_types 分类编码=classification_code 制造商=manufacturers 产地国别
        原值(万元)=acquisition_cost 购置日期=acquisition_date 启用日期=commissioned_date 所属单位
        所属中心=facility 安放地址=address 技术=techniques 主要技术指标=capabilities
        主要功能及特色=description 服务内容 收费标准 仪器管理员 联系人=contact_name
        联系人电话=contact_phone 联系人邮箱=contact_email 共享模式 备注
        """,
    "centre": """
        设备编号=inventory_number 设备名称=name 品牌=manufacturers 规格型号=model
        产品序列号=serial_number 设备原值=acquisition_cost 币种=acquisition_currency
        购入时间=acquisition_date 启用时间=commissioned_date 存放位置 房间号=room 所在实验室=facility
        机组 负责人=contact_name 联系方式=contact_phone E-mail=contact_email 测试方法=techniques
        检测项目=measured_variables 技术参数=capabilities 设备简介=description 服务方式=service_modes
        设备类别=instrument_types 状态 备注
        """,
}


@pytest.mark.parametrize("register", REGISTERS)
def test_the_columns_of_chinese_registers_are_recognised(register):
    pairs = [column.partition("=")[::2] for column in REGISTERS[register].split()]
    fields = import_fields.suggested_fields([header_name(head) for head, _ in pairs])
    assert dict(zip([head for head, _ in pairs], fields, strict=True)) == dict(pairs)


@given(st.lists(st.sampled_from(sorted(import_fields._FIELD_OF)), max_size=12))
def test_no_two_columns_are_suggested_for_one_field_and_none_is_left_out_needlessly(columns):
    fields = import_fields.suggested_fields(columns)
    filled = [field for field in fields if field]
    assert len(filled) == len(set(filled))
    known = {import_fields._FIELD_OF[column][0] for column in columns}
    assert known <= {*filled, *(("name",) if "name_zh" in filled else ())}


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([], 1),
        ([["name"], ["SEM"]], 1),
        ([["nr", "device"], ["1", "SEM"]], 1),
        ([["Large instruments"], [], ["nr", "device"], ["1", "SEM"]], 3),
        ([["填表人：王", "2026-11-01"], ["编号", "仪器名称", "型号"], ["1", "电镜", "X"]], 2),
        # Known names count before other words; numbers name nothing.
        ([["Department", "by Wang", "", ""], ["Asset", "Name", "Model", "Room"]], 2),
        ([["2024", "2025"], ["1", "2"]], 1),
    ],
)
def test_the_line_with_the_names_of_columns_is_found(lines, found):
    assert import_fields.heads_line(lines) == found


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("acquisition_date", "2021.4", date(2021, 4, 1)),
        ("acquisition_date", "2021-04", date(2021, 4, 1)),
        ("acquisition_date", "2021.10", date(2021, 10, 1)),
        ("acquisition_date", "2021年4月", date(2021, 4, 1)),
        ("acquisition_date", "2021/4/15", date(2021, 4, 15)),
        ("acquisition_date", "20210415", date(2021, 4, 15)),
        ("acquisition_date", "2021年4月15日", date(2021, 4, 15)),
        ("acquisition_cost", "58.6万", Decimal(586_000)),
        ("acquisition_cost", "58.6 万元", Decimal(586_000)),
        ("acquisition_cost", "￥586,000.50", Decimal("586000.50")),
        ("acquisition_cost", "586000元", Decimal(586_000)),
    ],
)
def test_dates_and_amounts_are_read_as_inventories_write_them(field, text, value):
    read = imports.read_row({"name": "SEM", field: text}, key="1")
    assert isinstance(read, imports.RowValues) and read.record[field] == value


def test_a_refused_row_is_called_by_its_name():
    problem = imports.read_row({"name": " SEM  2 ", "acquisition_cost": "much"}, key="")
    assert isinstance(problem, RowProblem) and problem.name == "SEM 2"
