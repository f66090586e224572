"""How often a check of the audit speaks of a study that has no defect.

    python benchmarks/audit_false_findings.py [STUDIES]

Asks every check of random clean studies, full grids (`tests.audit.clean.clean`) and other designs
(`sparse`), of studies in which nothing has an effect (`noise`) and of studies whose effects are
small and of two minds (`tangled`), and prints the share of studies of which each code is said.
Checks of design, execution, measurement and provenance must be under 2 % over clean studies of both
kinds; exits 1 where one is not. What is said of noise and tangles, and what interpretation says,
may be true: it is shown only.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from ablate.audit.catalogue import CHECKS
from ablate.audit.evidence import Evidence
from tests.audit.clean import clean, noise, sparse, tangled

BOUND = 0.02


def rates(make: Callable[[int], Evidence], studies: int) -> tuple[Counter[str], Counter[str]]:
    """Code -> the studies of which it is said, and the seconds that its check took in all."""
    said, spent = Counter[str](), Counter[str]()
    for seed in range(studies):
        evidence = make(seed)
        for check in CHECKS:
            began = time.perf_counter()
            said[check.code] += next(iter(check.findings(evidence)), None) is not None
            spent[check.code] += time.perf_counter() - began
    return said, spent


def main() -> int:
    """Print both tables; 1 where a check is over its bound."""
    studies = int(sys.argv[1]) if sys.argv[1:] else 2000
    said, spent = rates(clean, studies)
    of_few, _ = rates(sparse, studies)
    of_noise, _ = rates(noise, studies)
    of_knots, _ = rates(tangled, studies)
    print(f"{studies} studies of each kind")
    heads = ("clean", "sparse", "bound", "noise", "tangled", "seconds")
    print(f"{'code':<6}{'family':<16}" + "".join(f"{head:>9}" for head in heads))
    over = []
    for check in CHECKS:
        code = check.code
        share, few = said[code] / studies, of_few[code] / studies
        bound = BOUND if check.family != "interpretation" else 1.0
        if max(share, few) >= bound and check.family != "interpretation":
            over.append(code)
        shown = f"{bound:>9.1%}" if bound < 1 else f"{'-':>9}"
        others = f"{of_noise[code] / studies:>9.2%}{of_knots[code] / studies:>9.2%}"
        print(
            f"{code:<6}{check.family:<16}{share:>9.2%}{few:>9.2%}{shown}{others}{spent[code]:>9.2f}"
        )
    print(f"over its bound: {', '.join(over)}" if over else "every check is within its bound")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
