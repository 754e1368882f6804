"""What the hospital's own documents say in an answer: under their name, never as an issuer, with what contradicts them beside it."""

import re
from collections.abc import Iterable, Mapping

from agent.answering.answer import Claim
from agent.reading.lexicon import DRUG_KINDS, ids, members
from agent.verify import check
from agent.verify.align import place
from retrieval.documents.ingest import ISSUER
from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence, Language

each = messages("agent.answering").each
_WORDS = patterns("agent.answering")

_SAYS: dict[Language, str] = each('The hospital\'s document "{title}" says: {text}')
_AGAINST: dict[Language, str] = each('The hospital\'s document "{title}" contradicts {source} ({because}).')
_ALLERGY: dict[Language, str] = each('The hospital\'s document "{title}" names {drug}; the record lists an allergy to {allergy}.')
# Groups of which an allergy to one counts for all.
_CROSS = frozenset({"penicillin", "cephalosporin"})
# Share of a document's sentence that another source must hold before the two are compared.
_SAME_MATTER = 0.5
# Reasons that say only that the other source is about something else.
_OTHER_MATTER = re.compile(r"does not speak of|does not say this|not about|nothing to do|is not that of the evidence|rests on an inference")


def title_of(item: Evidence) -> str:
    """Name of a document as its source gives it."""
    return re.sub(rf"^{re.escape(ISSUER)}\s*:\s*|\s*\(\d{{4}}\)$", "", item.source)


def attributed(claim: Claim, evidence: Mapping[str, Evidence], language: Language) -> Claim:
    """The claim under the name of the document that it rests on."""
    document = next((evidence[k] for k in claim.evidence if evidence[k].kind == "document"), None)
    if document is None:
        return claim
    title = title_of(document)
    return claim if title in claim.text else claim.model_copy(update={"text": _SAYS[language].format(title=title, text=claim.text)})


def contradictions(claims: Iterable[Claim], evidence: Mapping[str, Evidence], allergies: Iterable[str], language: Language) -> list[str]:
    """What speaks against sentences of documents: sources of this thread that say otherwise, and recorded allergies."""
    out: list[str] = []
    listed = list(allergies)
    for claim in claims:
        document = next((evidence[k] for k in claim.evidence if evidence[k].kind == "document"), None)
        if document is None:
            continue
        title, text = title_of(document), _own(claim.text)
        out += [_ALLERGY[language].format(title=title, drug=d, allergy=a) for d, a in _allergic(text, listed)]
        for item in evidence.values():
            because = against(text, item)
            if because is not None:
                out.append(_AGAINST[language].format(title=title, source=item.source, because=because))
    return list(dict.fromkeys(out))


def _own(text: str) -> str:
    return re.sub(_WORDS.text("documents_own"), "", text)


def against(text: str, item: Evidence, same: float = _SAME_MATTER) -> str | None:
    """What another source says otherwise than `text`; None where it agrees or speaks of something else.

    Args:
        text: One sentence.
        item: The other source; only guidelines and the drug graph are compared.
        same: Share of the sentence that the source must hold before the two are compared.
    """
    if item.kind not in ("guideline", "drug_graph"):
        return None
    if place(text, [item.text, item.text_zh or ""]).share < same:
        return None
    because = check(text, (item.key,), {item.key: item}).because
    return None if because is None or _OTHER_MATTER.search(because) else because


def _allergic(text: str, allergies: Iterable[str]) -> list[tuple[str, str]]:
    drugs = ids(text, *DRUG_KINDS)
    found = []
    for allergy in allergies:
        against = ids(allergy, *DRUG_KINDS)
        wide = (
            against
            | frozenset(m for a in against for m in members().get(a, ()))
            | frozenset(group for group, inside in members().items() if against & inside and group in _CROSS)
        )
        wide |= frozenset(m for g in wide for m in members().get(g, ()))
        found += [(d.replace("_", " "), allergy) for d in sorted(drugs & wide)]
    return found
