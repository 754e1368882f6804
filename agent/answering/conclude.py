"""The answer of a turn: verified claims in order, what was removed, what is missing, and the plain words for silence."""

from dataclasses import replace

from agent.answering.answer import Answer, AnswerStatus, Claim, Removed, ToolCall
from agent.answering.exhibits import draft_places, drugs_of, report_of, withheld_of
from agent.reading.lexicon import DRUG_KINDS, ids
from agent.safety import Leading, lead
from agent.safety.requests import declined
from agent.turn.ledger import Ledger, ToolStep
from agent.turn.prompts import NOTICES, SECTIONS
from agent.turn.state import TurnContext
from agent.verify import Verdict
from tools.evidence import Evidence, Kind, Language

_SECTION: dict[Kind, str] = {
    "score": "score",
    "lab": "labs",
    "ct": "ct",
    "model": "ct",
    "guideline": "guideline",
    "document": "guideline",
    "drug_graph": "drugs",
    "case": "case",
    "report": "report",
    "similar_case": "similar",
}
_SAID: dict[str, dict[Language, str]] = {
    "unavailable": {"en": "{tool} is not available: {reason}", "zh": "{tool} 不可用：{reason}"},
    "empty": {"en": "{tool} found nothing: {reason}", "zh": "{tool} 未找到结果：{reason}"},
    "error": {"en": "{tool} failed: {reason}", "zh": "{tool} 出错：{reason}"},
    "out_of_domain": {"en": "{tool} cannot judge this input: {reason}", "zh": "{tool} 无法判断该输入：{reason}"},
}
_UNKNOWN: dict[Language, str] = {"en": "no reason was given", "zh": "未说明原因"}
_MISSING: dict[Language, str] = {"en": "Missing: {what}.", "zh": "缺少：{what}。"}
_EMERGENCY: dict[Language, str] = {"en": "Needs action now: {what}", "zh": "需立即处理：{what}"}
_NO_ACTIONS: dict[Language, str] = {
    "en": "The corpus holds no passage with the first actions for this: act by local protocol.",
    "zh": "语料中没有该情况的首要处理段落：请按本院流程处理。",
}
_ALLERGY: dict[Language, str] = {
    "en": "The record lists an allergy ({what}): check every recommended medicine against it.",
    "zh": "病历记录有过敏（{what}）：任何推荐药物均须核对。",
}


def conclude(
    context: TurnContext, ledger: Ledger, verdicts: list[Verdict], notice: str | None, model: str, notes: tuple[str, ...]
) -> Answer:
    """Build the answer.

    Args:
        context: The turn.
        ledger: Evidence of the thread and steps of the turn.
        verdicts: Every sentence with its support or the reason against it.
        notice: What the model said instead of sentences.
        model: Name of the model.
        notes: What happened on the way that a person must know.
    """
    language = context.language
    leading = lead(context.question, context.case, language)
    ledger = replace(ledger, evidence={**ledger.evidence, **{e.key: e for e in leading.evidence}})
    placed = draft_places(ledger)
    claims = _ordered([_claim(v) for v in verdicts if v.support is not None], ledger, placed)
    refusal = declined(context.question, language) if notice == "declined" else None
    claims = [c for c in claims if all(c.text not in first.text and first.text not in c.text for first in leading.claims)]
    removed = tuple(Removed(text=v.text, because=v.because or "") for v in verdicts if v.support is None)
    keys = tuple(dict.fromkeys(k for c in (*leading.claims, *claims) for k in c.evidence))
    emergencies = (*leading.headlines, *_other_emergencies(ledger, leading))
    silent = tuple(dict.fromkeys(_silence(s, language) for s in ledger.steps if s.result.status in _SAID and not _made_up_for(s, ledger)))
    missing = tuple(dict.fromkeys(m for s in ledger.steps for m in s.result.missing))
    status, reason = _status([*leading.claims, *claims], removed, ledger, notice, silent, language)
    if refusal is not None:
        status, reason = "refused", refusal
    elif leading.headlines and not leading.claims and not claims:
        status, reason = "partial", _NO_ACTIONS[language]
    instead = reason or NOTICES[notice or "no_evidence"][language]
    text = _text(
        claims, keys, ledger, leading, emergencies, (*silent, *_missing_line(missing, language)), instead, language, refusal is not None
    )
    return Answer(
        status=status,
        reason=reason,
        question=context.question,
        patient=context.card.about(language) if context.card is not None else None,
        language=language,
        answer=text,
        claims=(*leading.claims, *claims),
        removed=removed,
        missing=missing,
        evidence=tuple(ledger.evidence[k] for k in keys),
        tool_calls=tuple(ToolCall(name=s.result.tool, args=s.args, status=s.result.status, seconds=s.seconds) for s in ledger.steps),
        emergencies=emergencies,
        model=model,
        thread=context.thread,
        warnings=_warnings(context, ledger, claims, notes),
        report=report_of(ledger, claims),
        withheld=withheld_of(ledger),
        drugs=drugs_of(ledger, language) if any(_SECTION[e.kind] == "drugs" for k in keys if (e := ledger.evidence[k])) else (),
    )


