"""Study files: TOML in, a Study out; every error is one line that names file, line and key."""

from ablate.spec.bind import Options as Options
from ablate.spec.bind import bind as bind
from ablate.spec.document import Document as Document
from ablate.spec.document import read as read
