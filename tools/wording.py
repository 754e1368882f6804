"""What the rooms below say of a study or a file, in the language of the reader: warnings, limits, reasons.

They say it as `Said`, an English string that carries its Chinese; this room and those above make theirs out of a pair. What carries none
(a path, a name, an error of a library) is the same in both.
"""

import re

from medmpt_backend.messages import Said
from tools.evidence import Language, Quantity, ToolResult
from tools.quantities import fill

_POWER = re.compile(r"(?<![\w^])10\^(\d{1,2})(?=/)")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MICRO = re.compile(r"(?<=\d )ug\b")


def in_language(text: str, language: Language) -> str:
    """`text` in the reader's language."""
    return text.zh if language == "zh" and isinstance(text, Said) else text


def localised_result(result: ToolResult, language: Language) -> ToolResult:
    """A tool's result with reason, warnings and missing inputs in the reader's language."""
    if language == "en":
        return result
    said = {name: tuple(in_language(t, language) for t in getattr(result, name)) for name in ("warnings", "missing")}
    return result.model_copy(update={**said, "reason": in_language(result.reason, language) if result.reason else None})


def localised(*texts: str) -> tuple[Quantity, ...]:
    """Numbers that the texts show, as quantities."""
    return fill((), *texts)


def typeset(value: str) -> str:
    """Units as a laboratory prints them: `10^9/L` is ×10⁹/L, `18 ug` is 18 µg."""
    return _MICRO.sub("µg", _POWER.sub(lambda found: f"×10{found[1].translate(_RAISED)}", value))
