"""Write large research instruments in the fields of China's National Research Infrastructure Inventory
(重大科研基础设施和大型科研仪器国家网络管理平台), as a table to hand over.

The column names are those of its interface (`innerId`, `cname`, ...). What the platform does not know
(country of origin, customs supervision, source of funds) is left empty for whoever hands it over. Hours of
use are not included: they are figures of a year, in the statistics.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

# the inventory's name of a field -> its column
COLUMNS = {
    "innerId": "所在单位仪器编号",
    "cname": "仪器名称（中文）",
    "ename": "仪器名称（英文）",
    "insCode": "所属单位标识",
    "insName": "所属单位",
    "instrBelongsType": "所属资源载体类型",
    "instrCategory": "设备分类编码",
    "instrSource": "仪器设备来源",
    "instrSupervise": "是否海关监管",
    "worth": "原值（万元）",
    "nation": "产地国别",
    "manufacturer": "生产制造商",
    "beginDate": "启用日期",
    "type": "仪器设备类别",
    "instrVersion": "规格型号",
    "technical": "主要技术指标",
    "function": "主要功能",
    "subject": "主要学科领域",
    "serviceContent": "服务内容",
    "requirement": "用户须知",
    "fee": "参考收费标准",
    "serviceUrl": "预约服务网址",
    "insideDepart": "所属单位内部门",
    "shareMode": "共享模式",
    "runStatus": "运行状态",
    "address": "安放地址",
    "contact": "联系人",
    "phone": "电话",
    "email": "电子邮箱",
}
_KINDS = {"general": "通用", "dedicated": "专用"}
_MODES = {"self": "用户上机操作", "assisted": "协助用户操作", "entrusted": "委托测试", "remote": "远程操作"}


@dataclass(frozen=True)
class Place:
    """Facts about an instrument that its record does not hold: its host, its address on this platform, its
    rate, its state."""

    host_code: str
    host_name: str
    page: str
    fee: str
    is_published: bool
    is_retired: bool
    techniques: str  # the Chinese names, if they have one


def cells_of_record(key: str, told: Mapping[str, str], place: Place) -> list[str]:
    """Return a record as one row of the inventory's table, in the order of `COLUMNS`. `told`: the fields of
    the record as texts; `key`: the id of the row."""
    modes = [_MODES[mode] for mode in told["service_modes"].split("; ") if mode in _MODES]
    known = {
        "innerId": told["inventory_number"] or key,
        "cname": told["name_zh"] or told["name"],
        "ename": told["name"],
        "insCode": place.host_code,
        "insName": place.host_name,
        "instrCategory": told["classification_code"],
        "worth": _worth(told["acquisition_cost"], told["acquisition_currency"]),
        "manufacturer": told["manufacturers"],
        "beginDate": told["commissioned_date"] or told["acquisition_date"],
        "type": _KINDS[told["kind"]],
        "instrVersion": told["model"],
        "technical": told["description_zh"] or told["description"],
        "function": place.techniques or told["instrument_types"],
        "serviceContent": "；".join(modes),
        "fee": place.fee,
        "serviceUrl": place.page,
        "insideDepart": told["facility"],
        "shareMode": "外部共享" if place.is_published else "不共享",
        "runStatus": "停用" if place.is_retired else "正常",
        "address": " ".join(filter(None, (told["address"], told["room"]))),
        "contact": told["contact_name"],
        "phone": told["contact_phone"],
        "email": told["contact_email"],
    }
    return [known.get(name, "") for name in COLUMNS]


def _worth(cost: str, currency: str) -> str:
    """Write a cost in units of ten thousand yuan; empty if it is in another currency, as no rate is known
    here."""
    if not cost or currency != "CNY":
        return ""
    return f"{(Decimal(cost) / 10_000).quantize(Decimal('0.0001')).normalize():f}"
