"""A configuration that is written out and expected to score something, held against the runs."""

import pytest

from ablate.lint.ledger import Ledger
from tests.lint.conftest import MODULES, Lint

BLOCK = """### Recommended

```yaml
MODEL:
  USE_SACR: {sacr}
  USE_SDTPS: True
  USE_LIF: {lif}
  SDTPS_LOSS_WEIGHT: {weight}  # from 2.0
```

{said}
"""
SAID = "Expected: Rank-1 80.0-80.5%, mAP 76.5%"


def _checked(check: Lint, said: str = SAID, **settings: str) -> Ledger:
    filled = {"sacr": "False", "lif": "False", "weight": "1.0", **settings}
    return check(BLOCK.format(said=said, **filled), MODULES)


@pytest.mark.parametrize("said", [SAID, "**预期性能**: Rank-1 ≈ 80.0-80.5%, mAP ≈ 76.5%"])
def test_scores_expected_of_a_configuration_without_a_run_are_not_measured(
    check: Lint, said: str
) -> None:
    (found,) = _checked(check, said).findings
    assert (found.line, found.verdict) == (11, "unmeasured")
    assert found.said.en.startswith("not measured: no completed run has sdtps=true")
    assert "sdtps.loss_weight=1, all else" in found.said.en
    assert "未测量" in found.said.zh


@pytest.mark.parametrize(
    "settings",
    [
        {"sacr": "True", "lif": "True"},  # the full model at this weight has a run
        {"weight": "2.0"},  # the reference: SDTPS alone
        {"weight": "2.0\n  SDTPS_LOSS_WEIGHT: 1.0"},  # it contradicts itself
        {"lif": "auto"},  # not every module is known
    ],
)
def test_a_configuration_with_a_run_or_not_surely_read_is_not_accused(
    check: Lint, settings: dict[str, str]
) -> None:
    assert _checked(check, **settings).findings == []


def test_scores_that_nobody_expects_of_it_are_not_accused(check: Lint) -> None:
    assert _checked(check, "It has been running since Monday.").findings == []
