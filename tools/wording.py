"""What the rooms below say in English, in the language of the reader: warnings and reasons of CT and drug tools.

The rooms below write one English sentence per limit. `data/wording_zh.tsv` has a pattern with its Chinese form for each; what has none
stays English.
"""

import re
from functools import cache
from importlib.resources import files

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.evidence import Language, Quantity, ToolResult
from tools.quantities import fill

say = messages("tools.base").say

_NUMBER = r"(-?[\d.]+)"


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns of `data/wording_zh.tsv` with their Chinese forms."""
    lines = (files("tools") / "data" / "wording_zh.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line.strip() and not line.startswith("#")]
    return tuple((re.compile(pattern.replace("{N}", _NUMBER)), zh) for pattern, zh in rows)


def in_language(text: str, language: Language) -> str:
    """`text` in the reader's language; several sentences joined by `; ` one by one."""
    if language == "en":
        return text
    whole = _translated(text)
    if whole is not None:
        return whole
    numbered = re.match(r"mark (\d+): ", text)
    if numbered is not None:
        return say(language, "mark {number}: {text}", number=numbered[1], text=in_language(text[numbered.end() :], language))
    for prefix, chinese in patterns("tools.base").table("before_a_reason").items():
        if text.startswith(prefix):
            return chinese + in_language(text.removeprefix(prefix), language)
    parts = text.split("; ")
    for size in range(len(parts) - 1, 0, -1):
        head = _translated("; ".join(parts[:size]))
        if head is not None:
            return f"{head}；{in_language('; '.join(parts[size:]), language)}"
    return text


def _translated(text: str) -> str | None:
    for pattern, zh in _patterns():
        match = pattern.fullmatch(text.strip().removesuffix("."))
        if match:
            return match.expand(zh)
    return None


def localised_result(result: ToolResult, language: Language) -> ToolResult:
    """A tool's result with reason, warnings and missing inputs in the reader's language."""
    if language == "en":
        return result
    said = {name: tuple(in_language(t, language) for t in getattr(result, name)) for name in ("warnings", "missing")}
    return result.model_copy(update={**said, "reason": in_language(result.reason, language) if result.reason else None})


def localised(*texts: str) -> tuple[Quantity, ...]:
    """Numbers that the texts show, as quantities."""
    return fill((), *texts)
