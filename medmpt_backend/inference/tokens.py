"""Report text to token ids and back: WordPiece over the vocabulary that travels with the weights."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from medmpt_backend.errors import BadInput
from medmpt_backend.messages import patterns

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# ASCII punctuation that the released cleaning writes full width.
_FULL_WIDTH = str.maketrans({":": "：", ";": "；", "?": "？", ",": "，", "!": "！"})
_COMPARISON = re.compile(patterns("medmpt_backend.inference")["compares_with_earlier"])
_REPEATED = re.compile(r"([，。；：！？、])\1+")


def clean_report(text: str) -> str:
    """Official cleaning of a Chinese report: no white space, no apostrophes, full-width punctuation, no repeats, no leading comparison."""
    text = re.sub(r"[\s'’‘]+", "", text).translate(_FULL_WIDTH)
    text = _REPEATED.sub(r"\1", text)
    return _COMPARISON.sub("", text)


@dataclass(frozen=True)
class Batch:
    """Token ids `(B, L)` int64 padded at the end, and their mask `(B, L)` int64."""

    ids: Tensor
    mask: Tensor


class ReportTokenizer:
    """Encodes and decodes with a `vocab.txt` (BERT WordPiece) or a `tokenizer.json`."""

    def __init__(self, tokenizer: "Tokenizer", pad: int, cls: int, sep: int) -> None:
        self._tokenizer, self.pad, self.cls, self.sep = tokenizer, pad, cls, sep

    @classmethod
    def load(cls, folder: Path, pad: int, start: int, end: int) -> "ReportTokenizer":
        """Read `tokenizer.json` or `vocab.txt` of a folder.

        Raises:
            BadInput: Neither is there, or it is damaged.
        """
        from tokenizers import BertWordPieceTokenizer, Tokenizer

        try:
            if (folder / "tokenizer.json").is_file():
                tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            elif (folder / "vocab.txt").is_file():
                tokenizer = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=True)._tokenizer
            else:
                raise BadInput(f"{folder.name!r} holds neither tokenizer.json nor vocab.txt")
        except (ValueError, OSError, TypeError) as error:
            raise BadInput(f"the tokenizer in {folder.name!r} cannot be read: {error}") from error
        return cls(tokenizer, pad, start, end)

    @property
    def size(self) -> int:
        """Number of tokens of the vocabulary."""
        return int(self._tokenizer.get_vocab_size())

    def encode(self, texts: Sequence[str], max_length: int) -> Batch:
        """Each text as CLS, at most `max_length` - 2 tokens, SEP; padded to the longest."""
        rows = []
        for text in texts:
            inner = self._tokenizer.encode(text, add_special_tokens=False).ids[: max_length - 2]
            rows.append([self.cls, *inner, self.sep])
        longest = max(len(r) for r in rows)
        ids = torch.tensor([r + [self.pad] * (longest - len(r)) for r in rows])
        mask = torch.tensor([[1] * len(r) + [0] * (longest - len(r)) for r in rows])
        return Batch(ids, mask)

    def ids(self, text: str) -> list[int]:
        """Token ids of a text, without CLS and SEP."""
        found: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids if text else []
        return found

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The text of each id; special tokens are empty."""
        special = {self.pad, self.cls, self.sep}
        return ["" if i in special else (self._tokenizer.id_to_token(i) or "") for i in ids]

    def decode(self, ids: Sequence[int]) -> str:
        """Text without special tokens; Chinese characters stand without spaces."""
        out = ""
        for piece in self.pieces(ids):
            if not piece:
                continue
            if piece.startswith("##"):
                out += piece[2:]
            elif out and re.match(r"\w", piece, re.ASCII) and re.search(r"[\w.,;:!?%)]$", out, re.ASCII):
                out += " " + piece
            else:
                out += piece
        return out
