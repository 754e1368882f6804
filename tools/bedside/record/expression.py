"""Conditions of the data rows: a small expression language with three values (met, not met, unknown).

`sbp < 90 and not on('@vka')`: names are values or notions of the record, calls ask the record; anything unknown stays None (Kleene).
"""

import ast
from collections.abc import Callable, Mapping
from functools import cache
from typing import Protocol

Result = float | bool | None


class Names(Protocol):
    """What an expression may ask."""

    def value(self, name: str) -> Result:
        """Value of a name; None when unknown."""

    def call(self, name: str, argument: str) -> Result:
        """Answer to a question such as `on('warfarin')`."""


_COMPARE: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}
_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


@cache
def parse(text: str) -> ast.expr:
    """Syntax tree of an expression.

    Raises:
        SyntaxError: When the text is not an expression.
    """
    return ast.parse(text.strip(), mode="eval").body


def holds(text: str, names: Names) -> bool | None:
    """Whether the condition holds; an empty one always does, None when that is unknown."""
    if not text.strip():
        return True
    result = evaluate(parse(text), names)
    return None if result is None else bool(result)


def evaluate(node: ast.expr, names: Names) -> Result:
    """Value of a syntax tree."""
    if isinstance(node, ast.BoolOp):
        return _junction(node, names)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = evaluate(node.operand, names)
        return None if inner is None else not inner
    if isinstance(node, ast.Compare):
        return _comparison(node, names)
    if isinstance(node, ast.BinOp):
        left, right = evaluate(node.left, names), evaluate(node.right, names)
        return None if left is None or right is None else _ARITHMETIC[type(node.op)](float(left), float(right))
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return node.value
    if isinstance(node, ast.Name):
        return names.value(node.id)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node, node.func.id, names)
    raise ValueError(f"a condition cannot hold {ast.dump(node)!r}")


def _call(node: ast.Call, name: str, names: Names) -> Result:
    if name == "known":
        return all(evaluate(a, names) is not None for a in node.args)
    if name == "true":  # unknown counts as false
        return bool(evaluate(node.args[0], names))
    arguments = [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
    return names.call(name, ";".join(arguments))


def _junction(node: ast.BoolOp, names: Names) -> bool | None:
    decisive = isinstance(node.op, ast.Or)
    values = [evaluate(v, names) for v in node.values]
    if any(v is not None and bool(v) is decisive for v in values):
        return decisive
    return None if any(v is None for v in values) else not decisive


def _comparison(node: ast.Compare, names: Names) -> bool | None:
    left = evaluate(node.left, names)
    for operator, right_node in zip(node.ops, node.comparators, strict=True):
        right = evaluate(right_node, names)
        if left is None or right is None:
            return None
        if not _COMPARE[type(operator)](float(left), float(right)):
            return False
        left = right
    return True


def names_of(text: str) -> tuple[set[str], set[str]]:
    """Names and calls of an expression, for the lint."""
    tree = parse(text)
    calls = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - calls, calls
