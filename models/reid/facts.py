"""What is known of each data set before its images are read: identities and cameras of training.

From the "Dataset statistics" that the benchmarks' own programs print.
"""

from dataclasses import dataclass

from ablate.system import Job


@dataclass(frozen=True, slots=True)
class Population:
    """How many identities and cameras a network is trained on."""

    identities: int
    cameras: int


STANDIN = Population(identities=64, cameras=4)
DECLARED = {
    "rgbnt201": Population(identities=171, cameras=4),
    "rgbnt100": Population(identities=50, cameras=8),
    "msvr310": Population(identities=155, cameras=8),
}


def declared(job: Job) -> Population:
    """The stand-in's facts where a job has no data, else those of its data set."""
    return STANDIN if job.data is None else DECLARED[job.choice("dataset")]
