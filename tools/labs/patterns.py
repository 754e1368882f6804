"""Patterns over a laboratory panel: infection, kidney, liver, blood, clotting, heart. Each rule names its source.

A rule fires only on values that are there; a missing value is never taken as normal.
"""

from collections.abc import Callable

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.case.record import Case
from tools.labs.acid_base import RULES as ACID_BASE_RULES
from tools.labs.panel import Panel, Pattern, Reference, pattern, quantity
from tools.labs.rules_blood import RULES as BLOOD_RULES
from tools.labs.value import Reading

_WORDS = patterns("tools.labs")

pair = messages("tools.labs").pair

_PCT = Reference(
    "Schuetz P et al.: Procalcitonin to initiate or discontinue antibiotics in acute respiratory tract infections, Cochrane CD007498", 2017
)
_CAP = Reference("ATS/IDSA: Diagnosis and treatment of adults with community-acquired pneumonia, doi:10.1164/rccm.201908-1581ST", 2019)
_LEGIONELLA = Reference(
    "Fiumefreddo R et al.: Clinical predictors for Legionella in patients with CAP, BMC Pulm Med 9:4, doi:10.1186/1471-2466-9-4", 2009
)
_SEPSIS = Reference("Surviving Sepsis Campaign: International guidelines for management of sepsis and septic shock", 2021)
_AKI = Reference("KDIGO: Clinical practice guideline for acute kidney injury", 2012)
_DILI = Reference("EASL: Clinical practice guidelines, drug-induced liver injury, doi:10.1016/j.jhep.2019.02.014", 2019)
# Upper limits used for the R ratio (WS/T 404.1-2012 ALT; Pathology Harmony ALP).
_ALP_UPPER = 130.0
_ALT_UPPER = {"male": 50.0, "female": 40.0}


def find_patterns(readings: list[Reading], case: Case) -> list[Pattern]:
    """All patterns that the panel supports, in a fixed order."""
    panel = Panel({r.id: r for r in readings}, case)
    found = [rule(panel) for rule in RULES]
    return [p for p in found if p is not None]


def bacterial(p: Panel) -> Pattern | None:
    """Neutrophilia with a raised acute-phase marker."""
    neutrophilia = p.high("neutrophils") or (p.high("wbc") and p.high("neutrophils_pct")) or p.high("wbc")
    pct = p.value("procalcitonin")
    crp = p.value("crp")
    # Antibiotics are usually encouraged at procalcitonin 0.25 ng/mL and above (Schuetz 2017).
    marker = (pct is not None and pct >= 0.25) or (crp is not None and crp > 100)
    if not (neutrophilia and marker):
        return None
    return pattern(
        p,
        "bacterial-infection",
        "neutrophilic leukocytosis with raised inflammatory markers",
        *pair(
            "The white cell response with clearly raised procalcitonin or C-reactive protein suggests bacterial "
            "infection; it does not prove it, and corticosteroids or stress alone also raise neutrophils."
        ),
        ("wbc", "neutrophils", "neutrophils_pct", "crp", "procalcitonin"),
        _PCT,
    )


def low_procalcitonin(p: Panel) -> Pattern | None:
    """Low procalcitonin does not by itself withhold antibiotics in pneumonia."""
    r = p.readings.get("procalcitonin")
    if r is None or r.canonical is None or r.canonical >= 0.25 or r.observation.comparator in (">", ">="):
        return None
    return pattern(
        p,
        "low-procalcitonin",
        "low procalcitonin",
        *pair(
            "A low procalcitonin makes a bacterial cause less likely; in clinically suspected and "
            "radiographically confirmed pneumonia it should not by itself withhold antibiotics."
        ),
        ("procalcitonin",),
        _CAP,
    )


def legionella(p: Panel) -> Pattern | None:
    """Hyponatraemia in a patient with pneumonia."""
    sodium = p.value("sodium")
    # Sodium below 133 mmol/L is one of the six points (Fiumefreddo 2009).
    if sodium is None or sodium >= 133 or not p.mentions(*_WORDS.words("pneumonia")):
        return None
    return pattern(
        p,
        "hyponatraemia-pneumonia",
        "hyponatraemia with pneumonia",
        *pair(
            "Hyponatraemia in a patient with suspected pneumonia fits several causes; it raises the likelihood "
            "of Legionella, so a Legionella urinary antigen test deserves consideration."
        ),
        ("sodium", "crp", "ldh", "platelets"),
        _LEGIONELLA,
    )


def lactate(p: Panel) -> Pattern | None:
    """Raised lactate with suspected infection."""
    if not p.high("lactate") or not p.mentions(*_WORDS.words("infection")):
        return None
    return pattern(
        p,
        "raised-lactate",
        "raised lactate",
        *pair(
            "With suspected infection a raised lactate points to tissue hypoperfusion and possible sepsis; repeat it after resuscitation."
        ),
        ("lactate",),
        _SEPSIS,
    )


def kidney(p: Panel) -> Pattern | None:
    """Acute kidney injury needs a baseline."""
    now = p.readings.get("creatinine")
    if now is None or now.canonical is None or now.observation.value is None:
        return None
    if now.previous is not None and now.previous > 0 and now.observation.value / now.previous >= 1.5:
        ratio = now.observation.value / now.previous
        return pattern(
            p,
            "creatinine-rise",
            "rising creatinine",
            *pair(
                "Creatinine is {ratio:.1f} times the previous value, which meets the creatinine criterion of acute "
                "kidney injury if the rise happened within 7 days.",
                ratio=ratio,
            ),
            ("creatinine", "urea", "urea_nitrogen"),
            _AKI,
            quantity("creatinine_ratio", ratio, "", 1),
            quantity("aki_window", 7, "days", 0),
        )
    if not p.high("creatinine") or now.previous is not None:
        return None
    return pattern(
        p,
        "creatinine-no-baseline",
        "raised creatinine without baseline",
        *pair("Creatinine is raised; without an earlier value acute and chronic kidney disease cannot be told apart."),
        ("creatinine", "urea", "urea_nitrogen", "egfr"),
        _AKI,
    )


def liver(p: Panel) -> Pattern | None:
    """Hepatocellular, cholestatic or mixed by the R ratio."""
    alt, alp = p.value("alt"), p.value("alp")
    upper = _ALT_UPPER.get(p.case.patient.sex)
    if alt is None or alp is None or upper is None or not (p.high("alt") or p.high("alp")):
        return None
    ratio = (alt / upper) / (alp / _ALP_UPPER)
    # R >= 5 hepatocellular, R <= 2 cholestatic, between: mixed (EASL 2019).
    kind, kind_zh = pair("hepatocellular") if ratio >= 5 else pair("cholestatic") if ratio <= 2 else pair("mixed")
    return pattern(
        p,
        "liver",
        f"{kind} liver pattern",
        *pair("The liver tests form a {kind} pattern with an R ratio of {ratio:.1f}.", ratio=ratio, kind=(kind, kind_zh)),
        ("alt", "ast", "alp", "ggt", "bilirubin"),
        _DILI,
        quantity("r_ratio", ratio, "", 1),
    )


RULES: tuple[Callable[[Panel], Pattern | None], ...] = (
    bacterial,
    low_procalcitonin,
    lactate,
    *ACID_BASE_RULES,
    legionella,
    kidney,
    liver,
    *BLOOD_RULES,
)
