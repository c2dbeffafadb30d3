"""Sliders of the untrained network: what is set here holds for all models that have it, and trains nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from rnnviz.core.cells.vanilla import ACTIVATIONS
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.numbers import bound
from rnnviz.core.numbers import whole as whole_words
from rnnviz.gui.look import scale
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets.fields import Choice
from rnnviz.gui.widgets.number_field import NumberField, NumberSlider, PartSlider
from rnnviz.gui.widgets.parsing import real, stepped_number, whole
from rnnviz.gui.widgets.slider_scale import SliderScale

_FIELD = 58  # pixels of the design


@dataclass(frozen=True)
class _Number:
    """A number that begins as the first model that has it says."""

    name: str  # in the options of the card
    words: str
    tooltip: str
    scale: SliderScale
    most: float  # that can be typed
    usual: float

    def field(self) -> NumberField:
        sliders = [PartSlider(self.scale)]
        if self.scale.whole:
            return NumberField(whole(self.words, 1, int(self.most)), whole_words, stepped_number, sliders)
        least = -self.most if self.scale.low < 0 else 0.0
        return NumberField(real(self.words, least, self.most), bound, self._stepped, sliders)

    def _stepped(self, value: object, direction: int) -> object:
        assert isinstance(value, float)  # a real number is typed
        return self.scale.step(value, direction)


def numbers(models: tuple[ModelSettings, ...], time_steps: int, clip: float) -> list[_Number]:
    """Those that mean something for these models."""
    own = [model.own for model in models]

    def first(name: str, otherwise: float) -> float:
        return next((getattr(one, name) for one in own if hasattr(one, name)), otherwise)

    def has(name: str) -> bool:
        return any(name in {field.name for field in fields(one)} for one in own if one is not None)

    found = []
    if has("forget_bias"):
        found.append(
            _Number(
                "forget_bias",
                "Forget bias",
                "of the forget gates, before training; 0: as drawn",
                SliderScale(-2.0, 6.0, whole=False, by=0.5),
                100.0,
                float(first("forget_bias", 0.0)),
            )
        )
    if has("spectral_radius"):
        found.append(
            _Number(
                "spectral_radius",
                "Spectral radius",
                "of W_hh of vanilla networks; until it is moved as the experiment begins it",
                SliderScale(0.0, 2.0, whole=False, by=0.05),
                100.0,
                float(first("spectral_radius", 1.0)),
            )
        )
    found += [
        _Number("scale", "Initial scale", "what all drawn weights are multiplied by",
                SliderScale(0.1, 10.0, whole=False, log=True), 1000.0, 1.0),
        _Number("hidden_size", "Hidden units", "H of all models", SliderScale(1, 128, whole=True), 512,
                models[0].hidden_size if models else 12),
        _Number("time_steps", "Time steps", "T: the sequence is cut, or gone on with inputs drawn from its own",
                SliderScale(1, 500, whole=True, log=True), 2000, time_steps),
        _Number("clip", "Clip norm", "‖∂L/∂ all weights‖ is scaled down to it; 0: no clipping",
                SliderScale(1e-3, 100.0, whole=False, log=True, zero=True), 1e6, clip),
    ]  # fmt: skip
    return found


def _radius(own: list[Any]) -> float:
    """The spectral radius that W_hh begins with; torch's draw has 1/√3 where it is large."""
    one = next(settings for settings in own if hasattr(settings, "spectral_radius"))
    return {"torch": 0.58, "spectral radius": float(one.spectral_radius)}.get(one.initialisation, 1.0)


class UntrainedControls(QWidget):
    """A slider and a field for each number; what was not touched is as the experiment says."""

    def __init__(self, store: Store, change: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__()
        self._store, self._change = store, change
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(5)
        self.fields: dict[str, NumberField] = {}
        self.stops: list[QWidget] = []  # where Tab stops, row by row
        self.activation: Choice | None = None
        for row, number in enumerate(self._numbers()):
            self._add(row, number)
        if any(hasattr(model.own, "activation") for model in self._models):
            self._add_activation()
        self.reset = QPushButton("As in the experiment")
        self.reset.setToolTip("Takes every slider of this card back")
        self.reset.clicked.connect(self.take_back)
        self._grid.addWidget(self.reset, self._grid.rowCount(), 0, 1, 3)
        self.stops += [self.activation, self.reset] if self.activation is not None else [self.reset]
        self._grid.setRowStretch(self._grid.rowCount(), 1)
        self._grid.setColumnStretch(1, 1)

    @property
    def _models(self) -> tuple[ModelSettings, ...]:
        state = self._store.state
        experiment = state.run.experiment
        return experiment.models if experiment is not None else ()

    def _numbers(self) -> list[_Number]:
        trace = next((trace for trace in self._store.state.recorded.traces if trace is not None), None)
        time_steps = trace.time_steps if trace is not None else 50
        return numbers(self._models, time_steps, 0.0)

    def _add(self, row: int, number: _Number) -> None:
        field = number.field()
        field.setAccessibleName(number.words)
        field.setToolTip(number.tooltip)
        scale.fit(field, width=_FIELD)
        field.set_value(int(number.usual) if number.scale.whole else number.usual)
        field.entered.connect(lambda value: self._change({number.name: value}))
        slider = NumberSlider(field, 0)
        field.textChanged.connect(slider.follow)
        slider.follow()
        label = QLabel(number.words)
        label.setProperty("role", "label")
        for column, widget in enumerate((label, slider, field)):
            self._grid.addWidget(widget, row, column)
        self.fields[number.name] = field
        self.stops += [slider, field]

    def _add_activation(self) -> None:
        label = QLabel("Activation")
        label.setProperty("role", "label")
        self.activation = Choice([(None, "own"), *ACTIVATIONS.items()])
        self.activation.setAccessibleName("Activation")
        self.activation.setToolTip("φ of the cells that let it be chosen")
        self.activation.set_value(None)
        self.activation.chosen.connect(self._activate)
        row = self._grid.rowCount()
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(self.activation, row, 1, 1, 2)

    def _activate(self, value: Any) -> None:
        self._change({"activation": value} if value is not None else {"activation": ...})

    def take_back(self) -> None:
        """Everything as the experiment begins it."""
        for number in self._numbers():
            self.fields[number.name].reset(int(number.usual) if number.scale.whole else number.usual)
        if self.activation is not None:
            self.activation.set_value(None)
        self._change(dict.fromkeys([*self.fields, "activation"], ...))
