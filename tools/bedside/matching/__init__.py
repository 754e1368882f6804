"""Which topic a question means: by words, examples and the encoder."""
