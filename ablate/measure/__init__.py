"""What a network spends: parameters and operations, without training it."""

from ablate.measure.costs import executed as executed
from ablate.measure.costs import probe_costs as probe_costs
from ablate.measure.costs import trainable as trainable
