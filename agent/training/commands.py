"""`medmpt train reader` and `medmpt train opinion`."""

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


class Opinion(BaseModel):
    """`train opinion`."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok"] = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    claims: int
    signs: int
    written: str


def train_opinion(
    rows: Annotated[
        list[str] | None,
        typer.Option("--rows", help="Verify files (JSONL) to train on: FILE[@LANGUAGE][=WEIGHT]; rows of one language, what each counts."),
    ] = None,
    unseen: Annotated[list[Path] | None, typer.Option("--unseen", help="Verify files whose passages are left out.")] = None,
    cases: Annotated[Path | None, typer.Option("--cases", help="Folder with verify_cases.jsonl and its evidence.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File of the weights; default: that of the package.")] = None,
) -> Opinion:
    """Fit the second reading of claims on the pairs of the package, perturbed passages and files; takes minutes."""
    from agent.evaluation.verification import read_rows
    from agent.training.fit_opinion import PAIRS, fit, folder, of_cases, of_source, perturbed, read_pairs, save, signs_of, source

    sources = [source(text) for text in rows or ()]
    left_out = {e.text for path in (*(s.path for s in sources), *(unseen or ())) for row in read_rows(path) for e in row.evidence}
    claims = [c for name in PAIRS for c in read_pairs(folder() / name)] + perturbed(left_out)
    claims += [claim for one in sources for claim in of_source(one)]
    claims += [claim for name in ("verify", "verify_corpus") if cases for claim in of_cases(cases, name)]
    logging.basicConfig(level=logging.INFO)
    found = []
    for number, claim in enumerate(claims, start=1):
        found.append(signs_of(claim))
        if number % 500 == 0:
            _LOG.info("%d of %d claims read", number, len(claims))
    weights = fit(claims, found)
    target = out or folder() / "weights.json"
    save(weights, target)
    held = weights["weights"]
    return Opinion(claims=len(claims), signs=len(held) if isinstance(held, dict) else 0, written=str(target))


COMMANDS: dict[str, Callable[..., BaseModel]] = {"train reader": train_reader, "train opinion": train_opinion}
