"""Configurations and environments as mmcv and mmengine print them."""

import ast
import re
from collections.abc import Iterable, Iterator

from ablate.ingest.settings import flat
from ablate.ingest.text import without_places

_TOP = re.compile(r"([A-Za-z_]\w*) ?= ?\S")
_FACT = re.compile(
    r"\s*(sys\.platform|Python|CUDA available|GPU [\d,]+|NVCC|GCC|PyTorch|TorchVision|OpenCV"
    r"|MM[A-Z]\w*(?: Compiler| CUDA Compiler)?|cudnn_benchmark|GPU number): (.{1,200})"
)
_GPU = re.compile(r"GPU [\d,]+")


def is_setting(text: str) -> bool:
    """Whether a line begins a setting at the top of a configuration."""
    return _TOP.match(text) is not None


def parsed(lines: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Dotted key -> text of a configuration in Python, and the names that could not be read.

    Nothing is executed: what is no literal stays the text that it is. Absolute paths are their last
    part.
    """
    found: dict[str, str] = {}
    unread: list[str] = []
    for name, source in _assignments(lines):
        try:
            (statement,) = ast.parse(source).body
            assert isinstance(statement, ast.Assign)
            found |= flat({name: _value(statement.value)})
        except (SyntaxError, ValueError, AssertionError, RecursionError, MemoryError):
            unread.append(name)
    return {key: without_places(value) for key, value in found.items()}, unread


def fact(text: str) -> tuple[str, str] | None:
    """What a line says of the environment: a library's version, a device; no host, no path."""
    found = _FACT.fullmatch(text)
    if found is None:
        return None
    name = _GPU.sub("GPU", found[1]) if found[1] != "GPU number" else "GPUs"
    return name, without_places(found[2]).strip()


def _assignments(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each top-level setting with all of its lines; what stands before the first is cut off."""
    name, held = "", list[str]()
    for line in lines:
        top = _TOP.match(line)
        if top:
            if name:
                yield name, "\n".join(held)
            name, held = top[1], []
        held.append(line)
    if name:
        yield name, "\n".join(held)


def _value(node: ast.expr) -> object:
    match node:
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return {_key(key): _value(value) for key, value in pairs}
        case ast.Call(func=ast.Name(id="dict"), args=[]):
            return {k.arg or "**": _value(k.value) for k in node.keywords}
        case ast.List() | ast.Tuple() | ast.Set():
            return [_value(one) for one in node.elts]
        case ast.Constant():
            return node.value
        case _:
            return ast.unparse(node)


def _key(node: ast.expr | None) -> str:
    return (
        str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node) if node else "**"
    )
