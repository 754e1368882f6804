"""One case out of several sources of the same patient: a CT, a FHIR bundle, a laboratory sheet. Door: `tools.case.joining.merge.merge`."""
