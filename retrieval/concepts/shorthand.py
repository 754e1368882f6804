"""What clinicians write for short (`sats`, `abx`), read as what texts call it: the table `data/concepts/shorthand.tsv`.

Only forms with one meaning in chest medicine stand there; a name of a concept belongs in `concepts.tsv`. The words of a person are never
changed where they are shown: the written-out form is what a search reads.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from retrieval.concepts.table import FOLDER, read_rows
from retrieval.errors import BadInput

TABLE = FOLDER / "shorthand.tsv"


@dataclass(frozen=True)
class Form:
    """A short form.

    Attributes:
        said: As written; in capitals it counts only so.
        means: What stands for it.
        not_after: Endings, apart by blanks, of the text before; after one of them the form is something else (`% pred`, `4 mets`).
    """

    said: str
    means: str
    not_after: str = ""


@lru_cache(maxsize=1)
def forms() -> dict[str, Form]:
    """The table by form; a form without capitals counts in any case.

    Raises:
        BadInput: A form occurs twice, or says nothing new.
    """
    found: dict[str, Form] = {}
    for row in read_rows(TABLE):
        form = Form(row["said"], row["means"], row.get("not_after", ""))
        if form.said in found or not form.means or form.said.lower() == form.means.lower():
            raise BadInput(f"{TABLE.name}: {form.said!r} occurs twice or says nothing new")
        found[form.said] = form
    return found


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    """All forms, the longest first; Latin ones as whole words."""
    longest = sorted(forms(), key=len, reverse=True)
    latin = "|".join(re.escape(f) for f in longest if f.isascii())
    han = "|".join(re.escape(f) for f in longest if not f.isascii())
    return re.compile(rf"(?<![a-z0-9])(?:{latin})(?![a-z0-9])|{han}", re.IGNORECASE)


def written_out(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """`text` with its short forms written out, and each with what it was read as."""
    changes: list[tuple[str, str]] = []

    def put(match: re.Match[str]) -> str:
        form = _form(text, match)
        if form is None:
            return match.group()
        changes.append((match.group(), form.means))
        return form.means

    return _pattern().sub(put, text), tuple(changes)


def glossed(text: str) -> str:
    """`text` as it stands, with what each short form means in brackets before it, where the text does not say it elsewhere."""
    low = text.lower()

    def put(match: re.Match[str]) -> str:
        form = _form(text, match)
        return match.group() if form is None or form.means.lower() in low else f"({form.means}) {match.group()}"

    return _pattern().sub(put, text)


def _form(text: str, match: re.Match[str]) -> Form | None:
    """The short form that a match is, unless it means something else there or its long form stands around it."""
    form = forms().get(match.group()) or forms().get(match.group().lower())
    before = text[: match.start()].rstrip().lower()
    if form is None or before.endswith(tuple(form.not_after.split())) or _stands(text, match.start(), form):
        return None
    return form


def _stands(text: str, start: int, form: Form) -> bool:
    """Whether the full form already stands there, with the short one as its part (the short name of a drug in its full one)."""
    low, means = text.lower(), form.means.lower()
    at = means.find(form.said.lower())
    while at >= 0:
        if start >= at and low.startswith(means, start - at):
            return True
        at = means.find(form.said.lower(), at + 1)
    return False
