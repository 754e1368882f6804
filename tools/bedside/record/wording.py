"""Sentences of the data rows with the record's values put in.

`{platelets}` is the value with its unit (`not recorded` when unknown), `[[? ...]]` is left out when a value inside is unknown,
`[[platelets < 50 ? ...]]` when its condition does not hold.
"""

import re
from typing import Protocol

from retrieval.messages.catalogue import messages
from tools.bedside.record.expression import Names, holds
from tools.evidence import Language

say = messages("tools.bedside").say

_OPTIONAL = re.compile(r"\[\[(?P<test>[^\[\]?]*)\?(?P<body>(?:(?!\[\[|\]\]).)*)\]\]", re.DOTALL)
_SLOT = re.compile(r"\{([a-z_0-9]+)\}")


class Shown(Names, Protocol):
    """What a sentence may ask: conditions, and how a value is shown."""

    def shown(self, name: str, language: Language) -> str | None:
        """A value as prose writes it; None when unknown."""


def write(text: str, record: Shown, language: Language) -> str:
    """The sentence for this record."""

    def optional(match: re.Match[str]) -> str:
        test, body = match["test"].strip(), match["body"]
        if test and holds(test, record) is not True:
            return ""
        if any(record.shown(name, language) is None for name in _SLOT.findall(body)):
            return _closing(body)
        return body.strip("\n")

    while True:
        reduced = _OPTIONAL.sub(optional, text)
        if reduced == text:
            break
        text = reduced
    filled = _SLOT.sub(lambda m: record.shown(m[1], language) or say(language, "not recorded"), text)
    tidy = _balanced(filled)
    tidy = re.sub(r"([（(])\s*[,，;；]?\s*", r"\1", tidy)
    tidy = re.sub(r"\s+([,.;:)])", r"\1", re.sub(r"[ \t]+", " ", tidy)).strip()
    if language == "zh":
        return re.sub(r"\s*([，。；：、（）])\s*", r"\1", tidy)
    return tidy[:1].upper() + tidy[1:] if re.match(r"[a-z]{2}", tidy) and not tidy.startswith("mmHg") else tidy


def _closing(body: str) -> str:
    """The bracket that a part left out would have closed; `_balanced` drops it where none is open."""
    return next((end for start, end in ("()", "（）") if body.count(end) > body.count(start)), "")


def _balanced(text: str) -> str:
    """The text without a closing bracket whose opening one was left out with its value."""
    out: list[str] = []
    depth = 0
    for mark in text:
        if mark in ")）" and depth == 0:
            continue
        depth += (mark in "(（") - (mark in ")）")
        out.append(mark)
    return "".join(out)


def as_typed(text: str, language: Language) -> str:
    """A typed value, marked."""
    return say(language, "{text} (as typed)", text=text)
