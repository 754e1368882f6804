"""What a pattern rule sees: `Panel` (values in reference units, flags) and what it says: `Pattern`."""

from dataclasses import dataclass

from tools.case.record import Case
from tools.evidence import Quantity
from tools.labs.value import Reading, shown

# Blood gas values are judged together only when the samples are of the same hour.
_SAME_SAMPLE = 13  # characters of an ISO time down to the hour


@dataclass(frozen=True)
class Pattern:
    """Several values that mean something together; an inference, never a diagnosis."""

    id: str
    name: str
    text: str
    text_zh: str
    because: str
    source: str
    year: int | None
    premises: tuple[str, ...]
    quantities: tuple[Quantity, ...] = ()


@dataclass(frozen=True)
class Panel:
    """The latest readings by analyte, with the case for context."""

    readings: dict[str, Reading]
    case: Case

    def value(self, name: str) -> float | None:
        """Exact value in the analyte's reference unit; None when absent, not convertible or only a bound."""
        r = self.readings.get(name)
        return r.canonical if r is not None and not r.observation.comparator else None

    def high(self, name: str) -> bool:
        """Whether the value is flagged high."""
        return name in self.readings and self.readings[name].flag in ("high", "critical_high")

    def low(self, name: str) -> bool:
        """Whether the value is flagged low."""
        return name in self.readings and self.readings[name].flag in ("low", "critical_low")

    def keys(self, *names: str) -> tuple[str, ...]:
        """Evidence keys of those that are present."""
        return tuple(self.readings[n].key for n in names if n in self.readings)

    def together(self, *names: str) -> bool:
        """Whether these values come from one sample (same hour, or no time given)."""
        return len({(self.readings[n].observation.time or "")[:_SAME_SAMPLE] for n in names if n in self.readings}) == 1

    def because(self, *names: str) -> str:
        """`CRP 210 mg/L (high)` for each that is present."""
        parts = []
        for n in names:
            r = self.readings.get(n)
            if r is not None:
                unit = f" {r.shown_unit}" if r.shown_unit else ""
                parts.append(
                    f"{r.name()} {r.observation.comparator or ''}{shown(r.observation.value or 0.0)}{unit} ({r.flag.replace('_', ' ')})"
                )
        return "; ".join(parts)

    def mentions(self, *words: str) -> bool:
        """Whether the problem of the patient (conditions, question, symptoms, findings, notes) names one of the words."""
        c = self.case
        text = [x.name for x in c.patient.conditions] + [c.presentation.question or "", *c.presentation.symptoms, *c.presentation.findings]
        return any(w in " ".join(text + [n.text for n in c.notes]).casefold() for w in words)

    def takes(self, *drugs: str) -> bool:
        """Whether one of these medicines is on the list."""
        return any(d in m.name.casefold() for m in self.case.medications for d in drugs)


@dataclass(frozen=True)
class Reference:
    """Source of a rule."""

    title: str
    year: int | None


def quantity(name: str, value: float, unit: str, decimals: int = 1) -> Quantity:
    """A number that a pattern's text shows, rounded as shown."""
    return Quantity(name=name, value=value, unit=unit, decimals=decimals)


def pattern(
    panel: Panel, id: str, name: str, text: str, text_zh: str, uses: tuple[str, ...], source: Reference, *quantities: Quantity
) -> Pattern:
    """Build a pattern whose premises are the readings it uses."""
    return Pattern(id, name, text, text_zh, panel.because(*uses), source.title, source.year, panel.keys(*uses), tuple(quantities))
