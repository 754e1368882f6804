"""What a question wants treated, where it names it: `treatment of gout`, `how do I treat a fracture`, `怎么治疗骨折`, `骨折怎么处理`."""

import re

from tools.bedside.record.vocabulary import words

_NAMED = re.compile(
    r"\b(?:treat(?:ment\s+(?:of|for))?|manage(?:ment\s+of)?|therapy\s+(?:of|for))\s+(?:(?:an?|the|his|her|their|my|this)\s+)?"
    r"(?P<en>[a-z][a-z -]{2,40}?)\s*(?=[?.,;!]|$|\b(?:in|with|now|here|today|tonight|for|at|and)\b)"
    r"|\b(?:his|her|their|the|a)\s+(?P<passive>[a-z][a-z -]{2,40}?)\s+(?:be\s+)?(?:treated|managed)\b"
    r"|治疗(?P<zh>[\u4e00-\u9fff]{2,8})|(?P<before>[\u4e00-\u9fff]{2,8}?)(?:该|应)?(?:怎么|如何|怎样)(?:治疗?|处理)",
    re.IGNORECASE,
)


def treated(question: str) -> str | None:
    """The thing to be treated in the question's own words; None where it names none, or only the patient or what is open."""
    found = _NAMED.search(question)
    if found is None:
        return None
    named = next(text for text in found.groups() if text is not None).strip()
    return None if words("treated_in_general").fullmatch(named) else named
