"""The theme: every colour of the window by name, dark and light, and how it is put on the application."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal

import numpy as np
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

from rnnviz.core.arrays import Array
from rnnviz.core.cells import cell_kind
from rnnviz.gui.look import color_maps, fonts, scale
from rnnviz.gui.look.form_sheet import form_sheet
from rnnviz.gui.look.style_sheet import style_sheet

ThemeName = Literal["dark", "light"]
Token = str
Dash = tuple[float, ...]  # strokes and gaps in widths of the line, as Qt counts them; () is a whole line


@dataclass(frozen=True)
class Theme:
    """Colours as #rrggbb. The second of `models` is also the accent's hue: one accent in the whole window.

    Every token that is written with has 4.5:1 on background, panel and raised; `cursor` alone is too bright for that
    on paper and has a darker one for its texts. Borders of controls have 3:1.
    """

    name: ThemeName
    background: str
    panel: str
    raised: str
    line: str  # what only parts and decorates
    border: str  # what shows where a control is
    focus: str  # the ring around what has the keyboard: the hue of nothing else
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
    cursor_text: str  # the same hue, to write with
    on_cursor: str  # text on the cursor's colour
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

    @property
    def grounds(self) -> tuple[str, ...]:
        """What is written on."""
        return self.background, self.panel, self.raised

    def is_readable(self, color: QColor) -> bool:
        """Whether it can be written with on every ground."""
        return min(contrast(color.name(), ground) for ground in self.grounds) >= READABLE

    def text_color(self, token: Token) -> QColor:
        """The colour to write with in the hue of `token`."""
        return self.color("cursor_text" if token == "cursor" else token)

    def text_on(self, ground: QColor) -> QColor:
        """The theme's text where `ground` lets it be read, else black or white, one of which can be read on any."""
        if contrast(self.text, ground.name()) >= READABLE:
            return QColor(self.text)
        return QColor(max(("#000000", "#ffffff"), key=lambda ink: contrast(ink, ground.name())))

    def mixed(self, color: QColor, share: float, ground: Token = "panel") -> QColor:
        """What `color` laid over a ground with the opacity `share` looks like."""
        below = QColor(getattr(self, ground))
        rest = 1 - share
        return QColor.fromRgbF(
            share * color.redF() + rest * below.redF(),
            share * color.greenF() + rest * below.greenF(),
            share * color.blueF() + rest * below.blueF(),
        )

    def model_color(self, hue: int, index: int = 0) -> QColor:
        """A colour of the palette; `index` counts the models of the same one before it, which it differs from."""
        return _model_color(self, hue % len(self.models), index)

    def model_colors(self, cells: Iterable[str]) -> tuple[QColor, ...]:
        """One colour for each model of a run, that of its cell; of several with the same one those after the first get
        a neighbouring hue, or where that is another model's the one most unlike all."""
        return _model_colors(self, tuple(_palette_places(cells)))

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


def model_dashes(cells: Iterable[str]) -> tuple[Dash, ...]:
    """The line of each model of a run: whole for the first of its cell, dashed for the next ones, so that who does not
    see the difference of two hues sees that of two lines."""
    return tuple(_DASHES[index % len(_DASHES)] for _, index in _palette_places(cells))


def contrast(color: str, ground: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2)."""
    lighter, darker = sorted((_luminance(color), _luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    srgb = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in srgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _palette_places(cells: Iterable[str]) -> list[tuple[int, int]]:
    """Of each model its cell's place in the palette, and how many models before it have the same."""
    seen: dict[int, int] = {}
    places = []
    for cell in cells:
        hue = cell_kind(cell).hue if cell else 0
        places.append((hue, seen.get(hue, 0)))
        seen[hue] = seen.get(hue, 0) + 1
    return places


@cache
def _model_colors(theme: Theme, places: tuple[tuple[int, int], ...]) -> tuple[QColor, ...]:
    taken = [color_maps.oklab(theme.model_color(place).name()) for place, index in places if index == 0]
    taken.append(color_maps.oklab(theme.cursor))

    def apart(color: QColor) -> float:
        return float(np.linalg.norm(np.array(taken) - color_maps.oklab(color.name()), axis=1).min())

    found = []
    for place, index in places:
        color = theme.model_color(place, index)
        if index and apart(color) < _APART:
            color = max(_further_colors(theme), key=apart)
        if index:
            taken.append(color_maps.oklab(color.name()))
        found.append(color)
    return tuple(found)


