"""What a person looks at: the terminal, TensorBoard, the leaderboard, the summary."""
