"""`tracker=wandb`, told to a stand-in for its package."""

import sys
from types import ModuleType, SimpleNamespace

from tracking.runs_told import tell_interrupted, tell_resumed

from search.tracking.wandb import WandbTracker


class Run:
    def __init__(self):
        self.id, self.summary, self.points, self.codes = "abc", {}, [], []

    def log(self, point):
        self.points.append(point)

    def finish(self, exit_code):
        self.codes.append(exit_code)


def test_a_resumed_run_goes_on_with_the_same_id_and_nothing_leaves_the_machine(tmp_path, monkeypatch):
    asked, run = [], Run()
    wandb = ModuleType("wandb")
    wandb.init = lambda **settings: asked.append(settings) or run
    wandb.Settings = SimpleNamespace
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    for name in ("WANDB_MODE", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    tell_interrupted(WandbTracker(), tmp_path)
    tell_resumed(WandbTracker(), tmp_path)
    assert [one["id"] for one in asked] == [None, "abc"] and run.codes == [1, 0]
    assert {one["mode"] for one in asked} == {"offline"} and asked[0]["project"] == "made"
    assert {"trial 2/epoch": 2, "trial 2/val_f1": 0.77}.items() <= run.points[-3].items()
    assert run.summary["test_f1"] == 0.7 and run.summary["trial 0"]["layers"] == 1
