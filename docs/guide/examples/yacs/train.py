"""A small retrieval trainer in the manner of DeMo: a YACS configuration, a log, a checkpoint.

Made-up pictures of people are vectors of three spectra (RGB, NIR, TIR); a linear embedding is
trained by a softmax over identities and scored by retrieval: mAP and Rank-k. It knows nothing of
ablate. `python train.py --config_file configs/people.yml MODEL.GATE True OUTPUT_DIR out`
"""

import argparse
import ast
import logging
import sys
import time
from pathlib import Path

import numpy as np
import yaml


def configuration(file, options):
    """The file's settings, with KEY VALUE pairs merged over them as YACS does."""
    settings = yaml.safe_load(Path(file).read_text())
    for key, text in zip(options[::2], options[1::2], strict=True):
        *path, last = key.split(".")
        table = settings
        for part in path:
            table = table[part]
        if last not in table:
            raise KeyError(f"Non-existent config key: {key}")
        try:
            table[last] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            table[last] = text
    return settings


def printed(table, depth=0):
    """The settings as YACS prints them."""
    lines = []
    for key, value in sorted(table.items()):
        if isinstance(value, dict):
            lines += [f"{' ' * depth}{key}:", *printed(value, depth + 2)]
        else:
            lines.append(f"{' ' * depth}{key}: {value}")
    return lines


def people(settings):
    """Identities, and three noisy spectra of each of their pictures; the third is often spoilt."""
    draw = np.random.default_rng(2024)
    size, spectra = settings["DATASETS"]["SIZE"], 3
    centers = draw.normal(size=(40, spectra, size))
    who = np.repeat(np.arange(40), 16)
    pictures = centers[who] + draw.normal(size=(len(who), spectra, size)) * 2.2
    spoilt = draw.random(len(who)) < 0.4
    pictures[spoilt, 2] = draw.normal(size=(spoilt.sum(), size)) * 6
    return pictures, who


def embedded(pictures, network, model):
    """The pictures' features; with a gate, each spectrum weighs by how plausible it looks."""
    if model["GATE"]:
        power = (pictures**2).mean(2)
        weight = 1 / (1 + np.exp((power - model["GATE_CUT"]) * 2))
        pictures = pictures * weight[:, :, None]
    return pictures.reshape(len(pictures), -1) @ network


def ranks(features, who):
    """mAP and the shares of queries whose first 1, 5, 10 neighbours hold the same identity."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    order = np.argsort(-(unit[::4] @ unit.T), axis=1, kind="stable")
    order = order[order != np.arange(len(who))[::4, None]].reshape(len(order), -1)
    hit = who[order] == who[::4, None]
    precision = hit.cumsum(1) / np.arange(1, hit.shape[1] + 1)
    first = hit.argmax(1)
    found = {"mAP": ((precision * hit).sum(1) / hit.sum(1)).mean()}
    return found | {f"Rank-{k}": (first < k).mean() for k in (1, 5, 10)}


def epoch_of(network, head, data, settings, draw):
    """One epoch of stochastic gradient descent; its mean loss."""
    pictures, who = data
    model, losses = settings["MODEL"], []
    for batch in np.array_split(draw.permutation(len(who)), 20):
        features = embedded(pictures[batch], network, model)
        scores = features @ head
        share = np.exp(scores - scores.max(1, keepdims=True))
        share /= share.sum(1, keepdims=True)
        losses.append(-np.log(share[np.arange(len(batch)), who[batch]] + 1e-9).mean())
        share[np.arange(len(batch)), who[batch]] -= 1
        share /= len(batch)
        inputs = embedded(pictures[batch], np.eye(network.shape[0]), model)
        back = share @ head.T
        if model["CENTER"]:
            pull = features - np.stack([features[who[batch] == w].mean(0) for w in who[batch]])
            back += model["CENTER_WEIGHT"] * pull / len(batch)
        rate = settings["SOLVER"]["BASE_LR"]
        head -= rate * (features.T @ share)
        network -= rate * (inputs.T @ back)
    return float(np.mean(losses))


def main():
    """Train as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config_file", default="")
    parser.add_argument("opts", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    settings = configuration(arguments.config_file, arguments.opts)
    solver, out = settings["SOLVER"], Path(settings["OUTPUT_DIR"])
    out.mkdir(parents=True, exist_ok=True)
    say = logging.getLogger("DeMo")
    say.setLevel(logging.INFO)
    for handler in (logging.StreamHandler(sys.stdout), logging.FileHandler(out / "train_log.txt")):
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s: %(message)s"))
        say.addHandler(handler)
    say.info("Saving model in the path :%s", out)
    say.info("%s", arguments)
    say.info("Loaded configuration file %s", arguments.config_file)
    say.info("Running with config:\n%s", "\n".join(printed(settings)))

    draw = np.random.default_rng(solver["SEED"])
    data = people(settings)
    network = draw.normal(size=(3 * settings["DATASETS"]["SIZE"], 24)) * 0.05
    head = draw.normal(size=(24, 40)) * 0.05
    say.info("number of parameters:%s", (network.size + head.size) / 1e6)
    began, best = 1, {}
    if settings["MODEL"]["RESUME"]:
        with np.load(settings["MODEL"]["RESUME"], allow_pickle=True) as kept:
            network, head, began = kept["network"], kept["head"], int(kept["epoch"]) + 1
            best, draw.bit_generator.state = kept["best"].item(), kept["random"].item()

    for epoch in range(began, solver["MAX_EPOCHS"] + 1):
        start = time.perf_counter()
        loss = epoch_of(network, head, data, settings, draw)
        took = time.perf_counter() - start
        say.info(
            "Epoch[%d] Iteration[20/20] Loss: %.3f, Base Lr: %.2e", epoch, loss, solver["BASE_LR"]
        )
        say.info("Epoch %d done. Time per batch: %.3f[s]", epoch, took / 20)
        found = ranks(embedded(data[0], network, settings["MODEL"]), data[1])
        best = found if found["mAP"] >= best.get("mAP", -1) else best
        say.info("Validation Results - Epoch: %d", epoch)
        say.info("mAP: %.1f%%", found["mAP"] * 100)
        for k in (1, 5, 10):
            say.info("CMC curve, Rank-%-3d:%.1f%%", k, found[f"Rank-{k}"] * 100)
        for name in found:
            say.info("Best %s: %.1f%%", name, best[name] * 100)
        state = {"network": network, "head": head, "epoch": epoch, "best": best}
        np.savez(out / "writing.npz", random=draw.bit_generator.state, **state)
        (out / "writing.npz").rename(out / f"model_{epoch:03d}.npz")


if __name__ == "__main__":
    main()
