"""Metrics of the paper, from well-kept libraries; references are cleaned of special tokens first.

BLEU: sacrebleu. ROUGE-L: rouge-score. METEOR: nltk, exact and stem matches only (the synonym lists are not shipped). CIDEr: own, after
Vedantam et al., CVPR 2015 (no maintained library without Java). AUC, accuracy, F1: scikit-learn.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.errors import of_extra

_SPECIAL = re.compile(r"\[(?:PAD|UNK|CLS|SEP|MASK)\]")
_HAN = re.compile(r"([\u3400-\u9fff])")
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_]+(?:\.\d+)?|[^\w\s]")


def clean(text: str) -> str:
    """Without special tokens and surplus white space."""
    return " ".join(_SPECIAL.sub(" ", text).split())


def words(text: str) -> list[str]:
    """Words and punctuation; each Chinese character is a word."""
    return _WORD.findall(clean(text).lower())


class _Words:
    """Tokenizer for rouge-score, whose own drops Chinese."""

    def tokenize(self, text: str) -> list[str]:
        return words(text)


class _NoSynonyms:
    """Stands where nltk expects WordNet."""

    def synsets(self, *_: object, **__: object) -> list[object]:
        return []


def cider_each(candidates: Sequence[str], references: Sequence[str], longest: int = 4) -> list[float]:
    """CIDEr per text: cosine of tf-idf n-gram vectors, mean over n = 1..4, times 10; one reference per text."""

    def grams(text: str, n: int) -> Counter[tuple[str, ...]]:
        tokens = words(text)
        return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))

    totals = [0.0] * len(references)
    for n in range(1, longest + 1):
        reference_grams = [grams(r, n) for r in references]
        documents = Counter(gram for counts in reference_grams for gram in counts)

        def vector(counts: Counter[tuple[str, ...]], documents: Counter[tuple[str, ...]] = documents) -> dict[tuple[str, ...], float]:
            size = max(sum(counts.values()), 1)
            return {g: c / size * math.log(len(references) / max(documents[g], 1)) for g, c in counts.items()}

        for i, (candidate, reference) in enumerate(zip(candidates, reference_grams, strict=True)):
            a, b = vector(grams(candidate, n)), vector(reference)
            norm = math.sqrt(sum(v * v for v in a.values())) * math.sqrt(sum(v * v for v in b.values()))
            totals[i] += 10 / longest * sum(v * b.get(g, 0.0) for g, v in a.items()) / norm if norm else 0.0
    return totals


def cider(candidates: Sequence[str], references: Sequence[str]) -> float:
    """CIDEr: mean of `cider_each`."""
    return sum(cider_each(candidates, references)) / max(len(references), 1)


def caption_scores(candidates: Sequence[str], references: Sequence[str]) -> dict[str, list[float]]:
    """ROUGE-L, METEOR (exact and stem) and CIDEr of each text; the first two in 0..1."""
    with of_extra("train"):
        from nltk.translate.meteor_score import single_meteor_score
        from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=_Words())
    pairs = list(zip(candidates, references, strict=True))
    return {
        "rouge_l": [float(scorer.score(clean(r), clean(c))["rougeL"].fmeasure) for c, r in pairs],
        "meteor": [float(single_meteor_score(words(r), words(c), wordnet=_NoSynonyms())) for c, r in pairs],
        "cider": cider_each(candidates, references),
    }


def bleu(candidates: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Corpus BLEU-1..4 in 0..1."""
    with of_extra("train"):
        from sacrebleu.metrics.bleu import BLEU

    spaced_c, spaced_r = ([" ".join(words(t)) for t in texts] for texts in (candidates, references))
    return {f"bleu{n}": BLEU(max_ngram_order=n, tokenize="none").corpus_score(spaced_c, [spaced_r]).score / 100 for n in range(1, 5)}


def caption_metrics(candidates: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """BLEU-1..4, and the means of `caption_scores`."""
    scores = caption_scores(candidates, references)
    return bleu(candidates, references) | {name: float(np.mean(values)) for name, values in scores.items()}


def multilabel_metrics(probabilities: NDArray[np.float64], target: NDArray[np.float64]) -> dict[str, float]:
    """Macro AUC over labels with both classes, and sample F1 at 0.5; `(N, labels)`, NaN targets are left out of the AUC."""
    from sklearn.metrics import f1_score, roc_auc_score

    aucs = []
    for label in range(target.shape[1]):
        known = ~np.isnan(target[:, label])
        if len(set(target[known, label])) == 2:
            aucs.append(roc_auc_score(target[known, label], probabilities[known, label]))
    # a column that is empty on both sides changes no sample's F1 and lets scikit-learn take a single label as multilabel
    truth, found = (np.pad(x.astype(int), ((0, 0), (0, 1))) for x in (np.nan_to_num(target), probabilities >= 0.5))
    f1 = f1_score(truth, found, average="samples", zero_division=1.0)
    return {"auc": float(np.mean(aucs)) if aucs else math.nan, "sample_f1": float(f1)}


def multiclass_metrics(probabilities: NDArray[np.float64], target: NDArray[np.int64]) -> dict[str, float]:
    """Accuracy and one-versus-rest macro AUC; `(N, classes)`, `(N,)`."""
    from sklearn.metrics import accuracy_score, roc_auc_score

    accuracy = float(accuracy_score(target, probabilities.argmax(1)))
    one_hot = np.eye(probabilities.shape[1])[target]
    both = [c for c in range(one_hot.shape[1]) if 0 < one_hot[:, c].sum() < len(one_hot)]
    aucs = [roc_auc_score(one_hot[:, c], probabilities[:, c]) for c in both]
    return {"accuracy": accuracy, "auc": float(np.mean(aucs)) if aucs else math.nan}


def recall_at(similarity: NDArray[np.float64], ks: Sequence[int] = (1, 5, 10)) -> dict[str, float]:
    """Share of queries whose own partner is among the k most similar; `(N, N)`, partners on the diagonal."""
    rank = (similarity > np.diag(similarity)[:, None]).sum(1)
    return {f"recall@{k}": float((rank < k).mean()) for k in ks}
