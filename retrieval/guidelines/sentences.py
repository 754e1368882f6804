"""Sentences of running text in English and Chinese; decimals and abbreviations stay whole."""

import re

_BREAK = re.compile(r"(?<=[。！？])\s*|(?<=[!?])\s+|(?<![A-Z]\.[a-z])(?<!e\.g)(?<!i\.e)(?<!vs)(?<!approx)(?<=\.)\s+(?=[A-Z\u4e00-\u9fff])")


def split_sentences(text: str) -> list[str]:
    """The sentences of `text`, in order."""
    return [piece.strip() for piece in _BREAK.split(text.strip()) if piece and re.search(r"\w", piece)]
