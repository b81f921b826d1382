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
    expressions. `is_kept`: the words that ask also say of what, so they are compared as well."""

    measurands: tuple[str, ...]
    words: str = ""
    words_zh: str = ""
    phrases: tuple[str, ...] = ()
    phrases_zh: tuple[str, ...] = ()
    is_kept: bool = False


# What is asked for by its name alone: "is there lead in", "铅超标". Iron and silver are words of much else.
_METALS = (
    "lead|cadmium|mercury|arsenic|chromium|nickel|antimony|thallium|cobalt|manganese|zinc|copper|"
    "selenium|iodine|alumini?um|tin|barium|lithium|uranium|heavy metals?|toxic metals?"
)
_SYMBOLS = "pb|hg|cr|ni|cu|zn|al|fe|mn|sb|tl|sn|ba|li"
_METALS_ZH = "铅镉汞砷铬镍锑铊钴锰锌铜硒碘铝锡钡锂铀"
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
        ("film-thickness-xray", "optical-film-constants", "surface-roughness-3d", "dimensions",
         "plating-thickness", "particle-coating"),
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
        ("surface-topography-nano", "surface-roughness-3d"), "rough smooth", "粗糙 光滑 光洁"
    ),
    "viscosity": Quantity(("flow-viscosity",), "viscous runny", "粘 黏 稠 稀"),
    "endurance": Quantity(
        ("fatigue-life",),
        phrases=(r"how (?:many|often)(?: \w+)?"
            r"(?=.*\b(?:before|until|break|breaks|snap|snaps|fail|fails|crack|cracks)\b)",),
        phrases_zh=("(?:多少|几)[万千百]?次(?=.*[断坏裂])",),
    ),
    "elements": Quantity(
        ("elements-trace", "elements-bulk", "elements-solid-fast", "mercury-content", "soil-metals"),
        phrases=(
            rf"(?:any|contains?|containing|for|much|traces? of|content of|is there|are there) (?:{_METALS})",
            rf"(?:{_METALS}|{_SYMBOLS}) (?:in|content|levels?|limits?|residues?"
            r"|release|leaching|contamination)",
            rf"^(?:{_METALS}|{_SYMBOLS})$",
        ),
        phrases_zh=(
            f"[{_METALS_ZH}](?=残留|含量|超标|超没超|超不超|溶出|释放|迁移|多少|高不高|多不多|有多少)",
            f"(?:有没有|含不含|是否含|会不会含|测|查|含|里的?|中的?|、)[{_METALS_ZH}](?![片板箔管线材合])",
            "重金属",
            f"^[{_METALS_ZH}]$",
        ),
        is_kept=True,
    ),
    "composition": Quantity(
        ("surface-composition", "elements-solid-fast", "microprobe-composition",
         "polymer-composition", "steel-composition", "rock-composition", "food-composition",
         "artefact-composition", "fibre-textile", "microplastics", "depth-profile", "kidney-stones"),
        phrases=(r"(?:elemental |chemical )?composition of",),
        phrases_zh=("成分",),
        is_kept=True,
    ),
    "making": Quantity(
        ("elements-solid-fast", "surface-composition", "vibrational-fingerprint", "steel-composition",
         "polymer-composition", "rock-composition", "artefact-composition",
         "fibre-textile", "microplastics", "food-composition"),
        phrases=(r"what (?:\w+ ){0,3}(?:is|are|was|were) (?:\w+ ){1,6}made (?:of|from|out of)",
                 r"what (?:\w+ ){1,3}made of", r"what does (?:\w+ ){1,4}consist of"),
        phrases_zh=("由什么(?:东西)?(?:组成|构成|做成?)的?", "(?:是|用)什么(?:材料|材质|东西|做的)(?:做的)?"),
        is_kept=True,
    ),
    "failure": Quantity(
        ("fracture-cause", "battery-inside", "power-device-reliability", "concrete-durability"),
        phrases=(r"(?:why|what made|what caused|how come) (?:\w+ ){1,8}(?:to )?"
                 r"(?:break|broke|broken|breaking|breaks|crack|cracks|cracked|fail|fails|failed|snap|snaps|"
                 r"snapped|fracture|fractured|shatter|shattered)",),
        phrases_zh=("(?:为什么|为何|怎么)(?:总是?|老是?|突然|就)?会?(?:断|裂|开裂|断裂|脆断|崩)",
                    "(?:断|断裂|开裂|裂开|断了|裂了)(?:的?原因|是?为什么|是?怎么回事)"),
        is_kept=True,
    ),
    "corroding": Quantity(
        ("surface-composition", "crystalline-phases", "fracture-cause"),
        phrases=(r"(?:why|what made|what caused|how come) (?:\w+ ){1,8}(?:to )?"
                 r"(?:corrode|corrodes|corroded|corroding|rust|rusts|rusted|rusting|tarnish|tarnished)",),
        phrases_zh=("(?:为什么|为何|怎么)(?:总是?|老是?|就)?会?(?:生锈|腐蚀|锈|锈蚀)",),
        is_kept=True,
    ),
    "writing": Quantity(
        ("patterning",),
        phrases=(r"(?:write|writing|pattern|patterning|expose|print|draw|fabricate|make|define)"
                 r"(?: [\w.,µμ]+){0,4} (?:lines?|gratings?|patterns?|nanowires?|electrodes?|structures?|"
                 r"features?)"
                 r"(?! ?(?:of|in|on) (?:a |my |the )?(?:protein|crystal|molecule|cell))",),
        phrases_zh=("(?:写|刻|曝光?|光刻|加工|做)出?[^，。,;；]{0,12}?(?:线条|图形|图案|光栅|电极|微结构|纳米结构)",),
        is_kept=True,
    ),
    "motion": Quantity(
        ("cell-behaviour", "movement-gait"),
        phrases=("move about", "moving around", "swim around"),
        phrases_zh=("怎么动", "怎么运动", "动态变化", "怎么游"),
    ),
    "size": Quantity(
        ("surface-morphology", "particle-size-micro", "nanostructure-size", "dimensions",
         "metallographic-grain-size", "particle-size-nano"),
        phrases=(r"(?:line ?|track ?)?widths? of", r"diameters? of", r"(?:trench |etch )?depths? of",
                 r"lengths? of"),
        phrases_zh=("线宽(?=.*[测量看多])", "沟槽深度"),
        is_kept=True,
    ),
    "transition": Quantity(
        ("decomposition-temperature", "glass-transition"),
        phrases=(r"(?:at )?(?:what|which) temperature(?=.*\b(?:decompos|melt|soften|degrad|burn|char))",),
        phrases_zh=("(?:多少|几|几百|几千|上百|上千)度(?=.*[分熔软化融失降坏])",
                    "(?:加热|受热|升温)(?=.*(?:分解|熔化|软化))"),
    ),
    "section": Quantity(
        ("site-specific-lamella",),
        phrases=(r"cross[- ]sections?", r"(?:cut|slice|slic|cutting|sliced) (?:\w+ )?open"),
        phrases_zh=("(?<!不)切开", "剖开", "剖面", "横?截面"),
    ),
    "inside": Quantity(
        ("internal-3d-structure", "internal-flaws", "artefact-inside", "battery-inside", "seed-root-inside",
         "nano-3d-structure"),
        phrases=(r"inside (?:a|an|the|my|our|this|these|it)",
                 r"without (?:breaking|cutting|opening|destroying) it"),
        phrases_zh=("内部", "里面(?:有没有|是不是|有无)", "不(?:破坏|切开|拆开)"),
    ),
    "heredity": Quantity(
        ("gene-variants",),
        phrases=("genetic cause", "inherited", "hereditary", "gene defects?"),
        phrases_zh=("基因(?:引起|造成|导致|的?问题|突变)", "遗传(?:病|的)", "会不会遗传"),
    ),
    "origin": Quantity(
        ("food-authenticity", "stable-isotopes", "radiogenic-isotopes", "artefact-composition",
         "carbon-source"),
        phrases=(r"where (?:does|do|did|is|are) (?:\w+ ){1,4}(?:come from|from)",),
        phrases_zh=("产地", "[是从]?哪里?[产来]的?", "来源"),
    ),
    "valence": Quantity(
        ("oxidation-state", "surface-composition"),
        phrases=(r"valences?", r"oxidation (?:states?|numbers?)", r"redox states?",
                 rf"(?<!solid )(?<!gas )\bstates? of (?:the )?(?:{_METALS}|iron|cerium|vanadium|titanium)"),
        phrases_zh=("[是呈为]?几价", "价态", "化合价", "氧化态"),
        is_kept=True,
    ),
    "surface valence": Quantity(
        ("surface-composition",),
        phrases=(r"surfaces?\b.*\b(?:valences?|oxidation states?|redox states?|chemical states?)",
                 r"(?:valences?|oxidation states?|redox states?|chemical states?)\b.*\bsurfaces?"),
        phrases_zh=("表面.*(?:价态|几价|化合价|氧化态|化学态)", "(?:价态|几价|化合价|氧化态|化学态).*表面"),
        is_kept=True,
    ),
    "coordination": Quantity(
        ("coordination-environment", "solid-nmr-structure"),
        phrases=(r"coordination(?: number| sphere| environment)? of", r"(?:local )?environment of (?:the )?"
                 rf"(?:{_METALS}|iron)"),
        phrases_zh=("的?配位(?:数|环境|结构)?", "局域结构"),
        is_kept=True,
    ),
    "watching": Quantity(
        ("cell-behaviour", "whole-organ-3d", "routine-cell-image"),
        phrases=(r"(?:watch|follow|observe|film|see|track)\b.*\b(?:develop|develops|developing|divide|dividing|"
                 r"migrate|migrating|beat|beating|crawl|swim)",),
        phrases_zh=("(?:观察|看|拍|追踪|跟踪).*(?:发育|分裂|迁移|跳动|爬行)",),
        is_kept=True,
    ),
    "order": Quantity(
        ("crystalline-phases", "crystallinity", "drug-polymorph"),
        phrases=("crystalline or (?:amorphous|glassy)",
                 "(?:amorphous|glassy|glass) or (?:a )?crystal(?:line)?"),
        phrases_zh=("(?:结晶|晶体|晶态|有晶)的?还是.*(?:无定形|非晶|玻璃)",
                    "(?:无定形|非晶态?)的?还是.*(?:结晶|晶)"),
        is_kept=True,
    ),
    "evenness": Quantity(
        ("optical-film-constants", "film-thickness-xray"),
        phrases=(r"(?:films?|layers?|oxide|nitride|resist)\b.*\b(?:even|evenly|uniform|uniformity|uniformly)",
                 r"(?:evenness|uniformity) of (?:\w+ ){0,3}(?:film|layer|oxide|nitride|resist)"),
        phrases_zh=("(?:薄膜|膜厚|氧化层|氮化硅|光刻胶|胶厚).*(?:均匀|匀不匀|均不均)",),
        is_kept=True,
    ),
    "microbe": Quantity(
        ("microbe-identity", "microbial-community"),
        phrases=(r"(?:which|what)(?: (?:kinds?|species|strains?|sorts?) of)? "
                 r"(?:bacteria|bacterium|germs?|microbes?|fungus|fungi|yeasts?)",),
        phrases_zh=("(?:什么|哪种|哪些|哪几种)(?:细菌|真菌|霉菌|病菌|微生物|菌)",),
        is_kept=True,
    ),
    "fibre": Quantity(
        ("fibre-textile", "functional-groups"),
        phrases=(r"(?:which|what)(?: (?:kinds?|types?|sorts?) of)? (?:fib(?:re|er)s?|fabric|yarn|cloth)",),
        phrases_zh=("(?:什么|哪种|哪些|何种)(?:纤维|面料|布料|织物)",),
        is_kept=True,
    ),
    "polymer": Quantity(
        ("functional-groups", "polymer-composition"),
        phrases=(r"(?:which|what)(?: (?:kinds?|types?|sorts?) of)? "
                 r"(?:plastics?|polymers?|rubber|resin|gum|wax|glue|adhesive|varnish|lacquer)",),
        phrases_zh=("(?:什么|哪种|哪类|何种)(?:塑料|橡胶|树脂|胶水|胶|蜡|漆|涂料|高分子|聚合物)",),
        is_kept=True,
    ),
    "mineral": Quantity(
        ("crystalline-phases", "phase-fractions", "vibrational-fingerprint"),
        phrases=(r"(?:which|what)(?: (?:kinds?|types?|sorts?) of)? (?:clay )?minerals?",),
        phrases_zh=("(?:什么|哪种|哪些|哪几种|何种)(?:粘土|黏土)?(?:矿物|矿石|物相)",),
        is_kept=True,
    ),
    "deposit": Quantity(
        ("crystalline-phases", "vibrational-fingerprint"),
        phrases=(r"what (?:\w+ ){0,3}(?:is|are) (?:\w+ ){0,4}(?:rust|patina|scale|limescale|efflorescence|"
                 r"corrosion products?|crust|deposits?)",),
        phrases_zh=("(?:锈|水垢|结垢|腐蚀产物|沉积物|白霜|结晶)(?:的|是|都?是)*(?:什么|哪种|成分)",),
        is_kept=True,
    ),
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
KEPT = frozenset(MARK + name for name, asked in QUANTITIES.items() if asked.is_kept)
# Who asks for the second does not ask for the first, whose words stand beside: "what valence has nickel in".
_INSTEAD = {
    MARK + less: {MARK + more for more in others}
    for less, others in {
        "elements": {"valence", "surface valence", "coordination"},
        "valence": {"surface valence"},
        "composition": {"deposit"},
        "making": {"polymer", "fibre"},
    }.items()
}
_WHETHER = re.compile(r"([㐀-鿿])不\1")  # "高不高" asks and says no more


def asked_in(text: str) -> tuple[str, dict[str, str]]:
    """Return a plain text without the words that ask for quantities, and the keys of these quantities, each
    with the words that ask for it."""
    found = {MARK + name: match[0].strip() for name, ways in _WAYS.items() if (match := ways.search(text))}
    found = {key: words for key, words in found.items() if not _INSTEAD.get(key, set()) & found.keys()}
    for key in found:
        if QUANTITIES[key.removeprefix(MARK)].is_kept:
            continue
        text = _WAYS[key.removeprefix(MARK)].sub(_AT_ONCE, text)
    return _WHETHER.sub(_AT_ONCE, text), found


def is_asking(text: str) -> bool:
    """Say whether a text asks for a quantity in words that are no part of a name: "how thick", "多厚"."""
    _, found = asked_in(text.lower())
    return any(not QUANTITIES[key.removeprefix(MARK)].is_kept for key in found)


# What follows "what" and "which" is asked for, whatever else is said: "what resin is in this old varnish".
_NOUN = re.compile(
    r"\b(?:what|which)(?: (?:kinds?|types?|sorts?|species) of)? ([a-z]+(?:[ -][a-z]+)?)"
    r"|(?<!为)(?:什么|哪种|哪些|哪几种|何种|哪一种|哪类)样?的?([㐀-鿿]{2,4})"
)


def noun_asked(text: str) -> str:
    """Return the words of a plain text that name what it asks for; empty if no "what" or "which" does."""
    return " ".join(match[1] or match[2] for match in _NOUN.finditer(text))


COMPOUND, OF_COMPOUND = f"{MARK}compound", ("crystalline-phases",)  # a formula by itself asks for its phase
_COMPOUND = re.compile(r"(?:[A-Z][a-z]?\d*){2,8}")
_SYMBOL = re.compile("[A-Z][a-z]?")
_OF_COMPOUNDS = frozenset(
    "H Li Be B C N O F Na Mg Al Si P S Cl K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Rb Sr Y Zr "  # noqa: SIM905
    "Nb Mo Ru Rh Pd Ag Cd In Sn Sb Te I Cs Ba La Ce Pr Nd Sm Eu Gd Tb Dy Er Yb Hf Ta W Re Pt Au Hg Tl "
    "Pb Bi U".split()
)


def is_compound(text: str) -> bool:
    """Say whether a text is the formula of a compound, as GaN or LiFePO4, and nothing more."""
    whole = text.strip()
    elements = {*_SYMBOL.findall(whole)}
    is_formula = _COMPOUND.fullmatch(whole) and len(elements) > 1 and elements <= _OF_COMPOUNDS
    return bool(is_formula) and any(c.islower() or c.isdigit() for c in whole)


def sense(key: str, word: str, beside: frozenset[str]) -> str:
    """Return the key of a word, with its sense where the words beside it say that it is not the usual one."""
    telling = _TELLING.get(word)
    found = telling and next((telling[cue] for cue in telling if cue in beside), "")
    return f"{key}/{found}" if found else key
