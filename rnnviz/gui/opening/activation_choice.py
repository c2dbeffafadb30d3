"""Activation choice: tanh or ReLU, which the weights of an nn.RNN do not say, preset by what its file says."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QRadioButton, QVBoxLayout, QWidget

from rnnviz.core.cells.vanilla import ACTIVATIONS
from rnnviz.core.structure import Activation
from rnnviz.gui.widgets.fields import section_label
from rnnviz.gui.widgets.marked_text import rich

_OFFERED: tuple[Activation, ...] = ("tanh", "relu")  # torch's nn.RNN has these
_UNKNOWN = "I do not know"


class ActivationChoice(QWidget):
    """One button for each activation and one for not knowing it; hidden for a cell that has only one."""

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[Activation | None, QRadioButton] = {}
        self._group = QButtonGroup(self)
        self._line = QHBoxLayout()
        self._line.setSpacing(24)
        self._line.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(section_label("Activation"))
        column.addLayout(self._line)

    @property
    def chosen(self) -> Activation | None:
        """What the person says it is; None where it is not asked or not known."""
        if self.isHidden():
            return None
        return next((activation for activation, button in self.buttons.items() if button.isChecked()), None)

    def show_module(self, module: Mapping[str, Any]) -> None:
        """Asks of a module as `rnnviz inspect` describes it, preset by what its file says."""
        self.setVisible(bool(module.get("activations")))
        if self.isHidden():
            return
        said: Activation = module["activation"]
        known = bool(module["hint"]) or not module["guess"]
        offered = dict.fromkeys((*_OFFERED, *([said] if known else [])))
        self._offer([*offered, None])
        self.buttons[said if known else None].setChecked(True)

    def _offer(self, activations: list[Activation | None]) -> None:
        for button in self.buttons.values():
            self._group.removeButton(button)
            self._line.removeWidget(button)
            button.deleteLater()
        self.buttons = {}
        for place, activation in enumerate(activations):
            words = ACTIVATIONS[activation] if activation else _UNKNOWN
            button = QRadioButton(words)
            formula = rich(f"h_t = {words}(W_{{ih}} x_t + W_{{hh}} h_{{t−1}} + b)")
            button.setToolTip(formula if activation else "Traces tanh, torch's default, and says that it is a guess")
            self._group.addButton(button)
            self._line.insertWidget(place, button)
            self.buttons[activation] = button
