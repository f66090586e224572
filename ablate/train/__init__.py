"""What a system may use to train: named random streams, checkpoints, schedules, gradient norms."""

from ablate.train.gradients import gradient_norms as gradient_norms
from ablate.train.streams import init_stream as init_stream
from ablate.train.streams import torch_generator as torch_generator
