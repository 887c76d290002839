"""How good predictions are: metrics, decision threshold, bootstrap intervals, baselines. Knows no Keras."""

from search.evaluation.bootstrap import intervals
from search.evaluation.metric_list import Target
from search.evaluation.metrics import direction, names, predict, score
from search.evaluation.threshold import best_threshold

__all__ = ["Target", "best_threshold", "direction", "intervals", "names", "predict", "score"]
