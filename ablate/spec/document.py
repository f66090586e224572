"""A study file as it is written, before it meets the system it asks about."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ablate.errors import SpecError, not_one_of
from ablate.spec.schema import StudyFile
from ablate.spec.toml import Keys, load, located

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Document:
    """A study file that is well formed: where it lies, its text and its tables."""

    path: Path
    text: str
    file: StudyFile

    @property
    def name(self) -> str:
        """What the study is called."""
        return self.file.study.name

    @property
    def system(self) -> str:
        """The name of the system it asks about."""
        return self.file.study.system


def read(path: Path) -> Document:
    """The study file at `path`; raises SpecError: `x.toml:14: key: what is wrong`."""
    text, tables = load(path)
    try:
        return Document(path, text, validated(StudyFile, tables))
    except SpecError as wrong:
        raise located(wrong, path, text) from None


def validated(model: type[M], tables: Mapping[str, object]) -> M:
    """`tables` as a `model`; raises SpecError with the first key at fault, in our words."""
    try:
        return model.model_validate(tables)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False)
        # an unknown key is the likeliest reason why another is missing: say it first
        first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
        keys = _keys(first, tables)
        raise SpecError(_sentence(first, keys, model), keys) from None


def _keys(error: ErrorDetails, tables: object) -> Keys:
    """The part of pydantic's location that is in the file: it adds tags for members of unions."""
    keys: Keys = ()
    for part in error["loc"]:
        inside = (isinstance(tables, Mapping) and part in tables) or (
            isinstance(tables, list) and isinstance(part, int)
        )
        if inside:
            tables = tables[part]  # type: ignore[index]  # just checked
            keys = (*keys, part)
    return keys


def _sentence(error: ErrorDetails, keys: Keys, model: type[BaseModel]) -> str:
    kind, context, given = error["type"], error.get("ctx", {}), error["input"]
    if kind == "extra_forbidden":
        return not_one_of("key", str(keys[-1]), _fields(model, keys[:-1]))
    if kind == "missing":
        return f"{str(error['loc'][-1])!r} is missing"
    if kind == "literal_error":
        return f"{given!r:.80} is not one of {context['expected']}"
    if kind in _LIMITS:
        return _LIMITS[kind].format(given=f"{given!r:.80}", **context)
    wanted = _WANTED.get(kind.removesuffix("_parsing"))
    return f"{_described(given)} is not {wanted}" if wanted else "is not what belongs here"


_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "int_from_float": "a whole number",
}
_LIMITS = {
    "string_pattern_mismatch": "{given} is not a name: a-z, 0-9, '.', '_' and '-', at most 64,"
    " beginning with a letter or digit",
    "string_too_short": "is empty",
    "string_too_long": "is longer than {max_length} characters",
    "too_short": "is empty",
    "too_long": "holds more than {max_length}",
    "greater_than": "{given} is not above {gt}",
    "greater_than_equal": "{given} is below {ge}",
    "less_than": "{given} is not below {lt}",
    "less_than_equal": "{given} is above {le}",
    "finite_number": "{given} is not a finite number",
}


def _described(given: object) -> str:
    if isinstance(given, Mapping):
        return "a table"
    if isinstance(given, bool):
        return str(given).lower()
    return "a list" if isinstance(given, list) else f"{given!r:.80}"


def _fields(model: type[BaseModel], keys: Keys) -> list[str]:
    """The keys that the table at `keys` may hold."""
    for key in keys:
        if isinstance(key, str) and key in model.model_fields:
            inner = _table(model.model_fields[key].annotation)
            model = inner or model
    return list(model.model_fields)


def _table(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_table(a) for a in getattr(annotation, "__args__", ()))
    return next((t for t in inner if t is not None), None)
