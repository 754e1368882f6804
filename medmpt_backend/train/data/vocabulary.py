"""A WordPiece vocabulary learned from a data set's own reports: short sequences for text of few words."""

import json
from collections.abc import Iterable
from pathlib import Path

from medmpt_backend.errors import BadInput

# Order of the special tokens: their ids are those of `TextConfig(pad=0, unk=1, cls=2, sep=3)`.
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
# A number with its decimals is one word, so that no sentence ends inside it; Chinese runs are cut by the vocabulary, not by character.
_WORDS = r"\d+(?:\.\d+)?|[A-Za-z]+|[^\W\d_A-Za-z]+|[^\w\s]"


def report_texts(data: Path) -> list[str]:
    """Every report of a data set: those of `index.jsonl`, and both languages of `truth.jsonl` where it stands beside.

    Raises:
        BadInput: There are none.
    """
    texts: list[str] = []
    for name, read in (("index.jsonl", lambda row: [row.get("report")]), ("truth.jsonl", lambda row: (row.get("reports") or {}).values())):
        path = data / name
        if path.is_file():
            with path.open(encoding="utf-8") as lines:
                texts += [text for line in lines for text in read(json.loads(line)) if text]
    if not texts:
        raise BadInput(f"{data.name!r} holds no reports")
    return texts


def learn_vocabulary(texts: Iterable[str], out: Path, size: int = 2048) -> int:
    """Write `out/tokenizer.json`; returns how many tokens it has."""
    from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
    from tokenizers.models import WordPiece
    from tokenizers.trainers import WordPieceTrainer

    tokenizer = Tokenizer(WordPiece(unk_token=SPECIAL[1], max_input_chars_per_word=200))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_WORDS), "removed", invert=True)
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(texts, WordPieceTrainer(vocab_size=size, special_tokens=list(SPECIAL), show_progress=False))
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"))
    return int(tokenizer.get_vocab_size())
