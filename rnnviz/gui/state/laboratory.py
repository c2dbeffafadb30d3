"""Laboratory: how a person has arranged the Gradients view: which cards, and what they are asked; no Qt, no numbers,
so that menus and the command line may name the cards."""

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class CardName:
    """What a card is called. What it draws is in `gui.gradients.card_table`, by the same key."""

    key: str
    words: str
    tooltip: str


CARDS = (
    CardName(
        "flow", "Gradient flow",
        "how strongly the loss of each time step k reaches the hidden state of each time step t; "
        "the line is where it falls below the threshold",
    ),
    CardName(
        "bars", "Gradient flow by distance",
        "the gradients of all losses at each time step: a bar is as high as the sum of their norms, which is at least "
        "the norm of their sum; the colours divide its height by what near and far losses add to that sum",
    ),
    CardName(
        "walk", "One loss walking back",
        "the gradient of one loss at each time step before it, the factor of a time step fitted to it, and dashed the "
        "bound by the largest singular values of the step Jacobians",
    ),
    CardName(
        "paths", "Two paths of the LSTM",
        "the gradients of hidden and cell state apart, and that along the cell state alone, with nothing carried by h",
    ),
    CardName(
        "shares", "Shares of time steps",
        "what each time step adds to a weight gradient, of all rows of the matrix and of each gate's",
    ),
    CardName(
        "agreement", "Do time steps agree?",
        "the sum of the time steps' parts as the backward sweep gathers it, and its angle to the final gradient",
    ),
    CardName(
        "horizon", "Memory horizon",
        "how many time steps back a gradient reaches until it falls below the threshold, over training",
    ),
    CardName(
        "eigenvalues", "Eigenvalues of W_hh",
        "the eigenvalues of the recurrent weights on the complex plane: what lies inside the unit circle fades",
    ),
    CardName(
        "jacobians", "Step Jacobians",
        "the largest singular value and the largest |eigenvalue| ρ of each step Jacobian ∂h_t/∂h_t−1: "
        "above 1 a gradient can grow at that time step",
    ),
    CardName(
        "products", "Singular values of ∂h_T/∂h_t",
        "what is left at the end of the sequence of a change of the state at each time step, by direction: "
        "the ten largest singular values as lines, the others as a band",
    ),
    CardName(
        "lyapunov", "Lyapunov spectrum",
        "how fast small changes of the state grow or fade per time step while the sequence drives the network: "
        "below 0 it forgets how it began, above 0 it is chaotic",
    ),
    CardName(
        "gates", "Gate saturation",
        "of each unit's gates, at which share of the time steps they are shut and at which they are open",
    ),
    CardName(
        "halflife", "How long units remember",
        "time steps until a half is left of what a unit keeps, by the gate that keeps it: dots by the mean over time, "
        "lines up to its most open time step; a mean over units hides the one that carries the memory",
    ),
    CardName(
        "truncation", "Bias of truncation",
        "how far each weight gradient that truncation gives lies from the full one of the same losses, all sequences "
        "together: the angle between them, and the ratio of their norms",
    ),
    CardName(
        "untrained", "Untrained network",
        "states and gradients before any training, over 20 initial seeds, redrawn while a slider moves",
    ),
)  # fmt: skip
DEFAULT_CARDS = ("flow", "walk", "eigenvalues", "gates")
LEAST_THRESHOLD, MOST_THRESHOLD = 1e-30, 1.0
Losses = Literal["", "task", "unit"]


@dataclass(frozen=True)
class Laboratory:
    """`cards` are keys of `CARDS` in the order of the page; unknown ones are passed over."""

    cards: tuple[str, ...] = DEFAULT_CARDS
    threshold: float = 1e-6  # below it a gradient counts as vanished
    relative: bool = True  # to ‖∂L_k/∂h_k‖; else the threshold is absolute
    losses: Losses = ""  # the task's own, or a unit loss at every k; "": whichever tells more
    loss: int = 0  # time step k of the loss that is looked at; 0: the last one
    enlarged: str = ""  # the card that has the whole page
    layouts: tuple[tuple[str, tuple[str, ...]], ...] = ()  # by the name a person gave: cards

    def with_card(self, key: str, shown: bool) -> "Laboratory":
        """The same with a card at the end, or without it."""
        cards = tuple(card for card in self.cards if card != key)
        return replace(
            self, cards=(*cards, key) if shown else cards, enlarged="" if key == self.enlarged else self.enlarged
        )

    def arranged(self, cards: tuple[str, ...]) -> "Laboratory":
        """The same with these cards."""
        return replace(self, cards=cards, enlarged="")

    def with_layout(self, name: str) -> "Laboratory":
        """The same with the cards on the page kept by that name."""
        others = tuple(layout for layout in self.layouts if layout[0] != name)
        return replace(self, layouts=tuple(sorted((*others, (name, self.cards)))))

    def without_layout(self, name: str) -> "Laboratory":
        """The same with that name forgotten."""
        return replace(self, layouts=tuple(layout for layout in self.layouts if layout[0] != name))

    def moved(self, key: str, before: str) -> "Laboratory":
        """The same with a card before another one; at the end where there is none so called."""
        if key not in self.cards or key == before:
            return self
        cards = [card for card in self.cards if card != key]
        cards.insert(cards.index(before) if before in cards else len(cards), key)
        return replace(self, cards=tuple(cards))

    def stepped(self, key: str, by: int) -> "Laboratory":
        """The same with a card so many places farther on, or back."""
        if key not in self.cards:
            return self
        cards = [card for card in self.cards if card != key]
        cards.insert(min(max(self.cards.index(key) + by, 0), len(cards)), key)
        return replace(self, cards=tuple(cards))
