"""The input of a task whose time steps are symbols."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF

from rnnviz.core.numbers import short
from rnnviz.gui.canvas.items.chain import Sweep
from rnnviz.gui.canvas.items.symbols import Symbols, readable
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lanes.lane import Heights, Lane, LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind, Offer, each_model
from rnnviz.gui.canvas.lanes.letters import Letters
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown, ShownModel

_DIFFER = "·"  # where models read unlike symbols, which lanes of their own show


class _SymbolsLane(Lane):
    heights = Heights(22, 24, 26, compact=22, gap=10)
    over_cursor = True
    symbols: Symbols

    def move_cursor(self, sweep: Sweep) -> None:
        self.symbols.set_cursor(sweep.time_step)

    def place_plot(self, plot: QRectF, axis: TimeAxis) -> None:
        self.symbols.place(plot, axis)


class InputSymbolsLane(_SymbolsLane):
    """One symbol a time step, of an encoder and then of a decoder, read back from one-hot columns or from an embedding,
    whose gradient of each token the tooltip says."""

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "Input")
        self.symbols = Symbols(shown.theme, shown.task.marked_symbols if shown.task is not None else ())
        self.items.append(self.symbols)

    def show(self, shown: Shown) -> None:
        found = [
            (model, letters)
            for number, model in enumerate(shown.models)
            if (letters := shown.letters[number]) is not None
        ]
        if not found:
            self.symbols.set_symbols(())
            return
        _, first = found[-1]  # a what-if may read another input
        unlike = {t for t, each in enumerate(zip(*(one.symbols for _, one in found), strict=True)) if len({*each}) > 1}
        symbols = [_DIFFER if t in unlike else symbol for t, symbol in enumerate(first.symbols)]
        alone = len(found) == 1
        own, wrong = (first.own, first.wrong) if alone else (frozenset[int](), frozenset[int]())
        self.symbols.set_symbols(symbols, own, wrong, [_more(t, found, t in unlike) for t in range(len(symbols))])


class DecoderReadsLane(_SymbolsLane):
    """What the decoder of one model reads: letters it is told, and in a frame its own output."""

    heights = Heights(22, 24, 26, compact=20, gap=4)

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "decoder input", "framed: its own output")
        self.symbols = Symbols(shown.theme, (), slot.shown_model(shown).color)
        self.items.append(self.symbols)

    def show(self, shown: Shown) -> None:
        model, letters = self.shown_model(shown), shown.letters[self.model or 0]
        if letters is None:
            return
        first = model.head.start if model.head is not None else 0
        later = ["" if t < first else symbol for t, symbol in enumerate(letters.symbols)]
        self.symbols.set_symbols(later, letters.own, letters.wrong, letters.words)

    def rests(self, shown: Shown) -> Sequence[Rest]:
        return (*self.shown_model(shown).head_rests, *super().rests(shown))


def _more(t: int, found: list[tuple[ShownModel, Letters]], unlike: bool) -> str:
    """What the tooltip says beside the symbol."""
    _, first = found[-1]
    words = "".join(f"\n{model.name}: {readable(one.symbols[t])}{one.words[t]}" for model, one in found)
    words = words if unlike else first.words[t]
    for model, _ in found:
        if model.sequence is not None and any(call.call.embedding is not None for call in model.sequence.calls):
            log = float(model.log_input_gradient[t])
            words += f"\n{model.name}: ‖∂L/∂token‖ = {short(0.0 if np.isneginf(log) else 10.0**log)}"
    return words


def _decoder_reads(shown: Shown) -> Sequence[Offer]:
    """On by itself where a model reads its own output, or models read unlike symbols."""
    if shown.task is None or not shown.task.decoder_labels or not any(model.network.several for model in shown.models):
        return []
    letters = [one for one in shown.letters if one is not None]
    on = any(one.own for one in letters) or len({one.symbols for one in letters}) > 1
    return [Offer("decoder input", "Decoder input of each model", on, DecoderReadsLane, folds=2 if on else 0)]


DECODER_READS = LaneKind(_decoder_reads, each_model)
