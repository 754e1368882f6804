"""What must not be in a case: names, addresses, record numbers. A field that looks like one is refused by its name."""

import re

from retrieval.messages.patterns import patterns
from tools.errors import BadInput

_WORDS = patterns("tools.case")

_LOOKS_LIKE, _CHINESE = _WORDS.regex("identity"), _WORDS.regex("identity_zh")


def looks_identifying(field: str) -> bool:
    """Whether a field name looks like identity."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s\-.]+", "_", field)
    return bool(_LOOKS_LIKE.search(snake) or _CHINESE.search(field))


def refuse(fields: list[str], where: str) -> None:
    """Refuse unknown fields of a case, identity first and by name.

    Raises:
        BadInput: Names the field and what to do.
    """
    identifying = [f for f in fields if looks_identifying(f.rpartition(".")[2])]
    if identifying:
        raise BadInput(
            f"{where}: field {identifying[0]!r} looks like an identity; remove it, a case holds no names, addresses or record numbers"
        )
    if fields:
        raise BadInput(f"{where}: unknown field {fields[0]!r}; remove it or check its spelling against the case format")
