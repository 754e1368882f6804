"""What the rooms below say in English, in the language of the reader: warnings and reasons of CT and drug tools.

The rooms below write one English sentence per limit. Each has a pattern here with its Chinese form; what has none stays English, which
`tests/tools/test_wording.py` notices for every sentence that they can write.
"""

import re

from tools.evidence import Language, Quantity
from tools.quantities import fill

_ZH: tuple[tuple[str, str], ...] = (
    # medmpt_backend.domain
    (
        r"the weights were trained on synthetic studies only, and this study is not one of them",
        "权重仅用合成检查训练，而本检查不是合成检查",
    ),
    (r"the weights carry no statistics of their training studies", "权重未附训练检查的统计量"),
    (
        r"the study lies ([\d.]+) from the training studies; ([\d.]+) is (?:the limit|the most seen among them)(?: \((.*)\))?",
        r"本检查与训练检查的距离为 \1，上限为 \2",
    ),
)
_COMPILED = tuple((re.compile(pattern), zh) for pattern, zh in _ZH)


def in_language(text: str, language: Language) -> str:
    """`text` in the reader's language; several sentences joined by `; ` one by one."""
    if language == "en":
        return text
    whole = _translated(text)
    if whole is not None:
        return whole
    parts = text.split("; ")
    for size in range(len(parts) - 1, 0, -1):
        head = _translated("; ".join(parts[:size]))
        if head is not None:
            return f"{head}；{in_language('; '.join(parts[size:]), language)}"
    return text


def _translated(text: str) -> str | None:
    for pattern, zh in _COMPILED:
        match = pattern.fullmatch(text.strip().removesuffix("."))
        if match:
            return match.expand(zh)
    return None


def localised(*texts: str) -> tuple[Quantity, ...]:
    """Numbers that the texts show, as quantities."""
    return fill((), *texts)
