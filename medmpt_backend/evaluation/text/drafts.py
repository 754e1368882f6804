"""Part `report`: the words of drafted reports, and above all what they claim, beside the report of the nearest training study.

The reference of a draft is the truth's report in the draft's own language. Claims are compared with the reference report (what a reader
wrote down) and with the painted truth (what is there).
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from medmpt_backend.evaluation.data import StudySet
from medmpt_backend.evaluation.features import EVIDENCE
from medmpt_backend.evaluation.figures import PartResult, Resampler, figure
from medmpt_backend.evaluation.text.context import Context
from medmpt_backend.evaluation.text.extraction import extract, is_chinese, stated_sides
from medmpt_backend.findings import COARSE
from medmpt_backend.inference.decoding import DecodeSettings, generate
from medmpt_backend.train.metrics import bleu, caption_scores, words

Array = NDArray[np.float64]
# Claims that are compared: the 18 labels and what a report also names.
CLAIMS = (*COARSE, "cavity", "pneumothorax", "pleural_thickening", "pleural_plaque", "pulmonary_embolus", "cysts")
_BATCH = 16
_LONGEST = 4


def run(context: Context) -> PartResult:
    """Draft a report of every test study and measure it."""
    result = PartResult(name="report")
    if not context.serves("report") or context.tokenizer is None:
        result.notes.append("the weights do not draft reports")
        return result
    chosen = [i for i, r in enumerate(context.test.records) if r.report]
    drafts = draft_all(context)
    measure(context, result, "model", [drafts[i] for i in chosen], chosen)
    if context.train is None or context.learned is None:
        result.notes.append("nearest report: give --train")
        return result
    near = nearest(context.learned.scan, context.found.scan)
    told = [_report(context.train, int(near[i]), drafts[i]) for i in chosen]
    measure(context, result, "nearest", told, chosen)
    return result


def _report(studies: StudySet, position: int, like: str) -> str:
    """Report of a study in the language of another text, where the data set has it."""
    written = studies.truths[position].reports if studies.truths else {}
    return written.get("zh" if is_chinese(like) else "en") or studies.records[position].report or ""


def draft_all(context: Context) -> list[str]:
    """One drafted report per test study."""
    return draft_tokens(context, context.found.tokens, context.found.told.get(EVIDENCE))


@torch.inference_mode()
def draft_tokens(context: Context, tokens: NDArray[np.float16], told: NDArray[np.float32] | None) -> list[str]:
    """One report per row of scan tokens `(N, S, D)` and evidence, decoded as the weights say."""
    model, text, decode, tokenizer = context.model, context.weights.config.text, context.weights.config.decode, context.tokenizer
    assert text is not None
    assert tokenizer is not None
    assert model.text_decoder is not None
    settings = DecodeSettings(
        method="official" if decode.search == "official" else "beam",
        beams=decode.beams,
        max_length=text.max_length,
        end=text.cls if decode.end_token == "official" else text.sep,
        length_penalty=decode.length_penalty,
        no_repeat_ngram=decode.no_repeat_ngram,
    )
    parameter = next(p for p in model.parameters() if not p.is_meta)
    out: list[str] = []
    for start in range(0, len(tokens), _BATCH):
        part = torch.from_numpy(tokens[start : start + _BATCH]).to(parameter.device, parameter.dtype)
        evidence = None if told is None else torch.from_numpy(told[start : start + _BATCH]).to(parameter.device, parameter.dtype)
        out += [tokenizer.decode(g.ids) for g in generate(model.text_decoder, model.memory(part, evidence), settings)]
        if context.progress is not None:
            context.progress("draft reports", len(out), len(tokens))
    return out


def nearest(train: NDArray[np.float32], test: NDArray[np.float32]) -> NDArray[np.int64]:
    """Training study with the largest cosine of standardised embeddings, for each test study."""
    mean, scale = train.mean(0), train.std(0) + 1e-6
    a, b = ((x - mean) / scale for x in (train, test))
    a, b = (x / (np.linalg.norm(x, axis=1, keepdims=True) + 1e-9) for x in (a, b))
    out: NDArray[np.int64] = (b @ a.T).argmax(1)
    return out


def measure(context: Context, result: PartResult, name: str, drafts: Sequence[str], chosen: Sequence[int]) -> None:
    """Word and claim figures of one way to write reports, for the chosen test studies."""
    references = [_report(context.test, i, draft) for i, draft in zip(chosen, drafts, strict=True)]
    part = Resampler(len(chosen), context.seed, context.times)
    for measure_name, samples in word_samples(part, drafts, references).items():
        result.figures[f"{measure_name}/{name}"] = figure(samples, len(chosen))
    stated, wanted = ([extract(t) for t in texts] for texts in (drafts, references))
    truths = (
        [stated_sides((f.labels, f.side) for f in context.test.truths[i].findings if f.visible) for i in chosen]
        if context.test.truths
        else []
    )
    targets = {"report": [w.present for w in wanted], "truth": truths}
    for kind, target in targets.items():
        if not target:
            continue
        counts = np.array([_counts(s.present, t) for s, t in zip(stated, target, strict=True)], np.float64)
        hits, said, there, sided, same = counts.T
        precision, recall = part.ratio(hits, said), part.ratio(hits, there)
        result.figures[f"claims_{kind}_precision/{name}"] = figure(precision, len(chosen))
        result.figures[f"claims_{kind}_recall/{name}"] = figure(recall, len(chosen))
        result.figures[f"claims_{kind}_f1/{name}"] = figure(part.ratio(2 * hits, said + there), len(chosen))
        result.figures[f"claims_{kind}_side/{name}"] = figure(part.ratio(same, sided), int(sided.sum()))
    denied = np.array([float(sum(c in s.absent for c in CLAIMS)) for s in stated])
    if truths:
        wrong = np.array([float(sum(c in s.absent and c in t for c in CLAIMS)) for s, t in zip(stated, truths, strict=True)])
        result.figures[f"false_negations/{name}"] = figure(part.ratio(wrong, denied), int(denied.sum()))


def _counts(said: Mapping[str, str | None], there: Mapping[str, str | None]) -> tuple[int, int, int, int, int]:
    """Right claims, claims, findings there, right claims with a side on both sides, and those whose sides agree."""
    right = [c for c in CLAIMS if c in said and c in there]
    sided = [c for c in right if said[c] and there[c]]
    return (
        len(right),
        sum(c in said for c in CLAIMS),
        sum(c in there for c in CLAIMS),
        len(sided),
        sum(said[c] == there[c] for c in sided),
    )


def word_samples(part: Resampler, drafts: Sequence[str], references: Sequence[str]) -> dict[str, Array]:
    """BLEU-1..4, ROUGE-L, METEOR and CIDEr of each bootstrap sample; the first BLEU is that of `train.metrics`."""
    exact = bleu(drafts, references)
    sampled = _bleu(part, list(zip(drafts, references, strict=True)))
    out = {name: np.concatenate([[exact[name]], samples[1:]]) for name, samples in zip(exact, sampled, strict=True)}
    return out | {name: part.mean(np.array(values)) for name, values in caption_scores(drafts, references).items()}


def _bleu(part: Resampler, pairs: Sequence[tuple[str, str]]) -> list[Array]:
    """Corpus BLEU-1..4 of each sample from n-gram matches per study."""
    rows = []
    for draft, reference in pairs:
        a, b = words(draft), words(reference)
        row = [float(len(a)), float(len(b))]
        for n in range(1, _LONGEST + 1):
            ours, theirs = (Counter(tuple(x[i : i + n]) for i in range(len(x) - n + 1)) for x in (a, b))
            row += [float(sum((ours & theirs).values())), float(max(len(a) - n + 1, 0))]
        rows.append(row)
    total = part.weights @ np.array(rows)
    short = np.exp(np.minimum(0, 1 - total[:, 1] / np.maximum(total[:, 0], 1)))
    logs = np.log(np.maximum(total[:, 2::2], 1e-9) / np.maximum(total[:, 3::2], 1))
    return [short * np.exp(logs[:, :n].mean(1)) for n in range(1, _LONGEST + 1)]
