"""The results database: what was asked, what was run, and every number with where it came from."""

from ablate.store.removing import Place as Place
from ablate.store.store import Store as Store
from ablate.store.store import open_store as open_store
