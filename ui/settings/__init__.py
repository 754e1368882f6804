"""The settings tab: documents of the hospital, what is missing and what brings it, limits of use. Door: `ui.settings.routes`."""
