"""Reduce words of any language to the forms in which they are compared."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

_HAN = "㐀-䶿一-鿿豈-﫿"
_RUNS = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+", re.UNICODE)
_IS_HAN = re.compile(rf"[{_HAN}]")
_SPACE = re.compile(r"[\s,;，；、。（）()【】\[\]《》“”\"|:：!！?？]+")
STEM = "~"
LONGEST, MOST_LEXEMES, MOST_TERMS = 40, 1500, 12
# Words of questions, which say nothing about what is searched for.
ASKING = frozenset(
    "a an and any are as at be been by can could did do does find for from get got had has have "  # noqa: SIM905
    "how i if in into is it its know look make many me much my need no not of on one or our out "
    "per please see some than that the there this to two us use used using want was we were what "
    "when where which who why with without would you your 的".split()
)
# Words of sentences: they say nothing of what is wanted, and may be part of a name.
PLAIN = ASKING | frozenset(
    "about after again all also always am another away back bad because before being best "  # noqa: SIM905
    "better both but cannot doing don done down during each else ever every few first give go "
    "going good he her here him his isn itself just keep last least less let like made may "
    "might more most must never new next nor now off often old once only other others over "
    "own put re really same say shall she should so something somewhere still such take tell "
    "their them then these they thing those too under until up ve very way well whether while "
    "whose will within yes yet".split()
)
# Characters and pairs that make Chinese sentences of words.
_PARTICLES = frozenset("的了吗呢吧啊哈怎么什哪是没我你他她它们这那很太还就都也")
_PAIRS = frozenset(
    "有没 没有 有多 多少 多大 不会 会不 是否 需要 能不 不能 能否 可以 如何 为何 "  # noqa: SIM905
    "几个 几天 一个 一下 一些 有点 想要 希望 打算 哪里 或者 以后 以前 之后 之前 大概 左右 今天 明天 "
    "现在 不好 不用 要不".split()
)
# Characters that end no word, so that a pair with one is of two words; and pairs that are words all the same.
_AFTER, _WORDS = frozenset("里在"), frozenset("居里 存在 傅里".split())  # noqa: SIM905
# Elements whose Chinese names are no parts of other words: each counts by itself, as it does in English.
ELEMENTS = frozenset("砷镉汞铬铊锑硒镍锌锰钒钴铀锂钛锆铌钨钼铈镧钡锶铯铷铍镓锗铟铋钯铂铑铱钽")
# Words of laboratories in general, and units: they tell one thing from another only beside others.
COMMON = frozenset(
    "check determine measure measurement measuring sample samples test g k kg l m mg ml mm nm cm "  # noqa: SIM905
    "um 测量 检测 测试 测定 分析 样品 材料 仪器 设备".split()
)
# Words of places and providers in general: they tell no one from another. And characters that end a place's
# kind, or stand between words.
_ANYWHERE = frozenset(
    "access book booking building campus central centre center city core county department district "  # noqa: SIM905
    "facility group hospital institute instrument instruments lab laboratory labs machine near nearby "
    "north platform province region road service services south state street system systems team time "
    "tower university work 平台 中心 实验室 单位 机构 公司 系统 大学 学院 医院 研究所 研究院 学校 服务 "
    "附近 哪家 数据 技术 方法 功能 机器 实验 项目 课题组".split()
)
_BETWEEN = re.compile(
    "[的了吗呢吧啊和与及或跟在有用做测拍看找借约租想要能会是谁哪请问给把对为里上中台个我你他们可以不]|"
    "平台|中心|实验室|单位|机构|公司|系统|服务|附近|数据|技术|方法|功能|机器|实验|项目|"
    "测量|检测|测试|测定|分析|样品|材料|仪器|设备|表征|预约|开放|共享"
)
_WHOLE = frozenset("上海 中山 中国 中科 里昂 上饶 中卫 台州 台湾 和田 会稽 为民".split())  # noqa: SIM905
_ENDS = re.compile("(?<=..)[省市州县区镇仪机镜谱术法]$")
# Words of everyday life: they support what other words say, and by themselves say nothing of a measurement.
EVERYDAY = frozenset(
    "accident actor actress adult adults afternoon airport album animal answer apartment april "  # noqa: SIM905
    "arrive article artist astrology august aunt autumn award back bag balance ball band bank "
    "baseball basketball bath beach bed beer between bicycle bicycles big bike bill birthday blog "
    "boat book books boss boy boyfriend breakfast bride brother bus business buy cake call camp "
    "candidate captain car card cards career cartoon cat celebrity champion champions "
    "championship change cheap cheapest chemistry chess child children choose church cinema city "
    "club coach coffee college comedy company concert conflict cook cooking cost country couple "
    "cousin crime critical cup dad dance date dating daughter day days deal debt december degree "
    "diet dinner discount doctor dog dollar door download dream dress drink drive driver earn "
    "east easy eat election email end enjoy evening exam expensive fall family famous fan fashion "
    "fast father favourite february feel fight film finish flight floor follow football forecast "
    "forever forget free friday friend friends fun funny future game games garden gift girl "
    "girlfriend goal god golf grandma great guest guitar guy gym half hall happy hat headline "
    "hello help hire history hobby holiday holidays home homework horoscope horse hospital host "
    "hotel hour hours house husband idea income insurance internet invite january job joke "
    "journey july june kid kids king kitchen know lady landlord language late laugh law lawyer "
    "league learn lease left lesson letter life list listen live loan long lottery love lover "
    "lose loves low luck lunch lyrics march marriage marry match may mayor meal mean meet member "
    "message midnight minister minute minutes mobile mom moment monday money month months mood "
    "morning mortgage mother mountain mouth move movie movies museum music name near neighbor "
    "neighbour news newspaper night noon north november number october offer office olympics open "
    "opinion order outfit owner page pants parent parents park parking party password past pay "
    "pension people person personality pet philosophy phone photo picnic picture pizza place plan "
    "play player players poem poet poetry point points policy political politics pool poor pop "
    "popular post prayer president price prices prime prize problem profession profit programme "
    "pronounce pub public quick quiet quote race read reading recipe refund relationship religion "
    "rent reset resolution resolve restaurant retire return rich ride right road role room round "
    "rules run salary sale sat saturday save school score season seat second secret sell send "
    "september series sex share shoe shoes shop shopping show shows side sign sing singer sister "
    "sit skirt sky sleep small smile soccer society someone son song songs soon south spell sport "
    "sports spring star stars start station stay stock stocks stop store story street student "
    "study style subway summer sunday swim talk tax taxi teach teacher team teenager television "
    "template tennis theatre think thursday ticket tickets time times tip tired today tomorrow "
    "tonight tour tourist town toy traffic train translate travel trip true truth tuesday tv "
    "twice uncle university upset vacation video view village visa visit voice vote wait waiter "
    "walk war wardrobe watch weather website wedding wednesday week weekday weekend west whole "
    "wife win winner winter wish woman women word words work worker world worst write writer "
    "wrong year years yesterday yoga young zodiac zoo "
    "电影 电视 视剧 手机 电脑 孩子 小孩 高考 考试 考研 学校 小学 中学 大学 作业 老师 专业 工作 上班 加班 "
    "工资 老板 同事 简历 面试 股票 股市 基金 房价 房贷 房租 租房 买房 贷款 利率 银行 信用 用卡 彩票 保险 "
    "合同 护照 签证 身份 火车 高铁 飞机 机票 车票 门票 地铁 公交 停车 车场 旅游 旅行 酒店 景点 周末 春节 "
    "假期 放假 明天 今年 去年 明年 生日 礼物 婚礼 结婚 恋爱 朋友 女友 男友 夫妻 父母 妈妈 爸爸 老婆 老公 "
    "家庭 衣服 裙子 穿什 鞋子 颜色 发型 减肥 健身 跑步 足球 篮球 比赛 冠军 球队 世界 总统 选举 政治 政府 "
    "国家 人口 社会 经济 历史 文化 音乐 歌曲 歌词 唱会 演唱 演员 明星 小说 诗歌 故事 游戏 动漫 综艺 星座 "
    "运势 算命 风水 天气 下雨 下雪 气温 外卖 餐厅 饭店 火锅 菜谱 红烧 好吃 做饭 吃饭 咖啡 奶茶 喝酒 睡觉 "
    "睡不 心情 感情 性格 压力 人生 梦想 笑话 新闻 微信 抖音 视频 照片 密码 账号 下载 快递 手续 退休 养老 "
    "医保 社保 多少 每个 一条 一个 两个 几个 一共 哪家 附近 便宜 价格 买什 值得 推荐 怎么 为什 什么 可以 "
    "如何 排队 宠物 猫粮 狗狗 英语 单词 作文 背诵 结构 质感 元素 能量 磁场 频率 化学 子上 放几 每月 电子 "
    "文件 二手 转让 动车 小区 楼下 邻居 物业 搬家 驾照 充值 会员 转账 报销 请假 超市 商场 外婆 奶奶 爷爷 "
    "求职 招聘 跳槽 相亲 彩礼 网购 淘宝 京东 拼团 追剧 票房 球赛 直播 打卡 理发 美甲 民宿 攻略 押金 "
    "水电".split()
)
# One stem for a device, its activity and its result.
_STEMS = (
    (re.compile(r"diffract(?:ion|ions|omet\w+|ive|ed|ing|or)?$"), "diffract"),
    (re.compile(r"spectro?(?:photo)?(?:met\w+|scop\w+|graph\w*|gram\w*)$|spectr(?:a|um|al)$"),
     "spectr"),
    (re.compile(r"met(?:er|re|ry|ric|rical)s?$"), "met"),
    (re.compile(r"scop(?:e|y|ic|ical|ist)s?$"), "scop"),
    (re.compile(r"(?:graph|gram)(?:s|y|ic|ical|er|ers)?$"), "graph"),
    (re.compile(r"anal(?:ys|yz)(?:er|ers|or|ors|is|es|e|ing|ed)$|analytical$"), "analys"),
    (re.compile(r"escen(?:ce|t)$"), "escen"),
)  # fmt: skip
_ENDINGS = re.compile(r"(?:ings?|ions?|ed|ers?|ors?|es|e|s)$")


# British spellings, each with the American one: both are compared as one.
_SPELLINGS = (
    (re.compile(r"sulph"), "sulf"), (re.compile(r"^alumini(?=um)"), "alumin"),
    (re.compile(r"^(col|behavi|tum|od|vap|flav|harb|neighb|lab|rum|hum)our"), r"\1or"),
    (re.compile(r"^mou(?=ld|lt)"), "mo"), (re.compile(r"^(fib|cent|lit|calib|theat|lust)re(?=s?$)"), r"\1er"),
    (re.compile(r"^grey"), "gray"), (re.compile(r"^oe(?=str|soph|dem)"), "e"), (re.compile(r"^haem"), "hem"),
    (re.compile(r"^(an)aem"), r"\1em"), (re.compile(r"(?<=...)ys(?=e[sdr]?$|ing$)"), "yz"),
    (re.compile(r"(?<=...)is(?=e[sdr]?$|ing$|ations?$)"), "iz"), (re.compile(r"ll(?=ed$|ing$)"), "l"),
)  # fmt: skip


def one_spelling(word: str) -> str:
    """Return a plain Latin word in one of its spellings: "aluminium" and "aluminum" become the same."""
    for pattern, other in _SPELLINGS:
        word = pattern.sub(other, word)
    return word


def plain(text: str) -> str:
    """Return a text in lower case and half width, without accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def is_han(run: str) -> bool:
    """Say whether a run is written in Chinese characters."""
    return bool(_IS_HAN.match(run))


