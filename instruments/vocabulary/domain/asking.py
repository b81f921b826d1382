"""Find what quantity a question asks for, and in which of its senses it uses a word.

"How old is this bone" asks for an age, of whatever; the words that say so are too common to be looked up
among descriptions. So each way of asking stands for one key, under which the measurands of that quantity are
filed. A word of two senses is compared only with words of the same sense.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

MARK = "?"  # begins the key of a quantity
_AT_ONCE = " | "  # stands for what was asked, so that the words around it are not taken as one


@dataclass(frozen=True)
class Quantity:
    """A quantity that questions ask for. `measurands`: codes; `words`, `words_zh`: adjectives as in "how
    old", "old enough", "多老", "老不老"; `phrases`, `phrases_zh`: whatever else asks for it, as regular
    expressions."""

    measurands: tuple[str, ...]
    words: str = ""
    words_zh: str = ""
    phrases: tuple[str, ...] = ()
    phrases_zh: tuple[str, ...] = ()


QUANTITIES: Mapping[str, Quantity] = {
    "age": Quantity(
        ("radiocarbon-age", "exposure-burial-age", "zircon-age", "mineral-age-trace"),
        "old ancient", "老 古老 久远",
        (r"what (?:age|century|period|era|epoch)", r"which (?:century|period|era|epoch|dynasty)",
         r"how many years", r"how long ago", r"(?:the|its|their|absolute) age of"),
        ("多少年", "几[百千万亿]+年", "什么年代", "哪个?年代", "年代", "[哪什][个么]?朝代",
         "[哪几]个?世纪", "多少岁", "多久以前", "什么时候的"),
    ),
    "thickness": Quantity(
        ("film-thickness-xray", "optical-film-constants", "surface-roughness-3d", "dimensions"),
        "thick thin", "厚 薄",
    ),
    "hardness": Quantity(("hardness", "hardness-small-scale", "food-texture"), "hard soft", "硬 软"),
    "purity": Quantity(
        ("purity-metal", "drug-impurities", "crystalline-phases", "steel-composition", "elements-solid-fast"),
        "pure", "纯",
    ),
    "genuineness": Quantity(
        ("food-authenticity", "herbal-medicine", "artefact-composition", "crystalline-phases",
         "vibrational-fingerprint", "functional-groups", "elements-solid-fast", "fingerprints-documents",
         "fibre-textile"),
        phrases=("fakes?", "genuine", "counterfeit", "forged", "adulterated", "authentic",
                 r"(?:is|are) (?:\w+ ){1,3}real"),
        phrases_zh=("真的?还是假的?", "真不真", "真假", "真伪", "是不是真的?", "是真是假", "掺假", "造假",
                    "假的", "掺水", "有没有掺"),
    ),
    "strength": Quantity(
        ("tensile-strength", "coating-adhesion", "structural-capacity", "fracture-toughness",
         "impact-strength", "concrete-durability", "soil-rock-strength"),
        "strong weak tough sturdy", "牢 牢固 结实 坚固 强 韧", (r"how much (?:load|force|weight)",),
        ("多大的?[拉压]?力", "多少力", "多重的?力"),
    ),
    "sweetness": Quantity(
        ("refractive-index", "fatty-acids-vitamins", "food-composition"), "sweet sugary", "甜"
    ),
    "temperature": Quantity(("thermal-image",), "hot warm", "热 烫"),
    "acidity": Quantity(("acid-base", "soil-fertility"), "acid acidic sour alkaline", "酸 碱"),
    "moisture": Quantity(("water-content", "vapour-uptake"), "dry wet damp moist", "干 湿 潮 潮湿 干燥"),
    "loudness": Quantity(("noise-sound",), "loud noisy", "响 吵 吵闹"),
    "brightness": Quantity(("light-output",), "bright dim", "亮 暗"),
    "roughness": Quantity(
        ("surface-roughness-3d", "surface-topography-nano"), "rough smooth", "粗糙 光滑 光洁"
    ),
    "viscosity": Quantity(("flow-viscosity",), "viscous runny", "粘 黏 稠 稀"),
    "stiffness": Quantity(
        ("viscoelastic-modulus", "tensile-strength", "hardness-small-scale"), "stiff elastic springy", "弹"
    ),
}  # fmt: skip
_ANIMAL = {"animal": "beach baby zoo fur pup pups grey harbour harbor elephant colony arctic"}
_CELLS = {
    "solar": "solar photovoltaic perovskite module",
    "battery": "battery batteries pouch coin electrolyte cathode anode",
    "fuel": "fuel hydrogen electrolyser",
    "lattice": "unit lattice",
    "telephone": "phone",
}
# Words of several senses: the senses that are not the usual one, with words beside which they have it.
_SENSES: Mapping[str, Mapping[str, str]] = {
    "pump": {"light": "probe laser femtosecond picosecond ultrafast pulse optical delay"},
    "seal": _ANIMAL,
    "seals": _ANIMAL,
    "lead": {"first": "play plays role actor singer band team guitar dancer vocal"},
    "cell": _CELLS,
    "cells": _CELLS,
    "stress": {"living": "drought plants seedlings crop crops oxidative exam"},
    "mould": {"tool": "injection casting die moulding sand pour"},
    "mold": {"tool": "injection casting die molding sand pour"},
    "film": {"cinema": "watch actor cinema movie role play plays"},
    "strain": {"living": "bacteria bacterial bacterium yeast virus fungal mouse isolate probiotic"},
    "grain": {"crop": "rice wheat barley maize corn harvest silo cereal"},
    "plant": {"works": "power factory sewage treatment cement"},
}
_TELLING = {  # by a word: the sense that each word beside it gives it
    word: {cue: sense for sense, cues in senses.items() for cue in cues.split()}
    for word, senses in _SENSES.items()
}


def _either(words: str) -> str:
    return "|".join(sorted(words.split(), key=len, reverse=True))


def _ways(asked: Quantity) -> re.Pattern[str]:
    """Return a pattern of all ways in which a quantity is asked for."""
    ways = [rf"\b(?:{phrase})\b" for phrase in asked.phrases]
    if asked.words:
        adjective = _either(asked.words)
        ways += [rf"\b(?:how|too) (?:very |really )?(?:{adjective})\b", rf"\b(?:{adjective}) enough\b"]
    ways += asked.phrases_zh
    if asked.words_zh:
        adjective = _either(asked.words_zh)
        first = f"[{''.join(sorted({word[0] for word in asked.words_zh.split()}))}]"
        ways += [rf"(?:有?多么?|够不够|不够|够|太|有点)(?:{adjective})", rf"{first}不(?:{adjective})"]
    return re.compile("|".join(ways))


_WAYS = {name: _ways(asked) for name, asked in QUANTITIES.items()}
_WHETHER = re.compile(r"([㐀-鿿])不\1")  # "高不高" asks and says no more


def asked_in(text: str) -> tuple[str, dict[str, str]]:
    """Return a plain text without the words that ask for quantities, and the keys of these quantities, each
    with the words that ask for it."""
    found = {MARK + name: match[0].strip() for name, ways in _WAYS.items() if (match := ways.search(text))}
    for key in found:
        text = _WAYS[key.removeprefix(MARK)].sub(_AT_ONCE, text)
    return _WHETHER.sub(_AT_ONCE, text), found


def sense(key: str, word: str, beside: frozenset[str]) -> str:
    """Return the key of a word, with its sense where the words beside it say that it is not the usual one."""
    telling = _TELLING.get(word)
    found = telling and next((telling[cue] for cue in telling if cue in beside), "")
    return f"{key}/{found}" if found else key
