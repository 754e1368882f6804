"""What a statement of the MedMPT model rests on, as a `ModelCard`, as JSON and as one sentence for a reader."""

import re
from typing import TYPE_CHECKING

from medmpt_backend.messages import Said
from retrieval.messages.catalogue import messages
from tools.evidence import Evidence, Language, ModelCard, Status
from tools.imaging.results.model import CardRow
from tools.wording import in_language, localised

pair = messages("tools.imaging").pair
say = messages("tools.imaging").say

if TYPE_CHECKING:
    from medmpt_backend.inference.training_domain import Validity

NO_WEIGHTS = Said(
    *pair("no MedMPT weights are in use: run `medmpt weights import CHECKPOINT`, or `medmpt weights list` for those that are there")
)
NO_STUDY = Said(*pair("the case has no CT study"))
OUTSIDE = Said(*pair("the study is outside its domain"))
_DOMAIN = {
    "in": pair("the study lies inside their domain"),
    "out": pair("the study lies outside their domain"),
    "unknown": pair("whether the study lies inside their domain is not known"),
}
# What the record of the weights that ship says they were trained on.
_COHORT = re.compile(r"(?P<count>\d+) synthetic studies \(medmpt cohort generate: virtual patients, not real ones\)")
_STATUS: dict[str, Status] = {"in": "ok", "out": "out_of_domain", "unknown": "partial"}


def card_of(validity: "Validity", threshold: float | None = None, calibrated: bool | None = None) -> ModelCard:
    """The card of a statement; `threshold` is the operating point of its label."""
    return ModelCard(
        weights=validity.weights,
        trained_on=validity.trained_on,
        licence=validity.licence,
        domain=validity.domain,
        distance=validity.distance,
        limit=validity.limit,
        threshold=threshold,
        calibrated=calibrated,
    )


def card_row(validity: "Validity") -> CardRow:
    """The card with the reason of the verdict, for the payload of a tool."""
    return CardRow(**card_of(validity).model_dump(exclude={"threshold", "calibrated"}), reason=validity.reason)


def _trained_on(recorded: str, language: Language) -> str:
    """What the weights' own record says, in Chinese where it is the cohort that ships."""
    shipped = _COHORT.fullmatch(recorded)
    if shipped is None:
        return recorded
    return say(language, "{count} synthetic studies (medmpt cohort generate: virtual patients, not real ones)", count=shipped["count"])


def card_line(card: ModelCard, language: Language) -> str:
    """One sentence: weights, what they were trained on, domain and distance."""
    zh = language == "zh"
    where = _DOMAIN[card.domain][zh]
    if card.distance is not None:
        limit = "" if card.limit is None else pair(", limit {limit:.2f}", limit=card.limit)[zh]
        where += pair(" (distance {distance:.2f}{limit})", distance=card.distance, limit=limit)[zh]
    return say(
        language,
        "Model opinion of the MedMPT weights {weights!r}, trained on {trained_on}; {where}.",
        weights=card.weights,
        trained_on=_trained_on(card.trained_on, language),
        where=where,
    )


def status_of(validity: "Validity") -> Status:
    """Status that a domain verdict gives a result."""
    return _STATUS[validity.domain]


def reason_of(validity: "Validity", language: Language) -> str | None:
    """Why the model abstains, in the reader's language."""
    return in_language(validity.reason, language) if validity.reason else None


def abstained(validity: "Validity", study: str, tool: str) -> Evidence:
    """The statement that the model gives no opinion on this study, and why."""
    why, why_zh = validity.reason or OUTSIDE, reason_of(validity, "zh") or OUTSIDE.zh
    text, text_zh = pair("The MedMPT model gives no opinion on {study}: {why}.", study=study, why=(why.rstrip("."), why_zh.rstrip("。")))
    return Evidence(
        key=f"M-{study}-{tool}-abstains",
        kind="model",
        text=text,
        text_zh=text_zh,
        source=f"MedMPT weights {validity.weights}, trained on {validity.trained_on}",
        locator=study,
        validity=validity.domain,
        quantities=localised(why, why_zh),
        subjects=("model", "domain", study),
        card=card_of(validity),
    )
