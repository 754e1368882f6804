"""What must be settled before signing: identity, template left-overs, hedges."""

import itertools
import re
from collections.abc import Iterator

from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.subjects import is_place
from tools.reports.lint.reading.topics import read_pieces
from tools.reports.lint.reading.vocabulary import group, left_over
from tools.reports.lint.remarks import Remark

_OPEN = re.compile(
    r"cannot (?:be )?exclude|not excluded|possib(?:le|ly)|may (?:be|represent|reflect)|might|uncertain|indeterminate|query|equivocal"
    r"|不除外|不能除外|不能排除|可能|待排|待查|性质待定|不确定|\?|？",
    re.IGNORECASE,
)
_CERTAIN = re.compile(
    r"\b(?:definite(?:ly)?|confirmed|proven|diagnostic of|pathognomonic|certain(?:ly)?|established"
    r"|unequivocal)\b|确诊|肯定|明确诊断|明确为|确定为",
    re.IGNORECASE,
)
_DISEASE = re.compile(
    r"tubercul\w+|carcinom\w+|cancer|malignan\w+|metasta\w+|pneumonia|embol\w+|o?edema|lymphoma|fung\w+|aspergill\w+|abscess|sarcoid\w*"
    r"|fibrosis|\bUIP\b|结核|癌|恶性|转移|肺炎|栓塞|水肿|淋巴瘤|真菌|曲霉|脓肿|结节病|纤维化",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"(?<!\d)(\d{1,3})[\s-]*(?:year[\s-]*old|years? of age|y/o|yo\b|yrs?\b|岁)|(?<![\d.])(\d{2})\s?[FM](?![A-Za-z])"
    r"|(?:\baged?|年龄)\s*[:：]?\s*(\d{1,3})(?!\d|\s*(?:mm|cm))",
    re.IGNORECASE,
)


def identity(report: str, sentences: list[Sentence], sex: str | None, age: float | None) -> Iterator[Remark]:
    """Sex and age of the text against each other and against the open case."""
    words = {name: [s for s in sentences if group(name)["words"].search(_patient_words(s.text))] for name in ("male", "female")}
    organs = {name: [s for s in sentences if group(name)["organs"].search(s.text) and not _absent(s.text)] for name in ("male", "female")}
    said = {name: words[name] + organs[name] for name in ("male", "female")}
    if said["male"] and said["female"]:
        yield _who((said["male"][0].text, said["female"][0].text), "The report speaks of a man and of a woman.", "报告中性别前后不一致。")
    elif sex in ("male", "female") and said["female" if sex == "male" else "male"]:
        yield _who(
            (said["female" if sex == "male" else "male"][0].text,),
            f"The report does not fit the open case ({sex}).",
            "报告性别与当前病例不符。",
        )
    ages = sorted({n for groups in _AGE.findall(report) if 0 < (n := int(next(g for g in groups if g))) < 121})
    if len(ages) > 1:
        yield _who(
            tuple(m.group() for m in _AGE.finditer(report)),
            f"The report gives {len(ages)} ages: {', '.join(map(str, ages))}.",
            f"报告中出现 {len(ages)} 个年龄：{'、'.join(map(str, ages))}。",
        )
    elif ages and ages[0] >= 18 and (child := group("child")["words"].search(report)):
        yield _who((child.group(),), f"A child of {ages[0]} years.", f"儿童年龄为 {ages[0]} 岁。")
    elif ages and age is not None and abs(ages[0] - age) > 1:
        yield _who(
            (str(ages[0]),), f"The report says {ages[0]} years, the open case {age:g}.", f"报告年龄 {ages[0]} 岁，当前病例 {age:g} 岁。"
        )


def _patient_words(text: str) -> str:
    """Without relatives, whose sex is their own."""
    return re.sub(
        r"(?:his|her|the|patient's) (?:father|mother|brother|sister|son|daughter|wife|husband)\w*|(?:sister|mother"
        r"|brother|father|daughter|son)s? (?:has|had|with)|男女|父亲|母亲|其[父母]|姐姐|妹妹|兄弟|丈夫|妻子|女儿|儿子",
        "",
        text,
        flags=re.IGNORECASE,
    )


def _absent(text: str) -> bool:
    return bool(re.search(r"gynaecologist|gynecologist|family history", text, re.IGNORECASE))


def _who(places: tuple[str, ...], en: str, zh: str) -> Remark:
    return Remark("identity", en, zh, places, "Make sure that this is the right patient's report.", "请确认是否为该患者的报告。")


def overstated(sentences: list[Sentence]) -> Iterator[Remark]:
    """An impression that calls certain what the findings leave open."""
    open_ = [s for s in sentences if s.section == "findings" and _OPEN.search(s.text)]
    for said in (s for s in sentences if s.section == "impression" and _CERTAIN.search(s.text) and not _OPEN.search(s.text)):
        mine = _matters(said)
        first = next((s for s in open_ if mine & _matters(s)), None)
        if first is not None:
            yield Remark(
                "hedge",
                "The impression calls certain what the findings leave open.",
                "印象为确定诊断，而所见为不确定表述。",
                (first.text, said.text),
                "Use one degree of certainty.",
                "请统一确定程度。",
            )


def _matters(sentence: Sentence) -> frozenset[str]:
    """What a sentence is about, without places."""
    found = {t for p in read_pieces([sentence]) for t in p.topics if not t.startswith("~") and not is_place(t)}
    return frozenset(found - {"lesion", "disease"}) | frozenset(m.group(0).lower()[:7] for m in _DISEASE.finditer(sentence.text))


def left_overs(report: str) -> Iterator[Remark]:
    """What a template or dictation left behind."""
    found = list(dict.fromkeys(m.group().strip() for m in left_over().finditer(report)))
    found += [m.group() for m in re.finditer(r"\b(the|of|in|is|and|a|to)\s+\1\b", report, re.IGNORECASE)]
    if found:
        yield Remark(
            "leftover",
            f"Left over from a template: {', '.join(found[:4])}.",
            f"疑似模板残留：{'、'.join(found[:4])}。",
            tuple(found),
            "Fill in or delete.",
            "请填写或删除。",
        )


def hedged(sentences: list[Sentence]) -> Iterator[Remark]:
    """Three or more words of doubt in one sentence, or two that double each other."""
    words = group("hedge")["words"]
    for s in sentences:
        hits = list(words.finditer(s.text))
        doubled = any(b.start() - a.end() <= 2 for a, b in itertools.pairwise(hits))
        if s.section != "history" and (len(hits) >= 3 or (doubled and len(hits) >= 2)):
            yield Remark(
                "hedge",
                "The sentence stacks words of doubt.",
                "该句叠加多个不确定用语。",
                (s.text,),
                "Say how likely and why, once.",
                "请用一个词说明可能性及理由。",
            )
