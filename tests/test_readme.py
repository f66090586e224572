"""What the README shows works as it stands there."""

import re
from pathlib import Path

import torch
from torch import Tensor, nn

from ablate import Job, Metric, Part, Probe, System, switch
from ablate.measure import measure, step
from ablate.project import Project
from ablate.study import Kind
from ablate.testing import check_system

README = (Path(__file__).parents[1] / "README.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_system_of_the_readme_keeps_the_promises_of_a_system(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    text, _ = _blocks("python")
    found: dict[str, object] = {}
    exec(compile(text, "README.md", "exec"), found)

    notes = check_system(found["system"], tmp_path, {"epochs": 3})

    assert len(notes) == 1  # it has no probe, so its weights cannot be compared


def test_the_projects_of_the_readme_are_read(tmp_path: Path) -> None:
    projects = [text for text in _blocks("toml") if "[systems" in text]
    found = []
    for text in projects:
        (tmp_path / "ablate.toml").write_text(text)
        found.append(Project.find(tmp_path))
    assert [list(p.systems) for p in found] == [["mine"], ["mine"]]
    system = found[0].system("mine")
    assert [(f.name, f.kind) for f in system.factors] == [("sacr", Kind.BOOL), ("lr", Kind.FLOAT)]


class Attended(nn.Module):
    """A scored head and an auxiliary one, which its own loss trains."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.auxiliary = nn.Linear(4, 4), nn.Linear(4, 2)
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Logits by name."""
        inside = self.attention(x)
        return {"scored": self.head(inside), "aux": self.auxiliary(inside)}


def _losses(output: dict[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
    by = {"ce": output["scored"], "own": output["aux"]}
    return {name: nn.functional.cross_entropy(logits, labels) for name, logits in by.items()}


def test_the_probe_of_the_readme_tells_what_is_scored_from_what_is_not(tmp_path: Path) -> None:
    found: dict[str, object] = {
        "Job": Job,
        "Part": Part,
        "Probe": Probe,
        "torch": torch,
        "build": lambda _: Attended(),
        "example": lambda _: torch.ones(4, 4),
        "losses": _losses,
    }
    exec(compile(_blocks("python")[1], "README.md", "exec"), found)
    factors = (switch("attention"), switch("aux"))
    probed = System("a", "1", factors, (Metric("fit"),), print, found["probe"], standin="ones")
    job = Job({"attention": True, "aux": True}, 0, tmp_path)

    # weights and biases: 4 x 4 + 4 of attention, 4 x 2 + 2 of each head
    costs = {(c.factor, c.name): c.value for c in measure(probed, job).costs}
    assert (costs["", "params"], costs["attention", "params"], costs["aux", "params"]) == (
        40,
        20,
        10,
    )
    assert (costs["", "macs"], costs["", "live_macs"]) == (32, 24)
    assert measure(probed, job).inert == ("aux",)
    taught = {(r.part, r.loss): r.tensors for r in step(probed, job, {}).reached}
    assert (taught["auxiliary", "ce"], taught["auxiliary", "own"]) == (0, 2)
