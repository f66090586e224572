"""Two interleaved spirals, told apart by a small network: an ordinary argparse script.

Two of its lines are for ablate: the import, and `log(...)` beside the print.
"""

import argparse

import numpy as np

from ablate import log


def spirals(draw, count, noise):
    """Points of two spirals, and which of the two each belongs to."""
    side = draw.integers(0, 2, count)
    turn = np.sqrt(draw.random(count)) * 2.5 * np.pi
    angle = turn + side * np.pi
    points = np.stack([np.cos(angle), np.sin(angle)], 1) * turn[:, None] / 8
    return points + draw.normal(size=points.shape) * noise, side


def seen(points, fourier):
    """The network's inputs: the points, with the waves of a Fourier embedding where asked for."""
    if not fourier:
        return points
    waves = points[:, :, None] * np.array([2.0, 4.0, 8.0])
    parts = [points, np.sin(waves).reshape(len(points), -1), np.cos(waves).reshape(len(points), -1)]
    return np.concatenate(parts, 1)


def main():
    """Train and print the accuracy of every epoch."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fourier", action="store_true")
    parser.add_argument("--momentum", type=float, default=0.0)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    made = np.random.default_rng(7)
    (points, side), (unseen, truth) = spirals(made, 1000, 0.03), spirals(made, 1000, 0.03)
    points, unseen = seen(points, options.fourier), seen(unseen, options.fourier)
    draw = np.random.default_rng(options.seed)
    first = draw.normal(size=(points.shape[1] + 1, options.width))
    second = draw.normal(size=(options.width + 1,)) * 0.1
    speed = [np.zeros_like(first), np.zeros_like(second)]

    def forward(inputs):
        inner = np.tanh(np.c_[inputs, np.ones(len(inputs))] @ first)
        score = np.c_[inner, np.ones(len(inputs))] @ second
        return inner, 1 / (1 + np.exp(-np.clip(score, -30, 30)))

    for epoch in range(1, options.epochs + 1):
        for batch in np.array_split(draw.permutation(len(side)), 40):
            inner, share = forward(points[batch])
            error = (share - side[batch]) / len(batch)
            back = np.outer(error, second[:-1]) * (1 - inner**2)
            slopes = [
                np.c_[points[batch], np.ones(len(batch))].T @ back,
                np.c_[inner, np.ones(len(batch))].T @ error,
            ]
            for weights, slope, moving in zip((first, second), slopes, speed, strict=True):
                moving *= options.momentum
                moving += slope
                weights -= 0.5 * moving
        accuracy = np.mean((forward(unseen)[1] > 0.5) == truth)
        print(f"epoch {epoch}: accuracy {accuracy:.3f}")
        log(epoch, "test", accuracy=accuracy)


if __name__ == "__main__":
    main()
