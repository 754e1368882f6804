"""Teaching cases on the page: the form of the open case and committing a reading. Door: `ui.teach.routes`."""
