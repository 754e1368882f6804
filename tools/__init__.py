"""One clinical question per tool; the only place where domain objects become `Evidence`."""
