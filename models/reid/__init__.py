"""Multi-spectral re-identification: a CLIP-style ViT with SACR, SDTPS and LIF as its modules.

The reference levels are the paper's: ViT-B/16 at 256x128, 50 epochs. Imports no torch.
"""

from ablate.metric import Metric
from ablate.study import Factor, Kind, choice, real, switch, whole
from ablate.system import Job, Outcome, Probe, System

MODULES: tuple[Factor, ...] = (
    switch("sacr", title="SACR"),
    switch("sdtps", title="SDTPS"),
    switch("lif", title="LIF"),
    choice("wiring", "live", "source", title="where SACR and LIF act"),
    Factor("sacr.dilations", Kind.STR, "2,3,4", requires="sacr", title="SACR's dilations"),
    real("sdtps.keep_ratio", 0.7, requires="sdtps", low=0.01, high=1.0, title="SDTPS_SPARSE_RATIO"),
    real("sdtps.loss_weight", 2.0, requires="sdtps", low=0.0, title="SDTPS_LOSS_WEIGHT"),
    real("sdtps.beta", 0.25, requires="sdtps", low=0.0, high=0.5, title="SDTPS_BETA"),
    real("sdtps.aggregate_ratio", 0.5, requires="sdtps", low=0.01, high=1.0),
    switch("sdtps.gumbel", requires="sdtps", title="SDTPS_USE_GUMBEL"),
    real("sdtps.gumbel_tau", 1.0, requires="sdtps.gumbel", low=0.01, title="SDTPS_GUMBEL_TAU"),
    switch("sdtps.detach_scores", requires="sdtps", title="cosines without gradient"),
    choice("sdtps.mask", "importance", "ste", requires="sdtps", title="how scores train"),
    whole("sdtps.start_epoch", 1, requires="sdtps", low=1, title="first epoch of SDTPS's loss"),
    real("sdtps.lr_scale", 1.0, requires="sdtps", low=0.0, title="SDTPS's share of the rate"),
    choice("score", "both", "ori", "sdtps", requires="sdtps", title="scored feature"),
    real("lif.beta", 0.4, requires="lif", low=0.0, title="LIF_BETA"),
    real("lif.loss_weight", 0.2, requires="lif", low=0.0, title="LIF_LOSS_WEIGHT"),
    whole("lif.channels", 32, requires="lif", low=1),
)

SIZES: tuple[Factor, ...] = (
    whole("width", 768, low=1),
    whole("depth", 12, low=1),
    whole("heads", 12, low=1),
    whole("patch", 16, low=1),
    whole("stride", 0, low=0, title="patch stride (0: the patch's size)"),
    whole("height", 256, low=1),
    whole("image_width", 128, low=1),
    whole("embed", 512, low=8),
)

TRAINING: tuple[Factor, ...] = (
    Factor("clip_weights", Kind.STR, "", title="file of CLIP weights"),
    whole("epochs", 50, low=1),
    whole("ids_per_batch", 8, low=2),
    whole("images_per_id", 8, low=2),
    real("lr", 3.5e-4, low=0.0),
    real("backbone_lr", 5e-6, low=0.0),
    real("bias_lr_gain", 2.0, low=0.0, title="rate of biases over lr"),
    real("weight_decay", 1e-4, low=0.0),
    whole("warmup", 10, low=0, title="warm-up epochs"),
    real("warmup_from", 0.1, low=0.0, title="first rate over lr"),
    real("lr_floor", 1e-3, low=0.0, high=1.0, title="last rate over lr"),
    real("lr_noise", 0.0, low=0.0, high=1.0, title="largest noise of an epoch's rate"),
    real("label_smoothing", 0.1, low=0.0, high=1.0),
    real("id_weight", 0.25, low=0.0, title="ID_LOSS_WEIGHT"),
    real("triplet_weight", 1.0, low=0.0, title="TRIPLET_LOSS_WEIGHT"),
    real("flip", 0.5, low=0.0, high=1.0, title="flip probability"),
    whole("pad", 10, low=0, title="padding before the random crop"),
    real("erase", 0.5, low=0.0, high=1.0, title="random erasing probability"),
    Factor("augment.per_spectrum", Kind.BOOL, reference=True, title="each spectrum on its own"),
)

FACTORS: tuple[Factor, ...] = (
    choice("dataset", "rgbnt201", "rgbnt100", "msvr310", title="data set"),
    *MODULES,
    *SIZES,
    *TRAINING,
)

METRICS = (
    Metric("rank1", "Rank-1"),
    Metric("mAP", "mAP"),
    Metric("rank5", "Rank-5"),
    Metric("rank10", "Rank-10"),
)

STANDIN = (
    "reid-standin-1: 64 ids x 16 + 30 ids x 8, 64x32, cues=6 distract=1.5 single=0.3 spoil=0.2"
    " noise=0.5 camera=0.2"
)


def run_training(job: Job) -> Outcome:
    """Train one variant at one seed; raises UsageError for data or levels that do not fit."""
    from models.reid.train import train  # noqa: PLC0415 - the seam must load no torch

    return train(job)


def build_probe(job: Job) -> Probe:
    """The network as it would be trained, on whatever device is the default."""
    from models.reid.probe import probe  # noqa: PLC0415 - the seam must load no torch

    return probe(job)


system = System(
    name="reid",
    revision="2",
    factors=FACTORS,
    metrics=METRICS,
    train=run_training,
    probe=build_probe,
    standin=STANDIN,
    preload=("torch", "models.reid.train", "models.reid.probe"),
)
