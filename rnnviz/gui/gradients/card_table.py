"""Card table: what draws each card of `gui.state.laboratory.CARDS`, by its key."""

from collections.abc import Mapping
from types import MappingProxyType

from rnnviz.gui.gradients.agreement_card import AgreementCard
from rnnviz.gui.gradients.card import Card
from rnnviz.gui.gradients.flow_card import FlowCard
from rnnviz.gui.gradients.horizon_card import HorizonCard
from rnnviz.gui.gradients.shares_card import SharesCard

_CARDS: tuple[Card, ...] = (FlowCard(), SharesCard(), AgreementCard(), HorizonCard())
CARD_OF: Mapping[str, Card] = MappingProxyType({card.key: card for card in _CARDS})
