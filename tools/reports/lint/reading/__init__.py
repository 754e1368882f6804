"""What a report says, before anything is compared: sections, findings with their status, and pieces by topic."""
