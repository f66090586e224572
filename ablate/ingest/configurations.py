"""The configurations of many runs, by key: ten thousand of them fit in memory."""

from collections.abc import Iterator, Mapping


class Configurations:
    """One column of texts per key; None where a run does not have the key."""

    def __init__(self) -> None:
        """No run yet."""
        self.count = 0
        self._columns: dict[str, list[str | None]] = {}
        self._texts: dict[str, str] = {}

    def add(self, settings: Mapping[str, str]) -> None:
        """Take the next run's configuration."""
        for key, text in settings.items():
            column = self._columns.setdefault(key, [])
            column.extend([None] * (self.count - len(column)))
            column.append(self._texts.setdefault(text, text))
        self.count += 1

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def column(self, key: str) -> list[str | None]:
        """What each run has for a key."""
        column = self._columns.get(key, [])
        return column + [None] * (self.count - len(column))

    def of(self, run: int) -> dict[str, str]:
        """One run's configuration."""
        return {k: text for k, c in self._columns.items() if run < len(c) and (text := c[run])}

    def chosen(self, runs: list[int]) -> "Configurations":
        """The configurations of these runs, in this order."""
        chosen = Configurations()
        chosen.count = len(runs)
        for key in self:
            column = self.column(key)
            kept = [column[i] for i in runs]
            if any(text is not None for text in kept):
                chosen._columns[key] = kept
        return chosen
