"""A system that the hostile study files ask about; it trains nothing and needs no torch."""

from ablate import Job, Metric, Outcome, System, choice, real, switch, whole


def never(_job: Job) -> Outcome:
    """No test here may come this far."""
    raise AssertionError


system = System(
    name="fake",
    revision="1",
    factors=(
        switch("sacr"),
        switch("sdtps"),
        switch("lif"),
        real("lif.beta", 0.4, requires="lif", low=0.0),
        real("lr", 1e-3),
        whole("epochs", 10, low=1),
        choice("loss", "ce", "dice", "focal"),
    ),
    metrics=(Metric("rank1"), Metric("mAP")),
    train=never,
    standin="fake-1",
)
