"""Assumptions: what a file does not say of a recurrent module and has to be assumed, until a person says it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rnnviz.core.cells import Activation, cell_kind
from rnnviz.core.cells.vanilla import ACTIVATIONS
from rnnviz.core.plain_records import listed
from rnnviz.core.structure import Structure
from rnnviz.engine.checkpoints.hints import agreed
from rnnviz.engine.checkpoints.records import Hint
from rnnviz.engine.fused import FUSED_CELLS, TORCH_PARAMETERS

_CALLED = re.compile(r"(?<![a-z])(?:bi)?(lstm|gru)s?(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class Assumptions:
    """The activation to go by, whether it is a guess and why, where the file says it, and what the module is called."""

    activation: Activation
    doubt: str  # a sentence, empty where person or file said the activation
    hint: str  # where the file says the activation, empty where it does not
    called: str  # "lstm" or "gru" out of its prefix, empty where it names no cell

    def guessed(self, structure: Structure) -> tuple[str, tuple[str, ...]]:
        """What is guessed of a module of this structure ("tanh is a guess"), and a sentence on each."""
        kind = cell_kind(structure.cell)
        guesses, notes = [], []
        if kind.activations and self.doubt:
            guesses.append(ACTIVATIONS[self.activation])
            notes.append(self.doubt)
        if self.called and self.called not in structure.cell:
            guesses.append(f"the {kind.words} cell")
            blocks = len(structure.equations.blocks)
            times = f"{blocks} times as many rows as units" if blocks > 1 else "as many rows as units"
            notes.append(
                f"It is called {self.called.upper()}, yet its weights have {times}: the {kind.words} cell is assumed; "
                "that is a guess."
            )
        words = "are guesses" if len(guesses) > 1 else "is a guess"
        return (f"{' and '.join(guesses)} {words}" if guesses else ""), tuple(notes)

    def read_by(self, structure: Structure, said: bool) -> tuple[str, ...]:
        """A sentence for what the file itself says of such a module; `said`: the whole structure."""
        notes = []
        if cell_kind(structure.cell).activations and self.hint and not self.doubt:
            notes.append(f"The activation is {ACTIVATIONS[self.activation]}, as the file says ({self.hint}).")
        if structure.cell not in FUSED_CELLS and said:
            notes.append(f"The cell is {cell_kind(structure.cell).words}, as the file says.")
        elif structure.cell not in FUSED_CELLS:
            parameters = [parameter.name for parameter in structure.equations.parameters]
            own = [name for name in parameters if name not in TORCH_PARAMETERS]
            notes.append(f"By its {listed(own)} it is traced as a {cell_kind(structure.cell).words}.")
        return tuple(notes)


def assumptions(said: Activation | None, hints: Sequence[Hint], prefix: str, others: Iterable[str] = ()) -> Assumptions:
    """What to assume of the module under `prefix`; `said` by the person or by the file of this very module.

    `others` are the prefixes of the file's other modules, whose hints say nothing of this one.
    """
    names = _CALLED.findall(prefix)
    called = names[-1].lower() if names else ""
    if said is not None:
        return Assumptions(said, "", "", called)
    hints = _of_module(hints, prefix, others)
    one, contradicting = agreed(hints)
    if one is None:
        why = "contradicts itself on" if contradicting else "does not say"
        where = f" ({' and '.join(hint.where for hint in hints[:2])})" if contradicting else ""
        doubt = (
            f"The file {why} the activation of this nn.RNN{where}: tanh, torch's default, is assumed; that is a guess."
        )
        return Assumptions("tanh", doubt, "", called)
    words = ACTIVATIONS[one.activation]
    doubt = f"{words} is a guess: the file says it ({one.where}), perhaps of another layer than this nn.RNN."
    return Assumptions(one.activation, "" if one.certain else doubt, one.where, called)


def _of_module(hints: Sequence[Hint], prefix: str, others: Iterable[str]) -> list[Hint]:
    """Those that name a part of the prefix, if any do; else those that name no part of another module's."""
    own = _parts(prefix)
    foreign = {part for other in others for part in _parts(other)} - own
    named = [hint for hint in hints if own & _parts(hint.where)]
    return named or [hint for hint in hints if not foreign & _parts(hint.where)]


def _parts(name: str) -> set[str]:
    return set(filter(None, name.split(".")))
