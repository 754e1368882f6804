"""Studies and records from and to the hospital's systems: DICOMweb, DIMSE, FHIR; de-identified on the way in.

Door: `tools.hospital.commands`; each part needs the extra `hospital` and says so where it is missing.
"""
