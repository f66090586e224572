"""What every attempt of a run keeps of where its numbers come from."""

import subprocess
from pathlib import Path

from ablate.run.provenance import provenance


def test_code_machine_and_sources_are_kept_and_no_environment(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("1")
    own = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x"]
    for words in (["init", "-q"], ["add", "-A"], own):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)

    facts = provenance(tmp_path)

    machine = {"host", "platform", "cpu", "cores"}
    assert set(facts) == machine | {"commit", "dirty", "sources"}
    assert facts["dirty"] == "no"
