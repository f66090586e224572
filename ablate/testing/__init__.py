"""What any System must pass: call `check_system` in a test of your own."""

from ablate.testing.notebook import Notebook as Notebook
from ablate.testing.probing import check_probe as check_probe
from ablate.testing.promises import check_levels as check_levels
from ablate.testing.promises import check_resume as check_resume
from ablate.testing.promises import check_streams as check_streams
from ablate.testing.promises import check_system as check_system
from ablate.testing.promises import check_training as check_training
