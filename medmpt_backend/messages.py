"""Messages of this room as data: English stands in the code, Chinese in `data/messages/PART.toml`.

    said = messages("medmpt_backend.imaging").said
    said("{count} duplicate slices dropped", count=count)      # an English string that carries its Chinese

A room that imports nothing else of the house keeps its own small reader; the conventions are those of `retrieval.messages`, and
`scripts/check_messages.py` holds both. `Said` is a string, so that errors, warnings and JSON stay what they were; rooms above make their
own out of a pair of texts, and turn all of them with `tools.wording.in_language`.
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SerializationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class Said(str):
    """An English text that carries its Chinese.

    Attributes:
        zh: The same in Chinese.
    """

    zh: str

    def __new__(cls, en: str, zh: str) -> "Said":
        """A text in both languages."""
        made = super().__new__(cls, en)
        made.zh = zh
        return made

    def say(self, language: Literal["en", "zh"]) -> str:
        """The text in one language."""
        return self.zh if language == "zh" else self

    def fill(self, **values: object) -> "Said":
        """The text with its slots filled; a `Said` gives each language its own."""
        both = {name: halves(value) for name, value in values.items()}
        en, zh = ({name: pair[half] for name, pair in both.items()} for half in (0, 1))
        return Said(self.format(**en), self.zh.format(**zh))

    def __str__(self) -> str:
        """Itself, so that an error's `str()` keeps both languages."""
        return self

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        """What a copy is made of."""
        return str.__str__(self), self.zh


class _Kept:
    """A string field that keeps what is `Said`; in JSON it is the English one, or both where the `BOTH` context asks for them."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_plain_validator_function(_read, json_schema_input_schema=handler(source)),
            python_schema=core_schema.no_info_plain_validator_function(_read, json_schema_input_schema=handler(source)),
            serialization=core_schema.plain_serializer_function_ser_schema(_written, info_arg=True, return_schema=core_schema.any_schema()),
        )

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(core_schema.str_schema())


# Context of a `model_dump_json` that is read back: keeps both languages.
BOTH = {"languages": "both"}
Told = Annotated[str, _Kept()]


def _read(value: object) -> str:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(half, str) for half in value):
        return Said(*value)
    if not isinstance(value, str):
        raise ValueError("a text, or the same in English and Chinese")
    return value


def _written(text: str, info: SerializationInfo) -> Any:
    if isinstance(text, Said) and info.context == BOTH:
        return [str.__str__(text), text.zh]
    return str.__str__(text)


def halves(value: object) -> tuple[Any, Any]:
    """A value in English and in Chinese; what has no Chinese of its own is the same in both."""
    return (value, value.zh) if isinstance(value, Said) else (value, value)


def bare(text: str) -> str:
    """A text without the full stop at its end."""
    return Said(str.__str__(text).rstrip("."), text.zh.rstrip("。")) if isinstance(text, Said) else text.rstrip(".")


def joined(texts: Iterable[str], glue: str = "; ", glue_zh: str = "；") -> Said:
    """Several texts as one."""
    parts = [halves(text) for text in texts]
    return Said(glue.join(en for en, _ in parts), glue_zh.join(zh for _, zh in parts))


class Messages:
    """The messages of one part of the room."""

    def __init__(self, part: str) -> None:
        self._name = part.rpartition(".")[2]

    @cached_property
    def _chinese(self) -> Mapping[str, Any]:
        return _toml("messages", self._name)

    def said(self, english: str, /, *, context: str = "", **values: object) -> Said:
        """The message in English, with its Chinese.

        Args:
            english: Its English, with a slot in braces for each value.
            context: Tells apart messages whose English is the same: the table in which the Chinese stands.
            values: What stands in the slots; a `Said` gives each language its own.

        Raises:
            KeyError: The catalogue lacks it, or a slot has no value.
            ValueError: A value is None.
        """
        held = self._chinese[context] if context else self._chinese
        if any(value is None for value in values.values()):
            raise ValueError(f"a value is None in: {english}")
        found = Said(english, held[english])
        return found.fill(**values) if values else found

    def table(self, context: str) -> Mapping[str, str]:
        """All messages of one context, English to Chinese: for words that come as data."""
        held: Mapping[str, str] = self._chinese[context]
        return held


@cache
def messages(part: str) -> Messages:
    """The messages of one part (`medmpt_backend.imaging`)."""
    return Messages(part)


@cache
def patterns(part: str) -> Mapping[str, Any]:
    """Words that are looked for in a text, by name: `data/patterns/PART.toml`."""
    return _toml("patterns", part.rpartition(".")[2])


def _toml(kind: str, name: str) -> Mapping[str, Any]:
    return tomllib.loads((files("medmpt_backend") / "data" / kind / f"{name}.toml").read_text(encoding="utf-8"))
