"""CT volumes and deterministic measurement: readers, anatomy, lungs in figures, lesions.

Door: `medmpt_backend.imaging.load.load_volume`, `.quantify`, `.measure`.
"""
