"""Conditions and formulas of declared calculators: a small, safe arithmetic over named inputs.

Allowed: numbers, quoted words, input names, `+ - * / **`, comparisons (chained too), `and or not`, `a if test else b`, and the functions
`min max abs sqrt log ln exp round floor`; `first(a, b)` is the first of its arguments that is
known. An input that is unknown makes what depends on it unknown (None), three-valued: `a or b` is
true when one is, whatever the other is.
"""

import ast
import math
import operator
from collections.abc import Callable
from functools import cache

from tools.scores.base import Value, Values

Result = float | bool | str | None
_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARE: dict[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Lt: operator.lt,  # type: ignore[dict-item]
    ast.LtE: operator.le,  # type: ignore[dict-item]
    ast.Gt: operator.gt,  # type: ignore[dict-item]
    ast.GtE: operator.ge,  # type: ignore[dict-item]
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": min, "max": max, "abs": abs, "sqrt": math.sqrt, "log": math.log10, "ln": math.log, "exp": math.exp, "round": round,
    "floor": math.floor,
}  # fmt: skip


_CALLED = _FUNCTIONS.keys() | {"first"}


class BadExpression(ValueError):
    """A text that is not an expression of this language: a defect of the data."""


@cache
def parse(text: str) -> ast.expr:
    """The syntax tree of `text`.

    Raises:
        BadExpression: Not an expression, or something that is not allowed.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as wrong:
        raise BadExpression(f"{text!r} is not an expression: {wrong.msg}") from wrong
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _CALLED and not node.keywords):
            raise BadExpression(f"{text!r} calls something else than {', '.join(sorted(_CALLED))}")
        if not isinstance(node, _ALLOWED):
            raise BadExpression(f"{text!r} holds {type(node).__name__}, which is not allowed")
    return tree


_ALLOWED = (
    ast.Constant, ast.Name, ast.Load, ast.BinOp, *_BINARY, ast.UnaryOp, ast.USub, ast.Not, ast.BoolOp, ast.And, ast.Or, ast.Compare,
    *_COMPARE, ast.IfExp, ast.Call,
)  # fmt: skip


def names(text: str) -> tuple[str, ...]:
    """Inputs that an expression names, in order of appearance."""
    found = [n for n in ast.walk(parse(text)) if isinstance(n, ast.Name) and n.id not in _CALLED]
    return tuple(dict.fromkeys(n.id for n in sorted(found, key=lambda n: n.col_offset)))


def evaluate(text: str, values: Values) -> Result:
    """The value of an expression; None while it depends on an unknown input."""
    return _value(parse(text), values)


def _value(node: ast.expr, values: Values) -> Result:
    match node:
        case ast.Constant(value=value) if isinstance(value, bool | int | float | str):
            return value
        case ast.Name(id=name):
            found: Value = values.get(name)
            return found
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            result = _value(inner, values)
            return None if result is None else not result
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            number = _value(inner, values)
            return None if number is None else -float(number)
        case ast.BoolOp(op=op, values=parts):
            return _all(parts, values) if isinstance(op, ast.And) else _any(parts, values)
        case ast.IfExp(test=test, body=body, orelse=other):
            chosen = _value(test, values)
            return None if chosen is None else _value(body if chosen else other, values)
        case ast.Call(func=ast.Name(id="first"), args=choices):
            return next((found for c in choices if (found := _value(c, values)) is not None), None)
        case ast.Compare():
            return _compared(node, values)
        case _:
            return _calculated(node, values)


def _all(parts: list[ast.expr], values: Values) -> bool | None:
    results = [_value(p, values) for p in parts]
    return False if any(r is not None and not r for r in results) else None if None in results else True


def _any(parts: list[ast.expr], values: Values) -> bool | None:
    results = [_value(p, values) for p in parts]
    return True if any(results) else None if None in results else False


def _compared(node: ast.Compare, values: Values) -> bool | None:
    sides = [_value(n, values) for n in (node.left, *node.comparators)]
    if None in sides:
        return None
    return all(_COMPARE[type(op)](a, b) for op, a, b in zip(node.ops, sides, sides[1:], strict=False))


def _calculated(node: ast.expr, values: Values) -> float | None:
    inner = [node.left, node.right] if isinstance(node, ast.BinOp) else node.args if isinstance(node, ast.Call) else None
    if inner is None:
        raise BadExpression(f"{ast.unparse(node)!r} is not allowed")
    numbers = [_value(n, values) for n in inner]
    if any(n is None or isinstance(n, str) for n in numbers):
        return None
    plain = [float(n) for n in numbers if n is not None]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return float(_FUNCTIONS[node.func.id](*plain))
    assert isinstance(node, ast.BinOp)
    if isinstance(node.op, ast.Div) and plain[1] == 0:
        return None
    return float(_BINARY[type(node.op)](*plain))
