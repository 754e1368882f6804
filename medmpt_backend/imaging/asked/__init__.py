"""Findings that are measured only where somebody asks for them: metal, the pericardium, bullae, low vertebral bodies. Door: `look.look`."""