def is_particle(pair: str) -> bool:
    """Say whether a pair of Chinese characters only makes a sentence of words."""
    return pair in _PAIRS or not _PARTICLES.isdisjoint(pair) or (pair[-1] in _AFTER and pair not in _WORDS)


def stem(word: str) -> str:
    """Return the stem that a plain Latin word shares with related words; it need not be a word itself."""
    if len(word) < 4 or not word.isalpha():
        return word
    for pattern, replacement in _STEMS:
        stemmed, number = pattern.subn(replacement, word)
        if number:
            return stemmed
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("ss"):
        return word
    shorter = _ENDINGS.sub("", word)
    if len(shorter) > 4 and shorter[-1] == shorter[-2] and word.endswith("ing"):
        shorter = shorter[:-1]  # scanning, scaning
    return shorter if len(shorter) >= 4 else word


def pieces(text: str) -> list[list[str]]:
    """Split a text at spaces, and each of the pieces into runs of letters and digits. `"FT-ICR 质谱"` becomes
    `[["ft", "icr"], ["质谱"]]`."""
    split = ([run[:LONGEST] for run in _RUNS.findall(piece)] for piece in _SPACE.split(plain(text)))
    return [runs for runs in split if runs]


def phrase(text: str) -> tuple[str, ...]:
    """Return a name in the form in which names are compared: stems, and single Chinese characters."""
    return tuple(word for word, _ in spoken(text))


