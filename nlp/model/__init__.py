"""The model: an encoder, its heads, and the words that name targets."""
