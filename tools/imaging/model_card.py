"""What a statement of the MedMPT model rests on, as a `ModelCard`, as JSON and as one sentence for a reader."""

from typing import TYPE_CHECKING

from tools.evidence import Evidence, Language, ModelCard, Status
from tools.imaging.results.model import CardRow
from tools.wording import in_language, localised

if TYPE_CHECKING:
    from medmpt_backend.inference.training_domain import Validity

NO_WEIGHTS = "no MedMPT weights are in use: run `medmpt weights import CHECKPOINT`, or `medmpt weights list` for those that are there"
_DOMAIN = {
    "in": ("the study lies inside their domain", "本检查位于其适用范围内"),
    "out": ("the study lies outside their domain", "本检查超出其适用范围"),
    "unknown": ("whether the study lies inside their domain is not known", "本检查是否在其适用范围内未知"),
}
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


def card_line(card: ModelCard, language: Language) -> str:
    """One sentence: weights, what they were trained on, domain and distance."""
    zh = language == "zh"
    where = _DOMAIN[card.domain][zh]
    if card.distance is not None:
        limit = "" if card.limit is None else f"，上限 {card.limit:.2f}" if zh else f", limit {card.limit:.2f}"
        where += f"（距离 {card.distance:.2f}{limit}）" if zh else f" (distance {card.distance:.2f}{limit})"
    if zh:
        return f"模型意见来自 MedMPT 权重 {card.weights!r}，训练数据：{card.trained_on}；{where}。"
    return f"Model opinion of the MedMPT weights {card.weights!r}, trained on {card.trained_on}; {where}."


def status_of(validity: "Validity") -> Status:
    """Status that a domain verdict gives a result."""
    return _STATUS[validity.domain]


def reason_of(validity: "Validity", language: Language) -> str | None:
    """Why the model abstains, in the reader's language."""
    return in_language(validity.reason, language) if validity.reason else None


def abstained(validity: "Validity", study: str, tool: str) -> Evidence:
    """The statement that the model gives no opinion on this study, and why."""
    why, why_zh = validity.reason or "the study is outside its domain", reason_of(validity, "zh") or "本检查超出其适用范围"
    return Evidence(
        key=f"M-{study}-{tool}-abstains",
        kind="model",
        text=f"The MedMPT model gives no opinion on {study}: {why.rstrip('.')}.",
        text_zh=f"MedMPT 模型对 {study} 不作判断：{why_zh.rstrip('。')}。",
        source=f"MedMPT weights {validity.weights}, trained on {validity.trained_on}",
        locator=study,
        validity=validity.domain,
        quantities=localised(why, why_zh),
        subjects=("model", "domain", study),
        card=card_of(validity),
    )
