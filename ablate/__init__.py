"""Ablation studies of neural networks: run them, keep every number, answer with its doubt."""

from ablate.logged import log as log
from ablate.metric import Metric as Metric
from ablate.study import Factor as Factor
from ablate.study import Study as Study
from ablate.study import Trial as Trial
from ablate.study import Variant as Variant
from ablate.study import choice as choice
from ablate.study import real as real
from ablate.study import switch as switch
from ablate.study import whole as whole
from ablate.system import Job as Job
from ablate.system import Outcome as Outcome
from ablate.system import Part as Part
from ablate.system import Probe as Probe
from ablate.system import System as System

__version__ = "0.1.0"
