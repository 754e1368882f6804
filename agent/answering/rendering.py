"""Structured evidence is worded by the product: what a language model writes on a record is kept only where it says the same as fields.

A laboratory value, score, drug fact, measurement, model finding or case entry reaches the reader in the wording of its typed record
(direction, severity, presence, frequency and band included). A model chooses the keys and their order; it may hand in no text at all. Its
own sentence stays where `verify` supports it and where every word of it is one of the record's fields or says nothing of its own.
"""

from collections.abc import Mapping, Sequence

from agent.answering.compose import marked
from agent.answering.draft import split_sentences
from agent.verify import Verdict, check, quoted_as
from agent.verify.align import place
from agent.verify.facts.fields import own_words
from agent.verify.text import normalise
from tools.evidence import Evidence, Kind, Language

STRUCTURED: frozenset[Kind] = frozenset({"lab", "score", "drug_graph", "ct", "model", "case", "report", "similar_case"})
# Sentences of a record that are rendered whole; of longer ones the first and the one that the model spoke of.
_WHOLE = 2
_INSTEAD = "the record's own wording stands instead: {because}"
_ORIGINAL = "the guideline's own sentence stands instead: {because}"
# Share of a refused sentence that the guideline's sentence must hold to be the one that was meant.
_MEANT = 0.4


def reworded(verdicts: Sequence[Verdict], evidence: Mapping[str, Evidence], language: Language) -> tuple[list[Verdict], list[Verdict]]:
    """Verdicts on a model's sentences with those on structured evidence in the record's own words where they differ.

    Args:
        verdicts: One for each sentence of the draft, in order.
        evidence: All evidence of the thread by key.
        language: Of the answer.

    Returns:
        As many verdicts as were given, and the model's wording that was replaced, each with the reason.
    """
    shown, replaced = [], []
    for verdict in verdicts:
        cited = [evidence[k] for k in verdict.evidence if k in evidence]
        if not cited or len(cited) != len(verdict.evidence) or any(e.kind not in STRUCTURED for e in cited):
            shown.append(verdict)
            continue
        because = verdict.because or (None if verdict.support == "quoted" else _own_words(verdict.text, cited))
        if because is None and verdict.text.strip():
            shown.append(verdict)
            continue
        shown.append(rendered(verdict, cited, language))
        if verdict.text.strip():
            replaced.append(Verdict(verdict.text, verdict.evidence, None, _INSTEAD.format(because=because)))
    return shown, replaced


def originals(verdicts: Sequence[Verdict], evidence: Mapping[str, Evidence], language: Language) -> tuple[list[Verdict], list[Verdict]]:
    """Verdicts with the guideline's own sentence in the place of a refused one that speaks of the same; each sentence once.

    Returns:
        As many verdicts as were given, and the refused sentences that were replaced, each with the reason.
    """
    shown, replaced = [], []
    told = {normalise(v.text) for v in verdicts if v.support is not None}
    for verdict in verdicts:
        quote = _original(verdict, evidence, language) if verdict.support is None else None
        if quote is None or normalise(quote.text) in told:
            shown.append(verdict)
            continue
        told.add(normalise(quote.text))
        shown.append(quote)
        replaced.append(Verdict(verdict.text, verdict.evidence, None, _ORIGINAL.format(because=verdict.because)))
    return shown, replaced


def _original(verdict: Verdict, evidence: Mapping[str, Evidence], language: Language) -> Verdict | None:
    cited = [evidence[k] for k in verdict.evidence if k in evidence and evidence[k].kind == "guideline" and evidence[k].current]
    found = [(place(verdict.text, [(e.text_zh if language == "zh" else None) or e.text]), e.key) for e in cited]
    best, key = max(found, key=lambda f: f[0].share, default=(None, ""))
    if best is None or best.share < _MEANT:
        return None
    quote = check(best.sentence.strip(), (key,), evidence)
    return quote if quote.support == "quoted" else None


def rendered(verdict: Verdict, cited: Sequence[Evidence], language: Language) -> Verdict:
    """What the cited records say, in their own words."""
    glue = "" if language == "zh" else " "
    text = glue.join(_wording(e, verdict.text, language) for e in cited)
    return Verdict(text, verdict.evidence, quoted_as(cited), None)


def _wording(item: Evidence, claim: str, language: Language) -> str:
    text = (item.text_zh if language == "zh" else None) or item.text
    said = split_sentences(text)
    if len(said) > _WHOLE:
        best = place(claim, [text]).sentence
        chosen = [said[0], *(s for s in said[1:] if best and normalise(best) in normalise(s))][:_WHOLE]
        text = ("" if language == "zh" else " ").join(chosen)
    return marked(text, item, language)


def _own_words(claim: str, cited: Sequence[Evidence]) -> str | None:
    """Words of a supported sentence that are no field of its records; None where there are none."""
    extra = own_words(claim, cited)
    return f"{', '.join(extra[:3])} is no field of the record" if extra else None
