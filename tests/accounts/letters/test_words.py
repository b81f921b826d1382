"""Names as parts of sentences and lists."""

from types import SimpleNamespace

import pytest
from django.utils import translation

from accounts.letters.words import name_order, named


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["ellipsometry", "mass spectrometry", "Raman spectroscopy", "x-ray imaging"]),
        ("zh-hans", ["X射线成像", "拉曼光谱", "椭圆偏振测量", "质谱"]),
    ],
)
def test_names_are_sorted_by_the_alphabet_and_in_chinese_by_pinyin(language, expected):
    names = {
        "mass spectrometry": "质谱",
        "x-ray imaging": "X射线成像",
        "Raman spectroscopy": "拉曼光谱",
        "ellipsometry": "椭圆偏振测量",
    }
    things = [SimpleNamespace(name=name, name_zh=name_zh) for name, name_zh in names.items()]
    with translation.override(language):
        assert [named(thing) for thing in sorted(things, key=name_order)] == expected
