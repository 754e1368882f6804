"""What the texts of a record say of a notion: affirmed, denied, or not said of this patient."""

import re

_CLAUSE = re.compile(r"[.;。；\n!！?？]\s+|[;。；\n]|,\s*(?:but|however|although)\b|，但")
_DENIED = re.compile(
    r"(?:\bno\b|\bnot\b(?! yet)|\bwithout\b|\bdenies|\bdenied|\bnever|\bnegative for|\bfree of|\bnone of|\babsence of|\bexclud\w+|\bn't"
    r"|无|未见|未诉|未发现|否认|没有|排除|不伴|非)[^,，、.。;；]{0,34}$",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"(?:\bno\b|\bdenies\b|\bwithout\b|无|否认)\s?[^.。;；]{0,60}?(?:,|，|、|\bor\b|\band\b|及|或)\s?[^,，.。;；]{0,20}$", re.IGNORECASE
)
_AFTER = re.compile(
    r"^[^,，.。;；]{0,30}?(?:\b(?:negative|excluded|absent|ruled out|not (?:found|seen|done|given|started|present|needed|taken))\b"
    r"|阴性|已排除|已除外|未做|未见|未查|未用|未给)",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"(?:\?\s?|\bquery |\bpossible |\bsuspected |\bsuspicion of |\brule out |\br/o |可疑|疑似|待排?除?|不除外)[^,，.。;；]{0,12}$",
    re.IGNORECASE,
)
_DOUBT_AFTER = re.compile(r"^[^,，.。;；]{0,12}?(?:待排|待查|可能|不除外|\?)", re.IGNORECASE)
_KIN = re.compile(
    r"\b(?:mother|father|brother|sister|son|daughter|wife|husband|family|aunt|uncle|grand\w+|partner|contacts?)\b"
    r"|母|父|兄|弟|姐|妹|家族|家属|家人|儿子|女儿|妻|丈夫|亲属",
    re.IGNORECASE,
)
_PAST = re.compile(r"\b(?:previous|prior|past|history of|years? ago|in (?:19|20)\d\d|(?:19|20)\d\d)\b|既往|曾|年前|病史|史", re.IGNORECASE)


def clauses(text: str) -> list[str]:
    """The clauses in which a denial or a relative reaches."""
    return [c.strip() for c in _CLAUSE.split(text) if c and c.strip()]


def stance(clause: str, pattern: re.Pattern[str], *, acute: bool = False) -> bool | None:
    """True when a clause affirms the notion of this patient now, False when it denies it, None when it says neither.

    Args:
        clause: One clause.
        pattern: Words of the notion.
        acute: A remark on the past does not count.
    """
    said: bool | None = None
    for match in pattern.finditer(clause):
        before, after = clause[: match.start()], clause[match.end() :]
        if _KIN.search(before[-60:]) or re.match(
            r"[^,，.。;；]{0,12}(?:in (?:her|his|the) (?:mother|father|brother|sister|family))", after
        ):
            continue
        if _DOUBT.search(before) or _DOUBT_AFTER.match(after):
            continue
        if acute and (_PAST.search(before[-40:]) or _PAST.match(after.strip()[:14])):
            continue
        if _DENIED.search(before) or _LIST.search(before) or _AFTER.match(after):
            said = False if said is None else said
            continue
        return True
    return said


def kin(clause: str, pattern: re.Pattern[str]) -> bool:
    """Whether a clause says the notion of a first-degree relative."""
    return any(_KIN.search(clause[: m.start()][-60:]) and not _DENIED.search(clause[: m.start()]) for m in pattern.finditer(clause))
