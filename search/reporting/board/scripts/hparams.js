// All configurations on one page: TensorBoard starts with the first hundred by name, which may not have the best.
onceFound(
  "tf-hparams-query-pane",
  (pane) => pane._pageSizeInput && pane._hparams,
  (pane) => {
    pane.set("_pageSizeInput.value", "1000");
    pane._queryServer();
  },
);
