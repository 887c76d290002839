// As if "label" had been chosen in the list "Color by": the points' own files cannot say so.
onceFound(
  "vz-projector-data-panel",
  (panel) => panel.colorOptions?.some((option) => option.name === "label"),
  (panel) => {
    panel.selectedColorOptionName = "label";
  },
);
