"""From planes of many kinds to one sorted stack: which belong together, which is read, passes, burned-in text."""
