"""Metric words: how the recorded metrics are called on screen, where that is not their own name."""

_WORDS = {
    "grad_norm": "gradient norm",
    "learning_rate": "learning rate",
    "test_loss": "validation loss",
    "test_accuracy": "validation accuracy",
    "exact": "exact answers",
}


def metric_words(metric: str) -> str:
    """ "gradient norm" for grad_norm."""
    return _WORDS.get(metric, metric)
