"""Checks on a study and its records: what the numbers cannot bear is said."""

from ablate.audit.liveness import inert_of as inert_of
from ablate.audit.liveness import measured as measured
from ablate.audit.liveness import recorded as recorded
