"""SMART on FHIR: an electronic record opens the assistant on its patient (EHR launch, authorization code with PKCE).

Door: `ui.smart.routes.add_routes`; off unless `MEDMPT_SMART_CLIENT_ID` and `MEDMPT_SMART_ISSUERS` are set.
"""
