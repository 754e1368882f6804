"""All signs of a claim beside its evidence: what each rule objects on its own, and what bonds, figures and wording say."""

import re
from collections.abc import Iterable, Iterator

from agent.reading.lexicon import language_of
from agent.verify import compare
from agent.verify.align import Place, content, place, texts_for
from agent.verify.binding import exchanged, in_order, reordered, turned_number
from agent.verify.contrast import otherwise_with_value
from agent.verify.facts import named
from agent.verify.facts.crossed import crossed
from agent.verify.facts.fields import own_words
from agent.verify.facts.order import turned_round
from agent.verify.facts.rhythm import unheard
from agent.verify.facts.subjects import other_subject
from agent.verify.facts.verbatim import carried
from agent.verify.groups import misplaced
from agent.verify.numbers import located, same
from agent.verify.opinion.bonds import bonds
from agent.verify.opinion.edits import edits
from agent.verify.opinion.figures import figures
from agent.verify.opinion.turned import turned_word
from agent.verify.opinion.wording import contraries, denials, values, words
from agent.verify.record import RECORDS, differs_from_record
from agent.verify.roles import reversed_roles
from agent.verify.states import opposite_state
from agent.verify.typed.effects import opposed_choice
from agent.verify.typed.judge import differing, supporting
from tools.evidence import Evidence


def signs(claim: str, cited: list[Evidence], objection: str | None) -> dict[str, float]:
    """Signs by name; `objection` is what the rules say, None where nothing."""
    texts = texts_for(claim, cited)
    pool = " \n ".join([*texts, *(e.source for e in cited)])
    whole = place(claim, texts)
    out = {f"rule {name}": 1.0 for name in _objections(claim, cited, texts, whole, pool)}
    out |= {f"kind {e.kind}": 1.0 for e in cited} | {"objection": float(objection is not None)}
    out |= _extent(claim, texts, whole, pool)
    out |= words(claim, whole, pool) | values(claim, whole, pool) | contraries(claim, whole, pool) | denials(claim, whole)
    out |= bonds(claim, texts) | figures(claim, texts, cited) | edits(claim, texts)
    out |= {"in order": float(in_order(claim, texts)), "carried": float(carried(claim, texts))}
    out["typed agrees"] = float(supporting(claim, cited, texts) is not None)
    if all(e.kind in RECORDS or e.kind == "drug_graph" for e in cited):
        out["words of no field"] = float(min(len(own_words(claim, cited)), 4))
    return out | _weighed(out)


# Objections that mean little where a claim is worded far from its place.
_NEARLY = ("rule modality", "rule contrast modality", "rule denies", "rule states", "rule says", "rule has", "rule it ", "rule exchanged")


def _weighed(found: dict[str, float]) -> dict[str, float]:
    """Some objections again, by how near the claim is to the wording of its place."""
    return {f"{name} far": 1.0 - found["share"] for name, value in found.items() if value and name.startswith(_NEARLY)}


def _objections(claim: str, cited: list[Evidence], texts: list[str], whole: Place, pool: str) -> Iterator[str]:
    """Names of the rules that object, each asked on its own."""
    yield from (f"contrast {name}" for name, _ in otherwise_with_value(claim, whole, pool))
    both = " \n ".join(f"{e.text} \n {e.text_zh or ''}" for e in cited)
    records = all(e.kind in RECORDS for e in cited)
    found: dict[str, object] = {
        "side": named.wrong_side(claim, cited, both),
        "drug": named.wrong_drug(claim, cited, both),
        "group": named.wrong_group(claim, cited),
        "population": named.wrong_population(claim, cited, both),
        "irrelevant": named.irrelevant(claim, cited),
        "record": differs_from_record(claim, cited),
        "contrast": compare.contrast_differs(claim, whole, pool, cited),
        "state": opposite_state(claim, texts),
        "limits": compare.limits(claim, whole),
        "presence": compare.presence(claim, texts, records),
        "only absent": compare.only_absent(claim, texts),
        "roles": reversed_roles(claim, texts),
        "exchanged": exchanged(claim, texts),
        "turned number": turned_number(claim, texts),
        "subject": other_subject(claim, texts),
        "order": turned_round(claim, texts),
        "facts": compare.facts_differ(claim, cited, texts),
        "reordered": reordered(claim, whole.sentence),
        "misplaced": misplaced(claim, texts),
        "elsewhere": compare.elsewhere(claim, whole, texts),
        "issuer": named.wrong_issuer(claim, cited),
        "crossed": crossed(claim, texts),
        "unheard": unheard(claim, both),
        "choice": opposed_choice(claim, texts),
        "turned": turned_word(claim, texts),
    }
    found |= {f"typed {name}": reason for name, reason in differing(claim, cited, texts)}
    yield from (name for name, reason in found.items() if reason)
    if reason := compare.denied(claim, whole, texts):
        yield reason


def _extent(claim: str, texts: Iterable[str], whole: Place, pool: str) -> dict[str, float]:
    """Language, length, and how much of the claim's words and numbers stands in the evidence."""
    mine, theirs = content(claim), content(pool)
    missing = [t for t in mine if t not in theirs]
    chinese = language_of(claim) == "zh"
    said = [n for _, _, n in located(claim)]
    there = [n for t in texts for _, _, n in located(t)]
    near = [n for _, _, n in located(whole.sentence or pool)]
    inside = sum(any(same(n, k) for k in there) for n in said)
    return {
        "chinese": float(chinese),
        "length": len(re.sub(r"\s+", " ", claim)) / (40 if chinese else 100),
        "evidence length": min(len(pool) / 1000, 2.0),
        "covered": sum(w for t, w in mine.items() if t in theirs) / (sum(mine.values()) or 1.0),
        "share": whole.share,
        "missing": min(len(missing), 8) / 4,
        "missing terms": float(sum(t[0] in "@!" for t in missing)),
        "missing numbers": float(sum(t[0] in "#<>" for t in missing)),
        "numbers": min(len(said), 4) / 2,
        "numbers there": float(inside),
        "numbers here": float(sum(any(same(n, k) for k in near) for n in said)),
        "numbers away": float(len(said) - inside),
    }
