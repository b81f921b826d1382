"""Regions that need only their code to be entered: the provinces of China."""

from dataclasses import dataclass

ISO, GB = "ISO 3166-2", "GB/T 2260"
# As files and programs may write them, in small letters.
_SCHEMES = {"iso-3166-2": ISO, "iso 3166-2": ISO, "gb-t-2260": GB, "gb/t 2260": GB}

# ISO 3166-2 without `CN-`, the division code of GB/T 2260, names.
_CHINA = """
BJ 110000 Beijing 北京
TJ 120000 Tianjin 天津
HE 130000 Hebei 河北
SX 140000 Shanxi 山西
NM 150000 Inner Mongolia 内蒙古
LN 210000 Liaoning 辽宁
JL 220000 Jilin 吉林
HL 230000 Heilongjiang 黑龙江
SH 310000 Shanghai 上海
JS 320000 Jiangsu 江苏
ZJ 330000 Zhejiang 浙江
AH 340000 Anhui 安徽
FJ 350000 Fujian 福建
JX 360000 Jiangxi 江西
SD 370000 Shandong 山东
HA 410000 Henan 河南
HB 420000 Hubei 湖北
HN 430000 Hunan 湖南
GD 440000 Guangdong 广东
GX 450000 Guangxi 广西
HI 460000 Hainan 海南
CQ 500000 Chongqing 重庆
SC 510000 Sichuan 四川
GZ 520000 Guizhou 贵州
YN 530000 Yunnan 云南
XZ 540000 Tibet 西藏
SN 610000 Shaanxi 陕西
GS 620000 Gansu 甘肃
QH 630000 Qinghai 青海
NX 640000 Ningxia 宁夏
XJ 650000 Xinjiang 新疆
"""


@dataclass(frozen=True)
class KnownRegion:
    """What a list says of a region."""

    name: str
    name_zh: str
    time_zone: str
    currency: str
    holiday_calendar: str


def scheme_named(text: str) -> str:
    """A scheme as regions store it: `iso-3166-2` is ISO 3166-2, `gb-t-2260` is GB/T 2260; any
    other stays as it is."""
    return _SCHEMES.get(text.lower(), text)


def known_region(scheme: str, code: str) -> KnownRegion | None:
    """A region of a list by the scheme as it is stored; None for one that no list has."""
    return _LISTS.get((scheme, code))


def _china() -> dict[tuple[str, str], KnownRegion]:
    regions = {}
    for line in _CHINA.split("\n")[1:-1]:
        iso, division, *name, name_zh = line.split()
        region = KnownRegion(" ".join(name), name_zh, "Asia/Shanghai", "CNY", "CN")
        regions |= {(ISO, f"CN-{iso}"): region, (GB, division): region}
    return regions


_LISTS = _china()
