"""Systems that are programs: started as they are, watched, and read."""

from ablate.command.code import frozen as frozen
from ablate.command.declaration import Declaration as Declaration
from ablate.command.declaration import declaration as declaration
from ablate.command.train import check as check
from ablate.command.train import declared as declared
