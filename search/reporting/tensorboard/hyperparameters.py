"""The table of hyperparameters: which columns it has, in which order, and the line of a configuration."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api as hparams
from tensorboard.plugins.hparams import plugin_data_pb2

from spaces import Choice, Int, Parameter, Space

# TensorBoard sorts the columns by name and draws the first five; the number is not shown. Module is not the first:
# parallel coordinates cut the labels of their first axis off.
_FIRST = {"learning_rate": "1 learning_rate", "module": "2 module", "layers": "3 layers"}
_DRAWN = 5


class Hyperparameters:
    """The hyperparameters that vary in a search, as TensorBoard's page HParams takes them.

    Module, learning rate and layers come first, then what every configuration has: TensorBoard draws no line through a
    column that a configuration has no value for.

    Args:
        space: The search space.
    """

    def __init__(self, space: Space) -> None:
        self._searched = {name: parameter for name, parameter in space.items() if _varies(parameter)}
        self._drawn = sorted(self._searched, key=lambda name: (name not in _FIRST, name in space.conditions))[:_DRAWN]

    def columns(self, metrics: Mapping[str, str]) -> Summary:
        """Declares the columns.

        Args:
            metrics: Name of a series to the heading of its column.
        """
        summary = hparams.hparams_config_pb(
            hparams=[
                hparams.HParam(_FIRST.get(name, name), _domain(parameter), display_name=name)
                for name, parameter in self._searched.items()
            ],
            metrics=[hparams.Metric(tag, display_name=heading) for tag, heading in metrics.items()],
            time_created_secs=0,
        )
        return _settled(summary, self._drawn)

    def line(self, values: Mapping[str, Any], name: str) -> Summary:
        """The line of a configuration; hyperparameters that it does not have stay empty.

        Args:
            values: Hyperparameter to value.
            name: The name of the line, which must be unique.
        """
        found = {_FIRST.get(name, name): values[name] for name in self._searched if name in values}
        return _settled(hparams.hparams_pb(found, trial_id=name, start_time_secs=0))


def _settled(summary: Summary, drawn: Collection[str] = ()) -> Summary:
    """The summary with some columns first, in an order that does not change from run to run."""
    plugin = summary.value[0].metadata.plugin_data
    content = plugin_data_pb2.HParamsPluginData.FromString(plugin.content)
    for info in content.experiment.hparam_infos:
        info.differs = info.display_name in drawn  # TensorBoard's word for "put this first"
    plugin.content = content.SerializeToString(deterministic=True)
    return summary


def _varies(parameter: Parameter) -> bool:
    return parameter.options is None or len(parameter.options) > 1


def _domain(parameter: Parameter) -> hparams.Domain:
    if isinstance(parameter, Choice) or (parameter.options is not None and not isinstance(parameter, Int)):
        return hparams.Discrete(list(parameter.options or ()))
    low, high = parameter.limits
    return hparams.IntInterval(low, high) if isinstance(parameter, Int) else hparams.RealInterval(low, high)
