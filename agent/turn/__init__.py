"""One turn of a conversation, and many in a row."""
