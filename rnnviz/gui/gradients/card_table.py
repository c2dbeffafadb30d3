"""Card table: what draws each card of `gui.state.laboratory.CARDS`, by its key."""

from collections.abc import Mapping
from types import MappingProxyType

from rnnviz.gui.gradients.card import Card
from rnnviz.gui.gradients.cards.agreement_card import AgreementCard
from rnnviz.gui.gradients.cards.bars_card import BarsCard
from rnnviz.gui.gradients.cards.eigenvalues_card import EigenvaluesCard
from rnnviz.gui.gradients.cards.flow_card import FlowCard
from rnnviz.gui.gradients.cards.gates_card import GatesCard
from rnnviz.gui.gradients.cards.halflife_card import HalflifeCard
from rnnviz.gui.gradients.cards.horizon_card import HorizonCard
from rnnviz.gui.gradients.cards.jacobians_card import JacobiansCard
from rnnviz.gui.gradients.cards.lyapunov_card import LyapunovCard
from rnnviz.gui.gradients.cards.paths_card import PathsCard
from rnnviz.gui.gradients.cards.products_card import ProductsCard
from rnnviz.gui.gradients.cards.shares_card import SharesCard
from rnnviz.gui.gradients.cards.truncation_card import TruncationCard
from rnnviz.gui.gradients.cards.untrained_card import UntrainedCard
from rnnviz.gui.gradients.cards.walk_card import WalkCard

_CARDS: tuple[Card, ...] = (
    FlowCard(),
    BarsCard(),
    WalkCard(),
    PathsCard(),
    SharesCard(),
    AgreementCard(),
    HorizonCard(),
    EigenvaluesCard(),
    JacobiansCard(),
    ProductsCard(),
    LyapunovCard(),
    GatesCard(),
    HalflifeCard(),
    TruncationCard(),
    UntrainedCard(),
)
CARD_OF: Mapping[str, Card] = MappingProxyType({card.key: card for card in _CARDS})
