"""`ablate --help` against a bare Typer app of as many commands, interleaved, medians.

Run: python benchmarks/cli.py [rounds]
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

LIMIT = 1.5


def bare(verbs: list[str]) -> str:
    """The source of a Typer app in one file whose commands do nothing."""
    lines = ["import typer", "app = typer.Typer(pretty_exceptions_enable=False)"]
    for verb in verbs:
        lines += [
            f"@app.command({verb!r})",
            f"def command_{len(lines)}(name: str, json: bool = False) -> None:",
            f'    """Do {verb}."""',
        ]
    return "\n".join([*lines, "app()"]) + "\n"


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """The wall time of one start."""
    start = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> None:
    """Print the table; exit 1 over the limit."""
    from typer.main import get_command

    from ablate.cli import app

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    verbs = list(get_command(app).commands)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bare.py"
        script.write_text(bare(verbs))
        commands = {
            f"a bare Typer app of {len(verbs)} commands": [sys.executable, str(script), "--help"],
            "ablate --help": [sys.executable, "-m", "ablate", "--help"],
            "python -c pass": [sys.executable, "-c", "pass"],
        }
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        times: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            seconds(command, environment)
        for _ in range(rounds):
            for name, command in commands.items():
                times[name].append(seconds(command, environment))
    base = median(next(iter(times.values())))
    print("| start | median ms | of the bare app |\n| :--- | ---: | ---: |")
    for name, of in times.items():
        print(f"| {name} | {median(of) * 1000:.0f} | {median(of) / base:.2f} |")
    ratio = median(times["ablate --help"]) / base
    print(f"\n{rounds} interleaved rounds; limit {LIMIT}, measured {ratio:.2f}")
    sys.exit(ratio > LIMIT)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
