"""Trial: the what-if that is set by hand, what that makes of the sequence, and what stands beside it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rnnviz.debugger.whatif import WhatIf

if TYPE_CHECKING:
    from rnnviz.core.sweeps.trace import Trace


@dataclass(frozen=True, eq=False)
class Recomputed:
    """What the interventions of `whatif` make of one sequence; `trouble` says why there are no traces."""

    whatif: WhatIf
    run_path: Path | None
    against: str  # the variant `original` is, "" for history
    original: "Trace | None" = None  # N = 1, as `changed`
    changed: "Trace | None" = None
    trouble: str = ""


@dataclass(frozen=True)
class Trial:
    """What is tried by hand; nothing of it is in the run."""

    whatif: WhatIf = field(default_factory=WhatIf)  # what is set by hand, with the place where it was begun
    recomputed: Recomputed | None = None  # what that makes of the sequence, None until it is known
    against: str = ""  # the variant that stands beside the what-if, "" for history
    difference: bool = False  # the lanes of the what-if show what-if − history
