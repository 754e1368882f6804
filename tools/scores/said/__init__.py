"""What a record or a message says of the inputs of a score."""
