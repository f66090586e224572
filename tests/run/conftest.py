"""What the tests of the runner share."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ablate.run.folder import Assignment, write_job
from ablate.run.slot import Slot

HERE = str(Path(__file__).parent)
sys.path.insert(0, HERE)  # the tests import the systems and the driver that children run


@pytest.fixture(scope="session")
def trainers() -> str:
    """The folder to put on a child's path."""
    return HERE


@pytest.fixture(scope="module")
def slot() -> Iterator[Slot]:
    """One slot with its fork server."""
    slot = Slot(["trainers"], [HERE])
    yield slot
    slot.close()


@pytest.fixture
def assign(tmp_path: Path) -> Callable[..., Assignment]:
    """Make an assignment with its folder and job file."""

    def make(system: str, number: int = 1, **levels: object) -> Assignment:
        earlier = tuple(str(tmp_path / str(n)) for n in range(number - 1, 0, -1))
        folder = str(tmp_path / str(number))
        reference = f"trainers:{system}"
        assignment = Assignment("k", number, folder, reference, levels, 7, earlier=earlier)
        write_job(assignment)
        return assignment

    return make