def spoken(text: str) -> list[tuple[str, str]]:
    """Return the words of `phrase`, each with the run or character that it stands for."""
    words: list[tuple[str, str]] = []
    for run in _RUNS.findall(plain(text)):
        if _IS_HAN.match(run):
            words += [(character, character) for character in run]
        elif run == "xray":
            words += [("x", "x"), ("ray", "ray")]
        else:
            words.append((stem(run[:LONGEST]), run[:LONGEST]))
    return words


def telling(text: str) -> list[str]:
    """Return those words of a text that may tell one instrument of a technique from another: Latin words, and
    Chinese runs of two characters and more, without what any text and any place may say."""
    found: list[str] = []
    for run in _RUNS.findall(plain(text)):
        if not _IS_HAN.match(run):
            if len(run) > 1 and not run.isdigit() and run not in PLAIN | COMMON | _ANYWHERE:
                found.append(run[:LONGEST])
            continue
        kept = {name: chr(0xE000 + n) for n, name in enumerate(sorted(_WHOLE)) if name in run}
        for name, sign in kept.items():
            run = run.replace(name, sign)
        for part in _BETWEEN.split(run):
            for name, sign in kept.items():
                part = part.replace(sign, name)
            part = _ENDS.sub("", part)
            if len(part) > 1 and part not in _ANYWHERE and not is_particle(part):
                found.append(part)
    return list(dict.fromkeys(found))


