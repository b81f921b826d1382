"""Define the fields that a file may fill, how their texts become values, and their limits.

Limits are those of the models (a test compares them): a value that does not fit is refused here, row by row,
before the database would refuse a whole batch.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from instruments.rates.domain.ratecards import SERVICE_MODES
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
    """Read `YYYY-MM-DD`, which a time of day may follow; None for an empty text. `Unusable` otherwise."""
    if not text:
        return None
    try:
        return date.fromisoformat(_matched(_ISO_DATE, text)[1])
    except ValueError:
        raise Unusable from None


def _cost(text: str) -> Decimal | None:
    return Decimal(_matched(_DECIMAL, text)[0]) if text else None


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
    codes = _items(text)
    if any(len(code) > 60 for code in codes):
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
_FIELDS = {*INSTRUMENT_FIELDS, *FACILITY_FIELDS}
SEVERAL_LINES = frozenset({"description", "description_zh", "capabilities"})
NAMED = frozenset({"manufacturers", "instrument_types", "measured_variables"})
LISTS = NAMED | {"service_modes", "techniques", "capabilities"}


# Column names that inventories use, in the form in which `suggested_fields` compares them.
HEADINGS = {
    "name": (
        "name|instrument|instrument name|equipment|equipment name|title|名称|仪器名称|"
        "设备名称|仪器设备名称|资产名称|中文名称|仪器中文名称"
    ),
    "description": ("description|功能|主要功能|功能介绍|仪器简介|简介|描述|备注|主要功能及特色|用途"),
    "capabilities": (
        "capabilities|specifications|technical specifications|技术指标|主要技术指标|性能指标|"
        "主要性能指标|技术参数|主要技术参数"
    ),
    "manufacturers": (
        "manufacturer|maker|make|vendor|生产厂家|厂家|制造商|厂商|生产厂商|制造厂商|生产企业|品牌|供应商"
    ),
    "model": "model|model number|型号|规格型号|仪器型号|设备型号|型号规格|规格",
    "serial_number": "serial number|serial no|s/n|序列号|出厂编号|出厂号|机身号",
    "inventory_number": (
        "inventory number|inventory no|asset number|asset id|资产编号|资产编码|"
        "固定资产编号|设备编号|仪器编号|仪器设备编号|设备资产编号|编号"
    ),
    "classification_code": (
        "classification|classification code|分类号|分类编码|资产分类号|仪器分类编码|分类代码|国标分类号"
    ),
    "acquisition_cost": (
        "cost|price|purchase price|原值|单价|购置金额|价格|金额|资产原值|设备原值|原值(元)|单价(元)|购置价格"
    ),
    "acquisition_currency": "currency|币种|货币",
    "acquisition_date": "acquired|purchase date|购置日期|采购日期|购入日期|入账日期",
    "commissioned_date": "commissioned|启用日期|投入使用日期|验收日期",
    "instrument_types": "type|category|仪器类型|设备类别|仪器类别|分类名称|类别",
    "measured_variables": "measures|测量参数|测试项目|检测项目|服务项目",
    "room": "room|房间|房间号|存放地点|存放地|放置地点|安放地点|所在房间",
    "facility": (
        "facility|department|laboratory|lab|所属平台|平台|实验室|使用单位|所属单位|"
        "所属部门|领用单位|所在单位|中心|使用部门"
    ),
    "address": "address|地址|安装地址|详细地址|所在地址",
    "contact_name": (
        "contact|contact name|联系人|负责人|机组负责人|管理员|领用人|保管人|仪器负责人|仪器管理员"
    ),
    "contact_email": "email|e-mail|contact email|邮箱|电子邮箱|电子邮件|联系邮箱",
    "contact_phone": "phone|telephone|电话|联系电话|手机|手机号|办公电话",
    "website": "website|url|网址|网站|主页",
}
_FIELD_OF = {word: field for field, words in HEADINGS.items() for word in words.split("|")}
_IN_ENGLISH = ("english name", "name in english", "英文名称", "英文名", "仪器英文名称", "外文名称")


def suggested_fields(columns: Sequence[str]) -> list[str]:
    """Return, for each column, the field that it most likely fills by its name; empty if there is none or an
    earlier column fills it. If there is an English name column, the Chinese name column fills `name_zh`."""
    has_english = any(column in _IN_ENGLISH for column in columns)
    fields: list[str] = []
    for column in columns:
        plain = re.sub(r"[（(].*?[）)]|[*＊:：]|\s+$", "", column.replace("_", " ")).strip()
        name = column if column in _FIELDS else _FIELD_OF.get(column) or _FIELD_OF.get(plain, "")
        if column in _IN_ENGLISH:
            name = "name"
        elif name == "name" and has_english:
            name = "name_zh"
        fields.append("" if name in fields else name)
    return fields


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
