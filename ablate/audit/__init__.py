"""Checks on a study and its records: what the numbers cannot bear is said."""

from ablate.audit.expectations import broken_checks as broken_checks
from ablate.audit.selection import selected_on_test as selected_on_test
