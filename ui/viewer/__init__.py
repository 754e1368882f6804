"""The CT viewer's side of the server: studies of the open case, pixels, findings, heatmaps, measurement. Door: `ui.viewer.routes`."""
