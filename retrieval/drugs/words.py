"""Word lists that tell ordinary words of a question from the name of a drug that is not in the graph."""

import re

from retrieval.drugs.tables import DATA

# Endings of international non-proprietary names (WHO stem book, common stems) that make an unknown word look like a drug.
DRUG_ENDINGS = re.compile(
    r"(?:mycin|micin|cillin|penem|oxacin|cycline|azole|fungin|vir|ciclovir|mab|nib|vastatin|statin|pril|sartan|olol|dipine|prazole|tidine"
    r"|gliptin|gliflozin|glutide|zepam|zolam|caine|oxetine|triptan|setron|sone|solone|olone|lukast|terol|tropium|clidinium|phylline|xaban"
    r"|gatran|parin|platin|taxel|rubicin|cept|afil|entan|ciguat|zosin|thiazide|barbital|toin|fenac|profen|oxicam|coxib|quine|lumab"
    r"|pressin|gestrel|ridone|piprazole|zapine|tadine|mide|amide|mibe|parib|ciclib|rsen|siran|tril|stat|kacin|bactam|quiline|manid"
    r"|idil|melast|milast|nidone|formin|cort|relin)$"
)
CHINESE_DRUG_ENDINGS = re.compile(
    r"(?:霉素|西林|沙星|他汀|替尼|单抗|唑|韦|洛尔|普利|沙坦|地平|拉唑|培南|头孢\w*|环素|芬净|昔布|西泮|巴坦|米星|司特|生坦|那非|列素|特罗|溴铵"
    r"|松|龙|素|碱|铵|胺|嗪|啉|酮|酯|钠|肽|灵|宁|康|平|定|片|胶囊|注射液|颗粒|丸)$"
)
# Words of questions that are no names: `question_words.txt` (longer than three letters) and `question_phrases_zh.txt` (longest first).
KNOWN_WORDS = frozenset((DATA / "question_words.txt").read_text(encoding="utf-8").split())
CHINESE_PHRASES = tuple(sorted((DATA / "question_phrases_zh.txt").read_text(encoding="utf-8").split(), key=len, reverse=True))
