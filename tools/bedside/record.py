"""The open case as the rows of this room ask it: numbers with their units, notions with their stance, medicines, allergies.

What the person typed in the question outranks the record and is named as typed.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

from retrieval.drugs.graph import DrugGraph
from tools.bedside.expression import holds
from tools.bedside.said import clauses, kin, stance
from tools.bedside.vocabulary import Notion, Number, notions, numbers
from tools.case.record import Case
from tools.drugs.patient import DrugPatient, read_patient
from tools.labs.value import Reading, latest, read, shown
from tools.scores.registry import calculators
from tools.scores.run import run

_VITALS = {
    "temperature": ("temperature_c", "°C"),
    "hr": ("heart_rate", "/min"),
    "rr": ("respiratory_rate", "/min"),
    "sbp": ("sbp_mmhg", "mmHg"),
    "dbp": ("dbp_mmhg", "mmHg"),
    "spo2": ("spo2_pct", "%"),
    "fio2": ("fio2", ""),
    "gcs": ("gcs", ""),
}
# Which reading is the worst one.
_WORST = {"hr": max, "rr": max, "temperature": max, "fio2": max, "sbp": min, "dbp": min, "spo2": min, "gcs": min}
_LUNG = ("fev1_pct", "fvc_pct", "dlco_pct", "fev1_fvc", "fev1_l")
_CALCULATED = {
    "crcl": ("cockcroft_gault", "mL/min", 0),
    "egfr": ("egfr_ckd_epi_2021", "mL/min/1.73 m²", 0),
    "aa": ("aa_gradient", "mmHg", 0),
    "bmi": ("bmi", "kg/m²", 1),
}


@dataclass(frozen=True)
class Value:
    """A number as the record gives it; `shown` has its unit, `number` is in the unit of the rows."""

    number: float
    shown: str
    typed: bool = False


@dataclass(frozen=True)
class Record:
    """One case, one question."""

    case: Case
    graph: DrugGraph
    question: str = ""
    extra: dict[str, Value] = field(default_factory=dict)

    @cached_property
    def patient(self) -> DrugPatient:
        """The case as the drug graph sees it."""
        return read_patient(self.graph, self.case)

    @cached_property
    def labs(self) -> dict[str, Reading]:
        """Latest reading by analyte."""
        return {r.id: r for r in latest(self.case.labs, self.case.patient)}

    @cached_property
    def texts(self) -> list[str]:
        """Clauses of everything that is written about the patient."""
        p = self.case.presentation
        found = [c.name for c in self.case.patient.conditions]
        found += [
            *p.symptoms,
            *p.findings,
            *(n.text for n in self.case.notes),
            *(s.report or "" for s in self.case.studies),
        ]
        return [c for text in found for c in clauses(text)]

    def get(self, name: str) -> Value | None:
        """A number by name; None when it is not known."""
        if name not in self._values:
            self._values[name] = self.extra.get(name) or self._typed(name) or self._find(name)
        return self._values[name]

    @cached_property
    def _values(self) -> dict[str, Value | None]:
        return {}

    def value(self, name: str) -> float | bool | None:
        """A number, or the stance of a notion."""
        found = self.get(name)
        if found is not None:
            return found.number
        return self.notion(name) if name in notions() else None

    def notion(self, name: str) -> bool | None:
        """Stance of the record on a notion: affirmed beats denied; a notion that is only listed elsewhere stays unknown."""
        if name not in self._notions:
            self._notions[name] = self._stance(notions()[name])
        return self._notions[name]

    @cached_property
    def _notions(self) -> dict[str, bool | None]:
        return {}

    def _stance(self, notion: Notion) -> bool | None:
        if notion.field == "pregnant":
            return self.case.patient.pregnant if self.case.patient.sex != "male" else False
        asked = notion.question and stance(self.question, notion.pattern)
        if asked:
            return True
        held = self.graph.with_parents(self.patient.context.conditions)
        if any(c in held for c in notion.conditions):
            return True
        if notion.kin:
            return any(kin(c, notion.pattern) for c in self.texts)
        brought = (
            [] if notion.shown else [c for c in clauses((self.case.presentation.question or "").replace("?", ".").replace("？", "。"))]
        )
        heard = [s for c in (*self.texts, *brought) if (s := stance(c, notion.pattern, acute=notion.acute)) is not None]
        if True in heard or (False not in heard and notion.test and holds(notion.test, self)):
            return True
        return False if heard or notion.silent else None

    def call(self, name: str, argument: str) -> float | bool | None:
        """`on('warfarin')`, `on('@acei')`, `allergic('@penicillins')`, `severe_allergy('@penicillins')`, `asked('words')`."""
        if name == "on":
            return bool(self.taken(argument))
        if name in ("allergic", "severe_allergy"):
            return self._allergic(argument, severe=name == "severe_allergy")
        if name == "asked":
            return any(w in self.question.casefold() for w in argument.split(";"))
        if name == "smoker":
            smoking = self.case.patient.smoking
            return None if smoking is None or smoking.status == "unknown" else smoking.status == argument
        if name == "sex":
            return None if self.case.patient.sex in ("unknown", "other") else self.case.patient.sex == argument
        raise ValueError(f"a condition cannot ask {name!r}")

    def members(self, argument: str) -> set[str]:
        """Drug ids of `a;@group`."""
        ids: set[str] = set()
        for part in argument.split(";"):
            ids |= {d.id for d in self.graph.members(part[1:])} if part.startswith("@") else {part}
        return ids

    def taken(self, argument: str) -> list[str]:
        """Current drugs that are one of `a;@group`, by id."""
        wanted = self.members(argument)
        return [d.id for d in self.patient.current if d.id in wanted]

    def _allergic(self, argument: str, *, severe: bool) -> bool:
        wanted = self.members(argument)
        for allergy in self.case.patient.allergies:
            if wanted & set(self.graph.allergens(allergy.substance)):
                text = f"{allergy.reaction or ''} {allergy.severity or ''}"
                grave = re.search(
                    r"anaphyla|severe|angio|hypotens|intubat|stevens|SJS|TEN\b|DRESS|过敏性休克|严重|休克|喉头", text, re.IGNORECASE
                )
                if not severe or grave:
                    return True
        return False

    def _find(self, name: str) -> Value | None:
        worst = name.removeprefix("worst_")
        if worst in _VITALS:
            return self._vital(worst, worst=worst != name)
        if name == "bp":
            sbp, dbp = self.get("sbp"), self.get("dbp")
            return None if sbp is None or dbp is None else Value(sbp.number, f"{shown(sbp.number)}/{shown(dbp.number)} mmHg")
        if name == "pf":
            return self._pf()
        if name in ("age", "weight", "height"):
            return self._body(name)
        if name.removeprefix("base_") in _LUNG:
            return self._lung(name.removeprefix("base_"), earlier=name.startswith("base_"))
        if name in ("fvc_drop", "dlco_drop"):
            now, before = self._lung(f"{name[:-5]}_pct"), self._lung(f"{name[:-5]}_pct", earlier=True)
            return None if now is None or before is None else Value(before.number - now.number, f"{shown(before.number - now.number)}%")
        if name in _CALCULATED:
            return self._calculated(*_CALCULATED[name])
        if name.startswith("score_"):
            return self._calculated(name.removeprefix("score_"), "", 0)
        if name.startswith("base_"):
            return self._earlier(name.removeprefix("base_"))
        if name.startswith("si_"):
            return self._converted(name.removeprefix("si_"))
        if name.endswith("_rise"):
            return self._ratio(name.removesuffix("_rise"))
        if name == "alt_times":
            alt = self._lab("alt")
            return None if alt is None else Value(alt.number / 40, f"{alt.number / 40:.1f}")
        if name == "days":
            days = self.case.presentation.duration_days
            return None if days is None else Value(days, shown(days))
        if name in ("pack_years", "quit_years"):
            return self._smoking(name)
        if name in numbers():
            return self._written(numbers()[name])
        return self._lab(name)

    def _lung(self, name: str, *, earlier: bool = False) -> Value | None:
        """A lung function value, the latest or the one before."""
        tests = [float(v) for f in sorted(self.case.lung_function, key=lambda f: f.time or "") if (v := getattr(f, name)) is not None]
        if len(tests) < (2 if earlier else 1):
            return None
        value = tests[-2 if earlier else -1]
        return Value(value, f"{shown(value)}{'%' if name.endswith('pct') else ''}")

    def _smoking(self, name: str) -> Value | None:
        smoking = self.case.patient.smoking
        value = None if smoking is None else (smoking.pack_years if name == "pack_years" else smoking.quit_years_ago)
        return None if value is None else Value(value, shown(value))

    def _body(self, name: str) -> Value | None:
        p = self.case.patient
        value, unit = {"age": (p.age_years, ""), "weight": (p.weight_kg, " kg"), "height": (p.height_cm, " cm")}[name]
        return None if value is None else Value(value, f"{shown(value)}{unit}")

    def _vital(self, name: str, *, worst: bool) -> Value | None:
        key, unit = _VITALS[name]
        rows = [float(v) for s in sorted(self.case.vitals, key=lambda v: v.time or "") if (v := getattr(s, key)) is not None]
        if not rows:
            return None
        value = _WORST[name](rows) if worst else rows[-1]
        return Value(value, f"{shown(value)}{'' if unit in ('', '%', '/min') else ' '}{unit}")

    def _calculated(self, name: str, unit: str, places: int) -> Value | None:
        calculator = calculators().get(name)
        if calculator is None:
            return None
        given = {}
        for key, mine in (("creatinine", "creatinine"), ("weight", "weight"), ("age", "age")):
            typed = self._typed(mine) if any(f.key == key for f in calculator.fields) else None
            if typed is not None:
                given[key] = typed.shown
        outcome = run(calculator, self.case, given or None)
        if outcome.value is None:
            return None
        return Value(outcome.value, f"{outcome.value:.{places}f}{' ' if unit else ''}{unit}")

    def _pf(self) -> Value | None:
        """PaO2 over the inspired fraction that was recorded nearest in time to the gas."""
        gas = self.labs.get("pao2")
        sets = [v for v in self.case.vitals if v.fio2 is not None]
        if gas is None or gas.canonical is None or not sets:
            return None
        at = gas.observation.time or ""
        before = [v for v in sets if (v.time or "") <= at] if at else []
        vitals = max(before, key=lambda v: v.time or "") if before else min(sets, key=lambda v: v.time or "")
        ratio = gas.canonical / (vitals.fio2 or 0.21)
        return Value(ratio, f"{ratio:.0f} mmHg")

    def _lab(self, name: str) -> Value | None:
        r = self.labs.get(name)
        if r is None or r.observation.value is None or (r.canonical is None and r.analyte is not None):
            return self._urea() if name == "urea" else None
        gap = "" if r.shown_unit in ("", "%") else " "
        number = r.observation.value if r.canonical is None else r.canonical
        return Value(number, f"{r.observation.comparator or ''}{shown(r.observation.value)}{gap}{r.shown_unit}")

    def _urea(self) -> Value | None:
        """Urea out of a urea nitrogen: 1 mg/dL of nitrogen is 0.357 mmol/L of urea."""
        r = self.labs.get("urea_nitrogen")
        if r is None or r.canonical is None or r.analyte is None or r.analyte.unit != "mg/dL":
            return None
        return Value(
            r.canonical * 0.357, f"{r.canonical * 0.357:.1f} mmol/L (urea nitrogen {shown(r.observation.value or 0)} {r.shown_unit})"
        )

    def _converted(self, name: str) -> Value | None:
        """A value as reported and in the unit of our tables, where these differ."""
        if name == "urea":
            urea = self._lab("urea")
            return urea if urea is not None and "nitrogen" in urea.shown else None
        r = self.labs.get(name)
        if r is None or r.analyte is None or r.unit is None or r.canonical is None or r.unit == r.analyte.canonical:
            return None
        theirs = f"{shown(r.observation.value or 0.0)} {r.shown_unit}"
        return Value(r.canonical, f"{theirs} = {r.canonical:.{r.analyte.decimals}f} {r.analyte.canonical.shown}")

    def _ratio(self, name: str) -> Value | None:
        """Latest value over the one before."""
        now, before = self._lab(name), self._earlier(name)
        return (
            None
            if now is None or before is None or not before.number
            else Value(now.number / before.number, f"{now.number / before.number:.2f}")
        )

    def _earlier(self, name: str) -> Value | None:
        """The value before the latest one."""
        rows = [read(o, self.case.patient) for o in sorted(self.case.labs, key=lambda o: o.time or "")]
        mine = [r for r in rows if r.id == name and r.canonical is not None and r.observation.value is not None]
        if len(mine) < 2 or mine[-2].canonical is None:
            return None
        r = mine[-2]
        gap = "" if r.shown_unit in ("", "%") else " "
        day = (r.observation.time or "")[:10]
        return Value(mine[-2].canonical, f"{shown(r.observation.value or 0.0)}{gap}{r.shown_unit}" + (f" ({day})" if day else ""))

    def _written(self, number: Number) -> Value | None:
        """A number that stands in the notes; the last one counts."""
        found = [m for text in self._whole for m in number.pattern.finditer(text)]
        if not found:
            return None
        digits = next(g for g in found[-1].groups() if g)
        return Value(float(digits), f"{digits}{'' if number.unit in ('', '%') else ' '}{number.unit}")

    @cached_property
    def _whole(self) -> list[str]:
        p = self.case.presentation
        return [
            p.question or "",
            *p.symptoms,
            *p.findings,
            *(s.report or "" for s in self.case.studies),
            *(n.text for n in self.case.notes),
        ]

    def _typed(self, name: str) -> Value | None:
        """A value in the question; without a unit it is read in the record's own."""
        from tools.bedside.typed import typed_value

        return typed_value(name, self)
