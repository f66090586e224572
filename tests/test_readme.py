"""What the README shows works as it stands there."""

import re
from pathlib import Path

import torch

from ablate.testing import check_system

README = (Path(__file__).parents[1] / "README.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_system_of_the_readme_keeps_the_promises_of_a_system(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    (text,) = _blocks("python")
    found: dict[str, object] = {}
    exec(compile(text, "README.md", "exec"), found)

    notes = check_system(found["system"], tmp_path, {"epochs": 3})

    assert len(notes) == 1  # it has no probe, so its weights cannot be compared
