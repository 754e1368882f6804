"""Word lists that tell ordinary words of a question from the name of a drug that is not in the graph."""

import re

from retrieval.drugs.tables import DATA
from retrieval.messages.patterns import patterns

_WORDS = patterns("retrieval.drugs")

# Endings of international non-proprietary names (WHO stem book, common stems) that make an unknown word look like a drug.
DRUG_ENDINGS = re.compile(
    r"(?:mycin|micin|cillin|penem|oxacin|cycline|azole|fungin|vir|ciclovir|mab|nib|vastatin|statin|pril|sartan|olol|dipine|prazole|tidine"
    r"|gliptin|gliflozin|glutide|zepam|zolam|caine|oxetine|triptan|setron|sone|solone|olone|lukast|terol|tropium|clidinium|phylline|xaban"
    r"|gatran|parin|platin|taxel|rubicin|cept|afil|entan|ciguat|zosin|thiazide|barbital|toin|fenac|profen|oxicam|coxib|quine|lumab"
    r"|pressin|gestrel|ridone|piprazole|zapine|tadine|mide|amide|mibe|parib|ciclib|rsen|siran|tril|stat|kacin|bactam|quiline|manid"
    r"|idil|melast|milast|nidone|formin|cort|relin)$"
)
CHINESE_DRUG_ENDINGS = _WORDS.regex("words_chinese_drug_endings", 0)
# Words of questions that are no names: `question_words.txt` (longer than three letters) and `question_phrases_zh.txt` (longest first).
KNOWN_WORDS = frozenset((DATA / "question_words.txt").read_text(encoding="utf-8").split())
CHINESE_PHRASES = tuple(sorted((DATA / "question_phrases_zh.txt").read_text(encoding="utf-8").split(), key=len, reverse=True))
