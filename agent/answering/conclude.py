"""The answer of a turn: verified claims in order, what was removed, what is missing, and the plain words for silence."""

from dataclasses import replace

from agent.answering.answer import Answer, AnswerStatus, Claim, Removed, Sections, ToolCall
from agent.answering.compose import pair_answered
from agent.answering.documents import attributed, contradictions
from agent.answering.draft import Draft, Part
from agent.answering.exhibits import draft_places, drugs_of, report_of, withheld_of
from agent.answering.followups import left_open, next_questions
from agent.answering.sections import PARTS, Said, text_of
from agent.reading.lexicon import DRUG_KINDS, ids
from agent.safety import Leading, lead
from agent.safety.requests import declined
from agent.turn.ledger import Ledger, ToolStep
from agent.turn.prompts import NEAREST, NOTICES
from agent.turn.state import TurnContext
from agent.verify import Verdict
from retrieval.guidelines.parts import several
from retrieval.messages.catalogue import messages
from tools.bedside.topics import asked
from tools.evidence import Evidence, Kind, Language
from tools.guidelines.search import HitsData
from tools.spec import specs

each = messages("agent.answering").each

say = messages("agent.answering").say

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
    "unavailable": each("{tool}: not available ({reason})"),
    "empty": each("{tool}: found nothing ({reason})"),
    "error": each("{tool}: failed ({reason})"),
    "out_of_domain": each("{tool}: cannot judge this input ({reason})"),
}
_UNKNOWN: dict[Language, str] = each("no reason was given")
_OPEN: dict[Language, str] = each("Not answered here: {what}.")
_MISSING: dict[Language, str] = each("Missing: {what}.")
_EMERGENCY: dict[Language, str] = each("Needs action now: {what}")
_NO_ACTIONS: dict[Language, str] = each("The corpus holds no passage with the first actions for this: act by local protocol.")
_ALLERGY: dict[Language, str] = each("The record lists an allergy ({what}): check every recommended medicine against it.")


def conclude(context: TurnContext, ledger: Ledger, verdicts: list[Verdict], draft: Draft, model: str, notes: tuple[str, ...]) -> Answer:
    """Build the answer.

    Args:
        context: The turn.
        ledger: Evidence of the thread and steps of the turn.
        verdicts: Every sentence with its support or the reason against it.
        draft: What the model handed in: the part of each sentence, the notice it gave instead of sentences.
        model: Name of the model.
        notes: What happened on the way that a person must know.
    """
    language = context.language
    refusal = declined(context.message, language) if draft.notice == "declined" else None
    leading = lead(context.question, context.case, language)
    ledger = replace(ledger, evidence={**ledger.evidence, **{e.key: e for e in leading.evidence}})
    said = [s for s in _said(verdicts, draft, ledger, language) if not leading.says(s.claim)]
    shown = [*leading.claims, *(s.claim for s in said if s.part != "more")]
    removed = tuple(Removed(text=v.text, because=v.because or "") for v in verdicts if v.support is None)
    keys = tuple(dict.fromkeys(k for c in (*leading.claims, *(s.claim for s in said)) for k in c.evidence))
    others = _other_emergencies(ledger, leading)
    silent = tuple(dict.fromkeys(_silence(s, language) for s in ledger.steps if s.result.status in _SAID and not _made_up_for(s, ledger)))
    missing = tuple(dict.fromkeys(m for s in ledger.steps if not _made_up_for(s, ledger) for m in s.result.missing))
    status, reason = _status(shown, removed, ledger, draft.notice, silent, language)
    if refusal is not None:
        status, reason = "refused", refusal
    elif leading.headlines and not shown:
        status, reason = "partial", _NO_ACTIONS[language]
    unanswered = _left_open(context, said, ledger) if shown else ()
    closing = (*silent, *_listed(_MISSING, missing, language), *_listed(_OPEN, unanswered, language))
    near = NEAREST[language] if said and _only_near(said, ledger) else ""
    sections = _sections(said, keys, ledger, near, closing, language)
    instead = reason or NOTICES[draft.notice or "no_evidence"][language]
    found = [e for s in ledger.steps if s.result.tool == "search_guidelines" for e in s.result.evidence]
    return Answer(
        status=status,
        reason=reason,
        question=context.message,
        patient=context.card.about(language) if context.card is not None else None,
        language=language,
        answer=refusal or _text(said, keys, ledger, leading, others, sections, instead, language),
        sections=sections,
        unanswered=unanswered,
        followups=next_questions(found, keys, language) if shown else (),
        claims=tuple(shown),
        removed=removed,
        missing=missing,
        evidence=tuple(ledger.evidence[k] for k in keys),
        tool_calls=tuple(ToolCall(name=s.result.tool, args=s.args, status=s.result.status, seconds=s.seconds) for s in ledger.steps),
        emergencies=(*leading.headlines, *others),
        model=model,
        thread=context.thread,
        warnings=_warnings(context, ledger, shown, notes),
        report=report_of(ledger, shown),
        withheld=withheld_of(ledger),
        drugs=drugs_of(ledger, language) if any(_SECTION[e.kind] == "drugs" for k in keys if (e := ledger.evidence[k])) else (),
    )


