from pathlib import Path

import pytest

from agent.settings import Settings
from retrieval.concepts.lexicon import Lexicon
from retrieval.errors import BadInput, Unavailable
from retrieval.guidelines.passages import Filters
from retrieval.guidelines.question import understand
from retrieval.index.cross import CrossEncoderReranker
from retrieval.index.guideline_index import GuidelineIndex

QUESTIONS = ("antibiotic duration in pneumonia", "肺栓塞危险分层")


def make_model(folder: Path, labels: int = 1) -> Path:
    """A BERT cross-encoder of two tiny layers with random weights and a small vocabulary."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    words = [
        "antibiotic",
        "duration",
        "pneumonia",
        "days",
        "pulmonary",
        "embolism",
        "risk",
        "dose",
        "adults",
        "severe",
        "treatment",
        "test",
    ]
    letters = [f"{prefix}{c}" for c in "abcdefghijklmnopqrstuvwxyz0123456789" for prefix in ("", "##")]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *letters]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        num_labels=labels,
        initializer_range=0.6,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def plain(cache_dir: Path) -> GuidelineIndex:
    return GuidelineIndex.open(cache_dir, embedder="hashing")


@pytest.fixture(scope="module")
def crossed(cache_dir: Path, model: Path) -> GuidelineIndex:
    return GuidelineIndex.open(cache_dir, embedder="hashing", reranker=str(model))


def test_hits_follow_the_scores_of_the_cross_encoder(plain: GuidelineIndex, crossed: GuidelineIndex, model: Path) -> None:
    lexicon = Lexicon.load()
    reader = CrossEncoderReranker(model, lexicon)
    changed = 0
    for text in QUESTIONS:
        ours, theirs = plain.search(text), crossed.search(text)
        assert ours.counts == theirs.counts
        scores = [hit.score for hit in theirs.hits]
        assert len(scores) > 1
        assert all(0 <= score <= 1 for score in scores)
        assert scores == sorted(scores, reverse=True)
        again = reader.score(understand(text, lexicon, frozenset(), {}), [hit.passage for hit in theirs.hits])
        assert scores == pytest.approx(list(again), abs=2e-4)
        changed += [h.passage.key for h in ours.hits] != [h.passage.key for h in theirs.hits]
    assert changed


@pytest.mark.parametrize("text", QUESTIONS)
def test_narrowing_never_adds_hits_with_a_cross_encoder(crossed: GuidelineIndex, text: str) -> None:
    chain = [Filters(), Filters(year_from=2015), Filters(year_from=2019, current_only=True), Filters(year_from=2090)]
    found = [crossed.search(text, filters=filters) for filters in chain]
    above = [result.counts.get("above_threshold", 0) for result in found]
    shown = [len(result.hits) for result in found]
    assert above == sorted(above, reverse=True)
    assert shown == sorted(shown, reverse=True)
    assert shown[-1] == 0


def test_off_by_default_and_set_by_the_environment() -> None:
    assert Settings.from_environment({}).reranker is None
    assert Settings.from_environment({"MEDMPT_RERANKER": "models/medcpt"}).reranker == "models/medcpt"


def test_a_missing_folder_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="MEDMPT_RERANKER"):
        GuidelineIndex.open(tmp_path, embedder="hashing", reranker=str(tmp_path / "nothing"))


def test_a_model_with_several_scores_is_refused(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "three", labels=3)
    with pytest.raises(BadInput, match="3 scores"):
        CrossEncoderReranker(folder, Lexicon.load())