def _other_emergencies(ledger: Ledger, leading: Leading) -> tuple[str, ...]:
    """Emergencies of the tools that do not lead the answer already: each is said once."""
    found = dict.fromkeys(e for s in ledger.steps for e in s.result.emergencies)
    return tuple(e for e in found if not any(name.lower() in e.lower() for name in leading.covers))


def _claim(verdict: Verdict) -> Claim:
    assert verdict.support is not None
    return Claim(text=verdict.text, evidence=verdict.evidence, support=verdict.support)


def _ordered(claims: list[Claim], ledger: Ledger, placed: dict[str, str]) -> list[Claim]:
    """Claims as the model ordered them, those of one section together, a drafted report in its own order, a repeated sentence once."""
    unique = list({(c.text, c.evidence): c for c in claims}.values())
    drafted = list(dict.fromkeys(placed.values()))
    met = list(dict.fromkeys(section_of(c, ledger.evidence, placed) for c in unique))
    order = [s for s in met if s not in drafted] + drafted
    return sorted(unique, key=lambda c: order.index(section_of(c, ledger.evidence, placed)))


def section_of(claim: Claim, evidence: dict[str, Evidence], placed: dict[str, str]) -> str:
    """Section of an answer that a claim belongs to: that of its first evidence; of a drafted report its section there."""
    if claim.evidence[0] in placed:
        return placed[claim.evidence[0]]
    first = evidence[claim.evidence[0]]
    return "drugs" if first.key.startswith("M-drug-") else _SECTION[first.kind]


def _made_up_for(step: ToolStep, ledger: Ledger) -> bool:
    """An empty search is not worth a word when another search of the turn found something."""
    same = [s for s in ledger.steps if s.result.tool == step.result.tool]
    return step.result.status == "empty" and any(s.result.evidence for s in same)


def _silence(step: ToolStep, language: Language) -> str:
    reason = (step.result.reason or _UNKNOWN[language]).rstrip(".。")
    return _SAID[step.result.status][language].format(tool=step.result.tool, reason=reason) + ("。" if language == "zh" else ".")


def _missing_line(missing: tuple[str, ...], language: Language) -> tuple[str, ...]:
    if not missing:
        return ()
    return (_MISSING[language].format(what=("、" if language == "zh" else ", ").join(missing)),)


def _status(
    claims: list[Claim], removed: tuple[Removed, ...], ledger: Ledger, notice: str | None, silent: tuple[str, ...], language: Language
) -> tuple[AnswerStatus, str | None]:
    if claims:
        limited = removed or silent or any(s.result.status == "partial" for s in ledger.steps)
        if not limited:
            return "answered", None
        reasons = [*silent, *(s.result.reason for s in ledger.steps if s.result.status == "partial" and s.result.reason)]
        if removed:
            reasons.append(
                f"{len(removed)} unsupported sentence(s) removed" if language == "en" else f"已删除 {len(removed)} 句缺乏依据的内容"
            )
        return "partial", " ".join(dict.fromkeys(reasons)) or None
    if notice in ("greeting", "thanks"):
        return "answered", None
    return "refused", " ".join((NOTICES[notice or "no_evidence"][language], *silent))


def _text(
    claims: list[Claim],
    keys: tuple[str, ...],
    ledger: Ledger,
    leading: Leading,
    emergencies: tuple[str, ...],
    closing: tuple[str, ...],
    instead: str,
    language: Language,
    refused: bool = False,
) -> str:
    number = {key: i + 1 for i, key in enumerate(keys)}
    blocks = [leading.text(lambda key: f"[{number[key]}]")] if leading.headlines else []
    blocks += [_EMERGENCY[language].format(what=e) for e in emergencies[len(leading.headlines) :]]
    sections: dict[str, list[str]] = {}
    placed = draft_places(ledger)
    for claim in claims:
        marks = "".join(f"[{number[k]}]" for k in claim.evidence)
        sections.setdefault(section_of(claim, ledger.evidence, placed), []).append(f"{claim.text} {marks}")
    titled = len(sections) > 1
    for name, lines in sections.items():
        head = [f"**{SECTIONS[name][language]}**"] if titled else []
        blocks.append("\n".join([*head, *lines]))
    if refused or (not claims and not leading.claims):
        blocks.append(instead)
    elif closing:
        blocks.append("\n".join(closing))
    return "\n\n".join(blocks)


def _warnings(context: TurnContext, ledger: Ledger, claims: list[Claim], notes: tuple[str, ...]) -> tuple[str, ...]:
    found = [w for s in ledger.steps for w in s.result.warnings]
    allergies = context.card.allergies if context.card else ()
    advised = [c.text for c in claims if any(ledger.evidence[k].kind in ("guideline", "document") for k in c.evidence)]
    if allergies and any(ids(text, *DRUG_KINDS) for text in advised):
        found.append(_ALLERGY[context.language].format(what=", ".join(allergies)))
    return tuple(dict.fromkeys([*notes, *found]))
