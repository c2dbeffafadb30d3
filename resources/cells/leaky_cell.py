"""An example of a cell of your own: a tanh unit that reads a slow, leaky average of its past.

m_t = λ ⊙ m_{t−1} + (1 − λ) ⊙ h_{t−1}        h_t = tanh(W x_t + U m_t + b)        λ = σ(l), learnt

A model of an experiment uses it with cell = "own" and file = "leaky_cell.py". What rnnviz needs is one nn.Module:
its constructor takes (input_size, hidden_size), its forward(x_t, state) is one time step of N sequences.
"""

import torch
from torch import Tensor, nn


class LeakyCell(nn.Module):
    states = ("h", "m")  # their names; the first is the output, (N, hidden_size); both begin at 0

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.read = nn.Linear(input_size, hidden_size)
        self.back = nn.Linear(hidden_size, hidden_size, bias=False)
        self.leak = nn.Parameter(torch.linspace(0.0, 4.0, hidden_size))  # λ from 0.5 to 0.98

    def forward(self, x_t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, m = state
        keep = torch.sigmoid(self.leak)
        m = keep * m + (1 - keep) * h
        return torch.tanh(self.read(x_t) + self.back(m)), m
