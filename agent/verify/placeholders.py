"""Placeholders of model-written sentences: `{{urea}}` or `{{urea@2025-03-01}}` becomes the recorded number with its unit."""

import re

from tools.evidence import Evidence, Quantity

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_\- ]+?)\s*(?:@\s*([0-9T:\- ]+?)\s*)?\}\}")


def shown(quantity: Quantity) -> str:
    """A quantity as prose writes it."""
    number = f"{quantity.value:.{quantity.decimals}f}"
    if quantity.high is not None:
        number += f"–{quantity.high:.{quantity.decimals}f}"
    space = "" if quantity.unit in ("", "%") else " "
    return f"{number}{space}{quantity.unit}"


def fill(text: str, cited: list[Evidence]) -> tuple[str, str | None]:
    """Fill every placeholder of `text` from `cited`; the second value says which one no cited record holds."""
    problem: str | None = None

    def one(match: re.Match[str]) -> str:
        nonlocal problem
        name = match.group(1).lower().replace("-", "_").replace(" ", "_")
        found = _find(name, match.group(2), cited)
        if found is None:
            problem = problem or f"no cited record holds {match.group(0)}"
            return match.group(0)
        return shown(found)

    filled = _PLACEHOLDER.sub(one, text)
    if problem is None and ("{{" in filled or "}}" in filled):
        problem = "it holds a broken placeholder"
    return filled, problem


def _find(name: str, time: str | None, cited: list[Evidence]) -> Quantity | None:
    for item in cited:
        if time and time.strip() not in f"{item.locator or ''} {item.key} {item.text}":
            continue
        for quantity in item.quantities:
            if quantity.name.lower() == name:
                return quantity
    return None
