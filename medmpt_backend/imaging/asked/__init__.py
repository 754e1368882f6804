"""Findings that are measured only where somebody asks for them: metal, the pericardium, vertebrae. Door: `look.look`."""
