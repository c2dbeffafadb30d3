"""Card table: every card there is, in the order of the menu."""

from rnnviz.gui.gradients.card import Card
from rnnviz.gui.gradients.flow_card import FlowCard

CARDS: tuple[Card, ...] = (FlowCard(),)
