"""Files of own cells as a person might write them, and experiments of them."""

from pathlib import Path

from rnnviz.core.cells.own import OwnSettings
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.files import code
from rnnviz.core.resources import resource
from rnnviz.core.tasks import TemporalOrder

LEAKY = resource("cells/leaky_cell.py")
TASK = TemporalOrder(length=(7, 9), first_mark=(1, 2), second_mark=(4, 5), padding="at the end")

LSTM = """
import torch
from torch import nn

class Mine(nn.Module):
    states = ("h", "c")

    def __init__(self, inputs, hidden):
        super().__init__()
        self.w = nn.Parameter(torch.randn(4 * hidden, inputs) / hidden)
        self.u = nn.Parameter(torch.randn(4 * hidden, hidden) / hidden)
        self.b, self.d = nn.Parameter(torch.randn(4 * hidden)), nn.Parameter(torch.randn(4 * hidden))

    def forward(self, x, state):
        h, c = state
        i, f, g, o = (x @ self.w.T + h @ self.u.T + self.b + self.d).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c
"""


def plain_cell(body: str = "", forward: str = "return torch.tanh(self.lin(torch.cat([x, state], -1)))") -> str:
    """A file of a cell with one state; what else its constructor does, and its forward."""
    return f"""
import torch
from torch import nn

class Mine(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.lin = nn.Linear(inputs + hidden, hidden)
        {body or "pass"}

    def forward(self, x, state):
        {forward}
"""


def own(file: Path, hidden: int = 3, name: str = "Mine") -> ModelSettings:
    return ModelSettings(name, "own", hidden, own=OwnSettings(str(file)))


def experiment(*models: ModelSettings, seed: int = 5) -> Experiment:
    return Experiment("own", TASK, models, TrainingSettings(batch_size=4, training_steps=3), seed=seed)


def allow(file: Path) -> None:
    code.allow(code.to_ask_about([str(file)]))
