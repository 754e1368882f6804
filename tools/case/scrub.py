"""Free text without what identifies: names, dates of birth, numbers, addresses, telephones, e-mails, institutions; English and Chinese.

`scrub(text)` is used for what an import stores and for what goes to a language model. It errs towards taking out: a capitalised word that
no passage of the corpus knows is treated as a name in free text of a patient (`personal=True`).
"""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from retrieval.drugs.graph import DrugGraph
from retrieval.guidelines.corpus import load_corpus

_LABEL = {
    "email": "[e-mail]",
    "address": "[address]",
    "number": "[number]",
    "phone": "[telephone]",
    "postcode": "[postcode]",
    "date_of_birth": "[date of birth]",
    "institution": "[institution]",
}
_NAME = "[name]"
_WORD = re.compile(r"(?<![\w\[])([A-Z][a-z'’]+(?:-[A-Z][a-z'’]+)?)(?![\w\]])")
_PAIR = re.compile(r"(?<![\w\[])([a-z]{2,})\s+([a-z]{3,})(?![\w\]])")


@lru_cache(maxsize=1)
def _rules() -> dict[str, Any]:
    data = tomllib.loads(files("tools").joinpath("data/identity/recognisers.toml").read_text(encoding="utf-8"))
    surname = f"[{data['names']['surnames']}]"
    return {
        "always": {kind: re.compile(p) for kind, p in data["always"].items()},
        "cued": {kind: re.compile(p) for kind, p in data["cued"].items()},
        "place": {kind: re.compile(p) for kind, p in data["place"].items()},
        "english": re.compile(data["names"]["english"]),
        "chinese": re.compile(data["names"]["chinese"].replace("SURNAME", surname)),
        "surname": re.compile(rf"{surname}[\u4e00-\u9fff]{{1,2}}"),
        "not_chinese": tuple(data["names"]["not_chinese"]),
        "common": frozenset(data["names"]["common"].split()),
        "given": frozenset(data["names"]["given"].split()),
    }


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """Words of the corpus and the drug graph, as they stand in small letters: not names."""
    corpus = load_corpus()
    words = {w for p in corpus.passages for w in re.findall(r"(?<![A-Z])\b[a-z]{2,}\b", f"{p.text} {' '.join(p.tags)}")}
    # Eponyms of the corpus (Fleischner, Wells) are no persons, unless they are first names too.
    spoken = {w for p in corpus.passages for w in re.findall(r"(?<![\w-])[A-Z][a-z]+(?![\w-])", p.text)}
    words |= {w.lower() for w in spoken} - _rules()["given"]
    words |= {w.lower() for g in corpus.guidelines for w in re.findall(r"[A-Za-z]+", g.issuer)}
    graph = DrugGraph.load()
    words |= {w.lower() for d in graph.drugs() for n in (d.name, *d.synonyms) for w in re.findall(r"[A-Za-z]+", n)}
    return frozenset(words | _rules()["common"])


def bare_name(text: str) -> bool:
    """Whether a text is nothing but what may be a Chinese name: a surname and one or two characters more."""
    plain = text.strip()
    surname = _rules()["surname"]
    return bool(surname.fullmatch(plain)) and not any(plain.startswith(w) for w in _rules()["not_chinese"])


def known_words() -> frozenset[str]:
    """Words that are no names."""
    return _known()


def scrub(text: str, personal: bool = True) -> str:
    """The text without what identifies.

    Args:
        text: Any text.
        personal: Whether it may speak of a person; else (a guideline, a drug fact) only what is identifying by its form is taken out.
    """
    rules = _rules()
    for kind, pattern in rules["cued"].items():
        text = pattern.sub(lambda m, k=kind: f"{m.group(1) or m.group(3)}{_LABEL[k]}", text)
    for kind, pattern in rules["always"].items():
        if personal or kind != "number":
            text = pattern.sub(_LABEL[kind], text)
    if not personal:
        return text
    text = _places(text)
    text = rules["english"].sub(_one_name, text)
    text = rules["chinese"].sub(_one_name, text)
    text = _WORD.sub(_unknown_word, text)
    return _PAIR.sub(_given_name, text)


def _places(text: str) -> str:
    for kind, pattern in _rules()["place"].items():
        text = pattern.sub(lambda m, k=kind: m.group(0) if _ordinary(m.group(0)) else _LABEL[k.partition("_")[0]], text)
    return text


def _ordinary(text: str) -> bool:
    """Whether every word of an English place is an ordinary one ("Chest Clinic")."""
    words = re.findall(r"[A-Za-z']+", text)
    return bool(words) and not re.search(r"[\d\u4e00-\u9fff]", text) and all(w.lower() in _known() for w in words)


def _one_name(match: re.Match[str]) -> str:
    index = next(i for i, g in enumerate(match.groups(), 1) if g is not None)
    name = match.group(index)
    if re.match(r"[\u4e00-\u9fff]", name) and any(name.startswith(w) for w in _rules()["not_chinese"] if len(w) > 1 or len(name) == 1):
        return match.group(0)
    titled = index == 1
    if not titled and name.isascii() and all(w.lower() in _known() for w in re.findall(r"[A-Za-z]+", name)):
        return match.group(0)
    start, end = match.start(index) - match.start(0), match.end(index) - match.start(0)
    tail = " " if name.endswith(" ") else ""
    return match.group(0)[:start] + _NAME + tail + match.group(0)[end:]


def _unknown_word(match: re.Match[str]) -> str:
    word = match.group(1)
    parts = [p.rstrip("'’s") for p in word.lower().split("-")]
    given = all(p in _rules()["given"] for p in parts)
    return _NAME if given or not all(p in _known() for p in parts if p) else word


def _given_name(match: re.Match[str]) -> str:
    first, second = match.groups()
    if first in _rules()["given"] and len(first) > 3 and first not in _known() and second not in _known():
        return f"{_NAME} {_NAME}"
    return match.group(0)
