"""`medmpt train reader`."""

import logging
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel, ConfigDict

_LOG = logging.getLogger(__name__)


class Trained(BaseModel):
    """`train reader`."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok"] = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    utterances: int
    authors: int
    digest: str
    unseen_authors: dict[str, float]
    written: str
    size_mb: float


def train_reader(
    data: Annotated[Path | None, typer.Option("--data", help="Folder of utterances (JSONL); default: those of the package.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for reader.npz and its card; default: that of the package.")] = None,
) -> Trained:
    """Fit the reader of messages on labelled utterances, and the model of follow-ups; takes minutes."""
    from agent.reading import followup
    from agent.reading.reader import save
    from agent.training.card import card
    from agent.training.fit_followup import fit_followup, read_followups, standing_alone
    from agent.training.fit_followup import folder as followups
    from agent.training.fit_reader import fit
    from agent.training.utterances import digest, folder, read_utterances
    from retrieval import packs

    rows = read_utterances(data or folder())
    rows += [] if data else [u for place in packs.parts("utterances") for u in read_utterances(place)]
    logging.basicConfig(level=logging.INFO)
    fitted = fit(rows, lambda done, total: _LOG.info("fold %d of %d", done, total))
    target = out or Path(str(files("agent").joinpath("data/reader")))
    save(fitted.weights, target / "reader.npz")
    (target / "CARD.md").write_text(card(rows, fitted), encoding="utf-8")
    goes_on, unseen = fit_followup([*read_followups(followups()), *standing_alone(rows)])
    followup.save(goes_on, target / "followup.npz")
    return Trained(
        utterances=len(rows),
        authors=len({r.author for r in rows}),
        digest=digest(rows),
        unseen_authors=fitted.unseen | unseen,
        written=str(target / "reader.npz"),
        size_mb=round((target / "reader.npz").stat().st_size / 1e6, 2),
    )


COMMANDS: dict[str, Callable[..., BaseModel]] = {"train reader": train_reader}
