"""The system that does nothing but log one number: what is left is the tool's own cost."""

from ablate import Job, Metric, Outcome, System


def _train(job: Job) -> Outcome:
    job.log(1, "test", score=0.5)
    return Outcome()


system = System("noop", "1", (), (Metric("score"),), _train, standin="none")
