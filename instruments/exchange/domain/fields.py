"""Define the fields that a file may fill, how their texts become values, and their limits.

Limits are those of the models (a test compares them): a value that does not fit is refused here, row by row,
before the database would refuse a whole batch.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from instruments.rates.domain.ratecards import SERVICE_MODES
from instruments.reading.domain.delimited import header_name
from instruments.vocabulary.domain.parameters import LONGEST_TEXT

type Value = str | int | date | Decimal | list[str] | list[dict[str, str]] | None

KINDS = ("general", "dedicated")
# Several columns of a file become one list of PIDINST.
DATES = {"commissioned_date": "Commissioned", "decommissioned_date": "DeCommissioned"}
ALTERNATE_IDENTIFIERS = {"inventory_number": "InventoryNumber", "serial_number": "SerialNumber"}

# Placeholders that people write in cells without a value.
PLACEHOLDERS = frozenset(
    {
        *("unknown", "n/a", "na", "nil", "none", "null", "tbc", "tbd", "untitled", "unspecified"),
        *("not known", "not specified", "not applicable", "未知", "无", "暂无", "不详"),
    }
)
_CONTROLS = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_HOST = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,}(?::\d{1,5})?")
_MAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@(?:[\w-]+\.)+[^\W\d_]{2,}")
_DECIMAL = re.compile(r"\d{1,12}(?:\.\d{1,2})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,5}", re.ASCII)
# The parts of a date as people write them, 20210305 included; the day may lack. "2021.1" may be a month or,
# where a spreadsheet took it for a number, October: it is refused.
_EIGHT_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_WRITTEN_DATE = re.compile(
    r"(\d{4})(?:[./-](?!1$)(\d{1,2})(?:[./-](\d{1,2}))?|年(\d{1,2})月(?:(\d{1,2})日)?)", re.ASCII
)
_AMOUNT = re.compile(r"[¥￥]?(\d[\d,，]*(?:\.\d+)?)(万?)元?", re.ASCII)
_ISO_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}.*)?", re.ASCII)


class Unusable(ValueError):
    """The text is not a value of its field. `most` is the permitted length if it is only too long."""

    def __init__(self, most: int = 0) -> None:
        self.most = most
        super().__init__(most)


def one_line(text: str) -> str:
    """Return a text as one line, in composed characters, with single spaces and without invisible or control
    characters."""
    return " ".join(_CONTROLS.sub("", unicodedata.normalize("NFC", text)).split())


# What XML 1.0 cannot contain.
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def speakable(text: str) -> str:
    """Return a text without the characters that XML cannot contain."""
    return _UNSPEAKABLE.sub("", text)


def clean(text: str) -> str:
    """Return a text in one line like `one_line`; placeholders for nothing ("n/a", "-") become empty."""
    line = one_line(text)
    return "" if line.casefold() in PLACEHOLDERS or line.strip("-–—?.*/_") == "" else line


def clean_lines(text: str) -> str:
    """Return a text with each line cleaned like `clean`; line breaks stay."""
    return "\n".join(filter(None, map(clean, text.splitlines())))


def is_name(text: str) -> bool:
    """Say whether a cleaned text can be a name: a number alone cannot."""
    return any(character.isalpha() for character in text)


def web_address(text: str) -> str:
    """Return an http(s) address, adding https to one that only lacks its scheme. `Unusable` otherwise."""
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Unusable from None
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme.lower() not in ("http", "https") or "@" in parts.netloc or " " in url:
        raise Unusable
    if not _HOST.fullmatch(host):
        raise Unusable
    return url


def _mail_address(text: str) -> str:
    address = re.sub(r"^mailto:\s*", "", text, flags=re.IGNORECASE)
    if not _MAIL.fullmatch(address):
        raise Unusable
    return address


def _limited(parse: Callable[[str], str], most: int, text: str) -> str:
    value = parse(text) if text else ""
    if len(value) > most:
        raise Unusable(most)
    return value


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise Unusable
    return match


def _day(text: str) -> date | None:
    """Read `YYYY-MM-DD`, which a time may follow, or 2021/3/5, 20210305, 2021年3月5日 and the like; a month
    stands for its first day. None for an empty text. `Unusable` otherwise."""
    if not text:
        return None
    try:
        if digits := _EIGHT_DIGITS.fullmatch(text):
            return date(*map(int, digits.groups()))
        if written := _WRITTEN_DATE.fullmatch(text.replace(" ", "")):
            year, *rest = written.groups()
            month, day = [*filter(None, rest), None][:2]
            return date(int(year), int(month or 1), int(day or 1))
        return date.fromisoformat(_matched(_ISO_DATE, text)[1])
    except ValueError:
        raise Unusable from None


_SERIAL_DAY = re.compile(r"([2-5]\d{4})(?:\.\d+)?", re.ASCII)
_DAY_0 = date(1899, 12, 30)  # of the day numbers of spreadsheets


def serial_day(text: str) -> date | None:
    """Return the date that a text means as the day number of a spreadsheet, from 20000 (in 1954) to 59999 (in
    2064); None for any other text."""
    number = _SERIAL_DAY.fullmatch(text)
    return _DAY_0 + timedelta(days=int(number[1])) if number else None


def _cost(text: str) -> Decimal | None:
    """Read an amount, also with separators of thousands, the sign of the yuan or in 万 (ten thousands)."""
    if not text:
        return None
    number, in_wan = _matched(_AMOUNT, text.replace(" ", "")).groups()
    amount = Decimal(re.sub("[,，]", "", number)) * (10_000 if in_wan else 1)
    return Decimal(_matched(_DECIMAL, f"{amount.normalize():f}")[0])


def _whole(text: str) -> int | None:
    return int(_matched(_WHOLE, text)[0]) if text else None


def _currency(text: str) -> str:
    return _matched(re.compile("[A-Z]{3}"), text.upper())[0] if text else ""


def _kind(text: str) -> str:
    kind = text.lower() or KINDS[0]
    if kind not in KINDS:
        raise Unusable
    return kind


def _items(text: str) -> list[str]:
    r"""Split a text at semicolons and line ends, without repeats; `\;` is a semicolon within an item."""
    items = (item.replace("\\;", ";").strip() for item in re.split(r"(?<!\\)[;\n]", text))
    return list(dict.fromkeys(filter(None, items)))


def joined(items: Iterable[str]) -> str:
    """Join items to one text, from which `_items` reads them again."""
    return "; ".join(item.replace(";", "\\;") for item in items)


def _named(text: str) -> list[dict[str, str]]:
    return [{"name": item} for item in _items(text)]


def _modes(text: str) -> list[str]:
    modes = [mode.lower() for mode in _items(text)]
    if not set(modes) <= set(SERVICE_MODES):
        raise Unusable
    return modes


def _codes(text: str) -> list[str]:
    codes = _items(re.sub("[；、，]", ";", text))
    if any(len(code) > 200 for code in codes):  # the longest name of a technique
        raise Unusable
    return sorted(codes)


def _statements(text: str) -> list[str]:
    if len(text) > LONGEST_TEXT:
        raise Unusable(LONGEST_TEXT)
    return _items(text)


def _text(most: int, parse: Callable[[str], str] = clean) -> Callable[[str], str]:
    return partial(_limited, parse, most)


INSTRUMENT_FIELDS: dict[str, Callable[[str], Value]] = {
    "name": _text(250),
    "name_zh": _text(250),
    "description": _text(20_000, clean_lines),
    "description_zh": _text(20_000, clean_lines),
    "landing_page": _text(500, web_address),
    "identifier": _text(200),
    "identifier_type": _text(20),
    "manufacturers": _named,
    "model": _text(200),
    "model_identifier": _text(200),
    "model_identifier_type": _text(40),
    "instrument_types": _named,
    "measured_variables": _named,
    "commissioned_date": _day,
    "decommissioned_date": _day,
    "inventory_number": _text(200),
    "serial_number": _text(200),
    "classification_code": _text(20),
    "acquisition_cost": _cost,
    "acquisition_currency": _currency,
    "acquisition_date": _day,
    "service_modes": _modes,
    "techniques": _codes,
    "capabilities": _statements,
    "kind": _kind,
    "norm_hours": _whole,
    "room": _text(80),
}
FACILITY_FIELDS: dict[str, Callable[[str], str]] = {
    "facility": _text(200),
    "address": _text(300),
    "contact_name": _text(120),
    "contact_email": _text(254, _mail_address),
    "contact_phone": _text(60),
    "website": _text(200, web_address),
}
REQUIRED = ("name", "name_zh")  # a row without one of them cannot be an instrument
DAYS = frozenset({*DATES, "acquisition_date"})
_FIELDS = {*INSTRUMENT_FIELDS, *FACILITY_FIELDS}
SEVERAL_LINES = frozenset({"description", "description_zh", "capabilities"})
NAMED = frozenset({"manufacturers", "instrument_types", "measured_variables"})
LISTS = NAMED | {"service_modes", "techniques", "capabilities"}


# The columns of the template that people fill in, in both languages: the labels of the fields.
TEMPLATE_HEADS = {
    "inventory_number": ("Inventory number", "资产编号"),
    "name": ("Name", "名称"),
    "name_zh": ("Name in Chinese", "中文名称"),
    "manufacturers": ("Maker", "厂商"),
    "model": ("Model", "型号"),
    "serial_number": ("Serial number", "出厂编号"),
    "facility": ("Facility", "仪器中心"),
    "address": ("Address", "地址"),
    "room": ("Room", "房间"),
    "kind": ("Kind", "类别"),
    "service_modes": ("How it can be used", "服务方式"),
    "techniques": ("Techniques", "技术方法"),
    "capabilities": ("What it can do", "能力指标"),
    "description": ("Description", "介绍"),
    "acquisition_date": ("Acquired on", "购置日期"),
    "acquisition_cost": ("Acquisition cost", "购置金额"),
    "acquisition_currency": ("Currency", "币种"),
    "contact_name": ("Contact name", "联系人"),
    "contact_email": ("E-mail", "邮箱"),
    "contact_phone": ("Telephone", "电话"),
    "website": ("Website", "网站"),
}
EXAMPLE_KEYS = frozenset({"EXAMPLE", "示例"})  # inventory numbers of the template's example row


def template_fields(header: Sequence[str]) -> dict[str, str] | None:
    """Return, by field, the columns of a table whose heads are those of the template, in either language;
    None for any other table. Columns may have been deleted, but not that of the name or the number."""
    for language in (0, 1):
        known = {heads[language].casefold(): name for name, heads in TEMPLATE_HEADS.items()}
        fields = {known[column]: column for column in header if column in known}
        if {"name", "inventory_number"} <= fields.keys() and all(c in known for c in header if c):
            return fields
    return None


# Column names that inventories use, in the form in which `suggested_fields` compares them. Of several columns
# for one field it takes the one whose name stands first here. A remark (备注) is no description: it may say
# that the piece is written off.
HEADINGS = {
    "name": "name|instrument name|equipment name|instrument|equipment|title|中文名称|名称|品名",
    "description": (
        "description|简介|介绍|描述|主要功能及特色|主要功能|功能介绍|功能描述|功能|主要用途|用途|应用领域"
    ),
    "capabilities": (
        "capabilities|technical specifications|specifications|主要技术指标|技术指标|主要性能指标|性能指标|"
        "主要技术参数|技术参数|主要参数"
    ),
    "manufacturers": (
        "manufacturer|maker|make|vendor|制造商|生产厂家|生产厂商|制造厂商|制造厂家|生产企业|生产商|厂家|厂商|"
        "品牌|供应商"
    ),
    "model": "model|model number|型号|规格型号|型号规格|品牌型号|规格",
    "serial_number": "serial number|serial no|s/n|序列号|出厂编号|出厂号|机身号",
    "inventory_number": (
        "inventory number|inventory no|asset number|asset id|资产编号|资产编码|固定资产编号|固定资产编码|"
        "资产号|编号|编码"
    ),
    "classification_code": (
        "classification code|classification|分类代码|分类编码|分类号|国标分类号|国标分类代码|教育部分类号"
    ),
    "acquisition_cost": (
        "cost|purchase price|price|原值|单价|购置金额|购置价格|价格|金额|价值|采购金额|总价"
    ),
    "acquisition_currency": "currency|币种|货币",
    "acquisition_date": (
        "acquired|purchase date|购置日期|购置时间|购入日期|购入时间|采购日期|采购时间|取得日期|入账日期"
    ),
    "commissioned_date": "commissioned|启用日期|启用时间|投入使用日期|投用日期|验收日期",
    "instrument_types": "type|category|类型|分类名称|分类|类别",
    "measured_variables": "measures|测量参数|测试项目|检测项目|分析项目|服务项目",
    "techniques": (
        "techniques|technique|methods|method|技术方法|技术|分析技术|测试技术|检测技术|表征技术|测试方法|"
        "分析方法|检测方法|方法|技术类别|技术分类"
    ),
    "service_modes": "service modes|service mode|how it can be used|服务方式|服务模式|使用方式",
    "room": (
        "room|房间号|房间|所在房间|放置地点|存放地点|安放地点|安装地点|存放地|放置位置|存放位置|安放位置|"
        "所在地点|所在位置|地点"
    ),
    "facility": (
        "facility|laboratory|lab|department|所属平台|平台|所属中心|中心|所属实验室|所在实验室|实验室|"
        "使用单位|使用部门|领用单位|领用部门|所属部门|所在部门|管理部门|所在单位|所属单位|管理单位"
    ),
    "address": "address|地址|安装地址|安放地址|详细地址|所在地址",
    "contact_name": ("contact name|contact|联系人|负责人|机组负责人|管理员|管理人|机主|领用人|保管人|使用人"),
    "contact_email": "email|e-mail|contact email|邮箱|电子邮箱|电子邮件|联系邮箱|联系人邮箱|负责人邮箱",
    "contact_phone": (
        "phone|telephone|电话|联系电话|联系人电话|联系方式|负责人电话|管理员电话|手机|手机号|办公电话"
    ),
    "website": "website|url|网址|网站|主页",
}
_FIELD_OF = {
    word: (field, rank) for field, words in HEADINGS.items() for rank, word in enumerate(words.split("|"))
}
_IN_ENGLISH = ("english name", "name in english", "英文名称", "英文名", "仪器英文名称", "外文名称")
_OF_AN_INSTRUMENT = re.compile("(?:仪器设备|大型仪器|仪器|设备|资产|产品)(?=..)")


def suggested_fields(columns: Sequence[str]) -> list[str]:
    """Return, for each column, the field that it most likely fills by its name; empty if there is none or
    another column fits it better. If there is an English name column, the Chinese name column fills
    `name_zh`."""
    likely = [_likely(column) for column in columns]
    has_english = any(column in _IN_ENGLISH for column in columns)
    best: dict[str, tuple[int, int]] = {}
    for at, column in enumerate(columns):
        field, rank = likely[at]
        if field == "name" and has_english and column not in _IN_ENGLISH:
            likely[at] = (field := "name_zh", rank)
        if field and (rank, at) < best.get(field, (rank + 1, at)):
            best[field] = (rank, at)
    return [field if field and best[field][1] == at else "" for at, (field, _) in enumerate(likely)]


def _likely(column: str) -> tuple[str, int]:
    """Return the field that a column of that name fills, and how far down its names it stands."""
    if column in _FIELDS:
        return column, -1
    if column in _IN_ENGLISH:
        return "name", -1
    plain = re.sub(r"[（(].*?[）)]|[*＊:：]|\s+$", "", column.replace("_", " ")).strip()
    for name in (column, plain, _OF_AN_INSTRUMENT.sub("", plain, count=1)):
        if name in _FIELD_OF:
            return _FIELD_OF[name]
    return "", 0


def priced(column: str, text: str) -> tuple[str, str]:
    """Return an amount with the unit that its column's name has, as 单价（万元）, and the currency of that
    unit, which is empty for a name without one."""
    unit = re.search(r"[（(](万?)元[）)]", column)
    if not unit:
        return text, ""
    return text + unit[1] if text[-1:].isdigit() else text, "CNY"


def heads_line(lines: Sequence[Sequence[str]]) -> int:
    """Return the line of a table, from 1, that names its columns: the first with two names that are known, or
    else the first in which several cells, at least half of the widest line's, are different words. It is 1 if
    there is none."""
    filled = [[header_name(cell) for cell in cells if cell.strip()] for cells in lines]
    widest = max(map(len, filled), default=0)
    for number, cells in enumerate(filled, start=1):
        if sum(map(bool, suggested_fields(cells))) > 1:
            return number
    for number, cells in enumerate(filled, start=1):
        if 1 < len(cells) == len(set(cells)) and 2 * len(cells) >= widest and all(map(is_name, cells)):
            return number
    return 1


def compose(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return an instrument's attributes from the fields of a file."""
    record = {
        name: value
        for name, value in values.items()
        if name not in DATES and name not in ALTERNATE_IDENTIFIERS
    }
    if any(name in values for name in DATES):
        record["dates"] = [
            {"date": str(values[name]), "date_type": kind} for name, kind in DATES.items() if values.get(name)
        ]
    if any(name in values for name in ALTERNATE_IDENTIFIERS):
        record["alternate_identifiers"] = [
            {"identifier": str(values[name]), "identifier_type": kind}
            for name, kind in ALTERNATE_IDENTIFIERS.items()
            if values.get(name)
        ]
    return record


def told(record: Mapping[str, Any], techniques: Iterable[str], facility: Mapping[str, str]) -> dict[str, str]:
    """Return the text of every field that a file may fill; empty if it has no value. `record`: the
    instrument's attributes; `techniques`: codes; `facility`: `FACILITY_FIELDS`."""
    texts = dict.fromkeys((*INSTRUMENT_FIELDS, *FACILITY_FIELDS), "")
    for name in texts:
        if name in record:
            texts[name] = _told_text(name, record[name])
    for fields, items, word in (
        (DATES, record["dates"], "date"),
        (ALTERNATE_IDENTIFIERS, record["alternate_identifiers"], "identifier"),
    ):
        for name, kind in fields.items():
            mine = [i for i in items if kind in (i.get("date_type"), i.get("identifier_type"))]
            texts[name] = str(mine[0][word]) if mine else ""
    texts["techniques"] = joined(sorted(techniques))
    return texts | dict(facility)


def _told_text(name: str, value: Any) -> str:
    match value:
        case None:
            return ""
        case list() if name in LISTS:
            return joined(i if isinstance(i, str) else str(i.get("name", "")) for i in value)
        case Decimal() | date() | int() | str():
            return str(value)
        case _:
            return ""
