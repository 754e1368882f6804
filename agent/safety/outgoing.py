"""What goes to a language model: fields of the vocabulary as they are, free text scrubbed, or kept at home altogether.

`sent(messages, case, free_text)` is applied to every message of every call; nothing else reaches a model.
"""

import re
from collections.abc import Sequence
from typing import Any, Literal

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage

from agent.reading.lexicon import concepts, language_of, mentions
from retrieval.messages.catalogue import messages
from tools.case.record import Case
from tools.case.scrub import bare_name, known_words, scrub
from tools.labs.analytes import find_analyte
from tools.labs.units import parse_unit

each = messages("agent.safety").each

FreeText = Literal["scrub", "home"]
_LINE = re.compile(r"^\[([A-Z]{1,3})-[^\]\s]+\]")
# Evidence of the corpus and the drug graph: no person's text.
_PUBLIC = frozenset({"G", "D", "CT", "S"})
_HOME = each("[kept at home]")
_CARD = "\n\nCase card (not citable):\n"


def sent(messages: Sequence[AnyMessage], case: Case | None, free_text: FreeText = "scrub") -> list[AnyMessage]:
    """The messages as they may leave.

    Args:
        messages: System prompt, questions, calls and results of a turn.
        case: The open case; its own words are looked for first.
        free_text: `scrub` takes out what identifies; `home` sends no free text of a person at all.
    """
    swaps = withheld(case, free_text) if case is not None else {}
    return [_message(m, swaps, free_text) for m in messages]


def _message(message: AnyMessage, swaps: dict[str, str], free_text: FreeText) -> AnyMessage:
    text = message.text if isinstance(message.text, str) else str(message.text)
    if isinstance(message, SystemMessage):
        rules, mark, card = text.partition(_CARD)
        return message.model_copy(update={"content": rules + mark + scrubbed_card(card, swaps), "additional_kwargs": {}})
    if isinstance(message, ToolMessage):
        lines = (_line(line, swaps) for line in text.splitlines())
        return message.model_copy(update={"content": "\n".join(lines), "artifact": None, "additional_kwargs": {}})
    if isinstance(message, AIMessage):
        calls = [{**c, "args": _arguments(c["args"], swaps, free_text)} for c in message.tool_calls]
        return message.model_copy(update={"content": scrub(_swapped(text, swaps)), "tool_calls": calls, "additional_kwargs": {}})
    aside = bool(message.additional_kwargs.get("aside"))
    body = _in_terms(text) if free_text == "home" and isinstance(message, HumanMessage) and not aside else scrub(_swapped(text, swaps))
    return message.model_copy(update={"content": body, "additional_kwargs": {}})


def _line(line: str, swaps: dict[str, str]) -> str:
    key = _LINE.match(line)
    if key is None:
        return scrub(_swapped(line, swaps))
    return line[: key.end()] + scrub(_swapped(line[key.end() :], swaps), personal=key.group(1) not in _PUBLIC)


def _arguments(value: Any, swaps: dict[str, str], free_text: FreeText) -> Any:
    if isinstance(value, str):
        plain = scrub(_swapped(value, swaps))
        return _in_terms(plain) if free_text == "home" and len(plain.split()) > 6 else plain
    if isinstance(value, dict):
        return {k: _arguments(v, swaps, free_text) for k, v in value.items()}
    return [_arguments(v, swaps, free_text) for v in value] if isinstance(value, list) else value


def scrubbed_card(card: str, swaps: dict[str, str]) -> str:
    """A case card without what identifies; its own labels ("Allergies recorded") are no names."""
    lines = (line.partition(": ") for line in card.splitlines())
    return "\n".join(f"{label}{sep}{scrub(_swapped(value, swaps))}" if sep else scrub(label) for label, sep, value in lines)


# Fields of evidence and answers that hold no words of a person.
_NO_WORDS = frozenset(
    {"key", "kind", "tool", "status", "name", "unit", "evidence", "premises", "conflicts", "thread", "model", "support", "validity"}
    | {"language", "type", "call_id", "schema_version", "severity", "origin", "superseded_by", "side"}
)