def _other_emergencies(ledger: Ledger, leading: Leading) -> tuple[str, ...]:
    """Emergencies of the tools that do not lead the answer already: each is said once."""
    found = dict.fromkeys(e for s in ledger.steps for e in s.result.emergencies)
    return tuple(e for e in found if not any(name.lower() in e.lower() for name in leading.covers))


def _left_open(context: TurnContext, said: list[Said], ledger: Ledger) -> tuple[str, ...]:
    """Parts of the question that nothing in the answer speaks of.

    A part that was searched by itself is open where nothing that its search found is shown and no statement on medicines either; a part
    that a bedside judgement is about is answered by it.
    """
    searches = {str(s.args.get("query")): s.result for s in ledger.steps if s.result.tool == "search_guidelines"}
    searched = [(p, searches[p.whole]) for p in several(context.question) if p.whole in searches]
    cited = {k for s in said for k in s.claim.evidence}
    if searched:
        of_drugs = any(k.startswith("D-") for k in cited)
        return tuple(p.own for p, r in searched if not cited & {e.key for e in r.evidence} and (r.status != "ok" or not of_drugs))
    judged = {k.removeprefix("B-").rpartition("-")[0] for k in cited if k.startswith("B-")}
    parts = left_open(context.question, [s.claim.text for s in said], {s.heading for s in said})
    return tuple(p for p in parts if not judged & {topic.id for topic in asked(p)})


def _claim(verdict: Verdict) -> Claim:
    assert verdict.support is not None
    return Claim(text=verdict.text, evidence=verdict.evidence, support=verdict.support)


def _said(verdicts: list[Verdict], draft: Draft, ledger: Ledger, language: Language) -> list[Said]:
    """Verified claims by part, in each part those of one heading together, a repeated sentence once."""
    placed = draft_places(ledger)
    parts = [s.part for s in draft.sentences]
    known = [None] * (len(verdicts) - len(parts)) + parts
    unique: dict[tuple[str, tuple[str, ...]], Said] = {}
    for verdict, part in zip(verdicts, known, strict=True):
        if verdict.support is not None:
            claim = attributed(_claim(verdict), ledger.evidence, language)
            heading = section_of(claim, ledger.evidence, placed)
            unique.setdefault((claim.text, claim.evidence), Said(claim, part or _part(claim, ledger, first=not unique), heading))
    drafted = list(dict.fromkeys(placed.values()))
    met = list(dict.fromkeys(s.heading for s in unique.values()))
    order = [h for h in met if h not in drafted] + drafted
    places = (*PARTS, "more")
    return sorted(unique.values(), key=lambda s: (places.index(s.part), order.index(s.heading)))


def _part(claim: Claim, ledger: Ledger, first: bool) -> Part:
    """Where a sentence stands that a language model wrote: its first is the bottom line."""
    if first:
        return "headline"
    return "evidence" if all(ledger.evidence[k].kind in ("guideline", "document", "drug_graph") for k in claim.evidence) else "patient"


def _only_near(said: list[Said], ledger: Ledger) -> bool:
    """Whether the answer rests on passages alone that a search called near, not an answer."""
    searches = [s.result for s in ledger.steps if s.result.tool == "search_guidelines" and s.result.evidence]
    found = [r.payload(HitsData) for r in searches]
    if not searches or any(data is None or data.direct is not False for data in found):
        return False
    return all(ledger.evidence[k].kind in ("guideline", "document") for s in said for k in s.claim.evidence)


