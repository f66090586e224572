"""Results that already exist, read into studies: one reader per kind of file."""

from ablate.ingest.build import Imported as Imported
from ablate.ingest.readers import READERS as READERS
from ablate.ingest.readers import read as read