def scrubbed(value: Any, swaps: dict[str, str], personal: bool = True) -> Any:
    """A record (evidence, a tool's result, an answer) as JSON, without what identifies; for another agent's hands.

    Args:
        value: What `model_dump(mode="json")` gave.
        swaps: Wording of the open case that does not leave (`withheld`).
        personal: Whether the words may speak of a person.
    """
    if isinstance(value, str):
        return scrub(_swapped(value, swaps), personal=personal)
    if isinstance(value, list):
        return [scrubbed(v, swaps, personal) for v in value]
    if not isinstance(value, dict):
        return value
    cited = [value["key"]] if "key" in value else value.get("evidence") if "support" in value else None
    speaks = personal if not cited else any(str(k).partition("-")[0] not in _PUBLIC for k in cited)
    return {k: v if k in _NO_WORDS and not _records(v) else scrubbed(v, swaps, speaks) for k, v in value.items()}


def _records(value: Any) -> bool:
    """Whether a field that mostly holds keys holds whole records here."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict) for v in value))


def _swapped(text: str, swaps: dict[str, str]) -> str:
    for own, instead in swaps.items():
        if own in text:
            # What stands before a colon is the cue of what follows it ("reporting doctor: ..."): the scrubber needs it.
            text = re.sub(rf"{re.escape(own)}(?!\s*[:：])", instead.replace("\\", "\\\\"), text)
    return text


def _in_terms(text: str) -> str:
    """A question in terms of the vocabulary only."""
    language = language_of(text)
    names = ", ".join(t.name(language) for t in concepts(text))
    return f"{_HOME[language]} {names}" if names else _HOME[language]


def withheld(case: Case, free_text: FreeText = "scrub") -> dict[str, str]:
    """Wording of the record that does not leave, with what is sent instead; longest first."""
    patient, seen = case.patient, case.presentation
    listed = [
        *((c.name, "condition") for c in patient.conditions),
        *((v, "allergy") for a in patient.allergies for v in (a.substance, a.reaction or "")),
        *((v, "medicine") for m in case.medications for v in (m.name, m.unit or "", m.route or "", m.frequency or "")),
    ]
    swaps = {text: _listed(text, kind) for text, kind in listed if text and not _in_vocabulary(text)}
    for lab in case.labs:
        if find_analyte(lab.analyte) is None and not _in_vocabulary(lab.analyte):
            swaps[lab.analyte] = "[unlisted analyte]"
        if lab.unit and parse_unit(lab.unit) is None:
            swaps[lab.unit] = "[unlisted unit]"
        if lab.specimen and not _in_vocabulary(lab.specimen):
            swaps[lab.specimen] = "[unlisted specimen]"
    spoken = [*seen.symptoms, *seen.findings, seen.question or "", *(n.text for n in case.notes), *(s.report or "" for s in case.studies)]
    for text in (t for t in spoken if t):
        swaps[text] = _in_terms(text) if free_text == "home" else scrub(text)
    changed = {a: b for a, b in swaps.items() if a != b and len(a) > 1}
    return dict(sorted(changed.items(), key=lambda pair: -len(pair[0])))


def _in_vocabulary(text: str) -> bool:
    """Whether a name is one of the vocabulary, or made of words of the corpus only."""
    if scrub(text) != text:
        return False
    covered = sum(m.end - m.start for m in mentions(text))
    words = re.findall(r"[A-Za-z]+", text)
    if covered >= 0.9 * len(text.strip()):
        return True
    if re.search(r"[\u4e00-\u9fff]", text):
        return covered >= 0.6 * len(re.sub(r"\W", "", text)) or (len(text) <= 4 and not bare_name(text))
    return bool(words) and all(w.lower() in known_words() for w in words)


def _listed(text: str, kind: str) -> str:
    """The terms of the vocabulary that a name holds, else that it is unlisted."""
    names = [t.name(language_of(text)) for t in concepts(text)]
    return ", ".join(names) if names else f"[unlisted {kind}]"