@cache
def _further_colors(theme: Theme) -> tuple[QColor, ...]:
    """What many models are told apart by: all hues, lighter and darker ones, strong and pale ones."""
    kinds = ((0.65, 0.65), (0.7, 0.82), (0.3, 0.72)) if theme.name == "dark" else ((0.7, 0.27), (0.7, 0.4), (0.3, 0.37))
    made = (QColor.fromHslF(hue / 36, *kind) for kind in kinds for hue in range(36))
    return tuple(color for color in made if theme.is_readable(color))


@cache
def _model_color(theme: Theme, place: int, index: int) -> QColor:
    """A turned hue is as light or dark as it takes to be read."""
    color = QColor(theme.models[place])
    if index == 0:
        return color
    hue = (color.hslHueF() + _HUE_STEPS[place % len(_HUE_STEPS)] * index) % 1.0
    saturation, lightness = color.hslSaturationF() * 0.9, color.lightnessF()
    step = 0.01 if theme.name == "dark" else -0.01
    while True:
        color = QColor.fromHslF(hue, saturation, lightness)
        if theme.is_readable(color):
            return color
        lightness += step


READABLE = 4.5  # contrast of a text with its ground
VISIBLE = 3.0  # that of marks and of the borders of controls

_DASHES: tuple[Dash, ...] = ((), (4.0, 2.5), (1.2, 2.2), (6.0, 2.0, 1.2, 2.0))

_APART = 0.09  # of two models' colours in OKLab, below which they are taken for one another

# Away from the cursor's yellow and from the other hues of the palette.
_HUE_STEPS = (-0.12, 0.12, -0.18)

# By what a gate does: what keeps the old state, what lets something in, what shows the state, what is let in.
_GATE_TOKENS = {"forget": "forget", "input": "input_gate", "output": "output_gate", "candidate": "candidate"}

_DARK = Theme(
    name="dark",
    background="#12151a",
    panel="#181c22",
    raised="#20252d",
    line="#2b313b",
    border="#697180",
    focus="#e8ebf0",
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
    cursor_text="#ffd166",
    on_cursor="#12151a",
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
    border="#828892",
    focus="#1a1f27",
    text="#1a1f27",
    muted="#5b6472",
    accent="#1f6fb5",
    on_accent="#ffffff",
    models=("#ae5000", "#1f6fb5", "#00796f", "#8a3fb8", "#4e770f", "#b8434a"),
    forget="#7b3fb0",
    input_gate="#327b13",
    output_gate="#027689",
    candidate="#8b6600",
    cursor="#ba7d00",
    cursor_text="#975f00",
    on_cursor="#1a1f27",
    good="#0b7c49",
    bad="#c23a37",
    warning="#9a5e00",
    what_if="#b01e93",
    negative="#1f6fb5",
    positive="#c2272d",
    not_finite="#c9009f",
)
_THEMES: dict[str, Theme] = {"dark": _DARK, "light": _LIGHT}


@cache
def theme(name: ThemeName) -> Theme:
    """The theme called "dark" or "light"."""
    return _THEMES[name]


def apply(app: QApplication, theme: Theme) -> None:
    """Puts Fusion, the palette of `theme` and the text font on the application, sized as text is."""
    fonts.load()
    if not app.property("fusion"):  # once: every widget is made ready for a new style, and below a sheet it has no name
        app.setStyle(QStyleFactory.create("Fusion"))
        app.setProperty("fusion", True)
    app.setFont(scale.font(fonts.text()))
    app.setPalette(palette(theme))


def dress(window: QWidget, theme: Theme, own: str = "") -> None:
    """Puts the style sheet of `theme`, and rules of its `own`, on a window with its panels, dialogs and menus.

    Not on the application: there Qt makes every widget ready anew as often as it has others above it. Nor on a panel
    of its own: what has two sheets around it is made ready twice as often.
    """
    tokens = {name: value for name, value in asdict(theme).items() if isinstance(value, str)}
    window.setStyleSheet(scale.in_sheet(style_sheet(theme.name, tokens)) + form_sheet(theme.name, tokens) + own)


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
        roles.Mid: theme.border,
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
