"""Everything a person looks at: the terminal, TensorBoard, leaderboards, the report and the summary."""
