"""Text without what is no part of it: marks that nobody sees, markup, orders to a reader, advice where a name should stand.

Words are data (`retrieval/data/orders.toml`). Documents lose sentences that give orders when they are read in (`extract`); the fields of a
patient's record are cut by the fields of `tools.case.record`.
"""

import re
import tomllib
import unicodedata
from functools import lru_cache
from importlib.resources import files

from retrieval.messages.patterns import patterns

_WORDS = patterns("retrieval.documents")

# What stands for a text of which nothing is left.
UNREADABLE = "unreadable"
_PARTS = re.compile(r"([;；。！？!?\n]+|\.(?=\s|$)|[()（）]|,\s|，|——|\s-\s)")
_TAGS = re.compile(r"<!--.*?(?:-->|$)|<script.*?(?:</script>|$)|</?[a-zA-Z][^<>]{0,200}>", re.DOTALL | re.IGNORECASE)
_NAME_PARTS = re.compile(r"([;；。:：,，、(（]|[—–]|\s-\s|\.\s|\s{2,})")
_TAIL = _WORDS.regex("orders_tail")
# A name longer than this holds something else too.
_LONGEST = 160
# Letters turned round or hidden by marks that are not seen.
_UNSEEN = {"Cf", "Cc", "Co", "Cs"}


@lru_cache(maxsize=1)
def _words() -> dict[str, re.Pattern[str]]:
    data = tomllib.loads(files("retrieval").joinpath("data/orders.toml").read_text(encoding="utf-8"))
    return {name: re.compile(words, re.IGNORECASE) for name, words in data.items()}


def seen(text: str) -> str:
    """The text without marks that nobody sees (zero width, direction, control), lines kept."""
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in _UNSEEN else " " for c in text)


@lru_cache(maxsize=4096)
def name_only(text: str) -> str:
    """The name that a text begins with, up to markup, an order or advice, and without parts that are sentences of their own."""
    words = _words()
    plain = re.split(words["markup"], seen(text).strip(), maxsplit=1)[0]
    for kind in ("order", "advice"):
        match = words[kind].search(plain)
        if match:
            plain = _closed(plain[: match.start()])
    plain = _named(plain)[:_LONGEST].strip()
    plain = plain if plain == text.strip() else _TAIL.sub("", plain).strip()
    if not plain:
        return UNREADABLE if text.strip() else text
    return plain if plain != text.strip() else text


@lru_cache(maxsize=4096)
def term_only(text: str) -> str:
    """The name of an analyte or a unit that a text begins with."""
    plain = name_only(text)
    cut = _words()["strict"].search(plain, 1)
    return (plain[: cut.start()].strip() or UNREADABLE) if cut else plain


def drug_or_name(text: str) -> str:
    """A name of the drug graph as it stands, else what is a name of the text."""
    plain = name_only(text)
    return text if plain != text and text.strip().casefold() in _drugs() else plain


@lru_cache(maxsize=1)
def _drugs() -> frozenset[str]:
    from retrieval.drugs.graph import DrugGraph

    return frozenset(n.casefold() for d in DrugGraph.load().drugs() for n in (d.name, *d.synonyms))


def _named(text: str) -> str:
    """The first part up to where it becomes a sentence, and further parts that are none."""
    parts = _NAME_PARTS.split(text)
    sentence = _words()["sentence"]
    head = sentence.search(parts[0], 1) if parts[0] else None
    if head is not None:
        return parts[0][: head.start()]
    out = parts[0]
    for mark, part in zip(parts[1::2], parts[2::2], strict=True):
        if sentence.search(part):
            break
        out += mark + part
    return out


def _closed(text: str) -> str:
    """The text up to its last open bracket, or up to its last clause where the cut went through one."""
    opened = max(text.rfind("("), text.rfind("（"))
    return text[:opened] if opened > max(text.rfind(")"), text.rfind("）")) else text


def orders(text: str) -> bool:
    """Whether a text orders or advises."""
    return any(_words()[k].search(text) for k in ("order", "advice"))


@lru_cache(maxsize=4096)
def finding_only(text: str) -> str:
    """A finding or symptom as it was written, without parts that order or advise."""
    return _kept(text, ("order", "advice"))


@lru_cache(maxsize=1024)
def without_orders(text: str) -> str:
    """Free text without sentences and brackets that give orders to its reader."""
    return _kept(text, ("order",))


def _kept(text: str, kinds: tuple[str, ...]) -> str:
    words = _words()
    clean = _TAGS.sub(" ", seen(text))
    if not any(words[k].search(clean) for k in kinds):
        return text if clean == text else clean.strip() or UNREADABLE
    pieces = _PARTS.split(clean)
    out: list[str] = []
    for piece, mark in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        if any(words[k].search(piece) for k in kinds):
            # Whole parts go: half a sentence may say the contrary of it.
            piece, mark = "", "\n" if "\n" in mark else " "
        out += [piece, mark]
    joined = re.sub(r"[(（]\s*[)）]?\s*$|[(（]\s*[)）]", "", "".join(out))
    return re.sub(r"[ \t]{2,}", " ", joined).strip() or UNREADABLE
