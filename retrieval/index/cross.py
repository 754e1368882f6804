"""Optional cross-encoder: reads question and passage together and reorders the best candidates of the feature reranker.

Which passages are an answer at all stays with the calibrated feature score; this decides their order and the score that is shown.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.concepts.lexicon import Lexicon
from retrieval.errors import BadInput, Unavailable
from retrieval.guidelines.passages import Passage
from retrieval.guidelines.question import Question
from retrieval.index.embed import is_multilingual, quiet_loading
from retrieval.index.shard import dense_text

# Candidates it reads: twice what is shown; a BERT-base model needs about a second for each on two busy cores (docs/retrieval.md).
READ = 10
# BERT-sized models know 512 positions.
MAX_TOKENS = 512


def cross_encoder_folder(setting: str | None) -> Path | None:
    """The folder that the setting names, None for no cross-encoder.

    Raises:
        Unavailable: the folder holds no model.
    """
    if setting is None:
        return None
    folder = Path(setting)
    if not (folder / "config.json").is_file():
        raise Unavailable(
            f"no cross-encoder in {setting!r}: MEDMPT_RERANKER names a folder with config.json, weights and tokenizer; correct or unset it"
        )
    return folder


class CrossEncoderReranker:
    """A sentence-transformers cross-encoder with one output (MedCPT-Cross-Encoder, bge-reranker, ...) from a local folder."""

    def __init__(self, folder: Path, lexicon: Lexicon) -> None:
        """Load the model without touching the network.

        Raises:
            BadInput: the model gives more than one score per pair.
        """
        from sentence_transformers import CrossEncoder
        from torch import nn

        with quiet_loading():
            self._model = CrossEncoder(str(folder), local_files_only=True, max_length=MAX_TOKENS, activation_fn=nn.Sigmoid())
        if self._model.num_labels != 1:
            raise BadInput(f"the model of MEDMPT_RERANKER, {folder.name!r}, gives {self._model.num_labels} scores per pair, not one")
        self._multilingual = is_multilingual(folder)
        self._lexicon = lexicon

    def score(self, question: Question, passages: Sequence[Passage]) -> NDArray[np.float64]:
        """Relevance of each passage in 0..1, `(n,)`; an English model reads Chinese in the lexicon's English."""
        if not passages:
            return np.zeros(0)
        asked = question.text if self._multilingual else question.rendered or question.text
        pairs = [(asked, self._text(passage)) for passage in passages]
        return np.asarray(self._model.predict(pairs, show_progress_bar=False), np.float64).reshape(-1)

    def _text(self, passage: Passage) -> str:
        if self._multilingual and passage.language == "zh":
            return passage.text
        return dense_text(passage, self._lexicon)
