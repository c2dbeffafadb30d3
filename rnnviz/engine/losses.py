"""The losses in torch, by the names that core gives them: for the training, for captures and for their checks."""

from collections.abc import Callable, Mapping

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from rnnviz.core.sweeps.capture import LossName


def _cross_entropy(prediction: Tensor, targets: Tensor, reduction: str) -> Tensor:
    return cross_entropy(prediction.flatten(0, -2), targets.flatten(), reduction=reduction)


def _squared_error(prediction: Tensor, targets: Tensor, reduction: str) -> Tensor:
    return mse_loss(prediction, targets, reduction=reduction)


def _binary_cross_entropy(prediction: Tensor, targets: Tensor, reduction: str) -> Tensor:
    return binary_cross_entropy_with_logits(prediction, targets, reduction=reduction)


_LOSSES: Mapping[LossName, Callable[[Tensor, Tensor, str], Tensor]] = {
    "cross entropy": _cross_entropy,
    "mean squared error": _squared_error,
    "binary cross-entropy": _binary_cross_entropy,
}


def mean_loss(loss: LossName, prediction: Tensor, targets: Tensor) -> Tensor:
    """The mean over everything asked: prediction (…, V), targets (…) int64 or (…, V)."""
    return _LOSSES[loss](prediction, targets, "mean")


def losses(loss: LossName, prediction: Tensor, targets: Tensor) -> Tensor:
    """(T, N) ℓ of each time step and sequence: prediction (T, N, V), targets (T, N) int64 or (T, N, V)."""
    parts = _LOSSES[loss](prediction, targets, "none")
    return parts.reshape(*prediction.shape[:-1], -1).mean(dim=-1)
