"""What a report advises: whether it advises enough, and whether guidelines allow it."""
