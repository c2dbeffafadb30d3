"""Eigenvalues of recurrent weights on the complex plane, with the unit circle; of gated cells one gate at a time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QWidget

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.gradients.eigenvalues import Eigenvalues, eigenvalue_steps
from rnnviz.core.numbers import short, tick, whole
from rnnviz.gui.canvas.lanes.shown import ShownModel, round_up
from rnnviz.gui.gradients.card import Card, Found, Partial, Sight, Spot, Table, seldom
from rnnviz.gui.gradients.plots.marks import Dots, Ring
from rnnviz.gui.look import fonts
from rnnviz.gui.network.drawing import Drawing, Line, Text
from rnnviz.gui.state.laboratory import Laboratory
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets import marked_text
from rnnviz.gui.widgets.fields import Choice

_FAR = 4.0  # |λ| from which on what lies outside the circle is drawn by its logarithm
_LEAST = 1.2  # |λ| at the edge
_NEAR = 9.0  # pixels between the pointer and a dot it is told of


@dataclass(frozen=True, eq=False)
class EigenvalueNumbers:
    """Of one model: every matrix, block or diagonal through which a state comes back."""

    matrices: tuple[Eigenvalues, ...]
    usual: int  # which one is shown unless another is chosen

    def chosen(self, options: Mapping[str, Any], model: ShownModel) -> Eigenvalues:
        """That one, by its symbol."""
        wanted = options.get(_option(model))
        usual = self.matrices[min(self.usual, len(self.matrices) - 1)]
        return next((one for one in self.matrices if one.symbol == wanted), usual)


@dataclass(frozen=True)
class Plane:
    """Where a complex number lies: scales of both axes are equal, and the same for all models."""

    centre: QPointF
    side: float  # pixels from the centre to the nearer edges
    largest: float  # |λ| there

    @property
    def far(self) -> bool:
        """Whether the part outside the unit circle is logarithmic."""
        return self.largest > _FAR

    def radii(self, sizes: Array) -> Array:
        """Pixels from the centre."""
        if not self.far:
            return np.asarray(sizes / self.largest * self.side)
        with np.errstate(all="ignore"):
            beyond = 1 + np.log(np.maximum(sizes, 1)) / np.log(self.largest)
        return np.asarray(np.where(sizes > 1, beyond, sizes) / 2 * self.side)

    def places(self, values: Array) -> tuple[Array, Array]:
        """x and y of complex numbers (n,)."""
        radii, angles = self.radii(np.abs(values)), np.angle(values)
        return self.centre.x() + radii * np.cos(angles), self.centre.y() - radii * np.sin(angles)

    def circle(self, size: float) -> QRectF:
        """That of all numbers of this size."""
        radius = float(self.radii(np.asarray(size, np.float64)))
        return QRectF(self.centre.x() - radius, self.centre.y() - radius, 2 * radius, 2 * radius)


class EigenvaluesCard(Card):
    """One plane a model."""

    key = "eigenvalues"
    of_operations = True
    title = "Eigenvalues of W_{hh}"
    each_model = True
    by_model = False

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        return seldom(_parts(model))

    def aside(self, sight: Sight) -> str:
        for found in sight.known:
            return f"ρ {short(_shown(found, sight).radius)}"
        return ""

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing, look = Drawing(), sight.theme
        for found in sight.known:
            one, plane = _shown(found, sight), _plane(sight, area)
            _draw_axes(drawing, plane, area, sight)
            inside = np.abs(one.values) <= 1
            outside = np.abs(one.values) > 1
            small = 2.6 if len(one.values) <= 100 else 1.8
            for key, where, color in (
                ("inside", inside, found.model.color), ("outside", outside, look.color("bad"))
            ):  # fmt: skip
                xs, ys = plane.places(one.values[where])
                drawing.add(Dots(key, xs, ys, color, small, one.values[where]))
            words = f"{one.symbol}: {_words(one)}" if len(found.value.matrices) > 1 else _words(one)
            words = marked_text.shortened(words, fonts.SMALL, area.width())
            drawing.add(Text("count", area.left(), area.bottom() - 2, words, fonts.SMALL, look.color("muted")))
        return drawing

    def spot(self, sight: Sight, area: QRectF, point: QPointF) -> Spot | None:
        for found in sight.known:
            one = _shown(found, sight)
            xs, ys = _plane(sight, area).places(one.values)
            distances = np.hypot(xs - point.x(), ys - point.y())
            if len(distances) and np.nanmin(np.where(np.isnan(distances), np.inf, distances)) < _NEAR:
                value = one.values[int(np.nanargmin(distances))]
                symbol = marked_text.plain(one.symbol)
                return Spot(f"{found.model.name}, {symbol}: λ = {_complex(value)}, |λ| = {short(abs(value))}")
        return None

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {}
        for found in sight.known:
            for one in found.value.matrices:
                name = f"{found.model.name} {marked_text.plain(one.symbol)}"
                columns[f"{name} real part"], columns[f"{name} imaginary part"] = one.values.real, one.values.imag
        return Table(columns)

    def controls(self, store: Store, change: Callable[[Mapping[str, Any]], None]) -> QWidget:
        choice = Choice(flat=True)
        choice.setAccessibleName("Recurrent weights")
        choice.setToolTip("The weights whose eigenvalues are shown: those that lead to one gate, or the diagonal ones")
        choice.chosen.connect(change)
        choice.hide()
        return choice

    def leaves_room(self, sight: Sight) -> bool:
        return any(len(numbers.matrices) > 1 for numbers in sight.values)

    def show_controls(self, controls: QWidget, sight: Sight) -> None:
        assert isinstance(controls, Choice)
        for found in sight.known:
            model, matrices = found.model, found.value.matrices
            offered = [{_option(model): one.symbol} for one in matrices]
            if [controls.itemData(place) for place in range(controls.count())] != offered:
                controls.set_options(list(zip(offered, _names(matrices), strict=True)))
            controls.set_value({_option(model): _shown(found, sight).symbol})
            controls.setVisible(len(matrices) > 1)


def _parts(model: ShownModel) -> Iterator[Partial]:
    """One block after another."""
    assert model.layer is not None  # it has a trace
    structure = model.structure
    for share, found in eigenvalue_steps(structure, model.layer.weights):
        if share >= 1 and not found.found:
            raise RnnvizError(found.note)
        if share >= 1 and all(np.isnan(one.values).all() for one in found.found):
            raise RnnvizError("The recurrent weights are not finite: they have no eigenvalues.")
        if found.found:
            candidates = {gate.words for gate in structure.equations.gates if gate.family == "candidate"}
            full = [place for place, one in enumerate(found.found) if not one.diagonal] or [0]
            usual = next((place for place in full if found.found[place].words in candidates), full[-1])
            yield Partial(EigenvalueNumbers(found.found, usual), share)


def _option(model: ShownModel) -> str:
    return f"weights of {model.number}"


def _shown(found: Found, sight: Sight) -> Eigenvalues:
    numbers: EigenvalueNumbers = found.value
    return numbers.chosen(sight.options, found.model)


def _names(matrices: tuple[Eigenvalues, ...]) -> list[str]:
    """By what they lead to; the symbol, too, where several lead to the same."""
    words = [one.words for one in matrices]
    return [
        one.words
        if one.words and words.count(one.words) == 1
        else f"{one.words}  {marked_text.plain(one.symbol)}".strip()
        for one in matrices
    ]


def _words(one: Eigenvalues) -> str:
    if np.isnan(one.values).all():
        return "not finite"
    count = int((np.abs(one.values) > 1).sum())
    return f"{whole(count)} of {whole(len(one.values))} outside the unit circle"


def _complex(value: complex) -> str:
    sign = "−" if value.imag < 0 else "+"
    return f"{short(value.real)} {sign} {short(abs(value.imag))}i" if value.imag else short(value.real)


def _plane(sight: Sight, area: QRectF) -> Plane:
    radii = [_shown(found, sight).radius for found in sight.everyone if found.value is not None]
    largest = max([radius for radius in radii if np.isfinite(radius)], default=1.0)
    room = area.adjusted(0, 2, 0, -18)
    edge = round_up(max(1.04 * largest, _LEAST))
    return Plane(room.center(), min(room.width(), room.height()) / 2 - 3, edge)


def _draw_axes(drawing: Drawing, plane: Plane, area: QRectF, sight: Sight) -> None:
    """The axes, the unit circle, and where it is needed the circle at the edge."""
    line, muted = sight.theme.color("line"), sight.theme.color("muted")
    centre, wide = plane.centre, min(area.width() / 2, plane.side + 34)
    drawing.add(Line("real", (centre - QPointF(wide, 0), centre + QPointF(wide, 0)), line, 1.0))
    drawing.add(Line("imaginary", (centre - QPointF(0, plane.side), centre + QPointF(0, plane.side)), line, 1.0))
    drawing.add(Ring("unit circle", plane.circle(1.0), muted, (4.0, 3.0)))
    right, top = centre.x() + wide, centre.y() - plane.side
    drawing.add(Text("Re", right, centre.y() - 5, "real", fonts.SMALL, muted, 1.0))
    drawing.add(Text("Im", centre.x() + 5, top + 9, "imaginary", fonts.SMALL, muted))
    unit = plane.circle(1.0)
    drawing.add(Text("1", unit.right() + 3, centre.y() + 12, "1", fonts.SMALL, muted))
    if plane.far:
        drawing.add(Ring("edge", plane.circle(plane.largest), line, (4.0, 3.0)))
        outer = plane.circle(plane.largest)
        words = f"{tick(plane.largest)}, log beyond 1"
        drawing.add(Text("edge", area.right(), outer.top() + 9, words, fonts.SMALL, muted, 1.0, spare=True))
