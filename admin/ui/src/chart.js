// Curves over time.
