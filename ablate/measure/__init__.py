"""What a network spends and who learns in it, found without training it."""

from ablate.measure.costs import Measured as Measured
from ablate.measure.costs import measure as measure
from ablate.measure.remedy import ways as ways
from ablate.measure.step import Reached as Reached
from ablate.measure.step import Step as Step
from ablate.measure.step import Switched as Switched
from ablate.measure.step import step as step
