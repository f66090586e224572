"""Designs: which variants a study asks for, what each is called, and the trials they become."""

from ablate.design.check import check as check
from ablate.design.expand import LIMIT as LIMIT
from ablate.design.expand import beside as beside
from ablate.design.expand import count as count
from ablate.design.expand import placements as placements
from ablate.design.expand import variants as variants
from ablate.design.names import BASELINE as BASELINE
from ablate.design.names import FULL as FULL
from ablate.design.names import shown as shown
from ablate.design.names import variant_name as variant_name
