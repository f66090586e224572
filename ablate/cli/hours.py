"""How long trials take, by those that have run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.store import Store
    from ablate.study import Resources


@dataclass(frozen=True, slots=True)
class Hours:
    """Device hours where there are devices, else core hours, by medians of each variant or all.

    `seconds` holds (variant, seconds) of what has run.
    """

    seconds: "Sequence[tuple[str, float]]"
    share: "Resources"

    @property
    def unit(self) -> str:
        """What is counted: `GPU-h` or `core-h`."""
        from ablate.cli.asking import gpu_here

        return "GPU-h" if self.share.gpus and gpu_here() else "core-h"

    def of(self, runs: Mapping[str, float]) -> float | None:
        """The hours of so many runs by variant; None until a trial has run."""
        from statistics import median

        if not self.seconds:
            return None
        by_variant: dict[str, list[float]] = {}
        for name, value in self.seconds:
            by_variant.setdefault(name, []).append(value)
        usual = median(s for _, s in self.seconds)
        total = sum(n * median(by_variant.get(name, [usual])) for name, n in runs.items())
        return total * (self.share.gpus if self.unit == "GPU-h" else self.share.cpus) / 3600

    def text(self, hours: float) -> str:
        """Hours in two digits or more, without the unit; 0.0 where there is nothing to do."""
        import math

        digits = max(1, 1 - math.floor(math.log10(hours))) if hours else 1
        return f"{hours:.{digits}f}"


def hours_of(store: "Store", study: str, share: "Resources") -> Hours:
    """What the trials of a study have taken; those brought in from elsewhere took 0, and tell none.

    `share` is what each trial gets. None is known of a study that the store does not have.
    """
    held = store.durations(study) if study in store.studies() else ()
    return Hours([(variant, seconds) for variant, seconds in held if seconds > 0], share)
