"""Digits drawn with noise, told apart by ridge regression on random features: a Hydra application.

It writes its scores to `metrics.jsonl` in its run's folder, as it would without ablate.
"""

import json
from pathlib import Path

import hydra
import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig


def digits(draw, count, noise):
    """Ten prototypes of 8 x 8 pixels, shifted by up to one pixel and spoilt by noise."""
    prototypes = np.random.default_rng(3).normal(size=(10, 8, 8)) > 0.3
    which = draw.integers(0, 10, count)
    shifts = draw.integers(-1, 2, (count, 2))
    pictures = [np.roll(prototypes[k], s, (0, 1)) for k, s in zip(which, shifts, strict=True)]
    return np.array(pictures) + draw.normal(size=(count, 8, 8)) * noise, which


def features(pictures, model, draw):
    """Random features; with `model.pool`, of neighbouring pixels' means too."""
    flat = [pictures.reshape(len(pictures), -1)]
    if model.pool:
        moved = [np.roll(pictures, s, (1, 2)) for s in ((0, 1), (1, 0), (1, 1))]
        flat.append((pictures + sum(moved)).reshape(len(pictures), -1) / 4)
    whole = np.concatenate(flat, 1)
    inner = whole @ draw.normal(size=(whole.shape[1], model.width)) / np.sqrt(whole.shape[1])
    return np.maximum(inner, 0) if model.activation == "relu" else np.tanh(inner)


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(settings: DictConfig) -> None:
    """Fit in rounds of more and more pictures, and write the accuracy of each."""
    draw = np.random.default_rng(settings.seed)
    pictures, which = digits(draw, settings.data.count, settings.data.noise)
    inner = features(pictures, settings.model, draw)
    split = len(which) // 2
    folder = Path(HydraConfig.get().runtime.output_dir)
    with (folder / "metrics.jsonl").open("w") as file:
        for step in range(1, settings.optim.rounds + 1):
            used = split * step // settings.optim.rounds
            goal = np.eye(10)[which[:used]]
            gram = inner[:used].T @ inner[:used] + settings.optim.ridge * np.eye(inner.shape[1])
            weights = np.linalg.solve(gram, inner[:used].T @ goal)
            accuracy = float(np.mean((inner[split:] @ weights).argmax(1) == which[split:]))
            print(f"round {step}: accuracy {accuracy:.3f}")
            file.write(json.dumps({"step": step, "split": "val", "accuracy": accuracy}) + "\n")


if __name__ == "__main__":
    main()
