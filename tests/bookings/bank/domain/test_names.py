"""Names as banks write them are the name that was registered, and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.bank.domain.names import has_form, is_cut, key_of, letters_of


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Nantong Ceramics Co., Ltd.", ["NANTONG CERAMICS CO LTD", "Nantong Ceramics Company Limited"]),
        (
            "Nantong Ceramics Co., Ltd.",
            ["Nantong Ceramics Ltd", "nantong ceramics", "Nantong  Ceramics Co.,Ltd"],
        ),
        ("南通陶瓷有限公司", ["南通陶瓷有限责任公司", "南通陶瓷", "南通陶瓷股份有限公司 ", "南通陶瓷公司"]),
        ("合肥市第一人民医院", ["合肥第一人民医院", "合肥市第一人民医院财务科"]),
        ("合肥地质研究所", ["合肥地质所"]),
        ("中国科学院合肥物质科学研究院", ["中科院合肥物质科学研究院", "中科院合肥物质科学院"]),
        ("芜湖大学", ["芜湖大学财务处", "芜湖大学计划财务处"]),
        (
            "Wuhu University",
            ["Wuhu Univ", "WUHU UNIV.", "University of Wuhu", "Wuhu University Finance Office"],
        ),
        ("Øresund Enzymes A/S", ["OERESUND ENZYMES A/S", "Oresund Enzymes AS", "Øresund Enzymes"]),
        ("Müller Werkstofftechnik GmbH", ["MUELLER WERKSTOFFTECHNIK", "Muller Werkstofftechnik GmbH"]),
        ("Weiß & Söhne GmbH & Co. KG", ["WEISS UND SOEHNE", "Weiss and Sohne GmbH"]),
        ("Société Rhône Polymères S.A.", ["SOCIETE RHONE POLYMERES SA", "Societe Rhone Polymeres"]),
        ("Xuzhou First People’s Hospital", ["XUZHOU FIRST PEOPLES HOSPITAL", "Xuzhou First People's Hosp."]),
    ],
)
def test_the_same_name(name: str, written: list[str]) -> None:
    assert {key_of(each) for each in written} == {key_of(name)}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Hefei Optical Fibre Co., Ltd.", "Hefei Optical Trading Co., Ltd."),
        ("Hefei University", "Hefei University of Technology"),
        ("合肥光学有限公司", "合肥光纤有限公司"),
        ("中国科学技术大学", "中国科学技术大学附属第一医院"),
        ("合肥第一人民医院", "合肥第二人民医院"),
    ],
)
def test_another_name(name: str, other: str) -> None:
    assert key_of(name) != key_of(other)
    assert not is_cut(name, other)


def test_a_name_is_cut_in_a_word_or_at_the_width_of_a_field() -> None:
    name = "Wuhu Battery Recycling Equipment Co., Ltd."
    assert is_cut("Wuhu Battery Recycling Equip", name)
    assert is_cut("WUHU BATTERY RECYCLING EQUIPMENT C", name)
    assert not is_cut("Wuhu Battery Recycling", name)  # a name of its own
    assert is_cut("Bengbu Precision Castings C", "Bengbu Precision Castings Co., Ltd.")
    assert not is_cut("Wuhu B", name)
    assert not is_cut(name, name)


def test_a_legal_form_is_seen() -> None:
    assert has_form("Hefei Optics GmbH") and has_form("合肥光学有限责任公司")
    assert not has_form("Hefei Optics") and not has_form("") and not has_form("合肥大学")


@given(st.text(max_size=60))
def test_any_text_has_a_name_and_case_and_blanks_do_not_matter(text: str) -> None:
    assert key_of(text) == key_of(f"  {text} ")
    assert letters_of(text) == letters_of(f"{text}\n")
    assert bool(key_of(text)) == bool(letters_of(text))
