"""Files of regions and of organisations: their columns, how a cell is read, what becomes of a row.

A row is recognised by its code. An empty cell, like a missing column, leaves what is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any

from accounts.domain.errors import FieldProblem, Refused, invalid
from accounts.domain.organisations import PAPER
from bookings.plans.domain.imports import fields_of

# The names of the columns, in lower case; the first is the one that messages use.
ORGANISATION_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "organisation", "代码", "单位代码", "编码", "单位编码"),
    "name": ("name", "english name", "name in english", "英文名称", "英文名"),
    "name_zh": (*("name zh", "chinese name", "name in chinese"), *("中文名称", "中文名", "名称", "单位名称")),
    "kind": ("kind", "type", "类型", "单位类型", "单位性质"),
    "is_small": ("is small", "small", "小微企业", "是否小微企业", "小型企业"),
    "region": ("region", "区域", "地区", "区域代码", "行政区划代码"),
    "ror": ("ror", "ror id"),
    "legal_name": ("legal name", "法定名称", "发票抬头", "开票名称"),
    "address": ("address", "地址", "单位地址"),
    "tax_number": ("tax number", "vat number", "税号", "纳税人识别号", "统一社会信用代码"),
    "bank_name": ("bank name", "bank", "开户行", "开户银行"),
    "account_number": ("account number", "账号", "银行账号"),
    "iban": ("iban",),
    "bic": ("bic", "swift"),
    "bank_account": ("bank account", "银行账户", "开户行及账号"),
    "invoice_email": ("invoice email", "invoice e-mail", "收票邮箱", "发票邮箱"),
    "order_number": ("order number", "订单号"),
}
REGION_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "scheme": ("scheme", "编码体系", "代码体系"),
    "code": ("code", "region", "代码", "区域代码", "行政区划代码"),
    "parent": ("parent", "上级", "上级区域", "上级代码"),
    "name": ("name", "english name", "name in english", "英文名称", "英文名"),
    "name_zh": (*("name zh", "chinese name", "name in chinese"), *("中文名称", "中文名", "名称", "区域名称")),
    "time_zone": ("time zone", "时区"),
    "currency": ("currency", "货币", "币种"),
    "holiday_calendar": ("holiday calendar", "节假日", "节假日日历"),
    "shares": ("shares", "共享", "参与共享"),
}
organisation_fields, region_fields = (
    partial(
        fields_of, fields={name: key for key, names in columns.items() for name in names}, needed=({"code"},)
    )
    for columns in (ORGANISATION_COLUMNS, REGION_COLUMNS)
)

_KINDS = {
    "university": ("university", "大学", "高校", "高等院校", "高等学校"),
    "institute": ("institute", "研究所", "研究院", "研究院所", "科研院所", "研究机构"),
    "hospital": ("hospital", "医院"),
    "government": ("government", "government body", "政府机构", "政府部门", "政府", "机关"),
    "enterprise": ("enterprise", "company", "企业", "公司"),
}
_YES = {"true", "yes", "y", "1", "x", "是", "真"}
_NO = {"false", "no", "n", "0", "否", "假"}


class Result(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """The outcome of a row, or in a preview what it would be. `changes`: field, before, after."""

    line: int
    result: Result
    code: str = ""
    name: str = ""
    changes: tuple[tuple[str, Any, Any], ...] = ()
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True)
class RegisterReport:
    """The outcome of every row of an imported file of regions or organisations, in its order."""

    outcomes: tuple[Outcome, ...]
    ignored: tuple[str, ...] = field(default=())

    def count(self, result: Result) -> int:
        return sum(outcome.result is result for outcome in self.outcomes)

    @property
    def new(self) -> int:
        return self.count(Result.NEW)

    @property
    def changed(self) -> int:
        return self.count(Result.CHANGED)

    @property
    def unchanged(self) -> int:
        return self.count(Result.UNCHANGED)

    @property
    def refused(self) -> int:
        return self.count(Result.REFUSED)


class RegisterRefused(Refused):
    """Rows of the file are refused, so nothing in it was stored."""

    code = "register-rows-refused"

    def __init__(self, report: RegisterReport) -> None:
        self.report = report
        super().__init__(refused=report.refused, rows=len(report.outcomes))


def organisation_values(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of an organisation in a row, without code and region; empty cells are left out. Raise
    `Invalid` (unknown-value for a kind, not-a-boolean)."""
    values: dict[str, Any] = {
        name: texts[name] for name in ("name", "name_zh", "ror", *PAPER) if texts.get(name)
    }
    if kind := texts.get("kind", "").casefold():
        known = next((key for key, names in _KINDS.items() if kind in names), None)
        if known is None:
            raise invalid("kind", "unknown-value")
        values["kind"] = known
    if texts.get("is_small"):
        values["is_small"] = _flag(texts["is_small"], "is_small")
    return values


def region_values(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of a region in a row, without scheme, code and parent."""
    names: Sequence[str] = ("name", "name_zh", "time_zone", "currency", "holiday_calendar")
    values: dict[str, Any] = {name: texts[name] for name in names if texts.get(name)}
    if texts.get("shares"):
        values["shares"] = _flag(texts["shares"], "shares")
    return values


def _flag(text: str, name: str) -> bool:
    word = text.casefold()
    if word not in _YES | _NO:
        raise invalid(name, "not-a-boolean")
    return word in _YES