def section_of(claim: Claim, evidence: dict[str, Evidence], placed: dict[str, str]) -> str:
    """Section of an answer that a claim belongs to: that of its first evidence; of a drafted report its section there."""
    if claim.evidence[0] in placed:
        return placed[claim.evidence[0]]
    first = evidence[claim.evidence[0]]
    if first.key.startswith(("B-", "P-")):
        return "patient"
    return "drugs" if first.key.startswith("M-drug-") else _SECTION[first.kind]


def _made_up_for(step: ToolStep, ledger: Ledger) -> bool:
    """An empty search is not worth a word when another search of the turn found something, nor an empty drug graph beside an answer."""
    if step.result.status != "empty":
        return False
    same = any(s.result.evidence for s in ledger.steps if s.result.tool == step.result.tool)
    answered = any(s.result.tool == "search_guidelines" and s.result.status == "ok" for s in ledger.steps)
    return same or (step.result.tool == "query_drug_graph" and answered)


def _silence(step: ToolStep, language: Language) -> str:
    reason = (step.result.reason or _UNKNOWN[language]).rstrip(".。")
    return _SAID[step.result.status][language].format(tool=specs()[step.result.tool].labels[language == "zh"], reason=reason) + (
        "。" if language == "zh" else "."
    )


def _listed(words: dict[Language, str], names: tuple[str, ...], language: Language) -> tuple[str, ...]:
    if not names:
        return ()
    return (words[language].format(what=("、" if language == "zh" else ", ").join(names)),)


def _status(
    claims: list[Claim], removed: tuple[Removed, ...], ledger: Ledger, notice: str | None, silent: tuple[str, ...], language: Language
) -> tuple[AnswerStatus, str | None]:
    if claims:
        beside = "search_guidelines" if pair_answered(ledger.steps) else ""
        partial = [s.result for s in ledger.steps if s.result.status == "partial" and s.result.tool != beside]
        limited = removed or silent or partial
        if not limited:
            return "answered", None
        reasons = [*silent, *(r.reason for r in partial if r.reason)]
        if removed:
            reasons.append(say(language, "{removed} unsupported sentence(s) removed", removed=len(removed)))
        return "partial", " ".join(dict.fromkeys(reasons)) or None
    if notice in ("greeting", "thanks"):
        return "answered", None
    return "refused", " ".join((NOTICES[notice or "no_evidence"][language], *silent))


def _sections(said: list[Said], keys: tuple[str, ...], ledger: Ledger, near: str, closing: tuple[str, ...], language: Language) -> Sections:
    number = {key: i + 1 for i, key in enumerate(keys)}
    text = {}
    for part in PARTS:
        mine = [s for s in said if s.part == part or (part == "evidence" and s.part == "more")]
        text[part] = text_of(mine, ledger.evidence, number, language, more=True)
    headline = "\n".join(t for t in (near, text["headline"]) if t)
    return Sections(headline=headline, patient=text["patient"], evidence=text["evidence"], missing="\n".join(closing))


def _text(
    said: list[Said],
    keys: tuple[str, ...],
    ledger: Ledger,
    leading: Leading,
    others: tuple[str, ...],
    sections: Sections,
    instead: str,
    language: Language,
) -> str:
    number = {key: i + 1 for i, key in enumerate(keys)}
    blocks = [leading.text(lambda key: f"[{number[key]}]")] if leading.headlines else []
    blocks += [_EMERGENCY[language].format(what=e) for e in others]
    if not said:
        return "\n\n".join([*blocks, *([] if leading.claims else [instead])])
    evidence = text_of([s for s in said if s.part == "evidence"], ledger.evidence, number, language, more=False)
    blocks += [sections.headline, sections.patient, evidence, sections.missing]
    return "\n\n".join(b for b in blocks if b)


def _warnings(context: TurnContext, ledger: Ledger, claims: list[Claim], notes: tuple[str, ...]) -> tuple[str, ...]:
    found = [w for s in ledger.steps for w in s.result.warnings]
    allergies = context.card.allergies if context.card else ()
    found = [*contradictions(claims, ledger.evidence, allergies, context.language), *found]
    advised = [c.text for c in claims if any(ledger.evidence[k].kind in ("guideline", "document") for k in c.evidence)]
    if allergies and any(ids(text, *DRUG_KINDS) for text in advised):
        found.append(_ALLERGY[context.language].format(what=", ".join(allergies)))
    return tuple(dict.fromkeys([*notes, *found]))