def nearest(word: str, known: Iterable[tuple[str, int]]) -> str | None:
    """Return the known word that was most likely meant, or None: at most one slip from a short word and
    two from a long one; of equally near ones the most frequent. `known`: words with their numbers of
    occurrences."""
    allowed = 1 if len(word) < 6 else 2
    best: tuple[int, int, str] | None = None
    for other, number in known:
        slips = _slips(word, other, allowed)
        if 0 < slips <= allowed and (best is None or (slips, -number, other) < best):
            best = (slips, -number, other)
    return best[2] if best else None


def _slips(one: str, other: str, most: int) -> int:
    """Count the letters to add, drop, replace or swap with their neighbour to turn one word into another;
    `most + 1` if there are more than `most`."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if earlier and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]


def mentions(text: str, known: Mapping[tuple[str, ...], frozenset[str]], longest: int) -> Iterator[str]:
    """Yield the values of the known phrases in a text, from left to right and of those that begin at a word
    the longest; a phrase within another one does not count. `longest`: of all phrases, in words."""
    words, start = phrase(text), 0
    while start < len(words):
        for length in range(min(longest, len(words) - start), 0, -1):
            if codes := known.get(words[start : start + length]):
                yield from sorted(codes)
                start += length - 1
                break
        start += 1


def respelt(text: str, corrections: Mapping[str, str]) -> str:
    """Return a question as it was typed, with its mistyped words put right."""

    def put(match: re.Match[str]) -> str:
        return corrections.get(plain(match[0]), match[0])

    return re.sub(r"[^\W\d_]+", put, text)
