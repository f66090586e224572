"""The levels of a job, and which of them nobody has asked for."""

import os
from collections import OrderedDict
from collections.abc import Collection, ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from ablate.study import Level


class _Forks:
    """How often this process has been forked: what the copies read, nobody here sees."""

    count = 0

    @classmethod
    def one_more(cls) -> None:
        cls.count += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_Forks.one_more)


class Levels(dict[str, Level]):
    """A job's levels that remember which were read.

    Whoever looks at them as a whole (walks, copies, compares, prints or pickles them) has read them
    all; so has a process that forks while they are there, for its copies read them out of sight.
    """

    def __init__(self, levels: Mapping[str, Level]) -> None:
        super().__init__(levels)
        self._read: set[str] = set()
        self._forks = _Forks.count

    def forget(self) -> None:
        """Nothing has been read."""
        self._read = set()
        self._forks = _Forks.count

    def unread(self, names: Collection[str]) -> list[str]:
        """Those of `names` that nobody has asked for."""
        if self._forks != _Forks.count:
            return []
        return [name for name in names if name not in self._read]

    def _whole(self) -> None:
        self._read.update(super().keys())

    def __getitem__(self, name: str) -> Level:
        self._read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as dict.get
        """As of any dict."""
        self._read.add(name)
        return super().get(name, default)

    def pop(self, name: str, *default: Any) -> Any:  # noqa: ANN401 - as dict.pop
        """As of any dict."""
        self._read.add(name)
        return super().pop(name, *default)

    def setdefault(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as dict.setdefault
        """As of any dict."""
        self._read.add(name)
        return super().setdefault(name, default)

    def popitem(self) -> tuple[str, Level]:
        """As of any dict; all are read."""
        self._whole()
        return super().popitem()

    def __reversed__(self) -> Iterator[str]:
        self._whole()
        return super().__reversed__()

    def __repr__(self) -> str:
        self._whole()
        return super().__repr__()

    def __iter__(self) -> Iterator[str]:
        self._whole()
        return super().__iter__()

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """As of any dict; all are read."""
        self._whole()
        return super().keys()

    def values(self) -> ValuesView[Level]:  # type: ignore[override]
        """As of any dict; all are read."""
        self._whole()
        return super().values()

    def items(self) -> ItemsView[str, Level]:  # type: ignore[override]
        """As of any dict; all are read."""
        self._whole()
        return super().items()

    def copy(self) -> dict[str, Level]:
        """As of any dict; all are read."""
        return dict(self.items())

    def __or__(self, other: Any) -> Any:  # noqa: ANN401 - as dict.__or__
        return self.copy() | other

    def __eq__(self, other: object) -> bool:
        self._whole()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __reduce__(self) -> tuple[object, ...]:
        # an ordered dict is the one mapping beside dict that `torch.load` takes of weights alone
        return OrderedDict, (), None, None, iter(self.items())
