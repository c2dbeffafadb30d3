"""The theme: every colour of the window by name, dark and light, and how it is put on the application."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from rnnviz.core.arrays import Array
from rnnviz.core.cells import cell_kind
from rnnviz.gui.look import color_maps, fonts
from rnnviz.gui.look.style_sheet import style_sheet

ThemeName = Literal["dark", "light"]
Token = str


@dataclass(frozen=True)
class Theme:
    """Colours as #rrggbb. The second of `models` is also the accent's hue: one accent in the whole window."""

    name: ThemeName
    background: str
    panel: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str  # text and icons on the accent
    models: tuple[str, ...]  # the palette of models
    forget: str
    input_gate: str
    output_gate: str
    candidate: str
    cursor: str
    good: str
    bad: str
    warning: str
    what_if: str  # what never happened: the hue of nothing else
    negative: str  # the ends of the signed colour map
    positive: str
    not_finite: str  # NaN in a heat map: a colour no map contains

    def color(self, token: Token, alpha: float = 1.0) -> QColor:
        """The colour called `token`, with `alpha` in 0…1."""
        color = QColor(getattr(self, token))
        color.setAlphaF(alpha)
        return color

    def model_color(self, hue: int, index: int = 0) -> QColor:
        """A colour of the palette; `index` counts the models of the same one before it, which it differs from."""
        place = hue % len(self.models)
        color = QColor(self.models[place])
        if index == 0:
            return color
        turned = (color.hslHueF() + _HUE_STEPS[place % len(_HUE_STEPS)] * index) % 1.0
        return QColor.fromHslF(turned, color.hslSaturationF() * 0.9, color.lightnessF())

    def model_colors(self, cells: Iterable[str]) -> tuple[QColor, ...]:
        """One colour for each model of a run, that of its cell; models of the same cell get neighbouring hues."""
        seen: dict[int, int] = {}
        colors = []
        for cell in cells:
            hue = cell_kind(cell).hue if cell else 0
            colors.append(self.model_color(hue, seen.get(hue, 0)))
            seen[hue] = seen.get(hue, 0) + 1
        return tuple(colors)

    def signed_map(self) -> Array:
        """(256, 3) uint8: negative – neutral – positive, for states and signed gradients."""
        return color_maps.between(self.negative, self.panel, self.positive)

    def gate_map(self, family: str) -> Array:
        """(256, 3) uint8: neutral to the colour of a family of gates."""
        return color_maps.between(self.panel, self.gate_color(family).name())

    def gate_color(self, family: str) -> QColor:
        """The hue of a family of gates: "forget", "input", "output" or "candidate"."""
        token = _GATE_TOKENS.get(family)
        return QColor(getattr(self, token)) if token else QColor(self.muted)

    def magnitude_map(self) -> Array:
        """(256, 3) uint8: log₁₀ of a magnitude, vanished to large, in steps of equal perceived size."""
        ends = ("#262b35", "#6f4a86", "#c65f7f", "#f6a37c", "#fdf1c7")
        return color_maps.between(
            *(ends if self.name == "dark" else ("#e3e6ea", "#e9a07c", "#c0567c", "#6c3b80", "#241538"))
        )


# Away from the cursor's yellow and from the other hues of the palette.
_HUE_STEPS = (-0.12, 0.09, -0.18)

# By what a gate does: what keeps the old state, what lets something in, what shows the state, what is let in.
_GATE_TOKENS = {"forget": "forget", "input": "input_gate", "output": "output_gate", "candidate": "candidate"}

_DARK = Theme(
    name="dark",
    background="#12151a",
    panel="#181c22",
    raised="#20252d",
    line="#2b313b",
    text="#e8ebf0",
    muted="#8d96a5",
    accent="#5bb3f0",
    on_accent="#0d1117",
    models=("#f2a154", "#5bb3f0", "#5fd0c0", "#d79bf2", "#a9cf5f", "#f08a8a"),
    forget="#c792ea",
    input_gate="#8fd16f",
    output_gate="#56c8d8",
    candidate="#e8c268",
    cursor="#ffd166",
    good="#4fc38a",
    bad="#ef6f6c",
    warning="#f0b429",
    what_if="#f472c8",
    negative="#4a9fee",
    positive="#ee5f5b",
    not_finite="#e05abf",
)
_LIGHT = Theme(
    name="light",
    background="#eef0f3",
    panel="#ffffff",
    raised="#f5f6f8",
    line="#d9dde3",
    text="#1a1f27",
    muted="#5b6472",
    accent="#1f6fb5",
    on_accent="#ffffff",
    models=("#c8641a", "#1f6fb5", "#0f857a", "#8a3fb8", "#55801a", "#b8434a"),
    forget="#7b3fb0",
    input_gate="#3f8a23",
    output_gate="#137f92",
    candidate="#9a7408",
    cursor="#c98a00",
    good="#1f8a55",
    bad="#c63d3a",
    warning="#a86a00",
    what_if="#b01e93",
    negative="#1f6fb5",
    positive="#c2272d",
    not_finite="#d400a8",
)
_THEMES: dict[str, Theme] = {"dark": _DARK, "light": _LIGHT}


@cache
def theme(name: ThemeName) -> Theme:
    """The theme called "dark" or "light"."""
    return _THEMES[name]


def apply(app: QApplication, theme: Theme) -> None:
    """Puts Fusion, the palette, the text font and the style sheet of `theme` on the application."""
    fonts.load()
    if app.style().objectName().lower() != "fusion":
        app.setStyle(QStyleFactory.create("Fusion"))
    app.setFont(fonts.text())
    app.setPalette(palette(theme))
    app.setStyleSheet(
        style_sheet(theme.name, {name: value for name, value in asdict(theme).items() if isinstance(value, str)})
    )


def palette(theme: Theme) -> QPalette:
    """What Fusion itself draws with."""
    roles = QPalette.ColorRole
    colors = {
        roles.Window: theme.panel,
        roles.WindowText: theme.text,
        roles.Base: theme.raised,
        roles.AlternateBase: theme.panel,
        roles.Text: theme.text,
        roles.PlaceholderText: theme.muted,
        roles.Button: theme.raised,
        roles.ButtonText: theme.text,
        roles.BrightText: theme.bad,
        roles.ToolTipBase: theme.raised,
        roles.ToolTipText: theme.text,
        roles.Highlight: theme.accent,
        roles.HighlightedText: theme.on_accent,
        roles.Link: theme.accent,
        roles.LinkVisited: theme.accent,
        roles.Light: theme.raised,
        roles.Midlight: theme.raised,
        roles.Mid: theme.line,
        roles.Dark: theme.line,
        roles.Shadow: theme.background,
        roles.Accent: theme.accent,
    }
    result = QPalette()
    for role, color in colors.items():
        result.setColor(role, QColor(color))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.muted))
    return result
